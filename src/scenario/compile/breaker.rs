//! From breakers as people write them to those that run.

use crate::base::time::Span;
use crate::protocol::policy::breaker::BreakerSettings;
use crate::protocol::policy::breaker::consecutive::ConsecutiveSettings;
use crate::protocol::policy::breaker::generations::{GenerationsSettings, TripRule};
use crate::protocol::policy::breaker::ratio::{FailureRule, RatioSettings, SuccessRule};
use crate::protocol::policy::breaker::sampling::SamplingSettings;
use crate::protocol::policy::breaker::sliding::{SlidingSettings, SlidingWindow};
use crate::protocol::policy::breaker::snapshots::SnapshotsSettings;
use crate::scenario::v1::breaker::{
    Breaker, Failsafe, Gobreaker, Hystrix, Polly, Resilience4j, Trip, Window,
};

/// The shortest time between two looks.
const SHORTEST: Span = Span::millis(1);

pub fn compile(breaker: &Breaker) -> BreakerSettings {
    match breaker {
        Breaker::Consecutive(b) => BreakerSettings::Consecutive(ConsecutiveSettings {
            failures: b.failures,
            wait: b.wait,
            probes: b.probes,
            successes: b.successes,
        }),
        Breaker::Resilience4j(b) => BreakerSettings::Sliding(sliding(b)),
        Breaker::Gobreaker(b) => BreakerSettings::Generations(generations(b)),
        Breaker::Failsafe(b) => BreakerSettings::Ratio(ratio(b)),
        Breaker::Polly(b) => BreakerSettings::Sampling(sampling(b)),
        Breaker::Hystrix(b) => BreakerSettings::Snapshots(snapshots(b)),
    }
}

/// How many results or buckets one breaker remembers.
pub fn cells(breaker: &Breaker) -> u64 {
    let buckets = |window: Span, bucket: Span| window.0 / bucket.max(SHORTEST).0;
    match breaker {
        Breaker::Consecutive(_) => 1,
        Breaker::Resilience4j(b) => match b.window {
            Window::Calls(n) | Window::Seconds(n) => u64::from(n.max(b.probes)),
        },
        Breaker::Gobreaker(b) if b.bucket > Span::ZERO => buckets(b.interval, b.bucket),
        Breaker::Gobreaker(_) => 1,
        Breaker::Failsafe(b) => [Some(b.failures), b.of, Some(b.minimum), b.successes_of]
            .into_iter()
            .flatten()
            .map(u64::from)
            .max()
            .unwrap_or(1),
        Breaker::Polly(_) => 10,
        Breaker::Hystrix(b) => buckets(b.window, b.snapshot),
    }
}

fn sliding(b: &Resilience4j) -> SlidingSettings {
    SlidingSettings {
        failure_rate: b.failure_rate,
        slow_rate: b.slow_rate,
        slow_after: b.slow_after,
        window: match b.window {
            Window::Calls(n) => SlidingWindow::Calls(n.max(1)),
            Window::Seconds(n) => SlidingWindow::Seconds(n.max(1)),
        },
        minimum_calls: b.minimum_calls,
        probes: b.probes,
        wait: b.wait,
        wait_growth: b.wait_growth,
        half_open_wait: b.half_open_wait,
        automatic: b.automatic,
    }
}

fn generations(b: &Gobreaker) -> GenerationsSettings {
    GenerationsSettings {
        probes: b.probes,
        interval: b.interval,
        bucket: if b.bucket > Span::ZERO { b.bucket.max(SHORTEST) } else { b.bucket },
        wait: b.wait,
        trip: match &b.trip {
            Trip::Consecutive(n) => TripRule::Consecutive(*n),
            Trip::Ratio(r) => TripRule::Ratio { minimum: r.minimum, ratio: r.share.as_f64() },
        },
    }
}

fn ratio(b: &Failsafe) -> RatioSettings {
    let (failures, minimum) = (b.failures, b.minimum);
    let of = b.of.unwrap_or(failures).max(failures);
    RatioSettings {
        failures: match (b.within, b.rate) {
            (None, _) => FailureRule::Count { failures, of },
            (Some(period), None) => {
                FailureRule::CountWithin { failures, minimum, period: period.max(SHORTEST) }
            }
            (Some(period), Some(rate)) => {
                FailureRule::RateWithin { rate, minimum, period: period.max(SHORTEST) }
            }
        },
        successes: b.successes.map(|successes| SuccessRule {
            successes,
            of: b.successes_of.unwrap_or(successes).max(successes),
        }),
        wait: b.wait,
    }
}

fn sampling(b: &Polly) -> SamplingSettings {
    SamplingSettings {
        failure_ratio: b.failure_ratio.as_f64(),
        minimum_throughput: b.minimum,
        sampling: b.sampling.max(SHORTEST),
        wait: b.wait,
    }
}

fn snapshots(b: &Hystrix) -> SnapshotsSettings {
    SnapshotsSettings {
        minimum_calls: b.minimum_calls,
        error_percent: b.error_percent,
        window: b.window.max(SHORTEST),
        snapshot: b.snapshot.max(SHORTEST),
        wait: b.wait,
    }
}
