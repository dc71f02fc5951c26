//! A scenario at work: the world, and everything that follows it event by event. Cloning it is a
//! snapshot of what is on screen.

use super::command::{Command, Timed};
use crate::base::diagnostics::Diagnostics;
use crate::base::id::{LinkId, NodeId};
use crate::base::time::Time;
use crate::base::unit::Chance;
use crate::check::{Checks, Property};
use crate::observe::cast::Cast;
use crate::observe::frame::{Fate, PacketEnd};
use crate::observe::metrics::BIN;
use crate::observe::picture;
use crate::observe::watch::Watch;
use crate::protocol::client::Load;
use crate::protocol::{Message, Role, Settings};
use crate::scenario::compile::{Plan, compile, set};
use crate::scenario::v1::{self, Scenario};
use crate::sim::fault::Fault;
use crate::sim::trace::{self, Level, Record, What};
use crate::sim::world::World;
use std::collections::VecDeque;

/// Messages that met their end and may still be fading.
const ENDS: usize = 512;
/// Above this many requests a second, only notes and losses are recorded.
const DETAILED_RATE: f64 = 20_000.0;

/// A run at an instant.
#[derive(Clone, Debug)]
pub struct Run {
    /// The scenario with every change that is in force.
    pub scenario: Scenario,
    /// What it was compiled to.
    pub plan: Plan,
    /// The world.
    pub world: World<Role>,
    /// Who is on the stage.
    pub cast: Cast,
    /// Numbers, sentences, lives of intents.
    pub watch: Watch,
    /// Properties.
    pub checks: Checks,
    /// Faults that have begun, with what they are in words.
    pub faults: Vec<FaultSpan>,
    ends: VecDeque<PacketEnd>,
    noticed: bool,
}

