//! Caches: what makes no sense, and their settings.

use super::names::Cast;
use super::node::{calls, station};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Span;
use crate::base::unit::Chance;
use crate::protocol::cache::contents;
use crate::protocol::cache::{self, CacheSettings};
use crate::protocol::caller::CallSettings;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::cache::{Cache, Evict, Writes};
use crate::scenario::v1::calling::Reads;
use crate::scenario::v1::node::{Clients, Node};
use std::collections::BTreeSet;

/// Entries can be kept as long as it says, and what is written later is written somewhere.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        let Node::Cache(cache) = node else { continue };
        let path = |field: &str| format!("nodes.{name}.cache.{field}");
        if cache.ttl == Some(Span::ZERO) {
            let remedy = "choose a length such as 10s, or none to keep entries for ever";
            problems.error(path("ttl"), "is no time at all: nothing would be kept", remedy);
        }
        if cache.jitter > Chance::ALWAYS {
            let message = format!("{} is more than all of the time", cache.jitter);
            problems.error(path("jitter"), message, "choose at most 100%");
        }
        for (field, set) in [
            ("refresh_early", cache.refresh_early.is_some()),
            ("stale_while_error", cache.stale_while_error.is_some()),
        ] {
            if set && cache.ttl.is_none() {
                let message = "is about the end of an entry's time, and entries are kept for ever";
                problems.error(path(field), message, "set `ttl`, or leave this out");
            }
        }
        if cache.writes != Writes::Behind {
            continue;
        }
        if cache.delay < Span::millis(1) {
            let message = format!("{} is too short", cache.delay);
            problems.error(path("delay"), message, "choose at least 1ms");
        }
        if let Some(store) = accounts(&cache.to, cast) {
            let message = format!("`{store}` holds accounts: what is written there cannot be read");
            let remedy = "put the cache before another kind of store, or choose other `writes`";
            problems.error(path("writes"), message, remedy);
        }
    }
}

/// A ledger that requests to `to` can come to.
fn accounts<'a>(to: &'a str, cast: &Cast<'a>) -> Option<&'a str> {
    let mut found = None;
    walk(to, cast, &mut |group, node| {
        if matches!(node, Node::Ledger(_)) {
            found.get_or_insert(group);
        }
    });
    found
}

/// True if a request to `to` can come to a cache.
fn cached(to: &str, cast: &Cast<'_>) -> bool {
    let mut found = false;
    walk(to, cast, &mut |_, node| found |= matches!(node, Node::Cache(_)));
    found
}

/// Everything that a request to `to` can come to.
fn walk<'a>(to: &'a str, cast: &Cast<'a>, see: &mut dyn FnMut(&'a str, &'a Node)) {
    let (mut seen, mut ways) = (BTreeSet::new(), vec![to]);
    while let Some(to) = ways.pop() {
        for id in cast.find(to) {
            let member = cast.node(id);
            if !seen.insert(member.group) {
                continue;
            }
            see(member.group, member.node);
            match member.node {
                Node::Balancer(balancer) => ways.push(&balancer.to),
                Node::Cache(cache) => ways.push(&cache.to),
                Node::Router(router) => ways.extend(router.shards.iter().map(String::as_str)),
                Node::Service(service) => ways.extend(service.calls.names()),
                Node::Dns(dns) => ways.extend(dns.to.iter().map(String::as_str)),
                Node::Clients(_)
                | Node::Ledger(_)
                | Node::PrimaryReplica(_)
                | Node::Raft(_)
                | Node::Quorum(_)
                | Node::Backup(_)
                | Node::Fleet(_)
                // It answers by itself, before anybody has the message.
                | Node::Broker(_) => {}
            }
        }
    }
}

/// Whether clients remember what they have seen, to see nothing older.
pub fn sessions(clients: &Clients, own: &CallSettings, cast: &Cast<'_>) -> bool {
    clients.reads == Reads::Session && (own.reads.is_some() || cached(&clients.to, cast))
}

/// The settings of a cache.
pub fn cache(cache: &Cache, cast: &Cast<'_>) -> CacheSettings {
    CacheSettings {
        station: station(&cache.station()),
        // Keys of those in front are passed on.
        calls: CallSettings { idempotency: true, ..calls(&cache.caller(), &cache.to, cast) },
        keyed: cache.idempotency,
        capacity: cache.capacity,
        evict: match cache.evict {
            Evict::Lru => contents::Evict::Lru,
            Evict::Lfu => contents::Evict::Lfu,
        },
        ttl: cache.ttl,
        jitter: cache.jitter,
        writes: match cache.writes {
            Writes::Around => cache::Writes::Around,
            Writes::Invalidate => cache::Writes::Invalidate,
            Writes::Through => cache::Writes::Through,
            Writes::Behind => cache::Writes::Behind,
        },
        delay: cache.delay,
        coalesce: cache.coalesce,
        leases: cache.leases,
        early: cache.refresh_early,
        stale: cache.stale_while_error,
    }
}
