//! A store without a leader asks for no more replicas than it has, and nobody asks it for what its
//! way of merging, or a store without a leader, cannot do.

use super::names::{Cast, Member};
use crate::base::diagnostics::Diagnostics;
use crate::base::order;
use crate::base::time::Span;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::node::{Call, Clients, Node, Op};
use crate::scenario::v1::router::{Router, Transfers};
use crate::scenario::v1::store::{Merge, Quorum};
use std::collections::BTreeSet;

/// Says what is impossible.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        match node {
            Node::Quorum(store) => sizes(name, store, problems),
            Node::Clients(clients) => wishes(name, clients, cast, problems),
            _ => {}
        }
    }
}

fn sizes(name: &str, store: &Quorum, problems: &mut Diagnostics) {
    let path = |field: &str| format!("nodes.{name}.quorum.{field}");
    let (replicas, copies) = (store.replicas, store.copies);
    if copies > replicas {
        let message = format!("there are no {copies} copies on {replicas} replicas");
        let remedy = format!("choose 1 to {replicas}, or more replicas");
        problems.error(path("copies"), message, remedy);
    }
    for (field, number) in [("read", store.read), ("write", store.write)] {
        if number > copies {
            let message = format!("{number} answers are needed of {copies} copies");
            let remedy = format!("choose 1 to {copies}, or more copies");
            problems.error(path(field), message, remedy);
        }
    }
    if store.sloppy && copies >= replicas {
        let message = "every replica holds every item, so nobody is left to stand in";
        let remedy = format!("choose false, or more than {copies} replicas");
        problems.error(path("sloppy"), message, remedy);
    }
    if store.timeout < Span::millis(1) {
        problems.error(path("timeout"), "is too short", "choose at least 1ms");
    }
    if store.anti_entropy.is_some_and(|every| every < Span::millis(10)) {
        problems.error(path("anti_entropy"), "is too often", "choose at least 10ms");
    }
}

/// The router before a store, if there is one: its name, and how it does transfers.
type Before<'a> = Option<(&'a str, Transfers)>;

/// Clients want only what the stores can do that their requests come to.
fn wishes(name: &str, clients: &Clients, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let mix = &clients.mix;
    let wishes = [
        ("write", mix.write, Wish::Write, Some(Op::Write)),
        ("charge", mix.charge, Wish::Count, Some(Op::Charge)),
        ("update", mix.update, Wish::Write, Some(Op::Update)),
        ("increment", mix.increment, Wish::Count, Some(Op::Increment)),
        ("insert", mix.insert, Wish::Members, Some(Op::Write)),
        ("remove", mix.remove, Wish::Members, Some(Op::Write)),
        ("transfer", mix.transfer, Wish::Transfer, None),
    ];
    for (field, _, wish, op) in wishes.into_iter().filter(|(_, weight, ..)| *weight > 0) {
        for (store, quorum, router) in reached(&clients.to, op, cast) {
            let Some(why) = why_not(wish, quorum.merge, router) else { continue };
            let remedy = match wish {
                Wish::Transfer => "leave it out, or choose a store with a leader",
                _ => "leave it out, or merge in another way",
            };
            let path = format!("nodes.{name}.clients.mix.{field}");
            problems.error(path, format!("`{store}` {why}"), remedy);
        }
    }
}

/// What clients want of a store, as far as it makes a difference here.
#[derive(Clone, Copy)]
enum Wish {
    /// Overwrite an item.
    Write,
    /// Add to it.
    Count,
    /// Put members into a set or take them out.
    Members,
    /// Change two items at once.
    Transfer,
}

