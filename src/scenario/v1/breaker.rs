//! Circuit breakers, as people write them: the textbook one and those of well-known libraries.

use super::policy::Chances;
use crate::base::time::Span;
use crate::base::unit::Chance;

wire! {
    /// When to stop calling what keeps failing.
    pub enum Breaker {
        /// The textbook one: so many failures in a row open it, a probe after the wait decides.
        Consecutive(Consecutive) = "consecutive";
        /// As resilience4j does it: rates of failures and slow calls over a sliding window.
        Resilience4j(Resilience4j) = "resilience4j";
        /// As gobreaker does it: counts that start afresh with every state and window.
        Gobreaker(Gobreaker) = "gobreaker";
        /// As Failsafe does it: failures of the last results, or within a period.
        Failsafe(Failsafe) = "failsafe";
        /// As Polly does it: a share of failures over a sampling time.
        Polly(Polly) = "polly";
        /// As Hystrix did it: judged at snapshots, every half second.
        Hystrix(Hystrix) = "hystrix";
    }
}

wire! {
    /// The textbook breaker.
    pub struct Consecutive {
        /// Failures in a row that open it.
        failures: u32 = 5, 1 ..= 1_000_000;
        /// How long it stays open before it lets a probe through.
        wait: Span = Span::secs(5);
        /// Probes out at once while half-open.
        probes: u32 = 1, 1 ..= 1_000_000;
        /// Successes in a row that close it again.
        successes: u32 = 1, 1 ..= 1_000_000;
    }
}

wire! {
    /// The breaker of resilience4j.
    pub struct Resilience4j {
        /// The share of failures that opens it.
        failure_rate: Chance = Chance(500_000);
        /// The share of slow calls that opens it.
        slow_rate: Chance = Chance::ALWAYS;
        /// A call that takes longer is slow.
        slow_after: Span = Span::secs(60);
        /// What the rates are taken over.
        window: Window = Window::Calls(100);
        /// Results without which there are no rates.
        minimum_calls: u32 = 100, 1 ..= 10_000;
        /// Calls let through while half-open.
        probes: u32 = 10, 1 ..= 10_000;
        /// How long it stays open.
        wait: Span = Span::secs(60);
        /// The wait grows by this factor with every opening in a row.
        wait_growth: Option<f64> = None, 1 ..= 100;
        /// Half-open for so long opens it again; none waits for the results.
        half_open_wait: Option<Span> = None;
        /// Becomes half-open by itself when the wait is over, not when somebody calls.
        automatic: bool = false;
    }
}

wire! {
    /// What rates are taken over.
    pub enum Window {
        /// The last so many results.
        Calls(u32) = "calls";
        /// So many whole seconds.
        Seconds(u32) = "seconds";
    }
}

wire! {
    /// The breaker of gobreaker.
    pub struct Gobreaker {
        /// Calls let through while half-open, and successes in a row that close it.
        probes: u32 = 1, 1 ..= 1_000_000;
        /// How long results count while closed; zero counts for ever.
        interval: Span = Span::ZERO;
        /// Makes that window roll in buckets of this length; zero starts it afresh.
        bucket: Span = Span::ZERO;
        /// How long it stays open.
        wait: Span = Span::secs(60);
        /// What opens it.
        trip: Trip = Trip::Consecutive(5);
    }
}

wire! {
    /// What opens it.
    pub enum Trip {
        /// More failures in a row than this.
        Consecutive(u32) = "consecutive";
        /// This share of failures, once there are enough calls.
        Ratio(Chances) = "ratio";
    }
}

wire! {
    /// The breaker of Failsafe: so many failures of the last results; with `within`, so many (or
    /// with `rate`, such a share) within a period.
    pub struct Failsafe {
        /// Failures that open it.
        failures: u32 = 1, 1 ..= 10_000;
        /// Of so many results; none looks at as many as the failures.
        of: Option<u32> = None, 1 ..= 10_000;
        /// How far back results count, instead of a number of them.
        within: Option<Span> = None;
        /// Results without which it does not open, within the period.
        minimum: u32 = 1, 0 ..= 10_000;
        /// The share of failures within the period that opens it, instead of a number.
        rate: Option<Chance> = None;
        /// Successes that close it; none takes the rule for failures.
        successes: Option<u32> = None, 1 ..= 10_000;
        /// Of so many results; none looks at as many as the successes.
        successes_of: Option<u32> = None, 1 ..= 10_000;
        /// How long it stays open.
        wait: Span = Span::secs(60);
    }
}

wire! {
    /// The breaker of Polly.
    pub struct Polly {
        /// The share of failures that opens it.
        failure_ratio: Chance = Chance(100_000);
        /// Results without which it does not open.
        minimum: u32 = 100, 2 ..= 1_000_000;
        /// How far back results count.
        sampling: Span = Span::secs(30);
        /// How long it stays open.
        wait: Span = Span::secs(5);
    }
}

wire! {
    /// The breaker of Hystrix.
    pub struct Hystrix {
        /// Results without which it does not open.
        minimum_calls: u32 = 20, 1 ..= 1_000_000;
        /// Failures that open it, in whole percent.
        error_percent: u32 = 50, 0 ..= 100;
        /// How far back results count.
        window: Span = Span::secs(10);
        /// Time between two judgements.
        snapshot: Span = Span::millis(500);
        /// How long it stays open.
        wait: Span = Span::secs(5);
    }
}
