//! Policies of callers and servers, as people write them.

use crate::base::time::Span;
use crate::base::unit::{Chance, Rate};

wire! {
    /// When to try again.
    pub struct Retry {
        /// Attempts in all, the first included; 1 never tries again.
        attempts: u32 = 1, 1 ..= 100;
        /// How the wait before each further attempt grows.
        backoff: Backoff = Backoff::Immediate;
        /// The first wait.
        base: Span = Span::millis(100);
        /// Growth from one wait to the next, of an exponential backoff.
        factor: f64 = 2.0, 1 ..= 100;
        /// The longest wait.
        cap: Span = Span::secs(10);
        /// How waits are spread, so that callers who failed together do not return together.
        jitter: Jitter = Jitter::None;
        /// How far plus_minus spreads a wait to either side.
        spread: Chance = Chance(200_000);
        /// Which failures are worth another attempt.
        on: RetryOn = RetryOn::default();
    }
}

wire! {
    /// How the wait before each further attempt grows.
    pub enum Backoff {
        /// No wait at all.
        Immediate;
        /// Always the first wait.
        Fixed;
        /// The first wait, twice, three times, ...
        Linear;
        /// Each wait is the last one times the factor.
        Exponential or "exp";
        /// Anything from the first wait to three times the last one; the cap cuts what was drawn.
        Decorrelated;
        /// The same as Finagle does it: the cap cuts the range that is drawn from.
        DecorrelatedWithin;
        /// Polly's curve: exponential, spread smoothly.
        Polly;
    }
}

wire! {
    /// How waits are spread.
    pub enum Jitter {
        /// Not at all: all who failed together come back together.
        None;
        /// Anything from nothing to the whole wait.
        Full;
        /// Half of the wait, and anything up to the other half.
        Equal;
        /// A little more or less, by the spread.
        PlusMinus;
    }
}

wire! {
    /// Which failures are worth another attempt.
    pub struct RetryOn {
        /// No answer in time: it may have been done or not.
        timeout: bool = true;
        /// Turned away by an overloaded server.
        refused: bool = true;
        /// The server answered with an error.
        error: bool = true;
        /// Somebody else wrote in between, or the same key is at work.
        conflict: bool = true;
        /// The caller's own breaker was open, so nothing was sent.
        breaker_open: bool = false;
    }
}

wire! {
    /// Who may try again at all, judged over all calls of a caller.
    pub enum Budget {
        /// Each call (or success) pays for a share of a retry.
        TokenBucket(TokenBucket) = "token_bucket";
        /// Retries only while at most this share of first tries has failed, over the whole run.
        Ratio(Ratio) = "ratio";
        /// The AWS SDKs: a quota that retries draw on and successes refill.
        Aws(AwsQuota) = "aws";
        /// gRPC: failures take tokens, successes give some back; retries only above half.
        Grpc(Grpc) = "grpc";
        /// Envoy: at most a share of what is in flight may be retries.
        Envoy(Envoy) = "envoy";
        /// Finagle: calls pay for a share of a retry, and payments expire.
        Finagle(Finagle) = "finagle";
        /// Google's adaptive throttling: a caller that is turned away sends less, first tries too.
        Throttle(Throttle) = "throttle";
    }
}

wire! {
    /// A bucket of tokens: a retry needs more than one and takes one. Starts full.
    pub struct TokenBucket {
        /// Tokens each deposit gives.
        deposit: f64 = 0.1, 0 ..= 1_000;
        /// Tokens at most.
        capacity: f64 = 5.0, 0 ..= 1_000_000;
        /// What earns a deposit.
        per: Deposit = Deposit::FirstTry;
    }
}

wire! {
    /// What earns a deposit.
    pub enum Deposit {
        /// Every call, when it starts.
        FirstTry;
        /// Every success.
        Success;
    }
}

wire! {
    /// Retries only while failures are rare.
    pub struct Ratio {
        /// The share of failures up to which calls are retried.
        limit: Chance = Chance(100_000);
    }
}

wire! {
    /// The AWS SDKs' quota.
    pub struct AwsQuota {
        /// Units at the start and at most.
        capacity: u32 = 500, 0 ..= 1_000_000;
        /// Units one retry takes.
        retry_cost: u32 = 5, 0 ..= 1_000_000;
        /// Units a retry after a timeout takes.
        timeout_cost: u32 = 10, 0 ..= 1_000_000;
        /// Units a retry after a refusal takes.
        refused_cost: u32 = 5, 0 ..= 1_000_000;
        /// Units a success at the first attempt gives back.
        success_refund: u32 = 1, 0 ..= 1_000_000;
    }
}

wire! {
    /// gRPC's throttling of retries.
    pub struct Grpc {
        /// Tokens at the start and at most.
        max_tokens: f64 = 10.0, 0 ..= 1_000;
        /// Tokens a success gives back.
        ratio: f64 = 0.1, 0 ..= 1_000;
    }
}

