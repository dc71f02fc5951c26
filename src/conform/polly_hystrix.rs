//! Facts and small cases of Polly v8 and Hystrix.

use super::section::{Section, told};
use super::{Cases, Verdict, near, parse, same};
use crate::base::time::{Span, Time};
use crate::protocol::policy::breaker::sampling::SamplingSettings;
use crate::protocol::policy::breaker::snapshots::SnapshotsSettings;
use crate::protocol::policy::breaker::{
    Breaker, BreakerSettings, BreakerState, CallResult, Forced, Permit,
};
use crate::protocol::policy::timeout::TimeoutSettings;
use serde::Deserialize;
use serde_json::Value;

pub(super) fn replay(file: &Value, cases: &mut Cases<'_>) {
    let Some(mut file) = Section::new("", file, cases) else { return };
    if let Some(section) = file.inner("polly", cases) {
        polly(section, cases);
    }
    if let Some(section) = file.inner("hystrix", cases) {
        hystrix(section, cases);
    }
    file.close(cases);
}

fn polly(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let defaults = SamplingSettings::default();
    if let Some(mut facts) = section.inner("defaults", cases) {
        facts.number("failure_ratio", defaults.failure_ratio, cases);
        facts.number("minimum_throughput", f64::from(defaults.minimum_throughput), cases);
        let least = f64::from(SamplingSettings::LEAST_MINIMUM);
        facts.number("minimum_allowed_throughput", least, cases);
        facts.number("sampling_s", defaults.sampling.as_secs(), cases);
        facts.number("break_s", defaults.wait.as_secs(), cases);
        facts.close(cases);
    }
    for (key, replay) in [
        ("should_break", should_break as fn(&Value) -> Verdict),
        ("transitions_on_failure", on_failure),
        ("transitions_on_success", on_success),
    ] {
        if let Some(mut part) = section.inner(key, cases) {
            part.list("cases", cases, replay);
            part.close(cases);
        }
    }
    let one_probe = "when now >= blocked-until the first caller is the only probe and \
        blocked-until moves forward by one break duration; other callers are rejected while \
        half-open; one success closes, one failure reopens";
    section.check("half_open", cases, |value| {
        told(value.get("rule").unwrap_or(&Value::Null), one_probe)?;
        half_open()
    });
    section.check("half_open_attempts_sequence", cases, attempts_sequence);
    if let Some(mut part) = section.inner("rolling_window", cases) {
        let config = part.value("config").map(|value| parse::<WindowConfig>(value, "config"));
        part.list("cases", cases, |value| {
            let config = config.as_ref().ok_or("`config` is missing")?.as_ref();
            rolling_window(config.map_err(Clone::clone)?, value)
        });
        part.close(cases);
    }
    let small = "sampling below 200 ms uses one window that resets when its age >= sampling";
    section.told("small_window", small, cases, small_window);
    section.close(cases);
}

/// A breaker and its clock, for cases that tell results only.
struct Calls {
    breaker: Breaker,
    now: Time,
}

impl Calls {
    fn new(settings: BreakerSettings) -> Calls {
        Calls { breaker: Breaker::new(&settings, Time::ZERO), now: Time::ZERO }
    }

    fn polly(settings: SamplingSettings) -> Calls {
        Calls::new(BreakerSettings::Sampling(settings))
    }

    fn record(&mut self, result: CallResult) {
        let permit = Permit { generation: 0, started: self.now };
        self.breaker.record(self.now, permit, result, Span::ZERO);
    }

    fn permitted(&mut self) -> bool {
        self.breaker.try_acquire(self.now).is_ok()
    }

    fn state(&mut self) -> &'static str {
        name(self.breaker.poll(self.now))
    }

    fn force(&mut self, to: Forced) -> Verdict {
        self.breaker.force(self.now, to).map_err(|_| format!("there is no way to {to:?}"))
    }

    /// Brings the breaker into a state before its result arrives.
    fn enter(&mut self, state: &str) -> Verdict {
        match state {
            "Closed" => self.force(Forced::Closed),
            "Open" => self.force(Forced::Open),
            "HalfOpen" => self.force(Forced::HalfOpen),
            "Isolated" => self.force(Forced::ForcedOpen),
            other => Err(format!("`{other}` is not a state")),
        }
    }
}

fn name(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "Closed",
        BreakerState::Open => "Open",
        BreakerState::HalfOpen => "HalfOpen",
        BreakerState::ForcedOpen => "Isolated",
        BreakerState::Disabled => "Disabled",
        BreakerState::MetricsOnly => "MetricsOnly",
    }
}

