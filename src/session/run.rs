//! A scenario at work. Cloning it is a snapshot of what is on screen.

use super::command::{Command, Timed};
use crate::base::diagnostics::Diagnostics;
use crate::base::id::{LinkId, NodeId};
use crate::base::order;
use crate::base::time::Time;
use crate::base::unit::Chance;
use crate::check::fresh::Bound;
use crate::check::in_step::Side;
use crate::check::{Checks, Property};
use crate::observe::cast::{Cast, targets_of};
use crate::observe::course::Course;
use crate::observe::picture;
use crate::protocol::cache::Writes;
use crate::protocol::client::Load;
use crate::protocol::{Role, Settings};
use crate::scenario::compile::{Plan, PlannedNode, compile, set};
use crate::scenario::v1::{self, Scenario};
use crate::sim::fault::Fault;
use crate::sim::trace::Level;

/// Above this many requests a second, only notes and losses are recorded.
const DETAILED_RATE: f64 = 20_000.0;

/// A run at an instant.
#[derive(Clone, Debug)]
pub struct Run {
    /// The scenario with every change that is in force.
    pub scenario: Scenario,
    /// What it was compiled to.
    pub plan: Plan,
    /// The world, and everything that follows it.
    pub course: Course,
    /// Up to when commands have been applied, with those of that very instant.
    pub(super) applied: Option<Time>,
}

impl Run {
    /// A scenario at its beginning, with the settings that were given from the start.
    ///
    /// # Errors
    /// Everything that is wrong with the scenario.
    pub fn new(scenario: Scenario) -> Result<Run, Diagnostics> {
        let plan = compile(&scenario)?;
        let mut world = plan.world();
        let names: Vec<_> = plan.nodes.iter().map(|n| (n.name.clone(), n.group.clone())).collect();
        let mut cast = Cast::new(&names, &world);
        cast.domains = plan.domains.clone();
        cast.stand_in_domains();
        for node in &plan.nodes {
            if let Some(place) = node.place {
                cast.members[node.id.index()].place = place;
            }
        }
        let detailed = offered(&plan) <= DETAILED_RATE;
        world.shared.trace.level = if detailed { Level::All } else { Level::Notes };
        let course = Course::new(world, cast, checks(&plan));
        Ok(Run { scenario, plan, course, applied: None })
    }

