//! Who may retry: gRPC, Finagle, Envoy, Google SRE; with gRPC's waits and hedges.

use super::super::section::Section;
use super::super::{Cases, Verdict, near, parse, same};
use super::waits::evenly;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::policy::budget::{Budget, BudgetSettings, FailureKind};
use crate::protocol::policy::bulkhead::Bulkhead;
use crate::protocol::policy::hedge::HedgeSettings;
use crate::protocol::policy::outlier::{FailurePercentageRule, OutlierSettings};
use crate::protocol::policy::retry::{Backoff, BackoffState, RetrySettings};
use serde::Deserialize;
use serde_json::Value;

pub(super) fn grpc(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let backoff = Backoff::grpc(Span::secs(1), 2.0, Span::secs(10));
    let rule = "attempt n waits min(initial*mult^(n-1), max) * U(0.8,1.2); \
        jitter is applied after the cap";
    section.told("backoff", rule, cases, || {
        evenly(&backoff, 1, 0.8, 1.2)?;
        evenly(&backoff, 3, 3.2, 4.8)?;
        evenly(&backoff, 7, 8.0, 12.0)
    });
    let most = RetrySettings::grpc(u32::MAX, backoff.clone()).attempts;
    section.number("max_attempts_cap", f64::from(most), cases);
    let rule = "waits exactly the pushback time, then the exponential sequence restarts at initial";
    section.told("pushback", rule, cases, || {
        let mut state = BackoffState::default();
        let wait = |n, state: &mut BackoffState| backoff.wait_at(n, state, 0.5).as_secs();
        near("third wait", 4.0, wait(3, &mut state), 1e-9)?;
        state.pushed_back(4);
        near("first wait after the pushback", 1.0, wait(5, &mut state), 1e-9)?;
        near("second wait after the pushback", 2.0, wait(6, &mut state), 1e-9)
    });
    if let Some(mut facts) = section.inner("throttle", cases) {
        facts.list("cases", cases, throttle);
        let rule = "tokenRatio/(1+tokenRatio) of all attempts, about 9.1 percent for 0.1 (the \
            document says about 10 percent failures to successes)";
        facts.told("steady_state_failure_ratio_threshold", rule, cases, steady_throttle);
        facts.close(cases);
    }
    if let Some(mut facts) = section.inner("hedging", cases) {
        let example = facts.value("example").cloned().unwrap_or_default();
        facts.check("outstanding_after_ms", cases, |value| hedges(&example, value));
        facts.close(cases);
    }
    section.close(cases);
}

/// A gRPC throttle of which we see the tokens.
struct Throttle {
    budget: Budget,
    max: f64,
}

impl Throttle {
    fn new(max: f64, ratio: f64) -> Result<Throttle, String> {
        let thousandths = |what: &str, value: f64| {
            let whole = (value * 1e3).round();
            near(&format!("{what} in whole thousandths"), whole, value * 1e3, 1e-6)?;
            Ok::<u32, String>(whole as u32)
        };
        let budget = Budget::new(&BudgetSettings::Grpc {
            max_tokens_thousandths: thousandths("maxTokens", max)?,
            ratio_thousandths: thousandths("tokenRatio", ratio)?,
        });
        Ok(Throttle { budget, max })
    }

    fn event(&mut self, event: char) -> Verdict {
        match event {
            'F' => self.budget.failed(Time::ZERO, FailureKind::Error),
            'S' => self.budget.succeeded(Time::ZERO, 0),
            other => return Err(format!("`{other}` is not an event; known are F, S")),
        }
        Ok(())
    }

    fn tokens(&self) -> f64 {
        self.budget.fill(Time::ZERO).unwrap_or(f64::NAN) * self.max
    }

    fn allows(&mut self) -> bool {
        self.budget.allow_retry(Time::ZERO, FailureKind::Error, 0)
    }
}

