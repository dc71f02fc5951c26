//! After the last fault, all replicas of a store come to hold the same.
//!
//! What any replica holds of an item is to be held by all of them within a time: while clients go
//! on writing, replicas are never alike at one instant. A store with a leader holds a log; there it
//! is what the leader had applied.

use super::witness::{Case, Witness};
use super::{State, Verdict};
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::{Change, Note};
use crate::protocol::store::quorum::cell::Cell;
use crate::protocol::store::quorum::{Merge, QuorumStore};
use crate::protocol::store::{Lead, Logged};
use crate::sim::trace::{Record, What};
use crate::sim::world::World;
use std::collections::BTreeMap;

/// So many items that differ are followed at once in a store; the rest is looked at after them.
const MOST: usize = 4_096;

/// Whether the replicas of every store have come together.
#[derive(Clone, Debug)]
pub struct Converged {
    span: Span,
    groups: Vec<u16>,
    active: u32,
    /// Since when there has been no fault.
    quiet: Time,
    now: Time,
    /// What was held by some replicas only: since when, and what, by store and item.
    items: BTreeMap<(u16, u32), (Time, Cell)>,
    /// What a leader had applied, by store.
    logs: BTreeMap<u16, (Time, u64, Option<Logged>)>,
    judged: u64,
    wrong: BTreeMap<(u16, Option<u32>), (Time, String)>,
    /// The first of those.
    case: Option<Case>,
}

/// What a home of an item holds of it: which replica that is, by its number, and the node.
type Held<'a> = (u32, NodeId, &'a Cell);

impl Converged {
    /// Nothing yet; `groups` by node.
    pub fn new(span: Span, groups: &[u16]) -> Converged {
        Converged {
            span,
            groups: groups.to_vec(),
            active: 0,
            quiet: Time::ZERO,
            now: Time::ZERO,
            items: BTreeMap::new(),
            logs: BTreeMap::new(),
            judged: 0,
            wrong: BTreeMap::new(),
            case: None,
        }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Fault { began, .. } = record.what else { return };
        self.active = if began { self.active + 1 } else { self.active.saturating_sub(1) };
        // From here on everything has its time again.
        self.quiet = record.at;
        self.items.clear();
        self.logs.clear();
    }

    /// Looks at what the replicas hold.
    pub fn close(&mut self, world: &World<Role>, witness: Option<&Witness>) {
        self.now = world.shared.now;
        if self.active > 0 {
            return;
        }
        let mut groups = self.groups.clone();
        order::up(&mut groups);
        groups.dedup();
        for group in groups {
            let mine = |n: &NodeId| self.groups.get(n.index()) == Some(&group);
            // What leads to a store is of its group, and holds nothing.
            let holds = |n: &NodeId| {
                let role = &world.processes[n.index()];
                role.standing().is_some() || matches!(role, Role::Quorum(_))
            };
            let all = (0..world.processes.len() as u32).map(NodeId);
            let nodes: Vec<NodeId> = all.filter(|n| mine(n) && holds(n)).collect();
            let stores: Vec<(NodeId, &QuorumStore)> = nodes
                .iter()
                .filter_map(|node| match &world.processes[node.index()] {
                    Role::Quorum(store) => Some((*node, &**store)),
                    _ => None,
                })
                .collect();
            if stores.is_empty() {
                self.close_log(group, &nodes, world);
            } else {
                self.close_items(group, &stores, witness);
            }
        }
    }

    fn close_items(
        &mut self,
        group: u16,
        stores: &[(NodeId, &QuorumStore)],
        witness: Option<&Witness>,
    ) {
        let nothing = Cell::default();
        let mut numbers: Vec<u32> =
            stores.iter().flat_map(|(_, s)| s.cells().map(|(item, _)| item)).collect();
        order::up(&mut numbers);
        numbers.dedup();
        for item in numbers {
            let homes = stores.first().map(|(_, s)| s.homes(item)).unwrap_or_default();
            let at_home = stores.iter().zip(1..).filter(|((node, _), _)| homes.contains(node));
            let cells: Vec<Held<'_>> = at_home
                .map(|((node, store), number)| {
                    (number, *node, store.cell(item).unwrap_or(&nothing))
                })
                .collect();
            let Some(((.., first), (_, store))) = cells.first().zip(stores.first()) else {
                continue;
            };
            let merge = store.settings.merge;
            let key = (group, item);
            if let Some((since, wanted)) = self.items.get(&key) {
                let short = cells.iter().filter(|(.., cell)| !cell.contains(wanted, merge));
                let short: Vec<String> = short.map(|(number, ..)| number.to_string()).collect();
                if short.is_empty() {
                    self.items.remove(&key);
                    self.judged += 1;
                } else if self.now.since(*since) > self.span {
                    let text = format!("item {item} is behind on replica {}", short.join(" and "));
                    let case = || of_item(store, &cells, wanted, self.now, witness, key);
                    self.case.get_or_insert_with(case);
                    self.wrong.entry((group, Some(item))).or_insert((self.now, text));
                }
            } else if cells.iter().any(|(.., cell)| cell != first) && self.items.len() < MOST {
                let mut all = Cell::default();
                for (.., cell) in &cells {
                    all.join(cell, merge);
                }
                self.items.insert(key, (self.now, all));
            }
        }
    }

