//! The history of a run for other checkers: everything that clients did, from what there was.

use super::Session;
use crate::base::order;
use crate::base::time::Time;
use crate::check::history::operation::{Action, Operation, Outcome, Output};
use crate::check::history::transcript::lanes;
use std::collections::{BTreeMap, BTreeSet};

impl Session {
    /// Keeps everything that clients do from now on, for [`Session::history`].
    pub fn keep_history(&mut self) {
        self.run.course.checks.keep_history();
    }

    /// Everything that clients did since [`Session::keep_history`], with small numbers for items
    /// and for clients, one for each thing that a client has under way at once. Each item begins
    /// with a write of what it held, by a client of its own: other checkers know of nothing that
    /// was there before.
    pub fn history(&self) -> Vec<Operation> {
        let mut ops = self.run.course.checks.operations();
        let number =
            |all: BTreeSet<u64>| -> BTreeMap<u64, u64> { all.into_iter().zip(0..).collect() };
        order::by_key(&mut ops, |op| (op.call, op.id));
        let keys: Vec<(u64, u32)> = ops.iter().map(|op| op.process).zip(lanes(&ops)).collect();
        let processes: BTreeMap<(u64, u32), u64> =
            keys.iter().copied().collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
        let groups = number(ops.iter().map(|op| group(op.item)).collect());
        let mut items: BTreeMap<i64, i64> = BTreeMap::new();
        for (op, key) in ops.iter_mut().zip(&keys) {
            let held = self.held(group(op.item));
            op.process = processes[key];
            // With several stores, an item of the second stands behind all of the first.
            op.item =
                (op.item & i64::from(u32::MAX)) + (groups[&group(op.item)] as i64 * 1_000_000_000);
            items.extend(held.map(|held| (op.item, held)));
        }
        let next = ops.iter().map(|op| op.id).max().map_or(0, |id| id.saturating_add(1));
        let begins = (next..).zip(items).map(|(id, (item, held))| Operation {
            id,
            process: processes.len() as u64,
            item,
            call: Time::ZERO,
            action: Action::Write(held),
            outcome: Outcome::Ok { at: Time::ZERO, output: Output::Nothing, version: 0 },
        });
        begins.chain(ops).collect()
    }

    /// What the items of a store held in the beginning.
    fn held(&self, group: u64) -> Option<i64> {
        let numbers = self.run.course.cast.group_numbers();
        let own = self.run.plan.nodes.iter().zip(numbers).filter(|(_, n)| u64::from(*n) == group);
        own.filter_map(|(node, _)| node.settings.balance()).next()
    }
}

/// The number of the store that an item is in.
fn group(item: i64) -> u64 {
    (item >> 32) as u64
}
