//! What a router has on its disk: the map and which keys have moved, decisions to commit, and
//! sagas under way. A record counts when the disk has it; what it had not at a crash is gone.

use super::Router;
use super::map::Map;
use super::mutation::Mutation;
use crate::protocol::Cx;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a transfer between two shards is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// The intent it serves.
    pub intent: u64,
    /// The account that pays.
    pub from: u32,
    /// The account that receives.
    pub to: u32,
    /// How much.
    pub amount: u32,
    /// The idempotency key of whoever asked; zero for none.
    pub key: u64,
}

/// How far a transfer is, as the disk knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// It will be committed.
    Committed,
    /// A saga has begun.
    Begun,
    /// A saga turns back.
    Turned,
}

/// A change of the map under way: keys move one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The map that will be.
    pub to: Map,
    /// Keys that are where that map has them.
    pub switched: BTreeSet<u32>,
    /// How many keys move in all.
    pub moving: u32,
}

/// What is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// The map in force.
    pub map: Map,
    /// The map to come.
    pub change: Option<Change>,
    /// How many maps there have been.
    pub version: u32,
    /// The version of the map with which a key last moved.
    pub moved: BTreeMap<u32, u32>,
    /// Transfers that are decided and not done.
    pub open: BTreeMap<u64, (Deal, Kept)>,
}

/// Something that is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Record {
    /// A transfer has come so far.
    Keep(u64, Deal, Kept),
    /// A transfer has ended.
    Forget(u64),
    /// A key is with its new shard.
    Switched(u32),
}

impl Book {
    /// Nothing has happened.
    pub fn new(map: Map) -> Book {
        let (moved, open) = (BTreeMap::new(), BTreeMap::new());
        Book { map, change: None, version: 0, moved, open }
    }

    /// The shard that has a key now.
    pub fn shard(&self, item: u32) -> u32 {
        match &self.change {
            Some(change) if change.switched.contains(&item) => change.to.shard(item),
            _ => self.map.shard(item),
        }
    }

    /// The version of the map with which a key last moved.
    pub fn epoch(&self, item: u32) -> u64 {
        self.moved.get(&item).copied().unwrap_or(0).into()
    }

    /// Keys that have still to move.
    pub fn to_move(&self) -> u32 {
        self.change.as_ref().map_or(0, |c| c.moving - c.switched.len() as u32)
    }

    pub(super) fn take(&mut self, record: Record) {
        match record {
            Record::Keep(number, deal, kept) => drop(self.open.insert(number, (deal, kept))),
            Record::Forget(number) => drop(self.open.remove(&number)),
            Record::Switched(item) => {
                if let Some(change) = &mut self.change {
                    change.switched.insert(item);
                    self.moved.insert(item, self.version);
                }
            }
        }
    }
}

impl Router {
    /// Writes a record; [`Router::recorded`] goes on when the disk has it.
    pub(super) fn record(&mut self, record: Record, cx: &mut Cx<'_>) {
        let (before, never) = (Mutation::DecideBeforeDisk, Mutation::NoDecisionRecord);
        let decision = matches!(record, Record::Keep(_, _, Kept::Committed));
        if decision && self.is(never) {
            return self.recorded(record, cx);
        }
        let write = cx.persist(true);
        self.records.push_back((write, record));
        if decision && self.is(before) {
            self.recorded(record, cx);
        }
    }

    pub(super) fn persisted(&mut self, write: u64, cx: &mut Cx<'_>) {
        while let Some((_, record)) = self.records.pop_front_if(|(number, _)| *number <= write) {
            self.book.take(record);
            self.recorded(record, cx);
        }
    }

    fn recorded(&mut self, record: Record, cx: &mut Cx<'_>) {
        match record {
            Record::Keep(number, _, kept) => self.kept(number, kept, cx),
            Record::Forget(_) => {}
            Record::Switched(item) => self.switched(item, cx),
        }
    }
}
