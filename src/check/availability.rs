//! A share of the intents that ended, ended well.

use super::{PROOFS, State, Verdict};
use crate::base::time::Time;
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::sim::trace::{Record, What};

/// How intents ended so far.
#[derive(Clone, Debug)]
pub struct Availability {
    at_least: Chance,
    pub(super) tally: Tally,
}

/// Good cases among all, with proof of the bad ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) good: u64,
    pub(super) all: u64,
    /// Since when the share has been too low.
    below: Option<Time>,
    proofs: Vec<u64>,
}

impl Tally {
    /// Counts one case.
    pub(super) fn count(&mut self, good: bool, wanted: Chance, at: Time, intent: u64) {
        self.all += 1;
        self.good += u64::from(good);
        if !good && self.proofs.len() < PROOFS {
            self.proofs.push(intent);
        }
        let enough =
            u128::from(self.good) * 1_000_000 >= u128::from(self.all) * u128::from(wanted.0);
        if enough {
            self.below = None;
        } else {
            self.below.get_or_insert(at);
        }
    }

    /// True if the share is not too low.
    pub(super) fn is_enough(&self) -> bool {
        self.below.is_none()
    }

    pub(super) fn share(&self) -> String {
        // Rounded down: 99.99 % is not shown as 100 %.
        let ppm = u128::from(self.good) * 1_000_000 / u128::from(self.all.max(1));
        format!("{:.2} %", (ppm / 100) as f64 / 100.0)
    }

    pub(super) fn verdict(&self, name: String, sentence: String) -> Verdict {
        let (state, intents) = match (self.all, self.below) {
            (0, _) => (State::Unknown, Vec::new()),
            (_, None) => (State::Holds, Vec::new()),
            (_, Some(_)) => (State::Violated, self.proofs.clone()),
        };
        let count = Some((self.all - self.good, self.all));
        Verdict { name, state, sentence, at: self.below, intents, count }
    }
}

impl Availability {
    /// Nothing yet.
    pub fn new(at_least: Chance) -> Availability {
        Availability { at_least, tally: Tally::default() }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        if let What::Note { note: Note::Ended { intent, ending, .. }, .. } = record.what {
            self.tally.count(ending.is_good(), self.at_least, record.at, intent);
        }
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let Tally { good, all, .. } = self.tally;
        let sentence = match all {
            0 => "No intent has ended yet.".to_owned(),
            _ => format!("{} of intents ended well: {good} of {all}.", self.tally.share()),
        };
        self.tally.verdict(format!("availability at least {}", self.at_least), sentence)
    }
}
