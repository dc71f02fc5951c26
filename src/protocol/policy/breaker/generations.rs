//! The breaker of gobreaker v2: counts per generation, consecutive or by ratio.
//!
//! The trip rule is asked on failures only. The window and the open wait end strictly after
//! their last instant, and only when someone looks. A result from an older window or state is
//! dropped. With a bucket period the window rolls, and a result counts in the bucket in which
//! its call began. Source: `v2/gobreaker.go`.

use super::{BreakerState, BreakerSummary, CallResult, Forced, NoSuchTransition, Permit, Refused};
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// When it opens, and how it finds out. The defaults are the library's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenerationsSettings {
    /// Calls admitted while half-open, and successes in a row that close it.
    pub probes: u32,
    /// The window of the closed state; zero counts for ever.
    pub interval: Span,
    /// Makes the window roll in buckets of this length; zero starts it afresh when it is over.
    pub bucket: Span,
    /// How long it stays open.
    pub wait: Span,
    /// What opens it.
    pub trip: TripRule,
}

/// A rolling window has at most so many buckets.
const MOST_BUCKETS: u64 = 10_000;

/// What opens it, asked on each failure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum TripRule {
    /// More failures in a row than this.
    Consecutive(u32),
    /// This share of failures among at least so many calls; neither counts ignored results.
    Ratio {
        /// Calls without which it does not open.
        minimum: u32,
        /// The share, from 0 to 1.
        ratio: f64,
    },
}

impl Default for GenerationsSettings {
    fn default() -> GenerationsSettings {
        GenerationsSettings {
            probes: 1,
            interval: Span::ZERO,
            bucket: Span::ZERO,
            wait: Span::secs(60),
            trip: TripRule::Consecutive(5),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Generations {
    settings: GenerationsSettings,
    phase: Phase,
    generation: u64,
    counts: Counts,
    /// The rolling window's buckets, a ring; empty when the window does not roll.
    buckets: Vec<Counts>,
    /// Number of the newest bucket, counted from the instant of closing.
    newest: u64,
    rejected: u32,
    openings: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Closed { since: Time },
    Open { until: Time },
    HalfOpen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    requests: u32,
    successes: u32,
    failures: u32,
    exclusions: u32,
    successes_in_a_row: u32,
    failures_in_a_row: u32,
}

impl Generations {
    pub(super) fn new(settings: GenerationsSettings, now: Time) -> Generations {
        let rolls = settings.bucket > Span::ZERO && settings.interval > settings.bucket;
        let buckets = if rolls { settings.interval.0.div_ceil(settings.bucket.0) } else { 0 };
        Generations {
            settings,
            phase: Phase::Closed { since: now },
            generation: 0,
            counts: Counts::default(),
            buckets: vec![Counts::default(); buckets.min(MOST_BUCKETS) as usize],
            newest: 0,
            rejected: 0,
            openings: 0,
        }
    }

    pub(super) fn try_acquire(&mut self, now: Time) -> Result<Permit, Refused> {
        self.poll(now);
        let admitted = self.counts.requests - self.counts.exclusions;
        let refused = match self.phase {
            Phase::Open { .. } => Some(Refused::Open),
            Phase::HalfOpen if admitted >= self.probes() => Some(Refused::ProbesOut),
            Phase::Closed { .. } | Phase::HalfOpen => None,
        };
        if let Some(refused) = refused {
            self.rejected += 1;
            return Err(refused);
        }
        self.count(now, |counts| counts.requests += 1);
        Ok(Permit { generation: self.generation, started: now })
    }

    pub(super) fn record(&mut self, now: Time, permit: Permit, result: CallResult, _took: Span) {
        self.poll(now);
        if permit.generation != self.generation {
            return;
        }
        self.count(permit.started, |counts| counts.record(result));
        match (self.phase, result) {
            (Phase::HalfOpen, CallResult::Failure) => self.open(now, self.settings.wait),
            (Phase::HalfOpen, CallResult::Success)
                if self.counts.successes_in_a_row >= self.probes() =>
            {
                self.close(now);
            }
            (Phase::Closed { .. }, CallResult::Failure) if self.trips() => {
                self.open(now, self.settings.wait);
            }
            _ => {}
        }
    }

    pub(super) fn probes_out(&self) -> Option<(u32, u32)> {
        let admitted = self.counts.requests - self.counts.exclusions;
        (self.phase == Phase::HalfOpen).then(|| (admitted, self.probes()))
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen => BreakerState::HalfOpen,
        }
    }

    /// What asking for the state does: ends the window or the open wait.
    pub(super) fn poll(&mut self, now: Time) {
        match self.phase {
            Phase::Closed { since } if !self.buckets.is_empty() => {
                self.roll_to(now.since(since).0 / self.settings.bucket.0);
            }
            Phase::Closed { since } => {
                let interval = self.settings.interval;
                if interval > Span::ZERO && now > since + interval {
                    self.enter(Phase::Closed { since: now });
                }
            }
            Phase::Open { until } if now > until => self.enter(Phase::HalfOpen),
            Phase::Open { .. } | Phase::HalfOpen => {}
        }
    }

    pub(super) fn retry_at(&self) -> Option<Time> {
        match self.phase {
            Phase::Open { until } => Some(until + Span::micros(1)),
            Phase::Closed { .. } | Phase::HalfOpen => None,
        }
    }

    pub(super) fn force(&mut self, now: Time, to: Forced) -> Option<Result<(), NoSuchTransition>> {
        match to {
            Forced::Open => self.open(now, self.settings.wait),
            Forced::OpenFor(wait) => self.open(now, wait),
            Forced::HalfOpen => self.enter(Phase::HalfOpen),
            Forced::Closed => self.close(now),
            Forced::ForcedOpen | Forced::Disabled | Forced::MetricsOnly => return None,
        }
        Some(Ok(()))
    }

    pub(super) fn summary(&self) -> BreakerSummary {
        let Counts { requests, successes, failures, exclusions, .. } = self.counts;
        let judged = requests - exclusions;
        BreakerSummary {
            calls: requests,
            successes,
            failures,
            ignored: exclusions,
            successes_in_a_row: self.counts.successes_in_a_row,
            failures_in_a_row: self.counts.failures_in_a_row,
            rejected: self.rejected,
            openings_in_a_row: self.openings,
            failure_rate: (judged > 0).then(|| f64::from(failures) / f64::from(judged)),
            ..BreakerSummary::default()
        }
    }

    fn probes(&self) -> u32 {
        self.settings.probes.max(1)
    }

    fn trips(&self) -> bool {
        match self.settings.trip {
            TripRule::Consecutive(most) => self.counts.failures_in_a_row > most,
            TripRule::Ratio { minimum, ratio } => {
                let judged = self.counts.requests - self.counts.exclusions;
                judged >= minimum && f64::from(self.counts.failures) / f64::from(judged) >= ratio
            }
        }
    }

    /// Counts something about a call that began at `started`: in its bucket and in the totals,
    /// or nowhere if that bucket has left the window.
    fn count(&mut self, started: Time, change: impl Fn(&mut Counts)) {
        if let Phase::Closed { since } = self.phase
            && !self.buckets.is_empty()
        {
            let (bucket, size) =
                (started.since(since).0 / self.settings.bucket.0, self.buckets.len() as u64);
            if bucket + size <= self.newest {
                return;
            }
            change(&mut self.buckets[(bucket % size) as usize]);
        }
        change(&mut self.counts);
    }

    fn roll_to(&mut self, bucket: u64) {
        let size = self.buckets.len() as u64;
        if bucket >= self.newest + size {
            self.counts = Counts::default();
            self.buckets.fill(Counts::default());
        } else {
            for passed in self.newest + 1..=bucket {
                let old = std::mem::take(&mut self.buckets[(passed % size) as usize]);
                self.counts.remove(old);
            }
        }
        self.newest = bucket.max(self.newest);
    }

    fn open(&mut self, now: Time, wait: Span) {
        self.openings += 1;
        self.enter(Phase::Open { until: now + wait });
    }

    fn close(&mut self, now: Time) {
        self.openings = 0;
        self.rejected = 0;
        self.enter(Phase::Closed { since: now });
    }

    /// A new generation, with nothing counted.
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.counts = Counts::default();
        self.buckets.fill(Counts::default());
        self.newest = 0;
    }
}

impl Counts {
    fn record(&mut self, result: CallResult) {
        match result {
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
            CallResult::Ignored => self.exclusions += 1,
        }
    }

