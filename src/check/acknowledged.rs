//! No change that a client was told of is lost: whoever leads has it in its log. Where nobody
//! leads, the replicas together account for it (see `leaderless`).

use super::deferred::Deferred;
use super::leaderless::Leaderless;
use super::witness::Case;
use super::{State, Verdict};
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::Role;
use crate::protocol::note::{Lookup, Note};
use crate::protocol::router::of_shard;
use crate::protocol::rpc::{Answer, Ending, Outcome};
use crate::protocol::store::Lead;
use crate::sim::trace::{Record, What};
use crate::sim::world::World;
use std::collections::{BTreeMap, VecDeque};

/// So many acknowledged changes are looked at again when another replica leads.
const KEPT: usize = 65_536;

/// Lost changes that are named one by one, at most.
const NAMED: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Ack {
    intent: u64,
    position: u64,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    position: u64,
    group: u16,
    // A cache has passed it on: the store tells that cache the position, and perhaps nobody else.
    cache: Option<NodeId>,
}

/// What was acknowledged by the replicas of one store, and who leads them.
#[derive(Clone, Debug, Default)]
struct Store {
    acks: VecDeque<Ack>,
    // How many of the acks, from the newest, nobody has looked for yet, and how many of those for
    // the first time.
    fresh: usize,
    new: u64,
    leader: Option<(u64, NodeId)>,
    /// Acknowledged, then undone by a crash: lost, where no other replica can have it.
    undone: Vec<Ack>,
}

/// What has been acknowledged so far.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    groups: Vec<u16>,
    stores: BTreeMap<u16, Store>,
    // Of intents under way: the position they were last told, and the group they were sent to.
    told: BTreeMap<u64, Told>,
    deferred: Deferred,
    leaderless: Leaderless,
    acknowledged: u64,
    lost: u64,
    first: Option<Time>,
    intents: Vec<u64>,
}

impl Store {
    /// A crash has undone a change of this store.
    fn take_back(&mut self, intent: u64) {
        if let Some(place) = self.acks.iter().rposition(|ack| ack.intent == intent)
            && let Some(ack) = self.acks.remove(place)
        {
            self.fresh = self.fresh.min(self.acks.len());
            self.undone.push(ack);
        }
    }
}

impl Acknowledged {
    /// Nothing yet; `groups` by node.
    pub fn new(groups: &[u16]) -> Acknowledged {
        Acknowledged { groups: groups.to_vec(), ..Acknowledged::default() }
    }

    fn group(&self, node: NodeId) -> u16 {
        self.groups.get(node.index()).copied().unwrap_or(u16::MAX)
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        self.leaderless.fold(record, &self.groups);
        let What::Note { node, note } = &record.what else { return };
        match *note {
            Note::Began { intent, op, .. } if op.changes() => {
                let (group, cache) = (u16::MAX, None);
                self.told.insert(intent, Told { position: 0, group, cache });
            }
            Note::Sent { intent, target, .. } => {
                let group = self.group(target);
                if let Some(told) = self.told.get_mut(&intent) {
                    told.group = group;
                }
            }
            Note::Answered { intent, outcome, .. } => {
                let Outcome::Answered(Answer::Done { version, .. }) = outcome else { return };
                let version = of_shard(version);
                if let Some(told) = self.told.get_mut(&intent)
                    && told.cache.is_none_or(|cache| cache == *node)
                {
                    told.position = version;
                }
                let group = self.group(*node);
                if self.deferred.keeps(intent) == Some(*node)
                    && let Some(position) = self.deferred.written(intent, version)
                {
                    self.enlist(group, Ack { intent, position }, false);
                }
            }
            Note::Cached { intent, item, how } => match how {
                Lookup::Deferred => self.deferred.defer(*node, item, intent),
                Lookup::Lost => self.deferred.missing(intent, record.at),
                Lookup::Passed => {
                    if let Some(told) = self.told.get_mut(&intent) {
                        told.cache = Some(*node);
                    }
                }
                _ => {}
            },
            Note::Applied { intent, .. } => self.deferred.applied(intent),
            Note::Undone { intent, .. } => {
                let group = self.group(*node);
                if let Some(store) = self.stores.get_mut(&group) {
                    store.take_back(intent);
                }
            }
            Note::Ended { intent, ending, .. } => {
                let Some(Told { position, group, .. }) = self.told.remove(&intent) else { return };
                if ending != Ending::Ok || position == 0 {
                    return;
                }
                if !self.deferred.knows(intent) {
                    self.enlist(group, Ack { intent, position }, true);
                } else if let Some(position) = self.deferred.told(intent) {
                    self.enlist(group, Ack { intent, position }, false);
                }
            }
            _ => {}
        }
    }

