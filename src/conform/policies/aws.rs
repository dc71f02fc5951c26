//! The AWS SDKs: standard and adaptive mode.

use super::super::section::{Section, told};
use super::super::{Cases, Verdict, near, parse};
use super::waits::evenly;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::protocol::policy::adaptive_rate::{AdaptiveRate, Cubic, MeasuredRate};
use crate::protocol::policy::budget::{Budget, BudgetSettings, FailureKind};
use crate::protocol::policy::retry::{Backoff, BackoffState, RetrySettings, with_retry_after};
use serde::Deserialize;
use serde_json::Value;

pub(super) fn standard(mut section: Section<'_>, cases: &mut Cases<'_>) {
    if let Some(mut facts) = section.inner("current", cases) {
        let preset = RetrySettings::aws();
        facts.number("max_attempts", f64::from(preset.attempts), cases);
        facts.told("backoff_s", "rand(0,1) * min(2^(attempt-1), 20)", cases, || {
            (1u32..8).try_for_each(|n| {
                evenly(&preset.backoff, n, 0.0, f64::from(1 << (n - 1)).min(20.0))
            })
        });
        facts.check("backoff_rand1", cases, |value| longest_waits(&preset.backoff, value));
        quota_facts(&BudgetSettings::AWS, &mut facts, cases);
        facts.close(cases);
    }
    if let Some(mut facts) = section.inner("gated_2026", cases) {
        let attempts = f64::from(RetrySettings::aws().attempts);
        facts.number("max_attempts", attempts, cases);
        facts.number(
            "max_attempts_dynamodb",
            f64::from(RetrySettings::AWS_DYNAMODB_ATTEMPTS),
            cases,
        );
        let rule = "rand(0,1) * min(scale * 2^(attempt-1), 20); scale 0.05, throttling errors 1, \
            DynamoDB 0.025";
        facts.told("backoff_s", rule, cases, || {
            [(50, 0.05), (1000, 1.0), (25, 0.025)].into_iter().try_for_each(|(ms, scale)| {
                let backoff = Backoff::aws(Span::millis(ms));
                evenly(&backoff, 1, 0.0, scale)?;
                evenly(&backoff, 4, 0.0, (8.0 * scale).min(20.0))?;
                evenly(&backoff, 12, 0.0, (2048.0 * scale).min(20.0))
            })
        });
        quota_facts(&BudgetSettings::AWS_2026, &mut facts, cases);
        facts.check("retry_after_header", cases, retry_after);
        facts.close(cases);
    }
    section.close(cases);
}

fn longest_waits(backoff: &Backoff, value: &Value) -> Verdict {
    let expected: Vec<f64> = parse(value, "list")?;
    for (n, expected) in (1..).zip(expected) {
        let got = backoff.wait_at(n, &mut BackoffState::default(), 1.0).as_secs();
        near(&format!("wait {n}"), expected, got, 1e-6)?;
    }
    Ok(())
}

/// A quota of which we see how many units are left.
struct Quota {
    budget: Budget,
    capacity: f64,
}

impl Quota {
    fn new(settings: &BudgetSettings) -> Quota {
        let capacity = match settings {
            BudgetSettings::AwsQuota { capacity, .. } => f64::from(*capacity),
            _ => f64::NAN,
        };
        Quota { budget: Budget::new(settings), capacity }
    }

    fn left(&self) -> f64 {
        self.budget.fill(Time::ZERO).unwrap_or(f64::NAN) * self.capacity
    }

    fn retry(&mut self, after: FailureKind) -> bool {
        self.budget.failed(Time::ZERO, after);
        self.budget.allow_retry(Time::ZERO, after, 0)
    }

    /// Units that a retry after this failure takes.
    fn cost(settings: &BudgetSettings, after: FailureKind) -> f64 {
        let mut quota = Quota::new(settings);
        let before = quota.left();
        quota.retry(after);
        before - quota.left()
    }
}

