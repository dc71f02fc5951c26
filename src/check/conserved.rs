//! Money only changes hands: what all accounts hold together stays as it was. While a transfer
//! between shards is under way one side of it may be done and the other not; that is counted, and
//! not held against it. What is still missing some time after nobody works on it any more is.

use super::effects::Effects;
use super::witness::Case;
use super::{PROOFS, State, Verdict};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::protocol::store::Lead;
use crate::sim::trace::{Record, What};
use crate::sim::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// What accounts have gained and lost.
#[derive(Clone, Debug, Default)]
pub struct Conserved {
    groups: Vec<u16>,
    settle: Span,
    effects: Effects,
    transfers: u64,
    // Transfers of which one side is done: what is missing (below zero) or too much.
    halves: BTreeMap<u64, i64>,
    // At the last look: transfers half done and under way, and what of them is on the way.
    under_way: (u64, i64),
    looked: bool,
    missing: i64,
    since: Option<Time>,
    first: Option<Time>,
    intents: Vec<u64>,
    /// The first transfer that was left half done, and when that was seen.
    half: Option<(u64, Time)>,
}

impl Conserved {
    /// Nothing yet; `groups` by node. What is missing for less than `settle` does not count.
    pub fn new(groups: &[u16], settle: Span) -> Conserved {
        Conserved { groups: groups.to_vec(), settle, ..Conserved::default() }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { node, note } = &record.what else { return };
        let group = self.groups.get(node.index()).copied().unwrap_or(u16::MAX);
        let (intent, gain) = match *note {
            Note::Applied { intent, op, position, .. } => {
                let Some(delta) = op.side() else { return };
                let new = self.effects.applied(intent, group, op, position) > 0;
                self.transfers += u64::from(new && delta < 0);
                (intent, if new { i64::from(delta) } else { 0 })
            }
            Note::Undone { intent, op, .. } | Note::Truncated { intent, op, led: true, .. } => {
                let Some(delta) = op.side() else { return };
                let known = self.effects.undone(intent, group, op).is_some();
                (intent, if known { -i64::from(delta) } else { 0 })
            }
            _ => return,
        };
        let half = self.halves.entry(intent).or_default();
        *half += gain;
        if *half == 0 {
            self.halves.remove(&intent);
        }
    }

    /// Adds up what all accounts hold; nothing can be said while some cannot be seen.
    pub fn close(&mut self, world: &World<Role>) {
        let Some(gained) = gained(world, &self.groups) else { return };
        self.looked = true;
        let busy = under_way(world);
        let open = self.halves.iter().filter(|(intent, _)| busy.contains(intent));
        self.under_way = open.fold((0, 0), |(n, sum), (_, half)| (n + 1, sum + half));
        let (missing, now) = (self.under_way.1 - gained, world.shared.now);
        if missing == 0 {
            self.since = None;
        } else {
            let since = *self.since.get_or_insert(now);
            if now.since(since) >= self.settle {
                self.first.get_or_insert(since);
            }
        }
        self.missing = missing;
        if self.first.is_some() {
            let over = self.halves.keys().filter(|intent| !busy.contains(intent));
            self.intents = over.take(PROOFS).copied().collect();
            self.half = self.half.or(self.intents.first().map(|intent| (*intent, now)));
        }
    }

    /// A transfer that was left half done.
    pub fn case(&self) -> Option<Case> {
        let (intent, at) = self.half?;
        Some(Case { intents: vec![intent], at, ..Case::default() })
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let name = "no money appears or vanishes".to_owned();
        let (transfers, (open, sum)) = (self.transfers, self.under_way);
        let half = match open {
            0 => String::new(),
            n => format!(" {n} are half done, {} on the way.", sum.abs()),
        };
        let left = (self.halves.len() as u64).saturating_sub(open);
        let (state, sentence) = match (self.first, self.missing) {
            (None, _) if !self.looked || transfers == 0 => {
                (State::Unknown, "Nothing was transferred between shards yet.".to_owned())
            }
            (None, _) => (State::Holds, format!("{transfers} transfers between shards.{half}")),
            (Some(at), 0) => (State::Violated, format!("Money was missing for a while from {at}.")),
            (Some(_), missing) => {
                let what = if missing > 0 { "missing" } else { "there that nobody had" };
                let amount = missing.abs();
                let text = format!(
                    "{amount} is {what}: {left} of {transfers} transfers were left half done.{half}"
                );
                (State::Violated, text)
            }
        };
        let (at, intents) = (self.first, self.intents.clone());
        Verdict { name, state, sentence, at, intents, count: Some((left, transfers)) }
    }
}

/// Intents whose transfers some router carries out, or has on its disk.
fn under_way(world: &World<Role>) -> BTreeSet<u64> {
    let routers = world.processes.iter().filter_map(|role| match role {
        Role::Router(router) => Some(router),
        _ => None,
    });
    let of = |router: &crate::protocol::router::Router| {
        let known = router.book.open.values().map(|(deal, _)| deal.intent);
        known.chain(router.transfers.values().map(|t| t.deal.intent)).collect::<Vec<_>>()
    };
    routers.flat_map(|router| of(router)).collect()
}

/// What all accounts have gained since the beginning, each counted where it belongs; none while
/// a store is down or has no leader.
fn gained(world: &World<Role>, groups: &[u16]) -> Option<i64> {
    let nodes = || (0..world.processes.len() as u32).map(NodeId);
    let down = |node: NodeId| world.shared.places[node.index()].down;
    let mut leaders: BTreeMap<u16, Option<(u64, NodeId)>> = BTreeMap::new();
    let mut stores = Vec::new();
    for node in nodes() {
        match &world.processes[node.index()] {
            Role::Ledger(_) if down(node) => return None,
            Role::Ledger(_) => stores.push(node),
            role => {
                let Some(standing) = role.standing() else { continue };
                let group = groups.get(node.index()).copied().unwrap_or(u16::MAX);
                let best = leaders.entry(group).or_default();
                if standing.lead == Lead::Leader && !down(node) {
                    *best = (*best).max(Some((standing.term, node)));
                }
            }
        }
    }
    for leader in leaders.into_values() {
        stores.push(leader?.1);
    }
    Some(stores.into_iter().map(|node| held(world, node)).sum())
}

/// What the accounts have gained that belong to a store.
fn held(world: &World<Role>, node: NodeId) -> i64 {
    let routers = world.processes.iter().filter_map(|role| match role {
        Role::Router(router) => Some(router),
        _ => None,
    });
    let mut places = routers.filter_map(|router| {
        let shards = router.settings.shards.iter().zip(0u32..);
        let mine = shards.filter(|(calls, _)| calls.targets.contains(&node)).map(|(_, n)| n).next();
        Some((&router.book, mine?))
    });
    let place = places.next();
    let here = |item: u32| place.is_none_or(|(book, shard)| book.shard(item) == shard);
    let gains = world.processes[node.index()].gains().into_iter();
    gains.filter(|(item, _)| here(*item)).map(|(_, gain)| gain).sum()
}
