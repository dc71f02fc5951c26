//! From a scenario to a plan of nodes and links with numbers, and from the plan to a world. All
//! mistakes are found in one go, each with its path and what to do about it.

#[cfg(test)]
mod backup_tests;
mod backups;
mod breaker;
mod breaks;
mod broker;
#[cfg(test)]
mod broker_tests;
mod cache;
mod domains;
mod fault;
mod fleet;
#[cfg(test)]
mod fleet_tests;
mod graph;
mod names;
mod node;
mod policy;
mod quorums;
pub mod remarks;
mod set;
mod shards;
pub mod whole;

use super::v1::breaker::Breaker;
use super::v1::node::{Clients, Load, Node};
use super::v1::wire::Wire;
use super::v1::wire::walk::Walk;
use super::v1::{self, Scenario};
use crate::base::diagnostics::Diagnostics;
use crate::base::domain::Domains;
use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::protocol::load::Surge;
use crate::protocol::{Role, Settings};
use crate::sim::disk::DiskSettings;
use crate::sim::fault::Planned;
use crate::sim::network::LinkSettings;
use crate::sim::world::World;
use serde_json::Value;

/// Nodes a scenario may have, replicas counted.
pub const MOST_NODES: usize = 500;
/// Clients a scenario may have in all.
pub const MOST_CLIENTS: u64 = 2_000_000;
/// Clients that may have policies of their own.
pub const MOST_GUARDED: u64 = 200_000;
/// Requests per second that all clients may want together.
pub const MOST_RATE: f64 = 5_000_000.0;
/// Links a scenario may have, each direction counted.
pub const MOST_LINKS: usize = 20_000;
/// Links that may be named, each as often as it is, in the list of links or by faults.
pub const MOST_NAMED: usize = 100_000;
/// Mistakes that are told at once.
pub const MOST_PROBLEMS: usize = 100;
/// Faults a scenario may have, one for each node they concern.
pub const MOST_FAULTS: usize = 1_000;

/// Results or buckets that all breakers together may remember.
pub const MOST_CELLS: u64 = 5_000_000;
/// Points a profile of load may have.
pub const MOST_POINTS: usize = 1_000;

/// What a run is, in numbers. Two plans of the same scenario are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Chooses all random draws.
    pub seed: u64,
    /// How long the run is.
    pub duration: Span,
    /// By id.
    pub nodes: Vec<PlannedNode>,
    /// By id, one for each direction.
    pub links: Vec<PlannedLink>,
    /// Where what runs.
    pub domains: Domains,
    /// What will go wrong.
    pub faults: Vec<Planned>,
    /// When which clients will want more than usual.
    pub surges: Vec<(NodeId, Surge)>,
    /// What should hold.
    pub checks: Vec<v1::Check>,
}

/// A node that will be.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedNode {
    /// Its id in the world.
    pub id: NodeId,
    /// Its name: `api-2`.
    pub name: String,
    /// The name in the scenario it comes from: `api`.
    pub group: String,
    /// What it does.
    pub settings: Settings,
    /// Its disk.
    pub disk: DiskSettings,
    /// Where it stands in the unit square, if somebody said so.
    pub place: Option<(f64, f64)>,
}

/// A link that will be.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedLink {
    /// Where messages enter.
    pub source: NodeId,
    /// Where they leave.
    pub target: NodeId,
    /// What it is like.
    pub settings: LinkSettings,
}

