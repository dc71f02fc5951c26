//! The breaker of Failsafe: f failures of the last c, or within a period.
//!
//! Checked after every result. The open wait ends at its last instant. Half-open always counts
//! results and never uses time; each result gives its permit back, late ones too, for there are
//! no generations. Rates are rounded to whole percent. Source: `ClosedState.java`,
//! `HalfOpenState.java`, `OpenState.java`, `TimedCircuitStats.java`.

use super::{BreakerState, BreakerSummary, CallResult, Forced, NoSuchTransition, Permit, Refused};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// When it opens, and how it finds out. The defaults are the library's: one failure opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatioSettings {
    /// What opens it.
    pub failures: FailureRule,
    /// What closes it; none takes the failure rule for half-open too.
    pub successes: Option<SuccessRule>,
    /// How long it stays open.
    pub wait: Span,
}

/// What opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureRule {
    /// So many failures of the last results.
    Count {
        /// Failures that open it.
        failures: u32,
        /// Results that are looked at.
        of: u32,
    },
    /// So many failures within a period that saw enough results.
    CountWithin {
        /// Failures that open it.
        failures: u32,
        /// Results without which it does not open.
        minimum: u32,
        /// How far back results count, in tenths.
        period: Span,
    },
    /// A share of failures within a period that saw enough results.
    RateWithin {
        /// The share, to the whole percent.
        rate: Chance,
        /// Results without which it does not open.
        minimum: u32,
        /// How far back results count, in tenths.
        period: Span,
    },
}

/// What closes it while half-open: so many successes of the last results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuccessRule {
    /// Successes that close it.
    pub successes: u32,
    /// Results that are looked at, and permits out at once.
    pub of: u32,
}

