//! What of a member's state is on disk. Writes are numbered as the disk numbers them; each
//! remembers what it replaced, so that a crash can undo those that were not done.

use super::log::Log;
use super::member::Hard;
use super::message::{Entry, RaftMessage};
use crate::base::id::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What a write replaced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Change {
    hard: Hard,
    /// Up to this index the log was left alone.
    kept: u64,
    /// What followed.
    removed: Vec<Entry>,
    /// The log before a snapshot took its place.
    whole: Option<Box<Log>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Write {
    number: u64,
    change: Change,
    /// The end of the log that is on disk with this write.
    last: u64,
}

/// The writes of one member.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Durable {
    /// What has changed since the last write.
    pub(super) change: Option<Change>,
    /// The number of the last write.
    pub(super) written: u64,
    /// The number of the last write that is done.
    pub(super) done: u64,
    /// The end of the part of the log that is on disk.
    pub(super) last: u64,
    writes: VecDeque<Write>,
    /// Messages that may not leave before a write is done.
    pub(super) held: VecDeque<(u64, NodeId, RaftMessage)>,
}

impl Durable {
    /// To be called before anything durable changes.
    pub(super) fn touch(&mut self, hard: Hard, log: &Log) -> &mut Change {
        let kept = log.last().index;
        let before = || Change { hard, kept, removed: Vec::new(), whole: None };
        self.change.get_or_insert_with(before)
    }

    /// Takes out the entries after `index`, and remembers them.
    pub(super) fn truncate(&mut self, index: u64, hard: Hard, log: &mut Log) -> Vec<Entry> {
        let change = self.touch(hard, log);
        let removed = log.truncate(index);
        if index < change.kept {
            let old = (change.kept - index) as usize;
            let tail = std::mem::take(&mut change.removed);
            change.removed = removed.iter().take(old).cloned().chain(tail).collect();
            change.kept = index;
        }
        self.last = self.last.min(index);
        for write in &mut self.writes {
            write.last = write.last.min(index);
        }
        removed
    }

    /// Remembers the whole log, before a snapshot takes the place of its beginning.
    pub(super) fn compact(&mut self, hard: Hard, log: &Log) {
        self.touch(hard, log).whole.get_or_insert_with(|| Box::new(log.clone()));
    }

    /// Remembers the whole log, before a snapshot takes the place of all of it.
    pub(super) fn replace(&mut self, hard: Hard, log: &Log) {
        self.compact(hard, log);
        self.last = 0;
        for write in &mut self.writes {
            write.last = 0;
        }
    }

    /// Begins a write of what has changed, if anything has; its number.
    pub(super) fn write(&mut self, log: &Log) -> Option<u64> {
        let change = self.change.take()?;
        self.written += 1;
        let number = self.written;
        self.writes.push_back(Write { number, change, last: log.last().index });
        Some(number)
    }

    /// The writes up to `number` are done.
    pub(super) fn finish(&mut self, number: u64) {
        self.done = self.done.max(number);
        while self.writes.front().is_some_and(|write| write.number <= number) {
            self.last = self.writes.pop_front().map_or(self.last, |write| write.last);
        }
    }

    /// A message that waited for a write which is done.
    pub(super) fn release(&mut self) -> Option<(NodeId, RaftMessage)> {
        let (number, ..) = self.held.front()?;
        if *number > self.done {
            return None;
        }
        self.held.pop_front().map(|(_, target, message)| (target, message))
    }

    /// Undoes every write after `number`.
    pub(super) fn crash(&mut self, number: u64, hard: &mut Hard, log: &mut Log) {
        self.held.clear();
        self.change = None;
        while let Some(Write { number: n, change, .. }) = self.writes.pop_back() {
            if n <= number {
                continue;
            }
            *hard = change.hard;
            if let Some(whole) = change.whole {
                *log = *whole;
            }
            log.truncate(change.kept);
            for entry in change.removed {
                log.append(entry);
            }
        }
        (self.written, self.done, self.last) = (number, number, log.last().index);
    }
}
