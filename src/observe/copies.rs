//! What the replicas of a store without a leader hold, side by side: the items on which they differ
//! and those changed last, what stands beside a value, and what is kept for a home that is silent.

use super::cast::Cast;
use super::explain::length;
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::rpc::Answer;
use crate::protocol::store::quorum::cell::Cell;
use crate::protocol::store::quorum::{Merge, QuorumStore};
use crate::sim::world::World;
use serde::Serialize;

/// Items that are shown of each store.
pub const SHOWN: usize = 6;

/// The replicas of one store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copies {
    /// What the store is called.
    pub name: String,
    /// The items shown.
    pub items: Vec<u32>,
    /// On how many items homes differ, in all.
    pub differ: u32,
    /// The item most worth a look: one on which homes differ, or else the one changed last.
    pub focus: Option<u32>,
    /// How many replicas hold an item.
    pub copies: u32,
    /// How many of these must answer a read.
    pub read: u32,
    /// And how many a write.
    pub write: u32,
    /// Its replicas, in order.
    pub replicas: Vec<Holder>,
}

/// What one replica holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holder {
    /// What it is called.
    pub name: String,
    /// True if it is down.
    pub down: bool,
    /// Items kept for homes that do not answer.
    pub hints: u32,
    /// Of each item shown what it holds; none where it is no home of it.
    pub values: Vec<Option<Held>>,
}

/// What one replica holds of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The value: of a write, the number of its intent among those of its population.
    pub value: i64,
    /// True if it is a set, with a bit of the value for each member.
    pub is_set: bool,
    /// Other versions that stand beside it.
    pub beside: u32,
    /// True if it lacks what another home has.
    pub behind: bool,
    /// For how long it has lacked something newer, as far as that is known.
    pub age: Option<Span>,
}

impl Held {
    /// In as few signs as fit into a table.
    pub fn words(&self) -> String {
        let Held { value, is_set, beside, behind, age } = self;
        let value = match is_set {
            true => {
                let there = (0..i64::BITS).filter(|member| value >> member & 1 == 1);
                format!("{{{}}}", there.map(|m| m.to_string()).collect::<Vec<_>>().join(" "))
            }
            false => value.to_string(),
        };
        let beside = if *beside > 0 { format!(" +{beside}") } else { String::new() };
        let behind = match (behind, age) {
            (true, Some(age)) => format!(" ≠ {}", length(*age)),
            (true, None) => " ≠".to_owned(),
            (false, _) => String::new(),
        };
        format!("{value}{beside}{behind}")
    }
}

/// Every store without a leader.
pub fn stores(world: &World<Role>, cast: &Cast) -> Vec<Copies> {
    let mut stores: Vec<Copies> = Vec::new();
    for (role, member) in world.processes.iter().zip(&cast.members) {
        if matches!(role, Role::Quorum(_)) && stores.last().is_none_or(|s| s.name != member.group) {
            stores.push(copies(world, cast, &member.group));
        }
    }
    stores
}

fn copies(world: &World<Role>, cast: &Cast, group: &str) -> Copies {
    let replicas: Vec<(NodeId, &QuorumStore)> = cast
        .group(group)
        .into_iter()
        .filter_map(|node| match &world.processes[node.index()] {
            Role::Quorum(store) => Some((node, &**store)),
            _ => None,
        })
        .collect();
    let mut numbers: Vec<u32> =
        replicas.iter().flat_map(|(_, s)| s.cells().map(|(item, _)| item)).collect();
    order::up(&mut numbers);
    numbers.dedup();
    let mut ranked: Vec<(bool, u64, u32)> =
        numbers.into_iter().map(|item| rank(&replicas, item)).collect();
    let differ = ranked.iter().filter(|(differs, ..)| *differs).count() as u32;
    order::by(&mut ranked, |a, b| b.cmp(a));
    let focus = ranked.first().map(|(.., item)| *item);
    let mut items: Vec<u32> = ranked.iter().take(SHOWN).map(|(.., item)| *item).collect();
    order::up(&mut items);
    let holder = |(node, store): &(NodeId, &QuorumStore)| Holder {
        name: cast.name(*node).to_owned(),
        down: world.shared.places[node.index()].down,
        hints: store.hints().count() as u32,
        values: items
            .iter()
            .map(|item| held(&replicas, (*node, store), *item, world.shared.now))
            .collect(),
    };
    let holders = replicas.iter().map(holder).collect();
    let needs = replicas.first().map(|(_, store)| &store.settings);
    let [copies, read, write] = needs.map_or([0; 3], |s| [s.copies, s.read, s.write]);
    let name = group.to_owned();
    Copies { name, items, differ, focus, copies, read, write, replicas: holders }
}

