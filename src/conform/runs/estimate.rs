//! What a run knows of a number, and how sure it is of it.

use crate::conform::Verdict;

/// The quantile of the normal distribution that leaves half a percent on either side out.
const Z: f64 = 2.575_829;

/// A number measured in a run, with half the width of its 99 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    pub(super) half: f64,
}

impl Estimate {
    /// The mean of independent samples: of runs with different seeds, or of long batches.
    pub(super) fn of(samples: &[f64]) -> Estimate {
        Estimate::ratio(samples, |sample| *sample, |_| 1.0)
    }

    /// A ratio of sums over independent samples, as the mean of all jobs is the sum of all times
    /// by the number of all jobs (Law, Simulation Modeling and Analysis, on ratio estimators).
    pub(super) fn ratio<S>(
        samples: &[S],
        above: impl Fn(&S) -> f64,
        below: impl Fn(&S) -> f64,
    ) -> Estimate {
        let n = samples.len() as f64;
        let total: f64 = samples.iter().map(&below).sum();
        let mean = samples.iter().map(&above).sum::<f64>() / total;
        let rest = |sample: &S| (above(sample) - mean * below(sample)) / (total / n);
        let squares: f64 = samples.iter().map(|sample| rest(sample) * rest(sample)).sum();
        Estimate { mean, half: student(n - 1.0) * libm::sqrt(squares / (n - 1.0) / n) }
    }

    /// The value that this share of all does not exceed. How sure it is follows from how the
    /// share that does exceed it differs between samples.
    pub(super) fn quantile(samples: &[&[u32]], share: f64) -> Estimate {
        let mut all = samples.concat();
        all.sort_unstable();
        let value = |share: f64| {
            let place = ((share * all.len() as f64) as usize).min(all.len().saturating_sub(1));
            all.get(place).map_or(f64::NAN, |&value| f64::from(value))
        };
        let mean = value(share);
        let above = |sample: &&[u32]| sample.iter().filter(|&&v| f64::from(v) > mean).count();
        let shares =
            Estimate::ratio(samples, |sample| above(sample) as f64, |sample| sample.len() as f64);
        let (low, high) = ((share - shares.half).max(0.0), (share + shares.half).min(1.0));
        Estimate { mean, half: (mean - value(low)).max(value(high) - mean) }
    }

    /// The same in another unit.
    pub(super) fn by(self, unit: f64) -> Estimate {
        Estimate { mean: self.mean / unit, half: self.half / unit }
    }

    /// Agrees if the expected number is no further away than the tolerance on top of the
    /// confidence interval. A run that knows too little to disagree does not agree either.
    pub(super) fn is(self, what: &str, expected: f64, tolerance: f64) -> Verdict {
        self.is_like(what, expected, tolerance, 0.0)
    }

    /// The same where the expected number was measured too, with an interval of its own.
    pub(super) fn is_like(self, what: &str, expected: f64, tolerance: f64, other: f64) -> Verdict {
        let Estimate { mean, half } = self;
        let found = format!("{what}: expected {expected} ± {tolerance:.3e}, got {mean:.6}");
        if half > 5.0 * tolerance && half > 0.5 * expected.abs() {
            return Err(format!("{found} ± {half:.2e}: too little to tell"));
        }
        self.within(what, expected, tolerance, other)
    }

    /// The same where knowing the number to `enough` is knowing it: next to nothing, where nothing
    /// is expected and a few of many runs go another way.
    pub(super) fn known_to(
        self,
        enough: f64,
        what: &str,
        expected: f64,
        tolerance: f64,
        other: f64,
    ) -> Verdict {
        if self.half <= enough {
            return self.within(what, expected, tolerance, other);
        }
        self.is_like(what, expected, tolerance, other)
    }

    /// The same for a run that may know little.
    pub(super) fn within(self, what: &str, expected: f64, tolerance: f64, other: f64) -> Verdict {
        let Estimate { mean, half } = self;
        // Written so that NaN never agrees.
        if (mean - expected).abs() <= tolerance + libm::hypot(half, other) {
            return Ok(());
        }
        let found = format!("{what}: expected {expected} ± {tolerance:.3e}, got {mean:.6}");
        Err(format!("{found} ± {half:.2e}"))
    }

    /// The same with a share of the expected number as tolerance.
    pub(super) fn is_about(self, what: &str, expected: f64, share: f64) -> Verdict {
        self.is(what, expected, share * expected.abs())
    }
}

/// The quantile of Student's distribution for a 99 % interval, by Cornish and Fisher.
fn student(freedom: f64) -> f64 {
    let (z3, z5) = (Z * Z * Z, Z * Z * Z * Z * Z);
    let first = (z3 + Z) / (4.0 * freedom);
    Z + first + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * freedom * freedom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_students() {
        // Table values for 99 %: 3.250 at 9 degrees, 2.861 at 19.
        assert!((student(9.0) - 3.250).abs() < 0.03);
        assert!((student(19.0) - 2.861).abs() < 0.01);
        let known = Estimate::of(&[9.0, 11.0, 9.0, 11.0, 9.0, 11.0, 9.0, 11.0, 9.0, 11.0]);
        assert!((known.mean - 10.0).abs() < 1e-9 && (known.half - 1.083).abs() < 0.02);
        assert!(known.is("it", 10.9, 0.1).is_ok());
        assert!(known.is("it", 11.3, 0.1).is_err());
    }

    #[test]
    fn knowing_little_or_nothing_is_not_agreement() {
        assert!(Estimate { mean: 1.0, half: 100.0 }.is("it", 2.0, 0.1).is_err());
        assert!(Estimate::of(&[]).is("it", 2.0, 0.1).is_err());
        assert!(Estimate::quantile(&[&[], &[]], 0.5).is("it", 2.0, 0.1).is_err());
    }

    #[test]
    fn a_ratio_weighs_its_samples() {
        let ratio = Estimate::ratio(&[(1.0, 1.0), (9.0, 3.0)], |s| s.0, |s| s.1);
        assert!((ratio.mean - 2.5).abs() < 1e-9);
        let middle = Estimate::quantile(&[&[1, 2, 3], &[4, 5]], 0.5);
        assert!((middle.mean - 3.0).abs() < 1e-9);
    }
}
