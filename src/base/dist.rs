//! Distributions of lengths of time. The only place where the core takes a logarithm or an
//! exponential, always through `libm`: the standard library's differ between targets.

use super::random::Stream;
use super::time::Span;
use serde::{Deserialize, Serialize};

/// A distribution of non-negative lengths of time. Parameters are in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Dist {
    /// Always the same.
    Constant(f64),
    /// Evenly between two bounds.
    Uniform {
        /// Least value.
        low: f64,
        /// Greatest value.
        high: f64,
    },
    /// Memoryless, with the given mean.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// The absolute value of a normal variable.
    Normal {
        /// The mean of the variable before taking its absolute value.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// The exponential of a normal variable, given by two numbers people know.
    LogNormal {
        /// Half of the draws are below this.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Power-law tail: P(X > x) = (scale / x)^shape.
    Pareto {
        /// The least value.
        scale: f64,
        /// The tail index; the mean is infinite at or below one.
        shape: f64,
    },
    /// Linear interpolation between quantiles, `(probability, value)` in rising order.
    Table(Vec<(f64, f64)>),
    /// One of several, by weight.
    Mixture(Vec<(f64, Dist)>),
}

impl Dist {
    /// Nothing, always.
    pub const ZERO: Dist = Dist::Constant(0.0);

    /// Always `span`.
    pub fn constant(span: Span) -> Dist {
        Dist::Constant(span.0 as f64)
    }

    /// Memoryless with mean `span`.
    pub fn exponential(span: Span) -> Dist {
        Dist::Exponential { mean: span.0 as f64 }
    }

    /// One draw, to the nearest microsecond.
    pub fn sample(&self, stream: &mut Stream) -> Span {
        Span::from_micros_f64(self.draw(stream))
    }

    /// One draw, in microseconds.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        match self {
            Dist::Constant(value) => *value,
            Dist::Uniform { low, high } => low + (high - low) * stream.unit(),
            Dist::Exponential { mean } => mean * exponential(stream),
            Dist::Normal { mean, deviation } => libm::fabs(mean + deviation * normal(stream)),
            Dist::LogNormal { median, sigma } => median * libm::exp(sigma * normal(stream)),
            Dist::Pareto { scale, shape } => scale * libm::pow(1.0 - stream.unit(), -1.0 / shape),
            Dist::Table(points) => interpolate(points, stream.unit()),
            Dist::Mixture(parts) => {
                let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
                let mut left = stream.unit() * total;
                for (weight, part) in parts {
                    left -= weight;
                    if left < 0.0 {
                        return part.draw(stream);
                    }
                }
                parts.last().map_or(0.0, |(_, part)| part.draw(stream))
            }
        }
    }

    /// The mean, in microseconds; infinite where it does not exist.
    pub fn mean(&self) -> f64 {
        match self {
            Dist::Constant(value) => *value,
            Dist::Uniform { low, high } => (low + high) / 2.0,
            Dist::Exponential { mean } => *mean,
            Dist::Normal { mean, deviation } => folded_normal_mean(*mean, *deviation),
            Dist::LogNormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Dist::Pareto { shape, .. } if *shape <= 1.0 => f64::INFINITY,
            Dist::Pareto { scale, shape } => shape * scale / (shape - 1.0),
            Dist::Table(points) => {
                points.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum::<f64>()
                    + points.first().map_or(0.0, |p| p.0 * p.1)
                    + points.last().map_or(0.0, |p| (1.0 - p.0) * p.1)
            }
            Dist::Mixture(parts) => {
                let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
                parts.iter().map(|(weight, part)| weight * part.mean()).sum::<f64>() / total
            }
        }
    }
}

/// One draw of the exponential distribution with mean one.
pub fn exponential(stream: &mut Stream) -> f64 {
    -libm::log(1.0 - stream.unit())
}

/// One draw of the standard normal distribution (Box and Muller 1958; the second value of the
/// pair is dropped, so that a draw leaves no hidden state).
pub fn normal(stream: &mut Stream) -> f64 {
    let radius = libm::sqrt(2.0 * exponential(stream));
    radius * libm::cos(2.0 * std::f64::consts::PI * stream.unit())
}

fn folded_normal_mean(mean: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 {
        return libm::fabs(mean);
    }
    let z = mean / deviation;
    deviation * libm::sqrt(2.0 / std::f64::consts::PI) * libm::exp(-z * z / 2.0)
        + mean * libm::erf(z / std::f64::consts::SQRT_2)
}

