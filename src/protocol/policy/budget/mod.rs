//! Retry budgets: whether a caller may retry at all, judged over all of its calls.
//!
//! A per-call limit multiplies load by the number of attempts just when the callee can bear it
//! least; a budget bounds what retries add. Sources: botocore `retries/quota.py`; gRPC proposal
//! A6; Envoy `resource_manager_impl.h`; Finagle `RetryBudget.scala`; Brooker,
//! "Fixing retries with token buckets and circuit breakers" (2022); Site Reliability
//! Engineering, "Handling Overload".

use super::window::RollingSum;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};

/// Why an attempt did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// No answer in time.
    Timeout,
    /// Turned away by an overloaded server.
    Refused,
    /// Answered with an error.
    Error,
    /// The write lost against another.
    Conflict,
}

/// The kinds of budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BudgetSettings {
    /// AWS SDKs: a quota that retries draw on and successes refill.
    AwsQuota {
        /// Units at the start and at most.
        capacity: u32,
        /// Units one retry takes.
        retry_cost: u32,
        /// Units a retry after a timeout takes.
        timeout_cost: u32,
        /// Units a retry after a refusal takes.
        refused_cost: u32,
        /// Units given back by a success at the first attempt. A success after retries gives
        /// back what the last of them took.
        success_refund: u32,
    },
    /// gRPC: each failed attempt takes one token, each success gives a share of one; retries
    /// only above half.
    Grpc {
        /// Tokens at the start and at most, in thousandths.
        max_tokens_thousandths: u32,
        /// What a success gives, in thousandths of a token.
        ratio_thousandths: u32,
    },
    /// Envoy: at most this share of what is in flight may be retries.
    Envoy {
        /// The share, in whole percent.
        percent: u32,
        /// Retries always allowed at once.
        min_concurrency: u32,
    },
    /// Finagle: each call pays for a share of a retry, and payments expire.
    Finagle {
        /// How long a payment counts.
        ttl: Span,
        /// Retries per second allowed regardless of calls.
        min_per_second: u32,
        /// Retries per call.
        percent: Chance,
    },
    /// A token bucket: a retry needs more than one token and takes one. Starts full.
    TokenBucket {
        /// What each deposit gives, in thousandths of a token.
        deposit_thousandths: u32,
        /// Tokens at most, in thousandths.
        capacity_thousandths: u32,
        /// What earns a deposit.
        per: Deposit,
    },
    /// Retries only while failures are at most this share of first tries, over the whole run.
    Ratio {
        /// The share.
        limit: Chance,
    },
    /// Adaptive throttling: a caller whose calls are turned away sends fewer, first tries too.
    SreThrottle {
        /// Calls sent per call accepted before throttling begins, in thousandths.
        k_thousandths: u32,
        /// How far back calls count.
        window: Span,
    },
}

/// What earns a deposit in a token bucket. Brooker's text says success, his program first try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deposit {
    /// Every call, when it starts.
    FirstTry,
    /// Every success.
    Success,
}

impl BudgetSettings {
    /// The AWS SDKs' standard mode.
    pub const AWS: BudgetSettings = BudgetSettings::AwsQuota {
        capacity: 500,
        retry_cost: 5,
        timeout_cost: 10,
        refused_cost: 5,
        success_refund: 1,
    };
    /// The AWS SDKs' 2026 revision: dearer retries, except after throttling.
    pub const AWS_2026: BudgetSettings = BudgetSettings::AwsQuota {
        capacity: 500,
        retry_cost: 14,
        timeout_cost: 14,
        refused_cost: 5,
        success_refund: 1,
    };
    /// Finagle's default.
    pub const FINAGLE: BudgetSettings = BudgetSettings::Finagle {
        ttl: Span::secs(10),
        min_per_second: 10,
        percent: Chance(200_000),
    };
    /// Envoy's default.
    pub const ENVOY: BudgetSettings = BudgetSettings::Envoy { percent: 20, min_concurrency: 3 };
    /// Envoy without a budget: three retries at once.
    pub const ENVOY_FIXED: BudgetSettings =
        BudgetSettings::Envoy { percent: 0, min_concurrency: 3 };
    /// The SRE book's limit per client.
    pub const SRE_RATIO: BudgetSettings = BudgetSettings::Ratio { limit: Chance(100_000) };
    /// The SRE book's adaptive throttling.
    pub const SRE: BudgetSettings =
        BudgetSettings::SreThrottle { k_thousandths: 2000, window: Span::secs(120) };
}

impl Default for BudgetSettings {
    /// A tenth of a retry per call, five to begin with.
    fn default() -> BudgetSettings {
        BudgetSettings::TokenBucket {
            deposit_thousandths: 100,
            capacity_thousandths: 5000,
            per: Deposit::FirstTry,
        }
    }
}

/// The budget of one caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    settings: BudgetSettings,
    ledger: Ledger,
}

