//! When clients want something: an arrival process whose rate follows a profile.
//!
//! The k-th arrival comes when the integral of the rate reaches the k-th partial sum of unit
//! draws. A change of rate moves arrivals but never changes the draws, so two runs that differ in
//! load still share them. Arrivals come at whole microseconds; what the rounding of one takes or
//! gives, the next one gives back, so that the rate holds even where many share an instant.

use crate::base::dist;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrivals {
    /// At random: a Poisson process.
    #[default]
    Poisson,
    /// Evenly: one client after the other.
    Even,
    /// All clients at the same instant, once a period: a herd.
    Together,
}

/// How the rate changes over time: factors at instants, linear in between.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// In order of time; before the first and after the last the factor stays. Two points at the
    /// same instant are a step.
    pub points: Vec<(Time, f64)>,
}

/// A factor on the rate for a while, given by hand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surge {
    /// From when.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// The factor.
    pub factor: f64,
}

impl Profile {
    /// The factor at `at`, and the next instant at which its slope changes, and the factor just
    /// before that.
    fn segment(&self, at: Time) -> (f64, Time, f64) {
        let next = self.points.partition_point(|&(t, _)| t <= at);
        match (next.checked_sub(1).and_then(|i| self.points.get(i)), self.points.get(next)) {
            (None, None) => (1.0, Time::NEVER, 1.0),
            (None, Some(&(t, f))) => (f, t, f),
            (Some(&(_, f)), None) => (f, Time::NEVER, f),
            (Some(&(t0, f0)), Some(&(t1, f1))) => {
                let part = at.since(t0).0 as f64 / t1.since(t0).0 as f64;
                (f0 + (f1 - f0) * part, t1, f1)
            }
        }
    }
}

/// Draws arrivals one after the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arriving {
    stream: Stream,
    even: bool,
    /// How much of the current unit draw is still to be used up; less than nothing when the last
    /// arrival was rounded to a later instant than the next one's own.
    left: f64,
    /// The instant up to which the rate has been used up.
    since: Time,
}

impl Arriving {
    /// From the beginning of the run.
    pub fn new(arrivals: Arrivals, stream: Stream) -> Arriving {
        let mut arriving =
            Arriving { stream, even: arrivals != Arrivals::Poisson, left: 0.0, since: Time::ZERO };
        arriving.draw();
        arriving
    }

    fn draw(&mut self) {
        self.left += if self.even { 1.0 } else { dist::exponential(&mut self.stream) };
    }

    /// Uses up the time until `now` without an arrival: called before the rate changes.
    pub fn settle(&mut self, now: Time, rate: f64, profile: &Profile, surges: &[Surge]) {
        self.use_up(now, rate, profile, surges);
        self.left = self.left.max(0.0);
    }

    /// An arrival has come, now: the wait for the next begins.
    pub fn arrived(&mut self, now: Time, rate: f64, profile: &Profile, surges: &[Surge]) {
        self.use_up(now, rate, profile, surges);
        // What comes in a microsecond is owed; what did not come in a pause is not.
        let owed = rate_over(now, rate, profile, surges).0 / 1e6;
        self.left = self.left.clamp(-owed, owed);
        self.draw();
    }

    fn use_up(&mut self, now: Time, rate: f64, profile: &Profile, surges: &[Surge]) {
        let mut at = self.since;
        while at < now {
            let (from, end, to) = rate_over(at, rate, profile, surges);
            let stop = end.min(now);
            let span = stop.since(at).as_secs();
            let whole = end.since(at).as_secs();
            let to = if stop < end { from + (to - from) * span / whole } else { to };
            self.left -= span * (from + to) / 2.0;
            at = stop;
        }
        self.since = now;
    }

    /// When the next arrival comes at `rate` per second; never when the rate stays zero.
    pub fn next(&self, rate: f64, profile: &Profile, surges: &[Surge]) -> Time {
        let (mut at, mut left) = (self.since, self.left);
        if left <= 0.0 {
            return at;
        }
        for _ in 0..10_000 {
            let (from, end, to) = rate_over(at, rate, profile, surges);
            if end == Time::NEVER {
                return if from > 0.0 {
                    at + Span::from_micros_f64(left / from * 1e6)
                } else {
                    end
                };
            }
            let span = end.since(at).as_secs();
            let area = span * (from + to) / 2.0;
            if area >= left {
                // Solve from*x + slope*x²/2 = left for x, stable for a small slope.
                let slope = (to - from) / span;
                let root = libm::sqrt((from * from + 2.0 * slope * left).max(0.0));
                let x = if from + root > 0.0 { 2.0 * left / (from + root) } else { span };
                return at + Span::from_micros_f64(x * 1e6);
            }
            left -= area;
            at = end;
        }
        Time::NEVER
    }
}