/// A fault from beginning to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpan {
    /// Its number.
    pub id: crate::base::id::FaultId,
    /// In words.
    pub sentence: String,
    /// Since when.
    pub since: Time,
    /// Until when, if it has ended.
    pub until: Option<Time>,
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
        for node in &plan.nodes {
            if let Some(place) = node.place {
                cast.members[node.id.index()].place = place;
            }
        }
        let detailed = offered(&plan) <= DETAILED_RATE;
        world.shared.trace.level = if detailed { Level::All } else { Level::Notes };
        let mut run = Run {
            watch: Watch::new(&cast, &world, BIN),
            checks: checks(&plan),
            scenario,
            plan,
            world,
            cast,
            faults: Vec::new(),
            ends: VecDeque::new(),
            noticed: false,
        };
        run.fold();
        Ok(run)
    }

    /// Simulated time.
    pub fn now(&self) -> Time {
        self.world.shared.now
    }

    /// How many events have been handled.
    pub fn events(&self) -> u64 {
        self.world.shared.trace.counts.events
    }

    /// The bytes of a snapshot, roughly.
    pub fn weight(&self) -> u64 {
        let clients = |role: &Role| match role {
            Role::Clients(p) => u64::from(p.settings.clients) * 40,
            Role::Balancer(_) | Role::Service(_) | Role::Ledger(_) => 0,
        };
        let calls = |role: &Role| u64::from(picture::in_flight(role)) * 200;
        let nodes: u64 = self.world.processes.iter().map(|r| clients(r) + calls(r)).sum();
        // Metrics, ledger and log are bounded; together they take about this.
        nodes + u64::from(self.world.shared.packets.len()) * 150 + (4 << 20)
    }

    /// Runs until `until` or until `events` have been handled; true if the time was reached.
    pub fn advance(&mut self, until: Time, events: u64) -> bool {
        let last = self.events().saturating_add(events);
        loop {
            let sample = self.watch.metrics.next_close();
            let limit = until.min(sample);
            while self.world.step(limit) {
                if !self.world.shared.trace.fresh.is_empty() {
                    self.fold();
                }
                if self.events() >= last {
                    return false;
                }
            }
            if sample <= until {
                self.watch.close(&self.world);
                self.checks.close(&self.world);
            } else {
                self.watch.metrics.refresh(until);
                self.checks.refresh(until);
                return true;
            }
        }
    }

    /// Handles one event; false when there is none before `until`. [`Run::noticed`] says whether a
    /// person would notice it.
    pub fn step(&mut self, until: Time) -> bool {
        if let Some(next) = self.world.next_at().filter(|&at| at <= until) {
            // Bins that are over before the event are closed as a long run would have done.
            self.advance(Time(next.0.saturating_sub(1)), u64::MAX);
            self.noticed = false;
            self.world.step(until);
            self.fold();
            return true;
        }
        self.advance(until, u64::MAX);
        false
    }

    /// True if a person would have noticed the last step.
    pub fn noticed(&self) -> bool {
        self.noticed
    }

    /// Gives the records of the last event to everything that follows them.
    fn fold(&mut self) {
        let mut fresh = std::mem::take(&mut self.world.shared.trace.fresh);
        for record in &fresh {
            self.follow(record);
            let said = match record.what {
                What::Fault { fault, .. } => self.faults.iter().rev().find(|f| f.id == fault),
                _ => None,
            };
            self.checks.fold(record);
            self.noticed |= self.watch.fold(record, said.map(|f| f.sentence.as_str()));
        }
        fresh.clear();
        self.world.shared.trace.fresh = fresh;
    }

    fn follow(&mut self, record: &Record<Role>) {
        match &record.what {
            What::Fault { fault, began: true } => {
                let active = self.world.shared.active.iter().find(|a| a.id == *fault);
                let sentence = active.map(|a| picture::sentence(&a.fault, &self.cast));
                self.faults.push(FaultSpan {
                    id: *fault,
                    sentence: sentence.unwrap_or_default(),
                    since: record.at,
                    until: None,
                });
            }
            What::Fault { fault, began: false } => {
                if let Some(span) = self.faults.iter_mut().rev().find(|f| f.id == *fault) {
                    span.until = Some(record.at);
                }
            }
            What::Ended { packet, source, target, fate, way, message } => {
                let fate = match fate {
                    trace::Fate::Delivered => return,
                    trace::Fate::LostInFlight => Fate::LostInFlight,
                    trace::Fate::LinkCut => Fate::LinkCut,
                    trace::Fate::TargetDown => Fate::TargetDown,
                    trace::Fate::NoRoute => Fate::NoRoute,
                };
                let Some(link) = self.world.shared.network.route(*source, *target) else { return };
                let kind = picture::kind_of(&self.world, *source, *target, message);
                let progress = f32::from(*way) / 1_000.0;
                let id = *packet;
                self.ends.push_back(PacketEnd { id, link, progress, kind, fate, at: record.at });
                if self.ends.len() > ENDS {
                    self.ends.pop_front();
                }
            }
            What::Sent { .. }
            | What::Deferred { .. }
            | What::Timer { .. }
            | What::Persisted { .. }
            | What::Note { .. }
            | What::Node { .. } => {}
        }
    }

    /// Messages that ended at or after `since`.
    pub fn ends(&self, since: Time) -> impl Iterator<Item = &PacketEnd> {
        self.ends.iter().filter(move |end| end.at >= since)
    }

    /// The intent that a message in flight serves.
    pub fn intent_of(&self, packet: u64) -> Option<u64> {
        let found = self.world.shared.packets.iter().find(|(_, p)| p.id == packet);
        found.and_then(|(_, p)| match &p.message {
            Message::Request(request) => Some(request.intent),
            Message::Reply(reply) => Some(reply.intent),
            Message::Probe { .. } | Message::Alive { .. } => None,
        })
    }

    /// Applies a command at this instant.
    ///
    /// # Errors
    /// What is wrong with a setting, or that it cannot be changed while the run goes on.
    pub fn apply(&mut self, command: &Command) -> Result<(), Diagnostics> {
        let world = &mut self.world;
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
                self.checks.trouble(now, now + *lasts);
                let factor = f64::from(*factor) / 1_000.0;
                world.with(*node, |role, cx| {
                    if let Role::Clients(population) = role {
                        population.surge(factor, *lasts, cx);
                    }
                });
            }
            Command::Set { path, value } => self.set(path, value)?,
        }
        self.fold();
        Ok(())
    }

    /// Changes a setting of the running world.
    fn set(&mut self, path: &str, value: &serde_json::Value) -> Result<(), Diagnostics> {
        let mut scenario = self.scenario.clone();
        let plan = set(&mut scenario, path, value)?;
        if needs_restart(&self.plan, &plan) {
            let mut diagnostics = Diagnostics::default();
            diagnostics.error(path, "this cannot change while the run goes on", "start again");
            return Err(diagnostics);
        }
        for (node, (old, new)) in (0..).zip(self.plan.nodes.iter().zip(&plan.nodes)) {
            if old.settings != new.settings {
                self.world.with(NodeId(node), |role, cx| role.configure(&new.settings, cx));
            }
        }
        for (link, (old, new)) in (0..).zip(self.plan.links.iter().zip(&plan.links)) {
            if old != new {
                self.world.set_link(LinkId(link), new.settings.clone());
            }
        }
        self.watch.configured(&self.world);
        self.checks.configure(&properties(&plan));
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
        run.advance(command.at, u64::MAX);
        run.apply(&command.what)?;
    }
    run.advance(until, u64::MAX);
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
        Settings::Balancer(_) | Settings::Service(_) | Settings::Ledger(_) => None,
    };
    let cast = |plan: &Plan| -> Vec<_> {
        let nodes = plan.nodes.iter();
        nodes.map(|n| (n.name.clone(), clients(&n.settings), n.disk.clone())).collect()
    };
    let ways = |plan: &Plan| plan.links.iter().map(|l| (l.source, l.target)).collect::<Vec<_>>();
    old.seed != new.seed
        || old.duration != new.duration
        || old.faults != new.faults
        || old.surges != new.surges
        || cast(old) != cast(new)
        || ways(old) != ways(new)
}

