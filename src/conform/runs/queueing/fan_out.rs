//! One request that becomes many: the slowest of all, the k-th of all, any that is slow; one
//! after the other; and a second copy of a slow one. The leaves have room for everyone, so their
//! times are independent.

use super::{CHANCE, Effort};
use crate::conform::Verdict;
use crate::conform::runs::estimate::Estimate;
use crate::conform::runs::lab::{Batch, Stretch, UNIT, steady};
use crate::conform::runs::{all, open};
use serde::Deserialize;
use serde_json::{Value, json};

/// The allowed distance of a time.
const TIME: f64 = 0.02;

/// A front that asks a leaf so many times at once and needs so many answers.
fn run(leaf: Value, n: u32, k: u32, effort: Effort) -> Result<Vec<Batch>, String> {
    let mut people = open(20.0);
    people["to"] = "front".into();
    let scenario = json!({
        "nodes": {
            "people": { "clients": people },
            "front": { "service": {
                "workers": 1_000_000, "time": "0s", "parallel": true,
                "calls": { "leaf": { "fan_out": n, "needs": k } },
            } },
            "leaf": { "service": { "workers": 1_000_000, "time": leaf } },
        },
        "network": { "latency": "0s" },
    });
    // As many requests as a sum of leaves allows, within bounds.
    let (leaves, most) = match effort {
        Effort::Full => (3e7, 5e5),
        Effort::Brief => (4e5, 5e4),
    };
    let jobs = (leaves / f64::from(n)).min(most);
    steady(&scenario, "leaf", Stretch::of(jobs, 20.0 * UNIT.as_secs(), 100.0))
}

fn exponential() -> Value {
    json!({ "exponential": UNIT.to_string() })
}

fn mean(batches: &[Batch]) -> Estimate {
    let sum = |b: &Batch| b.took.iter().map(|&t| f64::from(t)).sum::<f64>();
    Estimate::ratio(batches, sum, |b| b.took.len() as f64).by(UNIT.0 as f64)
}

fn quantile(batches: &[Batch], share: f64) -> Estimate {
    let took: Vec<&[u32]> = batches.iter().map(|b| b.took.as_slice()).collect();
    Estimate::quantile(&took, share).by(UNIT.0 as f64)
}

/// Whether answers took as long as they should.
fn times(batches: &[Batch], expected: f64, p50: f64, p99: f64) -> Verdict {
    all([
        mean(batches).is_about("mean", expected, TIME),
        quantile(batches, 0.5).is_about("p50", p50, TIME),
        quantile(batches, 0.99).is_about("p99", p99, TIME),
    ])
}

/// The slowest of n answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slowest {
    pub(super) n: u32,
    mean: f64,
    p50: f64,
    p99: f64,
}

impl Slowest {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let batches = run(exponential(), self.n, self.n, effort)?;
        times(&batches, self.mean, self.p50, self.p99)
    }
}

/// The k-th of n answers: what a quorum waits for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quorum {
    pub(super) n: u32,
    pub(super) k: u32,
    mean: f64,
    p50: f64,
    p99: f64,
}

impl Quorum {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let batches = run(exponential(), self.n, self.k, effort)?;
        times(&batches, self.mean, self.p50, self.p99)
    }
}

/// Services that call each other in a row: Erlang's distribution.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chain {
    pub(super) k: u32,
    mean: f64,
    p50: f64,
    p99: f64,
}

impl Chain {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let mut people = open(20.0);
        people["to"] = "s1".into();
        let mut scenario = json!({
            "nodes": { "people": { "clients": people } }, "network": { "latency": "0s" }
        });
        for link in 1..=self.k {
            let mut service = json!({ "workers": 1_000_000, "time": exponential() });
            if link < self.k {
                service["calls"] = json!({ format!("s{}", link + 1): {} });
            }
            scenario["nodes"][format!("s{link}")] = json!({ "service": service });
        }
        let jobs = if effort == Effort::Full { 1e6 } else { 5e4 };
        let long = Stretch::of(jobs, 20.0 * UNIT.as_secs(), 100.0);
        let batches = steady(&scenario, "s1", long)?;
        times(&batches, self.mean, self.p50, self.p99)
    }
}

/// A second copy after a while; the faster of the two counts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hedged {
    pub(super) after: f64,
    mean: f64,
    extra: f64,
    p99: f64,
}

impl Hedged {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let mut people = open(20.0);
        let after = format!("{}us", libm::round(self.after * UNIT.0 as f64));
        people["hedge"] = json!({ "after": after });
        let api = json!({ "workers": 1_000_000, "time": exponential() });
        let jobs = if effort == Effort::Full { 1e6 } else { 5e4 };
        let long = Stretch::of(jobs, 20.0 * UNIT.as_secs(), 100.0);
        let batches = steady(&crate::conform::runs::pair(people, api), "api", long)?;
        let more = |b: &Batch| b.attempts as f64 - b.offered as f64;
        let extra = Estimate::ratio(&batches, more, |b| b.offered as f64);
        all([
            mean(&batches).is_about("mean", self.mean, TIME),
            extra.is("extra", self.extra, CHANCE),
            quantile(&batches, 0.99).is_about("p99", self.p99, TIME),
        ])
    }
}

/// Any of n answers that is slow makes the whole slow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tail {
    pub(super) p_slow: f64,
    pub(super) n: u32,
    #[serde(rename = "P_any_slow")]
    any: f64,
}

impl Tail {
    pub(super) fn replay(&self, effort: Effort) -> Verdict {
        let leaf = json!({ "mixture": [[1.0 - self.p_slow, "1ms"], [self.p_slow, "100ms"]] });
        let batches = run(leaf, self.n, self.n, effort)?;
        let slow = |b: &Batch| b.took.iter().filter(|&&took| took > 50_000).count() as f64;
        let any = Estimate::ratio(&batches, slow, |b| b.took.len() as f64);
        any.is("P_any_slow", self.any, CHANCE)
    }
}
