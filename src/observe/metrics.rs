//! Numbers of a run, folded from what happens as it happens: totals, series over time, strips of
//! breaker states, and counts for each node.
//!
//! Give every record to [`Metrics::fold`] and look at the world with [`Metrics::close`] at
//! [`Metrics::next_close`]; the public fields are up to date after `close`.

use super::cast::Cast;
use super::frame::Kind;
use super::gauges::Gauge;
use super::picture::station;
use super::series::{Bins, Series};
use super::strips::{Strip, Strips};
use super::totals::{Totals, carries_work};
use crate::base::histogram::Histogram;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::check::effects::{Effect, Effects};
use crate::protocol::broker::Broker;
use crate::protocol::fleet::FleetSettings;
use crate::protocol::fleet::duty::State;
use crate::protocol::note::{Lookup, Note, Post};
use crate::protocol::rpc::{Ending, Outcome};
use crate::protocol::{Message, Role};
use crate::sim::trace::{Change, Counts, Fate, Record, What};
use crate::sim::world::World;
use serde::Serialize;
use std::sync::Arc;

/// The state of a breaker, for those who draw it.
pub type BreakerPhase = crate::protocol::note::Phase;

/// The width of a bin where nobody asks for another.
pub const BIN: Span = Span::millis(100);

/// The numbers of a run.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Of the whole run.
    pub totals: Totals,
    /// Over time, in bins that are over.
    pub series: Vec<Series>,
    /// The states of each breaker that stands alone.
    pub breakers: Vec<Arc<Strip>>,
    /// By node.
    pub nodes: Vec<NodeTotals>,
    /// What became of messages.
    pub messages: Counts,
    /// Up to when.
    pub now: Time,
    bins: Bins,
    all: Histogram,
    delays: Histogram,
    effects: Effects,
    /// The digest of the run at the end of each bin that is over.
    digests: Vec<u64>,
    strips: Strips,
    /// By node: which group of the cast it belongs to, and whether it is a population.
    groups: Vec<(u16, bool)>,
    /// The series that are looked up in the world, and the last values seen.
    gauges: Vec<(Gauge, f32)>,
}

/// Counts of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeTotals {
    /// Requests that came to its queue.
    pub arrived: u64,
    /// Requests it worked on to the end.
    pub worked: u64,
    /// How long it worked on those, in microseconds.
    pub work: u64,
    /// How long those were there, waiting included, in microseconds.
    pub stayed: u64,
    /// Requests it turned away.
    pub refused: u64,
    /// Requests it sent itself.
    pub sent: u64,
    /// Answers it got after it had stopped waiting.
    pub late: u64,
    /// Its answers that nobody took, lost on the way back.
    pub answers_lost: u64,
    /// Changes it made.
    pub applied: u64,
    /// Requests it recognised by their key.
    pub recognised: u64,
    /// Reads that came to it, if it is a cache.
    pub lookups: u64,
    /// Of these, served from what it held.
    pub hits: u64,
    /// Intents of its own that ended as their owner wanted.
    pub good: u64,
    /// Intents of its own that ended in another way.
    pub bad: u64,
    /// Intents of its own that have not ended.
    pub outstanding: u64,
    /// Messages that it has acknowledged to publishers, once for each group of consumers.
    pub kept: u64,
    /// Messages that it handed to consumers.
    pub handed_out: u64,
    /// Of these, again.
    pub redelivered: u64,
    /// Messages that its consumers acknowledged.
    pub acknowledged: u64,
    /// How long those were with it and them, in microseconds.
    pub delay: u64,
    /// Messages that became dead letters.
    pub dead_letters: u64,
}

impl NodeTotals {
    /// It has done some work.
    fn did(&mut self, span: Span, stayed: Span) {
        self.worked += 1;
        self.work += span.0;
        self.stayed += stayed.0;
    }