/// The plan of a scenario, or everything that is wrong with it.
pub fn compile(scenario: &Scenario) -> Result<Plan, Diagnostics> {
    let mut problems = Diagnostics::default();
    scenario.examine(&mut Walk::new("", &mut problems));
    if scenario.duration == Span::ZERO {
        problems.error("duration", "the run takes no time", "choose a length such as 60s");
    }
    let cast = names::Cast::new(scenario, &mut problems);
    if cast.nodes.len() >= MOST_NODES && problems.has_errors() {
        return Err(problems);
    }
    graph::check(scenario, &cast, &mut problems);
    shards::check(scenario, &cast, &mut problems);
    cache::check(scenario, &cast, &mut problems);
    backups::check(scenario, &cast, &mut problems);
    broker::check(scenario, &cast, &mut problems);
    fleet::check(scenario, &cast, &mut problems);
    load(scenario, &mut problems);
    memory(scenario, &mut problems);
    let nodes = cast.nodes.iter().map(|planned| node::compile(planned, scenario, &cast)).collect();
    let links = graph::links(scenario, &cast, &mut problems);
    let (faults, surges) = fault::compile(scenario, &cast, &links, &mut problems);
    if problems.has_errors() {
        problems.problems.truncate(MOST_PROBLEMS);
        return Err(problems);
    }
    let (seed, duration, checks) = (scenario.seed, scenario.duration, scenario.checks.clone());
    let domains = cast.domains;
    Ok(Plan { seed, duration, nodes, links, domains, faults, surges, checks })
}

/// One change to a scenario, by path: `people.retry.attempts`, `api.queue`, `lb~api.loss`, `seed`.
/// Gives the new plan; a refused change leaves the scenario as it was. Commands, forms, one-click
/// changes and links all come through here, so a refusal has the same words everywhere.
///
/// A path may leave out what goes without saying: `nodes.`, and the name of the chosen variant
/// (`api.queue` for `nodes.api.service.queue`). A value that is text may be a number, a word, a
/// quantity, a list with commas, `none`, or `default`.
pub fn set(scenario: &mut Scenario, path: &str, value: &Value) -> Result<Plan, Diagnostics> {
    let mut changed = scenario.clone();
    set::change(&mut changed, path, value)?;
    let plan = compile(&changed)?;
    *scenario = changed;
    Ok(plan)
}

/// The same without asking whether the scenario still makes sense.
pub fn change(scenario: &mut Scenario, path: &str, value: &Value) -> Result<(), Diagnostics> {
    set::change(scenario, path, value)
}

/// The number of clients and what they want together has limits.
fn load(scenario: &Scenario, problems: &mut Diagnostics) {
    let (mut clients, mut guarded, mut rate) = (0, 0, 0.0);
    for (name, node) in scenario.nodes.iter() {
        let Node::Clients(settings) = node else { continue };
        clients += u64::from(settings.count);
        if settings.own_policies && node::is_guarded(&settings.caller()) {
            guarded += u64::from(settings.count);
        }
        check_profile(name, settings, problems);
        let surges = scenario.faults.iter().filter_map(|f| f.surge.as_ref());
        let surge: f64 = surges.filter(|s| s.node == name).map(|s| s.factor.max(1.0)).product();
        rate += node::offered(settings) * surge.max(1.0);
    }
    if clients > MOST_CLIENTS {
        let message = format!("there are {clients} clients");
        problems.error("nodes", message, format!("{MOST_CLIENTS} clients in all is the limit"));
    }
    if guarded > MOST_GUARDED {
        problems.error(
            "nodes",
            format!("{guarded} clients have policies of their own"),
            format!("{MOST_GUARDED} is the limit; set own_policies to false to share one"),
        );
    }
    if rate > MOST_RATE {
        problems.error(
            "nodes",
            format!("the clients want {rate:.0} requests per second"),
            format!("{MOST_RATE:.0} per second in all is the limit"),
        );
    }
}