fn quota_facts(settings: &BudgetSettings, facts: &mut Section<'_>, cases: &mut Cases<'_>) {
    facts.number("quota_capacity", Quota::new(settings).left(), cases);
    facts.number("cost_retry", Quota::cost(settings, FailureKind::Error), cases);
    facts.number("cost_timeout", Quota::cost(settings, FailureKind::Timeout), cases);
    facts.number("cost_throttling", Quota::cost(settings, FailureKind::Refused), cases);
    let mut quota = Quota::new(settings);
    while quota.retry(FailureKind::Timeout) {}
    let before = quota.left();
    quota.budget.succeeded(Time::ZERO, 0);
    facts.number("release_success_without_retry", quota.left() - before, cases);
    let last = "the amount taken by the last retry";
    facts.told("release_success_after_retry", last, cases, || {
        [FailureKind::Error, FailureKind::Timeout, FailureKind::Refused].into_iter().try_for_each(
            |kind| {
                let mut quota = Quota::new(settings);
                quota.retry(FailureKind::Error);
                let before = quota.left();
                quota.retry(kind);
                quota.budget.succeeded_after(Time::ZERO, Some(kind));
                near(&format!("left after {kind:?} and a success"), before, quota.left(), 1e-9)
            },
        )
    });
    let mut quota = Quota::new(settings);
    quota.retry(FailureKind::Error);
    let before = quota.left();
    quota.budget.failed(Time::ZERO, FailureKind::Error);
    facts.number("release_on_failure", quota.left() - before, cases);
}

fn retry_after(value: &Value) -> Verdict {
    let rule = "delay = max(t, min(header, t + 5 s)) where t is the jittered backoff and the \
        header is in milliseconds; a header that is not a number counts as absent";
    told(value.get("rule").unwrap_or(&Value::Null), rule)?;
    for (backoff, header, expected) in [
        (2.0, None, 2.0),
        (2.0, Some(1500), 2.0),
        (2.0, Some(4500), 4.5),
        (2.0, Some(7000), 7.0),
        (2.0, Some(60_000), 7.0),
    ] {
        let wait = with_retry_after(Span::from_micros_f64(backoff * 1e6), header.map(Span::millis));
        near(&format!("backoff {backoff} s, header {header:?}"), expected, wait.as_secs(), 1e-9)?;
    }
    Ok(())
}

pub(super) fn adaptive(mut section: Section<'_>, cases: &mut Cases<'_>) {
    if let Some(mut facts) = section.inner("cubic", cases) {
        facts.number("beta", Cubic::BETA, cases);
        facts.number("scale", Cubic::SCALE, cases);
        // The formulas themselves are what the cases are worked from.
        for (key, rule) in [
            ("K", "cbrt(w_max*(1-beta)/scale)"),
            ("rate_after_success", "scale*(t-last_fail-K)^3 + w_max"),
            ("rate_after_throttle", "beta*rate; w_max := rate"),
        ] {
            facts.told(key, rule, cases, || cubic_formulas(25.0, 3.0));
        }
        facts.list("cases", cases, cubic);
        facts.close(cases);
    }
    if let Some(mut facts) = section.inner("measured_rate", cases) {
        facts.list("cases", cases, measured_rate);
        facts.close(cases);
    }
    if let Some(mut facts) = section.inner("token_bucket", cases) {
        facts.number("min_fill_rate", lowest_rate(), cases);
        facts.number("initial_max_rate", AdaptiveRate::INITIAL_RATE, cases);
        facts.told("cap", "fill rate, at least 1", cases, largest_burst);
        facts.told("enabled", "only after the first throttling error", cases, off_at_first);
        facts.told("ceiling", "new rate is limited to 2 x measured rate", cases, || {
            near("rate", 14.0, AdaptiveRate::ceiling(7.0, 15.0), 1e-12)?;
            near("rate", 13.0, AdaptiveRate::ceiling(7.0, 13.0), 1e-12)
        });
        facts.list("cases", cases, |value| {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Case {
                measured: f64,
                calculated: f64,
                max_rate: f64,
            }
            let case: Case = parse(value, "case")?;
            let got = AdaptiveRate::ceiling(case.measured, case.calculated);
            near("max_rate", case.max_rate, got, 1e-12)
        });
        facts.close(cases);
    }
    section.close(cases);
}

fn cubic_formulas(rate: f64, at: f64) -> Verdict {
    let mut cubic = Cubic::new(10.0, 0.0, Cubic::SCALE, Cubic::BETA);
    near("rate after throttling", Cubic::BETA * rate, cubic.throttled(rate, at), 1e-12)?;
    let zero = libm::cbrt(rate * (1.0 - Cubic::BETA) / Cubic::SCALE);
    near("K", zero, cubic.zero_point(), 1e-12)?;
    let expected = Cubic::SCALE * libm::pow(5.0 - zero, 3.0) + rate;
    near("rate 5 s later", expected, cubic.success(at + 5.0), 1e-9)
}

