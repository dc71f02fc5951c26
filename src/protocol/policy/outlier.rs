//! Outlier detection, after Envoy: a host that keeps failing is taken out for a while, longer each
//! time, but never more than a part of all hosts.

use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};

/// When a host is an outlier. The defaults are Envoy's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutlierSettings {
    /// Failures in a row that take a host out.
    pub consecutive: u32,
    /// Time between two looks at success rates.
    pub interval: Span,
    /// How long a host is out the first time; the n-th time n times as long.
    pub base: Span,
    /// Never longer than this.
    pub longest: Span,
    /// The part of hosts that may be out; one always may.
    pub most: Chance,
    /// Success rates are compared only with this many hosts.
    pub minimum_hosts: u32,
    /// And only of hosts with this many requests in the interval.
    pub minimum_requests: u32,
    /// A host is out when its rate is this many thousandths of a standard deviation below the mean.
    pub deviations: u32,
    /// Takes out hosts that mostly fail. Envoy notices them by default but does nothing.
    pub failure_percentage: Option<FailurePercentageRule>,
}

/// A host is out when its share of failures reaches the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailurePercentageRule {
    /// The share.
    pub threshold: Chance,
    /// Shares are looked at only with this many hosts.
    pub minimum_hosts: u32,
    /// And only of hosts with this many requests in the interval.
    pub minimum_requests: u32,
}

impl Default for FailurePercentageRule {
    fn default() -> Self {
        FailurePercentageRule { threshold: Chance(850_000), minimum_hosts: 5, minimum_requests: 50 }
    }
}

