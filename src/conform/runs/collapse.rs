//! Brooker's collapse simulator: a server that slows down with every request in its house, a
//! spike of load, and clients who try again.

use super::estimate::Estimate;
use super::lab::{Batch, Lab};
use super::{Effort, all, each, only, told};
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::conform::{Cases, Verdict, near};
use serde::Deserialize;
use serde_json::{Value, json};

const MODEL: [(&str, &str); 5] = [
    (
        "arrivals",
        "open Poisson, rate base, changed to 80/s for 20 <= t <= 25 s (rate is re-read at each arrival)",
    ),
    ("network", "each leg Exp(mean 0.1 s)"),
    (
        "server",
        "no queue; a request that raises the in-flight count to c finishes after 1.0 + 0.01*c s",
    ),
    (
        "client",
        "timeout 3.0 s counted from sending; up to 3 attempts in all; late answers are ignored, the server still finishes them",
    ),
    (
        "retry",
        "no_backoff: at once; backoff_jitter: before attempt 2 wait U(0,20), before attempt 3 wait U(0,40)",
    ),
];

const CLOSED: [(&str, &str); 3] = [
    ("healthy_concurrency", "C = 1.01*L/(1-0.01*L) with L = offered rate (40/s gives 67.3)"),
    (
        "collapsed_state",
        "success 0; retries 2*L, timeouts 3*L; in-flight count grows without bound when 3*L > 100, else settles at 1.01*3L/(1-0.03*L)",
    ),
    (
        "metastable_range",
        "about 21 < L < 64 per second: below, three attempts per request still answer within the timeout",
    ),
];

/// The node that works: the second one.
const SERVER: NodeId = NodeId(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    base: f64,
    r#type: String,
    reps: u32,
    pre_starts: f64,
    pre_succ: f64,
    pre_retr: f64,
    pre_tout: f64,
    pre_conc: f64,
    spike_starts: f64,
    spike_succ: f64,
    spike_retr: f64,
    spike_tout: f64,
    spike_conc: f64,
    post_starts: f64,
    post_succ: f64,
    post_retr: f64,
    post_tout: f64,
    post_conc: f64,
    post_succ_sd: f64,
    collapsed_frac: f64,
}

/// What was measured in a window of one run, per second.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    starts: f64,
    succ: f64,
    retr: f64,
    tout: f64,
    conc: f64,
}

pub(super) fn replay(section: &Value, cases: &mut Cases<'_>) {
    let known = ["source", "model", "closed_forms", "columns", "results_200_runs"];
    only(section, "simple_collapse.", &known, cases);
    let (model, horizon) = without(section.get("model"), "horizon_s");
    cases.check("simple_collapse.model", told(model.as_ref(), &MODEL));
    // Everything is measured before the original stops.
    let same = |what, value: Option<f64>, known| near(what, known, value.unwrap_or(f64::NAN), 1e-9);
    cases.check("simple_collapse.model.horizon_s", same("value", horizon, 80.0));
    if section.get("closed_forms").is_some() {
        let (forms, capacity) = without(section.get("closed_forms"), "capacity_asymptote_per_s");
        let forms = told(forms.as_ref(), &CLOSED)
            // A house of c is left by c / (1.0 + 0.01 c) a second.
            .and_then(|()| same("capacity_asymptote_per_s", capacity, 1.0 / 0.01))
            .and_then(|()| closed_forms(cases.effort));
        cases.check("simple_collapse.closed_forms", forms);
    }
    let name = |row: &Row| format!("base {}, {}", row.base, row.r#type);
    each(section, "results_200_runs", cases, name, replay_row);
}

/// An object without one of its numbers, and that number.
fn without(object: Option<&Value>, key: &str) -> (Option<Value>, Option<f64>) {
    let mut object = object.cloned();
    let facts = object.as_mut().and_then(Value::as_object_mut);
    let number = facts.and_then(|facts| facts.remove(key)).and_then(|value| value.as_f64());
    (object, number)
}

/// The scenario with load `base`, which is `peak` between 20 and 25 seconds.
fn scenario(base: f64, peak: f64, retry: &Value) -> Value {
    let factor = peak / base;
    let profile = json!([["20s", 1.0], ["20s", factor], ["25s", factor], ["25s", 1.0]]);
    json!({
        "nodes": {
            "people": { "clients": {
                "count": 1, "to": "api", "timeout": "3s", "retry": retry,
                "load": { "open": { "rate": format!("{base}/s"), "profile": profile } },
            } },
            "api": { "service": { "workers": 1_000_000, "time": "1s", "contention": "10ms" } },
        },
        "network": { "latency": { "exponential": "100ms" } },
    })
}

fn at_once() -> Value {
    json!({ "attempts": 3 })
}

/// A window of whole seconds; requests in the house are looked at when each second begins, and a
/// retry is counted when it is decided upon, as the original does.
fn window(lab: &mut Lab, from: u64, until: u64) -> Window {
    lab.run_until(Time(from * 1_000_000));
    lab.take();
    let mut conc = 0.0;
    for second in from..until {
        conc += lab.inside(SERVER) as f64;
        lab.run_until(Time((second + 1) * 1_000_000));
    }
    let batch: Batch = lab.take();
    let seconds = (until - from) as f64;
    let rate = |count: u64| count as f64 / seconds;
    Window {
        starts: rate(batch.offered),
        succ: rate(batch.good),
        retr: rate(batch.retries),
        tout: rate(batch.timeouts),
        conc: conc / seconds,
    }
}

fn replay_row(row: &Row, effort: Effort) -> Verdict {
    let retry = match row.r#type.as_str() {
        "no_backoff" => at_once(),
        "backoff_jitter" => json!({
            "attempts": 3, "backoff": "exponential", "base": "20s", "factor": 2.0, "cap": "1h",
            "jitter": "full",
        }),
        other => return Err(format!("the type `{other}` is not supported yet")),
    };
    let scenario = scenario(row.base, 80.0, &retry);
    let runs = if effort == Effort::Full { 400 } else { 120 };
    let mut windows = Vec::new();
    for seed in 1..=runs {
        let mut lab = Lab::new(&scenario, seed, "api")?;
        let pre = window(&mut lab, 10, 20);
        let spike = window(&mut lab, 20, 25);
        windows.push([pre, spike, window(&mut lab, 60, 79)]);
    }
    row.judge(&windows)
}