fn rate_over(at: Time, rate: f64, profile: &Profile, surges: &[Surge]) -> (f64, Time, f64) {
    let (mut from, mut end, mut to) = profile.segment(at);
    let start = from;
    let (mut factor, mut cut) = (1.0, end);
    for surge in surges {
        if surge.from <= at && at < surge.until {
            factor *= surge.factor;
            cut = cut.min(surge.until);
        } else if at < surge.from {
            cut = cut.min(surge.from);
        }
    }
    if cut < end {
        let whole = end.since(at).0 as f64;
        to = if end == Time::NEVER {
            to
        } else {
            start + (to - start) * cut.since(at).0 as f64 / whole
        };
        end = cut;
    }
    from *= rate * factor;
    (from, end, to * rate * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(
        arrivals: Arrivals,
        rate: f64,
        profile: &Profile,
        surges: &[Surge],
        n: usize,
    ) -> Vec<Time> {
        let mut arriving = Arriving::new(arrivals, Stream::new(1, "arrivals", 0));
        (0..n)
            .map(|_| {
                let at = arriving.next(rate, profile, surges);
                arriving.arrived(at, rate, profile, surges);
                at
            })
            .collect()
    }

    fn between(times: &[Time], from: u64, until: u64) -> usize {
        times.iter().filter(|t| (from * 1_000_000..until * 1_000_000).contains(&t.0)).count()
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread() {
        let at = times(Arrivals::Poisson, 50.0, &Profile::default(), &[], 100_000);
        let gaps: Vec<f64> = at.windows(2).map(|w| w[1].since(w[0]).as_secs()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance =
            gaps.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / gaps.len() as f64;
        assert!((mean * 50.0 - 1.0).abs() < 0.01, "{mean}");
        assert!((variance / (mean * mean) - 1.0).abs() < 0.02);
    }

    #[test]
    fn the_rate_holds_where_many_share_a_microsecond() {
        for arrivals in [Arrivals::Poisson, Arrivals::Even] {
            for rate in [1e6, 3e6] {
                let at = times(arrivals, rate, &Profile::default(), &[], 1_000_000);
                let took = at[999_999].as_secs();
                assert!((took * rate / 1e6 - 1.0).abs() < 0.004, "{arrivals:?} {rate}: {took}");
            }
        }
    }

    /// What is not taken while a node stands still does not come all at once afterwards.
    #[test]
    fn a_pause_is_not_made_up_for() {
        let (rate, profile) = (1e3, Profile::default());
        let mut arriving = Arriving::new(Arrivals::Even, Stream::new(1, "arrivals", 0));
        arriving.arrived(Time(5_000_000), rate, &profile, &[]);
        let next = arriving.next(rate, &profile, &[]);
        assert!(next.0.abs_diff(5_001_000) <= 1, "{next}");
    }

    #[test]
    fn ramps_and_steps_and_surges_are_followed_exactly() {
        let t = Time;
        let points = vec![
            (t(10_000_000), 1.0),
            (t(20_000_000), 3.0),
            (t(30_000_000), 3.0),
            (t(30_000_000), 0.0),
            (t(40_000_000), 0.0),
            (t(40_000_000), 1.0),
        ];
        let profile = Profile { points };
        let surge = Surge { from: t(45_000_000), until: t(50_000_000), factor: 4.0 };
        let at = times(Arrivals::Even, 10.0, &profile, &[surge], 1_200);
        // 100, then the ramp's 200, then 300, then silence, then 50, then 200.
        let counts = [(0, 10), (10, 20), (20, 30), (31, 40), (40, 45), (45, 50)];
        let got: Vec<_> = counts.iter().map(|&(a, b)| between(&at, a, b)).collect();
        for (got, want) in got.iter().zip([100_usize, 200, 300, 0, 50, 200]) {
            assert!(got.abs_diff(want) <= 1, "{got} {want}");
        }
    }

    #[test]
    fn a_surge_by_hand_shifts_arrivals_but_not_draws() {
        let (rate, profile) = (10.0, Profile::default());
        let mut plain = Arriving::new(Arrivals::Poisson, Stream::new(5, "arrivals", 0));
        let due = plain.next(rate, &profile, &[]);
        let half = Time(due.0 / 2);
        plain.settle(half, rate, &profile, &[]);
        assert!(plain.next(rate, &profile, &[]).0.abs_diff(due.0) <= 1);
        let surge = Surge { from: half, until: Time::NEVER, factor: 2.0 };
        let sooner = plain.next(rate, &profile, &[surge]);
        assert!(sooner.0.abs_diff(half.0 + (due.0 - half.0) / 2) <= 1);
    }
}