    /// The bytes of a snapshot, roughly.
    pub fn weight(&self) -> u64 {
        let clients = |role: &Role| match role {
            Role::Clients(p) => u64::from(p.settings.clients) * 40,
            Role::Balancer(_)
            | Role::Dns(_)
            | Role::Router(_)
            | Role::Cache(_)
            | Role::Broker(_)
            | Role::Service(_)
            | Role::Ledger(_)
            | Role::Replica(_)
            | Role::Raft(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => 0,
        };
        let held = |role: &Role| match role {
            Role::Cache(cache) => u64::from(cache.contents.len()) * 150,
            _ => 0,
        };
        let calls = |role: &Role| u64::from(picture::in_flight(role)) * 200;
        let nodes: u64 =
            self.course.world.processes.iter().map(|r| clients(r) + held(r) + calls(r)).sum();
        // Metrics, ledger and log are bounded; together they take about this.
        nodes + u64::from(self.course.world.shared.packets.len()) * 150 + (5 << 20)
    }

    /// Applies a command at this instant.
    ///
    /// # Errors
    /// What is wrong with a setting, or that it cannot be changed while the run goes on.
    pub fn apply(&mut self, command: &Command) -> Result<(), Diagnostics> {
        let world = &mut self.course.world;
        match command {
            Command::Kill(node) => drop(world.begin(Fault::Crash { node: *node }, None)),
            Command::Start(node) | Command::Resume(node) => world.recover(*node),
            Command::Pause(node) => drop(world.begin(Fault::Pause { node: *node }, None)),
            Command::Slow(node, factor) => {
                world.recover_slow(*node);
                if *factor != 1_000 {
                    world.begin(Fault::Slow { node: *node, factor: *factor }, None);
                }
            }
            Command::Clock { node, offset_us, drift_ppm } => {
                let (node, offset_us, drift_ppm) = (*node, *offset_us, *drift_ppm);
                world.recover_clock(node);
                if (offset_us, drift_ppm) != (0, 0) {
                    world.begin(Fault::Clock { node, offset_us, drift_ppm }, None);
                }
            }
            Command::Cut { source, target } => {
                world.begin(Fault::Cut { links: vec![(*source, *target)], hold: false }, None);
            }
            Command::Heal { source, target } => {
                if let Some(link) = world.shared.network.route(*source, *target) {
                    world.mend(link);
                }
            }
            Command::Partition(sides) => {
                world.begin(Fault::Partition { sides: sides.clone() }, None);
            }
            Command::HealAll => {
                let ids: Vec<_> = world.shared.active.iter().map(|a| a.id).collect();
                ids.into_iter().for_each(|id| world.heal(id));
            }
            Command::Gray { source, target, latency, loss } => {
                let (links, duplication) = (vec![(*source, *target)], Default::default());
                let (latency, loss) = (*latency, *loss);
                world.begin(Fault::Gray { links, latency, loss, duplication }, None);
            }
            Command::Surge { node, factor, lasts } => {
                let now = world.shared.now;
                self.course.checks.trouble(now, now + *lasts);
                let factor = f64::from(*factor) / 1_000.0;
                world.with(*node, |role, cx| {
                    if let Role::Clients(population) = role {
                        population.surge(factor, *lasts, cx);
                    }
                });
            }
            Command::Set { path, value } => self.set(path, value)?,
        }
        self.course.fold();
        Ok(())
    }

    /// Changes a setting of the running world.
    fn set(&mut self, path: &str, value: &serde_json::Value) -> Result<(), Diagnostics> {
        let mut scenario = self.scenario.clone();
        let plan = set(&mut scenario, path, value)?;
        if needs_restart(&self.plan, &plan) {
            let mut diagnostics = Diagnostics::default();
            let message = match pinned(&self.plan, &plan) {
                Some(store) => format!(
                    "keys would have to move, and nobody leads `{store}` who could hand over all \
                     that was written"
                ),
                None => "this cannot change while the run goes on".to_owned(),
            };
            diagnostics.error(path, message, "start again");
            return Err(diagnostics);
        }
        for (node, (old, new)) in (0..).zip(self.plan.nodes.iter().zip(&plan.nodes)) {
            if old.settings != new.settings {
                self.course.world.with(NodeId(node), |role, cx| role.configure(&new.settings, cx));
            }
        }
        for (link, (old, new)) in (0..).zip(self.plan.links.iter().zip(&plan.links)) {
            if old != new {
                self.course.world.set_link(LinkId(link), new.settings.clone());
            }
        }
        self.course.watch.configured(&self.course.world);
        self.course.checks.configure(&properties(&plan));
        self.scenario = scenario;
        self.plan = plan;
        Ok(())
    }

    /// True if `path` can be set to `value` without starting again.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn can_set(&self, path: &str, value: &serde_json::Value) -> Result<bool, Diagnostics> {
        let mut scenario = self.scenario.clone();
        let plan = set(&mut scenario, path, value)?;
        Ok(!needs_restart(&self.plan, &plan))
    }
}

/// A fresh run of `scenario` with `commands`, at `until`.
///
/// # Errors
/// What is wrong with the scenario or a command.
pub fn replay(
    scenario: Scenario,
    commands: &[Timed<Command>],
    until: Time,
) -> Result<Run, Diagnostics> {
    let mut run = Run::new(scenario)?;
    for command in commands.iter().filter(|c| c.at <= until) {
        run.course.advance(command.at, u64::MAX);
        run.apply(&command.what)?;
    }
    run.course.advance(until, u64::MAX);
    Ok(run)
}

