//! Closed forms of queueing theory, against queues of ordinary services: in each row the mean
//! service time is the unit of time.

mod fan_out;
mod stations;

use super::estimate::Estimate;
use super::lab::{Batch, UNIT};
use super::{Effort, all, each, only};
use crate::conform::{Cases, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

/// The allowed distance of a probability.
const CHANCE: f64 = 0.005;

#[derive(Deserialize)]
#[serde(tag = "model")]
enum Case {
    #[serde(rename = "M/M/1")]
    Single(stations::Single),
    #[serde(rename = "M/M/c")]
    Many(stations::Many),
    #[serde(rename = "M/M/c (Brooker blog 2020-08-06 points)")]
    Published(stations::Published),
    #[serde(rename = "M/G/1")]
    General(stations::General),
    #[serde(rename = "M/M/c/K")]
    Bounded(stations::Bounded),
    #[serde(rename = "closed loop")]
    Closed(stations::Closed),
    #[serde(rename = "supermarket model (n->inf), power of d choices")]
    Choices(Choices),
    #[serde(rename = "max of n iid exp(1) (parallel fan-out)")]
    Slowest(fan_out::Slowest),
    #[serde(rename = "k-th of n exp(1) (quorum)")]
    Quorum(fan_out::Quorum),
    #[serde(rename = "chain of k exp(1)")]
    Chain(fan_out::Chain),
    #[serde(rename = "hedged exp(1)")]
    Hedged(fan_out::Hedged),
    #[serde(rename = "fan-out tail")]
    Tail(fan_out::Tail),
    #[serde(rename = "independent failures, r retries")]
    Retries(Retries),
}

pub(in crate::conform) fn replay(file: &Value, cases: &mut Cases<'_>) {
    only(file, "", &["about", "format", "source", "cases"], cases);
    each(file, "cases", cases, Case::name, Case::replay);
}

impl Case {
    fn name(&self) -> String {
        match self {
            Case::Single(case) => format!("M/M/1 at load {}", case.rho),
            Case::Many(case) => format!("M/M/{} at load {}", case.c, case.rho),
            Case::Published(case) => format!("M/M/{}, offered {}", case.c, case.offered),
            Case::General(case) => format!("M/{}/1 at load {}", case.service, case.rho),
            Case::Bounded(case) => format!("M/M/{}/{} at load {}", case.c, case.k, case.rho),
            Case::Closed(case) => format!("{} clients in a loop", case.clients),
            Case::Choices(case) => format!("best of {} at load {}", case.d, case.rho),
            Case::Slowest(case) => format!("slowest of {}", case.n),
            Case::Quorum(case) => format!("{} of {}", case.k, case.n),
            Case::Chain(case) => format!("{} in a row", case.k),
            Case::Hedged(case) => format!("hedged after {}", case.after),
            Case::Tail(case) => format!("any of {} slow, each {}", case.n, case.p_slow),
            Case::Retries(case) => {
                format!("failure {}, {} retries", case.failure, case.retries)
            }
        }
    }

    fn replay(&self, effort: Effort) -> Verdict {
        match self {
            Case::Single(case) => case.replay(effort),
            Case::Many(case) => case.replay(effort),
            Case::Published(case) => case.replay(effort),
            Case::General(case) => case.replay(effort),
            Case::Bounded(case) => case.replay(effort),
            Case::Closed(case) => case.replay(effort),
            Case::Choices(case) => case.replay(effort),
            Case::Slowest(case) => case.replay(effort),
            Case::Quorum(case) => case.replay(effort),
            Case::Chain(case) => case.replay(effort),
            Case::Hedged(case) => case.replay(effort),
            Case::Tail(case) => case.replay(effort),
            Case::Retries(case) => case.replay(effort),
        }
    }
}

/// How far a mean may be off at this load: 1 % up to 0.9, 3 % above.
fn share(rho: f64) -> f64 {
    if rho <= 0.9 { 0.01 } else { 0.03 }
}

/// Times are not told apart below the tick of the clock, in units of the service time.
fn tick() -> f64 {
    1.0 / UNIT.0 as f64
}

/// The best of d queues of very many: what is left of the number of queues is taken out by
/// running two numbers of them, since its effect falls as 1/n.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    d: u32,
    rho: f64,
    #[serde(rename = "W")]
    w: f64,
    fraction_queues_ge_k: Vec<f64>,
}

