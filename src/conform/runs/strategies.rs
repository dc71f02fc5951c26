//! Retry strategies in front of a server that fails each call by itself (Brooker's retry
//! simulator): how many requests succeed, and how many calls each takes.

use super::estimate::Estimate;
use super::lab::Lab;
use super::{Effort, all, each, only, told};
use crate::base::time::Time;
use crate::conform::{Cases, Verdict, section};
use serde::Deserialize;
use serde_json::{Value, json};

const MODEL: &str = "server fails each call independently; clients open Poisson (or serial); \
    three_retries = up to 3 retries; token bucket: 0.1 token added per FIRST TRY (the blog text \
    says per success), capacity 5, starts full, a retry needs strictly more than 1 token; retry \
    breaker: per client, retries allowed while failures/first tries <= 0.1 counted over the \
    whole run (failures include failed retries)";

const CLOSED: [(&str, &str); 3] = [
    ("n_retries_success", "1-f^(r+1) (the blog text says f^N; its code gives r+1)"),
    ("n_retries_load", "(1-f^(r+1))/(1-f)"),
    (
        "token_bucket_load_limit",
        "1 + deposit + (usable initial tokens)/(first tries per client); 4 usable of 5",
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tag: String,
    failure_rate: f64,
    strategy: String,
    clients: u32,
    rate_per_client: f64,
    backoff: f64,
    #[serde(rename = "T")]
    seconds: f64,
    reps: u32,
    success_frac: f64,
    load_factor: f64,
    unique: f64,
}

pub(super) fn replay(section: &Value, cases: &mut Cases<'_>) {
    only(section, "retry_strategies.", &["source", "model", "closed_forms", "results"], cases);
    let model = section.get("model").unwrap_or(&Value::Null);
    cases.check("retry_strategies.model", section::told(model, MODEL));
    if let Some(forms) = section.get("closed_forms") {
        let forms = told(Some(forms), &CLOSED).and_then(|()| closed_forms(cases.effort));
        cases.check("retry_strategies.closed_forms", forms);
    }
    let name = |row: &Row| format!("{} at failure {}", row.strategy, row.failure_rate);
    each(section, "results", cases, name, |row: &Row, effort| row.replay(effort));
}

/// What came of a run: requests that succeeded, calls for each, first tries.
struct Outcome {
    success: f64,
    load: f64,
    unique: f64,
}

impl Row {
    fn replay(&self, effort: Effort) -> Verdict {
        if !["strategies", "serial_vs_open"].contains(&self.tag.as_str()) {
            return Err(format!("the tag `{}` is not supported yet", self.tag));
        }
        let runs = if effort == Effort::Full { 10 } else { 4 };
        let outcomes = self.run(runs)?;
        let judge = |what: &str, read: fn(&Outcome) -> f64, expected: f64, tolerance: f64| {
            let samples: Vec<f64> = outcomes.iter().map(read).collect();
            let found = Estimate::of(&samples);
            let theirs = found.half * libm::sqrt(f64::from(runs) / f64::from(self.reps));
            found.is_like(what, expected, tolerance, theirs)
        };
        all([
            judge("success_frac", |o| o.success, self.success_frac, 0.005),
            judge("load_factor", |o| o.load, self.load_factor, 0.005),
            judge("unique", |o| o.unique, self.unique, 0.005 * self.unique),
        ])
    }

    /// The original's serial clients wait longer before each retry of a call, by as much each
    /// time; the file does not say so, but their number of first tries does: a wait that doubles
    /// would leave 5 % fewer at a failure rate of one half.
    fn run(&self, runs: u32) -> Result<Vec<Outcome>, String> {
        let serial = self.strategy == "three_retries_serial";
        let backoff = json!({
            "attempts": 4, "backoff": if self.backoff > 0.0 { "linear" } else { "immediate" },
            "base": format!("{}s", self.backoff), "cap": "1h",
        });
        let (retry, budget) = match self.strategy.as_str() {
            "no_retries" => (json!({}), Value::Null),
            "three_retries" | "three_retries_unbounded" | "three_retries_serial" => {
                (backoff, Value::Null)
            }
            // The program has no limit but the tokens.
            "token_bucket_0.1_cap5" => (json!({ "attempts": 100 }), json!({ "token_bucket": {} })),
            "retry_breaker_10pct" => (backoff, json!({ "ratio": {} })),
            other => return Err(format!("the strategy `{other}` is not supported yet")),
        };
        let end = format!("{}s", self.seconds);
        let load = if serial {
            json!({ "closed": { "think": { "exponential": format!("{}s", 1.0 / self.rate_per_client) } } })
        } else {
            let rate = format!("{}/s", self.rate_per_client);
            json!({ "open": { "rate": rate, "profile": [[end, 1.0], [end, 0.0]] } })
        };
        let people = json!({
            "count": self.clients, "load": load, "retry": retry, "budget": budget,
            "own_policies": true,
        });
        let error = format!("{}%", self.failure_rate * 100.0);
        let scenario =
            super::pair(people, json!({ "workers": 1_000_000, "time": "0s", "error": error }));
        let end = self.seconds * 1e6;
        // Calls begun in time are seen to their end.
        let until = if serial { end } else { end + 5e6 };
        (1..=u64::from(runs)).map(|seed| self.once(&scenario, seed, until, serial)).collect()
    }

    fn once(
        &self,
        scenario: &Value,
        seed: u64,
        until: f64,
        serial: bool,
    ) -> Result<Outcome, String> {
        let mut lab = Lab::new(scenario, seed, "api")?;
        lab.run_until(Time(until as u64));
        let totals = &lab.metrics.totals;
        let ended = totals.ended() as f64;
        // The original gives every client one call more: an open one begins with a call, and a
        // serial one that waits for its turn at the end still makes it.
        let first_tries = if serial { ended } else { totals.offered as f64 };
        Ok(Outcome {
            success: totals.good() as f64 / ended,
            load: totals.attempts as f64 / totals.offered as f64,
            unique: first_tries + f64::from(self.clients),
        })
    }
}

/// The formulas, for numbers that the rows do not have.
fn closed_forms(effort: Effort) -> Verdict {
    let runs = if effort == Effort::Full { 10 } else { 4 };
    let row = |strategy: &str, failure_rate, clients, seconds| Row {
        tag: "strategies".into(),
        failure_rate,
        strategy: strategy.into(),
        clients,
        rate_per_client: 10.0,
        backoff: 0.0,
        seconds,
        reps: runs,
        success_frac: 0.0,
        load_factor: 0.0,
        unique: 0.0,
    };
    let f = 0.4;
    let all_four = f * f * f * f;
    let outcomes = row("three_retries", f, 100, 100.0).run(runs)?;
    let success: Vec<f64> = outcomes.iter().map(|o| o.success).collect();
    let load: Vec<f64> = outcomes.iter().map(|o| o.load).collect();
    Estimate::of(&success).is("n_retries_success", 1.0 - all_four, 0.005)?;
    Estimate::of(&load).is("n_retries_load", (1.0 - all_four) / (1.0 - f), 0.005)?;
    for (clients, seconds) in [(10, 100.0), (100, 40.0)] {
        let outcomes = row("token_bucket_0.1_cap5", 1.0, clients, seconds).run(runs)?;
        let load: Vec<f64> = outcomes.iter().map(|o| o.load).collect();
        let limit = 1.1 + 4.0 / (10.0 * seconds);
        Estimate::of(&load).is("token_bucket_load_limit", limit, 0.005)?;
    }
    Ok(())
}
