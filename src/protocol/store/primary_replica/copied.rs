//! What a replica is to backups: any of them can be copied, and what is brought back goes through
//! the log of the primary.

use super::super::image::{Copied, Journal, Place, tell};
use super::super::log::Entry;
use super::super::machine::{Command, Item};
use super::Replica;
use crate::base::id::NodeId;
use crate::protocol::Cx;
use crate::protocol::backup::messages::BackupMessage;

impl Replica {
    /// A backup copies it, or brings a copy back: that goes through the log.
    pub(super) fn backup(&mut self, source: NodeId, message: BackupMessage, cx: &mut Cx<'_>) {
        let BackupMessage::Load { restore, part, steps } = message else {
            let mut desk = std::mem::take(&mut self.desk);
            desk.answer(source, message, self, cx);
            self.desk = desk;
            return;
        };
        if !self.leads {
            let leader = self.leader;
            return tell(source, BackupMessage::Elsewhere { restore, leader }, cx);
        }
        if !self.desk.takes(source, restore, part, cx) {
            return;
        }
        for (item, op) in steps {
            let command = Some(Command { intent: restore, op, item, key: 0 });
            self.log.push(Entry { term: self.epoch, at: cx.clock(), command });
        }
        self.desk.load(self.log.last(), source, restore, part);
        self.persist(cx);
        self.feed_all(cx);
    }
}

impl Copied for Replica {
    fn place(&self) -> Place {
        let position = self.machine.applied();
        Place { term: self.log.term_at(position).unwrap_or(0), position }
    }

    fn knows(&self, place: Place) -> bool {
        place.position <= self.machine.applied()
            && self.log.term_at(place.position) == Some(place.term)
    }

    fn closed(&self) -> bool {
        self.machine.closed()
    }

    fn base(&self) -> Item {
        self.machine.base()
    }

    fn changed(&self, after: u64) -> Vec<(u32, Item)> {
        self.machine.items().filter(|(_, item)| item.version > after).collect()
    }

    fn all_changed(&self, after: u64) -> bool {
        self.machine.base().version > after
    }

    fn journal(&self) -> Option<&Journal> {
        self.machine.journal()
    }
}
