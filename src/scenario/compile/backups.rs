//! Backups: what can be copied, where it can be brought back, and who may delete everything.

use super::names::Cast;
use crate::base::diagnostics::Diagnostics;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::Rate;
use crate::protocol::backup::library::Flaw;
use crate::protocol::backup::restoring::Order;
use crate::protocol::backup::{self, BackupSettings};
use crate::protocol::store::image::Upkeep;
use crate::scenario::v1::backup::{Backup, How};
use crate::scenario::v1::node::Node;
use crate::scenario::v1::{Check, Scenario};

/// Restores that can be ordered of one backup, at most.
const MOST_RESTORES: usize = 100;
/// Anything on a schedule comes no more often.
const LEAST: Span = Span::millis(10);

/// Every backup copies a store that has one line of changes, into another such store or back.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    deletions(scenario, cast, problems);
    for (name, node) in scenario.nodes.iter() {
        let Node::Backup(backup) = node else { continue };
        let path = |field: &str| format!("nodes.{name}.backup.{field}");
        store(scenario, cast, &backup.of, &path("of"), "copied", problems);
        for (n, restore) in backup.restores.iter().enumerate() {
            let path = path(&format!("restores.{n}.into"));
            store(scenario, cast, &restore.into, &path, "restored", problems);
        }
        if backup.restores.len() > MOST_RESTORES {
            let message = format!("there are {} restores", backup.restores.len());
            problems.error(path("restores"), message, format!("{MOST_RESTORES} is the limit"));
        }
        if let Some(plan) = &backup.plan {
            store(scenario, cast, &plan.into, &path("plan.into"), "restored", problems);
            if plan.into == backup.of {
                let message = format!("`{}` is what is gone when the plan begins", plan.into);
                problems.error(path("plan.into"), message, "name another store");
            }
            if asked(scenario, &plan.into).any(|who| !is_spare(scenario, who, &plan.into)) {
                let message = format!("`{}` serves nothing until it is restored", plan.into);
                let remedy = "let a balancer have it as its `fallback`, and nobody else ask it";
                problems.error(path("plan.into"), message, remedy);
            }
        }
        let tests = backup.tests.as_ref().map(|tests| tests.every);
        let spans = [("every", Some(backup.every)), ("logs", backup.logs), ("tests.every", tests)];
        for (field, span) in spans {
            if span.is_some_and(|span| span < LEAST) {
                problems.error(path(field), "is too short", format!("choose at least {LEAST}"));
            }
        }
        let rates =
            [("throughput", backup.throughput), ("restore_throughput", backup.restore_throughput)];
        for (field, rate) in rates {
            if rate < Rate(1_000_000) {
                problems.error(path(field), format!("{rate} is too slow"), "choose at least 1/s");
            }
        }
    }
}

/// A name must be that of a store that can be copied or restored.
fn store(
    scenario: &Scenario,
    cast: &Cast<'_>,
    name: &str,
    path: &str,
    done: &str,
    problems: &mut Diagnostics,
) {
    match scenario.nodes.get(name) {
        Some(Node::Ledger(_) | Node::PrimaryReplica(_) | Node::Raft(_)) => {}
        Some(Node::Quorum(_)) => {
            let message = format!("`{name}` has no leader: its replicas share no line of changes");
            let remedy = "name a ledger, a primary_replica or a raft";
            problems.error(path, message, remedy);
        }
        // An unknown name is told of where links are made.
        _ if cast.find(name).is_empty() => {}
        _ => {
            let message = format!("`{name}` is no store and cannot be {done}");
            problems.error(path, message, "name a store: all its replicas are meant");
        }
    }
}

/// Who sends requests to a store.
fn asked<'a>(scenario: &'a Scenario, store: &'a str) -> impl Iterator<Item = &'a str> {
    let asks = move |node: &Node| match node {
        Node::Clients(c) => c.to == store,
        Node::Balancer(b) => b.to == store || b.fallback.as_deref() == Some(store),
        Node::Service(s) => s.calls.names().any(|to| to == store),
        Node::Router(r) => r.shards.iter().any(|to| to == store),
        _ => false,
    };
    scenario.nodes.iter().filter(move |(_, node)| asks(node)).map(|(name, _)| name)
}

fn is_spare(scenario: &Scenario, who: &str, store: &str) -> bool {
    matches!(scenario.nodes.get(who), Some(Node::Balancer(b)) if b.to != store)
}

