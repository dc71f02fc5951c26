//! A histogram of lengths of time with bounded error and bounded memory: two significant figures
//! from one microsecond to an hour (the layout of Gil Tene's HdrHistogram).

use super::time::Span;
use hdrhistogram::Histogram as Hdr;

/// The longest time told apart; longer ones count as this long.
const LONGEST: u64 = 3_600_000_000;

/// How often which length of time was seen.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Hdr<u32>,
    sum: u64,
}

/// A filled place of a histogram: the longest time in it, in microseconds, and how often it was
/// seen.
pub type Cell = (u32, u32);

/// Like [`Histogram::quantile`], of places in rising order.
pub fn quantile(cells: &[Cell], share: f64) -> Option<Span> {
    let count: u64 = cells.iter().map(|&(_, count)| u64::from(count)).sum();
    let wanted = (libm::ceil(share * count as f64) as u64).clamp(1, count.max(1));
    let mut seen = 0;
    let reached = |&&(_, count): &&Cell| {
        seen += u64::from(count);
        seen >= wanted
    };
    cells.iter().find(reached).map(|&(longest, _)| Span(u64::from(longest)))
}

/// Places of two histograms, both in rising order, as one.
pub fn merge(mut a: &[Cell], mut b: &[Cell]) -> Vec<Cell> {
    let mut all = Vec::with_capacity(a.len() + b.len());
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b) {
        let longest = x.0.min(y.0);
        let mut count = 0u32;
        if x.0 == longest {
            count = count.saturating_add(x.1);
            a = a_rest;
        }
        if y.0 == longest {
            count = count.saturating_add(y.1);
            b = b_rest;
        }
        all.push((longest, count));
    }
    all.extend_from_slice(a);
    all.extend_from_slice(b);
    all
}

impl Default for Histogram {
    fn default() -> Self {
        let counts = Hdr::new_with_bounds(1, LONGEST, 2).expect("these bounds are valid");
        Histogram { counts, sum: 0 }
    }
}

impl Histogram {
    /// Counts one length of time.
    pub fn record(&mut self, span: Span) {
        self.counts.saturating_record(span.0);
        self.sum = self.sum.saturating_add(span.0);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.counts.len()
    }

    /// The mean, exact; none when nothing was counted.
    pub fn mean(&self) -> Option<Span> {
        self.sum.checked_div(self.count()).map(Span)
    }

    /// The sum of all, in microseconds, exact.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The least length that at least this share (from 0 to 1) of all are not longer than, to two
    /// significant figures; none when nothing was counted.
    pub fn quantile(&self, share: f64) -> Option<Span> {
        (self.count() > 0).then(|| Span(self.counts.value_at_quantile(share)))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts.reset();
        self.sum = 0;
    }

    /// The filled places, from the lowest: a compact copy.
    pub fn cells(&self) -> Vec<Cell> {
        let recorded = self.counts.iter_recorded();
        let longest = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        recorded.map(|v| (longest(v.value_iterated_to()), v.count_at_value())).collect()
    }

    /// Adds what was counted elsewhere, given as places and the exact sum.
    pub fn add(&mut self, cells: &[Cell], sum: u64) {
        for &(value, count) in cells {
            self.counts.saturating_record_n(u64::from(value), count);
        }
        self.sum = self.sum.saturating_add(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_two_figures_and_the_mean_is_exact() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.quantile(0.5), histogram.mean()), (None, None));
        for n in 1..=10_000u64 {
            histogram.record(Span(n * 100));
        }
        for (share, want) in [(0.5, 500_000.0), (0.9, 900_000.0), (0.99, 990_000.0), (1.0, 1e6)] {
            let got = histogram.quantile(share).map_or(0.0, |s| s.0 as f64);
            assert!((got / want - 1.0).abs() < 0.01, "{share}: {got} {want}");
        }
        assert_eq!(histogram.mean(), Some(Span(500_050)));
    }

    #[test]
    fn a_copy_by_cells_has_the_same_quantiles() {
        let mut whole = Histogram::default();
        let mut parts = Histogram::default();
        let mut merged = Vec::new();
        for half in 0..2u64 {
            let mut part = Histogram::default();
            for n in 0..5_000u64 {
                let span = Span((n * 7_919 + half * 31) % 1_000_003);
                whole.record(span);
                part.record(span);
            }
            parts.add(&part.cells(), part.sum());
            merged = merge(&merged, &part.cells());
        }
        for share in [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
            assert_eq!(whole.quantile(share), parts.quantile(share));
            assert_eq!(whole.quantile(share.max(0.001)), quantile(&merged, share.max(0.001)));
        }
        assert_eq!((merged, quantile(&[], 0.5)), (whole.cells(), None));
        assert_eq!((whole.count(), whole.sum()), (parts.count(), parts.sum()));
    }

    #[test]
    fn nothing_is_too_long() {
        let mut histogram = Histogram::default();
        histogram.record(Span(u64::MAX));
        assert!(histogram.quantile(0.5) >= Some(Span(LONGEST - LONGEST / 100)));
    }
}
