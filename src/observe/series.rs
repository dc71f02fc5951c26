//! What is counted, in bins of equal width over time. When there are too many bins, each two are
//! made one and the width doubles, so an endless run needs bounded memory.

use super::totals::Totals;
use crate::base::histogram::{Cell, Histogram, merge, quantile};
use crate::base::time::{Span, Time};
use serde::Serialize;
use std::sync::Arc;

/// So many bins at most.
pub const BINS_MAX: usize = 1_200;

/// One measure over time.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// `goodput`, `p99`, `queue api-1`.
    pub name: String,
    /// `/s`, `ms`, or nothing for plain counts.
    pub unit: &'static str,
    /// The width of a bin; the first begins with the run.
    pub bin: Span,
    /// One for each bin that is over; not a number where there was nothing to measure.
    pub values: Vec<f32>,
}

/// A stretch of time that is over.
#[derive(Debug)]
pub(super) struct Bin {
    pub(super) totals: Totals,
    cells: Vec<Cell>,
}

/// The bins of a run. Those that are over never change, so clones share them.
#[derive(Clone, Debug)]
pub(super) struct Bins {
    pub(super) width: Span,
    /// What is counted in the bin that is not over yet.
    pub(super) open: Totals,
    pub(super) latencies: Histogram,
    start: Time,
    sealed: Vec<Arc<Bin>>,
    /// The sum of all bins that are over.
    before: Totals,
}

impl Bins {
    pub(super) fn new(width: Span) -> Bins {
        Bins {
            width: width.max(Span(1)),
            open: Totals::default(),
            latencies: Histogram::default(),
            start: Time::ZERO,
            sealed: Vec::new(),
            before: Totals::default(),
        }
    }

    /// When the open bin began.
    pub(super) fn start(&self) -> Time {
        self.start
    }

    /// When the open bin will be over.
    pub(super) fn end(&self) -> Time {
        self.start + self.width
    }

    /// Closes the open bin; true if the width has doubled.
    pub(super) fn seal(&mut self) -> bool {
        let mut totals = std::mem::take(&mut self.open);
        let cells = self.latencies.cells();
        totals.latency_sum = self.latencies.sum();
        totals.derive(self.latencies.count(), |share| quantile(&cells, share));
        self.before.add(&totals);
        self.sealed.push(Arc::new(Bin { totals, cells }));
        self.latencies.clear();
        self.start = self.end();
        if self.sealed.len() < BINS_MAX {
            return false;
        }
        let pairs = self.sealed.chunks(2).map(|pair| Arc::new(both(pair)));
        self.sealed = pairs.collect();
        self.width = Span(self.width.0 * 2);
        true
    }

    /// The bins that are over.
    pub(super) fn sealed(&self) -> impl DoubleEndedIterator<Item = &Totals> {
        self.sealed.iter().map(|bin| &bin.totals)
    }

    /// Everything counted so far, latencies excepted.
    pub(super) fn counted(&self) -> Totals {
        let mut all = self.before.clone();
        all.add(&self.open);
        all
    }

    /// What the bins that lie between two instants hold, and their latencies; a bin counts if it
    /// begins within.
    pub(super) fn between(&self, from: Time, until: Time) -> (Totals, Histogram) {
        let place = |at: Time| (at.0.div_ceil(self.width.0) as usize).min(self.sealed.len());
        let (first, last) = (place(from), place(until));
        let mut totals = Totals::default();
        let mut latencies = Histogram::default();
        for bin in self.sealed.get(first..last).unwrap_or_default() {
            totals.add(&bin.totals);
            latencies.add(&bin.cells, bin.totals.latency_sum);
        }
        if (from..until).contains(&self.start) {
            totals.add(&self.open);
            latencies.add(&self.latencies.cells(), self.latencies.sum());
        }
        totals.latency_sum = latencies.sum();
        totals.derive(latencies.count(), |share| latencies.quantile(share));
        (totals, latencies)
    }
}

/// Two bins as one.
fn both(pair: &[Arc<Bin>]) -> Bin {
    let mut totals = Totals::default();
    let mut cells = Vec::new();
    for bin in pair {
        totals.add(&bin.totals);
        cells = merge(&cells, &bin.cells);
    }
    let count = cells.iter().map(|&(_, count)| u64::from(count)).sum();
    totals.derive(count, |share| quantile(&cells, share));
    Bin { totals, cells }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_the_width_loses_no_count_and_keeps_quantiles() {
        let mut bins = Bins::new(Span::millis(10));
        let mut doubled = 0;
        for n in 0..3_000u64 {
            bins.open.offered += n;
            bins.latencies.record(Span(n));
            doubled += u32::from(bins.seal());
        }
        // After 1200, and then after every 600 more.
        assert_eq!((doubled, bins.width, bins.sealed.len()), (4, Span::millis(160), 600));
        let offered: u64 = bins.sealed().map(|t| t.offered).sum();
        assert_eq!((offered, bins.counted().offered), (4_498_500, 4_498_500));
        let (all, latencies) = bins.between(Time::ZERO, Time::NEVER);
        assert_eq!((all.offered, latencies.count()), (4_498_500, 3_000));
        assert!((all.p50 - 1.5).abs() < 0.02, "{}", all.p50);
    }

    #[test]
    fn a_window_takes_the_bins_that_begin_in_it() {
        let mut bins = Bins::new(Span::secs(1));
        for n in 0..5 {
            bins.open.offered = 1 << n;
            bins.seal();
        }
        bins.open.offered = 32;
        let between = |a: u64, b: u64| bins.between(Time(a * 1_000_000), Time(b)).0.offered;
        assert_eq!(between(1, 3_000_000), 2 + 4);
        assert_eq!(between(1, 3_000_001), 2 + 4 + 8);
        assert_eq!(between(4, u64::MAX), 16 + 32);
        assert_eq!(between(6, u64::MAX), 0);
        assert_eq!(between(3, 2_000_000), 0);
    }
}