/// Requests per second that clients want when nothing else is said.
fn offered(plan: &Plan) -> f64 {
    let rate = |settings: &Settings| match settings {
        Settings::Clients(s) => match &s.load {
            Load::Open { rate, .. } => rate.as_f64() * f64::from(s.clients),
            // At the very most, one after the other without waiting.
            Load::Closed { .. } => f64::from(s.clients),
        },
        Settings::Balancer(_) | Settings::Service(_) | Settings::Ledger(_) => 0.0,
    };
    plan.nodes.iter().map(|node| rate(&node.settings)).sum()
}

fn properties(plan: &Plan) -> Vec<Property> {
    plan.checks.iter().filter_map(property).collect()
}

fn property(check: &v1::Check) -> Option<Property> {
    match check {
        v1::Check::NoDoubleEffect(_) => Some(Property::NoDoubleEffect),
        v1::Check::Availability(c) => Some(Property::Availability { at_least: c.at_least }),
        v1::Check::Latency(c) => {
            let share = Chance(libm::round(c.percentile * 10_000.0) as u32);
            Some(Property::Latency { share, below: c.below })
        }
        v1::Check::RecoversWithin(c) => {
            Some(Property::RecoversWithin { span: c.span, share: c.share })
        }
        // Checked in every run, asked for or not.
        v1::Check::Conservation(_) => None,
    }
}

fn checks(plan: &Plan) -> Checks {
    let mut names: Vec<&str> = plan.nodes.iter().map(|n| n.group.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let group = |name: &str| names.binary_search(&name).map_or(u16::MAX, |n| n as u16);
    let groups = plan.nodes.iter().map(|n| group(&n.group)).collect();
    let mut checks = Checks::new(&properties(plan), groups);
    for (_, surge) in &plan.surges {
        checks.trouble(surge.from, surge.until);
    }
    checks
}