    /// It has looked for an item.
    pub(super) fn looked(&mut self, how: Lookup) {
        self.hits += u64::from(how == Lookup::Hit);
        self.lookups += u64::from(matches!(how, Lookup::Hit | Lookup::Miss | Lookup::Joined));
    }

    /// Something became of one of its messages.
    fn posted(&mut self, step: Post) {
        match step {
            Post::Kept => self.kept += 1,
            Post::HandedOut { attempt, .. } => {
                self.handed_out += 1;
                self.redelivered += u64::from(attempt > 1);
            }
            Post::Acknowledged { after } => {
                self.acknowledged += 1;
                self.delay += after.0;
            }
            Post::Dead { .. } => self.dead_letters += 1,
            Post::Returned | Post::Expired | Post::Redriven | Post::Dropped | Post::Lost => {}
        }
    }

    /// One of its intents ended.
    fn ended(&mut self, ending: Ending) {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.good += u64::from(ending.is_good());
        self.bad += u64::from(!ending.is_good());
    }
}

type Measure<T> = (&'static str, fn(&Totals) -> T);

/// Series of counts per second, and how they are counted.
const RATES: [Measure<u64>; 13] = [
    ("offered", |t| t.offered),
    ("goodput", Totals::good),
    ("attempts", |t| t.attempts),
    ("errors", Totals::bad),
    ("ok", |t| t.ok),
    ("degraded", |t| t.degraded),
    ("rejected", |t| t.rejected),
    ("failed", |t| t.failed),
    ("timed_out", |t| t.timed_out),
    ("worked", |t| t.worked),
    ("wasted", |t| t.wasted),
    ("lookups", |t| t.lookups),
    ("hits", |t| t.hits),
];

/// Series of latencies.
const LATENCIES: [Measure<f64>; 4] =
    [("p50", |t| t.p50), ("p90", |t| t.p90), ("p99", |t| t.p99), ("p999", |t| t.p999)];

impl Metrics {
    /// Of a run that has not begun. `bin` is the width of a bin in the beginning.
    pub fn new(cast: &Cast, world: &World<Role>, bin: Span) -> Metrics {
        let clients = cast.members.iter().map(|m| m.kind == Kind::Clients);
        let groups = cast.group_numbers().into_iter().zip(clients).collect();
        let bins = Bins::new(bin);
        let series = |name: String, unit| Series { name, unit, bin: bins.width, values: vec![] };
        let rates = RATES.iter().map(|(name, _)| series((*name).to_owned(), "/s"));
        let latencies = LATENCIES.iter().map(|(name, _)| series((*name).to_owned(), "ms"));
        let mut metrics = Metrics {
            totals: Totals::default(),
            series: rates.chain(latencies).collect(),
            breakers: Vec::new(),
            nodes: vec![NodeTotals::default(); cast.members.len()],
            messages: Counts::default(),
            now: Time::ZERO,
            bins,
            all: Histogram::default(),
            delays: Histogram::default(),
            effects: Effects::new(cast.shards(world)),
            digests: Vec::new(),
            strips: Strips::default(),
            groups,
            gauges: Vec::new(),
        };
        metrics.add_gauge("in_flight".to_owned(), Gauge::Outstanding);
        for (node, role) in (0..).map(NodeId).zip(&world.processes) {
            if station(role).is_some() {
                metrics.add_gauge(format!("queue {}", cast.name(node)), Gauge::Queue(node));
            }
            if let Role::Broker(broker) = role {
                metrics.add_broker(cast, node, broker);
            }
            if role.standing().is_some() {
                metrics.add_replica(cast, node);
            }
            if let Role::Fleet(fleet) = role {
                metrics.add_fleet(cast, &fleet.settings);
            }
            for (stack, caller) in (0..).zip(role.callers()) {
                let name =
                    format!("{} → {}", cast.name(node), cast.name_all(&caller.settings.targets));
                match caller.breakers().count() {
                    0 | 1 => {}
                    _ => metrics.add_gauge(format!("open {name}"), Gauge::Open { node, stack }),
                }
                metrics.strips.add(node, stack, name, caller.breakers().count() as u32);
            }
        }
        metrics.breakers = metrics.strips.shown();
        metrics
    }

    fn add_broker(&mut self, cast: &Cast, node: NodeId, broker: &Broker) {
        for (group, settings) in (0..).zip(&broker.settings.groups) {
            let (me, to) = (cast.name(node), cast.name_all(&settings.targets));
            self.add_gauge(format!("waiting {me} → {to}"), Gauge::Waiting { node, group });
            self.add_gauge(format!("oldest {me} → {to}"), Gauge::Oldest { node, group });
            self.add_gauge(format!("dead {me} → {to}"), Gauge::Dead { node, group });
        }
    }

    fn add_replica(&mut self, cast: &Cast, node: NodeId) {
        let (group, _) = self.groups[node.index()];
        let leaders = format!("leaders {}", cast.members[node.index()].group);
        if self.series(&leaders).is_none() {
            self.add_gauge(leaders, Gauge::Leaders { group });
        }
        self.add_gauge(format!("behind {}", cast.name(node)), Gauge::Behind { node, group });
    }

    /// How many replicas of a fleet serve, and how many are about to.
    fn add_fleet(&mut self, cast: &Cast, fleet: &FleetSettings) {
        let Some(first) = fleet.replicas.first().map(|first| first.index()) else { return };
        let (group, name) = (self.groups[first].0, &cast.members[first].group);
        for (word, state) in [("running", State::Serving), ("starting", State::Starting)] {
            self.add_gauge(format!("{word} {name}"), Gauge::OnDuty { group, state });
        }
        if fleet.deploy.is_some() {
            self.add_gauge(format!("new version {name}"), Gauge::Renewed { group });
        }
    }

    fn add_gauge(&mut self, name: String, gauge: Gauge) {
        self.series.push(Series { name, unit: "", bin: self.bins.width, values: Vec::new() });
        self.gauges.push((gauge, 0.0));
    }

    /// The series of that name.
    pub fn series(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|s| s.name == name)
    }

    /// When the current bin is over and the world should be looked at again.
    pub fn next_close(&self) -> Time {
        self.bins.end()
    }

    /// Counts one record. Says how often the change of data it tells of has now been made for its
    /// intent, zero if it tells of none.
    pub fn fold(&mut self, record: &Record<Role>) -> u32 {
        self.roll(record.at);
        match &record.what {
            What::Note { node, note } => return self.note(record.at, *node, note),
            What::Ended { source, fate, message, .. } if *fate != Fate::Delivered => {
                self.lost(*source, *fate, message);
            }
            What::Node { node, change: Change::Crashed } => {
                self.strips.reset(*node, record.at);
                if let Some(n) = self.nodes.get_mut(node.index()) {
                    self.bins.open.abandoned += std::mem::take(&mut n.outstanding);
                }
            }
            What::Sent { .. }
            | What::Ended { .. }
            | What::Deferred { .. }
            | What::Timer { .. }
            | What::Persisted { .. }
            | What::Node { .. }
            | What::Fault { .. } => {}
        }
        0
    }

    fn note(&mut self, at: Time, node: NodeId, note: &Note) -> u32 {
        let open = &mut self.bins.open;
        let Some(mine) = self.nodes.get_mut(node.index()) else { return 0 };
        let (group, is_client) = self.groups[node.index()];
        match *note {
            Note::Began { .. } => {
                open.offered += 1;
                mine.outstanding += 1;
            }
            Note::Sent { hedge, .. } => {
                mine.sent += 1;
                open.count_attempt(is_client, hedge);
            }
            Note::Answered { outcome, .. } => {
                open.attempt_timeouts += u64::from(outcome == Outcome::TimedOut);
            }
            Note::NoRetry { why, .. } => open.no_retry[why as usize] += 1,
            Note::Ended { ending, took, .. } => {
                mine.ended(ending);
                open.count_ending(ending);
                if ending.is_good() {
                    self.bins.latencies.record(took);
                    self.all.record(took);
                }
            }
            Note::Late { answer, .. } => {
                mine.late += 1;
                open.count_late(answer);
            }
            Note::Breaker { stack, from, to } => {
                open.breaker_openings += u64::from(to == BreakerPhase::Open);
                self.strips.moved(node, stack, at, from, to);
            }
            Note::Arrived { .. } => {
                mine.arrived += 1;
                open.arrived += 1;
            }
            Note::Refused { why, .. } => {
                mine.refused += u64::from(!why.is_local());
                open.refused[why as usize] += 1;
            }
            Note::Worked { span, stayed, .. } => {
                mine.did(span, stayed);
                open.worked += 1;
                open.work += span.0;
            }
            Note::Applied { .. }
            | Note::Undone { .. }
            | Note::Truncated { .. }
            | Note::Transfer { .. } => return self.changed(note, node, group),
            Note::Recognised { .. } => {
                (mine.recognised, open.recognised) = (mine.recognised + 1, open.recognised + 1);
            }
            Note::Cached { how, .. } => open.count_lookup(how, mine),
            Note::Letter { step, .. } => {
                mine.posted(step);
                open.count_letter(step);
                if let Post::Acknowledged { after } = step {
                    self.delays.record(after);
                }
            }
            _ => open.count_event(note),
        }
        0
    }

    /// Counts what a note says of changes; how often a change that it tells of is now made.
    fn changed(&mut self, note: &Note, node: NodeId, group: u16) -> u32 {
        let open = &mut self.bins.open;
        match self.effects.fold(note, group) {
            Effect::None => 0,
            Effect::Made(times) => {
                open.applied += 1;
                open.repeated += u64::from(times > 1);
                if let Some(node) = self.nodes.get_mut(node.index()) {
                    node.applied += 1;
                }
                times
            }
            Effect::Undone(left) => {
                open.repeated_undone += u64::from(left.is_some_and(|times| times > 0));
                0
            }
        }
    }

    fn lost(&mut self, source: NodeId, fate: Fate, message: &Message) {
        let open = &mut self.bins.open;
        match message {
            Message::Request(_) => open.lost_requests[fate as usize] += 1,
            Message::Reply(reply) => {
                open.lost_replies[fate as usize] += 1;
                open.wasted += u64::from(carries_work(reply));
                if let Some(node) = self.nodes.get_mut(source.index()) {
                    node.answers_lost += 1;
                }
            }
            _ => {}
        }
    }

    /// Looks at the world as it is now, and brings the public fields up to date.
    pub fn close(&mut self, world: &World<Role>) {
        let now = world.shared.now;
        self.roll(now);
        self.messages = world.shared.trace.counts;
        for (gauge, value) in &mut self.gauges {
            if let Some(now) = gauge.read(world, &self.groups, &self.strips) {
                *value = now;
            }
        }
        self.digests.resize(self.bins.sealed().count(), world.shared.trace.digest());
        if now == self.bins.start() {
            // The bin that has just ended is shown with what is there at its end.
            let shown = self.series[RATES.len() + LATENCIES.len()..].iter_mut();
            for (series, (gauge, value)) in shown.zip(&self.gauges) {
                if let Some(last) =
                    series.values.last_mut().filter(|_| *gauge != Gauge::Outstanding)
                {
                    *last = *value;
                }
            }
        }
        self.refresh(now);
    }

    /// Like [`Metrics::close`], without looking at the world.
    pub fn refresh(&mut self, now: Time) {
        self.roll(now);
        self.now = now;
        self.totals = self.bins.counted();
        self.totals.latency_sum = self.all.sum();
        self.totals.derive(self.all.count(), |share| self.all.quantile(share));
        self.breakers = self.strips.shown();
    }

    /// What was counted between two instants, bin by bin: of bins that begin in between.
    pub fn between(&self, from: Time, until: Time) -> Totals {
        self.bins.between(from, until).0
    }

    /// The latency that this share of the intents which ended well between two instants did not
    /// exceed.
    pub fn quantile_between(&self, from: Time, until: Time, share: f64) -> Option<Span> {
        self.bins.between(from, until).1.quantile(share)
    }

    /// How long intents that ended well took, over the whole run.
    pub fn latencies(&self) -> &Histogram {
        &self.all
    }

    /// How long messages took from their publisher to the acknowledgement of a consumer, over the
    /// whole run and all brokers.
    pub fn delays(&self) -> &Histogram {
        &self.delays
    }

    /// Requests that came to the queues of some nodes, for each intent: what retries at every hop
    /// in front of them have made of one. Not a number before the first intent.
    pub fn arrivals_per_intent(&self, nodes: &[NodeId]) -> f64 {
        let came: u64 =
            nodes.iter().filter_map(|n| self.nodes.get(n.index())).map(|n| n.arrived).sum();
        came as f64 / self.totals.offered as f64
    }

    /// Closes every bin that is over at `now`.
    fn roll(&mut self, now: Time) {
        while now >= self.bins.end() {
            let width = self.bins.width;
            let doubled = self.bins.seal();
            self.show_bin(width);
            if doubled {
                self.double();
            }
        }
    }

    /// Appends the bin that was closed last to the series.
    fn show_bin(&mut self, width: Span) {
        let total: u64 = self.nodes.iter().map(|n| n.outstanding).sum();
        let Some(last) = self.bins.sealed().next_back() else { return };
        let (rates, rest) = self.series.split_at_mut(RATES.len());
        let (latencies, gauges) = rest.split_at_mut(LATENCIES.len());
        for (series, (_, count)) in rates.iter_mut().zip(&RATES) {
            series.values.push((count(last) as f64 / width.as_secs()) as f32);
        }
        for (series, (_, read)) in latencies.iter_mut().zip(&LATENCIES) {
            series.values.push(read(last) as f32);
        }
        for (series, (gauge, value)) in gauges.iter_mut().zip(&self.gauges) {
            let outstanding = *gauge == Gauge::Outstanding;
            series.values.push(if outstanding { total as f32 } else { *value });
        }
    }

    /// The width of bins has doubled: works out the series again.
    fn double(&mut self) {
        let width = self.bins.width;
        let (rates, rest) = self.series.split_at_mut(RATES.len());
        let (latencies, gauges) = rest.split_at_mut(LATENCIES.len());
        let seconds = width.as_secs();
        for (series, (_, count)) in rates.iter_mut().zip(&RATES) {
            let values = self.bins.sealed().map(|t| (count(t) as f64 / seconds) as f32);
            series.values = values.collect();
        }
        for (series, (_, read)) in latencies.iter_mut().zip(&LATENCIES) {
            series.values = self.bins.sealed().map(|t| read(t) as f32).collect();
        }
        for series in gauges {
            series.values =
                series.values.chunks(2).map(|c| c.iter().sum::<f32>() / c.len() as f32).collect();
        }
        for series in &mut self.series {
            series.bin = width;
        }
        let ends = self.digests.chunks_exact(2).map(|pair| pair[1]);
        self.digests = ends.collect();
    }

    /// When the last bin ended at whose end all that had happened was the same in another run, and
    /// whether a later bin is known in which it was not.
    pub fn same_until(&self, other: &Metrics) -> (Time, bool) {
        if self.bins.width != other.bins.width {
            return (Time::ZERO, false);
        }
        let same = self.digests.iter().zip(&other.digests).take_while(|(a, b)| a == b).count();
        let known = self.digests.len().min(other.digests.len());
        (Time(self.bins.width.0 * same as u64), same < known)
    }
}