/// Why a store without a leader cannot do something.
fn why_not(wish: Wish, merge: Merge, router: Before<'_>) -> Option<String> {
    let merges = |word| Some(format!("merges as `{word}`, which cannot do this"));
    match (wish, merge) {
        (Wish::Transfer, _) => Some(match router {
            Some((router, Transfers::TwoPhaseCommit)) => {
                format!("has no leader who could hold a lock for `{router}`")
            }
            Some((router, Transfers::Saga)) => {
                format!("has no leader who would know a step again that `{router}` tries twice")
            }
            Some((_, Transfers::Unprotected)) | None => {
                "has no leader who could change two items at once".to_owned()
            }
        }),
        (Wish::Count | Wish::Members, Merge::Siblings) => merges("siblings"),
        (Wish::Write | Wish::Members, Merge::Counter) => merges("counter"),
        (Wish::Write | Wish::Count, Merge::Set) => merges("set"),
        _ => None,
    }
}

/// The stores without a leader that an operation of clients comes to, by balancers, services and
/// routers that pass it on.
fn reached<'a>(
    to: &'a str,
    op: Option<Op>,
    cast: &Cast<'a>,
) -> Vec<(&'a str, &'a Quorum, Before<'a>)> {
    let passes = |call: &Call| call.op.is_none() && (call.only.is_none() || call.only == op);
    let (mut found, mut seen, mut ways) = (Vec::new(), BTreeSet::new(), vec![(to, None)]);
    while let Some((to, router)) = ways.pop() {
        for id in cast.find(to) {
            let Member { group, node, .. } = *cast.node(id);
            if !seen.insert((group, router.map(|(name, _)| name))) {
                continue;
            }
            match node {
                Node::Balancer(balancer) => ways.push((&balancer.to, router)),
                Node::Dns(dns) => ways.extend(dns.to.iter().map(|to| (to.as_str(), router))),
                Node::Cache(cache) => ways.push((&cache.to, router)),
                Node::Router(Router { shards, transfers, .. }) => {
                    let router = Some((group, *transfers));
                    ways.extend(shards.iter().map(|to| (to.as_str(), router)));
                }
                Node::Service(service) => {
                    let calls = service.calls.iter().filter(|(_, call)| passes(call));
                    ways.extend(calls.map(|(to, _)| (to, router)));
                }
                Node::Broker(broker) => ways.extend(broker.groups.names().map(|to| (to, router))),
                Node::Ledger(ledger) => {
                    ways.extend(ledger.outbox.iter().map(|outbox| (outbox.to.as_str(), router)));
                }
                Node::Quorum(store) => found.push((group, store, router)),
                Node::Clients(_)
                | Node::PrimaryReplica(_)
                | Node::Raft(_)
                | Node::Backup(_)
                | Node::Fleet(_) => {}
            }
        }
    }
    order::by_key(&mut found, |(store, ..)| *store);
    found
}

#[cfg(test)]
mod tests {
    use super::super::compile;
    use crate::scenario::read;
    use serde_json::{Value, json};

    fn problems(store: Value, mix: Value) -> Vec<String> {
        let scenario = json!({ "nodes": {
            "people": { "clients": { "count": 1, "to": "db", "mix": mix } },
            "db": { "quorum": store },
        } });
        found(scenario)
    }

    fn found(scenario: Value) -> Vec<String> {
        let scenario = read::value(scenario).unwrap_or_else(|problems| panic!("{problems}"));
        let problems = compile(&scenario).err().unwrap_or_default().problems;
        problems.iter().map(|p| format!("{}: {} ({})", p.path, p.message, p.remedy)).collect()
    }

    #[test]
    fn no_quorum_is_larger_than_what_it_is_of() {
        let reads = json!({ "read": 1 });
        assert_eq!(problems(json!({}), reads.clone()), [""; 0]);
        let sizes = json!({ "copies": 2, "read": 3, "write": 4, "replicas": 4 });
        let says = [
            "nodes.db.quorum.read: 3 answers are needed of 2 copies \
             (choose 1 to 2, or more copies)",
            "nodes.db.quorum.write: 4 answers are needed of 2 copies \
             (choose 1 to 2, or more copies)",
        ];
        assert_eq!(problems(sizes, reads.clone()), says);
        let copies = json!({ "copies": 5 });
        let says = "nodes.db.quorum.copies: there are no 5 copies on 3 replicas \
                    (choose 1 to 3, or more replicas)";
        assert_eq!(problems(copies, reads.clone()), [says]);
        let sloppy = json!({ "sloppy": true });
        let says = "nodes.db.quorum.sloppy: every replica holds every item, so nobody is left to \
                    stand in (choose false, or more than 3 replicas)";
        assert_eq!(problems(sloppy, reads.clone()), [says]);
        let hasty = json!({ "timeout": "0s", "anti_entropy": "1ms" });
        let says = [
            "nodes.db.quorum.timeout: is too short (choose at least 1ms)",
            "nodes.db.quorum.anti_entropy: is too often (choose at least 10ms)",
        ];
        assert_eq!(problems(hasty, reads), says);
    }

