//! Cases and traces of Failsafe.

use super::{Cases, Verdict, at_ms, same, span_ms, step};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::policy::breaker::ratio::{FailureRule, RatioSettings, SuccessRule};
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
    config: Config,
    /// Time, kind, observation.
    events: Vec<(f64, String, Observation)>,
}

/// State, executions, successes, failures.
type Observation = (String, u32, u32, u32);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    failure_threshold: Option<u32>,
    failure_capacity: Option<u32>,
    failure_exec: Option<u32>,
    failure_period_ms: Option<f64>,
    failure_rate: Option<f64>,
    success_threshold: Option<u32>,
    success_capacity: Option<u32>,
    delay_ms: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    op: Op,
    t: Option<f64>,
    permitted: Option<bool>,
    state: Option<String>,
    executions: Option<u32>,
    successes: Option<u32>,
    failures: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    Acquire,
    Success,
    Failure,
    ForceOpen,
    ForceHalfOpen,
    ForceClosed,
    Expect,
}

impl Config {
    fn settings(&self) -> Result<BreakerSettings, String> {
        let base = RatioSettings::default();
        let successes = match (self.success_threshold, self.success_capacity) {
            (None, None) => None,
            (Some(successes), of) => Some(SuccessRule { successes, of: of.unwrap_or(successes) }),
            (None, Some(_)) => {
                return Err("config: `success_capacity` needs `success_threshold`".into());
            }
        };
        let wait: Span = self.delay_ms.map_or(base.wait, span_ms);
        Ok(BreakerSettings::Ratio(RatioSettings { failures: self.failures()?, successes, wait }))
    }

    fn failures(&self) -> Result<FailureRule, String> {
        let period = self.failure_period_ms.map(span_ms);
        let parts = (self.failure_rate, self.failure_threshold, period, self.failure_capacity);
        match (parts, self.failure_exec) {
            ((None, None, None, None), None) => Ok(RatioSettings::default().failures),
            ((None, Some(failures), None, of), None) => {
                Ok(FailureRule::Count { failures, of: of.unwrap_or(failures) })
            }
            ((None, Some(failures), Some(period), None), minimum) => {
                let minimum = minimum.unwrap_or(failures);
                Ok(FailureRule::CountWithin { failures, minimum, period })
            }
            ((Some(percent), None, Some(period), None), Some(minimum)) => {
                let rate = Chance((percent * 1e4).round() as u32);
                Ok(FailureRule::RateWithin { rate, minimum, period })
            }
            _ => Err("config: these failure settings do not go together".into()),
        }
    }
}

fn replay_case(case: &Case) -> Verdict {
    let mut breaker = Breaker::new(&case.config.settings()?, Time::ZERO);
    let mut now = Time::ZERO;
    for (n, event) in case.events.iter().enumerate() {
        now = event.t.map_or(now, at_ms);
        apply(&mut breaker, now, event).map_err(step(n, &format!("{:?}", event.op), now))?;
    }
    Ok(())
}

fn apply(breaker: &mut Breaker, now: Time, event: &Event) -> Verdict {
    let force = |breaker: &mut Breaker, to| {
        breaker.force(now, to).map_err(|_| "there is no such transition".to_string())
    };
    match event.op {
        Op::Acquire => {
            let got = breaker.try_acquire(now).is_ok();
            event.permitted.map_or(Ok(()), |expected| same("permitted", expected, got))
        }
        Op::Success => record(breaker, now, CallResult::Success),
        Op::Failure => record(breaker, now, CallResult::Failure),
        Op::ForceOpen => force(breaker, Forced::Open),
        Op::ForceHalfOpen => force(breaker, Forced::HalfOpen),
        Op::ForceClosed => force(breaker, Forced::Closed),
        Op::Expect => {
            if let Some(expected) = &event.state {
                same("state", expected.as_str(), name(breaker.poll(now)))?;
            }
            let got = breaker.summary();
            for (what, expected, got) in [
                ("executions", event.executions, got.calls),
                ("successes", event.successes, got.successes),
                ("failures", event.failures, got.failures),
            ] {
                expected.map_or(Ok(()), |expected| same(what, expected, got))?;
            }
            Ok(())
        }
    }
}

/// The library takes results without a permit, and so do its tests.
fn record(breaker: &mut Breaker, now: Time, result: CallResult) -> Verdict {
    breaker.record(now, Permit { generation: 0, started: now }, result, Span::ZERO);
    Ok(())
}

fn replay_trace(trace: &Trace) -> Verdict {
    let mut breaker = Breaker::new(&trace.config.settings()?, Time::ZERO);
    for (n, (t, kind, (state, executions, successes, failures))) in trace.events.iter().enumerate()
    {
        let now = at_ms(*t);
        let at = step(n, kind, now);
        match kind.as_str() {
            "A" => same("permitted", true, breaker.try_acquire(now).is_ok()).map_err(&at)?,
            "a" => same("permitted", false, breaker.try_acquire(now).is_ok()).map_err(&at)?,
            "S" => record(&mut breaker, now, CallResult::Success)?,
            "F" => record(&mut breaker, now, CallResult::Failure)?,
            other => return Err(at(format!("`{other}` is not an event; known are A, a, S, F"))),
        }
        same("state", state.as_str(), name(breaker.poll(now))).map_err(&at)?;
        let s = breaker.summary();
        let expected = format!("{:?}", [executions, successes, failures]);
        let got = format!("{:?}", [s.calls, s.successes, s.failures]);
        same("executions, successes, failures", expected, got).map_err(&at)?;
    }
    Ok(())
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
