//! What a node believes the time is.

use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// One reason why a clock is wrong: a jump, and running fast or slow from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skew {
    /// The jump, in microseconds; behind when negative.
    pub offset_us: i64,
    /// Microseconds gained per second of true time.
    pub drift_ppm: i64,
    /// When it began.
    pub since: Time,
}

/// A node's clock: true time and every reason why it is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The reasons, which add up.
    pub skews: Vec<Skew>,
}

impl Clock {
    /// The node's own time at the true time `now`; never before zero.
    pub fn read(&self, now: Time) -> Time {
        let wrong = |skew: &Skew| {
            let gained = i128::from(now.since(skew.since).0) * i128::from(skew.drift_ppm);
            i128::from(skew.offset_us) + gained / 1_000_000
        };
        let local = i128::from(now.0) + self.skews.iter().map(wrong).sum::<i128>();
        Time(u64::try_from(local.max(0)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_and_drifts_add_up() {
        let skew = Skew { offset_us: -500, drift_ppm: 200, since: Time(1_000_000) };
        let clock = Clock { skews: vec![skew] };
        assert_eq!(clock.read(Time(1_000_000)), Time(999_500));
        assert_eq!(clock.read(Time(11_000_000)), Time(11_001_500));
        assert_eq!(clock.read(Time(100)), Time(0));
        let jump = Skew { offset_us: 700, drift_ppm: 0, since: Time(0) };
        let both = Clock { skews: vec![skew, jump] };
        assert_eq!(both.read(Time(11_000_000)), Time(11_002_200));
    }
}
