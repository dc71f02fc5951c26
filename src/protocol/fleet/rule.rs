//! How many replicas there should be, from how busy those are that run: the rule of the
//! Kubernetes HorizontalPodAutoscaler (kubernetes.io, "Horizontal Pod Autoscaling", algorithm
//! details). Wanted = ⌈running × usage / target⌉, and nothing is done while the ratio is near 1.

use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What was heard of the replicas that are to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The share of workers that were busy, of each that serves and has measured it.
    pub usages: Vec<Chance>,
    /// How many do not serve yet, or not long enough to say.
    pub starting: u32,
    /// How many have not answered.
    pub silent: u32,
}

impl Heard {
    /// How many are to run.
    pub fn current(&self) -> u32 {
        self.usages.len() as u32 + self.starting + self.silent
    }

    /// How many there should be. On the way up, those that start or are silent count as idle, and
    /// on the way down the silent count as busy as wanted, so that little is done on little
    /// knowledge.
    pub fn desired(&self, target: Chance, tolerance: Chance) -> u32 {
        let (current, target) = (self.current(), u64::from(target.0).max(1));
        let mut busy: u64 = self.usages.iter().map(|usage| u64::from(usage.0)).sum();
        let mut count = self.usages.len() as u64;
        if count == 0 {
            return current;
        }
        let near = |busy: u64, whole: u64| {
            u128::from(busy.abs_diff(whole)) * 1_000_000
                <= u128::from(whole) * u128::from(tolerance.0)
        };
        let enough = |busy: u64| busy.div_ceil(target).try_into().unwrap_or(u32::MAX);
        let up = busy > count * target;
        if self.silent == 0 && !(up && self.starting > 0) {
            return if near(busy, count * target) { current } else { enough(busy) };
        }
        count += u64::from(self.silent);
        if up {
            count += u64::from(self.starting);
        } else {
            busy += u64::from(self.silent) * target;
        }
        let (whole, enough) = (count * target, enough(busy));
        let turns = up != (busy > whole);
        let against = if up { enough < current } else { enough > current };
        if near(busy, whole) || turns || against { current } else { enough }
    }
}

/// What was desired lately. Of that, the least is scaled up to and the most is scaled down to, so
/// that a moment decides nothing (the stabilization windows of Kubernetes).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lately(VecDeque<(Time, u32)>);

impl Lately {
    /// Takes in what is desired now, and says how many there should be.
    pub fn settle(&mut self, now: Time, desired: u32, current: u32, up: Span, down: Span) -> u32 {
        self.0.push_back((now, desired));
        while self.0.front().is_some_and(|&(at, _)| now.since(at) > up.max(down)) {
            self.0.pop_front();
        }
        let within = |span: Span| self.0.iter().filter(move |(at, _)| now.since(*at) <= span);
        let least = within(up).map(|&(_, n)| n).min().unwrap_or(desired);
        let most = within(down).map(|&(_, n)| n).max().unwrap_or(desired);
        current.max(least).min(most.max(least))
    }

    /// Forgets all of it, as a crash does.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired(usages: &[u32], starting: u32, silent: u32, target: u32) -> u32 {
        let percent = |n: u32| Chance(n * 10_000);
        let usages = usages.iter().map(|&n| percent(n)).collect();
        Heard { usages, starting, silent }.desired(percent(target), percent(10))
    }

    #[test]
    fn the_rule_of_kubernetes() {
        let table: [(&[u32], u32, u32, u32, u32); 16] = [
            // The examples of the documentation: twice as busy as wanted, half as busy.
            (&[100], 0, 0, 50, 2),
            (&[25, 25], 0, 0, 50, 1),
            // 50 × 90 / 75 = 60.
            (&[90; 50], 0, 0, 75, 60),
            // Rounded up.
            (&[70, 70, 70], 0, 0, 60, 4),
            // Within a tenth of the target on either side, nothing.
            (&[66, 66, 66], 0, 0, 60, 3),
            (&[54, 54, 54, 54], 0, 0, 60, 4),
            (&[53, 53, 53, 53, 53, 53, 53, 53, 53, 53], 0, 0, 60, 9),
            // The mean counts.
            (&[100, 20], 0, 0, 60, 2),
            // Who is wholly busy cannot say how much more there is to do: no more than 100 / 60.
            (&[100; 6], 0, 0, 60, 10),
            // Those that start count as idle on the way up, and not at all on the way down.
            (&[100, 100], 2, 0, 60, 4),
            (&[100, 100, 100], 1, 0, 60, 5),
            (&[20, 20], 1, 0, 60, 1),
            // The silent count as idle on the way up, as busy as wanted on the way down.
            (&[100, 100], 0, 2, 60, 4),
            (&[20, 20, 20], 0, 1, 60, 2),
            // Nobody says anything: nothing is done. All idle: none are needed.
            (&[], 1, 3, 60, 4),
            (&[0, 0], 0, 0, 60, 0),
        ];
        for (usages, starting, silent, target, wanted) in table {
            let got = desired(usages, starting, silent, target);
            assert_eq!(got, wanted, "{usages:?} {starting} starting {silent} silent of {target}");
        }
    }

    #[test]
    fn down_goes_to_the_most_that_was_desired_within_the_window() {
        let mut lately = Lately::default();
        let (up, down) = (Span::ZERO, Span::secs(30));
        let mut settle =
            |s: u64, desired, now| lately.settle(Time(s * 1_000_000), desired, now, up, down);
        assert_eq!(settle(0, 8, 4), 8, "up at once");
        assert_eq!(settle(10, 3, 8), 8);
        assert_eq!(settle(20, 5, 8), 8);
        assert_eq!(settle(31, 2, 8), 5, "the eight are too old");
        assert_eq!(settle(45, 2, 5), 5);
        assert_eq!(settle(55, 2, 5), 2);
    }

    #[test]
    fn up_goes_to_the_least_that_was_desired_within_the_window() {
        let mut lately = Lately::default();
        let (up, down) = (Span::secs(10), Span::ZERO);
        let mut settle =
            |s: u64, desired, now| lately.settle(Time(s * 1_000_000), desired, now, up, down);
        assert_eq!(settle(0, 4, 4), 4);
        assert_eq!(settle(5, 9, 4), 4, "a moment is not enough");
        assert_eq!(settle(10, 8, 4), 4);
        assert_eq!(settle(15, 9, 4), 8);
    }
}