impl Default for RatioSettings {
    fn default() -> RatioSettings {
        RatioSettings {
            failures: FailureRule::Count { failures: 1, of: 1 },
            successes: None,
            wait: Span::secs(60),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ratio {
    settings: RatioSettings,
    phase: Phase,
    stats: Stats,
    rejected: u32,
    openings: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Closed,
    Open { until: Time },
    HalfOpen { permits: u32 },
}

impl Ratio {
    pub(super) fn new(settings: RatioSettings, now: Time) -> Ratio {
        let stats = Stats::closed(&settings, now);
        Ratio { settings, phase: Phase::Closed, stats, rejected: 0, openings: 0 }
    }

    pub(super) fn try_acquire(&mut self, now: Time) -> Result<Permit, Refused> {
        if let Phase::Open { until } = self.phase
            && now >= until
        {
            self.half_open();
        }
        let refused = match &mut self.phase {
            Phase::Closed => None,
            Phase::Open { .. } => Some(Refused::Open),
            Phase::HalfOpen { permits: 0 } => Some(Refused::ProbesOut),
            Phase::HalfOpen { permits } => {
                *permits -= 1;
                None
            }
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
        if let Phase::HalfOpen { permits } = &mut self.phase {
            *permits += 1;
        }
        match result {
            CallResult::Ignored => return,
            CallResult::Success => self.stats.record(now, true),
            CallResult::Failure => self.stats.record(now, false),
        }
        let tally = self.stats.tally();
        match self.phase {
            Phase::Closed if self.settings.failures.opens(tally) => self.open(now, None),
            Phase::HalfOpen { .. } => match self.verdict(tally) {
                Some(true) => self.close(now),
                Some(false) => self.open(now, None),
                None => {}
            },
            Phase::Closed | Phase::Open { .. } => {}
        }
    }

    pub(super) fn probes_out(&self) -> Option<(u32, u32)> {
        match (&self.phase, &self.stats) {
            (Phase::HalfOpen { permits }, Stats::Last { capacity, .. }) => {
                Some((capacity.saturating_sub(*permits), *capacity))
            }
            _ => None,
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Looking changes nothing: the window moves only when a result is recorded.
    pub(super) fn poll(&mut self, _now: Time) {}

    pub(super) fn retry_at(&self) -> Option<Time> {
        match self.phase {
            Phase::Open { until } => Some(until),
            Phase::Closed | Phase::HalfOpen { .. } => None,
        }
    }

    /// Forcing the state it is in changes nothing.
    pub(super) fn force(&mut self, now: Time, to: Forced) -> Option<Result<(), NoSuchTransition>> {
        match (to, self.state()) {
            (Forced::Open | Forced::OpenFor(_), BreakerState::Open)
            | (Forced::HalfOpen, BreakerState::HalfOpen)
            | (Forced::Closed, BreakerState::Closed) => {}
            (Forced::Open, _) => self.open(now, None),
            (Forced::OpenFor(wait), _) => self.open(now, Some(wait)),
            (Forced::HalfOpen, _) => self.half_open(),
            (Forced::Closed, _) => self.close(now),
            (Forced::ForcedOpen | Forced::Disabled | Forced::MetricsOnly, _) => return None,
        }
        Some(Ok(()))
    }

    pub(super) fn summary(&self) -> BreakerSummary {
        let Tally { successes, failures } = self.stats.tally();
        let calls = successes + failures;
        BreakerSummary {
            calls,
            successes,
            failures,
            rejected: self.rejected,
            openings_in_a_row: self.openings,
            failure_rate: (calls > 0).then(|| f64::from(failures) / f64::from(calls)),
            ..BreakerSummary::default()
        }
    }

    /// In half-open: close, reopen, or go on. Closing is tested first.
    fn verdict(&self, tally: Tally) -> Option<bool> {
        let (close, reopen) = match (self.settings.successes, self.settings.failures) {
            (Some(SuccessRule { successes, of }), _) => {
                (tally.successes >= successes, tally.failures > of.saturating_sub(successes))
            }
            (None, FailureRule::RateWithin { rate, minimum, .. }) => {
                let enough = tally.successes + tally.failures >= minimum;
                let left = 1_000_000 - rate.0.min(1_000_000);
                (
                    enough && tally.percent_of(tally.successes) * 10_000 > left,
                    enough && tally.percent_of(tally.failures) * 10_000 >= rate.0,
                )
            }
            (None, FailureRule::Count { failures, of }) => {
                (tally.successes > of.saturating_sub(failures), tally.failures >= failures)
            }
            (None, FailureRule::CountWithin { failures, .. }) => {
                (tally.successes > 0, tally.failures >= failures)
            }
        };
        if close { Some(true) } else { reopen.then_some(false) }
    }

    /// Opening keeps the counts of the state that was left.
    fn open(&mut self, now: Time, wait: Option<Span>) {
        self.openings += 1;
        self.phase = Phase::Open { until: now + wait.unwrap_or(self.settings.wait) };
    }

    fn half_open(&mut self) {
        let capacity = match (self.settings.successes, self.settings.failures) {
            (Some(SuccessRule { of, .. }), _) | (None, FailureRule::Count { of, .. }) => of,
            (None, FailureRule::CountWithin { minimum: 0, failures, .. }) => failures,
            (None, FailureRule::CountWithin { minimum, .. })
            | (None, FailureRule::RateWithin { minimum, .. }) => minimum,
        };
        self.phase = Phase::HalfOpen { permits: capacity.max(1) };
        self.stats = Stats::Last { capacity: capacity.max(1), results: VecDeque::new() };
    }

    fn close(&mut self, now: Time) {
        *self = Ratio::new(self.settings.clone(), now);
    }
}

impl FailureRule {
    fn opens(self, tally: Tally) -> bool {
        match self {
            FailureRule::Count { failures, .. } => tally.failures >= failures,
            FailureRule::CountWithin { failures, minimum, .. } => {
                tally.successes + tally.failures >= minimum && tally.failures >= failures
            }
            FailureRule::RateWithin { rate, minimum, .. } => {
                tally.successes + tally.failures >= minimum
                    && tally.percent_of(tally.failures) * 10_000 >= rate.0
            }
        }
    }
}

/// The results a state judges by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Stats {
    /// The last so many; true is a success.
    Last { capacity: u32, results: VecDeque<bool> },
    /// Those within a period.
    Within(Box<TimeWindow>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    successes: u32,
    failures: u32,
}

impl Tally {
    /// `n` of all, in whole percent, half up.
    fn percent_of(self, n: u32) -> u32 {
        let all = u64::from(self.successes) + u64::from(self.failures);
        if all == 0 { 0 } else { ((200 * u64::from(n) + all) / (2 * all)) as u32 }
    }

    fn add(&mut self, success: bool) {
        self.successes += u32::from(success);
        self.failures += u32::from(!success);
    }
}

impl Stats {
    fn closed(settings: &RatioSettings, now: Time) -> Stats {
        match settings.failures {
            FailureRule::Count { of, .. } => {
                Stats::Last { capacity: of.max(1), results: VecDeque::new() }
            }
            FailureRule::CountWithin { period, .. } | FailureRule::RateWithin { period, .. } => {
                Stats::Within(Box::new(TimeWindow::new(period, now)))
            }
        }
    }

    fn record(&mut self, now: Time, success: bool) {
        match self {
            Stats::Last { capacity, results } => {
                if results.len() >= *capacity as usize {
                    results.pop_front();
                }
                results.push_back(success);
            }
            Stats::Within(window) => window.record(now, success),
        }
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        match self {
            Stats::Last { results, .. } => results.iter().for_each(|&success| tally.add(success)),
            Stats::Within(window) => {
                for bucket in &window.buckets {
                    tally.successes += bucket.tally.successes;
                    tally.failures += bucket.tally.failures;
                }
            }
        }
        tally
    }
}

const BUCKETS: usize = 10;

/// The library's time window with its two oddities: after a pause of more than a period the
/// result at hand lands in the bucket that was current before, and the window may then stand
/// still until a start it has set in the future.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TimeWindow {
    /// Whole milliseconds.
    width: u64,
    buckets: [Bucket; BUCKETS],
    current: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    /// In milliseconds; none until the window has come by.
    start: Option<u64>,
    tally: Tally,
}

impl TimeWindow {
    fn new(period: Span, now: Time) -> TimeWindow {
        let mut buckets = [Bucket::default(); BUCKETS];
        buckets[0].start = Some(now.0 / 1000);
        let width = (period.0 / 1000 / BUCKETS as u64).max(1);
        TimeWindow { width, buckets, current: 0 }
    }

    fn record(&mut self, now: Time, success: bool) {
        let bucket = self.move_to(now.0 / 1000);
        self.buckets[bucket].tally.add(success);
    }

    /// Moves the window and says which bucket the result at hand belongs to.
    fn move_to(&mut self, now: u64) -> usize {
        let before = self.current as usize;
        let start = self.buckets[before].start.unwrap_or(now);
        let steps = now.saturating_sub(start) / self.width;
        if steps > BUCKETS as u64 {
            for (n, bucket) in self.buckets.iter_mut().enumerate() {
                let start = Some(now + n as u64 * self.width);
                *bucket = Bucket { start, tally: Tally::default() };
            }
            self.current = 0;
            return before;
        }
        for _ in 0..steps {
            let last = self.buckets[self.current as usize].start.unwrap_or(now);
            self.current = (self.current + 1) % BUCKETS as u32;
            let bucket = &mut self.buckets[self.current as usize];
            let start = match bucket.start {
                Some(old) => old + self.width * BUCKETS as u64,
                None => last + self.width,
            };
            *bucket = Bucket { start: Some(start), tally: Tally::default() };
        }
        self.current as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> TimeWindow {
        TimeWindow::new(Span::millis(1000), Time::ZERO)
    }

    #[test]
    fn percentages_round_half_up() {
        let tally = |failures, successes| Tally { failures, successes };
        assert_eq!(tally(1, 2).percent_of(1), 33);
        assert_eq!(tally(2, 1).percent_of(2), 67);
        assert_eq!(tally(1, 199).percent_of(1), 1);
        assert_eq!(tally(0, 0).percent_of(0), 0);
    }

    #[test]
    fn the_window_moves_by_whole_buckets() {
        let mut w = window();
        assert_eq!(w.move_to(99), 0);
        assert_eq!(w.move_to(100), 1);
        assert_eq!(w.move_to(1050), 0);
        assert_eq!(w.buckets[0].start, Some(1000));
    }

    #[test]
    fn after_a_long_pause_the_result_lands_in_the_old_bucket() {
        let mut w = window();
        assert_eq!(w.move_to(300), 3);
        assert_eq!(w.move_to(5000), 3, "the one that was current before");
        assert_eq!((w.current, w.buckets[0].start), (0, Some(5000)));
        // The next step sets a start one period ahead, and the window stands still until then.
        assert_eq!(w.move_to(5100), 1);
        assert_eq!(w.buckets[1].start, Some(6100));
        assert_eq!(w.move_to(6199), 1);
        assert_eq!(w.move_to(6200), 2);
    }

    #[test]
    fn a_result_gives_a_permit_back_even_a_late_one() {
        let settings = RatioSettings {
            successes: Some(SuccessRule { successes: 2, of: 2 }),
            ..RatioSettings::default()
        };
        let mut b = Ratio::new(settings, Time::ZERO);
        b.half_open();
        let acquire = |b: &mut Ratio| b.try_acquire(Time::ZERO);
        let permit = acquire(&mut b).expect("half-open");
        assert!(acquire(&mut b).is_ok());
        assert_eq!(acquire(&mut b), Err(Refused::ProbesOut));
        b.record(Time::ZERO, permit, CallResult::Ignored, Span::ZERO);
        assert!(acquire(&mut b).is_ok());
    }
}