/// The cells of an item at its homes.
fn cells<'a>(replicas: &[(NodeId, &'a QuorumStore)], item: u32) -> Vec<Option<&'a Cell>> {
    let homes = replicas.first().map(|(_, store)| store.homes(item)).unwrap_or_default();
    let at_home = replicas.iter().filter(|(node, _)| homes.contains(node));
    at_home.map(|(_, store)| store.cell(item)).collect()
}

/// Whether homes differ on an item, how late it was changed, and the item.
fn rank(replicas: &[(NodeId, &QuorumStore)], item: u32) -> (bool, u64, u32) {
    let cells = cells(replicas, item);
    let differs = cells.windows(2).any(|pair| pair[0] != pair[1]);
    let late = cells.iter().flatten().map(|cell| {
        let counted: u64 = cell.tallies.iter().map(|tally| u64::from(tally.count)).sum();
        cell.newest().map_or(counted, |version| version.stamp)
    });
    (differs, late.max().unwrap_or(0), item)
}

fn held(
    replicas: &[(NodeId, &QuorumStore)],
    (node, store): (NodeId, &QuorumStore),
    item: u32,
    now: Time,
) -> Option<Held> {
    if !store.homes(item).contains(&node) {
        return None;
    }
    let nothing = Cell::default();
    let own = store.cell(item).unwrap_or(&nothing);
    let merge = store.settings.merge;
    let behind = cells(replicas, item).into_iter().flatten().any(|c| !own.contains(c, merge));
    let Answer::Done { value, .. } = store.read(own) else { return None };
    let is_set = merge == Merge::Set;
    let value = if !is_set && value >> 40 > 0 { value & ((1 << 40) - 1) } else { value };
    let beside = own.versions.len().saturating_sub(1) as u32;
    let age = if behind { lacks_since(replicas, own, item, now) } else { None };
    Some(Held { value, is_set, beside, behind, age })
}

/// Since when another home has had something newer, by the clock of who wrote it; nothing where
/// values are added up and so have no time.
fn lacks_since(
    replicas: &[(NodeId, &QuorumStore)],
    own: &Cell,
    item: u32,
    now: Time,
) -> Option<Span> {
    let mine = own.newest().map_or(0, |version| version.stamp);
    let cells = cells(replicas, item).into_iter().flatten();
    let newer = cells.flat_map(|cell| &cell.versions).map(|v| v.stamp).filter(|s| *s > mine);
    Some(now.since(Time(newer.min()? >> 4)))
}

/// What the table says, in a sentence.
pub fn sentence(copies: &Copies, now: Time) -> String {
    // Where there is a log, every replica is to hold every item.
    let who = if copies.copies > 0 { "homes" } else { "replicas" };
    let differ = match copies.differ {
        0 => format!("all {who} hold the same"),
        1 => format!("{who} differ on 1 item"),
        n => format!("{who} differ on {n} items"),
    };
    let hints: u32 = copies.replicas.iter().map(|r| r.hints).sum();
    let hints = if hints > 0 { format!("; {hints} kept for others") } else { String::new() };
    let values = copies.replicas.iter().flat_map(|r| r.values.iter().flatten());
    let beside = values.map(|held| held.beside).max().unwrap_or(0);
    let beside =
        if beside > 0 { format!("; up to {beside} beside a value") } else { String::new() };
    format!("{now}: {differ}{hints}{beside}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_says_what_stands_beside_it_and_what_it_lacks() {
        let held = Held { value: 7, is_set: false, beside: 0, behind: false, age: None };
        assert_eq!(held.words(), "7");
        assert_eq!(Held { is_set: true, value: 0b10_0101, ..held }.words(), "{0 2 5}");
        assert_eq!(Held { beside: 2, behind: true, ..held }.words(), "7 +2 ≠");
        let age = Some(Span::millis(1_200));
        assert_eq!(Held { behind: true, age, ..held }.words(), "7 ≠ 1.20 s");
        let holder = |hints, beside| Holder {
            name: "db-1".to_owned(),
            down: false,
            hints,
            values: vec![Some(Held { beside, ..held }), None],
        };
        let replicas = vec![holder(0, 0), holder(3, 1)];
        let copies = Copies {
            name: "db".to_owned(),
            items: vec![1, 2],
            differ: 2,
            focus: None,
            copies: 2,
            read: 1,
            write: 1,
            replicas,
        };
        let says = "2.000s: homes differ on 2 items; 3 kept for others; up to 1 beside a value.";
        assert_eq!(sentence(&copies, Time(2_000_000)), says);
    }
}
