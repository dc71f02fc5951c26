//! One station: queues in front of workers, open and closed, with and without an end.

use super::{CHANCE, Effort, share, tick};
use crate::conform::Verdict;
use crate::conform::runs::estimate::Estimate;
use crate::conform::runs::lab::{Batch, Stretch, UNIT, steady};
use crate::conform::runs::{all, open, pair};
use serde::Deserialize;
use serde_json::{Value, json};

fn unit() -> f64 {
    UNIT.0 as f64
}

/// Jobs to watch at this load: the fuller the queues, the longer they remember.
fn jobs(rho: f64, effort: Effort) -> f64 {
    match (effort, rho) {
        (Effort::Full, r) if r > 0.98 => 3e7,
        (Effort::Full, r) if r > 0.85 => 6e6,
        (Effort::Full, _) => 2e6,
        (Effort::Brief, r) if r > 0.98 => 2.5e6,
        (Effort::Brief, r) if r > 0.92 => 3e5,
        (Effort::Brief, r) if r > 0.85 => 2e5,
        (Effort::Brief, _) => 2e5,
    }
}

/// Runs a station to which `rate` requests come per unit of time, at this load of a worker.
fn run(api: Value, rate: f64, rho: f64, effort: Effort) -> Result<Vec<Batch>, String> {
    run_for(api, rate, rho, jobs(rho, effort))
}

fn run_for(api: Value, rate: f64, rho: f64, jobs: f64) -> Result<Vec<Batch>, String> {
    // Ten times the memory of the queue, counted in jobs (Cohen, The Single Server Queue, III.7).
    let root = 1.0 - libm::sqrt(rho.min(0.995));
    let warm = (10.0 / (root * root) + 1_000.0) / rate;
    let long = Stretch::of(jobs, rate, warm);
    steady(&pair(open(rate / UNIT.as_secs()), api), "api", long)
}

fn exponential(workers: u32, service: f64) -> Value {
    let mean = format!("{}us", libm::round(service * unit()));
    json!({ "workers": workers, "time": { "exponential": mean } })
}

/// What is measured at a station.
struct Measured<'a> {
    batches: &'a [Batch],
    workers: usize,
}

impl Measured<'_> {
    fn per_job(&self, of: impl Fn(&Batch) -> u64) -> Estimate {
        Estimate::ratio(self.batches, |b| of(b) as f64, |b| b.jobs as f64)
    }

    fn stay(&self) -> Estimate {
        self.per_job(|b| b.stayed).by(unit())
    }

    fn wait(&self) -> Estimate {
        self.per_job(|b| b.waited).by(unit())
    }

    fn over_time(&self, of: impl Fn(usize) -> f64) -> Estimate {
        Estimate::ratio(self.batches, |b| b.integral(&of), |b| b.span)
    }

    fn inside(&self) -> Estimate {
        self.over_time(|n| n as f64)
    }

    fn waiting(&self) -> Estimate {
        self.over_time(|n| n.saturating_sub(self.workers) as f64)
    }

    fn quantile(&self, share: f64) -> Estimate {
        let took: Vec<&[u32]> = self.batches.iter().map(|b| b.took.as_slice()).collect();
        Estimate::quantile(&took, share).by(unit())
    }
}

/// One worker, memoryless arrivals and service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct Single {
    pub(super) rho: f64,
    /// The mean service time of the model; the closed forms take it as one.
    #[serde(default = "one")]
    service: f64,
    #[serde(rename = "L")]
    l: f64,
    #[serde(rename = "Lq")]
    lq: f64,
    #[serde(rename = "W")]
    w: f64,
    #[serde(rename = "Wq")]
    wq: f64,
    #[serde(rename = "W_p50")]
    p50: f64,
    #[serde(rename = "W_p95")]
    p95: f64,
    #[serde(rename = "W_p99")]
    p99: f64,
    #[serde(rename = "W_p999")]
    p999: f64,
    #[serde(rename = "P_wait")]
    wait: f64,
    #[serde(rename = "P_N_ge_10")]
    ten: f64,
}

