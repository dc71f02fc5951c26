//! What a replica keeps, in memory and on disk.

use super::messages::{QuorumMessage, QuorumTimer};
use super::mutation::Mutation;
use super::{Cell, Cx, Merge, NodeId, QuorumStore, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Writes that are not synced and of which the disk is still to say how far it was, at a crash.
const KEPT: usize = 4_096;

/// What is held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shelf {
    /// By item.
    pub(super) items: BTreeMap<u32, Cell>,
    /// For another home that does not answer, by home and item.
    pub(super) hints: BTreeMap<(u32, u32), Cell>,
}

impl Shelf {
    /// The cell for an item, or for another home's.
    fn cell(&mut self, home: Option<NodeId>, item: u32) -> &mut Cell {
        match home {
            None => self.items.entry(item).or_default(),
            Some(home) => self.hints.entry((home.0, item)).or_default(),
        }
    }

    fn join(&mut self, parts: &[Part], merge: Merge) {
        for part in parts {
            self.cell(part.home, part.item).join(&part.cell, merge);
        }
    }
}

/// Something to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Kept for this home; none if it is the keeper's own.
    pub(super) home: Option<NodeId>,
    pub(super) item: u32,
    pub(super) cell: Cell,
}

/// Something that a coordinator sent and that is not yet applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Arriving {
    pub(super) source: NodeId,
    pub(super) round: u64,
    pub(super) home: Option<NodeId>,
    pub(super) item: u32,
    pub(super) cell: Cell,
}

/// A disk write under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Write {
    number: u64,
    parts: Vec<Part>,
    /// What is to be done when it is on disk.
    then: Then,
    /// It has been done. So it has with every write before.
    told: bool,
}

/// Who waits for a disk write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Then {
    /// Nobody.
    Nothing,
    /// A request that this replica coordinates.
    Own(u64),
    /// Another coordinator: who, its number, for which home, and of which item.
    Tell(NodeId, u64, NodeId, u32),
    /// A stand-in that has handed over what it kept.
    Thank(NodeId, Vec<(u32, Cell)>),
}

impl QuorumStore {
    /// What is held of an item, or for another home.
    pub(super) fn held_for(&self, home: Option<NodeId>, item: u32) -> Cell {
        let cell = match home {
            None => self.now.items.get(&item),
            Some(home) => self.now.hints.get(&(home.0, item)),
        };
        cell.cloned().unwrap_or_default()
    }

    /// Whether all of that would survive a crash, or need not.
    pub(super) fn is_durable(&self, home: Option<NodeId>, item: u32) -> bool {
        let same = match home {
            None => self.now.items.get(&item) == self.disk.items.get(&item),
            Some(home) => {
                let key = (home.0, item);
                self.now.hints.get(&key) == self.disk.hints.get(&key)
            }
        };
        same || !self.settings.sync
    }

    /// A coordinator wants something kept.
    pub(super) fn arrived(&mut self, arriving: Arriving, cx: &mut Cx<'_>) {
        let time = cx.work(self.settings.apply.sample(&mut self.apply_times));
        if time == Span::ZERO {
            return self.apply(arriving, cx);
        }
        self.arrivals += 1;
        let number = self.arrivals;
        self.arriving.insert(number, arriving);
        self.remind(time, QuorumTimer::Applied { number }, cx);
    }

    pub(super) fn apply(&mut self, arriving: Arriving, cx: &mut Cx<'_>) {
        let Arriving { source, round, home, item, cell } = arriving;
        let then = match round {
            0 => Then::Nothing,
            _ => Then::Tell(source, round, home.unwrap_or(self.me), item),
        };
        self.keep(vec![Part { home, item, cell }], then, cx);
    }

    /// Keeps something: reads see it at once, and who waits is told when it is on disk.
    pub(super) fn keep(&mut self, parts: Vec<Part>, then: Then, cx: &mut Cx<'_>) {
        let merge = self.settings.merge;
        let mut news = false;
        for part in &parts {
            let blind = self.is(Mutation::LastArrivalWins);
            let forgetful = self.is(Mutation::ForgetRemovals);
            let cell = self.now.cell(part.home, part.item);
            if blind {
                *cell = Cell::default();
            }
            if forgetful {
                cell.forget_removals();
            }
            news |= cell.join(&part.cell, merge);
        }
        if !news && then == Then::Nothing {
            return;
        }
        let number = cx.persist(self.settings.sync);
        let hasty = self.is(Mutation::AcknowledgeBeforeDisk);
        let (at_once, then) = if hasty { (then, Then::Nothing) } else { (Then::Nothing, then) };
        self.writes.push_back(Write { number, parts, then, told: false });
        self.kept(at_once, cx);
        self.look_after(cx);
    }

    pub(super) fn persisted(&mut self, number: u64, cx: &mut Cx<'_>) {
        let mut done = Vec::new();
        let first = self.writes.partition_point(|write| write.told);
        for write in self.writes.iter_mut().skip(first).take_while(|w| w.number <= number) {
            write.told = true;
            done.push(std::mem::replace(&mut write.then, Then::Nothing));
        }
        let keep = if self.settings.sync { 0 } else { KEPT };
        while self.writes.len() > keep
            && let Some(write) = self.writes.pop_front_if(|write| write.number <= number)
        {
            self.disk.join(&write.parts, self.settings.merge);
        }
        done.into_iter().for_each(|then| self.kept(then, cx));
    }

    fn kept(&mut self, then: Then, cx: &mut Cx<'_>) {
        match then {
            Then::Nothing => {}
            Then::Own(round) => self.kept_own(round, cx),
            Then::Tell(node, round, home, item) => {
                let counts = self.settings.merge == Merge::Counter;
                let own = (home != self.me).then_some(home);
                let cell = counts.then(|| self.held_for(own, item));
                self.tell(node, QuorumMessage::Stored { round, home, cell }, cx);
            }
            Then::Thank(node, items) => self.tell(node, QuorumMessage::Taken { items }, cx),
        }
    }

    /// Leaves what was on disk.
    pub(super) fn crash_shelves(&mut self, durable: u64) {
        for write in std::mem::take(&mut self.writes) {
            if write.number <= durable {
                self.disk.join(&write.parts, self.settings.merge);
            }
        }
        self.now = self.disk.clone();
    }
}
