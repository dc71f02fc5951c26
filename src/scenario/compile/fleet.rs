//! Fleets: what they can be of, and what their replicas and balancers have to know of them.

use super::names::{Cast, Member};
use crate::base::diagnostics::Diagnostics;
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::fleet::deploy::{DeploySettings, GateSettings};
use crate::protocol::fleet::duty::{DutySettings, VersionSettings};
use crate::protocol::fleet::{FleetSettings, ScaleSettings};
use crate::scenario::v1::Scenario;
use crate::scenario::v1::fleet::{Deploy, Fleet, Scale, Version};
use crate::scenario::v1::node::{Balancer, Node};
use std::collections::BTreeMap;

/// A fleet looks no more often than that.
const SHORTEST: Span = Span::millis(10);
/// Looks that a fleet remembers.
const MOST_LOOKS: u64 = 10_000;

/// Every fleet is of a service of its own, behind balancers that hear who serves.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, node) in scenario.nodes.iter() {
        let Node::Fleet(fleet) = node else { continue };
        let of = fleet.of.as_str();
        let path = |field: &str| format!("nodes.{name}.fleet.{field}");
        let Some(Node::Service(service)) = scenario.nodes.get(of) else {
            if !cast.find(of).is_empty() {
                let message = format!("`{of}` is no service as a whole");
                problems.error(path("of"), message, "name a service: all its replicas");
            }
            continue;
        };
        if let Some(other) = taken.insert(of, name) {
            let message = format!("`{other}` decides how many replicas of `{of}` run already");
            problems.error(path("of"), message, "leave one of the two out");
        }
        let most = service.replicas;
        let min = fleet.scale.as_ref().map(|scale| scale.min);
        for (field, number) in [("start", fleet.start), ("scale.min", min)] {
            if let Some(number) = number.filter(|&number| number > most) {
                let message = format!("{number} replicas of {most} cannot run");
                let remedy = format!("choose 1 to {most}, or more replicas of `{of}`");
                problems.error(path(field), message, remedy);
            }
        }
        rhythm(fleet, &path, problems);
        callers(of, &path, scenario, cast, problems);
    }
}

/// A fleet has time to hear its replicas, and a target it can reach.
fn rhythm(fleet: &Fleet, path: &dyn Fn(&str) -> String, problems: &mut Diagnostics) {
    if fleet.every < SHORTEST {
        let remedy = format!("choose at least {SHORTEST}");
        problems.error(path("every"), "is too short", remedy);
    }
    if fleet.patience >= fleet.every {
        let message = "it would look again before it has decided";
        problems.error(path("patience"), message, format!("choose less than {}", fleet.every));
    }
    if let Some(gate) = fleet.deploy.as_ref().and_then(|deploy| deploy.gate.as_ref())
        && gate.interval < SHORTEST
    {
        let remedy = format!("choose at least {SHORTEST}");
        problems.error(path("deploy.gate.interval"), "is too short", remedy);
    }
    let Some(scale) = &fleet.scale else { return };
    if scale.target == Chance::NEVER {
        let message = "no number of replicas keeps their workers idle";
        problems.error(path("scale.target"), message, "choose more than 0%, up to 100%");
    }
    for (field, span) in [("settle_up", scale.settle_up), ("settle_down", scale.settle_down)] {
        if span.0 > fleet.every.0.saturating_mul(MOST_LOOKS) {
            let message = format!("{span} are more than {MOST_LOOKS} looks");
            problems.error(path(&format!("scale.{field}")), message, "choose less");
        }
    }
}

/// Only balancers hear which replicas serve.
fn callers(
    of: &str,
    path: &dyn Fn(&str) -> String,
    scenario: &Scenario,
    cast: &Cast<'_>,
    problems: &mut Diagnostics,
) {
    let replicas = cast.find(of);
    let mut balanced = false;
    for (caller, node) in scenario.nodes.iter() {
        for (to, path) in super::graph::callees(caller, node) {
            if matches!(node, Node::Fleet(_)) || !cast.find(to).iter().any(|n| replicas.contains(n))
            {
                continue;
            }
            let whole = cast.find(to) == replicas;
            let spare = matches!(node, Node::Balancer(b) if b.to != to);
            if spare {
                let message =
                    format!("a fleet does not tell those who fall back on `{of}` who serves");
                problems.error(path, message, "name a balancer before it");
            } else if !matches!(node, Node::Balancer(_)) {
                let message = format!("`{caller}` would ask replicas of `{of}` that are off");
                let remedy = "put a balancer before it: a fleet tells balancers who serves";
                problems.error(path, message, remedy);
            } else if !whole {
                let message = format!("`{to}` is not all of `{of}`, of which a fleet decides");
                problems.error(path, message, format!("name `{of}`"));
            }
            balanced |= whole && !spare;
        }
    }
    if !balanced {
        let message = format!("nobody hands requests to `{of}`");
        problems.error(path("of"), message, "put a balancer before it and clients before that");
    }
}