type Column = (&'static str, fn(&Window) -> f64);

const COLUMNS: [Column; 5] = [
    ("starts", |w| w.starts),
    ("succ", |w| w.succ),
    ("retr", |w| w.retr),
    ("tout", |w| w.tout),
    ("conc", |w| w.conc),
];

impl Row {
    fn judge(&self, windows: &[[Window; 3]]) -> Verdict {
        let expected = [
            [self.pre_starts, self.pre_succ, self.pre_retr, self.pre_tout, self.pre_conc],
            [self.spike_starts, self.spike_succ, self.spike_retr, self.spike_tout, self.spike_conc],
            [self.post_starts, self.post_succ, self.post_retr, self.post_tout, self.post_conc],
        ];
        let n = windows.len() as f64;
        // The recorded mean of fewer runs is no surer than ours.
        let theirs = |ours: Estimate| ours.half * libm::sqrt(n / f64::from(self.reps));
        for (place, name) in ["pre", "spike", "post"].iter().enumerate() {
            for ((column, read), expected) in COLUMNS.iter().zip(expected[place]) {
                let samples: Vec<f64> = windows.iter().map(|w| read(&w[place])).collect();
                let found = Estimate::of(&samples);
                // Rates below one a second are compared as if they were one.
                let tolerance = 0.03 * expected.max(1.0);
                let what = format!("{name}_{column}");
                found.known_to(0.05 * self.base, &what, expected, tolerance, theirs(found))?;
            }
        }
        let fallen = |w: &[Window; 3]| w[2].succ < w[2].starts / 2.0;
        let share = windows.iter().filter(|w| fallen(w)).count() as f64 / n;
        // Where none of theirs collapsed, the deviation is that of runs that did not; how many of
        // ours may is judged by itself.
        let alike = windows.iter().filter(|w| self.collapsed_frac > 0.0 || !fallen(w));
        let succ: Vec<f64> = alike.map(|w| w[2].succ).collect();
        let count = succ.len() as f64;
        let mean = succ.iter().sum::<f64>() / count;
        let squares: f64 = succ.iter().map(|s| (s - mean) * (s - mean)).sum();
        let deviation = libm::sqrt(squares / (count - 1.0));
        // Where some runs collapse, the deviation follows from how many: its tolerance is what
        // a tenth more or fewer of them would make of it.
        let two = |share: f64| self.base * libm::sqrt((share * (1.0 - share)).max(0.0));
        let room = (two(self.collapsed_frac - 0.1) - two(self.collapsed_frac)).abs();
        let tolerance = if self.collapsed_frac > 0.0 { room } else { 0.2 * self.post_succ_sd };
        let known = |mean| Estimate { mean, half: 0.0 };
        all([
            known(share).is("collapsed_frac", self.collapsed_frac, 0.1),
            known(deviation).is("post_succ_sd", self.post_succ_sd, tolerance),
        ])
    }
}

/// What the formulas say of states that runs are in.
fn closed_forms(effort: Effort) -> Verdict {
    let runs = if effort == Effort::Full { 40 } else { 10 };
    // A healthy server, at two loads: no spike at all.
    for load in [20.0, 40.0] {
        let conc = settled(load, load, runs)?.map(|w| w.conc);
        let formula = 1.01 * load / (1.0 - 0.01 * load);
        Estimate::of(&conc).is_about("healthy in-flight", formula, 0.03)?;
    }
    // Pushed over by a spike that always does it.
    let fallen = settled(40.0, 120.0, runs)?;
    Estimate::of(&fallen.clone().map(|w| w.retr)).is_about("retries 2L", 80.0, 0.03)?;
    Estimate::of(&fallen.clone().map(|w| w.tout)).is_about("timeouts 3L", 120.0, 0.03)?;
    Estimate::of(&fallen.map(|w| w.succ)).is("success 0", 0.0, 0.03)?;
    // Within the range, and not just at its edge, a push is for good; below it is not, and above
    // no push is needed.
    for (load, peak, stays) in
        [(18.0, 120.0, false), (30.0, 160.0, true), (50.0, 50.0, false), (70.0, 70.0, true)]
    {
        let bad = settled(load, peak, runs)?.iter().filter(|w| w.succ < w.starts / 2.0).count();
        if (bad > 0) != stays || (stays && bad < runs as usize) {
            return Err(format!("load {load} after {peak}: {bad} of {runs} runs stayed down"));
        }
    }
    Ok(())
}

/// Late windows of so many runs.
fn settled(load: f64, peak: f64, runs: u64) -> Result<Windows, String> {
    let scenario = scenario(load, peak, &at_once());
    let run = |seed| Ok(window(&mut Lab::new(&scenario, seed, "api")?, 100, 120));
    (1..=runs).map(run).collect::<Result<Vec<_>, String>>().map(Windows)
}

#[derive(Clone)]
struct Windows(Vec<Window>);

impl Windows {
    fn map(self, read: impl Fn(&Window) -> f64) -> Vec<f64> {
        self.0.iter().map(read).collect()
    }

    fn iter(&self) -> std::slice::Iter<'_, Window> {
        self.0.iter()
    }
}