fn should_break(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        throughput: u32,
        minimum: u32,
        failure_rate: f64,
        ratio: f64,
        breaks: bool,
    }
    let case: Case = parse(value, "case")?;
    let settings = SamplingSettings {
        minimum_throughput: case.minimum,
        failure_ratio: case.ratio,
        ..SamplingSettings::default()
    };
    same("breaks", case.breaks, settings.breaks(case.throughput, case.failure_rate))
}

fn on_failure(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        state: String,
        behaviour_says_break: bool,
        after: String,
    }
    let case: Case = parse(value, "case")?;
    // With a minimum of one result, the ratio decides whether this failure asks for a break.
    let failure_ratio = if case.behaviour_says_break { 1.0 } else { 2.0 };
    let settings =
        SamplingSettings { minimum_throughput: 1, failure_ratio, ..SamplingSettings::default() };
    transition(settings, &case.state, CallResult::Failure, &case.after)
}

fn on_success(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        state: String,
        after: String,
    }
    let case: Case = parse(value, "case")?;
    transition(SamplingSettings::default(), &case.state, CallResult::Success, &case.after)
}

fn transition(
    settings: SamplingSettings,
    before: &str,
    result: CallResult,
    after: &str,
) -> Verdict {
    let mut calls = Calls::polly(settings);
    calls.enter(before)?;
    same("state before", before, calls.state())?;
    calls.record(result);
    same("after", after, calls.state())
}

fn half_open() -> Verdict {
    let settings = SamplingSettings::default();
    let wait = settings.wait;
    for (result, after) in [(CallResult::Success, "Closed"), (CallResult::Failure, "Open")] {
        let mut calls = Calls::polly(settings.clone());
        calls.enter("Open")?;
        calls.now = Time::ZERO + (wait - Span::micros(1));
        same("permitted before the break is over", false, calls.permitted())?;
        calls.now = Time::ZERO + wait;
        same("the first caller is permitted", true, calls.permitted())?;
        same("others are permitted while half-open", false, calls.permitted())?;
        calls.record(result);
        same("after the probe", after, calls.state())?;
    }
    Ok(())
}

fn attempts_sequence(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        source: String,
        rule: String,
        expect: Vec<u32>,
    }
    let case: Case = parse(value, "case")?;
    let _ = case.source;
    let known = "argument handed to the break duration generator over 5 open/half-open rounds, \
        a close, and 3 more rounds";
    told(&Value::String(case.rule), known)?;
    let settings = SamplingSettings {
        minimum_throughput: 1,
        wait: Span::secs(1),
        ..SamplingSettings::default()
    };
    let mut calls = Calls::polly(settings);
    let mut got = Vec::new();
    for rounds in [5, 3] {
        for _ in 0..rounds {
            calls.record(CallResult::Failure);
            got.push(calls.breaker.summary().openings_in_a_row.saturating_sub(1));
            calls.now += Span::secs(1);
            same("the probe is permitted", true, calls.permitted())?;
        }
        calls.record(CallResult::Success);
    }
    same("half-open attempts", format!("{:?}", case.expect), format!("{got:?}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowConfig {
    sampling_s: f64,
    windows: u32,
}

fn rolling_window(config: &WindowConfig, value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        events: String,
        reads: Option<Vec<Option<(u32, f64, u32)>>>,
        read_format: Option<String>,
        throughput: Option<u32>,
        after_1s_more: Option<u32>,
    }
    let case: Case = parse(value, "case")?;
    let _ = (case.name, case.read_format);
    same("windows", 10, config.windows)?;
    let settings = SamplingSettings {
        sampling: Span::from_micros_f64(config.sampling_s * 1e6),
        // Never breaks: the case is about the window.
        failure_ratio: 2.0,
        ..SamplingSettings::default()
    };
    let mut calls = Calls::polly(settings);
    match case.events.as_str() {
        "at t=0,2,4,6,8 s: one result (failure for the first two, success for the others) plus \
         one success; after each step advance 2 s and read" => {
            for (n, read) in case.reads.unwrap_or_default().into_iter().enumerate() {
                if n < 5 {
                    let first = if n < 2 { CallResult::Failure } else { CallResult::Success };
                    calls.record(first);
                    calls.record(CallResult::Success);
                }
                calls.now += Span::secs(2);
                calls.breaker.poll(calls.now);
                let Some((throughput, rate, failures)) = read else { continue };
                let got = calls.breaker.summary();
                let what = |part: &str| format!("read {}: {part}", n + 1);
                same(&what("throughput"), throughput, got.calls)?;
                near(&what("failure rate"), rate, got.failure_rate.unwrap_or(0.0), 1e-9)?;
                same(&what("failures"), failures, got.failures)?;
            }
        }
        "10 times: success, advance 1 s" => {
            for _ in 0..10 {
                calls.record(CallResult::Success);
                calls.now += Span::secs(1);
            }
            for (what, expected) in
                [("throughput", case.throughput), ("after_1s_more", case.after_1s_more)]
            {
                calls.breaker.poll(calls.now);
                let got = calls.breaker.summary().calls;
                expected.map_or(Ok(()), |expected| same(what, expected, got))?;
                calls.now += Span::secs(1);
            }
        }
        other => return Err(format!("`{other}` are not events known here")),
    }
    Ok(())
}