/// The fleet that decides about a service, and its id.
fn fleet_of<'a>(
    group: &str,
    scenario: &'a Scenario,
    cast: &Cast<'_>,
) -> Option<(NodeId, &'a Fleet)> {
    let mut fleets = scenario.nodes.iter().filter_map(|(name, node)| match node {
        Node::Fleet(fleet) if fleet.of == group => Some((name, fleet)),
        _ => None,
    });
    let (name, fleet) = fleets.next()?;
    Some((cast.find(name).first().copied()?, fleet))
}

/// How many replicas run in the beginning.
fn start(fleet: &Fleet, replicas: usize) -> u32 {
    fleet.start.unwrap_or(replicas as u32)
}

/// The balancers before a fleet.
pub fn balancers(fleet: &Fleet, scenario: &Scenario, cast: &Cast<'_>) -> Vec<NodeId> {
    let before = |node: &Node| matches!(node, Node::Balancer(b) if b.to == fleet.of);
    let names = scenario.nodes.iter().filter(|(_, node)| before(node)).map(|(name, _)| name);
    names.flat_map(|name| cast.find(name)).collect()
}

/// How many backends a balancer may use in the beginning, if a fleet decides that.
pub fn first(balancer: &Balancer, scenario: &Scenario, cast: &Cast<'_>) -> Option<u32> {
    let (_, fleet) = fleet_of(&balancer.to, scenario, cast)?;
    Some(start(fleet, cast.find(&fleet.of).len()))
}

/// What a replica has to know, if a fleet decides about it.
pub fn duty(member: &Member<'_>, scenario: &Scenario, cast: &Cast<'_>) -> Option<DutySettings> {
    let (id, fleet) = fleet_of(member.group, scenario, cast)?;
    let mates = cast.find(member.group);
    let place = mates.iter().position(|mate| *mate == member.id)? as u32;
    Some(DutySettings {
        fleet: id,
        serves: place < start(fleet, mates.len()),
        start_up: fleet.start_up.compile(),
        drain: fleet.drain,
        next: fleet.deploy.as_ref().map(|deploy| version(&deploy.version, member)),
    })
}

/// The settings of a fleet.
pub fn fleet(fleet: &Fleet, scenario: &Scenario, cast: &Cast<'_>) -> FleetSettings {
    let replicas = cast.find(&fleet.of);
    FleetSettings {
        start: start(fleet, replicas.len()),
        replicas,
        balancers: balancers(fleet, scenario, cast),
        every: fleet.every,
        patience: fleet.patience,
        scale: fleet.scale.as_ref().map(scale),
        deploy: fleet.deploy.as_ref().map(deploy),
    }
}

fn version(version: &Version, member: &Member<'_>) -> VersionSettings {
    let time = match (&version.time, member.node) {
        (Some(time), _) => time.compile(),
        (None, Node::Service(service)) => service.time.compile(),
        (None, _) => Dist::ZERO,
    };
    VersionSettings { error: version.error, time, starts: version.starts }
}

fn deploy(deploy: &Deploy) -> DeploySettings {
    DeploySettings {
        at: Time(deploy.at.0),
        batch: deploy.batch,
        wait: deploy.wait,
        gate: deploy.gate.as_ref().map(|gate| GateSettings {
            interval: gate.interval,
            errors: gate.errors,
            deadline: gate.deadline,
        }),
    }
}

fn scale(scale: &Scale) -> ScaleSettings {
    ScaleSettings {
        min: scale.min,
        target: scale.target,
        tolerance: scale.tolerance,
        settle_up: scale.settle_up,
        settle_down: scale.settle_down,
    }
}