/// What all breakers together remember has a limit.
fn memory(scenario: &Scenario, problems: &mut Diagnostics) {
    let cells = |breaker: Option<&Breaker>| breaker.map_or(0, breaker::cells);
    let of = |node: &Node| match node {
        Node::Clients(c) if c.own_policies => u64::from(c.count) * cells(c.breaker.as_ref()),
        Node::Clients(c) => cells(c.breaker.as_ref()),
        Node::Service(s) => {
            let calls = s.calls.iter().map(|(_, call)| cells(call.breaker.as_ref()));
            u64::from(s.replicas) * calls.sum::<u64>()
        }
        Node::Router(r) => r.shards.len() as u64 * cells(r.calls.breaker.as_ref()),
        Node::Cache(c) => u64::from(c.replicas) * cells(c.breaker.as_ref()),
        Node::Balancer(_)
        | Node::Dns(_)
        | Node::Broker(_)
        | Node::Ledger(_)
        | Node::PrimaryReplica(_)
        | Node::Raft(_)
        | Node::Quorum(_)
        | Node::Backup(_)
        | Node::Fleet(_) => 0,
    };
    let total: u64 = scenario.nodes.iter().map(|(_, node)| of(node)).sum();
    if total > MOST_CELLS {
        problems.error(
            "nodes",
            format!("the breakers remember {total} results in all"),
            format!("{MOST_CELLS} is the limit; make windows shorter or buckets wider"),
        );
    }
}

fn check_profile(name: &str, clients: &Clients, problems: &mut Diagnostics) {
    let Load::Open(open) = &clients.load else { return };
    let path = format!("nodes.{name}.clients.load.open.profile");
    if open.profile.len() > MOST_POINTS {
        let message = format!("the profile has {} points", open.profile.len());
        problems.error(&path, message, format!("{MOST_POINTS} points is the limit"));
    }
    if open.profile.windows(2).any(|pair| pair[0].0 > pair[1].0) {
        problems.error(&path, "the profile goes back in time", "sort the points by instant");
    }
    if let Some((_, factor)) = open.profile.iter().find(|(_, f)| !(0.0..=1_000.0).contains(f)) {
        let message = format!("a factor of {factor} is outside its limits");
        problems.error(&path, message, "choose a number from 0 to 1000");
    }
}

impl Plan {
    /// The world of this plan, at its first instant: every process has begun.
    pub fn world(&self) -> World<Role> {
        let mut world = World::new(self.seed);
        for node in &self.nodes {
            let mut role = Role::new(&node.settings, self.seed, node.id);
            if let Role::Clients(population) = &mut role {
                let own = self.surges.iter().filter(|(id, _)| *id == node.id);
                population.surges.extend(own.map(|(_, surge)| *surge));
            }
            world.add_node(role, node.disk.clone());
        }
        for link in &self.links {
            world.add_link(link.source, link.target, link.settings.clone());
        }
        for fault in &self.faults {
            world.plan(fault.clone());
        }
        world.start();
        world
    }

    /// The nodes that a name stands for: a node, a group, several by `name*`, or a domain.
    pub fn find(&self, name: &str) -> Vec<NodeId> {
        if let Some(domain) = self.domains.find(name) {
            return domain.nodes.clone();
        }
        let own = |n: &PlannedNode| names::stands_for(name, &n.name, &n.group);
        self.nodes.iter().filter(|n| own(n)).map(|n| n.id).collect()
    }

    /// The same of what can be crashed or slowed: the people near a domain are not in it.
    pub fn find_breakable(&self, name: &str) -> Vec<NodeId> {
        let mut nodes = self.find(name);
        if self.domains.find(name).is_some() {
            let asks =
                |id: &NodeId| matches!(self.nodes[id.index()].settings, Settings::Clients(_));
            nodes.retain(|id| !asks(id));
        }
        nodes
    }

    /// The directions that `a~b` or `a~~b` stands for.
    pub fn find_links(&self, name: &str) -> Vec<(NodeId, NodeId)> {
        let Some((one, other, both)) = names::ends(name) else { return Vec::new() };
        let (one, other) = (self.find(one), self.find(other));
        let meant = |l: &&PlannedLink| {
            (one.contains(&l.source) && other.contains(&l.target))
                || (both && one.contains(&l.target) && other.contains(&l.source))
        };
        self.links.iter().filter(meant).map(|l| (l.source, l.target)).collect()
    }

    /// The name of a node.
    pub fn name(&self, id: NodeId) -> &str {
        self.nodes.get(id.index()).map_or("", |n| n.name.as_str())
    }
}

// A browser has no proptest.
#[cfg(all(test, not(target_arch = "wasm32")))]
mod fuzz;
#[cfg(test)]
mod tests;
