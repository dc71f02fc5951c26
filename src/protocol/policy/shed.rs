//! Load shedding by age: when requests have waited longer than a target for a whole interval,
//! drop some, at a rate that grows with the square root of the drops (CoDel, RFC 8289).

use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// When a queue is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShedSettings {
    /// A wait that is fine.
    pub target: Span,
    /// How long waits must have been above the target.
    pub interval: Span,
}

impl Default for ShedSettings {
    fn default() -> Self {
        ShedSettings { target: Span::millis(5), interval: Span::millis(100) }
    }
}

/// The controller's state, in the names of RFC 8289 section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shed {
    settings: ShedSettings,
    first_above: Option<Time>,
    drop_next: Time,
    count: u32,
    last_count: u32,
    dropping: bool,
}

impl Shed {
    /// Nothing has waited yet.
    pub fn new(settings: &ShedSettings) -> Shed {
        Shed {
            settings: *settings,
            first_above: None,
            drop_next: Time::ZERO,
            count: 0,
            last_count: 0,
            dropping: false,
        }
    }

    /// Whether a request that comes out of the queue at `now` is to be dropped.
    pub fn should_drop(&mut self, now: Time, waited: Span) -> bool {
        let over = self.is_over(now, waited);
        if self.dropping {
            if !over {
                self.dropping = false;
                return false;
            }
            let due = now >= self.drop_next;
            if due {
                self.count += 1;
                self.drop_next = self.next_drop(self.drop_next);
            }
            return due;
        }
        if !over {
            return false;
        }
        self.dropping = true;
        // Dropping that stopped only a moment ago goes on at nearly its old rate.
        let recent = now.since(self.drop_next) < Span(self.settings.interval.0 * 16);
        let delta = self.count - self.last_count;
        self.count = if recent && delta > 1 { delta } else { 1 };
        self.last_count = self.count;
        self.drop_next = self.next_drop(now);
        true
    }

    fn is_over(&mut self, now: Time, waited: Span) -> bool {
        if waited < self.settings.target {
            self.first_above = None;
            return false;
        }
        match self.first_above {
            None => {
                self.first_above = Some(now + self.settings.interval);
                false
            }
            Some(at) => now >= at,
        }
    }

    fn next_drop(&self, from: Time) -> Time {
        from + self.settings.interval.scale(1.0 / libm::sqrt(f64::from(self.count.max(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_only_after_a_bad_interval_and_then_ever_faster() {
        let settings = ShedSettings { target: Span::millis(5), interval: Span::millis(100) };
        let mut shed = Shed::new(&settings);
        let mut drops = Vec::new();
        for ms in 0..1_000 {
            if shed.should_drop(Time(ms * 1_000), Span::millis(20)) {
                drops.push(ms);
            }
        }
        assert_eq!(drops[0], 100);
        assert_eq!(drops[1], 200);
        let gaps: Vec<u64> = drops.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps.windows(2).all(|w| w[1] <= w[0] + 1), "{gaps:?}");
        assert!(gaps[gaps.len() - 1] < 40, "{gaps:?}");
        assert!(!shed.should_drop(Time(2_000_000), Span::millis(1)), "a short wait ends it");
        assert!(!shed.should_drop(Time(2_001_000), Span::millis(20)));
    }
}
