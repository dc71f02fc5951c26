//! What a majority says: how far it has stored the log, and whether it voted for a candidate.

use serde::{Deserialize, Serialize};

/// What came of an election so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tally {
    /// A majority voted for the candidate.
    Won,
    /// So many voted against it that no majority is left.
    Lost,
    /// Neither yet.
    Pending,
}

/// How many of `members` are a majority.
pub fn majority(members: u32) -> u32 {
    members / 2 + 1
}

/// The greatest number that a majority has reached; without members there is nothing to wait for.
pub fn reached(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    let place = numbers.len().saturating_sub(1) / 2;
    numbers.get(place).copied().unwrap_or(u64::MAX)
}

/// Counts votes, one for each member, where it has come.
pub fn tally(votes: impl Iterator<Item = Option<bool>>) -> Tally {
    let (mut members, mut ayes, mut noes) = (0, 0, 0);
    for vote in votes {
        members += 1;
        ayes += u32::from(vote == Some(true));
        noes += u32::from(vote == Some(false));
    }
    match majority(members) {
        _ if members == 0 => Tally::Won,
        needed if ayes >= needed => Tally::Won,
        needed if members - noes < needed => Tally::Lost,
        _ => Tally::Pending,
    }
}
