//! Mistakes that implementations of sharding and of transactions have made, and that random trouble
//! must find. In tests a node can be told to make one; elsewhere none can be made.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// The coordinator tells its decision without having written it down.
    NoDecisionRecord,
    /// The coordinator writes its decision down and tells it before it is on disk.
    DecideBeforeDisk,
    /// A participant keeps in memory only what it has prepared.
    ForgetPrepared,
    /// A participant that hears of no decision commits by itself.
    CommitAlone,
    /// What is prepared locks nothing.
    NoLock,
    /// The coordinator commits with the vote of one participant alone.
    CountOneVote,
    /// A saga forgets after a crash that it was turning back.
    ForgetTurning,
    /// The map changes and no key is copied.
    MapWithoutCopy,
    /// Requests go to the new shard before it has the key.
    SwitchTooEarly,
    /// A shard that is given a key takes it again when an old copy of the message comes.
    PutAgain,
}

#[cfg(test)]
impl Mutation {
    /// All of them.
    pub(super) const ALL: [Mutation; 10] = [
        Mutation::NoDecisionRecord,
        Mutation::DecideBeforeDisk,
        Mutation::ForgetPrepared,
        Mutation::CommitAlone,
        Mutation::NoLock,
        Mutation::CountOneVote,
        Mutation::ForgetTurning,
        Mutation::MapWithoutCopy,
        Mutation::SwitchTooEarly,
        Mutation::PutAgain,
    ];
}