fn throttle(value: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        #[serde(rename = "maxTokens")]
        max: f64,
        #[serde(rename = "tokenRatio")]
        ratio: f64,
        start_tokens: Option<f64>,
        #[serde(default)]
        events: String,
        tokens: Option<Vec<f64>>,
        retry_allowed: Option<Vec<bool>>,
        tokens_after: Option<f64>,
        retry_allowed_now: Option<bool>,
        successes_until_allowed: Option<u32>,
    }
    let case: Case = parse(value, "case")?;
    let mut throttle = Throttle::new(case.max, case.ratio)?;
    if let Some(start) = case.start_tokens {
        // Failures take whole tokens, so only such starts can be reached.
        while throttle.tokens() > (start + 1e-9).max(0.0) {
            throttle.event('F')?;
        }
        near("start_tokens", start, throttle.tokens(), 1e-9)?;
    }
    let (mut tokens, mut allowed) = (Vec::new(), Vec::new());
    for event in case.events.chars() {
        throttle.event(event)?;
        tokens.push(throttle.tokens());
        allowed.push(throttle.allows());
    }
    if let Some(expected) = case.tokens {
        same("number of events", expected.len(), tokens.len())?;
        for (n, (expected, got)) in expected.into_iter().zip(tokens).enumerate() {
            near(&format!("tokens after event {n}"), expected, got, 1e-9)?;
        }
    }
    if let Some(expected) = case.retry_allowed {
        same("retry_allowed", format!("{expected:?}"), format!("{allowed:?}"))?;
    }
    let got = throttle.tokens();
    case.tokens_after.map_or(Ok(()), |expected| near("tokens_after", expected, got, 1e-9))?;
    let now = throttle.allows();
    case.retry_allowed_now.map_or(Ok(()), |expected| same("retry_allowed_now", expected, now))?;
    let Some(expected) = case.successes_until_allowed else { return Ok(()) };
    let mut successes = 0;
    while !throttle.allows() && successes <= 10_000_000 {
        throttle.event('S')?;
        successes += 1;
    }
    same("successes_until_allowed", expected, successes)
}

/// Just under the threshold the tokens grow back; just above it they run out.
fn steady_throttle() -> Verdict {
    for (every, allowed) in [(12, true), (10, false)] {
        let mut throttle = Throttle::new(100.0, 0.1)?;
        for n in 0..100_000 {
            throttle.event(if n % every == 0 { 'F' } else { 'S' })?;
        }
        let what = format!("retry allowed with one failure in {every}");
        same(&what, allowed, throttle.allows())?;
    }
    Ok(())
}

fn hedges(example: &Value, outstanding: &Value) -> Verdict {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(rename = "maxAttempts")]
        attempts: u32,
        #[serde(rename = "hedgingDelay_s")]
        delay: f64,
    }
    let example: Example = parse(example, "example")?;
    let settings = HedgeSettings {
        after: Span::from_micros_f64(example.delay * 1e6),
        max_extra: example.attempts.saturating_sub(1),
    };
    let outstanding = outstanding.as_object().ok_or("expected an object")?;
    for (ms, expected) in outstanding {
        let ms: u64 = ms.parse().map_err(|_| format!("`{ms}` is not a number of ms"))?;
        let expected = expected.as_u64().ok_or(format!("`{expected}` is not a number"))?;
        let got = settings.copies_after(Span::millis(ms));
        same(&format!("copies after {ms} ms"), expected, u64::from(got))?;
    }
    Ok(())
}

pub(super) fn finagle(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let BudgetSettings::Finagle { ttl, min_per_second, percent } = BudgetSettings::FINAGLE else {
        return cases.check("finagle", Err("the preset is of another kind".into()));
    };
    if let Some(mut facts) = section.inner("defaults", cases) {
        facts.number("ttl_s", ttl.as_secs(), cases);
        facts.number("min_retries_per_s", f64::from(min_per_second), cases);
        facts.number("percent", percent.as_f64(), cases);
        facts.close(cases);
    }
    let rule = "with frozen time, 10000 requests each trying one retry: retries = \
        floor(10000*percent) + min_retries_per_s*ttl_s, plus or minus 1";
    section.told("expected", rule, cases, || {
        for percent in [0.0, 0.01, 0.2, 0.5, 0.9] {
            let percent = Chance((percent * 1e6) as u32);
            let settings = BudgetSettings::Finagle { ttl, min_per_second, percent };
            let mut budget = Budget::new(&settings);
            let mut stream = Stream::new(1, "conform", 0);
            let mut retries = 0;
            for _ in 0..10_000 {
                budget.first_try(Time::ZERO, &mut stream);
                retries += u32::from(budget.allow_retry(Time::ZERO, FailureKind::Error, 0));
            }
            let reserve = f64::from(min_per_second) * ttl.as_secs();
            let expected = libm::floor(1e4 * percent.as_f64()) + reserve;
            near(&format!("retries at {percent}"), expected, f64::from(retries), 1.0)?;
        }
        Ok(())
    });
    section.close(cases);
}

