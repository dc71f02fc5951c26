//! Policies of a load balancer in front of queues: mean time in the system and its 99th
//! percentile, against an independent simulation of the same queues.

use super::estimate::Estimate;
use super::lab::{Batch, Stretch, UNIT, steady};
use super::{Effort, all, each, only};
use crate::conform::{Cases, Verdict, section};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the file means by its policies; ours are built to the same rules.
const POLICIES: &str = "random; rr = round robin; dk = least loaded of k picks with replacement, \
    ties keep the first pick (d2: two picks); jsq = shortest of all, ties broken uniformly";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    n: u32,
    rho: f64,
    policy: String,
    #[serde(rename = "W")]
    w: f64,
    se: f64,
    p99: Option<f64>,
}

pub(in crate::conform) fn replay(file: &Value, cases: &mut Cases<'_>) {
    only(file, "", &["about", "format", "mean_field", "policies", "data"], cases);
    let policies = file.get("policies").unwrap_or(&Value::Null);
    cases.check("policies", section::told(policies, POLICIES));
    let name = |row: &Row| format!("{} at load {}", row.policy, row.rho);
    each(file, "data", cases, name, row);
}

fn row(row: &Row, effort: Effort) -> Verdict {
    let policy = match row.policy.as_str() {
        "random" => "random",
        "rr" => "round_robin",
        "d2" => "two_choices",
        "jsq" => "least_outstanding",
        other => return Err(format!("the policy `{other}` is not supported yet")),
    };
    let jobs = match (effort, row.rho) {
        (Effort::Full, rho) if rho < 0.9 => 3e6,
        (Effort::Full, _) => 1e7,
        (Effort::Brief, rho) if rho < 0.9 => 1e5,
        (Effort::Brief, rho) if rho < 0.94 => 4e5,
        (Effort::Brief, _) => 1e6,
    };
    let batches = farm(row.n, row.rho, policy, jobs)?;
    let share = if row.rho < 0.94 { 0.02 } else { 0.04 };
    let unit = UNIT.0 as f64;
    let w = Estimate::ratio(&batches, took, |b| b.took.len() as f64).by(unit);
    let slow: Vec<&[u32]> = batches.iter().map(|b| b.took.as_slice()).collect();
    let p99 = Estimate::quantile(&slow, 0.99).by(unit);
    // A percentile is known no better than the mean.
    let known = |value: f64| share * value + 3.0 * row.se * value / row.w;
    all([
        w.is("W", row.w, known(row.w)),
        row.p99.map_or(Ok(()), |value| match effort {
            Effort::Full => p99.is("p99", value, known(value)),
            // A brief run sees too few of the longest times to be sure of it.
            Effort::Brief => p99.within("p99", value, known(value), 0.0),
        }),
    ])
}

fn took(batch: &Batch) -> f64 {
    batch.took.iter().map(|&took| f64::from(took)).sum()
}

/// So many servers behind a balancer, each with this load.
pub(super) fn farm(n: u32, rho: f64, policy: &str, jobs: f64) -> Result<Vec<Batch>, String> {
    let rate = f64::from(n) * rho;
    let mut people = super::open(rate / UNIT.as_secs());
    people["to"] = "lb".into();
    let scenario = json!({
        "nodes": {
            "people": { "clients": people },
            "lb": { "balancer": { "to": "api", "policy": policy, "timeout": "60s" } },
            "api": { "service": {
                "replicas": n, "workers": 1, "time": { "exponential": UNIT.to_string() }
            } },
        },
        "network": { "latency": "0s" },
    });
    // The longest memory is that of a single queue at this load.
    let memory = 1.0 / ((1.0 - rho.sqrt()) * (1.0 - rho.sqrt()));
    let warm = if policy == "random" || policy == "round_robin" { 6.0 * memory } else { 300.0 };
    let warm = if rho > 0.98 { warm.max(1_000.0) } else { warm };
    steady(&scenario, "api", Stretch::of(jobs, rate, warm + 50.0))
}
