//! Tests of distributions.

use super::Verdict;

/// Draws that a test of a distribution takes.
pub(super) const DRAWS: usize = 100_000;

/// Kolmogorov and Smirnov: fails where the largest distance between the draws and `cdf` would
/// be reached in less than one of a thousand trials.
pub(super) fn follows(what: &str, mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) -> Verdict {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance = draws.iter().zip(1u32..).fold(0.0_f64, |most, (&draw, rank)| {
        let expected = cdf(draw);
        let (above, below) = (f64::from(rank) / n, f64::from(rank - 1) / n);
        most.max((above - expected).abs()).max((expected - below).abs())
    });
    // sqrt(-ln(p / 2) / 2) for p = .001.
    let critical = 1.949_5 / libm::sqrt(n);
    if distance <= critical {
        return Ok(());
    }
    Err(format!("{what}: expected a distance below {critical:.5}, got {distance:.5}"))
}

/// The chance that a value between `low` and `high`, all alike, is at most `x`.
pub(super) fn uniform(low: f64, high: f64) -> impl Fn(f64) -> f64 {
    move |x| ((x - low) / (high - low)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    #[test]
    fn tells_a_distribution_from_its_neighbour() {
        let mut stream = Stream::new(1, "test", 0);
        let draws: Vec<f64> = (0..DRAWS).map(|_| stream.unit()).collect();
        assert_eq!(follows("uniform", draws.clone(), uniform(0.0, 1.0)), Ok(()));
        assert!(follows("wider", draws.clone(), uniform(0.0, 1.02)).is_err());
        assert!(follows("bent", draws, |x| x * x).is_err());
    }
}
