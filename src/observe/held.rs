//! What the replicas of a store with a log hold, side by side: the items on which they differ from
//! the leader, and those changed last.

use super::cast::Cast;
use super::copies::{Copies, Held, Holder, SHOWN};
use super::replicas::leader;
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::Span;
use crate::protocol::Role;
use crate::protocol::rpc::Op;
use crate::protocol::store::machine::Machine;
use crate::sim::world::World;

/// Entries of a log that are looked through for what a replica lacks.
const MOST: u64 = 10_000;

/// A replica with the state it has come to.
type Replica<'a> = (NodeId, &'a Role, &'a Machine);

/// Every store of the world whose replicas hold a log.
pub fn stores(world: &World<Role>, cast: &Cast) -> Vec<Copies> {
    let mut stores: Vec<Copies> = Vec::new();
    for (role, member) in world.processes.iter().zip(&cast.members) {
        if role.machine().is_some() && stores.last().is_none_or(|s| s.name != member.group) {
            stores.extend(copies(world, cast, &member.group));
        }
    }
    stores
}

fn copies(world: &World<Role>, cast: &Cast, group: &str) -> Option<Copies> {
    let nodes = cast.group(group);
    let replica = |node: &NodeId| {
        let role = &world.processes[node.index()];
        Some((*node, role, role.machine()?))
    };
    let replicas: Vec<Replica<'_>> = nodes.iter().filter_map(replica).collect();
    // Without a leader, whoever has come furthest.
    let led = leader(world, &nodes).and_then(|node| replica(&node));
    let furthest = || replicas.iter().max_by_key(|(.., machine)| machine.applied()).copied();
    let lead = led.or_else(furthest)?;
    let mut numbers: Vec<u32> =
        replicas.iter().flat_map(|(.., m)| m.items().map(|(item, _)| item)).collect();
    order::up(&mut numbers);
    numbers.dedup();
    let mut ranked: Vec<(bool, u64, u32)> = numbers
        .into_iter()
        .map(|item| {
            let wanted = lead.2.item(item);
            (replicas.iter().any(|(.., m)| m.item(item) != wanted), wanted.version, item)
        })
        .collect();
    let differ = ranked.iter().filter(|(differs, ..)| *differs).count() as u32;
    order::by(&mut ranked, |a, b| b.cmp(a));
    let mut items: Vec<u32> = ranked.iter().take(SHOWN).map(|(.., item)| *item).collect();
    order::up(&mut items);
    let holder = |replica: &Replica<'_>| Holder {
        name: cast.name(replica.0).to_owned(),
        down: world.shared.places[replica.0.index()].down,
        hints: 0,
        values: items.iter().map(|item| Some(held(*replica, lead, *item, world))).collect(),
    };
    let replicas = replicas.iter().map(holder).collect();
    let (name, focus) = (group.to_owned(), None);
    Some(Copies { name, items, differ, focus, copies: 0, read: 0, write: 0, replicas })
}

fn held(replica: Replica<'_>, lead: Replica<'_>, item: u32, world: &World<Role>) -> Held {
    let (own, wanted) = (replica.2.item(item), lead.2.item(item));
    let behind = own != wanted;
    let value = own.value;
    let value = if value >> 40 > 0 { value & ((1 << 40) - 1) } else { value };
    let age = if behind { lacks_since(replica, lead, item, world) } else { None };
    Held { value, is_set: false, beside: 0, behind, age }
}

/// For how long the replica has lacked a change of the item.
fn lacks_since(
    (_, _, own): Replica<'_>,
    (_, role, wanted): Replica<'_>,
    item: u32,
    world: &World<Role>,
) -> Option<Span> {
    let lacks = own.applied() + 1..=wanted.applied().min(own.applied() + MOST);
    let entries = lacks.filter_map(|position| role.entry(position));
    let of_item = |entry: &crate::protocol::store::Logged| {
        entry.command.is_some_and(|command| {
            command.item == item || matches!(command.op, Op::Transfer { to, .. } if to == item)
        })
    };
    let first = entries.into_iter().find(of_item)?;
    Some(world.shared.now.since(first.at))
}
