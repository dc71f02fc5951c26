//! Retries: how many attempts, after which outcomes, and how long to wait before each.
//!
//! Sources: Brooker, "Exponential Backoff And Jitter" (2015) for full, equal and decorrelated
//! jitter; gRPC proposal A6; botocore `retries/standard.py`; Polly `RetryHelper.cs`;
//! resilience4j `IntervalFunction.java`; Finagle `Backoff.scala`.

use crate::base::random::Stream;
use crate::base::time::Span;
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};

/// How one call is retried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrySettings {
    /// Attempts in all, the first included; 1 means no retry.
    pub attempts: u32,
    /// The wait before each further attempt.
    pub backoff: Backoff,
    /// The outcomes worth another attempt.
    pub on: RetryOn,
}

/// Which outcomes are worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOn {
    /// No answer in time; the call may have been applied.
    pub timeout: bool,
    /// Turned away by an overloaded server.
    pub refused: bool,
    /// The server answered with an error.
    pub error: bool,
    /// The write lost against another (a version was out of date).
    pub conflict: bool,
    /// The caller's own breaker was open, so nothing was sent.
    pub breaker_open: bool,
}

/// The wait before a retry. Every wait takes exactly one draw, random or not, so that two runs
/// with different backoffs go on drawing the same numbers for everything else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Backoff {
    /// No wait.
    Immediate,
    /// Always the same wait.
    Fixed {
        /// The wait.
        wait: Span,
    },
    /// `base` times the number of the retry, then the jitter, then the cap.
    Linear {
        /// The first wait.
        base: Span,
        /// The longest wait, jitter included.
        cap: Span,
        /// How the wait is spread.
        jitter: Jitter,
    },
    /// `min(cap, base * factor^(retry - 1))`, then the jitter.
    Exponential {
        /// The first wait.
        base: Span,
        /// Growth from one wait to the next.
        factor: f64,
        /// The longest wait, before the jitter.
        cap: Span,
        /// How the wait is spread.
        jitter: Jitter,
    },
    /// `min(cap, U(base, 3 * last wait))`, the last wait being `base` at first.
    Decorrelated {
        /// The shortest wait.
        base: Span,
        /// The longest wait: cuts the drawn value.
        cap: Span,
    },
    /// Finagle's reading of it: first `base`, then `U(base, min(cap, 3 * last wait))`.
    DecorrelatedWithin {
        /// The first and shortest wait.
        base: Span,
        /// The longest wait: cuts the range that is drawn from.
        cap: Span,
    },
    /// Polly's exponential with jitter: the step of `2^t tanh(sqrt(4t))` at a random t of each
    /// retry, scaled so that the first wait has about `base` as its median.
    Polly {
        /// The median of the first wait, about.
        base: Span,
        /// The longest wait, jitter included.
        cap: Option<Span>,
    },
}

/// How a wait `v` is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Jitter {
    /// Exactly `v`.
    None,
    /// `U(0, v)`.
    Full,
    /// `v/2 + U(0, v/2)`.
    Equal,
    /// `v * U(1 - share, 1 + share)`.
    PlusMinus(Chance),
}

/// What a backoff remembers during one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BackoffState {
    /// The last wait of the decorrelated backoffs; for Polly the last value of its curve.
    last: f64,
    /// Retries that do not count because the server said when to come back after them.
    restarted_after: u32,
}

impl BackoffState {
    /// The server prescribed the wait before this retry (gRPC pushback): it is waited exactly,
    /// and the sequence starts again with the next one.
    pub fn pushed_back(&mut self, retry: u32) {
        *self = BackoffState { last: 0.0, restarted_after: retry };
    }
}

impl Backoff {
    /// The wait before a retry; 1 is the one before the second attempt.
    pub fn wait(&self, retry: u32, state: &mut BackoffState, stream: &mut Stream) -> Span {
        self.wait_at(retry, state, stream.unit())
    }

