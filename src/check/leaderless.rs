//! What became of the changes that a store without a leader acknowledged.
//!
//! A change is lost when no copy accounts for it any more, on whatever replica or kept for one. A
//! copy accounts for a change if it contains it, or came from somebody who had seen it: by version
//! vector or count where there is one, otherwise by the chain of what each value was computed from.
//! A blind write replaces all with earlier timestamps on purpose; but one that was acknowledged and
//! got an earlier timestamp than another acknowledged before it began is lost at once: nobody will
//! ever read it.

use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::{Change, Note};
use crate::protocol::rpc::{Answer, Ending, Op, Outcome};
use crate::protocol::store::quorum::cell::Cell;
use crate::protocol::store::quorum::{Merge, QuorumStore};
use crate::sim::trace::{Record, What};
use crate::sim::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// So many changes of an item are followed until all its homes have them.
const KEPT: usize = 65_536;
/// A value that was read is written back, changed, within less.
const GRACE: Span = Span::secs(5);
/// So many acknowledged timestamps of an item are remembered.
const NEWEST: usize = 64;

/// An intent under way.
#[derive(Clone, Copy, Debug)]
struct Open {
    item: u32,
    /// How many acknowledgements there had been when it began.
    began: u64,
    stamped: Option<(u16, Change)>,
    told: u64,
}

#[derive(Clone, Copy, Debug)]
struct Made {
    intent: u64,
    change: Change,
    acknowledged: bool,
    /// Not accounted for when all homes agreed, and not acknowledged by then.
    doomed: bool,
}

#[derive(Clone, Debug, Default)]
struct Item {
    /// By timestamp.
    made: BTreeMap<u64, Made>,
    /// Acknowledged changes among them that are not settled.
    open: u32,
    /// The latest acknowledged timestamps, each with how many acknowledgements there had been in
    /// all.
    newest: BTreeMap<u64, u64>,
    /// What has an earlier timestamp has been judged.
    settled: u64,
    /// When it was last changed.
    at: Time,
}

/// What is followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaderless {
    open: BTreeMap<u64, Open>,
    items: BTreeMap<(u16, u32), Item>,
    groups: BTreeSet<u16>,
    /// How many changes were acknowledged.
    pub(super) acknowledged: u64,
    /// Intents whose change was lost since the last time somebody took them.
    pub(super) lost: Vec<u64>,
    /// What won over the first of them, where one change did.
    pub(super) winner: Option<(u64, u64)>,
}

impl Leaderless {
    /// True if the group is a store without a leader, as far as is known.
    pub(super) fn knows(&self, group: u16) -> bool {
        self.groups.contains(&group)
    }

    /// Takes one record in; `groups` by node.
    pub(super) fn fold(&mut self, record: &Record<Role>, groups: &[u16]) {
        let What::Note { node, note } = &record.what else { return };
        match *note {
            Note::Began { intent, op, item, .. } if op != Op::Read => {
                let began = self.acknowledged;
                self.open.insert(intent, Open { item, began, stamped: None, told: 0 });
            }
            Note::Stamped { intent, item, change } => {
                let group = groups.get(node.index()).copied().unwrap_or(u16::MAX);
                self.groups.insert(group);
                let made = Made { intent, change, acknowledged: false, doomed: false };
                let known = self.items.entry((group, item)).or_default();
                known.made.insert(change.stamp, made);
                known.at = record.at;
                if known.made.len() > KEPT
                    && let Some((_, old)) = known.made.pop_first()
                {
                    known.open -= u32::from(old.acknowledged);
                }
                if let Some(open) = self.open.get_mut(&intent) {
                    open.stamped = Some((group, change));
                }
            }
            Note::Answered { intent, outcome, .. } => {
                if let Outcome::Answered(Answer::Done { version, .. }) = outcome
                    && let Some(open) = self.open.get_mut(&intent)
                {
                    open.told = version;
                }
            }
            Note::Ended { intent, ending, .. } => {
                let Some(open) = self.open.remove(&intent) else { return };
                if ending == Ending::Ok {
                    self.acknowledge(intent, &open);
                }
            }
            _ => {}
        }
    }

    fn acknowledge(&mut self, intent: u64, open: &Open) {
        let Some((group, change)) = open.stamped else { return };
        let Some(item) = self.items.get_mut(&(group, open.item)) else { return };
        self.acknowledged += 1;
        // Where the last writer wins the answer says which of several attempts it is about.
        let stamp = if item.made.contains_key(&open.told) { open.told } else { change.stamp };
        let Some(made) = item.made.get_mut(&stamp) else { return };
        let blind = made.change.base.is_none() && made.change.dot.count == 0;
        let later = || item.newest.range(stamp + 1..).find(|(_, at)| **at <= open.began);
        let before = later().map(|(stamp, _)| *stamp).filter(|_| blind);
        if made.doomed || before.is_some() {
            item.made.remove(&stamp);
            let winner = before.and_then(|stamp| item.made.get(&stamp));
            self.winner = self.winner.or(winner.map(|winner| (intent, winner.intent)));
            self.lost.push(intent);
            return;
        }
        made.acknowledged = true;
        item.open += 1;
        item.newest.insert(stamp, self.acknowledged);
        if item.newest.len() > NEWEST {
            item.newest.pop_first();
        }
    }