/// What a budget remembers; which one belongs to which settings is fixed in [`Budget::new`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Ledger {
    /// Units left (AWS), or thousandths of a token (gRPC, token bucket).
    Tokens(u32),
    /// Retries under way, and how many the last question allowed.
    Active { retries: u32, limit: u32 },
    /// Thousandths of a call paid in, less what retries took.
    Deposits(RollingSum),
    /// Over the whole run.
    Counts { first_tries: u64, failures: u64 },
    /// Over the window.
    Accepts { requests: RollingSum, accepts: RollingSum },
}

impl Budget {
    /// A budget before its first call.
    pub fn new(settings: &BudgetSettings) -> Budget {
        let ledger = match *settings {
            BudgetSettings::AwsQuota { capacity, .. } => Ledger::Tokens(capacity),
            BudgetSettings::Grpc { max_tokens_thousandths, .. } => {
                Ledger::Tokens(max_tokens_thousandths)
            }
            BudgetSettings::TokenBucket { capacity_thousandths, .. } => {
                Ledger::Tokens(capacity_thousandths)
            }
            BudgetSettings::Envoy { min_concurrency, .. } => {
                Ledger::Active { retries: 0, limit: min_concurrency }
            }
            BudgetSettings::Finagle { ttl, .. } => Ledger::Deposits(RollingSum::new(ttl)),
            BudgetSettings::Ratio { .. } => Ledger::Counts { first_tries: 0, failures: 0 },
            BudgetSettings::SreThrottle { window, .. } => Ledger::Accepts {
                requests: RollingSum::new(window),
                accepts: RollingSum::new(window),
            },
        };
        Budget { settings: settings.clone(), ledger }
    }

    /// A call begins. False means the caller turns it away itself and sends nothing; only
    /// adaptive throttling does, and only it draws.
    pub fn first_try(&mut self, now: Time, stream: &mut Stream) -> bool {
        match (&self.settings, &mut self.ledger) {
            (BudgetSettings::Finagle { percent, .. }, Ledger::Deposits(paid)) => {
                paid.add(now, if percent.0 > 0 { 1000 } else { 0 });
            }
            (
                &BudgetSettings::TokenBucket {
                    deposit_thousandths,
                    capacity_thousandths,
                    per: Deposit::FirstTry,
                },
                Ledger::Tokens(tokens),
            ) => *tokens = (*tokens + deposit_thousandths).min(capacity_thousandths),
            (_, Ledger::Counts { first_tries, .. }) => *first_tries += 1,
            (
                &BudgetSettings::SreThrottle { k_thousandths, .. },
                Ledger::Accepts { requests, accepts },
            ) => {
                let reject = reject_chance(k_thousandths, requests.sum(now), accepts.sum(now));
                requests.add(now, 1);
                return stream.unit() >= reject;
            }
            _ => {}
        }
        true
    }

    /// Whether an attempt that ended `after` this failure may be followed by another; if so the
    /// price is taken. `active` is the number of the caller's calls in flight or waiting to be
    /// sent (Envoy's budget is a share of it).
    pub fn allow_retry(&mut self, now: Time, after: FailureKind, active: u32) -> bool {
        match (&self.settings, &mut self.ledger) {
            (settings @ BudgetSettings::AwsQuota { .. }, Ledger::Tokens(left)) => {
                withdraw(left, aws_cost(settings, after))
            }
            (&BudgetSettings::Grpc { max_tokens_thousandths, .. }, Ledger::Tokens(tokens)) => {
                u64::from(*tokens) * 2 > u64::from(max_tokens_thousandths)
            }
            (BudgetSettings::TokenBucket { .. }, Ledger::Tokens(tokens)) => {
                *tokens > 1000 && withdraw(tokens, 1000)
            }
            (
                &BudgetSettings::Envoy { percent, min_concurrency },
                Ledger::Active { retries, limit },
            ) => {
                let share = u64::from(active) * u64::from(percent) / 100;
                *limit = u32::try_from(share).unwrap_or(u32::MAX).max(min_concurrency);
                let allowed = *retries < *limit;
                *retries += u32::from(allowed);
                allowed
            }
            (settings @ BudgetSettings::Finagle { .. }, Ledger::Deposits(paid)) => {
                let (cost, reserve) = finagle_terms(settings);
                let allowed = paid.sum(now) + reserve >= cost;
                if allowed {
                    paid.add(now, -cost);
                }
                allowed
            }
            (BudgetSettings::Ratio { limit }, Ledger::Counts { first_tries, failures }) => {
                u128::from(*failures) * 1_000_000 <= u128::from(*first_tries) * u128::from(limit.0)
            }
            (
                &BudgetSettings::SreThrottle { k_thousandths, .. },
                Ledger::Accepts { requests, accepts },
            ) => {
                // A caller that already turns first tries away has nothing left for retries.
                let free = reject_chance(k_thousandths, requests.sum(now), accepts.sum(now)) <= 0.0;
                if free {
                    requests.add(now, 1);
                }
                free
            }
            _ => true,
        }
    }

    /// A retry that was allowed has ended, in whatever way, or was never sent. Only Envoy's
    /// budget, which counts retries under way, has an ear for it.
    pub fn retry_ended(&mut self) {
        if let Ledger::Active { retries, .. } = &mut self.ledger {
            *retries = retries.saturating_sub(1);
        }
    }