fn small_window() -> Verdict {
    for (sampling, kept) in [(Span::millis(199), 1), (Span::millis(200), 2)] {
        let settings = SamplingSettings { sampling, ..SamplingSettings::default() };
        let mut calls = Calls::polly(settings);
        calls.record(CallResult::Success);
        // Late in a lone window a result goes with it; in a tenth of its own it stays.
        calls.now = Time::ZERO + (sampling - Span::millis(1));
        calls.record(CallResult::Success);
        same("results in the window", 2, calls.breaker.summary().calls)?;
        calls.now = Time::ZERO + sampling;
        calls.record(CallResult::Success);
        same("results after its time", kept, calls.breaker.summary().calls)?;
    }
    Ok(())
}

fn hystrix(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let defaults = SnapshotsSettings::default();
    if let Some(mut facts) = section.inner("defaults", cases) {
        facts.number("rolling_window_ms", defaults.window.as_millis(), cases);
        facts.number("buckets", f64::from(SnapshotsSettings::STATISTICS_BUCKETS), cases);
        facts.number("request_volume_threshold", f64::from(defaults.minimum_calls), cases);
        facts.number("error_threshold_percent", f64::from(defaults.error_percent), cases);
        facts.number("sleep_window_ms", defaults.wait.as_millis(), cases);
        facts.number("health_snapshot_ms", defaults.snapshot.as_millis(), cases);
        let timeout = TimeoutSettings::HYSTRIX.deadline.unwrap_or_default();
        facts.number("execution_timeout_ms", timeout.as_millis(), cases);
        facts.close(cases);
    }
    let settings = section.value("test_settings").and_then(Value::as_str).map(test_settings);
    section.list("cases", cases, |value| {
        let settings = settings.clone().ok_or("`test_settings` is missing")??;
        replay_hystrix(settings, value)
    });
    section.close(cases);
}

/// The numbers in the sentence that says how the tests are set up.
fn test_settings(text: &str) -> Result<SnapshotsSettings, String> {
    let after = |phrase: &str| {
        let rest = text.split_once(phrase).map(|(_, rest)| rest.trim_start());
        let digits = rest.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect());
        let number = digits.and_then(|digits: String| digits.parse::<u32>().ok());
        number.ok_or(format!("test_settings: no number after `{phrase}`"))
    };
    Ok(SnapshotsSettings {
        minimum_calls: after("volume threshold")?,
        error_percent: after("error threshold")?,
        window: Span::millis(after("window")?.into()),
        wait: Span::millis(after("sleep window")?.into()),
        ..SnapshotsSettings::default()
    })
}

fn replay_hystrix(mut settings: SnapshotsSettings, value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        test: String,
        results: String,
        open: bool,
        then: Option<String>,
        then_open: Option<bool>,
        after_sleep_window: Option<String>,
    }
    let case: Case = parse(value, "case")?;
    if case.test == "testCircuitClosedAfterSuccess" {
        settings.wait = Span::millis(100);
    }
    let (wait, snapshot) = (settings.wait, settings.snapshot);
    let mut calls = Calls::new(BreakerSettings::Snapshots(settings));
    let mut open_after = |what: &str, results: &str, expected: bool| {
        for result in results.chars() {
            calls.record(match result {
                'S' => CallResult::Success,
                'F' | 'T' => CallResult::Failure,
                other => return Err(format!("`{other}` is not a result; known are S, F, T")),
            });
        }
        calls.now += snapshot;
        same(what, expected, calls.breaker.poll(calls.now) == BreakerState::Open)
    };
    open_after("open", &case.results, case.open)?;
    if let Some(results) = &case.then {
        open_after("then_open", results, case.then_open.ok_or("`then_open` is missing")?)?;
    }
    let Some(rule) = case.after_sleep_window else { return Ok(()) };
    told(&Value::String(rule), "one success closes and the old failures are forgotten")?;
    calls.now += wait;
    same("permitted at the end of the sleep window", false, calls.permitted())?;
    calls.now += Span::micros(1);
    same("permitted after the sleep window", true, calls.permitted())?;
    same("a second one permitted", false, calls.permitted())?;
    calls.record(CallResult::Success);
    same("after the success", "Closed", calls.state())?;
    same("failures remembered", 0, calls.breaker.summary().failures)?;
    calls.now += snapshot;
    same("at the next snapshot", "Closed", calls.state())
}
