//! What came of a run, on one page: for a terminal, or as data.

use super::Session;
use super::share::LinkOptions;
use super::timeline::Mark;
use crate::base::time::Span;
use crate::check::recovery::Measured;
use crate::check::{State, Verdict};
use crate::observe::cost::Cost;
use crate::observe::line::Line;
use crate::observe::totals::Totals;
use serde::Serialize;
use std::fmt;

/// What came of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario's title.
    pub title: String,
    /// The seed of the run.
    pub seed: u64,
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Events handled.
    pub events: u64,
    /// The digest of the run, in hexadecimal.
    pub digest: String,
    /// The part after `#` of the link that shows it.
    pub link: String,
    /// Everything counted.
    pub totals: Totals,
    /// Messages sent, copies by the network included.
    pub messages: u64,
    /// Of these, how many reached a process.
    pub delivered: u64,
    /// What the checks say.
    pub verdicts: Vec<Verdict>,
    /// What it costs by the hour, in prices of one server.
    pub cost: Cost,
    /// What a disaster has cost, where a check asks for that.
    pub recovery: Option<Disaster>,
    /// Faults, commands, and what backups do.
    pub marks: Vec<Mark>,
    /// The log, oldest first.
    pub log: Vec<Line>,
}

/// What a disaster has cost, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Disaster {
    /// When it was, in seconds.
    pub at_s: f64,
    /// Changes acknowledged before it.
    pub acknowledged: u64,
    /// Of these, how many are lost.
    pub lost: u64,
    /// The age of the oldest of them at the disaster, in seconds.
    pub rpo_s: f64,
    /// The age of the newest change that is not lost, in seconds; none if all are lost.
    pub newest_s: Option<f64>,
    /// From the disaster until all was back, in seconds; none while it is not.
    pub rto_s: Option<f64>,
}

impl Disaster {
    fn of(measured: Measured) -> Disaster {
        let Measured { disaster, acknowledged, lost, rpo, newest, rto } = measured;
        Disaster {
            at_s: disaster.as_secs(),
            acknowledged,
            lost,
            rpo_s: rpo.as_secs(),
            newest_s: newest.map(Span::as_secs),
            rto_s: rto.map(Span::as_secs),
        }
    }
}

impl Report {
    /// Of a run as it stands.
    pub fn of(session: &Session) -> Report {
        let metrics = session.metrics();
        let mut log = session.log(40);
        log.reverse();
        Report {
            title: session.scenario().title.clone(),
            seed: session.scenario().seed,
            seconds: session.now().as_secs(),
            events: session.run().course.events(),
            digest: format!("{:016x}", session.digest()),
            link: session.link(LinkOptions { instant: false }),
            totals: metrics.totals.clone(),
            messages: metrics.messages.sent,
            delivered: metrics.messages.ended[0],
            verdicts: session.verdicts(),
            cost: session.cost(),
            recovery: session.recovery().map(Disaster::of),
            marks: session.marks(),
            log,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = &self.totals;
        let seconds = self.seconds.max(1e-6);
        let rate = |n: u64| n as f64 / seconds;
        let share = |n: u64| 100.0 * n as f64 / (t.ended().max(1)) as f64;
        writeln!(f, "{}, seed {}, {seconds} s", self.title, self.seed)?;
        writeln!(f)?;
        for mark in &self.marks {
            writeln!(f, "  {:>9}  {}", mark.at.to_string(), mark.text)?;
        }
        writeln!(f)?;
        writeln!(f, "  offered      {:>10} requests  {:>9.1}/s", t.offered, rate(t.offered))?;
        let outcomes = [
            ("ok", t.ok),
            ("degraded", t.degraded),
            ("rejected", t.rejected),
            ("failed", t.failed),
            ("timed out", t.timed_out),
        ];
        for (name, count) in outcomes {
            if count > 0 || name == "ok" {
                let (rate, share) = (rate(count), share(count));
                writeln!(f, "  {name:<12} {count:>10}           {rate:>9.1}/s  {share:>5.1} %")?;
            }
        }
        writeln!(f, "  attempts     {:>10}  {:.2} per request", t.attempts, t.amplification)?;
        writeln!(f, "  wasted work  {:>10}  of {} pieces of work", t.wasted, t.worked)?;
        if t.applied > 0 {
            writeln!(
                f,
                "  done twice   {:>10}  of {} changes of data",
                t.double_effects, t.applied
            )?;
        }
        let latency = |ms: f64| if ms.is_nan() { "-".to_owned() } else { format!("{ms:.1} ms") };
        writeln!(
            f,
            "  latency      p50 {}  p90 {}  p99 {}  p99.9 {}",
            latency(t.p50),
            latency(t.p90),
            latency(t.p99),
            latency(t.p999)
        )?;
        writeln!(f, "  messages     {:>10}  of which {} arrived", self.messages, self.delivered)?;
        let Cost { per_hour, nodes, traffic, .. } = &self.cost;
        writeln!(
            f,
            "  cost         {per_hour:>10.2} servers: {nodes:.2} run, {traffic:.2} traffic"
        )?;
        if let Some(cost) = &self.recovery {
            let Disaster { acknowledged, lost, rpo_s, .. } = cost;
            let rto = cost.rto_s.map_or("never".to_owned(), |rto| format!("{rto:.2} s"));
            writeln!(
                f,
                "  disaster     RPO {rpo_s:.2} s, {lost} of {acknowledged} lost, RTO {rto}"
            )?;
        }
        if !self.verdicts.is_empty() {
            writeln!(f)?;
        }
        for verdict in &self.verdicts {
            let state = match verdict.state {
                State::Holds => "holds",
                State::Violated => "VIOLATED",
                State::Unknown => "unknown",
            };
            writeln!(f, "  {state:<9} {}: {}", verdict.name, verdict.sentence)?;
        }
        writeln!(f)?;
        write!(f, "  {} events, digest {}, link #{}", self.events, self.digest, self.link)
    }
}