wire! {
    /// Envoy's retry budget.
    pub struct Envoy {
        /// The share of calls in flight that may be retries, in whole percent.
        percent: u32 = 20, 0 ..= 100;
        /// Retries always allowed at once.
        min_concurrency: u32 = 3, 0 ..= 1_000_000;
    }
}

wire! {
    /// Finagle's retry budget.
    pub struct Finagle {
        /// How long a payment counts.
        ttl: Span = Span::secs(10);
        /// Retries per second allowed regardless of calls.
        min_per_second: u32 = 10, 0 ..= 1_000_000;
        /// Retries per call.
        percent: Chance = Chance(200_000);
    }
}

wire! {
    /// Adaptive throttling.
    pub struct Throttle {
        /// Calls sent per call accepted before throttling begins.
        k: f64 = 2.0, 1 ..= 1_000;
        /// How far back calls count.
        window: Span = Span::secs(120);
    }
}

wire! {
    /// What a breaker counts.
    pub enum Wraps {
        /// Every attempt.
        Attempts;
        /// Every call, retries included.
        Calls;
    }
}

wire! {
    /// A share, once there is enough to take it of.
    pub struct Chances {
        /// The share.
        share: Chance = Chance(500_000);
        /// Results without which there is none.
        minimum: u32 = 10, 0 ..= 1_000_000;
    }
}

wire! {
    /// How many requests may be sent in a time.
    pub struct Limiter {
        /// In the long run.
        rate: Rate = Rate(100_000_000);
        /// At once, after a quiet time.
        burst: u32 = 10, 1 ..= 1_000_000;
    }
}

wire! {
    /// When to send a second copy of a request that is slow.
    pub struct Hedge {
        /// How long after the last copy.
        after: Span = Span::millis(100);
        /// Copies besides the first.
        extra: u32 = 1, 1 ..= 10;
    }
}

wire! {
    /// When a queue is too slow: drop what has waited too long (CoDel).
    pub struct Shed {
        /// A wait that is fine.
        target: Span = Span::millis(5);
        /// How long waits must have been above it.
        interval: Span = Span::millis(100);
    }
}

wire! {
    /// A limit on requests in the house that adapts: up by one while things go well, down by a
    /// part when they do not.
    pub struct Limit {
        /// Where it starts.
        initial: u32 = 20, 1 ..= 1_000_000;
        /// Never below.
        min: u32 = 1, 1 ..= 1_000_000;
        /// Never above.
        max: u32 = 200, 1 ..= 1_000_000;
        /// An answer slower than this counts against the limit.
        target: Span = Span::millis(500);
        /// What the limit is multiplied by then.
        decrease: f64 = 0.9, 0 ..= 1;
    }
}

wire! {
    /// Whether a balancer asks its backends if they are alive.
    pub struct Health {
        /// Time between two questions.
        interval: Span = Span::secs(5);
        /// How long an answer may take.
        timeout: Span = Span::secs(2);
        /// Failures in a row that make a backend unhealthy.
        fall: u32 = 3, 1 ..= 1_000;
        /// Answers in a row that make it healthy again.
        rise: u32 = 2, 1 ..= 1_000;
    }
}

wire! {
    /// When a balancer stops using a backend that fails requests (Envoy's outlier detection).
    pub struct Outlier {
        /// Failures in a row that take a backend out.
        consecutive: u32 = 5, 1 ..= 1_000_000;
        /// Time between two looks at success rates.
        interval: Span = Span::secs(10);
        /// How long a backend is out the first time; the second time twice as long, and so on.
        base: Span = Span::secs(30);
        /// Never longer than this.
        longest: Span = Span::secs(300);
        /// The share of backends that may be out; one always may.
        most: Chance = Chance(100_000);
        /// Success rates are compared only with this many backends.
        minimum_hosts: u32 = 5, 1 ..= 10_000;
        /// And only of backends with this many requests in the interval.
        minimum_requests: u32 = 100, 1 ..= 1_000_000;
        /// A backend is out when its rate is this many standard deviations below the mean.
        deviations: f64 = 1.9, 0 ..= 100;
        /// A backend is out when this share of its requests fails; none does not ask.
        failing: Option<Failing> = None;
    }
}

wire! {
    /// A backend is out when too large a share of its requests fails.
    pub struct Failing {
        /// The share.
        threshold: Chance = Chance(850_000);
        /// Judged only with this many backends.
        minimum_hosts: u32 = 5, 1 ..= 10_000;
        /// And only of backends with this many requests in the interval.
        minimum_requests: u32 = 50, 1 ..= 1_000_000;
    }
}

wire! {
    /// How a store remembers idempotency keys.
    pub struct Keys {
        /// How long after the first request; a key that comes later counts as new.
        lifetime: Span = Span::secs(24 * 3600);
        /// Keys at most; the oldest goes first.
        capacity: u32 = 1_000_000, 1 ..= 10_000_000;
    }
}
