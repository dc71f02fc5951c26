//! The log of a replica: what was done, in order. Positions count from 1; the beginning may have
//! been dropped after its effects went into a snapshot.

use super::machine::Command;
use crate::base::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The term or epoch of the leader that made it.
    pub term: u64,
    /// When, by that leader's clock: what ages does so alike on every replica.
    pub at: Time,
    /// What is done; none for an entry that only marks the beginning of a term.
    pub command: Option<Command>,
}

/// A log. Two logs with the same term at the same place are the same up to there, as long as no
/// term has two leaders (Raft paper, section 5.3, Log Matching).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    entries: VecDeque<Entry>,
    dropped: u64,
    dropped_term: u64,
    outline: Outline,
}

/// Which term each position of a log is of, its dropped beginning included: enough to tell which
/// entries two logs share (Kafka's leader epoch checkpoint, KIP-101).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// Terms in order, each with its first position.
    begun: Vec<(u64, u64)>,
    /// The last position.
    last: u64,
}

impl Outline {
    /// True if the log has an entry of this term at this position.
    pub fn has(&self, position: u64, term: u64) -> bool {
        let of = self.begun.iter().rev().find(|(_, first)| *first <= position);
        position <= self.last && of.is_some_and(|(found, _)| *found == term)
    }

    fn push(&mut self, term: u64) {
        self.last += 1;
        if self.begun.last().is_none_or(|(last, _)| *last != term) {
            self.begun.push((term, self.last));
        }
    }

    fn cut_after(&mut self, position: u64) {
        self.last = self.last.min(position);
        while self.begun.pop_if(|(_, first)| *first > position).is_some() {}
    }
}

impl Log {
    /// A log whose beginning up to `position` is in a snapshot of a log with this outline.
    pub fn after_snapshot(position: u64, term: u64, mut outline: Outline) -> Log {
        outline.cut_after(position);
        Log { entries: VecDeque::new(), dropped: position, dropped_term: term, outline }
    }

    /// Which term each position is of.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The position of the last entry; zero when there has been none.
    pub fn last(&self) -> u64 {
        self.dropped + self.entries.len() as u64
    }

    /// The term of the last entry; zero when there has been none.
    pub fn last_term(&self) -> u64 {
        self.entries.back().map_or(self.dropped_term, |entry| entry.term)
    }

    /// The last position that has been dropped; zero when all is there.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The term at a position: zero at position zero, none where nothing is known.
    pub fn term_at(&self, position: u64) -> Option<u64> {
        if position == self.dropped {
            return Some(self.dropped_term);
        }
        self.get(position).map(|entry| entry.term)
    }

    /// The entry at a position, if it is there.
    pub fn get(&self, position: u64) -> Option<&Entry> {
        let place = position.checked_sub(self.dropped + 1)?;
        self.entries.get(usize::try_from(place).ok()?)
    }

    /// Adds an entry and returns its position.
    pub fn push(&mut self, entry: Entry) -> u64 {
        self.outline.push(entry.term);
        self.entries.push_back(entry);
        self.last()
    }

    /// Removes everything after `position` and returns it in order.
    pub fn cut_after(&mut self, position: u64) -> Vec<Entry> {
        self.outline.cut_after(position.max(self.dropped));
        let kept = position.saturating_sub(self.dropped);
        let kept = usize::try_from(kept).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries.split_off(kept).into()
    }

    /// Up to `most` entries after `position`.
    pub fn after(&self, position: u64, most: usize) -> Vec<Entry> {
        let skipped = usize::try_from(position.saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skipped).take(most).copied().collect()
    }

    /// Drops the beginning up to `position`.
    pub fn drop_to(&mut self, position: u64) {
        let Some(term) = self.term_at(position) else { return };
        let count = position.saturating_sub(self.dropped);
        self.entries.drain(..usize::try_from(count).unwrap_or(0).min(self.entries.len()));
        self.dropped = self.dropped.max(position);
        self.dropped_term = term;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::default();
        for &term in terms {
            log.push(Entry { term, at: Time::ZERO, command: None });
        }
        log
    }

    #[test]
    fn positions_stay_when_the_beginning_is_dropped() {
        let mut log = log(&[1, 1, 2, 3]);
        assert_eq!((log.last(), log.last_term(), log.term_at(0)), (4, 3, Some(0)));
        log.drop_to(2);
        assert_eq!((log.last(), log.term_at(1), log.term_at(2)), (4, None, Some(1)));
        assert_eq!(log.after(2, 9).len(), 2);
        assert_eq!(log.after(3, 9), [Entry { term: 3, at: Time::ZERO, command: None }]);
        assert_eq!(log.cut_after(3).len(), 1);
        assert_eq!((log.last(), log.last_term()), (3, 2));
        log.drop_to(9);
        assert_eq!(log.dropped(), 2, "nothing is known of that position");
    }
}
