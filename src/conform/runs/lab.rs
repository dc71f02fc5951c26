//! A scenario being run and measured: the ordinary compiler, the ordinary world, the ordinary
//! numbers, and what the notes of its processes say besides.

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::observe::cast::Cast;
use crate::observe::metrics::Metrics;
use crate::observe::totals::Totals;
use crate::protocol::note::Note;
use crate::protocol::{Role, Settings};
use crate::scenario::compile::{self, Plan};
use crate::scenario::read;
use crate::scenario::v1::Scenario;
use crate::sim::trace::{Level, Record, What};
use crate::sim::world::World;
use serde_json::Value;

/// The mean service time of the queueing models: their unit of time.
pub(super) const UNIT: Span = Span::millis(10);
/// More requests than this in one house are counted as this many.
const MOST_INSIDE: usize = 20_000;

/// A run.
pub(super) struct Lab {
    pub(super) world: World<Role>,
    pub(super) metrics: Metrics,
    /// Of how many intents one is asked how long it took.
    every: u64,
    scenario: Scenario,
    plan: Plan,
    houses: Vec<House>,
    batch: Batch,
    seen: Totals,
}

/// What happened between two instants.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    since: Time,
    /// How long it was, in microseconds.
    pub(super) span: f64,
    /// Requests that the watched stations finished.
    pub(super) jobs: u64,
    /// How long those were there in all, in microseconds.
    pub(super) stayed: u64,
    /// How long they waited, in microseconds.
    pub(super) waited: u64,
    /// How many waited at all.
    pub(super) waiters: u64,
    /// How many waited for longer than the unit of time.
    pub(super) long_waiters: u64,
    /// Requests that came to the watched stations, and those turned away there.
    pub(super) arrived: u64,
    pub(super) refused: u64,
    /// Microseconds during which a watched station had so many requests in its house.
    pub(super) levels: Vec<u64>,
    /// How long intents took that ended well, in microseconds: all, or a sample of a long run.
    pub(super) took: Vec<u32>,
    ended: u64,
    /// Intents begun, intents ended well, and attempts.
    pub(super) offered: u64,
    pub(super) good: u64,
    pub(super) attempts: u64,
    /// Attempts that were not answered in time.
    pub(super) timeouts: u64,
    /// Further attempts decided upon, when the last one failed.
    pub(super) retries: u64,
}

/// The account of one station.
#[derive(Clone, Debug, Default)]
struct House {
    watched: bool,
    inside: usize,
    at: Time,
}

impl Lab {
    /// A scenario in the wire format with a seed of its own, measured at the stations of a group.
    pub(super) fn new(scenario: &Value, seed: u64, watched: &str) -> Result<Lab, String> {
        let mut scenario =
            read::value(scenario.clone()).map_err(|problems| problems.to_string())?;
        scenario.seed = seed;
        let plan = compile::compile(&scenario).map_err(|problems| problems.to_string())?;
        let mut world = plan.world();
        // What happened at the start was not recorded: nothing does before the first event.
        world.shared.trace.level = Level::Notes;
        let names: Vec<_> = plan.nodes.iter().map(|n| (n.name.clone(), n.group.clone())).collect();
        let cast = Cast::new(&names, &world);
        let metrics = Metrics::new(&cast, &world, Span::secs(1));
        let house = |node: &compile::PlannedNode| {
            let station = matches!(node.settings, Settings::Service(_) | Settings::Ledger(_));
            House { watched: station && node.group == watched, ..House::default() }
        };
        let houses = plan.nodes.iter().map(house).collect();
        let batch = Batch { levels: vec![0; MOST_INSIDE + 1], ..Batch::default() };
        Ok(Lab { world, metrics, every: 1, scenario, plan, houses, batch, seen: Totals::default() })
    }

    /// Changes settings of the running world, as a person does by hand.
    pub(super) fn set(&mut self, changes: &[(&str, Value)]) -> Result<(), String> {
        for (path, value) in changes {
            let plan = compile::set(&mut self.scenario, path, value)
                .map_err(|problems| problems.to_string())?;
            for (node, (old, new)) in (0..).zip(self.plan.nodes.iter().zip(&plan.nodes)) {
                if old.settings != new.settings {
                    self.world.with(NodeId(node), |role, cx| role.configure(&new.settings, cx));
                }
            }
            self.plan = plan;
        }
        self.fold();
        Ok(())
    }

    /// Runs to an instant.
    pub(super) fn run_until(&mut self, at: Time) {
        loop {
            let sample = self.metrics.next_close();
            let limit = at.min(sample);
            while self.world.step(limit) {
                self.fold();
            }
            if sample > at {
                return self.metrics.refresh(at);
            }
            self.metrics.close(&self.world);
        }
    }

    /// Runs until nothing is due any more, at most to an instant; says when the last intent ended.
    pub(super) fn run_out(&mut self, at: Time) -> Time {
        let mut last = Time::ZERO;
        while self.world.step(at) {
            last = self.fold().unwrap_or(last);
        }
        self.metrics.refresh(last);
        last
    }