fn interpolate(points: &[(f64, f64)], p: f64) -> f64 {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return 0.0 };
    if p <= first.0 {
        return first.1;
    }
    for pair in points.windows(2) {
        let ((p0, v0), (p1, v1)) = (pair[0], pair[1]);
        if p <= p1 {
            return if p1 > p0 { v0 + (v1 - v0) * (p - p0) / (p1 - p0) } else { v1 };
        }
    }
    last.1
}

/// Ranks 0..n with P(rank) proportional to 1 / (rank + 1)^exponent, by rejection-inversion
/// (Hörmann and Derflinger 1996): constant memory, a handful of logarithms a draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zipf {
    n: f64,
    exponent: f64,
    low: f64,
    high: f64,
}

impl Zipf {
    /// Over `n` ranks; an exponent of zero is uniform.
    pub fn new(n: u32, exponent: f64) -> Zipf {
        let mut zipf = Zipf { n: f64::from(n.max(1)), exponent, low: 0.0, high: 0.0 };
        zipf.low = zipf.integral(1.5) - 1.0;
        zipf.high = zipf.integral(zipf.n + 0.5);
        zipf
    }

    /// One rank, zero being the most popular.
    pub fn sample(&self, stream: &mut Stream) -> u32 {
        loop {
            let u = self.high + stream.unit() * (self.low - self.high);
            let x = self.inverse(u);
            let k = libm::round(x).clamp(1.0, self.n);
            if u >= self.integral(k + 0.5) - libm::pow(k, -self.exponent) {
                return k as u32 - 1;
            }
        }
    }

    fn integral(&self, x: f64) -> f64 {
        let log = libm::log(x);
        if libm::fabs(1.0 - self.exponent) < 1e-9 {
            log
        } else {
            (libm::exp((1.0 - self.exponent) * log) - 1.0) / (1.0 - self.exponent)
        }
    }

    fn inverse(&self, u: f64) -> f64 {
        if libm::fabs(1.0 - self.exponent) < 1e-9 {
            libm::exp(u)
        } else {
            let t = (u * (1.0 - self.exponent)).max(-1.0);
            libm::exp(libm::log1p(t) / (1.0 - self.exponent))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(dist: &Dist, n: u32) -> f64 {
        let mut stream = Stream::new(3, "test", 0);
        (0..n).map(|_| dist.draw(&mut stream)).sum::<f64>() / f64::from(n)
    }

    #[test]
    fn sample_means_meet_the_formula() {
        let table = Dist::Table(vec![(0.0, 10.0), (0.5, 20.0), (1.0, 100.0)]);
        for dist in [
            Dist::Constant(5.0),
            Dist::Uniform { low: 2.0, high: 8.0 },
            Dist::Exponential { mean: 40.0 },
            Dist::Normal { mean: 10.0, deviation: 2.0 },
            Dist::Normal { mean: 0.0, deviation: 3.0 },
            Dist::LogNormal { median: 10.0, sigma: 0.5 },
            Dist::Pareto { scale: 3.0, shape: 3.5 },
            table.clone(),
            Dist::Mixture(vec![
                (1.0, Dist::Constant(1.0)),
                (3.0, Dist::Constant(5.0)),
                (1.0, table),
            ]),
        ] {
            let (got, want) = (mean_of(&dist, 400_000), dist.mean());
            assert!((got / want - 1.0).abs() < 0.01, "{dist:?}: {got} against {want}");
        }
    }

    #[test]
    fn zipf_ranks_have_the_stated_shares() {
        for exponent in [0.0, 0.8, 1.0, 1.3] {
            let zipf = Zipf::new(100, exponent);
            let mut stream = Stream::new(3, "zipf", 0);
            let mut counts = [0u32; 100];
            for _ in 0..400_000 {
                counts[zipf.sample(&mut stream) as usize] += 1;
            }
            let harmonic: f64 = (1..=100).map(|k| libm::pow(f64::from(k), -exponent)).sum();
            for rank in [0, 1, 9, 50] {
                let want = libm::pow(f64::from(rank as u32 + 1), -exponent) / harmonic;
                let got = f64::from(counts[rank]) / 400_000.0;
                let error = (want * (1.0 - want) / 400_000.0).sqrt();
                assert!((got - want).abs() < 4.0 * error, "s={exponent} rank {rank}: {got} {want}");
            }
        }
    }
}
