//! From policies as people write them to the settings of the policies that run.

use crate::base::time::Span;
use crate::protocol::health::HealthSettings;
use crate::protocol::policy::budget::{self, BudgetSettings};
use crate::protocol::policy::concurrency::ConcurrencySettings;
use crate::protocol::policy::hedge::HedgeSettings;
use crate::protocol::policy::idempotency::KeySettings;
use crate::protocol::policy::limiter::LimiterSettings;
use crate::protocol::policy::outlier::{FailurePercentageRule, OutlierSettings};
use crate::protocol::policy::retry::{self, RetrySettings};
use crate::protocol::policy::shed::ShedSettings;
use crate::scenario::v1::policy::{
    Backoff, Budget, Deposit, Health, Hedge, Jitter, Keys, Limit, Limiter, Outlier, Retry, Shed,
};

fn thousandths(number: f64) -> u32 {
    // Limits keep it far below the greatest u32, where the cast would stop.
    libm::round(number * 1_000.0) as u32
}

pub fn retry(retry: &Retry) -> RetrySettings {
    let (base, cap) = (retry.base, retry.cap);
    let jitter = match retry.jitter {
        Jitter::None => retry::Jitter::None,
        Jitter::Full => retry::Jitter::Full,
        Jitter::Equal => retry::Jitter::Equal,
        Jitter::PlusMinus => retry::Jitter::PlusMinus(retry.spread),
    };
    let backoff = match retry.backoff {
        Backoff::Immediate => retry::Backoff::Immediate,
        Backoff::Fixed if retry.jitter == Jitter::None => retry::Backoff::Fixed { wait: base },
        // A wait that does not grow, spread.
        Backoff::Fixed => {
            retry::Backoff::Exponential { base, factor: 1.0, cap: base.max(cap), jitter }
        }
        Backoff::Linear => retry::Backoff::Linear { base, cap, jitter },
        Backoff::Exponential => {
            retry::Backoff::Exponential { base, factor: retry.factor, cap, jitter }
        }
        Backoff::Decorrelated => retry::Backoff::Decorrelated { base, cap },
        Backoff::DecorrelatedWithin => retry::Backoff::DecorrelatedWithin { base, cap },
        Backoff::Polly => retry::Backoff::Polly { base, cap: Some(cap) },
    };
    let on = retry::RetryOn {
        timeout: retry.on.timeout,
        refused: retry.on.refused,
        error: retry.on.error,
        conflict: retry.on.conflict,
        breaker_open: retry.on.breaker_open,
    };
    RetrySettings { attempts: retry.attempts, backoff, on }
}

pub fn budget(budget: &Budget) -> BudgetSettings {
    match budget {
        Budget::TokenBucket(b) => BudgetSettings::TokenBucket {
            deposit_thousandths: thousandths(b.deposit),
            capacity_thousandths: thousandths(b.capacity),
            per: match b.per {
                Deposit::FirstTry => budget::Deposit::FirstTry,
                Deposit::Success => budget::Deposit::Success,
            },
        },
        Budget::Ratio(b) => BudgetSettings::Ratio { limit: b.limit },
        Budget::Aws(b) => BudgetSettings::AwsQuota {
            capacity: b.capacity,
            retry_cost: b.retry_cost,
            timeout_cost: b.timeout_cost,
            refused_cost: b.refused_cost,
            success_refund: b.success_refund,
        },
        Budget::Grpc(b) => BudgetSettings::Grpc {
            max_tokens_thousandths: thousandths(b.max_tokens),
            ratio_thousandths: thousandths(b.ratio),
        },
        Budget::Envoy(b) => {
            BudgetSettings::Envoy { percent: b.percent, min_concurrency: b.min_concurrency }
        }
        Budget::Finagle(b) => BudgetSettings::Finagle {
            ttl: b.ttl,
            min_per_second: b.min_per_second,
            percent: b.percent,
        },
        Budget::Throttle(b) => {
            BudgetSettings::SreThrottle { k_thousandths: thousandths(b.k), window: b.window }
        }
    }
}

pub fn limiter(limiter: &Limiter) -> LimiterSettings {
    LimiterSettings { rate: limiter.rate, burst: limiter.burst }
}

pub fn hedge(hedge: &Hedge) -> HedgeSettings {
    HedgeSettings { after: hedge.after.max(Span(1)), max_extra: hedge.extra }
}

pub fn shed(shed: &Shed) -> ShedSettings {
    ShedSettings { target: shed.target, interval: shed.interval.max(Span(1)) }
}

pub fn limit(limit: &Limit) -> ConcurrencySettings {
    ConcurrencySettings {
        initial: limit.initial,
        min: limit.min,
        max: limit.max,
        target: limit.target,
        decrease: thousandths(limit.decrease),
    }
}

pub fn health(health: &Health) -> HealthSettings {
    HealthSettings {
        interval: health.interval.max(Span::millis(1)),
        timeout: health.timeout,
        fall: health.fall,
        rise: health.rise,
    }
}

pub fn outlier(outlier: &Outlier) -> OutlierSettings {
    OutlierSettings {
        consecutive: outlier.consecutive,
        interval: outlier.interval.max(Span::millis(1)),
        base: outlier.base,
        longest: outlier.longest,
        most: outlier.most,
        minimum_hosts: outlier.minimum_hosts,
        minimum_requests: outlier.minimum_requests,
        deviations: thousandths(outlier.deviations),
        failure_percentage: outlier.failing.as_ref().map(|f| FailurePercentageRule {
            threshold: f.threshold,
            minimum_hosts: f.minimum_hosts,
            minimum_requests: f.minimum_requests,
        }),
    }
}

pub fn keys(keys: &Keys) -> KeySettings {
    KeySettings { lifetime: keys.lifetime, capacity: keys.capacity }
}