    /// The same with the uniform draw given, in [0, 1]. Longest at 1 and, but for Polly's curve
    /// (which depends on the draw before too), shortest at 0.
    pub fn wait_at(&self, retry: u32, state: &mut BackoffState, draw: f64) -> Span {
        let step = f64::from(retry.saturating_sub(state.restarted_after).max(1) - 1);
        let micros = |span: Span| span.0 as f64;
        match *self {
            Backoff::Immediate => Span::ZERO,
            Backoff::Fixed { wait } => wait,
            Backoff::Linear { base, cap, jitter } => {
                Span::from_micros_f64(jitter.spread(micros(base) * (step + 1.0), draw)).min(cap)
            }
            Backoff::Exponential { base, factor, cap, jitter } => {
                let grown = (micros(base) * libm::pow(factor, step)).min(micros(cap));
                Span::from_micros_f64(jitter.spread(grown, draw))
            }
            Backoff::Decorrelated { base, cap } => {
                let (low, last) = (micros(base), state.last.max(micros(base)));
                state.last = (low + (3.0 * last - low) * draw).min(micros(cap));
                Span::from_micros_f64(state.last)
            }
            Backoff::DecorrelatedWithin { base, cap } => {
                let low = micros(base);
                let high = (3.0 * state.last).min(micros(cap)).max(low);
                state.last = low + (high - low) * draw;
                Span::from_micros_f64(state.last)
            }
            Backoff::Polly { base, cap } => {
                let t = step + draw;
                let curve = libm::exp2(t) * libm::tanh(libm::sqrt(4.0 * t));
                let wait = (curve - state.last) / 1.4 * micros(base);
                state.last = curve;
                Span::from_micros_f64(wait).min(cap.unwrap_or(Span(u64::MAX)))
            }
        }
    }
}

impl Jitter {
    fn spread(self, wait: f64, draw: f64) -> f64 {
        match self {
            Jitter::None => wait,
            Jitter::Full => wait * draw,
            Jitter::Equal => wait / 2.0 * (1.0 + draw),
            Jitter::PlusMinus(share) => wait * (1.0 + share.as_f64() * (2.0 * draw - 1.0)),
        }
    }
}

/// The wait when the server sent a `retry-after`: it is honoured between the backoff itself and
/// five seconds more (AWS SDKs, 2026 revision).
pub fn with_retry_after(backoff: Span, asked: Option<Span>) -> Span {
    asked.map_or(backoff, |asked| asked.min(backoff + Span::secs(5)).max(backoff))
}

/// Calls that reach the last layer for one at the first, when all fail and each of `layers`
/// makes `attempts`.
pub fn amplification(attempts: u32, layers: u32) -> u64 {
    u64::from(attempts).saturating_pow(layers)
}

impl RetryOn {
    /// What most libraries retry: trouble that may pass, not the open breaker.
    pub const PASSING: RetryOn =
        RetryOn { timeout: true, refused: true, error: true, conflict: true, breaker_open: false };
}

impl Default for RetryOn {
    fn default() -> RetryOn {
        RetryOn::PASSING
    }
}

impl Default for RetrySettings {
    /// The AWS SDKs' standard mode.
    fn default() -> RetrySettings {
        RetrySettings::aws()
    }
}

impl RetrySettings {
    /// Attempts for DynamoDB in the 2026 revision of the AWS SDKs' standard mode.
    pub const AWS_DYNAMODB_ATTEMPTS: u32 = 4;

    /// No retry at all.
    pub fn none() -> RetrySettings {
        RetrySettings { attempts: 1, backoff: Backoff::Immediate, on: RetryOn::PASSING }
    }

    /// AWS SDKs, standard mode: 3 attempts, full jitter on 1 s, 2 s, 4 s, ... up to 20 s.
    pub fn aws() -> RetrySettings {
        RetrySettings::of(3, Backoff::aws(Span::secs(1)))
    }

    /// Polly v8: 3 retries, 2 s apart.
    pub fn polly() -> RetrySettings {
        RetrySettings::of(4, Backoff::Fixed { wait: Span::secs(2) })
    }

    /// Failsafe: 2 retries at once.
    pub fn failsafe() -> RetrySettings {
        RetrySettings::of(3, Backoff::Immediate)
    }

    /// resilience4j: 3 attempts, half a second apart.
    pub fn resilience4j() -> RetrySettings {
        RetrySettings::of(3, Backoff::Fixed { wait: Span::millis(500) })
    }

    /// gRPC: at most 5 attempts, whatever is asked for.
    pub fn grpc(attempts: u32, backoff: Backoff) -> RetrySettings {
        RetrySettings::of(attempts.min(5), backoff)
    }

    /// The SRE book's limit per request; see [`BudgetSettings::SRE_RATIO`] for the one per client.
    ///
    /// [`BudgetSettings::SRE_RATIO`]: super::budget::BudgetSettings::SRE_RATIO
    pub fn sre() -> RetrySettings {
        RetrySettings::of(3, Backoff::Immediate)
    }

    fn of(attempts: u32, backoff: Backoff) -> RetrySettings {
        RetrySettings { attempts, backoff, on: RetryOn::PASSING }
    }
}

impl Backoff {
    /// The AWS SDKs' curve: `U(0, min(20 s, scale * 2^(retry - 1)))`.
    pub fn aws(scale: Span) -> Backoff {
        let cap = Span::secs(20);
        Backoff::Exponential { base: scale, factor: 2.0, cap, jitter: Jitter::Full }
    }

