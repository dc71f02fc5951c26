//! A read sees every change that was acknowledged before it began. What linearizability asks of
//! reads at the least, and what a person means by "stale". By versions, as the store orders them:
//! where counts add up or siblings stand side by side, a read that is said to be stale is, and one
//! may be that is not said to be.

use super::Verdict;
use super::availability::Tally;
use crate::base::id::NodeId;
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
    node: NodeId,
    item: u32,
    changes: bool,
    // Where its first attempt was sent.
    group: Option<u16>,
    // The newest version acknowledged before that.
    newest: u64,
    told: Option<u64>,
}

/// How fresh reads have been so far.
#[derive(Clone, Debug)]
pub struct Fresh {
    at_least: Chance,
    groups: Vec<u16>,
    open: BTreeMap<u64, Open>,
    // By store and item: acknowledged versions and when, growing.
    items: BTreeMap<(u16, u32), VecDeque<(u64, Time)>>,
    tally: Tally,
    oldest: Span,
}

impl Fresh {
    /// Nothing yet; at least this share of reads should be fresh. `groups` by node.
    pub fn new(at_least: Chance, groups: &[u16]) -> Fresh {
        Fresh {
            at_least,
            groups: groups.to_vec(),
            open: BTreeMap::new(),
            items: BTreeMap::new(),
            tally: Tally::default(),
            oldest: Span::ZERO,
        }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { node, note } = &record.what else { return };
        match *note {
            Note::Began { intent, op, item, .. } => {
                let (node, changes) = (*node, op.changes());
                let open = Open { node, item, changes, group: None, newest: 0, told: None };
                self.open.insert(intent, open);
            }
            Note::Sent { intent, target, .. } => {
                let group = self.groups.get(target.index()).copied().unwrap_or(u16::MAX);
                if let Some(open) = self.open.get_mut(&intent)
                    && (open.node, open.group) == (*node, None)
                {
                    open.group = Some(group);
                    let versions = self.items.get(&(group, open.item));
                    open.newest = versions.and_then(VecDeque::back).map_or(0, |newest| newest.0);
                }
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
                let item = (open.group.unwrap_or(u16::MAX), open.item);
                if open.changes {
                    self.acknowledged(item, version, record.at);
                } else {
                    self.read(intent, item, open.newest, version, record.at);
                }
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, item: (u16, u32), version: u64, at: Time) {
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

    fn read(&mut self, intent: u64, item: (u16, u32), newest: u64, version: u64, at: Time) {
        let fresh = version >= newest;
        self.tally.count(fresh, self.at_least, at, intent);
        if fresh {
            return;
        }
        // It is as old as the first change that it does not show.
        let missed = |(newer, _): &&(u64, Time)| *newer > version;
        let since = self.items.get(&item).and_then(|v| v.iter().find(missed));
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