/// Whether a change of plan concerns who there is, and not only what they are set to.
fn needs_restart(old: &Plan, new: &Plan) -> bool {
    let clients = |settings: &Settings| match settings {
        Settings::Clients(s) => {
            let arrivals = match &s.load {
                Load::Open { arrivals, .. } => Some(*arrivals),
                Load::Closed { .. } => None,
            };
            Some((s.clients, s.intents, arrivals))
        }
        Settings::Balancer(_)
        | Settings::Dns(_)
        | Settings::Router(_)
        | Settings::Cache(_)
        | Settings::Broker(_)
        | Settings::Service(_)
        | Settings::Ledger(_)
        | Settings::Replica(_)
        | Settings::Raft(_)
        | Settings::Quorum(_)
        | Settings::Backup(_)
        | Settings::Fleet(_) => None,
    };
    let cast = |plan: &Plan| -> Vec<_> {
        let nodes = plan.nodes.iter();
        // A node of another kind is another node, whatever it is called.
        let kind = |n: &PlannedNode| std::mem::discriminant(&n.settings);
        nodes.map(|n| (n.name.clone(), kind(n), clients(&n.settings), n.disk.clone())).collect()
    };
    // What a shard holds stays with it, so another shard in its place is another world.
    let shards = |plan: &Plan| -> Vec<_> {
        let of = |settings: &Settings| match settings {
            Settings::Router(s) => s.shards.iter().map(|c| c.targets.clone()).collect(),
            _ => Vec::new(),
        };
        plan.nodes.iter().map(|n| of(&n.settings)).collect()
    };
    // A cache that writes later gives out other versions than one that does not.
    let behind = |plan: &Plan| -> Vec<_> {
        let of = |settings: &Settings| match settings {
            Settings::Cache(s) => s.writes == Writes::Behind,
            _ => false,
        };
        plan.nodes.iter().map(|n| of(&n.settings)).collect()
    };
    // A standby that waits for its data holds none, and a store that serves has some.
    let closed = |plan: &Plan| -> Vec<bool> {
        let of = |settings: &Settings| match settings {
            Settings::Ledger(s) => s.upkeep.closed,
            Settings::Replica(s) => s.upkeep.closed,
            Settings::Raft(s) => s.upkeep.closed,
            _ => false,
        };
        plan.nodes.iter().map(|n| of(&n.settings)).collect()
    };
    // Who runs in the beginning is known in the beginning.
    let starts = |plan: &Plan| -> Vec<_> {
        let of = |settings: &Settings| match settings {
            Settings::Fleet(s) => Some(s.start),
            _ => None,
        };
        plan.nodes.iter().map(|n| of(&n.settings)).collect()
    };
    let ways = |plan: &Plan| plan.links.iter().map(|l| (l.source, l.target)).collect::<Vec<_>>();
    old.seed != new.seed
        || old.duration != new.duration
        || old.faults != new.faults
        || old.surges != new.surges
        || cast(old) != cast(new)
        || shards(old) != shards(new)
        || behind(old) != behind(new)
        || closed(old) != closed(new)
        || starts(old) != starts(new)
        || pinned(old, new).is_some()
        || ways(old) != ways(new)
}

/// A shard without a leader of a router whose map changes: keys can neither leave nor enter it. A
/// write that was not acknowledged may surface at any time, also after a key has been read to be
/// moved; and the new shard cannot tell a copy of an old message from a newer write.
fn pinned(old: &Plan, new: &Plan) -> Option<String> {
    let map = |settings: &Settings| match settings {
        Settings::Router(s) => Some((s.active, s.placement.clone())),
        _ => None,
    };
    let changed =
        |(old, new): &(&PlannedNode, &PlannedNode)| map(&old.settings) != map(&new.settings);
    let routers = old.nodes.iter().zip(&new.nodes).filter(changed);
    let shards = routers.flat_map(|(_, new)| match &new.settings {
        Settings::Router(s) => s.shards.iter().flat_map(|calls| calls.targets.clone()).collect(),
        _ => Vec::new(),
    });
    let mut stores = shards.filter_map(|node| new.nodes.get(node.index()));
    let store = stores.find(|node| matches!(node.settings, Settings::Quorum(_)));
    store.map(|node| node.group.clone())
}

/// Requests per second that clients want when nothing else is said.
fn offered(plan: &Plan) -> f64 {
    let rate = |settings: &Settings| match settings {
        Settings::Clients(s) => match &s.load {
            Load::Open { rate, .. } => rate.as_f64() * f64::from(s.clients),
            // At the very most, one after the other without waiting.
            Load::Closed { .. } => f64::from(s.clients),
        },
        Settings::Balancer(_)
        | Settings::Dns(_)
        | Settings::Router(_)
        | Settings::Cache(_)
        | Settings::Broker(_)
        | Settings::Service(_)
        | Settings::Ledger(_)
        | Settings::Replica(_)
        | Settings::Raft(_)
        | Settings::Quorum(_)
        | Settings::Backup(_)
        | Settings::Fleet(_) => 0.0,
    };
    plan.nodes.iter().map(|node| rate(&node.settings)).sum()
}

fn properties(plan: &Plan) -> Vec<Property> {
    plan.checks.iter().filter_map(|check| property(plan, check)).collect()
}