    /// Gives the records of the last event to everything that follows them; says when an intent
    /// ended, if one did.
    fn fold(&mut self) -> Option<Time> {
        let mut ended = None;
        let mut fresh = std::mem::take(&mut self.world.shared.trace.fresh);
        for record in &fresh {
            self.metrics.fold(record);
            if self.follow(record) {
                ended = Some(record.at);
            }
        }
        fresh.clear();
        self.world.shared.trace.fresh = fresh;
        ended
    }

    fn follow(&mut self, record: &Record<Role>) -> bool {
        let What::Note { node, note } = &record.what else { return false };
        let (house, batch) = (&mut self.houses[node.index()], &mut self.batch);
        match *note {
            Note::Arrived { .. } if house.watched => {
                house.pass(record.at, batch);
                house.inside += 1;
                batch.arrived += 1;
            }
            Note::Worked { span, stayed, .. } if house.watched => {
                house.pass(record.at, batch);
                house.inside -= 1;
                let waited = (stayed - span).0;
                batch.jobs += 1;
                batch.stayed += stayed.0;
                batch.waited += waited;
                batch.waiters += u64::from(waited > 0);
                batch.long_waiters += u64::from(waited > UNIT.0);
            }
            Note::Refused { why, .. } if house.watched && !why.is_local() => {
                house.pass(record.at, batch);
                house.inside -= 1;
                batch.refused += 1;
            }
            Note::Waits { .. } => batch.retries += 1,
            Note::Ended { ending, took, .. } => {
                batch.ended += 1;
                if ending.is_good() && batch.ended.is_multiple_of(self.every) {
                    batch.took.push(u32::try_from(took.0).unwrap_or(u32::MAX));
                }
                return true;
            }
            _ => {}
        }
        false
    }

    /// What happened since this was last asked.
    pub(super) fn take(&mut self) -> Batch {
        let now = self.world.shared.now;
        let totals = self.metrics.totals.clone();
        for house in self.houses.iter_mut().filter(|h| h.watched) {
            house.pass(now, &mut self.batch);
        }
        let fresh = Batch { since: now, levels: vec![0; MOST_INSIDE + 1], ..Batch::default() };
        let mut batch = std::mem::replace(&mut self.batch, fresh);
        batch.span = now.since(batch.since).0 as f64;
        batch.offered = totals.offered - self.seen.offered;
        batch.good = totals.good() - self.seen.good();
        batch.attempts = totals.attempts - self.seen.attempts;
        batch.timeouts = totals.attempt_timeouts - self.seen.attempt_timeouts;
        self.seen = totals;
        let filled = batch.levels.iter().rposition(|&time| time > 0).map_or(0, |n| n + 1);
        batch.levels.truncate(filled);
        batch
    }

    /// Requests in the house of a node now.
    pub(super) fn inside(&self, node: NodeId) -> usize {
        self.houses.get(node.index()).map_or(0, |house| house.inside)
    }
}

impl House {
    fn pass(&mut self, now: Time, batch: &mut Batch) {
        batch.levels[self.inside.min(MOST_INSIDE)] += now.since(self.at).0;
        self.at = now;
    }
}

impl Batch {
    /// The integral of a function of the number in the house over time, over all stations.
    pub(super) fn integral(&self, of: impl Fn(usize) -> f64) -> f64 {
        self.levels.iter().enumerate().map(|(n, &time)| of(n) * time as f64).sum()
    }

    /// All the time of all stations, in microseconds.
    pub(super) fn station_time(&self) -> f64 {
        self.levels.iter().map(|&time| time as f64).sum()
    }
}

/// How long a run in a steady state is warmed up and measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Before anything is counted.
    pub(super) warm: Span,
    /// One batch.
    pub(super) batch: Span,
    /// How many batches.
    pub(super) batches: u32,
    /// Of how many intents one is asked how long it took.
    every: u64,
}

impl Stretch {
    /// Of about so many jobs in 20 batches, at `rate` jobs per unit of time, after so many units.
    pub(super) fn of(jobs: f64, rate: f64, warm: f64) -> Stretch {
        let unit = UNIT.0 as f64;
        Stretch {
            warm: Span::from_micros_f64(warm * unit),
            batch: Span::from_micros_f64(jobs / rate * unit / 20.0),
            batches: 20,
            every: (jobs / 1e7).max(1.0) as u64,
        }
    }
}

/// Runs a scenario in a steady state and gives its batches.
pub(super) fn steady(scenario: &Value, watched: &str, long: Stretch) -> Result<Vec<Batch>, String> {
    let mut lab = Lab::new(scenario, 1, watched)?;
    lab.every = long.every;
    let mut at = Time::ZERO + long.warm;
    lab.run_until(at);
    lab.take();
    let mut batches = Vec::new();
    for _ in 0..long.batches {
        at += long.batch;
        lab.run_until(at);
        batches.push(lab.take());
    }
    Ok(batches)
}