    /// resilience4j's randomised exponential: half around 0.5 s, 0.75 s, 1.125 s, ...
    pub fn resilience4j() -> Backoff {
        Backoff::Exponential {
            base: Span::millis(500),
            factor: 1.5,
            cap: Span::secs(3600),
            jitter: Jitter::PlusMinus(Chance(500_000)),
        }
    }

    /// gRPC's curve: 20 % around the capped exponential.
    pub fn grpc(initial: Span, factor: f64, cap: Span) -> Backoff {
        let jitter = Jitter::PlusMinus(Chance(200_000));
        Backoff::Exponential { base: initial, factor, cap, jitter }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Span = Span::secs(1);

    /// The first four waits at a fixed draw, in milliseconds.
    fn waits(backoff: &Backoff, draw: f64) -> [u64; 4] {
        let mut state = BackoffState::default();
        [1, 2, 3, 4].map(|retry| backoff.wait_at(retry, &mut state, draw).0 / 1000)
    }

    fn exponential(jitter: Jitter) -> Backoff {
        Backoff::Exponential { base: SECOND, factor: 2.0, cap: Span::secs(5), jitter }
    }

    #[test]
    fn each_backoff_by_its_formula() {
        let cap = Span::secs(5);
        let third = Jitter::PlusMinus(Chance(300_000));
        for (backoff, shortest, longest) in [
            (Backoff::Immediate, [0; 4], [0; 4]),
            (Backoff::Fixed { wait: SECOND }, [1000; 4], [1000; 4]),
            (exponential(Jitter::None), [1000, 2000, 4000, 5000], [1000, 2000, 4000, 5000]),
            (exponential(Jitter::Full), [0; 4], [1000, 2000, 4000, 5000]),
            (exponential(Jitter::Equal), [500, 1000, 2000, 2500], [1000, 2000, 4000, 5000]),
            // After the cap here, before it in the linear one.
            (exponential(third), [700, 1400, 2800, 3500], [1300, 2600, 5200, 6500]),
            (
                Backoff::Linear { base: SECOND, cap, jitter: third },
                [700, 1400, 2100, 2800],
                [1300, 2600, 3900, 5000],
            ),
            (Backoff::Decorrelated { base: SECOND, cap }, [1000; 4], [3000, 5000, 5000, 5000]),
            (
                Backoff::DecorrelatedWithin { base: SECOND, cap },
                [1000; 4],
                [1000, 3000, 5000, 5000],
            ),
        ] {
            assert_eq!(waits(&backoff, 0.0), shortest, "{backoff:?}");
            assert_eq!(waits(&backoff, 1.0), longest, "{backoff:?}");
        }
    }

    #[test]
    fn the_first_wait_of_polly_has_its_base_as_median() {
        let polly = Backoff::Polly { base: SECOND, cap: None };
        let first = waits(&polly, 0.5)[0];
        assert!((850..1000).contains(&first), "{first}");
        let capped = Backoff::Polly { base: SECOND, cap: Some(Span::secs(2)) };
        assert_eq!(waits(&capped, 0.5)[3], 2000);
    }

    #[test]
    fn the_decorrelated_wait_remembers_one_call_only() {
        let backoff = Backoff::Decorrelated { base: SECOND, cap: Span::secs(60) };
        let mut state = BackoffState::default();
        assert_eq!(backoff.wait_at(1, &mut state, 1.0), Span::secs(3));
        assert_eq!(backoff.wait_at(2, &mut state, 0.5), Span::secs(5));
        assert_eq!(backoff.wait_at(1, &mut BackoffState::default(), 0.5), Span::secs(2));
    }

    #[test]
    fn every_wait_takes_one_draw_whatever_the_backoff() {
        let after = |backoff: Backoff| {
            let mut stream = Stream::new(1, "test", 0);
            backoff.wait(1, &mut BackoffState::default(), &mut stream);
            stream
        };
        assert_eq!(after(Backoff::Immediate), after(exponential(Jitter::Full)));
    }

    #[test]
    fn extreme_settings_stay_in_range() {
        let mut state = BackoffState::default();
        let longest = Backoff::Exponential {
            base: Span(u64::MAX),
            factor: 1e300,
            cap: Span(u64::MAX),
            jitter: Jitter::Full,
        };
        assert_eq!(longest.wait_at(u32::MAX, &mut state, 1.0), Span(u64::MAX));
        assert_eq!(exponential(Jitter::None).wait_at(0, &mut state, 0.5), SECOND);
        let polly = Backoff::Polly { base: SECOND, cap: Some(Span::secs(9)) };
        assert!(polly.wait_at(5000, &mut BackoffState::default(), 0.5) <= Span::secs(9));
    }
}