    /// Looks at what the replicas hold.
    pub(super) fn close(&mut self, world: &World<Role>, groups: &[u16]) {
        for ((group, number), item) in self.items.iter_mut().filter(|(_, item)| item.open > 0) {
            let roles = world.processes.iter().zip(groups).filter(|(_, known)| *known == group);
            let stores = roles.filter_map(|(role, _)| match role {
                Role::Quorum(store) => Some(&**store),
                _ => None,
            });
            let stores: Vec<&QuorumStore> = stores.collect();
            let Some(first) = stores.first() else { continue };
            let nothing = Cell::default();
            let homes = first.homes(*number);
            let at_home = homes.iter().filter_map(|home| match &world.processes[home.index()] {
                Role::Quorum(store) => Some(store.cell(*number).unwrap_or(&nothing)),
                _ => None,
            });
            let kept = stores.iter().flat_map(|store| store.hints());
            let kept = kept.filter(|(_, item, _)| item == number).map(|(_, _, cell)| cell);
            let copies: Vec<&Cell> = at_home.chain(kept).collect();
            match first.settings.merge {
                Merge::LastWriterWins => {
                    let winner = item.close_by_stamp(&copies, world.shared.now, &mut self.lost);
                    self.winner = self.winner.or(winner);
                }
                Merge::Siblings | Merge::Counter | Merge::Set => {
                    item.close_by_dot(&copies, &mut self.lost);
                }
            }
        }
    }
}

impl Item {
    /// Where what was seen is known.
    fn close_by_dot(&mut self, copies: &[&Cell], lost: &mut Vec<u64>) {
        let open = &mut self.open;
        let has =
            |made: &Made| copies.iter().filter(|cell| cell.accounts_for(made.change.dot)).count();
        // What was asked for twice, or came twice, was made twice, and which of both was
        // acknowledged is not known: one that lasts is enough.
        let lasts = |made: &&Made| has(made) > 0;
        let alive: BTreeSet<u64> = self.made.values().filter(lasts).map(|m| m.intent).collect();
        self.made.retain(|_, made| {
            let has = has(made);
            let gone = made.acknowledged && has == 0 && !alive.contains(&made.intent);
            if gone {
                lost.push(made.intent);
            }
            let over = gone || has == copies.len();
            *open -= u32::from(over && made.acknowledged);
            // One that is not acknowledged yet is looked at when it is.
            !over || !made.acknowledged
        });
    }

    /// Where the latest timestamp wins. Gives a change that is lost, and what took its place.
    fn close_by_stamp(
        &mut self,
        copies: &[&Cell],
        now: Time,
        lost: &mut Vec<u64>,
    ) -> Option<(u64, u64)> {
        let stamps = copies.iter().map(|cell| cell.newest().map_or(0, |version| version.stamp));
        let survivors: BTreeSet<u64> = stamps.collect();
        let chains: Vec<(BTreeSet<u64>, u64)> =
            survivors.iter().map(|stamp| self.chain(*stamp)).collect();
        let agreed = survivors.first().filter(|_| survivors.len() == 1).copied();
        let quiet = now.since(self.at) > GRACE;
        let judged = agreed.map(|stamp| match quiet {
            true => stamp + 1,
            false => stamp.saturating_sub(GRACE.0 << 4),
        });
        let (open, judged) = (&mut self.open, judged.unwrap_or(0));
        let intents: BTreeMap<u64, u64> = match chains.as_slice() {
            // Only where one value is left is it clear what it was that won.
            [(chain, _)] => {
                let made = chain.iter().filter_map(|stamp| self.made.get(stamp));
                made.map(|made| (made.change.stamp, made.intent)).collect()
            }
            _ => BTreeMap::new(),
        };
        let mut won = None;
        self.made.retain(|stamp, made| {
            let has = chains.iter().any(|(chain, floor)| chain.contains(stamp) || stamp < floor);
            let old = *stamp < judged;
            if made.acknowledged && !has {
                let winner = intents.range(stamp + 1..).next();
                won = won.or(winner.map(|(_, winner)| (made.intent, *winner)));
                lost.push(made.intent);
            }
            let over = if has { old } else { made.acknowledged };
            *open -= u32::from(over && made.acknowledged);
            made.doomed |= old && !has;
            !over
        });
        self.settled = self.settled.max(judged);
        won
    }

    /// What a value was computed from, step by step; and a timestamp below which everything was
    /// replaced on purpose or has been judged.
    fn chain(&self, stamp: u64) -> (BTreeSet<u64>, u64) {
        let (mut chain, mut at) = (BTreeSet::new(), stamp);
        while at >= self.settled {
            chain.insert(at);
            match self.made.get(&at).map(|made| made.change.base) {
                Some(Some(base)) => at = base,
                Some(None) => return (chain, at),
                None => break,
            }
        }
        (chain, self.settled)
    }
}