    /// Takes the bucket that leaves the window out of the totals. A run loses the bucket's own
    /// run only if it fills the whole window.
    fn remove(&mut self, old: Counts) {
        if self.successes_in_a_row == old.successes_in_a_row + self.successes - old.successes {
            self.successes_in_a_row -= old.successes_in_a_row;
        }
        if self.failures_in_a_row == old.failures_in_a_row + self.failures - old.failures {
            self.failures_in_a_row -= old.failures_in_a_row;
        }
        self.requests -= old.requests;
        self.successes -= old.successes;
        self.failures -= old.failures;
        self.exclusions -= old.exclusions;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Time {
        Time(n * 1000)
    }

    fn rolling() -> Generations {
        let settings = GenerationsSettings {
            interval: Span::millis(300),
            bucket: Span::millis(100),
            trip: TripRule::Consecutive(100),
            ..GenerationsSettings::default()
        };
        Generations::new(settings, Time::ZERO)
    }

    fn call(b: &mut Generations, at: Time, result: CallResult) {
        let permit = b.try_acquire(at).expect("closed");
        b.record(at, permit, result, Span::ZERO);
    }

    #[test]
    fn a_bucket_leaves_with_all_it_counted() {
        let mut b = rolling();
        for at in [0, 50, 100, 250] {
            call(&mut b, ms(at), CallResult::Failure);
        }
        b.poll(ms(299));
        assert_eq!((b.counts.failures, b.counts.failures_in_a_row), (4, 4));
        b.poll(ms(300));
        assert_eq!((b.counts.failures, b.counts.failures_in_a_row), (2, 2));
        b.poll(ms(700));
        assert_eq!(b.counts, Counts::default());
    }

    #[test]
    fn a_result_counts_where_its_call_began_or_nowhere() {
        let mut b = rolling();
        let early = b.try_acquire(ms(50)).expect("closed");
        let late = b.try_acquire(ms(250)).expect("closed");
        b.record(ms(310), early, CallResult::Failure, Span::ZERO);
        assert_eq!(b.counts, Counts { requests: 1, ..Counts::default() });
        b.record(ms(310), late, CallResult::Failure, Span::ZERO);
        assert_eq!(b.counts.failures, 1);
        b.poll(ms(500));
        assert_eq!(b.counts, Counts::default(), "with the bucket of its start");
    }
}
