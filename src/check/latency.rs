//! A share of the intents that ended well took no longer than a limit.

use super::Verdict;
use super::availability::Tally;
use crate::base::time::Span;
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::sim::trace::{Record, What};

/// How long intents took so far. Counting is exact; no histogram is asked.
#[derive(Clone, Debug)]
pub struct Latency {
    share: Chance,
    below: Span,
    tally: Tally,
}

impl Latency {
    /// Nothing yet.
    pub fn new(share: Chance, below: Span) -> Latency {
        Latency { share, below, tally: Tally::default() }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        if let What::Note { note: Note::Ended { intent, ending, took, .. }, .. } = record.what
            && ending.is_good()
        {
            self.tally.count(took <= self.below, self.share, record.at, intent);
        }
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let (below, Tally { good, all, .. }) = (self.below, &self.tally);
        let sentence = match all {
            0 => "No intent has ended well yet.".to_owned(),
            _ => {
                let share = self.tally.share();
                format!("{share} of good answers took no longer than {below}: {good} of {all}.")
            }
        };
        let percentile = f64::from(self.share.0) / 1e4;
        self.tally.verdict(format!("p{percentile} at most {below}"), sentence)
    }
}