    /// Has an acknowledged change looked for from now on; `new` if it is not yet counted.
    fn enlist(&mut self, group: u16, ack: Ack, new: bool) {
        if self.leaderless.knows(group) {
            return;
        }
        let store = self.stores.entry(group).or_default();
        store.acks.push_back(ack);
        store.fresh += 1;
        store.new += u64::from(new);
        if store.acks.len() > KEPT {
            store.acks.pop_front();
        }
    }

    /// Looks for what was acknowledged in the log of whoever leads.
    pub fn close(&mut self, world: &World<Role>) {
        self.leaderless.close(world, &self.groups);
        let mut lost = std::mem::take(&mut self.leaderless.lost);
        lost.extend(self.deferred.lost(world.shared.now));
        for (group, store) in &mut self.stores {
            let mine = |n: &NodeId| self.groups.get(n.index()) == Some(group);
            let all = (0..world.processes.len() as u32).map(NodeId);
            if all.filter(mine).any(|n| matches!(world.processes[n.index()], Role::Ledger(_))) {
                lost.extend(store.undone.drain(..).map(|ack| ack.intent));
                self.acknowledged += std::mem::take(&mut store.new);
                continue;
            }
            store.fresh += store.undone.len();
            store.acks.extend(store.undone.drain(..));
            let nodes = (0..world.processes.len() as u32).map(NodeId).filter(mine);
            let leads = nodes.filter_map(|node| {
                let standing = world.processes[node.index()].standing()?;
                let up = !world.shared.places[node.index()].down;
                (standing.lead == Lead::Leader && up).then_some((standing.term, node))
            });
            // One of an earlier term that still believes to lead has nothing to say.
            let Some(leader) = leads.max().filter(|found| Some(*found) >= store.leader) else {
                continue;
            };
            if store.leader != Some(leader) {
                store.leader = Some(leader);
                store.fresh = store.acks.len();
            }
            let role = &world.processes[leader.1.index()];
            let known = store.acks.len().saturating_sub(std::mem::take(&mut store.fresh));
            let mut place = 0;
            store.acks.retain(|ack| {
                place += 1;
                if place <= known || role.has(ack.position, ack.intent) != Some(false) {
                    return true;
                }
                lost.push(ack.intent);
                false
            });
            self.acknowledged += std::mem::take(&mut store.new);
        }
        if !lost.is_empty() {
            self.first.get_or_insert(world.shared.now);
        }
        self.lost += lost.len() as u64;
        let room = NAMED.saturating_sub(self.intents.len());
        self.intents.extend(lost.into_iter().take(room));
    }

    /// The first change that was lost, and what won over it.
    pub fn case(&self) -> Option<Case> {
        let (at, lost) = (self.first?, *self.intents.first()?);
        let winner = self.leaderless.winner.filter(|(known, _)| *known == lost);
        let intents = std::iter::once(lost).chain(winner.map(|(_, by)| by)).collect();
        Some(Case { intents, at, is_loss: true, ..Case::default() })
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let name = "no acknowledged change is lost".to_owned();
        let (deferred, leaderless) = (self.deferred.acknowledged, self.leaderless.acknowledged);
        let all = self.acknowledged + leaderless + deferred;
        let (has, misses) = match (self.acknowledged, leaderless) {
            _ if deferred > 0 => ("Caches and stores have", "in no cache or store any more"),
            (_, 0) if self.stores.values().all(|store| store.leader.is_none()) => {
                ("The store has", "not in the store any more")
            }
            (_, 0) => ("Whoever leads has", "not in the log of the one that leads"),
            (0, _) => ("The replicas together have", "in no replica any more"),
            _ => ("The stores have", "in none of the stores any more"),
        };
        let (state, sentence) = match (all, self.lost) {
            (0, 0) => (State::Unknown, "Nothing was acknowledged yet.".to_owned()),
            (n, 0) => (State::Holds, format!("{has} all {n} acknowledged changes.")),
            (n, lost) => {
                (State::Violated, format!("{lost} of {n} acknowledged changes are {misses}."))
            }
        };
        let (at, intents) = (self.first, self.intents.clone());
        let count = Some((self.lost, all));
        Verdict { name, state, sentence, at, intents, count }
    }
}
