//! A sum over the last stretch of time, kept in equal slices so that its memory is fixed.

use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

const SLICES: u64 = 10;

/// The sum of what was added during the last `span`, exact to a tenth of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RollingSum {
    slice: Span,
    /// Number of the newest slice, counted from time zero.
    newest: u64,
    sums: [i64; SLICES as usize],
}

impl RollingSum {
    /// Empty, over `span`.
    pub(super) fn new(span: Span) -> RollingSum {
        RollingSum { slice: Span((span.0 / SLICES).max(1)), newest: 0, sums: [0; SLICES as usize] }
    }

    /// Adds `n` now.
    pub(super) fn add(&mut self, now: Time, n: i64) {
        let slice = self.slice_of(now).max(self.newest);
        for passed in (self.newest + 1..=slice).take(SLICES as usize) {
            // Of a long pause only the last ten slices matter, and they are all of them.
            self.sums[(passed % SLICES) as usize] = 0;
        }
        self.newest = slice;
        self.sums[(slice % SLICES) as usize] += n;
    }

    /// What is left of the sum now.
    pub(super) fn sum(&self, now: Time) -> i64 {
        let slice = self.slice_of(now).max(self.newest);
        let kept = (slice + 1).saturating_sub(SLICES)..=self.newest;
        kept.map(|n| self.sums[(n % SLICES) as usize]).sum()
    }

    fn slice_of(&self, at: Time) -> u64 {
        at.0 / self.slice.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_span_is_forgotten() {
        let mut sum = RollingSum::new(Span::secs(10));
        for second in 0..100 {
            sum.add(Time(second * 1_000_000), 1);
        }
        assert_eq!(sum.sum(Time(99_000_000)), 10);
        assert_eq!(sum.sum(Time(104_500_000)), 5);
        assert_eq!(sum.sum(Time(109_000_000)), 0);
        sum.add(Time(500_000_000), 3);
        assert_eq!(sum.sum(Time(500_000_000)), 3);
        sum.add(Time(510_000_000), 4);
        assert_eq!(sum.sum(Time(510_000_000)), 4);
    }
}
