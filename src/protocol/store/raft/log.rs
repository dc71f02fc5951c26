//! The log of one member: a snapshot of everything up to some position, and the entries after it.

use super::super::machine::Machine;
use super::message::{Content, Entry, Position, Snapshot};
use crate::base::id::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A snapshot and the entries after it. Indices count from one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// What the entries that are no longer held came to.
    pub snapshot: Snapshot,
    entries: VecDeque<Entry>,
    /// Which entries change the members.
    changes: VecDeque<u64>,
}

impl Log {
    /// A log without entries.
    pub fn new(snapshot: Snapshot) -> Log {
        Log { snapshot, entries: VecDeque::new(), changes: VecDeque::new() }
    }

    /// The last position that only the snapshot holds.
    pub fn base(&self) -> Position {
        self.snapshot.last
    }

    /// The last position.
    pub fn last(&self) -> Position {
        let index = self.base().index + self.entries.len() as u64;
        self.entries.back().map_or(self.base(), |entry| Position { term: entry.term, index })
    }

    /// The entry at `index`, if it is still held.
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get(self.place(index)?)
    }

    /// The term of the entry at `index`, where it is known.
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base().index {
            return Some(self.base().term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    /// Entries from `index` on, at most `limit`.
    pub fn slice(&self, index: u64, limit: u32) -> Vec<Entry> {
        let place = self.place(index).unwrap_or(usize::MAX);
        self.entries.iter().skip(place).take(limit as usize).cloned().collect()
    }

    /// Adds an entry at the end.
    pub fn append(&mut self, entry: Entry) {
        if let Content::Members(_) = entry.content {
            self.changes.push_back(self.last().index + 1);
        }
        self.entries.push_back(entry);
    }

    /// Takes out every entry after `index`.
    pub fn truncate(&mut self, index: u64) -> Vec<Entry> {
        let keep = index.saturating_sub(self.base().index) as usize;
        if keep >= self.entries.len() {
            return Vec::new();
        }
        while self.changes.back().is_some_and(|&change| change > index) {
            self.changes.pop_back();
        }
        self.entries.split_off(keep).into()
    }

    /// Puts a snapshot in the place of every entry up to `index`, which come to `machine`
    /// (section 7 of the paper).
    pub fn compact(&mut self, index: u64, machine: Machine) {
        let Some(term) = self.term(index) else { return };
        let members = self.members_at(index).1.to_vec();
        while self.changes.front().is_some_and(|&change| change <= index) {
            self.changes.pop_front();
        }
        let covered = index.saturating_sub(self.base().index) as usize;
        self.entries.drain(..covered.min(self.entries.len()));
        self.snapshot = Snapshot { last: Position { term, index }, members, machine };
    }

    /// The last position up to `position` at which a log that holds `position` may agree with this
    /// one: whatever has a later term cannot (section 5.3, and etcd's improvement on it).
    pub fn agreement(&self, position: Position) -> Position {
        let mut index = position.index.min(self.last().index);
        while let Some(term) = self.term(index) {
            if term <= position.term {
                return Position { term, index };
            }
            index = index.saturating_sub(1);
        }
        self.base()
    }

    /// Who belongs to the cluster by this log: a change counts from when it is in the log, not
    /// from when it is committed (thesis, 4.1). With the index of that change.
    pub fn members(&self) -> (u64, &[NodeId]) {
        self.members_at(u64::MAX)
    }

    fn members_at(&self, index: u64) -> (u64, &[NodeId]) {
        let change = self.changes.iter().rev().find(|&&change| change <= index);
        match change.map(|&change| (change, self.entry(change).map(|entry| &entry.content))) {
            Some((change, Some(Content::Members(members)))) => (change, members),
            _ => (self.base().index, &self.snapshot.members),
        }
    }

    fn place(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.base().index + 1)?).ok()
    }
}
