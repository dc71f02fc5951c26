//! The AWS SDKs' adaptive mode: a client-side rate that follows throttling along a cubic curve.
//!
//! Off until the first throttling answer. From then on requests wait for tokens; each throttling
//! cuts the rate, each success lets it climb back to where it was and then beyond, but never
//! above twice what is actually sent. Source: botocore `retries/adaptive.py`, `throttling.py`,
//! `bucket.py`. Rates are per second.

use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// The cubic curve (Ha, Rhee and Xu, "CUBIC", 2008).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cubic {
    scale: f64,
    beta: f64,
    rate_max: f64,
    zero_point: f64,
    /// Seconds.
    last_fail: f64,
}

impl Cubic {
    /// What is left of the rate after throttling.
    pub const BETA: f64 = 0.7;
    /// Steepness of the curve.
    pub const SCALE: f64 = 0.4;

    /// A curve that was last throttled at `start` (in seconds) at rate `rate_max`.
    pub fn new(rate_max: f64, start: f64, scale: f64, beta: f64) -> Cubic {
        let mut cubic = Cubic { scale, beta, rate_max, zero_point: 0.0, last_fail: start };
        cubic.zero_point = cubic.find_zero_point();
        cubic
    }

    /// Seconds after the last throttling until the curve is back at the rate before it.
    pub fn zero_point(&self) -> f64 {
        self.zero_point
    }

    /// The rate after a success at `at`, in seconds.
    pub fn success(&self, at: f64) -> f64 {
        let t = at - self.last_fail - self.zero_point;
        self.scale * t * t * t + self.rate_max
    }

    /// The rate after throttling at `at`, in seconds, when it was `rate`.
    pub fn throttled(&mut self, rate: f64, at: f64) -> f64 {
        self.rate_max = rate;
        self.zero_point = self.find_zero_point();
        self.last_fail = at;
        rate * self.beta
    }

    fn find_zero_point(&self) -> f64 {
        libm::cbrt(self.rate_max * (1.0 - self.beta) / self.scale)
    }
}

/// The rate that is actually sent, smoothed over half seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeasuredRate {
    /// Half seconds since time zero.
    bucket: u64,
    count: u32,
    rate: f64,
}

impl MeasuredRate {
    /// Counts a request and says the rate.
    pub fn record(&mut self, now: Time) -> f64 {
        const SMOOTHING: f64 = 0.8;
        self.count += 1;
        let bucket = now.0 / 500_000;
        if bucket > self.bucket {
            let current = f64::from(self.count) / ((bucket - self.bucket) as f64 / 2.0);
            self.rate = current * SMOOTHING + self.rate * (1.0 - SMOOTHING);
            (self.bucket, self.count) = (bucket, 0);
        }
        self.rate
    }

    /// The rate now.
    pub fn rate(&self) -> f64 {
        self.rate
    }
}

/// The rate limiter of one client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveRate {
    cubic: Cubic,
    measured: MeasuredRate,
    enabled: bool,
    fill_rate: f64,
    capacity: f64,
    tokens: f64,
    filled_at: Time,
}

impl AdaptiveRate {
    /// The rate never falls below this.
    pub const MIN_FILL_RATE: f64 = 0.5;
    /// The rate before anything is known.
    pub const INITIAL_RATE: f64 = 1.0;

    /// Off, until something is throttled.
    pub fn new(now: Time) -> AdaptiveRate {
        AdaptiveRate {
            cubic: Cubic::new(0.0, now.as_secs(), Cubic::SCALE, Cubic::BETA),
            measured: MeasuredRate::default(),
            enabled: false,
            fill_rate: Self::INITIAL_RATE,
            capacity: Self::INITIAL_RATE,
            tokens: 0.0,
            filled_at: now,
        }
    }

    /// Takes a token for a request that is to be sent; it must wait so long first.
    pub fn acquire(&mut self, now: Time) -> Span {
        if !self.enabled {
            return Span::ZERO;
        }
        self.fill_up(now);
        self.tokens -= 1.0;
        Span::from_micros_f64(-self.tokens.min(0.0) / self.fill_rate * 1e6)
    }

    /// An answer has come.
    pub fn responded(&mut self, now: Time, throttled: bool) {
        let measured = self.measured.record(now);
        let calculated = if throttled {
            let rate = if self.enabled { measured.min(self.fill_rate) } else { measured };
            self.enabled = true;
            self.cubic.throttled(rate, now.as_secs())
        } else {
            self.cubic.success(now.as_secs())
        };
        self.set_rate(now, Self::ceiling(measured, calculated));
    }

    /// The rate that follows from the curve: at most twice the measured one.
    pub fn ceiling(measured: f64, calculated: f64) -> f64 {
        calculated.min(2.0 * measured)
    }

    /// Requests per second allowed now; none while off.
    pub fn rate(&self) -> Option<f64> {
        self.enabled.then_some(self.fill_rate)
    }

    fn set_rate(&mut self, now: Time, rate: f64) {
        self.fill_up(now);
        self.fill_rate = rate.max(Self::MIN_FILL_RATE);
        self.capacity = rate.max(1.0);
        self.tokens = self.tokens.min(self.capacity);
    }

    fn fill_up(&mut self, now: Time) {
        let gained = now.since(self.filled_at).as_secs() * self.fill_rate;
        self.tokens = (self.tokens + gained).min(self.capacity);
        self.filled_at = self.filled_at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_until_throttled_then_requests_wait_their_turn() {
        let mut client = AdaptiveRate::new(Time::ZERO);
        for n in 0..1000 {
            // 100 per second, never throttled.
            assert_eq!(client.acquire(Time(n * 10_000)), Span::ZERO);
            client.responded(Time(n * 10_000), false);
        }
        let now = Time(10_000_000);
        client.responded(now, true);
        let rate = client.rate().expect("throttled");
        assert!((rate - 70.0).abs() < 1.0, "seven tenths of 100: {rate}");
        // A full bucket of one second's worth, then one request after the other.
        let waits: Vec<f64> = (0..100).map(|_| client.acquire(now).as_secs()).collect();
        assert!(waits[60].abs() < 1e-9);
        assert!((waits[99] - (100.0 - rate) / rate).abs() < 1e-5, "{}", waits[99]);
    }
}