impl Default for OutlierSettings {
    fn default() -> Self {
        OutlierSettings {
            consecutive: 5,
            interval: Span::secs(10),
            base: Span::secs(30),
            longest: Span::secs(300),
            most: Chance(100_000),
            minimum_hosts: 5,
            minimum_requests: 100,
            deviations: 1_900,
            failure_percentage: None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Host {
    streak: u32,
    good: u32,
    all: u32,
    times: u32,
    until: Option<Time>,
}

/// What is known of each host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlier {
    settings: OutlierSettings,
    hosts: Vec<Host>,
}

impl Outlier {
    /// All hosts are in.
    pub fn new(settings: &OutlierSettings, hosts: u32) -> Outlier {
        Outlier { settings: *settings, hosts: vec![Host::default(); hosts as usize] }
    }

    /// A request to `host` ended well or not.
    pub fn report(&mut self, now: Time, host: u32, good: bool) {
        let Some(h) = self.hosts.get_mut(host as usize) else { return };
        h.all += 1;
        h.good += u32::from(good);
        h.streak = if good { 0 } else { h.streak + 1 };
        if self.settings.consecutive > 0 && h.streak == self.settings.consecutive {
            // Counts anew even if there is no room to take it out.
            h.streak = 0;
            self.eject(now, host);
        }
    }

    /// Takes back the hosts whose time is over, then judges the interval that ends now.
    pub fn sweep(&mut self, now: Time) {
        let mut forgiven = Vec::new();
        for (n, host) in self.hosts.iter_mut().enumerate() {
            match host.until {
                Some(until) if now >= until => (host.until, host.streak) = (None, 0),
                // A host that stays in for an interval is forgiven one ejection, as in Envoy.
                None => forgiven.push(n),
                Some(_) => {}
            }
        }
        for host in self.far_below_the_mean().into_iter().chain(self.mostly_failing()) {
            self.eject(now, host);
        }
        for n in forgiven {
            let host = &mut self.hosts[n];
            if host.until.is_none() {
                host.times = host.times.saturating_sub(1);
            }
        }
        for host in &mut self.hosts {
            (host.all, host.good) = (0, 0);
        }
    }

    fn far_below_the_mean(&self) -> Vec<u32> {
        let rated = self.rated(self.settings.minimum_requests);
        if rated.is_empty() || rated.len() < self.settings.minimum_hosts as usize {
            return Vec::new();
        }
        let count = rated.len() as f64;
        let mean = rated.iter().map(|(_, r)| r).sum::<f64>() / count;
        let variance = rated.iter().map(|(_, r)| (r - mean) * (r - mean)).sum::<f64>() / count;
        let factor = f64::from(self.settings.deviations) / 1_000.0;
        let threshold = mean - factor * libm::sqrt(variance);
        rated.into_iter().filter(|(_, rate)| *rate < threshold).map(|(host, _)| host).collect()
    }

    fn mostly_failing(&self) -> Vec<u32> {
        let Some(rule) = self.settings.failure_percentage else { return Vec::new() };
        let rated = self.rated(rule.minimum_requests);
        if rated.len() < rule.minimum_hosts as usize {
            return Vec::new();
        }
        let fails = |rate: f64| 1.0 - rate >= rule.threshold.as_f64();
        rated.into_iter().filter(|(_, rate)| fails(*rate)).map(|(host, _)| host).collect()
    }

    /// The success rates, from 0 to 1, of the hosts that are in and had enough requests.
    fn rated(&self, enough: u32) -> Vec<(u32, f64)> {
        (0..)
            .zip(&self.hosts)
            .filter(|(_, h)| h.all >= enough.max(1) && h.until.is_none())
            .map(|(n, h)| (n, f64::from(h.good) / f64::from(h.all)))
            .collect()
    }

    /// Whether a host is out. It comes back at the first sweep after its time.
    pub fn ejected(&self, _now: Time, host: u32) -> bool {
        self.hosts.get(host as usize).is_some_and(|h| h.until.is_some())
    }

    fn eject(&mut self, now: Time, host: u32) {
        let out = self.hosts.iter().filter(|h| h.until.is_some()).count() as u64;
        let most = (self.hosts.len() as u64 * u64::from(self.settings.most.0) / 1_000_000).max(1);
        let Some(h) = self.hosts.get_mut(host as usize) else { return };
        if h.until.is_some() || out >= most {
            return;
        }
        h.times += 1;
        h.streak = 0;
        let span = Span(self.settings.base.0.saturating_mul(u64::from(h.times)))
            .min(self.settings.longest);
        h.until = Some(now + span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_take_a_host_out_longer_each_time() {
        let mut outlier = Outlier::new(&OutlierSettings::default(), 3);
        let fail = |outlier: &mut Outlier, at, host| {
            (0..5).for_each(|_| outlier.report(Time(at), host, false));
        };
        (0..4).for_each(|_| outlier.report(Time(0), 0, false));
        outlier.report(Time(0), 0, true);
        fail(&mut outlier, 0, 1);
        assert!(!outlier.ejected(Time(1), 0) && outlier.ejected(Time(1), 1));
        fail(&mut outlier, 0, 2);
        assert!(!outlier.ejected(Time(1), 2), "only a tenth of the hosts, but at least one");
        outlier.sweep(Time(20_000_000));
        assert!(outlier.ejected(Time(20_000_000), 1));
        outlier.sweep(Time(30_000_000));
        assert!(!outlier.ejected(Time(30_000_000), 1));
        fail(&mut outlier, 30_000_000, 1);
        outlier.sweep(Time(80_000_000));
        assert!(outlier.ejected(Time(80_000_000), 1), "the second time takes twice as long");
    }

    #[test]
    fn a_host_far_below_the_mean_is_taken_out() {
        let mut outlier = Outlier::new(&OutlierSettings::default(), 10);
        for n in 0..200 {
            for host in 0..10 {
                outlier.report(Time(n), host, host != 4 || n % 2 == 0);
            }
        }
        outlier.sweep(Time(10_000_000));
        let out: Vec<u32> = (0..10).filter(|&h| outlier.ejected(Time(10_000_000), h)).collect();
        assert_eq!(out, [4]);
    }

    #[test]
    fn at_most_a_tenth_of_the_hosts_but_at_least_one() {
        for (hosts, most) in [(3, 1), (10, 1), (20, 2), (39, 3)] {
            let mut outlier = Outlier::new(&OutlierSettings::default(), hosts);
            for host in 0..hosts {
                (0..5).for_each(|_| outlier.report(Time(0), host, false));
            }
            let out = (0..hosts).filter(|&host| outlier.ejected(Time(0), host)).count();
            assert_eq!(out, most, "{hosts} hosts");
        }
    }

    #[test]
    fn a_host_that_fails_at_once_is_out_longer_each_time() {
        let mut outlier = Outlier::new(&OutlierSettings::default(), 10);
        let (mut spells, mut out) = (Vec::new(), 0);
        for second in 0..400 {
            let now = Time(second * 1_000_000);
            if second % 10 == 0 {
                outlier.sweep(now);
            }
            if outlier.ejected(now, 3) {
                out += 1;
            } else {
                spells.extend((out > 0).then_some(out));
                out = 0;
                (0..5).for_each(|_| outlier.report(now, 3, false));
            }
        }
        // Taken out in one second, taken back by the sweep in a tenth one.
        assert_eq!(spells, [29, 59, 89, 119]);
    }

    #[test]
    fn a_host_that_mostly_fails_is_taken_out_when_asked_for() {
        let settings = OutlierSettings {
            consecutive: 0,
            minimum_hosts: 99,
            failure_percentage: Some(FailurePercentageRule::default()),
            ..OutlierSettings::default()
        };
        for (requests, out) in [(49, false), (50, true)] {
            let mut outlier = Outlier::new(&settings, 5);
            for n in 0..requests {
                (0..5).for_each(|host| outlier.report(Time(0), host, host > 0 || n % 10 == 0));
            }
            outlier.sweep(Time(10_000_000));
            assert_eq!(outlier.ejected(Time(10_000_000), 0), out, "{requests} requests");
        }
    }
}
