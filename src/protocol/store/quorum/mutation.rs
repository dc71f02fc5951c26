//! Mistakes that a store without a leader can make, and that the swarm must find. In tests a
//! replica can be told to make one; elsewhere none can be made.

use super::QuorumStore;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mutation {
    /// A write is acknowledged when the first home has it.
    AcknowledgeFirst,
    /// A read is answered with the first copy that comes.
    ReadFirst,
    /// An answer that comes twice counts twice.
    CountCopies,
    /// A write is acknowledged before it is on disk.
    AcknowledgeBeforeDisk,
    /// What is answered is not first written to a write quorum.
    AnswerUnwritten,
    /// What is answered counts as written to a quorum where it is in memory only.
    CountUndurable,
    /// Of two versions the one that arrives last stays.
    LastArrivalWins,
    /// Hashes of what is held leave out half of the items.
    HashHalf,
    /// What was kept for another is dropped once it has been sent.
    DropUnconfirmed,
    /// That a member was seen before it was taken out of a set is forgotten.
    ForgetRemovals,
}

#[cfg(test)]
impl Mutation {
    /// All.
    pub(super) const ALL: [Mutation; 10] = [
        Mutation::AcknowledgeFirst,
        Mutation::ReadFirst,
        Mutation::CountCopies,
        Mutation::AcknowledgeBeforeDisk,
        Mutation::AnswerUnwritten,
        Mutation::CountUndurable,
        Mutation::LastArrivalWins,
        Mutation::HashHalf,
        Mutation::DropUnconfirmed,
        Mutation::ForgetRemovals,
    ];
}

impl QuorumStore {
    #[cfg(test)]
    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    #[cfg(not(test))]
    pub(super) fn is(&self, _: Mutation) -> bool {
        false
    }
}