impl Choices {
    fn replay(&self, effort: Effort) -> Verdict {
        let full = effort == Effort::Full;
        match self.d {
            // Queues chosen at random do not feel each other, however few they are.
            1 => {
                let jobs = match (full, self.rho > 0.98) {
                    (true, true) => 6e7,
                    (true, false) => 1e7,
                    (false, true) => 3e6,
                    (false, false) => 3e5,
                };
                let batches = super::balancing::farm(2, self.rho, "random", jobs)?;
                self.judge(effort, |of, by| Estimate::ratio(&batches, of, by))
            }
            2 => {
                let jobs = match (full, self.rho > 0.92) {
                    (true, true) if self.rho > 0.98 => 6e7,
                    (true, true) => 2e7,
                    (true, false) => 4e6,
                    (false, true) => 2e6,
                    (false, false) => 3e5,
                };
                let half = super::balancing::farm(200, self.rho, "two_choices", jobs)?;
                let whole = super::balancing::farm(400, self.rho, "two_choices", jobs)?;
                self.judge(effort, |of, by| {
                    let (one, two) =
                        (Estimate::ratio(&half, of, by), Estimate::ratio(&whole, of, by));
                    let mean = 2.0 * two.mean - one.mean;
                    Estimate { mean, half: libm::hypot(2.0 * two.half, one.half) }
                })
            }
            d => Err(format!("the best of {d} is not supported yet")),
        }
    }

    fn judge(
        &self,
        effort: Effort,
        measure: impl Fn(&dyn Fn(&Batch) -> f64, &dyn Fn(&Batch) -> f64) -> Estimate,
    ) -> Verdict {
        let w = measure(&|b| b.stayed as f64, &|b| b.jobs as f64).by(UNIT.0 as f64);
        w.is_about("W", self.w, share(self.rho))?;
        all(self.fraction_queues_ge_k.iter().enumerate().map(|(place, &fraction)| {
            let above = |b: &Batch| b.integral(|n| f64::from(u8::from(n > place)));
            let found = measure(&above, &Batch::station_time);
            let what = format!("queues of {} and more", place + 1);
            match effort {
                Effort::Full => found.is(&what, fraction, CHANCE),
                // A brief run sees too few of the longest queues to be sure of their share.
                Effort::Brief => found.within(&what, fraction, CHANCE, 0.0),
            }
        }))
    }
}

/// A service that fails each request by itself, and clients who try again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retries {
    failure: f64,
    retries: u32,
    success: f64,
    attempts_per_request: f64,
}

impl Retries {
    fn replay(&self, effort: Effort) -> Verdict {
        let mut people = super::open(1_000.0);
        people["retry"] = json!({ "attempts": self.retries + 1 });
        let error = format!("{}%", self.failure * 100.0);
        let api = json!({ "workers": 1_000_000, "time": "0s", "error": error });
        let jobs = if effort == Effort::Full { 1e6 } else { 5e4 };
        let long = super::lab::Stretch::of(jobs, 10.0, 1.0);
        let batches = super::lab::steady(&super::pair(people, api), "api", long)?;
        let success = Estimate::ratio(&batches, |b| b.good as f64, |b| b.offered as f64);
        let attempts = Estimate::ratio(&batches, |b| b.attempts as f64, |b| b.offered as f64);
        all([
            success.is("success", self.success, CHANCE),
            attempts.is("attempts", self.attempts_per_request, CHANCE),
        ])
    }
}
