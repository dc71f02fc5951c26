//! The breaker of resilience4j: rates over a sliding window of calls or seconds.
//!
//! Checked after every result, so a success can open it. The open wait ends strictly after its
//! last instant, and only when someone asks. Half-open hands out a fixed number of permits.
//! There are no generations: a late result counts in the state it arrives in (open records it
//! and stays open). Source: `CircuitBreakerStateMachine.java`, `CircuitBreakerConfig.java`.

use super::{BreakerState, BreakerSummary, CallResult, Forced, NoSuchTransition, Permit, Refused};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// When it opens, and how it finds out. The defaults are the library's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlidingSettings {
    /// Share of failures that opens it.
    pub failure_rate: Chance,
    /// Share of slow calls that opens it.
    pub slow_rate: Chance,
    /// A call is slow when it took strictly longer.
    pub slow_after: Span,
    /// What the rates are taken over.
    pub window: SlidingWindow,
    /// Results without which there are no rates; at most the window's calls count.
    pub minimum_calls: u32,
    /// Permits handed out while half-open.
    pub probes: u32,
    /// How long it stays open.
    pub wait: Span,
    /// The wait grows by this factor with every opening in a row, whole milliseconds each time.
    pub wait_growth: Option<f64>,
    /// Half-open for so long opens it again; none waits for the results for ever.
    pub half_open_wait: Option<Span>,
    /// Goes half-open by itself when the wait is over instead of when someone asks.
    pub automatic: bool,
}

/// A window of seconds is at most a day.
const LONGEST_SECONDS: u32 = 86_400;

/// What the rates are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlidingWindow {
    /// The last so many results.
    Calls(u32),
    /// The current whole second and the ones before it, so many in all.
    Seconds(u32),
}