    /// An attempt succeeded, after this many retries of its call. What the last retry followed
    /// is taken to be an error; see [`Budget::succeeded_after`].
    pub fn succeeded(&mut self, now: Time, retries: u32) {
        self.succeeded_after(now, (retries > 0).then_some(FailureKind::Error));
    }

    /// An attempt succeeded; `retried_after` is the failure that its call's last retry followed,
    /// none without a retry. (AWS gives back what that retry took, and after a timeout it took
    /// more.)
    pub fn succeeded_after(&mut self, now: Time, retried_after: Option<FailureKind>) {
        match (&self.settings, &mut self.ledger) {
            (
                settings @ &BudgetSettings::AwsQuota { capacity, success_refund, .. },
                Ledger::Tokens(left),
            ) => {
                let refund = retried_after.map_or(success_refund, |kind| aws_cost(settings, kind));
                *left = left.saturating_add(refund).min(capacity);
            }
            (
                &BudgetSettings::Grpc { max_tokens_thousandths: max, ratio_thousandths: gift },
                Ledger::Tokens(tokens),
            )
            | (
                &BudgetSettings::TokenBucket {
                    capacity_thousandths: max,
                    deposit_thousandths: gift,
                    per: Deposit::Success,
                },
                Ledger::Tokens(tokens),
            ) => *tokens = tokens.saturating_add(gift).min(max),
            (_, Ledger::Accepts { accepts, .. }) => accepts.add(now, 1),
            _ => {}
        }
    }

    /// An attempt failed.
    pub fn failed(&mut self, now: Time, kind: FailureKind) {
        match (&self.settings, &mut self.ledger) {
            (BudgetSettings::Grpc { .. }, Ledger::Tokens(tokens)) => {
                *tokens = tokens.saturating_sub(1000);
            }
            (_, Ledger::Counts { failures, .. }) => *failures += 1,
            // The server did the work, even if its answer was no.
            (_, Ledger::Accepts { accepts, .. })
                if matches!(kind, FailureKind::Error | FailureKind::Conflict) =>
            {
                accepts.add(now, 1);
            }
            _ => {}
        }
    }

    /// How full the budget is, from 0 to 1; for adaptive throttling the chance that a call is
    /// let through.
    pub fn fill(&self, now: Time) -> Option<f64> {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let fill = match (&self.settings, &self.ledger) {
            (
                &BudgetSettings::AwsQuota { capacity: max, .. }
                | &BudgetSettings::Grpc { max_tokens_thousandths: max, .. }
                | &BudgetSettings::TokenBucket { capacity_thousandths: max, .. },
                Ledger::Tokens(tokens),
            ) => share(f64::from(*tokens), f64::from(max)),
            (_, Ledger::Active { retries, limit }) => {
                1.0 - share(f64::from(*retries), f64::from(*limit))
            }
            (settings, Ledger::Deposits(paid)) => {
                let (_, reserve) = finagle_terms(settings);
                share((paid.sum(now) + reserve) as f64, reserve as f64)
            }
            (BudgetSettings::Ratio { limit }, Ledger::Counts { first_tries, failures }) => {
                1.0 - share(share(*failures as f64, *first_tries as f64), limit.as_f64())
            }
            (
                &BudgetSettings::SreThrottle { k_thousandths, .. },
                Ledger::Accepts { requests, accepts },
            ) => 1.0 - reject_chance(k_thousandths, requests.sum(now), accepts.sum(now)),
            _ => return None,
        };
        Some(fill.clamp(0.0, 1.0))
    }
}

fn withdraw(tokens: &mut u32, cost: u32) -> bool {
    let enough = *tokens >= cost;
    if enough {
        *tokens -= cost;
    }
    enough
}

fn aws_cost(settings: &BudgetSettings, after: FailureKind) -> u32 {
    match *settings {
        BudgetSettings::AwsQuota { retry_cost, timeout_cost, refused_cost, .. } => match after {
            FailureKind::Timeout => timeout_cost,
            FailureKind::Refused => refused_cost,
            FailureKind::Error | FailureKind::Conflict => retry_cost,
        },
        _ => 0,
    }
}

/// What a retry costs and what is always there, in thousandths of a call. Without a share per
/// call there are no deposits, and everything costs one.
fn finagle_terms(settings: &BudgetSettings) -> (i64, i64) {
    match *settings {
        BudgetSettings::Finagle { ttl, min_per_second, percent } => {
            let cost = if percent.0 == 0 { 1 } else { 1_000_000_000 / i64::from(percent.0) };
            let seconds = (ttl.0 / 1_000_000) as i64;
            (cost, i64::from(min_per_second) * seconds * cost)
        }
        _ => (1, 0),
    }
}

/// `max(0, (requests - k accepts) / (requests + 1))`.
fn reject_chance(k_thousandths: u32, requests: i64, accepts: i64) -> f64 {
    let (k, requests, accepts) = (f64::from(k_thousandths) / 1e3, requests as f64, accepts as f64);
    ((requests - k * accepts) / (requests + 1.0)).max(0.0)
}

#[cfg(test)]
mod tests;
