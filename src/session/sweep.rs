//! The same scenario with many seeds: what is chance in one run is a distribution over many.

use super::Session;
use crate::base::order;
use crate::check::State;
use crate::scenario::link::Opened;
use serde::Serialize;
use std::fmt;

/// What came of many runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sweep {
    /// The scenario's title.
    pub title: String,
    /// The seeds, from the first to the last.
    pub seeds: (u64, u64),
    /// What was measured in each run.
    pub measures: Vec<Spread>,
    /// How often each check held.
    pub checks: Vec<Tally>,
}

/// A number over all runs in which it could be measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// What it is, with its unit.
    pub name: &'static str,
    /// In how many runs it was measured.
    pub runs: usize,
    /// The smallest.
    pub min: f64,
    /// Half are no greater.
    pub median: f64,
    /// Nine of ten are no greater.
    pub p90: f64,
    /// The greatest.
    pub max: f64,
    /// All values, in the order of their size.
    pub values: Vec<f64>,
}

/// How a check ended in all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The property.
    pub name: String,
    /// Runs in which it held.
    pub held: u32,
    /// Runs in which it did not.
    pub violated: u32,
    /// Runs that could not say.
    pub unknown: u32,
}

impl Spread {
    /// Of these values, if there are any.
    pub fn of(name: &'static str, mut values: Vec<f64>) -> Option<Spread> {
        values.retain(|value| value.is_finite());
        order::by(&mut values, f64::total_cmp);
        // The smallest value that a share of all does not exceed.
        let at =
            |share: usize| values.get((values.len() * share).div_ceil(100).max(1) - 1).copied();
        let (min, median, p90, max) = (at(0)?, at(50)?, at(90)?, at(100)?);
        Some(Spread { name, runs: values.len(), min, median, p90, max, values })
    }
}

/// What is measured in each run.
const MEASURES: [&str; 6] =
    ["RPO in s", "RTO in s", "writes lost", "available in %", "requests failed", "p99 in ms"];

/// A sweep under way: it works in pieces, so that a page stays awake meanwhile.
pub struct Sweeping {
    opened: Opened,
    first: u64,
    count: u64,
    done: u64,
    current: Option<Session>,
    values: [Vec<f64>; MEASURES.len()],
    checks: Vec<Tally>,
}

impl Sweeping {
    /// Of `count` seeds, `first` and those after it.
    pub fn new(opened: Opened, first: u64, count: u64) -> Sweeping {
        let (done, values, checks) = (0, Default::default(), Vec::new());
        Sweeping { opened, first, count, done, current: None, values, checks }
    }

    /// Runs that are over.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Goes on for no more than so many events. False when all runs are over.
    pub fn step(&mut self, events: u32) -> bool {
        if self.done >= self.count {
            return false;
        }
        let seed = self.first.saturating_add(self.done);
        let opened = &self.opened;
        let session = self.current.get_or_insert_with(|| {
            let mut opened = opened.clone();
            (opened.scenario.seed, opened.t) = (seed, None);
            Session::open(opened)
        });
        if session.advance(session.end(), events)
            && let Some(session) = self.current.take()
        {
            self.measure(&session);
            self.done += 1;
        }
        self.done < self.count
    }

    fn measure(&mut self, session: &Session) {
        let totals = &session.metrics().totals;
        let ended = totals.ended().max(1) as f64;
        let measured = session.recovery();
        let seconds = |span: crate::base::time::Span| span.as_secs();
        let row = [
            measured.map(|m| seconds(m.rpo)),
            measured.and_then(|m| m.rto).map(seconds),
            measured.map(|m| m.lost as f64),
            Some(100.0 * totals.good() as f64 / ended),
            Some(totals.bad() as f64),
            Some(totals.p99),
        ];
        for (all, value) in self.values.iter_mut().zip(row) {
            all.extend(value);
        }
        for (place, verdict) in session.verdicts().into_iter().enumerate() {
            if self.checks.len() == place {
                let name = verdict.name;
                self.checks.push(Tally { name, held: 0, violated: 0, unknown: 0 });
            }
            let tally = &mut self.checks[place];
            match verdict.state {
                State::Holds => tally.held += 1,
                State::Violated => tally.violated += 1,
                State::Unknown => tally.unknown += 1,
            }
        }
    }

    /// What came of the runs that are over.
    pub fn result(&self) -> Sweep {
        let values = self.values.iter().cloned();
        let measures = MEASURES.into_iter().zip(values);
        Sweep {
            title: self.opened.scenario.title.clone(),
            seeds: (self.first, self.first.saturating_add(self.done.saturating_sub(1))),
            measures: measures.filter_map(|(name, all)| Spread::of(name, all)).collect(),
            checks: self.checks.clone(),
        }
    }
}

/// Runs a scenario with `count` seeds, `first` and those after it.
pub fn sweep(opened: &Opened, first: u64, count: u64) -> Sweep {
    let mut sweeping = Sweeping::new(opened.clone(), first, count);
    while sweeping.step(u32::MAX) {}
    sweeping.result()
}

impl fmt::Display for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.seeds;
        writeln!(f, "{}, seeds {first} to {last}", self.title)?;
        writeln!(f)?;
        let head = ["runs", "min", "median", "p90", "max"];
        let [runs, min, median, p90, max] = head.map(|word| format!("{word:>10}"));
        writeln!(f, "  {:<16}{runs}{min}{median}{p90}{max}", "")?;
        for Spread { name, runs, min, median, p90, max, .. } in &self.measures {
            writeln!(f, "  {name:<16}{runs:>10}{min:>10.2}{median:>10.2}{p90:>10.2}{max:>10.2}")?;
        }
        for Tally { name, held, violated, unknown } in &self.checks {
            let all = held + violated + unknown;
            let unknown = if *unknown > 0 { format!(", {unknown} unknown") } else { String::new() };
            write!(f, "\n  held in {held} of {all}{unknown}: {name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_made_of_values_that_were_there() {
        let spread = Spread::of("x", (1..=10).rev().map(f64::from).collect()).expect("values");
        let all = [spread.min, spread.median, spread.p90, spread.max];
        assert_eq!(all.map(|value| value.to_string()), ["1", "5", "9", "10"]);
        let one = Spread::of("x", vec![f64::NAN, 3.0]).expect("one value");
        assert_eq!((one.runs, one.median.to_string()), (1, "3".to_owned()));
        assert_eq!(Spread::of("x", vec![f64::NAN]), None);
    }

    #[test]
    fn in_pieces_or_at_once_is_the_same() {
        let scenario = crate::scenario::presets::find("disaster").expect("it is there");
        let opened = Opened::new(scenario.scenario.clone());
        let whole = sweep(&opened, 3, 2);
        assert_eq!(whole.measures.first().map(|m| (m.name, m.runs)), Some(("RPO in s", 2)));
        let mut pieces = Sweeping::new(opened, 3, 2);
        let mut steps = 1;
        while pieces.step(5_000) {
            steps += 1;
        }
        assert!(steps > 4 && pieces.done() == 2, "{steps} steps, {} runs", pieces.done());
        assert_eq!(pieces.result(), whole);
    }
}