/// Who deletes everything does so in one store, of which no check follows single items.
fn deletions(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let mut erases = false;
    for (name, node) in scenario.nodes.iter() {
        let Node::Clients(clients) = node else { continue };
        let fields = [("erase", clients.mix.erase), ("corrupt", clients.mix.corrupt)];
        let Some((field, _)) = fields.iter().find(|(_, weight)| *weight > 0) else { continue };
        erases |= clients.mix.erase > 0;
        if let Some(other) = reached(scenario, cast, name) {
            let message = format!("these requests come to `{other}`, which knows nothing of them");
            let remedy = "send them to a ledger, a primary_replica or a raft";
            problems.error(format!("nodes.{name}.clients.mix.{field}"), message, remedy);
        }
    }
    for (n, check) in scenario.checks.iter().enumerate() {
        let field = match check {
            Check::Linearizable(_) => "linearizable",
            Check::Sequential(_) => "sequential",
            Check::FreshReads(_) => "fresh_reads",
            Check::ReadYourWrites(_) => "read_your_writes",
            Check::MonotonicReads(_) => "monotonic_reads",
            Check::MonotonicWrites(_) => "monotonic_writes",
            Check::WritesFollowReads(_) => "writes_follow_reads",
            _ => continue,
        };
        if erases {
            let message = "clients delete everything, and this follows single items";
            let remedy = "leave this check out, or `erase` out of the mix";
            problems.error(format!("checks.{n}.{field}"), message, remedy);
        }
    }
}

/// A router or store without a leader to which requests of a node come.
fn reached(scenario: &Scenario, cast: &Cast<'_>, from: &str) -> Option<String> {
    let (mut seen, mut next) = (Vec::new(), vec![from.to_owned()]);
    while let Some(name) = next.pop() {
        let Some(node) = scenario.nodes.get(&name) else { continue };
        if seen.contains(&name) {
            continue;
        }
        let to: Vec<&str> = match node {
            Node::Router(_) | Node::Quorum(_) => return Some(name),
            Node::Clients(c) => vec![&c.to],
            Node::Balancer(b) => {
                std::iter::once(b.to.as_str()).chain(b.fallback.as_deref()).collect()
            }
            Node::Service(s) => s.calls.names().collect(),
            _ => Vec::new(),
        };
        let groups = to.iter().flat_map(|to| cast.find(to)).map(|id| cast.node(id).group);
        next.extend(groups.map(str::to_owned));
        seen.push(name);
    }
    None
}

/// What backups need of a store.
pub fn upkeep(store: &str, scenario: &Scenario) -> Upkeep {
    let mut upkeep = Upkeep::default();
    for (_, node) in scenario.nodes.iter() {
        let Node::Backup(backup) = node else { continue };
        upkeep.journal |= backup.of == store && backup.logs.is_some();
        upkeep.closed |= backup.plan.as_ref().is_some_and(|plan| plan.into == store);
    }
    upkeep
}

/// The settings of a backup.
pub fn backup(backup: &Backup, cast: &Cast<'_>) -> BackupSettings {
    let time = |span: Span| Time(span.0);
    let into = |name: &String| -> Vec<NodeId> { cast.find(name) };
    BackupSettings {
        of: cast.find(&backup.of),
        first: backup.first,
        every: backup.every,
        full_every: backup.full_every,
        logs: backup.logs,
        throughput: backup.throughput,
        restore_throughput: backup.restore_throughput,
        keep: backup.keep,
        tests: backup.tests.as_ref().map(|tests| tests.every),
        repair: backup.tests.as_ref().and_then(|tests| tests.repair),
        fails: backup.fails.as_ref().map(|fails| {
            let flaw = match fails.how {
                How::Dead => Flaw::Dead,
                How::Corrupt => Flaw::Corrupt,
                How::KeyLost => Flaw::KeyLost,
                How::Schema => Flaw::Schema,
            };
            (time(fails.at), flaw)
        }),
        restores: backup
            .restores
            .iter()
            .take(MOST_RESTORES)
            .map(|r| (time(r.at), Order { into: into(&r.into), to: r.to.map(time) }))
            .collect(),
        plan: backup.plan.as_ref().map(|plan| backup::Plan {
            decision: plan.decision,
            into: into(&plan.into),
            start_up: plan.start_up,
        }),
    }
}
