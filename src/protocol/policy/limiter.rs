//! A rate limiter: a bucket of tokens that fills steadily; a request takes one. Sources: Turner,
//! "New directions in communications" (1986); RFC 2697, section 3, for bursts; Go's `x/time/rate`.

use crate::base::time::Time;
use crate::base::unit::Rate;
use serde::{Deserialize, Serialize};

/// How many requests may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimiterSettings {
    /// In the long run.
    pub rate: Rate,
    /// At once, after a quiet time.
    pub burst: u32,
}

/// A bucket. Its content is counted in millionths of a token, without rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limiter {
    settings: LimiterSettings,
    // Millionths of millionths of a token: micro-rate times microseconds.
    content: u128,
    since: Time,
}

const TOKEN: u128 = 1_000_000_000_000;

impl Limiter {
    /// A full bucket.
    pub fn new(settings: &LimiterSettings, now: Time) -> Limiter {
        let content = u128::from(settings.burst) * TOKEN;
        Limiter { settings: *settings, content, since: now }
    }

    /// Takes a token, if there is one.
    pub fn try_take(&mut self, now: Time) -> bool {
        let gained = u128::from(self.settings.rate.0) * u128::from(now.since(self.since).0);
        let full = u128::from(self.settings.burst) * TOKEN;
        self.content = (self.content + gained).min(full);
        self.since = now;
        let enough = self.content >= TOKEN;
        if enough {
            self.content -= TOKEN;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let settings = LimiterSettings { rate: Rate::per_second(10.0), burst: 3 };
        let mut limiter = Limiter::new(&settings, Time(0));
        let passed = |limiter: &mut Limiter, at| limiter.try_take(Time(at));
        assert!((0..3).all(|_| passed(&mut limiter, 0)));
        assert!(!passed(&mut limiter, 0) && !passed(&mut limiter, 99_999));
        assert!(passed(&mut limiter, 100_000) && !passed(&mut limiter, 100_000));
        let later = (0..10).filter(|_| passed(&mut limiter, 60_000_000)).count();
        assert_eq!(later, 3);
    }
}