    fn close_log(&mut self, group: u16, nodes: &[NodeId], world: &World<Role>) {
        if let Some((since, position, entry)) = self.logs.get(&group) {
            let has = |node: &NodeId| {
                let role = &world.processes[node.index()];
                let there = role.standing().is_none_or(|s| s.applied >= *position);
                there && (role.dropped() >= *position || role.entry(*position) == *entry)
            };
            // Who is no member any more, or not yet, is sent nothing.
            let members =
                leader(nodes, world).and_then(|(.., node)| world.processes[node.index()].members());
            let counts = |node: &NodeId| members.is_none_or(|members| members.contains(node));
            let short = (1u32..).zip(nodes).filter(|(_, node)| counts(node) && !has(node));
            let short: Vec<String> = short.map(|(number, _)| number.to_string()).collect();
            if short.is_empty() {
                self.logs.remove(&group);
                self.judged += 1;
            } else if self.now.since(*since) > self.span {
                let text = format!("entry {position} is not on replica {}", short.join(" and "));
                if let Some(command) = entry.and_then(|entry| entry.command) {
                    let said = |node: &NodeId| {
                        let (sign, text) = match has(node) {
                            true => ("has it", format!("has entry {position}")),
                            false => ("lacks it", format!("does not have entry {position}")),
                        };
                        (*node, sign.to_owned(), text)
                    };
                    let held = nodes.iter().filter(|node| counts(node)).map(said).collect();
                    let (intents, at) = (vec![command.intent], self.now);
                    let case = || Case { intents, at, held, ..Case::default() };
                    self.case.get_or_insert_with(case);
                }
                self.wrong.entry((group, None)).or_insert((self.now, text));
            }
            return;
        }
        if let Some((_, applied, node)) =
            leader(nodes, world).filter(|(_, applied, _)| *applied > 0)
        {
            let role = &world.processes[node.index()];
            if role.dropped() < applied {
                self.logs.insert(group, (self.now, applied, role.entry(applied)));
            }
        }
    }

    /// The first change that a replica did not come to have.
    pub fn case(&self) -> Option<Case> {
        self.case.clone()
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let name = format!("replicas agree {} after trouble", self.span);
        let wrong = self.wrong.len() as u64;
        let count = Some((wrong, self.judged + wrong));
        let first = self.wrong.values().min();
        let (state, at, sentence) = match (first, self.judged) {
            (Some((at, text)), _) => {
                let more =
                    if wrong > 1 { format!("; so it is with {wrong}") } else { String::new() };
                let after = at.since(self.quiet);
                let after = format!("{after} after the last fault {text}{more}.");
                (State::Violated, Some(*at), after)
            }
            (None, _) if self.active > 0 => {
                (State::Unknown, None, "The trouble is not over.".to_owned())
            }
            (None, _) if self.now.since(self.quiet) <= self.span => {
                let text = format!("{} since the last fault.", self.now.since(self.quiet));
                (State::Unknown, None, text)
            }
            (None, 0) => (State::Unknown, None, "No two replicas were seen to differ.".to_owned()),
            (None, n) => {
                let text = format!("{n} times replicas differed, never for longer.");
                (State::Holds, None, text)
            }
        };
        Verdict { name, state, sentence, at, intents: Vec::new(), count }
    }
}

/// What the homes of an item hold, and the newest change that one of them should have and lacks.
fn of_item(
    store: &QuorumStore,
    cells: &[Held<'_>],
    wanted: &Cell,
    at: Time,
    witness: Option<&Witness>,
    (group, item): (u16, u32),
) -> Case {
    let (merge, settings) = (store.settings.merge, &store.settings);
    let lacks = |note: &Note| match *note {
        Note::Stamped { change, .. } => {
            let lacks = |cell: &Cell| !accounts_for(cell, change, merge);
            !lacks(wanted) && cells.iter().any(|(.., cell)| lacks(cell))
        }
        _ => false,
    };
    let said = |&(_, node, cell): &Held<'_>| {
        let answer = cell.read(merge, settings.balance, settings.members.len() as u32);
        let value = answer.data().map_or(0, |(_, value)| value);
        // What a write wrote is the number of its intent.
        let value = if value >> 40 > 0 { value & ((1 << 40) - 1) } else { value };
        (node, format!("holds {value}"), format!("holds {value}"))
    };
    let held = cells.iter().map(said).collect();
    let newest = witness.and_then(|witness| witness.newest(group, item, &lacks));
    Case { intents: newest.into_iter().collect(), at, held, ..Case::default() }
}

/// True if a change is in what a replica holds, or was seen by whoever replaced it.
fn accounts_for(cell: &Cell, change: Change, merge: Merge) -> bool {
    match merge {
        Merge::LastWriterWins => cell.newest().is_some_and(|version| version.stamp >= change.stamp),
        Merge::Siblings | Merge::Counter | Merge::Set => cell.accounts_for(change.dot),
    }
}

/// Who leads, with the newest term, and how far it has applied its log.
fn leader(nodes: &[NodeId], world: &World<Role>) -> Option<(u64, u64, NodeId)> {
    let leads = nodes.iter().filter_map(|node| {
        let standing = world.processes[node.index()].standing()?;
        (standing.lead == Lead::Leader).then_some((standing.term, standing.applied, *node))
    });
    leads.max()
}