pub(super) fn envoy(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let fixed = f64::from(envoy_limit(&BudgetSettings::ENVOY_FIXED, 1_000_000));
    let least = envoy_limit(&BudgetSettings::ENVOY, 0);
    if let Some(mut facts) = section.inner("defaults", cases) {
        for key in ["max_connections", "max_pending", "max_requests"] {
            let mut bulkhead = Bulkhead::new(Bulkhead::ENVOY_LIMIT);
            let room = (0..100_000).take_while(|_| bulkhead.try_enter()).count();
            facts.number(key, room as f64, cases);
        }
        facts.number("max_retries", fixed, cases);
        let of_many = f64::from(envoy_limit(&BudgetSettings::ENVOY, 10_000));
        facts.number("budget_percent", of_many / 100.0, cases);
        facts.number("min_retry_concurrency", f64::from(least), cases);
        facts.close(cases);
    }
    section.list("cases", cases, |value| {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Case {
            active: u32,
            pending: u32,
            percent: u32,
            min_retry_concurrency: Option<u32>,
            limit: u32,
        }
        let case: Case = parse(value, "case")?;
        let min_concurrency = case.min_retry_concurrency.unwrap_or(least);
        let settings = BudgetSettings::Envoy { percent: case.percent, min_concurrency };
        same("limit", case.limit, envoy_limit(&settings, case.active.saturating_add(case.pending)))
    });
    if let Some(facts) = section.inner("outlier_detection", cases) {
        outliers(facts, cases);
    }
    section.close(cases);
}

/// Retries allowed at once beside so many calls.
fn envoy_limit(settings: &BudgetSettings, active: u32) -> u32 {
    let mut budget = Budget::new(settings);
    let allowed = |_: &u32| budget.allow_retry(Time::ZERO, FailureKind::Error, active);
    (0..1_000_000).take_while(allowed).count() as u32
}

fn outliers(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let settings = OutlierSettings::default();
    section.number("consecutive_5xx", f64::from(settings.consecutive), cases);
    section.number("interval_s", settings.interval.as_secs(), cases);
    section.number("base_ejection_s", settings.base.as_secs(), cases);
    section.number("max_ejection_percent", settings.most.as_f64() * 100.0, cases);
    section.flag("at_least_one_host", outlier::one_of_three_can_be_out(), cases);
    section.number("max_ejection_s", settings.longest.as_secs(), cases);
    section.told("ejection_time", "base * number of times ejected, capped", cases, || {
        for times in 1..=12 {
            let expected = (30.0 * f64::from(times)).min(300.0);
            let got = outlier::time_out(times);
            near(&format!("time out number {times}"), expected, got, 1e-9)?;
        }
        Ok(())
    });
    if let Some(mut facts) = section.inner("success_rate", cases) {
        facts.number("minimum_hosts", f64::from(settings.minimum_hosts), cases);
        facts.number("request_volume", f64::from(settings.minimum_requests), cases);
        facts.number("stdev_factor", f64::from(settings.deviations) / 1e3, cases);
        // Envoy's own example: rates 50, 100, 100, 100, 100 give a threshold of 52.
        facts.told("threshold", "mean - factor*stdev", cases, || {
            same("50 percent among 100s is out", true, outlier::out_at(50, 100))?;
            same("all alike, nobody is out", false, outlier::out_at(100, 100))?;
            same("at a factor of 1.9 one of five is out", true, outlier::out_at(99, 100))
        });
        facts.close(cases);
    }
    if let Some(mut facts) = section.inner("failure_percentage", cases) {
        let rule = FailurePercentageRule::default();
        facts.number("threshold", rule.threshold.as_f64() * 100.0, cases);
        facts.number("minimum_hosts", f64::from(rule.minimum_hosts), cases);
        facts.number("request_volume", f64::from(rule.minimum_requests), cases);
        facts.flag("enforced_by_default", settings.failure_percentage.is_some(), cases);
        facts.close(cases);
    }
    section.close(cases);
}

/// What Envoy's detector does, seen from outside.
mod outlier {
    use crate::base::time::Time;
    use crate::protocol::policy::outlier::{Outlier, OutlierSettings};

    pub(super) fn one_of_three_can_be_out() -> bool {
        let mut detector = Outlier::new(&OutlierSettings::default(), 3);
        fail(&mut detector, Time::ZERO);
        detector.ejected(Time::ZERO, 0)
    }

