//! Mistakes that implementations of Raft have made, and that the swarm must find. In tests a member
//! can be told to make one; elsewhere none can be made.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mutation {
    /// An entry counts as committed when the leader alone has stored it.
    CommitAlone,
    /// Entries of earlier terms are committed by counting (against 5.4.2; figure 8).
    CommitEarlierTerms,
    /// Messages of a leader whose term has passed are obeyed.
    ObeyOldLeader,
    /// Votes given in an earlier term are counted.
    CountOldVotes,
    /// A vote is given to everyone who asks.
    VoteTwice,
    /// A vote is given whatever the candidate's log (against 5.4.1).
    VoteForShortLog,
    /// Votes are given before they are on disk.
    VoteBeforeDisk,
    /// Entries are acknowledged before they are on disk.
    AcknowledgeBeforeDisk,
    /// Entries are taken whatever they should follow (against 5.3).
    AppendUnchecked,
    /// What follows the new entries is cut off even if nothing contradicts it.
    TruncateAlways,
    /// A follower commits up to the leader's index whatever the entries it has compared.
    CommitUncompared,
    /// Reads are answered without asking whether somebody else leads (against 6.4).
    ReadUnconfirmed,
    /// A change of members may begin before the leader has committed anything (Ongaro 2015).
    ChangeTooEarly,
    /// The leader alone remembers idempotency keys (against 6.3).
    KeysOfLeader,
}

#[cfg(test)]
impl Mutation {
    /// All that random trouble finds soon.
    pub(super) const ALL: [Mutation; 13] = [
        Mutation::CommitAlone,
        Mutation::ObeyOldLeader,
        Mutation::CountOldVotes,
        Mutation::VoteTwice,
        Mutation::VoteForShortLog,
        Mutation::VoteBeforeDisk,
        Mutation::AcknowledgeBeforeDisk,
        Mutation::AppendUnchecked,
        Mutation::TruncateAlways,
        Mutation::CommitUncompared,
        Mutation::ReadUnconfirmed,
        Mutation::ChangeTooEarly,
        Mutation::KeysOfLeader,
    ];
}
