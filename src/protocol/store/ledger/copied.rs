//! What a ledger is to backups: its changes are counted, and every account knows its last one.

use super::{Item, Ledger};
use crate::base::id::NodeId;
use crate::protocol::Cx;
use crate::protocol::backup::messages::BackupMessage;
use crate::protocol::rpc::Op;
use crate::protocol::store::image::{Copied, Journal, Place};
use crate::protocol::store::machine;

impl Ledger {
    /// A backup copies it, or brings a copy back.
    pub(super) fn backup(&mut self, source: NodeId, message: BackupMessage, cx: &mut Cx<'_>) {
        let BackupMessage::Load { restore, part, steps } = message else {
            let mut desk = std::mem::take(&mut self.desk);
            desk.answer(source, message, self, cx);
            self.desk = desk;
            return;
        };
        if !self.desk.takes(source, restore, part, cx) {
            return;
        }
        for (item, op) in steps {
            match op {
                Op::Reset { value } => {
                    self.closed = true;
                    self.put_all(value, cx.clock());
                }
                Op::Load { value } => {
                    self.gain(item, value - self.value(item), cx.clock());
                }
                _ => self.closed = false,
            }
        }
        // A crash undoes nothing of it: what was not confirmed is sent again.
        let write = cx.persist(true);
        self.desk.load(write, source, restore, part);
    }

    fn as_copied(&self, item: Item) -> machine::Item {
        machine::Item { version: item.version, value: self.settings.balance - item.charged }
    }
}

impl Copied for Ledger {
    fn place(&self) -> Place {
        Place { term: 0, position: self.changes }
    }

    fn knows(&self, place: Place) -> bool {
        place.position <= self.changes
    }

    fn closed(&self) -> bool {
        self.closed
    }

    fn base(&self) -> machine::Item {
        self.as_copied(self.base)
    }

    fn changed(&self, after: u64) -> Vec<(u32, machine::Item)> {
        let new = self.items.iter().filter(|(_, item)| item.last > after);
        new.map(|(number, item)| (*number, self.as_copied(*item))).collect()
    }

    fn all_changed(&self, after: u64) -> bool {
        self.base.last > after
    }

    fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }
}