fn property(plan: &Plan, check: &v1::Check) -> Option<Property> {
    match check {
        v1::Check::NoDoubleEffect(_) => Some(Property::NoDoubleEffect),
        v1::Check::NoLostWrite(_) => Some(Property::NoLostWrite),
        v1::Check::Conserved(c) => Some(Property::Conserved { settle: c.settle }),
        v1::Check::LocksReleased(c) => Some(Property::LocksReleased { within: c.within }),
        v1::Check::Processed(c) => Some(Property::Processed { within: c.within }),
        v1::Check::InStep(c) => {
            let side = |name: &String| Side { name: name.clone(), nodes: plan.find(name) };
            let (of, with, within) = (side(&c.of), side(&c.with), c.within);
            Some(Property::InStep { of, with, within })
        }
        v1::Check::Linearizable(_) => Some(Property::Linearizable),
        v1::Check::Sequential(_) => Some(Property::Sequential),
        v1::Check::ReadYourWrites(_) => Some(Property::ReadYourWrites),
        v1::Check::MonotonicReads(_) => Some(Property::MonotonicReads),
        v1::Check::MonotonicWrites(_) => Some(Property::MonotonicWrites),
        v1::Check::WritesFollowReads(_) => Some(Property::WritesFollowReads),
        v1::Check::Converged(c) => Some(Property::Converged { within: c.within }),
        v1::Check::FreshReads(c) => {
            let bound = Bound { within: c.within, versions: c.versions };
            Some(Property::FreshReads { at_least: c.at_least, bound })
        }
        v1::Check::Availability(c) => Some(Property::Availability { at_least: c.at_least }),
        v1::Check::Latency(c) => {
            let share = Chance(libm::round(c.percentile * 10_000.0) as u32);
            Some(Property::Latency { share, below: c.below })
        }
        v1::Check::RecoversWithin(c) => {
            Some(Property::RecoversWithin { span: c.span, share: c.share })
        }
        v1::Check::Recovery(c) => Some(Property::Recovery { rpo: c.rpo, rto: c.rto }),
        // Checked in every run, asked for or not.
        v1::Check::Conservation(_) => None,
    }
}

fn checks(plan: &Plan) -> Checks {
    let mut names: Vec<&str> = plan.nodes.iter().map(|n| n.group.as_str()).collect();
    order::up(&mut names);
    names.dedup();
    let group = |name: &str| names.binary_search(&name).map_or(u16::MAX, |n| n as u16);
    // Two ways to the same store are ways to the same items, also where a cache answers first.
    let groups = plan.nodes.iter().map(|n| group(only_store(plan, n).unwrap_or(&n.group)));
    let shards = shards(plan).map(|names| names.iter().map(|name| group(name)).collect());
    let mut checks = Checks::new(&properties(plan), groups.collect(), shards.collect());
    for (_, surge) in &plan.surges {
        checks.trouble(surge.from, surge.until);
    }
    checks
}

/// The groups of the shards of each router.
fn shards(plan: &Plan) -> impl Iterator<Item = Vec<&str>> {
    plan.nodes.iter().filter_map(|node| {
        let Settings::Router(router) = &node.settings else { return None };
        let first = router.shards.iter().filter_map(|calls| calls.targets.first());
        let names = first.filter_map(|id| plan.nodes.get(id.index())).map(|n| n.group.as_str());
        Some(names.collect())
    })
}

/// The store that requests to a node come to, if they come to one only. Nobody asks clients.
fn only_store<'a>(plan: &'a Plan, node: &'a PlannedNode) -> Option<&'a str> {
    if matches!(node.settings, Settings::Clients(_) | Settings::Backup(_)) {
        return None;
    }
    let (mut stores, mut seen, mut ways) = (Vec::new(), Vec::new(), vec![node.id]);
    while let Some(id) = ways.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let node = plan.nodes.get(id.index())?;
        // A router has items of its own: those of its shards together.
        if node.settings.balance().is_some() || matches!(node.settings, Settings::Router(_)) {
            stores.push(node.group.as_str());
        }
        match &node.settings {
            Settings::Router(_) => {}
            Settings::Dns(dns) => ways.extend(&dns.places),
            settings => ways.extend(targets_of(settings)),
        }
    }
    order::up(&mut stores);
    stores.dedup();
    match stores.as_slice() {
        [store] => Some(store),
        _ => None,
    }
}