    #[test]
    fn nobody_wants_what_a_merge_cannot_do() {
        let says = |merge: &str, field: &str| {
            format!(
                "nodes.people.clients.mix.{field}: `db` merges as `{merge}`, which cannot do this \
                 (leave it out, or merge in another way)"
            )
        };
        let mix = json!({
            "read": 1, "write": 1, "charge": 1, "update": 1, "increment": 1, "insert": 1,
            "remove": 1,
        });
        let found = |merge: &str| problems(json!({ "merge": merge }), mix.clone());
        let all = |merge: &str, fields: [&str; 4]| fields.map(|field| says(merge, field));
        let siblings = all("siblings", ["charge", "increment", "insert", "remove"]);
        assert_eq!(found("siblings"), siblings);
        assert_eq!(found("counter"), all("counter", ["write", "update", "insert", "remove"]));
        assert_eq!(found("set"), all("set", ["write", "charge", "update", "increment"]));
        assert_eq!(found("last_writer_wins"), [""; 0]);
    }

    /// The problems of a wish that comes to a counter and to siblings by a balancer, a service and
    /// a router.
    fn behind(mix: Value, router: Value) -> Vec<String> {
        let scenario = json!({ "nodes": {
            "people": { "clients": { "count": 1, "to": "lb", "mix": mix } },
            "lb": { "balancer": { "to": "api" } },
            "api": { "service": { "calls": {
                "front": {}, "log": { "op": "write" }, "cache": { "only": "read" },
            } } },
            "front": { "router": router },
            "counts": { "quorum": { "merge": "counter" } },
            "carts": { "quorum": { "merge": "siblings" } },
            "log": { "quorum": { "merge": "last_writer_wins" } },
            "cache": { "quorum": { "merge": "siblings" } },
        } });
        found(scenario)
    }

    #[test]
    fn what_no_shard_without_a_leader_can_do_is_refused_where_clients_wish_it() {
        let router = |how: &str| json!({ "shards": ["carts", "counts"], "transfers": how });
        let says = |field: &str, why: &str, remedy: &str| {
            format!("nodes.people.clients.mix.{field}: {why} (leave it out, or {remedy})")
        };
        let merges = |field: &str, store: &str, merge: &str| {
            let why = format!("`{store}` merges as `{merge}`, which cannot do this");
            says(field, &why, "merge in another way")
        };
        let all = json!({ "read": 1, "scan": 1, "write": 1, "increment": 1 });
        assert_eq!(
            behind(all, router("saga")),
            [merges("write", "counts", "counter"), merges("increment", "carts", "siblings")]
        );
        for (how, why) in [
            ("two_phase_commit", "could hold a lock for `front`"),
            ("saga", "would know a step again that `front` tries twice"),
            ("unprotected", "could change two items at once"),
        ] {
            let of = |store: &str| {
                let why = format!("`{store}` has no leader who {why}");
                says("transfer", &why, "choose a store with a leader")
            };
            let found = behind(json!({ "transfer": 1 }), router(how));
            assert_eq!(found, [of("carts"), of("counts")], "{how}");
        }
        let reads = behind(json!({ "read": 1, "scan": 1 }), router("two_phase_commit"));
        assert_eq!(reads, [""; 0], "a router that nobody asks for transfers");
    }
}
