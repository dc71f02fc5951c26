//! Routers and their shards: what can be sharded, and how keys are dealt out.

use super::names::Cast;
use super::node::{calls, station};
use crate::base::diagnostics::Diagnostics;
use crate::protocol::caller::CallSettings;
use crate::protocol::router::RouterSettings;
use crate::protocol::router::{map, transfer};
use crate::scenario::v1::node::{Clients, Mix, Node};
use crate::scenario::v1::router::{Placement, Router, Transfers};
use crate::scenario::v1::{Check, Scenario};
use std::collections::BTreeMap;

/// Shards of one router, at most.
const MOST_SHARDS: usize = 64;
/// Keys that a router deals out, at most: it looks at each when its map changes.
const MOST_KEYS: u32 = 1_000_000;

/// Every shard is a store that belongs to one router, and every shard has a place in the map.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    money(scenario, problems);
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, node) in scenario.nodes.iter() {
        let Node::Router(router) = node else { continue };
        let path = |field: &str| format!("nodes.{name}.router.{field}");
        let count = router.shards.len();
        if router.shards.is_empty() {
            problems.error(path("shards"), "there are no shards", "name the stores behind it");
        }
        if count > MOST_SHARDS {
            let remedy = format!("{MOST_SHARDS} shards is the limit");
            problems.error(path("shards"), format!("there are {count} shards"), remedy);
        }
        for (n, shard) in router.shards.iter().enumerate() {
            let path = path(&format!("shards.{n}"));
            let store = scenario.nodes.get(shard).is_some_and(is_store);
            if !store && !cast.find(shard).is_empty() {
                let message = format!("`{shard}` is no store");
                problems.error(path, message, "name a store: all its replicas are one shard");
            } else if let Some(other) = taken.insert(shard, name) {
                let message = format!("`{shard}` is a shard of `{other}` already");
                problems.error(path, message, "a store is one shard, of one router");
            }
        }
        if router.active.is_some_and(|active| active as usize > count) {
            let remedy = format!("choose 1 to {count}, or name more shards");
            problems.error(path("active"), format!("there are only {count} shards"), remedy);
        }
        check_ranges(router, active(router), keys(scenario), &path, problems);
        if keys(scenario) > MOST_KEYS {
            let message = format!("the clients want more than {MOST_KEYS} different items");
            problems.error(path("placement"), message, "choose fewer `items` of the clients");
        }
    }
}

/// Money can be added up where it only changes hands.
fn money(scenario: &Scenario, problems: &mut Diagnostics) {
    let Some(n) = scenario.checks.iter().position(|c| matches!(c, Check::Conserved(_))) else {
        return;
    };
    for (name, node) in scenario.nodes.iter() {
        let Node::Clients(clients) = node else { continue };
        let Mix { write, charge, update, increment, insert, remove, erase, corrupt, .. } =
            clients.mix;
        if write + charge + update + increment + insert + remove + erase + corrupt > 0 {
            let message = format!("`{name}` change what accounts hold together");
            let remedy = "leave this check out, or let clients only read, scan and transfer";
            problems.error(format!("checks.{n}.conserved"), message, remedy);
        }
    }
}

fn check_ranges(
    router: &Router,
    active: u32,
    keys: u32,
    path: &dyn Fn(&str) -> String,
    problems: &mut Diagnostics,
) {
    let Placement::Range(range) = &router.placement else { return };
    let (splits, path) = (&range.splits, path("placement.range.splits"));
    if splits.len() >= active.max(1) as usize {
        let message = format!("{} splits make more ranges than the {active} shards", splits.len());
        problems.error(&path, message, "leave out splits or add shards");
    }
    if splits.windows(2).any(|pair| pair[0] >= pair[1]) {
        let remedy = "sort them, and name each once";
        problems.error(&path, "the splits are not in order, or one comes twice", remedy);
    }
    if let Some(split) = splits.iter().find(|split| **split == 0 || **split >= keys) {
        let message = format!("a range that begins at {split} leaves a shard without keys");
        problems.error(&path, message, format!("keys go from 0 to {}", keys.saturating_sub(1)));
    }
}

fn is_store(node: &Node) -> bool {
    matches!(node, Node::Ledger(_) | Node::PrimaryReplica(_) | Node::Raft(_) | Node::Quorum(_))
}

fn active(router: &Router) -> u32 {
    router.active.unwrap_or(router.shards.len() as u32)
}

/// How many keys there are: as many as any clients want.
fn keys(scenario: &Scenario) -> u32 {
    let items = |node: &Node| match node {
        Node::Clients(Clients { items, .. }) => *items,
        _ => 0,
    };
    scenario.nodes.iter().map(|(_, node)| items(node)).max().unwrap_or(0)
}

/// The settings of a router.
pub fn router(router: &Router, scenario: &Scenario, cast: &Cast<'_>) -> RouterSettings {
    let shard = |name: &String| CallSettings {
        // A step of a transaction is named by its key; a client without a key has none to pass on.
        idempotency: true,
        ..calls(&router.calls.caller(), name, cast)
    };
    RouterSettings {
        station: station(&router.station()),
        shards: router.shards.iter().take(MOST_SHARDS).map(shard).collect(),
        active: active(router).max(1),
        placement: match &router.placement {
            Placement::Range(range) => map::Placement::Range { splits: range.splits.clone() },
            Placement::Hash(_) => map::Placement::Modulo,
            Placement::Consistent(ring) => {
                map::Placement::Ring { points: ring.points, slack: ring.bound }
            }
        },
        items: keys(scenario).min(MOST_KEYS),
        moves: router.moves,
        transfers: match router.transfers {
            Transfers::Unprotected => transfer::Transfers::Unprotected,
            Transfers::TwoPhaseCommit => transfer::Transfers::TwoPhaseCommit,
            Transfers::Saga => transfer::Transfers::Saga,
        },
        keyed: router.calls.idempotency,
        patience: router.patience,
        again: router.again,
        tries: router.tries,
    }
}