fn one() -> f64 {
    1.0
}

impl Single {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let room = 1.0 - self.rho;
        // So many that a full run can be asked for each percentile, see below; no more than fit
        // into memory.
        let jobs = match effort {
            Effort::Full => jobs(self.rho, effort).max((104_000.0 / (room * room)).min(2.6e8)),
            Effort::Brief => jobs(self.rho, effort),
        };
        let batches = run_for(exponential(1, self.service), self.rho, self.rho, jobs)?;
        let m = Measured { batches: &batches, workers: 1 };
        let share = share(self.rho);
        all([
            m.inside().is_about("L", self.l, share),
            m.waiting().is_about("Lq", self.lq, share),
            m.stay().is_about("W", self.w, share),
            m.wait().is_about("Wq", self.wq, share),
            self.percentile(&m, "W_p50", 0.5, self.p50),
            self.percentile(&m, "W_p95", 0.95, self.p95),
            self.percentile(&m, "W_p99", 0.99, self.p99),
            self.percentile(&m, "W_p999", 0.999, self.p999),
            m.per_job(|b| b.waiters).is("P_wait", self.wait, CHANCE),
            m.over_time(|n| f64::from(u8::from(n >= 10))).is("P_N_ge_10", self.ten, CHANCE),
        ])
    }
}

impl Single {
    /// A percentile of the time in the system. Long times come in clusters, for whoever stands in
    /// a long queue has company: of about 1/(1-rho)² jobs. A run that sees fewer than 25 clusters
    /// beyond a percentile cannot know where it lies, and is not asked; a full run sees enough.
    fn percentile(&self, m: &Measured<'_>, what: &str, at: f64, expected: f64) -> Verdict {
        let jobs: f64 = m.batches.iter().map(|b| b.jobs as f64).sum();
        let clusters = jobs * (1.0 - at) * (1.0 - self.rho) * (1.0 - self.rho);
        if clusters < 25.0 {
            return Ok(());
        }
        m.quantile(at).is_about(what, expected, share(self.rho))
    }
}

/// Several workers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Many {
    pub(super) c: u32,
    pub(super) rho: f64,
    offered: f64,
    #[serde(default = "one")]
    service: f64,
    #[serde(rename = "erlangC")]
    erlang_c: f64,
    #[serde(rename = "Wq")]
    wq: f64,
    #[serde(rename = "W")]
    w: f64,
    #[serde(rename = "Lq")]
    lq: f64,
    #[serde(rename = "P_wait_gt_1")]
    long: f64,
}

impl Many {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let batches = run(exponential(self.c, self.service), self.offered, self.rho, effort)?;
        let m = Measured { batches: &batches, workers: self.c as usize };
        let share = share(self.rho);
        // A queue that hardly ever forms is known to the tick of the clock.
        let (wait, waiting) = (share * self.wq + tick(), share * self.lq + tick() * self.offered);
        let load = f64::from(self.c) * self.rho;
        all([
            crate::conform::near("offered", self.offered, load, 1e-9),
            m.stay().is_about("W", self.w, share),
            m.wait().is("Wq", self.wq, wait),
            m.waiting().is("Lq", self.lq, waiting),
            m.per_job(|b| b.waiters).is("erlangC", self.erlang_c, CHANCE),
            m.per_job(|b| b.long_waiters).is("P_wait_gt_1", self.long, CHANCE),
        ])
    }
}

/// A point of a published curve.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Published {
    pub(super) c: u32,
    pub(super) offered: f64,
    #[serde(rename = "erlangC")]
    erlang_c: f64,
    published_percent: f64,
}