    /// Seconds that a host is out the n-th time, when it fails again at once.
    pub(super) fn time_out(times: u32) -> f64 {
        let mut detector = Outlier::new(&OutlierSettings::default(), 10);
        let mut second = 0;
        for n in 1..=times {
            let out_at = second;
            fail(&mut detector, Time(second * 1_000_000));
            while detector.ejected(Time(second * 1_000_000), 0) && second < out_at + 1000 {
                second += 1;
                if second % 10 == 0 {
                    detector.sweep(Time(second * 1_000_000));
                }
            }
            if n == times {
                return (second - out_at) as f64;
            }
        }
        0.0
    }

    /// Whether a host with so many successes in a hundred is out beside four with so many.
    pub(super) fn out_at(own: u32, others: u32) -> bool {
        let settings = OutlierSettings { consecutive: 0, ..OutlierSettings::default() };
        let mut detector = Outlier::new(&settings, 5);
        for n in 0..100 {
            for host in 0..5 {
                detector.report(Time::ZERO, host, n < if host == 0 { own } else { others });
            }
        }
        detector.sweep(Time(10_000_000));
        detector.ejected(Time(10_000_000), 0)
    }

    fn fail(detector: &mut Outlier, now: Time) {
        (0..5).for_each(|_| detector.report(now, 0, false));
    }
}

pub(super) fn sre(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let rule = "reject locally with probability max(0, (requests - K*accepts)/(requests+1)) \
        over a 2 minute window, K=2";
    section.told("adaptive_throttling", rule, cases, || {
        let (k, window) = match BudgetSettings::SRE {
            BudgetSettings::SreThrottle { k_thousandths, window } => (k_thousandths, window),
            _ => return Err("the preset is of another kind".into()),
        };
        same("K in thousandths", 2000, k)?;
        same("window", Span::secs(120), window)
    });
    section.list("cases", cases, |value| {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Case {
            requests: u32,
            accepts: u32,
            #[serde(rename = "K")]
            k: f64,
            p: f64,
        }
        let case: Case = parse(value, "case")?;
        near("p", case.p, reject_chance(case.k, case.requests, case.accepts), 1e-9)
    });
    let rule = "a saturated backend accepting a/s sees about K*a attempts/s: one rejected per \
        accepted for K=2";
    section.told("steady_state", rule, cases, saturated_backend);
    if let Some(mut facts) = section.inner("budgets", cases) {
        let attempts = f64::from(RetrySettings::sre().attempts);
        facts.number("per_request_attempts", attempts, cases);
        let ratio = match BudgetSettings::SRE_RATIO {
            BudgetSettings::Ratio { limit } => limit.as_f64(),
            _ => f64::NAN,
        };
        facts.number("per_client_retry_ratio", ratio, cases);
        facts.close(cases);
    }
    section.close(cases);
}

fn reject_chance(k: f64, requests: u32, accepts: u32) -> f64 {
    let k_thousandths = (k * 1e3).round() as u32;
    let window = Span::secs(120);
    let mut budget = Budget::new(&BudgetSettings::SreThrottle { k_thousandths, window });
    let mut stream = Stream::new(1, "conform", 0);
    for n in 0..requests {
        budget.first_try(Time::ZERO, &mut stream);
        if n < accepts {
            budget.succeeded(Time::ZERO, 0);
        }
    }
    1.0 - budget.fill(Time::ZERO).unwrap_or(f64::NAN)
}

/// Calls come at 1000/s, the backend accepts one in ten milliseconds; in the second half of ten
/// minutes K = 2 calls are sent for each that is accepted.
fn saturated_backend() -> Verdict {
    let mut budget = Budget::new(&BudgetSettings::SRE);
    let mut stream = Stream::new(1, "conform", 0);
    let (mut sent, mut accepted, mut free_at) = (0u32, 0u32, 0);
    for ms in 0..600_000u64 {
        let now = Time(ms * 1000);
        if !budget.first_try(now, &mut stream) {
            continue;
        }
        let accepts = ms >= free_at;
        if accepts {
            free_at = ms + 10;
            budget.succeeded(now, 0);
        } else {
            budget.failed(now, FailureKind::Refused);
        }
        sent += u32::from(ms >= 300_000);
        accepted += u32::from(ms >= 300_000 && accepts);
    }
    near("sent for each accepted", 2.0, f64::from(sent) / f64::from(accepted), 0.1)
}