impl Default for SlidingSettings {
    fn default() -> SlidingSettings {
        SlidingSettings {
            failure_rate: Chance(500_000),
            slow_rate: Chance::ALWAYS,
            slow_after: Span::secs(60),
            window: SlidingWindow::Calls(100),
            minimum_calls: 100,
            probes: 10,
            wait: Span::secs(60),
            wait_growth: None,
            half_open_wait: None,
            automatic: false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sliding {
    settings: SlidingSettings,
    phase: Phase,
    metrics: Metrics,
    /// Openings in a row; half-open keeps it, closing forgets it.
    openings: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Closed,
    Open { until: Time },
    HalfOpen { permits: u32, until: Option<Time> },
    ForcedOpen,
    Disabled,
    MetricsOnly,
}

impl Sliding {
    pub(super) fn new(settings: SlidingSettings, _now: Time) -> Sliding {
        let metrics = Metrics::new(settings.window, settings.minimum_calls);
        Sliding { settings, phase: Phase::Closed, metrics, openings: 0 }
    }

    pub(super) fn try_acquire(&mut self, now: Time) -> Result<Permit, Refused> {
        self.settle(now);
        if let Phase::Open { until } = self.phase
            && now > until
        {
            self.half_open(now);
        }
        let refused = match &mut self.phase {
            Phase::Closed | Phase::Disabled | Phase::MetricsOnly => None,
            Phase::Open { .. } | Phase::ForcedOpen => Some(Refused::Open),
            Phase::HalfOpen { permits: 0, .. } => Some(Refused::ProbesOut),
            Phase::HalfOpen { permits, .. } => {
                *permits -= 1;
                None
            }
        };
        match refused {
            None => Ok(Permit { generation: 0, started: now }),
            Some(refused) => {
                self.metrics.rejected += 1;
                Err(refused)
            }
        }
    }

    pub(super) fn record(&mut self, now: Time, _permit: Permit, result: CallResult, took: Span) {
        self.settle(now);
        let failed = match result {
            CallResult::Success => false,
            CallResult::Failure => true,
            CallResult::Ignored => {
                if let Phase::HalfOpen { permits, .. } = &mut self.phase {
                    *permits += 1;
                }
                return;
            }
        };
        let outcome = Outcome { failed, slow: took > self.settings.slow_after };
        match self.phase {
            Phase::ForcedOpen | Phase::Disabled => {}
            Phase::Open { .. } | Phase::MetricsOnly => self.metrics.record(now, outcome),
            Phase::Closed => {
                self.metrics.record(now, outcome);
                if self.metrics.exceeds(&self.settings) == Some(true) {
                    self.open(now, None);
                }
            }
            Phase::HalfOpen { .. } => {
                self.metrics.record(now, outcome);
                match self.metrics.exceeds(&self.settings) {
                    Some(true) => self.open(now, None),
                    Some(false) => self.close(),
                    None => {}
                }
            }
        }
    }

    pub(super) fn probes_out(&self) -> Option<(u32, u32)> {
        let Phase::HalfOpen { permits, .. } = self.phase else { return None };
        let most = self.settings.probes.max(1);
        Some((most.saturating_sub(permits), most))
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
            Phase::ForcedOpen => BreakerState::ForcedOpen,
            Phase::Disabled => BreakerState::Disabled,
            Phase::MetricsOnly => BreakerState::MetricsOnly,
        }
    }

    /// Reading the metrics moves the window, but no state unless the settings say so.
    pub(super) fn poll(&mut self, now: Time) {
        self.settle(now);
        self.metrics.advance(now);
    }

    pub(super) fn retry_at(&self) -> Option<Time> {
        match self.phase {
            Phase::Open { until } if self.settings.automatic => Some(until),
            Phase::Open { until } => Some(until + Span::micros(1)),
            _ => None,
        }
    }

    pub(super) fn force(&mut self, now: Time, to: Forced) -> Option<Result<(), NoSuchTransition>> {
        let by_hand_only_out =
            matches!((self.phase, to), (Phase::Closed | Phase::MetricsOnly, Forced::HalfOpen))
                || matches!(
                    (self.phase, to),
                    (Phase::MetricsOnly, Forced::Open | Forced::OpenFor(_))
                );
        if by_hand_only_out {
            return Some(Err(NoSuchTransition));
        }
        match to {
            Forced::Open => self.open(now, None),
            Forced::OpenFor(wait) => self.open(now, Some(wait)),
            Forced::HalfOpen => self.half_open(now),
            Forced::Closed => self.close(),
            Forced::ForcedOpen => {
                self.openings += 1;
                self.enter(Phase::ForcedOpen);
            }
            Forced::Disabled => {
                self.openings = 0;
                self.enter(Phase::Disabled);
            }
            Forced::MetricsOnly => {
                self.openings = 0;
                self.enter(Phase::MetricsOnly);
            }
        }
        Some(Ok(()))
    }

    pub(super) fn summary(&self) -> BreakerSummary {
        let Tally { calls, failures, slow } = self.metrics.total;
        let rate = |n| self.metrics.enough().then(|| f64::from(n) / f64::from(calls));
        BreakerSummary {
            calls,
            successes: calls - failures,
            failures,
            slow,
            rejected: self.metrics.rejected,
            openings_in_a_row: self.openings,
            failure_rate: rate(failures),
            slow_rate: rate(slow),
            ..BreakerSummary::default()
        }
    }

    /// What the library does on timers of its own.
    fn settle(&mut self, now: Time) {
        loop {
            match self.phase {
                Phase::Open { until } if self.settings.automatic && now >= until => {
                    self.half_open(until);
                }
                Phase::HalfOpen { until: Some(until), .. } if now >= until => {
                    self.open(until, None);
                }
                _ => return,
            }
        }
    }

    /// Opening keeps the metrics of the state that was left.
    fn open(&mut self, now: Time, wait: Option<Span>) {
        self.openings += 1;
        let until = now + wait.unwrap_or_else(|| self.next_wait());
        self.phase = Phase::Open { until };
    }

    fn next_wait(&self) -> Span {
        let Some(factor) = self.settings.wait_growth else { return self.settings.wait };
        let longest = Span::secs(1_000_000);
        let mut wait = self.settings.wait;
        for _ in 1..self.openings {
            let grown = Span::from_micros_f64(libm::floor(wait.0 as f64 / 1e3 * factor) * 1e3);
            if grown <= wait || grown > longest {
                break;
            }
            wait = grown;
        }
        wait
    }

    fn half_open(&mut self, now: Time) {
        let probes = self.settings.probes.max(1);
        self.phase = Phase::HalfOpen {
            permits: probes,
            until: self.settings.half_open_wait.map(|wait| now + wait.max(Span::millis(1))),
        };
        self.metrics = Metrics::new(SlidingWindow::Calls(probes), self.settings.minimum_calls);
    }

    fn close(&mut self) {
        self.openings = 0;
        self.enter(Phase::Closed);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.metrics = Metrics::new(self.settings.window, self.settings.minimum_calls);
    }
}

/// The results of one state, over its window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Metrics {
    window: Window,
    total: Tally,
    minimum: u32,
    rejected: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Window {
    Calls { capacity: u32, last: VecDeque<Outcome> },
    Seconds { tallies: Vec<Tally>, newest: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Outcome {
    failed: bool,
    slow: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    calls: u32,
    failures: u32,
    slow: u32,
}

impl Metrics {
    fn new(window: SlidingWindow, minimum: u32) -> Metrics {
        let (window, minimum) = match window {
            SlidingWindow::Calls(n) => {
                let capacity = n.max(1);
                (Window::Calls { capacity, last: VecDeque::new() }, minimum.min(capacity))
            }
            SlidingWindow::Seconds(n) => {
                let tallies = vec![Tally::default(); n.clamp(1, LONGEST_SECONDS) as usize];
                (Window::Seconds { tallies, newest: 0 }, minimum)
            }
        };
        Metrics { window, total: Tally::default(), minimum, rejected: 0 }
    }

    fn record(&mut self, now: Time, outcome: Outcome) {
        self.advance(now);
        match &mut self.window {
            Window::Calls { capacity, last } => {
                if last.len() >= *capacity as usize
                    && let Some(oldest) = last.pop_front()
                {
                    self.total.remove(oldest.tally());
                }
                last.push_back(outcome);
            }
            Window::Seconds { tallies, newest } => {
                let slot = (*newest % tallies.len() as u64) as usize;
                tallies[slot].add(outcome.tally());
            }
        }
        self.total.add(outcome.tally());
    }

    /// Drops the seconds that have left the window.
    fn advance(&mut self, now: Time) {
        let Window::Seconds { tallies, newest } = &mut self.window else { return };
        let (second, size) = (now.0 / 1_000_000, tallies.len() as u64);
        for passed in (*newest + 1..=second).take(tallies.len()) {
            let old = std::mem::take(&mut tallies[(passed % size) as usize]);
            self.total.remove(old);
        }
        *newest = second.max(*newest);
    }

    fn enough(&self) -> bool {
        self.total.calls > 0 && self.total.calls >= self.minimum
    }

    /// Whether a rate has reached its threshold; nothing while there are too few calls.
    fn exceeds(&self, settings: &SlidingSettings) -> Option<bool> {
        let reached = |n: u32, threshold: Chance| {
            u64::from(n) * 1_000_000 >= u64::from(self.total.calls) * u64::from(threshold.0)
        };
        self.enough().then(|| {
            reached(self.total.failures, settings.failure_rate)
                || reached(self.total.slow, settings.slow_rate)
        })
    }
}

impl Outcome {
    fn tally(self) -> Tally {
        Tally { calls: 1, failures: u32::from(self.failed), slow: u32::from(self.slow) }
    }
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow += other.slow;
    }

    fn remove(&mut self, other: Tally) {
        self.calls -= other.calls;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(breaker: &mut Sliding, ms: u64, result: CallResult) {
        let now = Time(ms * 1000);
        breaker.record(now, Permit { generation: 0, started: now }, result, Span::ZERO);
    }

    #[test]
    fn the_wait_grows_in_whole_milliseconds_and_starts_again_after_closing() {
        let settings = SlidingSettings {
            wait: Span::millis(1001),
            wait_growth: Some(1.5),
            probes: 1,
            ..SlidingSettings::default()
        };
        let mut b = Sliding::new(settings, Time::ZERO);
        let waits: Vec<u64> = (0..4)
            .map(|_| {
                b.open(Time::ZERO, None);
                b.retry_at().map_or(0, |at| at.0 - 1)
            })
            .collect();
        assert_eq!(waits, [1_001_000, 1_501_000, 2_251_000, 3_376_000]);
        b.close();
        b.open(Time::ZERO, None);
        assert_eq!(b.retry_at(), Some(Time(1_001_001)));
    }

    #[test]
    fn timers_of_its_own_when_asked_for() {
        let settings = SlidingSettings {
            wait: Span::millis(100),
            half_open_wait: Some(Span::millis(50)),
            automatic: true,
            ..SlidingSettings::default()
        };
        let mut b = Sliding::new(settings, Time::ZERO);
        b.open(Time::ZERO, None);
        b.poll(Time(99_999));
        assert_eq!(b.state(), BreakerState::Open);
        b.poll(Time(100_000));
        assert_eq!(b.state(), BreakerState::HalfOpen);
        b.poll(Time(150_000));
        assert_eq!(b.state(), BreakerState::Open);
        b.poll(Time(250_000));
        assert_eq!(b.state(), BreakerState::HalfOpen);
    }

    #[test]
    fn by_hand_metrics_only_leads_nowhere_open() {
        let mut b = Sliding::new(SlidingSettings::default(), Time::ZERO);
        assert_eq!(b.force(Time::ZERO, Forced::HalfOpen), Some(Err(NoSuchTransition)));
        assert_eq!(b.force(Time::ZERO, Forced::MetricsOnly), Some(Ok(())));
        record(&mut b, 0, CallResult::Failure);
        assert_eq!(b.force(Time::ZERO, Forced::Open), Some(Err(NoSuchTransition)));
        assert_eq!((b.state(), b.summary().failures), (BreakerState::MetricsOnly, 1));
        assert_eq!(b.force(Time::ZERO, Forced::ForcedOpen), Some(Ok(())));
        assert_eq!(b.summary().failures, 0);
    }
}
