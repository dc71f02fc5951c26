//! Brokers and outboxes: that there is somebody who gets the messages, and time to work on them.

use super::names::Cast;
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Span;
use crate::protocol::broker::BrokerSettings;
use crate::protocol::broker::group::GroupSettings;
use crate::protocol::caller::CallSettings;
use crate::protocol::policy::timeout::TimeoutSettings;
use crate::protocol::store::outbox::OutboxSettings;
use crate::scenario::v1::broker::{Broker, Group};
use crate::scenario::v1::node::Node;
use crate::scenario::v1::store::Outbox;
use crate::scenario::v1::{Check, Scenario};

/// Groups of one broker, at most.
const MOST_GROUPS: usize = 64;

/// Every broker has consumers, every outbox a broker, and what is compared can be.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        match node {
            Node::Broker(broker) => groups(name, broker, problems),
            Node::Ledger(ledger) => {
                if let Some(outbox) = &ledger.outbox {
                    relay(name, outbox, cast, problems);
                }
            }
            _ => {}
        }
    }
    for (n, check) in scenario.checks.iter().enumerate() {
        match check {
            Check::InStep(check) => {
                let path = |field: &str| format!("checks.{n}.in_step.{field}");
                for (field, name) in [("of", &check.of), ("with", &check.with)] {
                    store(name, &path(field), cast, problems);
                }
                if check.of == check.with && !check.of.is_empty() {
                    let message = format!("`{}` is always in step with itself", check.with);
                    problems.error(path("with"), message, "name another store");
                }
            }
            Check::Processed(_) => {
                let any = scenario.nodes.iter().any(|(_, node)| matches!(node, Node::Broker(_)));
                if !any {
                    let path = format!("checks.{n}.processed");
                    problems.error(path, "there is no broker", "add one, or leave this check out");
                }
            }
            _ => {}
        }
    }
}

fn groups(name: &str, broker: &Broker, problems: &mut Diagnostics) {
    let path = format!("nodes.{name}.broker.groups");
    let count = broker.groups.iter().count();
    if count == 0 {
        let remedy = "name a consumer: a service, a balancer or a store";
        problems.error(&path, "nobody gets the messages", remedy);
    }
    if count > MOST_GROUPS {
        let remedy = format!("{MOST_GROUPS} groups is the limit");
        problems.error(&path, format!("there are {count} groups of consumers"), remedy);
    }
    for (to, group) in broker.groups.iter() {
        if group.visibility == Span::ZERO {
            let message = "is no time at all: nobody could finish before others get the message";
            let remedy = "choose longer than the work for a message takes";
            problems.error(format!("{path}.{to}.visibility"), message, remedy);
        }
        if group.redrive == Some(Span::ZERO) {
            let message = "dead letters would be back in the queue at once";
            let remedy = "choose at least 1ms, or none";
            problems.error(format!("{path}.{to}.redrive"), message, remedy);
        }
    }
    if broker.keep == Some(Span::ZERO) {
        let message = "messages would be dropped at once";
        let remedy = "choose longer than the work for a message takes, or none";
        problems.error(format!("nodes.{name}.broker.keep"), message, remedy);
    }
}

fn relay(name: &str, outbox: &Outbox, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let path = |field: &str| format!("nodes.{name}.ledger.outbox.{field}");
    let found = cast.find(&outbox.to);
    if found.iter().any(|id| !matches!(cast.node(*id).node, Node::Broker(_))) {
        let message = format!("`{}` is no broker", outbox.to);
        problems.error(path("to"), message, "name a broker");
    }
    for (field, span) in [("every", outbox.every), ("timeout", outbox.timeout)] {
        if span < Span::millis(1) {
            problems.error(path(field), "is too short", "choose at least 1ms");
        }
    }
}

/// Changes of a request can be found in a store only.
fn store(name: &str, path: &str, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let is_store = |node: &Node| {
        matches!(node, Node::Ledger(_) | Node::PrimaryReplica(_) | Node::Raft(_) | Node::Quorum(_))
    };
    let found = cast.known(name, path, problems);
    if found.iter().any(|id| !is_store(cast.node(*id).node)) {
        problems.error(path, format!("`{name}` is no store"), "name a store");
    }
}

/// The settings of a broker.
pub fn broker(broker: &Broker, cast: &Cast<'_>) -> BrokerSettings {
    BrokerSettings {
        groups: broker.groups.iter().take(MOST_GROUPS).map(|(to, g)| group(to, g, cast)).collect(),
        sync: broker.sync,
        idempotency: broker.idempotency,
        capacity: broker.capacity.unwrap_or(u32::MAX),
        keep: broker.keep,
    }
}

fn group(to: &str, group: &Group, cast: &Cast<'_>) -> GroupSettings {
    GroupSettings {
        targets: cast.find(to),
        in_flight: group.in_flight,
        visibility: group.visibility,
        attempts: group.attempts,
        backoff: group.backoff,
        factor: group.factor,
        cap: group.cap,
        ordered: group.ordered,
        redrive: group.redrive,
    }
}

/// The settings of an outbox.
pub fn outbox(outbox: &Outbox, cast: &Cast<'_>) -> OutboxSettings {
    let calls = CallSettings {
        targets: cast.find(&outbox.to),
        timeout: TimeoutSettings { attempt: Some(outbox.timeout), deadline: None },
        idempotency: true,
        ..CallSettings::default()
    };
    OutboxSettings { calls, every: outbox.every, batch: outbox.batch }
}