impl Published {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let rho = self.offered / f64::from(self.c);
        let batches = run(exponential(self.c, 1.0), self.offered, rho, effort)?;
        let m = Measured { batches: &batches, workers: self.c as usize };
        let wait = m.per_job(|b| b.waiters);
        all([
            wait.is("erlangC", self.erlang_c, CHANCE),
            wait.is("published", self.published_percent / 100.0, CHANCE),
        ])
    }
}

/// One worker whose service times have another spread (Pollaczek and Khinchine).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct General {
    /// `D` always the same, `U` evenly up to twice the mean, `H` two exponentials.
    pub(super) service: String,
    pub(super) rho: f64,
    cv2: f64,
    #[serde(rename = "W")]
    w: f64,
    #[serde(rename = "Wq")]
    wq: f64,
    #[serde(rename = "Lq")]
    lq: f64,
}

impl General {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let (time, cv2) = match self.service.as_str() {
            "D" => (json!("10ms"), 0.0),
            "U" => (json!({ "uniform": ["0s", "20ms"] }), 1.0 / 3.0),
            // Nine of ten take half the mean, the tenth five and a half times.
            "H" => {
                let parts = [(9.0, "5ms"), (1.0, "55ms")];
                let parts = parts.map(|(w, mean)| json!([w, { "exponential": mean }]));
                (json!({ "mixture": parts }), 5.5)
            }
            other => return Err(format!("the service `{other}` is not supported yet")),
        };
        crate::conform::near("cv2", self.cv2, cv2, 1e-6)?;
        let api = json!({ "workers": 1, "time": time });
        let batches = run(api, self.rho, self.rho, effort)?;
        let m = Measured { batches: &batches, workers: 1 };
        let share = share(self.rho);
        all([
            m.stay().is_about("W", self.w, share),
            m.wait().is_about("Wq", self.wq, share),
            m.waiting().is_about("Lq", self.lq, share),
        ])
    }
}

/// A house with room for `k` requests; the rest is turned away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bounded {
    pub(super) c: u32,
    #[serde(rename = "K")]
    pub(super) k: u32,
    pub(super) rho: f64,
    #[serde(rename = "P_loss")]
    loss: f64,
    throughput: f64,
    #[serde(rename = "L")]
    l: f64,
}

impl Bounded {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let rate = self.rho * f64::from(self.c);
        let mut api = exponential(self.c, 1.0);
        api["queue"] = self.k.saturating_sub(self.c).into();
        let batches = run(api, rate, 0.8, effort)?;
        let m = Measured { batches: &batches, workers: self.c as usize };
        let loss = Estimate::ratio(&batches, |b| b.refused as f64, |b| b.arrived as f64);
        let done = Estimate::ratio(&batches, |b| b.jobs as f64, |b| b.span / unit());
        all([
            loss.is("P_loss", self.loss, CHANCE),
            done.is_about("throughput", self.throughput, 0.01),
            m.inside().is_about("L", self.l, 0.01),
        ])
    }
}

/// Clients who think and ask one after the other (exact mean value analysis).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closed {
    pub(super) clients: u32,
    think: f64,
    #[serde(rename = "X")]
    x: f64,
    #[serde(rename = "R")]
    r: f64,
    #[serde(rename = "Q")]
    q: f64,
}

impl Closed {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let think = format!("{}us", libm::round(self.think * unit()));
        let people = json!({
            "count": self.clients, "load": { "closed": { "think": { "exponential": think } } }
        });
        let long = Stretch::of(jobs(0.8, effort), self.x, 2_000.0);
        let batches = steady(&pair(people, exponential(1, 1.0)), "api", long)?;
        let m = Measured { batches: &batches, workers: 1 };
        let done = Estimate::ratio(&batches, |b| b.jobs as f64, |b| b.span / unit());
        all([
            done.is_about("X", self.x, 0.01),
            m.stay().is_about("R", self.r, 0.01),
            m.inside().is_about("Q", self.q, 0.01),
        ])
    }
}
