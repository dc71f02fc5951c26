//! The breaker of Polly v8: a failure ratio over a sampling time.
//!
//! Asked on failures only. The break ends at its last instant; the first caller after it is the
//! only probe, and another may follow one break later if the first never reports. Late results
//! count. Its isolated state is [`Forced::ForcedOpen`]. Source: `CircuitStateController.cs`,
//! `AdvancedCircuitBehavior.cs`, `RollingHealthMetrics.cs`.

use super::{BreakerState, BreakerSummary, CallResult, Forced, NoSuchTransition, Permit, Refused};
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// When it breaks, and for how long. The defaults are the library's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplingSettings {
    /// Share of failures that breaks the circuit, from 0 to 1.
    pub failure_ratio: f64,
    /// Results without which it does not break.
    pub minimum_throughput: u32,
    /// How far back results count.
    pub sampling: Span,
    /// How long it stays open.
    pub wait: Span,
}

impl Default for SamplingSettings {
    fn default() -> SamplingSettings {
        SamplingSettings {
            failure_ratio: 0.1,
            minimum_throughput: 100,
            sampling: Span::secs(30),
            wait: Span::secs(5),
        }
    }
}

impl SamplingSettings {
    /// The least throughput the library accepts as a minimum.
    pub const LEAST_MINIMUM: u32 = 2;

    /// The decision at a failure while closed.
    pub fn breaks(&self, throughput: u32, failure_rate: f64) -> bool {
        throughput >= self.minimum_throughput && failure_rate >= self.failure_ratio
    }

    /// Results are dropped by the window: a tenth of the sampling time, all of it if short.
    fn window(&self) -> Span {
        if self.sampling < Span::millis(200) { self.sampling } else { Span(self.sampling.0 / 10) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sampling {
    settings: SamplingSettings,
    state: State,
    /// No probe before this instant.
    blocked_until: Time,
    /// Created when something happens, oldest first.
    windows: VecDeque<Window>,
    openings: u32,
    rejected: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Closed,
    Open,
    HalfOpen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    start: Time,
    successes: u32,
    failures: u32,
}

impl Sampling {
    pub(super) fn new(settings: SamplingSettings, _now: Time) -> Sampling {
        Sampling {
            settings,
            state: State::Closed,
            blocked_until: Time::ZERO,
            windows: VecDeque::new(),
            openings: 0,
            rejected: 0,
        }
    }

    pub(super) fn try_acquire(&mut self, now: Time) -> Result<Permit, Refused> {
        let refused = match self.state {
            State::Closed => None,
            State::Open | State::HalfOpen if now >= self.blocked_until => {
                self.state = State::HalfOpen;
                self.blocked_until = now + self.settings.wait;
                None
            }
            State::Open => Some(Refused::Open),
            State::HalfOpen => Some(Refused::ProbesOut),
        };
        match refused {
            None => Ok(Permit { generation: 0, started: now }),
            Some(refused) => {
                self.rejected += 1;
                Err(refused)
            }
        }
    }

    pub(super) fn record(&mut self, now: Time, _permit: Permit, result: CallResult, _took: Span) {
        match (result, self.state) {
            (CallResult::Ignored, _) => {}
            (CallResult::Success, State::HalfOpen) => self.close(),
            (CallResult::Success, State::Closed | State::Open) => {
                self.current_window(now).successes += 1;
            }
            (CallResult::Failure, State::HalfOpen) => self.open(now, self.settings.wait),
            (CallResult::Failure, state) => {
                self.current_window(now).failures += 1;
                let (throughput, failures) = self.totals();
                let rate = f64::from(failures) / f64::from(throughput.max(1));
                if state == State::Closed && self.settings.breaks(throughput, rate) {
                    self.open(now, self.settings.wait);
                }
            }
        }
    }

    /// One at a time.
    pub(super) fn probes_out(&self) -> Option<(u32, u32)> {
        (self.state == State::HalfOpen).then_some((1, 1))
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open => BreakerState::Open,
            State::HalfOpen => BreakerState::HalfOpen,
        }
    }

    /// Forgets what is older than the sampling time; no state follows from it.
    pub(super) fn poll(&mut self, now: Time) {
        while self.windows.front().is_some_and(|w| now.since(w.start) >= self.settings.sampling) {
            self.windows.pop_front();
        }
    }

    pub(super) fn retry_at(&self) -> Option<Time> {
        (self.state == State::Open).then_some(self.blocked_until)
    }

    pub(super) fn force(&mut self, now: Time, to: Forced) -> Option<Result<(), NoSuchTransition>> {
        match to {
            Forced::Open => self.open(now, self.settings.wait),
            Forced::OpenFor(wait) => self.open(now, wait),
            Forced::HalfOpen => {
                self.state = State::HalfOpen;
                self.blocked_until = now;
            }
            Forced::Closed => self.close(),
            Forced::ForcedOpen | Forced::Disabled | Forced::MetricsOnly => return None,
        }
        Some(Ok(()))
    }

    pub(super) fn summary(&self) -> BreakerSummary {
        let (calls, failures) = self.totals();
        BreakerSummary {
            calls,
            successes: calls - failures,
            failures,
            rejected: self.rejected,
            openings_in_a_row: self.openings,
            failure_rate: (calls > 0).then(|| f64::from(failures) / f64::from(calls)),
            ..BreakerSummary::default()
        }
    }

    fn totals(&self) -> (u32, u32) {
        self.windows.iter().fold((0, 0), |(calls, failures), w| {
            (calls + w.successes + w.failures, failures + w.failures)
        })
    }

    fn current_window(&mut self, now: Time) -> &mut Window {
        let fresh = match self.windows.back() {
            Some(last) => now.since(last.start) >= self.settings.window(),
            None => true,
        };
        if fresh {
            self.windows.push_back(Window { start: now, successes: 0, failures: 0 });
        }
        self.poll(now);
        if self.windows.is_empty() {
            // A sampling time of zero forgets even this instant.
            self.windows.push_back(Window { start: now, successes: 0, failures: 0 });
        }
        self.windows.back_mut().expect("a window was pushed if there was none")
    }

    fn open(&mut self, now: Time, wait: Span) {
        self.openings += 1;
        self.state = State::Open;
        self.blocked_until = now + wait;
    }

    fn close(&mut self) {
        *self = Sampling::new(self.settings.clone(), Time::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_probe_and_another_if_it_never_reports() {
        let mut b = Sampling::new(SamplingSettings::default(), Time::ZERO);
        b.open(Time::ZERO, Span::secs(5));
        assert_eq!(b.try_acquire(Time(4_999_999)), Err(Refused::Open));
        assert!(b.try_acquire(Time(5_000_000)).is_ok());
        assert_eq!(b.try_acquire(Time(9_999_999)), Err(Refused::ProbesOut));
        assert!(b.try_acquire(Time(10_000_000)).is_ok());
    }

    #[test]
    fn a_short_sampling_time_is_one_window() {
        let settings = SamplingSettings {
            sampling: Span::millis(100),
            minimum_throughput: 2,
            ..SamplingSettings::default()
        };
        let mut b = Sampling::new(settings, Time::ZERO);
        let permit = Permit { generation: 0, started: Time::ZERO };
        for ms in [0, 60, 99] {
            b.record(Time(ms * 1000), permit, CallResult::Success, Span::ZERO);
        }
        assert_eq!(b.summary().calls, 3);
        b.record(Time(100_000), permit, CallResult::Success, Span::ZERO);
        assert_eq!(b.summary().calls, 1);
    }
}
