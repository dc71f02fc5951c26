//! The textbook breaker (Nygard, Release It!; Fowler, "CircuitBreaker", 2014): so many failures in
//! a row open it, a probe after the wait decides.
//! Results of calls that began in an earlier state are dropped.

use super::{BreakerState, BreakerSummary, CallResult, Forced, NoSuchTransition, Permit, Refused};
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// When it opens, and how it finds out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsecutiveSettings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open; a probe may pass from that very instant.
    pub wait: Span,
    /// Probes out at once while half-open.
    pub probes: u32,
    /// Successes in a row that close it again.
    pub successes: u32,
}

impl Default for ConsecutiveSettings {
    fn default() -> ConsecutiveSettings {
        ConsecutiveSettings { failures: 5, wait: Span::secs(5), probes: 1, successes: 1 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Consecutive {
    settings: ConsecutiveSettings,
    phase: Phase,
    /// Goes up with every change of phase.
    generation: u64,
    openings: u32,
    successes: u32,
    failures: u32,
    successes_in_a_row: u32,
    failures_in_a_row: u32,
    rejected: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Closed,
    Open { until: Time },
    HalfOpen { out: u32 },
}

impl Consecutive {
    pub(super) fn new(settings: ConsecutiveSettings, _now: Time) -> Consecutive {
        Consecutive {
            settings,
            phase: Phase::Closed,
            generation: 0,
            openings: 0,
            successes: 0,
            failures: 0,
            successes_in_a_row: 0,
            failures_in_a_row: 0,
            rejected: 0,
        }
    }

    pub(super) fn try_acquire(&mut self, now: Time) -> Result<Permit, Refused> {
        if let Phase::Open { until } = self.phase
            && now >= until
        {
            self.enter(Phase::HalfOpen { out: 0 });
        }
        let refused = match &mut self.phase {
            Phase::Closed => None,
            Phase::Open { .. } => Some(Refused::Open),
            Phase::HalfOpen { out } if *out >= self.settings.probes.max(1) => {
                Some(Refused::ProbesOut)
            }
            Phase::HalfOpen { out } => {
                *out += 1;
                None
            }
        };
        match refused {
            None => Ok(Permit { generation: self.generation, started: now }),
            Some(refused) => {
                self.rejected += 1;
                Err(refused)
            }
        }
    }

    pub(super) fn record(&mut self, now: Time, permit: Permit, result: CallResult, _took: Span) {
        if permit.generation != self.generation {
            return;
        }
        if let Phase::HalfOpen { out } = &mut self.phase {
            *out = out.saturating_sub(1);
        }
        match result {
            CallResult::Ignored => return,
            CallResult::Success => {
                self.successes += 1;
                self.successes_in_a_row += 1;
                self.failures_in_a_row = 0;
            }
            CallResult::Failure => {
                self.failures += 1;
                self.failures_in_a_row += 1;
                self.successes_in_a_row = 0;
            }
        }
        let half_open = matches!(self.phase, Phase::HalfOpen { .. });
        if half_open && self.successes_in_a_row >= self.settings.successes.max(1) {
            self.close();
        } else if self.failures_in_a_row > 0
            && (half_open || self.failures_in_a_row >= self.settings.failures)
        {
            self.open(now, self.settings.wait);
        }
    }

    pub(super) fn probes_out(&self) -> Option<(u32, u32)> {
        let Phase::HalfOpen { out } = self.phase else { return None };
        Some((out, self.settings.probes.max(1)))
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    pub(super) fn poll(&mut self, _now: Time) {}

    pub(super) fn retry_at(&self) -> Option<Time> {
        match self.phase {
            Phase::Open { until } => Some(until),
            Phase::Closed | Phase::HalfOpen { .. } => None,
        }
    }

    pub(super) fn force(&mut self, now: Time, to: Forced) -> Option<Result<(), NoSuchTransition>> {
        match to {
            Forced::Open => self.open(now, self.settings.wait),
            Forced::OpenFor(wait) => self.open(now, wait),
            Forced::HalfOpen => self.enter(Phase::HalfOpen { out: 0 }),
            Forced::Closed => self.close(),
            Forced::ForcedOpen | Forced::Disabled | Forced::MetricsOnly => return None,
        }
        Some(Ok(()))
    }

    pub(super) fn summary(&self) -> BreakerSummary {
        let calls = self.successes + self.failures;
        BreakerSummary {
            calls,
            successes: self.successes,
            failures: self.failures,
            successes_in_a_row: self.successes_in_a_row,
            failures_in_a_row: self.failures_in_a_row,
            rejected: self.rejected,
            openings_in_a_row: self.openings,
            failure_rate: (calls > 0).then(|| f64::from(self.failures) / f64::from(calls)),
            ..BreakerSummary::default()
        }
    }

    /// The counts of the state that was left stay readable while open.
    fn open(&mut self, now: Time, wait: Span) {
        self.openings += 1;
        self.generation += 1;
        self.phase = Phase::Open { until: now + wait };
    }

    fn close(&mut self) {
        self.openings = 0;
        self.enter(Phase::Closed);
    }

    fn enter(&mut self, phase: Phase) {
        let kept = (self.settings.clone(), self.generation + 1, self.openings);
        *self = Consecutive::new(kept.0, Time::ZERO);
        (self.generation, self.openings, self.phase) = (kept.1, kept.2, phase);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Breaker, BreakerSettings};
    use super::*;

    const TOOK: Span = Span::millis(1);

    fn breaker() -> Breaker {
        let settings =
            ConsecutiveSettings { failures: 3, wait: Span::secs(1), probes: 1, successes: 2 };
        Breaker::new(&BreakerSettings::Consecutive(settings), Time::ZERO)
    }

    fn call(breaker: &mut Breaker, ms: u64, result: CallResult) -> BreakerState {
        let now = Time(ms * 1000);
        let permit = breaker.try_acquire(now).expect("the test asks when calls pass");
        breaker.record(now, permit, result, TOOK);
        breaker.state()
    }

    #[test]
    fn three_in_a_row_open_it_and_two_probes_close_it() {
        let mut b = breaker();
        for result in [CallResult::Failure, CallResult::Failure, CallResult::Success] {
            assert_eq!(call(&mut b, 0, result), BreakerState::Closed);
        }
        assert_eq!(call(&mut b, 0, CallResult::Failure), BreakerState::Closed);
        assert_eq!(call(&mut b, 0, CallResult::Failure), BreakerState::Closed);
        assert_eq!(call(&mut b, 0, CallResult::Failure), BreakerState::Open);
        assert_eq!(b.retry_at(), Some(Time(1_000_000)));
        assert_eq!(b.try_acquire(Time(999_999)), Err(Refused::Open));
        assert_eq!(b.summary().rejected, 1);
        let probe = b.try_acquire(Time(1_000_000)).expect("the wait is over");
        assert_eq!(b.try_acquire(Time(1_000_000)), Err(Refused::ProbesOut));
        b.record(Time(1_100_000), probe, CallResult::Success, TOOK);
        assert_eq!(b.state(), BreakerState::HalfOpen);
        assert_eq!(call(&mut b, 1200, CallResult::Success), BreakerState::Closed);
    }

    #[test]
    fn a_failed_probe_reopens_and_late_results_do_not_count() {
        let mut b = breaker();
        let late = b.try_acquire(Time::ZERO).expect("closed");
        for _ in 0..3 {
            call(&mut b, 0, CallResult::Failure);
        }
        assert_eq!(call(&mut b, 1000, CallResult::Failure), BreakerState::Open);
        assert_eq!(b.summary().openings_in_a_row, 2);
        let probe = b.try_acquire(Time(2_000_000)).expect("the wait is over");
        b.record(Time(2_000_000), late, CallResult::Failure, TOOK);
        assert_eq!(b.state(), BreakerState::HalfOpen);
        b.record(Time(2_000_000), probe, CallResult::Ignored, TOOK);
        assert!(b.try_acquire(Time(2_000_000)).is_ok(), "an ignored result gives the probe back");
    }

    #[test]
    fn a_person_can_hold_it_and_let_go() {
        let mut b = breaker();
        assert_eq!(b.force(Time::ZERO, Forced::ForcedOpen), Ok(()));
        assert_eq!(b.try_acquire(Time(9_000_000)), Err(Refused::Open));
        assert_eq!(b.force(Time::ZERO, Forced::Disabled), Ok(()));
        for _ in 0..9 {
            assert_eq!(call(&mut b, 0, CallResult::Failure), BreakerState::Disabled);
        }
        assert_eq!(b.force(Time::ZERO, Forced::MetricsOnly), Err(NoSuchTransition));
        assert_eq!(b.force(Time::ZERO, Forced::Closed), Ok(()));
        assert_eq!(call(&mut b, 0, CallResult::Failure), BreakerState::Closed);
    }
}
