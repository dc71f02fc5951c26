//! The waits before retries: Polly, Failsafe, resilience4j, Finagle; and what the others share.

use super::super::section::{Section, told};
use super::super::statistics::{DRAWS, follows, uniform};
use super::super::{Cases, Verdict, near};
use crate::base::random::Stream;
use crate::base::time::Span;
use crate::base::unit::Chance;
use crate::protocol::policy::retry::{Backoff, BackoffState, Jitter, RetrySettings};

const SECOND: Span = Span::secs(1);

/// Draws of the wait before the `retry`-th retry of fresh calls, in seconds.
fn draws(backoff: &Backoff, retry: u32) -> Vec<f64> {
    let mut stream = Stream::new(1, "conform", u64::from(retry));
    let mut wait = || backoff.wait(retry, &mut BackoffState::default(), &mut stream).as_secs();
    (0..DRAWS).map(|_| wait()).collect()
}

/// Whether the wait before a retry is spread evenly between two bounds, in seconds.
pub(super) fn evenly(backoff: &Backoff, retry: u32, low: f64, high: f64) -> Verdict {
    let what = format!("wait {retry}");
    follows(&what, draws(backoff, retry), uniform(low, high))
}

/// A wait that is always the same but for its jitter.
fn steady(wait: Span, jitter: Jitter) -> Backoff {
    Backoff::Exponential { base: wait, factor: 1.0, cap: wait, jitter }
}

pub(super) fn polly(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let preset = RetrySettings::polly();
    if let Some(mut facts) = section.inner("defaults", cases) {
        facts.number("retries", f64::from(preset.attempts - 1), cases);
        let mut state = BackoffState::default();
        let waits: Vec<f64> =
            (1..4).map(|n| preset.backoff.wait_at(n, &mut state, 0.5).as_secs()).collect();
        facts.number("base_delay_s", waits[0], cases);
        facts.check("type", cases, |value| {
            told(value, "constant")?;
            near("third wait", waits[0], waits[2], 0.0)
        });
        facts.flag("jitter", !matches!(preset.backoff, Backoff::Fixed { .. }), cases);
        facts.close(cases);
    }
    let quarter = Jitter::PlusMinus(Chance(250_000));
    let spread = "plus or minus 25 percent uniform";
    section.told("constant_or_linear_jitter", spread, cases, || {
        evenly(&steady(SECOND, quarter), 2, 0.75, 1.25)?;
        let cap = Span::secs(100);
        evenly(&Backoff::Linear { base: SECOND, cap, jitter: quarter }, 3, 2.25, 3.75)
    });
    let curve = "with t = attempt + U(0,1): f(t) = 2^t * tanh(sqrt(4 t)); delay = \
        (f(t_n) - f(t_(n-1)))/1.4 * base, attempt counted from 0";
    section.told("exponential_jitter", curve, cases, || (0..4).try_for_each(follows_the_curve));
    section.close(cases);
}

/// The waits up to the `attempt`-th add up to `f(attempt + U)`, so inverting f gives U back.
fn follows_the_curve(attempt: u32) -> Verdict {
    let f = |t: f64| libm::exp2(t) * libm::tanh(libm::sqrt(4.0 * t));
    let backoff = Backoff::Polly { base: SECOND, cap: None };
    let mut stream = Stream::new(1, "conform", u64::from(attempt));
    let sum = |_| {
        let mut state = BackoffState::default();
        (1..=attempt + 1).map(|n| backoff.wait(n, &mut state, &mut stream).as_secs()).sum::<f64>()
    };
    let sums: Vec<f64> = (0..DRAWS).map(sum).collect();
    let inverse = |sum: f64| {
        let (mut low, mut high) = (f64::from(attempt), f64::from(attempt) + 1.0);
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            if f(middle) / 1.4 < sum { low = middle } else { high = middle }
        }
        low - f64::from(attempt)
    };
    follows(&format!("waits up to {}", attempt + 1), sums, inverse)
}

pub(super) fn failsafe(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let preset = RetrySettings::failsafe();
    section.number("retries", f64::from(preset.attempts - 1), cases);
    let first = preset.backoff.wait_at(1, &mut BackoffState::default(), 0.5);
    section.number("delay", first.as_secs(), cases);
    let spread = "delay plus or minus factor*delay uniform";
    section.told("jitter_factor", spread, cases, || {
        evenly(&steady(SECOND, Jitter::PlusMinus(Chance(300_000))), 1, 0.7, 1.3)
    });
    section.close(cases);
}

pub(super) fn resilience4j(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let preset = RetrySettings::resilience4j();
    section.number("max_attempts", f64::from(preset.attempts), cases);
    let first = preset.backoff.wait_at(1, &mut BackoffState::default(), 0.5);
    section.number("wait_ms", first.as_millis(), cases);
    let growing = Backoff::resilience4j();
    let wait = |n, draw| growing.wait_at(n, &mut BackoffState::default(), draw).as_secs();
    section.number("exponential_multiplier", wait(2, 0.5) / wait(1, 0.5), cases);
    section.number("randomization_factor", wait(1, 1.0) / wait(1, 0.5) - 1.0, cases);
    section.told("randomized", "U(interval*(1-f), interval*(1+f))", cases, || {
        evenly(&growing, 1, 0.25, 0.75)?;
        evenly(&growing, 3, 0.5625, 1.6875)
    });
    section.close(cases);
}

pub(super) fn finagle(mut section: Section<'_>, cases: &mut Cases<'_>) {
    let (start, max) = (SECOND, Span::secs(5));
    let decorrelated = "next = U(start, min(3*previous, max)) starting with start";
    section.told("decorrelated", decorrelated, cases, || {
        let backoff = Backoff::DecorrelatedWithin { base: start, cap: max };
        let mut stream = Stream::new(1, "conform", 0);
        let mut second = Vec::new();
        for _ in 0..DRAWS {
            let mut state = BackoffState::default();
            near("first wait", 1.0, backoff.wait(1, &mut state, &mut stream).as_secs(), 1e-9)?;
            second.push(backoff.wait(2, &mut state, &mut stream).as_secs());
        }
        follows("second wait", second, uniform(1.0, 3.0))?;
        let mut state = BackoffState::default();
        let top = (1..6).map(|n| backoff.wait_at(n, &mut state, 1.0).as_secs());
        near("longest wait", 5.0, top.fold(0.0, f64::max), 1e-9)
    });
    let exponential = |jitter| Backoff::Exponential { base: start, factor: 2.0, cap: max, jitter };
    section.told("exponential_jittered", "U(0, min(max, start*2^attempt))", cases, || {
        evenly(&exponential(Jitter::Full), 2, 0.0, 2.0)?;
        evenly(&exponential(Jitter::Full), 5, 0.0, 5.0)
    });
    let equal = "half of the exponential value plus a uniform random half";
    section.told("equal_jittered", equal, cases, || {
        evenly(&exponential(Jitter::Equal), 2, 1.0, 2.0)?;
        evenly(&exponential(Jitter::Equal), 5, 2.5, 5.0)
    });
    section.close(cases);
}
