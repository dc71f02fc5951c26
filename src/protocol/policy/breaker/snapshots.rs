//! The breaker of Hystrix: judged at health snapshots, so up to half a second late.
//!
//! A snapshot sums the buckets of the window, each as long as the time between snapshots. After
//! the sleep window (strictly) exactly one call passes; its success closes the breaker and
//! forgets the window, its failure starts the sleep again. There are no generations. Source:
//! `HystrixCircuitBreaker.java`, `HealthCountsStream.java`.

use super::{BreakerState, BreakerSummary, CallResult, Forced, NoSuchTransition, Permit, Refused};
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// When it opens, and how it finds out. The defaults are the library's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotsSettings {
    /// Results in the window without which it does not open.
    pub minimum_calls: u32,
    /// Failures that open it, in whole percent.
    pub error_percent: u32,
    /// How far back results count.
    pub window: Span,
    /// Time between two judgements.
    pub snapshot: Span,
    /// How long it stays open.
    pub wait: Span,
}

impl SnapshotsSettings {
    /// Buckets of the library's statistics; its health counts have one per snapshot instead.
    pub const STATISTICS_BUCKETS: u32 = 10;
}

impl Default for SnapshotsSettings {
    fn default() -> SnapshotsSettings {
        SnapshotsSettings {
            minimum_calls: 20,
            error_percent: 50,
            window: Span::secs(10),
            snapshot: Span::millis(500),
            wait: Span::secs(5),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Snapshots {
    settings: SnapshotsSettings,
    phase: Phase,
    /// When the stream of snapshots began.
    origin: Time,
    /// Buckets of the window and the one being filled, a ring.
    buckets: Vec<Tally>,
    /// Number of the bucket being filled, counted from the origin.
    filling: u64,
    rejected: u32,
    openings: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Closed,
    Open { until: Time },
    HalfOpen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    calls: u32,
    failures: u32,
}

impl Snapshots {
    pub(super) fn new(settings: SnapshotsSettings, now: Time) -> Snapshots {
        let buckets = (settings.window.0 / settings.snapshot.0.max(1)).clamp(1, 10_000) + 1;
        Snapshots {
            settings,
            phase: Phase::Closed,
            origin: now,
            buckets: vec![Tally::default(); buckets as usize],
            filling: 0,
            rejected: 0,
            openings: 0,
        }
    }

    pub(super) fn try_acquire(&mut self, now: Time) -> Result<Permit, Refused> {
        self.poll(now);
        let refused = match self.phase {
            Phase::Closed => None,
            Phase::Open { until } if now > until => {
                self.phase = Phase::HalfOpen;
                None
            }
            Phase::Open { .. } => Some(Refused::Open),
            Phase::HalfOpen => Some(Refused::ProbesOut),
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
        self.poll(now);
        match (self.phase, result) {
            (Phase::HalfOpen, CallResult::Success) => return self.close(now),
            // A probe that tells nothing counts as one that failed.
            (Phase::HalfOpen, _) => self.open(now, self.settings.wait),
            _ => {}
        }
        if result != CallResult::Ignored {
            let slot = self.slot(self.filling);
            self.buckets[slot].calls += 1;
            self.buckets[slot].failures += u32::from(result == CallResult::Failure);
        }
    }

    /// One at a time.
    pub(super) fn probes_out(&self) -> Option<(u32, u32)> {
        (self.phase == Phase::HalfOpen).then_some((1, 1))
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen => BreakerState::HalfOpen,
        }
    }

    /// Takes the snapshots that are due.
    pub(super) fn poll(&mut self, now: Time) {
        let period = self.settings.snapshot.0.max(1);
        let filling = now.since(self.origin).0 / period;
        // After a long pause a window's worth of looks has emptied it, and the rest see nothing.
        for next in (self.filling + 1..=filling).take(self.buckets.len()) {
            self.filling = next;
            self.judge(self.origin + Span(next * period));
        }
        self.filling = filling.max(self.filling);
    }

    pub(super) fn retry_at(&self) -> Option<Time> {
        match self.phase {
            Phase::Open { until } => Some(until + Span::micros(1)),
            Phase::Closed | Phase::HalfOpen => None,
        }
    }

    pub(super) fn force(&mut self, now: Time, to: Forced) -> Option<Result<(), NoSuchTransition>> {
        match to {
            Forced::Open => self.open(now, self.settings.wait),
            Forced::OpenFor(wait) => self.open(now, wait),
            // Open with the wait over: the next caller is the probe.
            Forced::HalfOpen => self.phase = Phase::Open { until: Time(now.0.saturating_sub(1)) },
            Forced::Closed => self.close(now),
            Forced::ForcedOpen | Forced::Disabled | Forced::MetricsOnly => return None,
        }
        Some(Ok(()))
    }

    pub(super) fn summary(&self) -> BreakerSummary {
        let Tally { calls, failures } = self.sum();
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

    fn judge(&mut self, at: Time) {
        // The bucket that begins now takes the place of the one that has left the window.
        let slot = self.slot(self.filling);
        self.buckets[slot] = Tally::default();
        let Tally { calls, failures } = self.sum();
        let percent = if calls == 0 { 0.0 } else { f64::from(failures) / f64::from(calls) * 100.0 };
        let trips = calls >= self.settings.minimum_calls
            && percent as u32 >= self.settings.error_percent
            && calls > 0;
        if trips && self.phase == Phase::Closed {
            self.open(at, self.settings.wait);
        }
    }

    fn sum(&self) -> Tally {
        self.buckets.iter().fold(Tally::default(), |sum, bucket| Tally {
            calls: sum.calls + bucket.calls,
            failures: sum.failures + bucket.failures,
        })
    }

    fn slot(&self, bucket: u64) -> usize {
        (bucket % self.buckets.len() as u64) as usize
    }

    fn open(&mut self, now: Time, wait: Span) {
        self.openings += 1;
        self.phase = Phase::Open { until: now + wait };
    }

    fn close(&mut self, now: Time) {
        *self = Snapshots::new(self.settings.clone(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(b: &mut Snapshots, ms: u64, times: u32) {
        let now = Time(ms * 1000);
        for _ in 0..times {
            b.record(now, Permit { generation: 0, started: now }, CallResult::Failure, Span::ZERO);
        }
    }

    #[test]
    fn it_opens_at_the_next_snapshot_and_not_before() {
        let mut b = Snapshots::new(SnapshotsSettings::default(), Time::ZERO);
        fail(&mut b, 100, 20);
        assert!(b.try_acquire(Time(499_999)).is_ok());
        assert_eq!(b.try_acquire(Time(500_000)), Err(Refused::Open));
        // The sleep window starts at the snapshot and ends strictly after five seconds.
        assert_eq!(b.try_acquire(Time(5_500_000)), Err(Refused::Open));
        assert!(b.try_acquire(Time(5_500_001)).is_ok());
        assert_eq!(b.try_acquire(Time(5_500_001)), Err(Refused::ProbesOut));
    }

    #[test]
    fn results_leave_the_window_after_ten_seconds() {
        let mut b = Snapshots::new(SnapshotsSettings::default(), Time::ZERO);
        fail(&mut b, 100, 19);
        b.poll(Time(10_499_999));
        assert_eq!(b.summary().calls, 19);
        b.poll(Time(10_500_000));
        assert_eq!(b.summary().calls, 0);
        fail(&mut b, 10_600, 1);
        b.poll(Time(3_600_000_000));
        assert_eq!((b.summary().calls, b.state()), (0, BreakerState::Closed));
    }
}
