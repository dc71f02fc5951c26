//! Clients who fight over one row with compare-and-set (Brooker's simulator of backoff and
//! jitter): how many writes it takes until everyone has won, and how long.

use super::estimate::Estimate;
use super::lab::Lab;
use super::{Effort, all, each, only, told};
use crate::base::time::Time;
use crate::conform::section::number;
use crate::conform::{Cases, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

const MODEL: [(&str, &str); 5] = [
    (
        "network",
        "every leg (read request, read answer, write request, write answer, and the leg after a \
         backoff) takes |Normal(10, 2)|; time has no unit (ms in the blog)",
    ),
    (
        "server",
        "one row with a version; a read returns the version; a write with the current version \
         succeeds and increments it, otherwise fails; no service time",
    ),
    (
        "client",
        "starts at time 0 with one leg, reads, writes, on failure sleeps backoff(attempt) plus \
         one leg and reads again; stops after its first success; attempt is 1 for the first backoff",
    ),
    (
        "calls",
        "number of write calls in total (failures + one success per client); reads are not counted",
    ),
    ("time", "time of the last event, the write answer of the last client"),
];

const BACKOFF: [(&str, &str); 5] = [
    ("None", "0"),
    ("Exponential", "min(cap, base*2^attempt)"),
    ("EqualJitter", "v/2 + U(0, v/2), v as above"),
    ("FullJitter", "U(0, v)"),
    ("Decorr", "s := min(cap, U(base, 3*s)), s starts at base, per client"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    clients: u32,
    algorithm: String,
    runs: u32,
    calls_mean: f64,
    calls_sd: f64,
    calls_p50: f64,
    time_mean: f64,
    time_sd: f64,
    time_p50: f64,
    /// The mean of one leg in the model, in milliseconds.
    #[serde(default = "leg")]
    leg: f64,
}

fn leg() -> f64 {
    10.0
}

pub(in crate::conform) fn replay(file: &Value, cases: &mut Cases<'_>) {
    only(file, "", &["source", "format", "model", "rows"], cases);
    let mut model = file.get("model").cloned().unwrap_or_default();
    let mut take = |key: &str| model.as_object_mut().and_then(|facts| facts.remove(key));
    let (base, cap, backoff) = (take("base"), take("cap"), take("backoff"));
    cases.check("model", told(Some(&model), &MODEL));
    cases.check("model.backoff", told(backoff.as_ref(), &BACKOFF));
    let given = |value: Option<Value>, key| number(&value.ok_or(format!("`{key}` is missing"))?);
    match (given(base, "base"), given(cap, "cap")) {
        (Ok(base), Ok(cap)) => {
            let name = |row: &Row| format!("{} clients, {}", row.clients, row.algorithm);
            each(file, "rows", cases, name, |row, effort| replay_row(row, base, cap, effort));
        }
        (Err(how), _) | (_, Err(how)) => cases.check("model", Err(how)),
    }
}

fn scenario(row: &Row, base: f64, cap: f64) -> Result<Value, String> {
    let ms = |value: f64| format!("{value}ms");
    let grown = |jitter: &str| {
        json!({
            "attempts": 100, "backoff": "exponential", "base": ms(2.0 * base), "factor": 2.0,
            "cap": ms(cap), "jitter": jitter,
        })
    };
    let retry = match row.algorithm.as_str() {
        "None" => json!({ "attempts": 100 }),
        "Exponential" => grown("none"),
        "EqualJitter" => grown("equal"),
        "FullJitter" => grown("full"),
        "Decorr" => json!({
            "attempts": 100, "backoff": "decorrelated", "base": ms(base), "cap": ms(cap)
        }),
        other => return Err(format!("the backoff `{other}` is not supported yet")),
    };
    Ok(json!({
        "nodes": {
            "people": { "clients": {
                "count": row.clients, "to": "row", "requests": 1, "items": 1,
                "load": { "closed": { "think": "0s" } }, "mix": { "update": 1 }, "retry": retry,
            } },
            "row": { "ledger": { "workers": 1_000_000, "time": "0s" } },
        },
        "network": { "latency": { "normal": [ms(row.leg), "2ms"] } },
    }))
}

fn replay_row(row: &Row, base: f64, cap: f64, effort: Effort) -> Verdict {
    let scenario = scenario(row, base, cap)?;
    let runs = if effort == Effort::Full { row.runs.clamp(100, 1_000) } else { 100 };
    let (mut calls, mut times) = (Vec::new(), Vec::new());
    for seed in 1..=runs {
        let mut lab = Lab::new(&scenario, u64::from(seed), "row")?;
        let last = lab.run_out(Time(3_600_000_000));
        let totals = &lab.metrics.totals;
        if totals.ok != u64::from(row.clients) {
            return Err(format!("only {} of {} clients got through", totals.ok, row.clients));
        }
        calls.push(totals.attempts as f64);
        times.push(last.0 as f64 / 1e3);
    }
    let few = row.clients <= 10;
    let for_calls = if few { 0.025 } else { 0.015 };
    let for_time = match (row.algorithm.as_str(), few) {
        ("None", _) => 0.015,
        ("Exponential", true) => 0.12,
        (_, true) => 0.08,
        (_, false) => 0.06,
    };
    all([
        Estimate::of(&calls).is_about("calls", row.calls_mean, for_calls),
        Estimate::of(&times).is_about("time", row.time_mean, for_time),
        middle(&calls).is_about("median of calls", row.calls_p50, for_calls),
        middle(&times).is_about("median of time", row.time_p50, for_time),
        spread(&calls).is_about("deviation of calls", row.calls_sd, 0.1),
        spread(&times).is_about("deviation of time", row.time_sd, 0.1),
    ])
}

/// The median; a quarter less sure than the mean, as that of a normal variable is.
fn middle(samples: &[f64]) -> Estimate {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = Estimate::of(samples).half * 1.253;
    Estimate { mean: sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN), half }
}

/// The standard deviation, and how sure from those of ten parts.
fn spread(samples: &[f64]) -> Estimate {
    let deviation = |part: &[f64]| {
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        let squares: f64 = part.iter().map(|x| (x - mean) * (x - mean)).sum();
        libm::sqrt(squares / (part.len() as f64 - 1.0))
    };
    let parts: Vec<f64> = samples.chunks(samples.len().div_ceil(10)).map(deviation).collect();
    Estimate { mean: deviation(samples), half: Estimate::of(&parts).half }
}
