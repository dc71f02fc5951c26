//! A read sees every change that was acknowledged before it began. What linearizability asks of
//! reads at the least, and what a person means by "stale".

use super::Verdict;
use super::availability::Tally;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::protocol::rpc::{Answer, Ending, Outcome};
use crate::sim::trace::{Record, What};
use std::collections::{BTreeMap, VecDeque};

/// So many acknowledged versions of an item are remembered, to tell how old a stale one is.
const VERSIONS: usize = 32;
/// So many items are watched; reads of others count as fresh.
const ITEMS: usize = 100_000;

#[derive(Clone, Copy, Debug)]
struct Open {
    item: u32,
    changes: bool,
    // The newest version acknowledged before it began.
    newest: u64,
    told: Option<u64>,
}

/// How fresh reads have been so far.
#[derive(Clone, Debug)]
pub struct Fresh {
    at_least: Chance,
    open: BTreeMap<u64, Open>,
    // By item: acknowledged versions and when, growing.
    items: BTreeMap<u32, VecDeque<(u64, Time)>>,
    tally: Tally,
    oldest: Span,
}

impl Fresh {
    /// Nothing yet; at least this share of reads should be fresh.
    pub fn new(at_least: Chance) -> Fresh {
        Fresh {
            at_least,
            open: BTreeMap::new(),
            items: BTreeMap::new(),
            tally: Tally::default(),
            oldest: Span::ZERO,
        }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { note, .. } = &record.what else { return };
        match *note {
            Note::Began { intent, op, item, .. } => {
                let versions = self.items.get(&item);
                let newest = versions.and_then(VecDeque::back).map_or(0, |(version, _)| *version);
                let open = Open { item, changes: op.changes(), newest, told: None };
                self.open.insert(intent, open);
            }
            Note::Answered {
                intent,
                outcome: Outcome::Answered(Answer::Done { version, .. }),
                ..
            } => {
                if let Some(open) = self.open.get_mut(&intent) {
                    open.told = Some(version);
                }
            }
            Note::Ended { intent, ending, .. } => {
                let Some(open) = self.open.remove(&intent) else { return };
                let Some(version) = open.told.filter(|_| ending == Ending::Ok) else { return };
                if open.changes {
                    self.acknowledged(open.item, version, record.at);
                } else {
                    self.read(intent, open, version, record.at);
                }
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, item: u32, version: u64, at: Time) {
        if self.items.len() >= ITEMS && !self.items.contains_key(&item) {
            return;
        }
        let versions = self.items.entry(item).or_default();
        if versions.back().is_some_and(|(newest, _)| *newest >= version) {
            return;
        }
        versions.push_back((version, at));
        if versions.len() > VERSIONS {
            versions.pop_front();
        }
    }

    fn read(&mut self, intent: u64, open: Open, version: u64, at: Time) {
        let fresh = version >= open.newest;
        self.tally.count(fresh, self.at_least, at, intent);
        if fresh {
            return;
        }
        // It is as old as the first change that it does not show.
        let missed = |(newer, _): &&(u64, Time)| *newer > version;
        let since = self.items.get(&open.item).and_then(|v| v.iter().find(missed));
        let age = since.map_or(Span::ZERO, |(_, since)| at.since(*since));
        self.oldest = self.oldest.max(age);
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let (all, stale) = (self.tally.all, self.tally.all - self.tally.good);
        let sentence = match (all, stale) {
            (0, _) => "Nothing was read yet.".to_owned(),
            (n, 0) => format!("All {n} reads saw what was acknowledged before they began."),
            (n, stale) => format!(
                "{stale} of {n} reads missed a change acknowledged before they began, \
                 the oldest for {}.",
                Span(self.oldest.0.next_multiple_of(1_000))
            ),
        };
        self.tally.verdict("reads are fresh".to_owned(), sentence)
    }
}
