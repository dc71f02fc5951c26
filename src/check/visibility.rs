//! How soon reads see what was acknowledged: the chance that a read misses the newest change of its
//! item, by how long before the read that change was acknowledged (the t-visibility of Bailis et
//! al., Probabilistically Bounded Staleness, 2012), and how many changes stale reads miss.

use crate::base::time::Span;
use serde::Serialize;

/// Where each stretch of time ends, in microseconds, except for the last, which has no end.
const ENDS: [u64; 16] = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000,
];
/// Reads that miss that many changes or more are counted together.
pub const MANY: usize = 5;

/// What was counted so far.
#[derive(Clone, Debug, Default)]
pub struct Visibility {
    // Reads, and how many of them missed the newest change, by stretch.
    reads: [(u64, u64); ENDS.len() + 1],
    // Reads by how many changes they missed.
    missed: [u64; MANY + 1],
}

/// A stretch of time after a change was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// Where it begins.
    pub from: Span,
    /// Where it ends; none for the last.
    pub until: Option<Span>,
    /// Reads that began in it.
    pub reads: u64,
    /// How many of them missed the change.
    pub stale: u64,
}

impl Visibility {
    /// Counts a read that began so long after the newest change of its item was acknowledged, and
    /// missed so many acknowledged changes.
    pub fn count(&mut self, after: Span, missed: u32) {
        let stretch = ENDS.partition_point(|end| *end <= after.0);
        self.reads[stretch].0 += 1;
        self.reads[stretch].1 += u64::from(missed > 0);
        self.missed[(missed as usize).min(MANY)] += 1;
    }

    /// Every stretch in which reads began, in order.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch> {
        let edge = |n: usize| ENDS.get(n).map(|end| Span(*end));
        self.reads.iter().enumerate().filter(|(_, (reads, _))| *reads > 0).map(
            move |(n, &(reads, stale))| {
                let from = n.checked_sub(1).and_then(edge).unwrap_or(Span::ZERO);
                Stretch { from, until: edge(n), reads, stale }
            },
        )
    }

    /// How many reads missed no, one, two … changes; the last is of [`MANY`] and more.
    pub fn missed(&self) -> &[u64] {
        &self.missed
    }
}
