//! What a router knows of its shards: who has which part of the keys, who gets which part of the
//! requests, what moves, what is locked, and how far transfers are.

use super::cast::Cast;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::router::Router;
use crate::protocol::store::Lead;
use crate::protocol::store::holds::Lock;
use crate::sim::world::World;
use serde::Serialize;
use std::collections::BTreeMap;

/// A router and its shards.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sharding {
    /// What the router is called.
    pub name: String,
    /// How many maps of the keys there have been before this one.
    pub version: u32,
    /// Keys that have still to move.
    pub to_move: u32,
    /// Requests that wait for a key that moves.
    pub waiting: u32,
    /// Transfers under way, by how far they are.
    pub transfers: Vec<(&'static str, u32)>,
    /// The shards, in order.
    pub shards: Vec<Shard>,
}

/// A shard as its router sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shard {
    /// What it is called.
    pub name: String,
    /// Keys it has, and which share of all that is, in thousandths.
    pub keys: (u32, u32),
    /// Requests sent to it in the last second, and which share of all that is, in thousandths.
    pub requests: (u32, u32),
    /// Requests sent to it since the beginning.
    pub sent: u64,
    /// Requests that wait there.
    pub queue: u32,
    /// Items locked there.
    pub locks: u32,
    /// How long the oldest lock has been held.
    pub oldest: Span,
}

/// Every router.
pub fn shardings(world: &World<Role>, cast: &Cast) -> Vec<Sharding> {
    let nodes = (0..).map(NodeId).zip(&world.processes);
    let routers = nodes.filter_map(|(node, role)| match role {
        Role::Router(router) => Some(sharding(world, cast, cast.name(node), router)),
        _ => None,
    });
    routers.collect()
}

pub(super) fn sharding(world: &World<Role>, cast: &Cast, name: &str, router: &Router) -> Sharding {
    let now = world.shared.now;
    let lately = router.heat.lately(now);
    let (map, all) = (&router.book.map, lately.iter().sum::<u32>());
    let shard = |(place, calls): (usize, &crate::protocol::caller::CallSettings)| {
        let targets = &calls.targets;
        let station = |node: &NodeId| super::picture::station(&world.processes[node.index()]);
        let locks = locks(world, targets);
        let keys = map.keys.get(place).copied().unwrap_or(0);
        let requests = lately.get(place).copied().unwrap_or(0);
        Shard {
            name: cast.name_all(targets),
            keys: (keys, thousandths(keys, map.items)),
            requests: (requests, thousandths(requests, all)),
            sent: router.heat.sent.get(place).copied().unwrap_or(0),
            queue: targets.iter().filter_map(station).map(|s| s.waiting()).sum(),
            locks: locks.len() as u32,
            oldest: locks.iter().map(|l| now.since(l.since)).max().unwrap_or(Span::ZERO),
        }
    };
    let mut stages: BTreeMap<&'static str, u32> = BTreeMap::new();
    for transfer in router.transfers.values() {
        *stages.entry(transfer.stage.words()).or_default() += 1;
    }
    Sharding {
        name: name.to_owned(),
        version: router.book.version,
        to_move: router.book.to_move(),
        waiting: router.waiting_for_moves(),
        transfers: stages.into_iter().collect(),
        shards: router.settings.shards.iter().enumerate().map(shard).collect(),
    }
}

/// The locks of a store, or of the replica that leads it.
fn locks(world: &World<Role>, nodes: &[NodeId]) -> Vec<Lock> {
    let roles = nodes.iter().map(|node| &world.processes[node.index()]);
    let leads = |role: &&Role| role.standing().is_none_or(|s| s.lead == Lead::Leader);
    let holds = roles.filter(leads).filter_map(Role::holds);
    holds.flat_map(|holds| holds.locks().map(|(_, lock)| lock).collect::<Vec<_>>()).collect()
}

fn thousandths(part: u32, all: u32) -> u32 {
    (u64::from(part) * 1_000 / u64::from(all.max(1))) as u32
}

/// A share in thousandths, in words.
pub fn share(thousandths: u32) -> String {
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// What a shard is, in a line.
pub fn says(shard: &Shard) -> String {
    let (keys, requests) = (share(shard.keys.1), share(shard.requests.1));
    let queue = if shard.queue > 0 { format!(", {} wait", shard.queue) } else { String::new() };
    let locks = match shard.locks {
        0 => String::new(),
        n => format!(", {n} locked, up to {:.1} s", shard.oldest.as_secs()),
    };
    format!("{keys} of keys, {requests} of requests{queue}{locks}")
}

/// What there is to say of all shards, in a sentence.
pub fn sentence(sharding: &Sharding, now: Time) -> String {
    let hottest = sharding.shards.iter().max_by_key(|s| s.requests.0);
    let heat = match hottest.filter(|s| s.requests.0 > 0) {
        Some(s) => format!("{} gets {} of the requests", s.name, share(s.requests.1)),
        None => "no requests".to_owned(),
    };
    let moves = match (sharding.to_move, sharding.waiting) {
        (0, _) => String::new(),
        (n, 0) => format!("; {n} keys have to move"),
        (n, waiting) => format!("; {n} keys have to move, {waiting} requests wait for one"),
    };
    let stages = sharding.transfers.iter().map(|(stage, n)| format!("{n} {stage}"));
    let transfers = match stages.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => none,
        some => format!("; transfers: {some}"),
    };
    format!("{now}: {heat}{moves}{transfers}.")
}