fn cubic(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        w_max: f64,
        beta: Option<f64>,
        scale: Option<f64>,
        #[serde(rename = "K")]
        zero_point: Option<f64>,
        event: Option<String>,
        rate: Option<f64>,
        then_success_at_t: Option<f64>,
        rate2: Option<f64>,
    }
    let case: Case = parse(value, "case")?;
    let (beta, scale) = (case.beta.unwrap_or(Cubic::BETA), case.scale.unwrap_or(Cubic::SCALE));
    let mut cubic = Cubic::new(case.w_max, 0.0, scale, beta);
    if let Some(event) = &case.event {
        let got = cubic_event(&mut cubic, event)?;
        case.rate.map_or(Ok(()), |expected| near("rate", expected, got, 1e-9))?;
    }
    let zero = cubic.zero_point();
    case.zero_point.map_or(Ok(()), |expected| near("K", expected, zero, 1e-9))?;
    match (case.then_success_at_t, case.rate2) {
        (None, None) => Ok(()),
        (Some(at), Some(expected)) => near("rate2", expected, cubic.success(at), 1e-9),
        _ => Err("`then_success_at_t` and `rate2` go together".into()),
    }
}

/// `success at t=K`, `success at t=2.5` or `throttled at rate 8, t=1`.
fn cubic_event(cubic: &mut Cubic, event: &str) -> Result<f64, String> {
    let unknown = || format!("`{event}` is not an event known here");
    let read = |text: &str| text.parse::<f64>().map_err(|_| unknown());
    if let Some(at) = event.strip_prefix("success at t=") {
        let at = if at == "K" { cubic.zero_point() } else { read(at)? };
        return Ok(cubic.success(at));
    }
    let rest = event.strip_prefix("throttled at rate ").ok_or_else(unknown)?;
    let (rate, at) = rest.split_once(", t=").ok_or_else(unknown)?;
    Ok(cubic.throttled(read(rate)?, read(at)?))
}

fn measured_rate(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        timestamps: Vec<f64>,
        rate: Option<f64>,
        rate_approx: Option<f64>,
    }
    let case: Case = parse(value, "case")?;
    let mut measured = MeasuredRate::default();
    for at in case.timestamps {
        measured.record(Time(Span::from_micros_f64(at * 1e6).0));
    }
    let got = measured.rate();
    case.rate.map_or(Ok(()), |expected| near("rate", expected, got, 1e-9))?;
    case.rate_approx.map_or(Ok(()), |expected| near("rate", expected, got, 0.01 * expected))
}

/// A client that sent so many requests per second for ten seconds and was then throttled.
fn throttled_client(per_second: u64) -> (AdaptiveRate, Time) {
    let mut client = AdaptiveRate::new(Time::ZERO);
    for n in 0..10 * per_second {
        client.responded(Time(n * 1_000_000 / per_second), false);
    }
    let now = Time(10_000_000);
    client.responded(now, true);
    (client, now)
}

fn lowest_rate() -> f64 {
    let (mut client, mut now) = throttled_client(10);
    for _ in 0..100 {
        now += Span::millis(700);
        client.responded(now, true);
    }
    client.rate().unwrap_or(f64::NAN)
}

/// After a long pause so many requests pass at once as the rate says for one second.
fn largest_burst() -> Verdict {
    let (mut client, now) = throttled_client(50);
    let rate = client.rate().ok_or("the limiter is off after throttling")?;
    let later = now + Span::secs(1000);
    let burst = (0..1000).take_while(|_| client.acquire(later) == Span::ZERO).count();
    near("burst", rate, burst as f64, 1.0)
}

fn off_at_first() -> Verdict {
    let mut client = AdaptiveRate::new(Time::ZERO);
    let mut stream = Stream::new(1, "conform", 0);
    for _ in 0..1000 {
        let now = Time(u64::from(stream.below(1_000_000)));
        near("wait before any throttling", 0.0, client.acquire(now).as_secs(), 0.0)?;
    }
    let (mut client, now) = throttled_client(50);
    let waits = (0..1000).filter(|_| client.acquire(now) > Span::ZERO).count();
    if waits > 0 { Ok(()) } else { Err("no wait after throttling".into()) }
}
