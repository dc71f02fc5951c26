//! Cases and traces of resilience4j.

use super::{Cases, Verdict, at_ms, near, same, span_ms, step};
use crate::base::time::Time;
use crate::base::unit::Chance;
use crate::protocol::policy::breaker::sliding::{SlidingSettings, SlidingWindow};
use crate::protocol::policy::breaker::{
    Breaker, BreakerSettings, BreakerState, CallResult, Forced, Permit,
};
use serde::Deserialize;
use serde_json::Value;

pub(super) fn replay(file: &Value, cases: &mut Cases<'_>) {
    if file.get("traces").is_some() {
        cases.each(file, "traces", replay_trace);
    } else {
        cases.each(file, "cases", replay_case);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "id")]
    _id: Option<String>,
    #[serde(rename = "source")]
    _source: Option<String>,
    #[serde(rename = "test")]
    _test: Option<String>,
    #[serde(rename = "note")]
    _note: Option<String>,
    config: Config,
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trace {
    #[serde(rename = "id")]
    _id: Option<String>,
    #[serde(rename = "mode")]
    _mode: Option<String>,
    config: Config,
    events: Vec<(f64, String, Value, Observation)>,
}

/// State, failure rate, slow rate, buffered, failed, slow, not permitted.
type Observation = (String, f64, f64, u32, u32, u32, u32);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Config {
    failure_rate_threshold: Option<f64>,
    slow_call_rate_threshold: Option<f64>,
    slow_call_duration_threshold_ms: Option<f64>,
    permitted_in_half_open: Option<u32>,
    window_type: Option<WindowType>,
    sliding_window_size: Option<u32>,
    minimum_number_of_calls: Option<u32>,
    wait_open_ms: Option<f64>,
    wait_open_exp_initial_ms: Option<f64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum WindowType {
    Count,
    Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    op: Op,
    t: Option<f64>,
    permitted: Option<bool>,
    dur: Option<f64>,
    ms: Option<f64>,
    #[serde(default)]
    illegal: bool,
    state: Option<String>,
    failure_rate: Option<f64>,
    slow_rate: Option<f64>,
    buffered: Option<u32>,
    failed: Option<u32>,
    slow: Option<u32>,
    success: Option<u32>,
    not_permitted: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    Acquire,
    Success,
    Failure,
    IgnoredError,
    Release,
    ForceOpen,
    ForceOpenFor,
    ForceHalfOpen,
    ForceClosed,
    ForceForcedOpen,
    ForceDisabled,
    ForceMetricsOnly,
    Reset,
    Expect,
}

impl Config {
    fn settings(&self) -> BreakerSettings {
        let base = SlidingSettings::default();
        let percent = |value: Option<f64>, or: Chance| {
            value.map_or(or, |percent| Chance((percent * 1e4).round() as u32))
        };
        let size = self.sliding_window_size.unwrap_or(100);
        let wait = self.wait_open_exp_initial_ms.or(self.wait_open_ms);
        BreakerSettings::Sliding(SlidingSettings {
            failure_rate: percent(self.failure_rate_threshold, base.failure_rate),
            slow_rate: percent(self.slow_call_rate_threshold, base.slow_rate),
            slow_after: self.slow_call_duration_threshold_ms.map_or(base.slow_after, span_ms),
            window: match self.window_type {
                Some(WindowType::Time) => SlidingWindow::Seconds(size),
                Some(WindowType::Count) | None => SlidingWindow::Calls(size),
            },
            minimum_calls: self.minimum_number_of_calls.unwrap_or(base.minimum_calls),
            probes: self.permitted_in_half_open.unwrap_or(base.probes),
            wait: wait.map_or(base.wait, span_ms),
            wait_growth: self.wait_open_exp_initial_ms.map(|_| 1.5),
            ..base
        })
    }
}

fn replay_case(case: &Case) -> Verdict {
    let mut breaker = Breaker::new(&case.config.settings(), Time::ZERO);
    let mut now = Time::ZERO;
    for (n, event) in case.events.iter().enumerate() {
        now = event.t.map_or(now, at_ms);
        apply(&mut breaker, now, event).map_err(step(n, &format!("{:?}", event.op), now))?;
    }
    Ok(())
}

fn apply(breaker: &mut Breaker, now: Time, event: &Event) -> Verdict {
    let forced = match event.op {
        Op::Acquire => return acquire(breaker, now, event.permitted),
        Op::Success => return record(breaker, now, CallResult::Success, event.dur),
        Op::Failure => return record(breaker, now, CallResult::Failure, event.dur),
        Op::IgnoredError | Op::Release => {
            return record(breaker, now, CallResult::Ignored, event.dur);
        }
        Op::Expect => return expect(breaker, now, event),
        Op::ForceOpen => Forced::Open,
        Op::ForceOpenFor => Forced::OpenFor(span_ms(event.ms.ok_or("`ms` is missing")?)),
        Op::ForceHalfOpen => Forced::HalfOpen,
        Op::ForceClosed | Op::Reset => Forced::Closed,
        Op::ForceForcedOpen => Forced::ForcedOpen,
        Op::ForceDisabled => Forced::Disabled,
        Op::ForceMetricsOnly => Forced::MetricsOnly,
    };
    let before = breaker.clone();
    let refused = breaker.force(now, forced).is_err();
    same("transition refused", event.illegal, refused)?;
    same("a refused transition changed nothing", true, !refused || *breaker == before)
}

fn acquire(breaker: &mut Breaker, now: Time, permitted: Option<bool>) -> Verdict {
    let got = breaker.try_acquire(now).is_ok();
    permitted.map_or(Ok(()), |expected| same("permitted", expected, got))
}

/// The library takes results without a permit, and so do its tests.
fn record(breaker: &mut Breaker, now: Time, result: CallResult, dur: Option<f64>) -> Verdict {
    let permit = Permit { generation: 0, started: now };
    breaker.record(now, permit, result, span_ms(dur.unwrap_or(0.0)));
    Ok(())
}

fn expect(breaker: &mut Breaker, now: Time, event: &Event) -> Verdict {
    let state = breaker.poll(now);
    if let Some(expected) = &event.state {
        same("state", expected.as_str(), name(state))?;
    }
    let got = breaker.summary();
    for (what, expected, got) in [
        ("buffered", event.buffered, got.calls),
        ("failed", event.failed, got.failures),
        ("slow", event.slow, got.slow),
        ("success", event.success, got.successes),
        ("not_permitted", event.not_permitted, got.rejected),
    ] {
        expected.map_or(Ok(()), |expected| same(what, expected, got))?;
    }
    for (what, expected, got) in [
        ("failure_rate", event.failure_rate, got.failure_rate),
        ("slow_rate", event.slow_rate, got.slow_rate),
    ] {
        expected.map_or(Ok(()), |expected| near(what, expected, percent(got), 1e-4))?;
    }
    Ok(())
}

fn replay_trace(trace: &Trace) -> Verdict {
    let mut breaker = Breaker::new(&trace.config.settings(), Time::ZERO);
    for (n, (t, kind, value, seen)) in trace.events.iter().enumerate() {
        let now = at_ms(*t);
        observe(&mut breaker, now, kind, value, seen).map_err(step(n, kind, now))?;
    }
    Ok(())
}

fn observe(
    breaker: &mut Breaker,
    now: Time,
    kind: &str,
    value: &Value,
    seen: &Observation,
) -> Verdict {
    let dur = || value.as_f64().ok_or(format!("`{value}` is not a duration in ms"));
    match kind {
        "A" => {
            let permitted = value.as_bool().ok_or(format!("`{value}` is not true or false"))?;
            acquire(breaker, now, Some(permitted))?;
        }
        "S" => record(breaker, now, CallResult::Success, Some(dur()?))?,
        "F" => record(breaker, now, CallResult::Failure, Some(dur()?))?,
        other => return Err(format!("`{other}` is not an event; known are A, S, F")),
    }
    let (state, failure_rate, slow_rate, buffered, failed, slow, not_permitted) = seen;
    same("state", state.as_str(), name(breaker.poll(now)))?;
    let got = breaker.summary();
    near("failure rate", *failure_rate, percent(got.failure_rate), 1e-4)?;
    near("slow rate", *slow_rate, percent(got.slow_rate), 1e-4)?;
    same("buffered", *buffered, got.calls)?;
    same("failed", *failed, got.failures)?;
    same("slow", *slow, got.slow)?;
    same("not permitted", *not_permitted, got.rejected)
}

/// The library says -1 where there is no rate.
fn percent(rate: Option<f64>) -> f64 {
    rate.map_or(-1.0, |rate| rate * 100.0)
}

fn name(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "CLOSED",
        BreakerState::Open => "OPEN",
        BreakerState::HalfOpen => "HALF_OPEN",
        BreakerState::ForcedOpen => "FORCED_OPEN",
        BreakerState::Disabled => "DISABLED",
        BreakerState::MetricsOnly => "METRICS_ONLY",
    }
}
