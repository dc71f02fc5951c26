//! Cases and traces of gobreaker v2.

use super::{Cases, Verdict, at_ms, same, span_ms, step};
use crate::base::time::{Span, Time};
use crate::protocol::policy::breaker::generations::{GenerationsSettings, TripRule};
use crate::protocol::policy::breaker::{
    Breaker, BreakerSettings, BreakerState, CallResult, Permit, Refused,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

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
    /// Time, B or E, call id, result or outcome, observation.
    events: Vec<(f64, String, u64, String, Observation)>,
}

/// State and the six counts.
type Observation = (String, u32, u32, u32, u32, u32, u32);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    max_requests: Option<u32>,
    interval_ms: Option<f64>,
    bucket_ms: Option<f64>,
    timeout_ms: Option<f64>,
    min_requests: Option<u32>,
    failure_ratio: Option<f64>,
    consecutive: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    op: Op,
    t: Option<f64>,
    id: Option<u64>,
    outcome: Option<Outcome>,
    result: Option<String>,
    state: Option<String>,
    counts: Option<[u32; 6]>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    Call,
    Begin,
    End,
    Expect,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Success,
    Failure,
    Excluded,
}

impl Config {
    fn settings(&self) -> Result<BreakerSettings, String> {
        let base = GenerationsSettings::default();
        let trip = match (self.consecutive, self.min_requests, self.failure_ratio) {
            (None, None, None) => base.trip,
            (Some(most), None, None) => TripRule::Consecutive(most),
            (None, Some(minimum), Some(ratio)) => TripRule::Ratio { minimum, ratio },
            _ => {
                let rules = "`consecutive`, or `min_requests` with `failure_ratio`";
                return Err(format!("config: the trip rule is either {rules}"));
            }
        };
        let wait = self.timeout_ms.map_or(Span::ZERO, span_ms);
        Ok(BreakerSettings::Generations(GenerationsSettings {
            probes: self.max_requests.unwrap_or(base.probes),
            interval: self.interval_ms.map_or(base.interval, span_ms),
            bucket: self.bucket_ms.map_or(base.bucket, span_ms),
            // The library takes zero for its default.
            wait: if wait == Span::ZERO { base.wait } else { wait },
            trip,
        }))
    }
}

/// A breaker and the calls in flight through it.
struct Replay {
    breaker: Breaker,
    permits: BTreeMap<u64, Permit>,
    now: Time,
}

impl Replay {
    fn new(config: &Config) -> Result<Replay, String> {
        let breaker = Breaker::new(&config.settings()?, Time::ZERO);
        Ok(Replay { breaker, permits: BTreeMap::new(), now: Time::ZERO })
    }

    fn begin(&mut self, required: Option<&str>) -> Result<Option<Permit>, String> {
        let permit = self.breaker.try_acquire(self.now);
        let got = match permit {
            Ok(_) => "ok",
            Err(Refused::Open) => "open",
            Err(Refused::ProbesOut) => "toomany",
        };
        required.map_or(Ok(()), |expected| same("result", expected, got))?;
        Ok(permit.ok())
    }

    fn end(&mut self, id: u64, outcome: Outcome) -> Verdict {
        let permit = self.permits.remove(&id).ok_or(format!("call {id} is not in flight"))?;
        self.record(permit, outcome);
        Ok(())
    }

    fn record(&mut self, permit: Permit, outcome: Outcome) {
        let result = match outcome {
            Outcome::Success => CallResult::Success,
            Outcome::Failure => CallResult::Failure,
            Outcome::Excluded => CallResult::Ignored,
        };
        self.breaker.record(self.now, permit, result, self.now.since(permit.started));
    }

    fn apply(&mut self, event: &Event) -> Verdict {
        let outcome = || event.outcome.ok_or("`outcome` is missing");
        let id = || event.id.ok_or("`id` is missing");
        match event.op {
            Op::Call => {
                let outcome = outcome()?;
                if let Some(permit) = self.begin(event.result.as_deref())? {
                    self.record(permit, outcome);
                }
            }
            Op::Begin => {
                let id = id()?;
                if let Some(permit) = self.begin(event.result.as_deref())? {
                    self.permits.insert(id, permit);
                }
            }
            Op::End => self.end(id()?, outcome()?)?,
            Op::Expect => {
                if let Some(expected) = &event.state {
                    // Only asking for the state lets time pass for the library.
                    same("state", expected.as_str(), name(self.breaker.poll(self.now)))?;
                }
                event.counts.map_or(Ok(()), |expected| self.counts_are(expected))?;
            }
        }
        Ok(())
    }

    fn counts_are(&self, expected: [u32; 6]) -> Verdict {
        let s = self.breaker.summary();
        let runs = [s.successes_in_a_row, s.failures_in_a_row];
        let got = [s.calls, s.successes, s.failures, s.ignored, runs[0], runs[1]];
        same("counts", format!("{expected:?}"), format!("{got:?}"))
    }
}

fn replay_case(case: &Case) -> Verdict {
    let mut replay = Replay::new(&case.config)?;
    for (n, event) in case.events.iter().enumerate() {
        replay.now = event.t.map_or(replay.now, at_ms);
        let op = format!("{:?}", event.op);
        replay.apply(event).map_err(step(n, &op, replay.now))?;
    }
    Ok(())
}

fn replay_trace(trace: &Trace) -> Verdict {
    let mut replay = Replay::new(&trace.config)?;
    for (n, (t, kind, id, answer, seen)) in trace.events.iter().enumerate() {
        replay.now = at_ms(*t);
        observe(&mut replay, kind, *id, answer, seen).map_err(step(n, kind, replay.now))?;
    }
    Ok(())
}

fn observe(replay: &mut Replay, kind: &str, id: u64, answer: &str, seen: &Observation) -> Verdict {
    match kind {
        "B" => {
            if let Some(permit) = replay.begin(Some(answer))? {
                replay.permits.insert(id, permit);
            }
        }
        "E" => replay.end(
            id,
            match answer {
                "S" => Outcome::Success,
                "F" => Outcome::Failure,
                "X" => Outcome::Excluded,
                other => return Err(format!("`{other}` is not an outcome; known are S, F, X")),
            },
        )?,
        other => return Err(format!("`{other}` is not an event; known are B, E")),
    }
    let (state, requests, successes, failures, exclusions, in_a_row, failures_in_a_row) = seen;
    same("state", state.as_str(), name(replay.breaker.poll(replay.now)))?;
    let runs = [*in_a_row, *failures_in_a_row];
    replay.counts_are([*requests, *successes, *failures, *exclusions, runs[0], runs[1]])
}

fn name(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "closed",
        BreakerState::Open => "open",
        BreakerState::HalfOpen => "half-open",
        BreakerState::ForcedOpen => "forced open",
        BreakerState::Disabled => "disabled",
        BreakerState::MetricsOnly => "metrics only",
    }
}
