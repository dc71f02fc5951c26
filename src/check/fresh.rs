//! A read sees every change that was acknowledged before it began. What linearizability asks of
//! reads at the least, and what a person means by "stale". By versions, as the store orders them:
//! where counts add up or siblings stand side by side, a read that is said to be stale is, and one
//! may be that is not said to be.
//!
//! Staleness can be bounded instead: a read may miss changes acknowledged only lately, and the
//! newest few of the others (⟨k, t⟩-staleness of Bailis et al. 2012, section 3.5, with k one less:
//! here 0 misses nothing).

use super::Verdict;
use super::availability::Tally;
use super::visibility::Visibility;
use super::witness::Case;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::protocol::rpc::{Ending, Op, Outcome};
use crate::sim::trace::{Record, What};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// So many acknowledged versions of an item are remembered, to tell how old a stale one is
/// and whether it misses more than it may.
const VERSIONS: usize = 32;
/// And at most so many of those that a read may miss because they are new.
const NEW_VERSIONS: usize = 4_096;
/// So many items are watched; reads of others count as fresh.
const ITEMS: usize = 100_000;

/// How stale a read may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// It may miss what was acknowledged no longer before it began.
    pub within: Span,
    /// Of the changes acknowledged earlier, it may miss so many, at most 31.
    pub versions: u32,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = match self.versions {
            1 => "1 version".to_owned(),
            n => format!("{n} versions"),
        };
        match (self.within, self.versions) {
            (Span::ZERO, 0) => write!(f, "fresh"),
            (within, 0) => write!(f, "at most {within} stale"),
            (Span::ZERO, _) => write!(f, "at most {versions} stale"),
            (within, _) => write!(f, "at most {within} and {versions} stale"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Open {
    node: NodeId,
    item: u32,
    changes: bool,
    // Where its first attempt was sent.
    group: Option<u16>,
    // The version that it must see.
    needs: u64,
    // The newest version acknowledged before that, and how long before.
    newest: Option<(u64, Span)>,
    told: Option<u64>,
}

/// An acknowledged version, when it was acknowledged, and the intent that made it.
type Told = (u64, Time, u64);

/// How fresh reads have been so far.
#[derive(Clone, Debug)]
pub struct Fresh {
    at_least: Chance,
    bound: Bound,
    groups: Vec<u16>,
    open: BTreeMap<u64, Open>,
    // By store and item: acknowledged versions, growing.
    items: BTreeMap<(u16, u32), VecDeque<Told>>,
    tally: Tally,
    oldest: Span,
    visibility: Visibility,
    /// A read that was staler than it may be, and the changes that it missed.
    case: Option<Case>,
}

impl Fresh {
    /// Nothing yet; at least this share of reads should be no staler. `groups` by node.
    pub fn new(at_least: Chance, bound: Bound, groups: &[u16]) -> Fresh {
        Fresh {
            at_least,
            bound,
            groups: groups.to_vec(),
            open: BTreeMap::new(),
            items: BTreeMap::new(),
            tally: Tally::default(),
            oldest: Span::ZERO,
            visibility: Visibility::default(),
            case: None,
        }
    }

    /// How soon reads see what was acknowledged.
    pub fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { node, note } = &record.what else { return };
        match *note {
            // A scan is of no item, and its answer has no version.
            Note::Began { intent, op, item, .. } if op != Op::Scan => {
                let (node, changes) = (*node, op.changes());
                let (group, newest, told) = (None, None, None);
                let open = Open { node, item, changes, group, needs: 0, newest, told };
                self.open.insert(intent, open);
            }
            Note::Sent { intent, target, .. } => {
                let group = self.groups.get(target.index()).copied().unwrap_or(u16::MAX);
                if let Some(open) = self.open.get_mut(&intent)
                    && (open.node, open.group) == (*node, None)
                {
                    open.group = Some(group);
                    if let Some(versions) = self.items.get(&(group, open.item)) {
                        open.needs = needs(versions, self.bound, record.at);
                        open.newest = versions.back().map(|&(v, at, _)| (v, record.at.since(at)));
                    }
                }
            }
            Note::Answered { intent, outcome: Outcome::Answered(answer), .. } => {
                // A cache may ask for more on behalf of an intent than its client hears of.
                if let Some(open) = self.open.get_mut(&intent).filter(|open| open.node == *node) {
                    open.told = answer.data().map(|(version, _)| version);
                }
            }
            Note::Ended { intent, ending, .. } => {
                let Some(open) = self.open.remove(&intent) else { return };
                // What is out of date by its own account is a read all the same.
                let read = !open.changes && ending == Ending::Degraded;
                let told = open.told.filter(|_| ending == Ending::Ok || read);
                let Some(version) = told else { return };
                let item = (open.group.unwrap_or(u16::MAX), open.item);
                if open.changes {
                    self.acknowledged(item, (version, record.at, intent));
                } else {
                    self.read(intent, item, &open, version, record.at);
                }
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, item: (u16, u32), told: Told) {
        let (version, at, _) = told;
        if self.items.len() >= ITEMS && !self.items.contains_key(&item) {
            return;
        }
        let versions = self.items.entry(item).or_default();
        if versions.back().is_some_and(|(newest, ..)| *newest >= version) {
            return;
        }
        versions.push_back(told);
        let within = self.bound.within;
        let old = |versions: &VecDeque<Told>| {
            versions.get(VERSIONS).is_some_and(|(_, since, _)| *since + within <= at)
        };
        while versions.len() > NEW_VERSIONS || (versions.len() > VERSIONS && old(versions)) {
            versions.pop_front();
        }
    }

    fn read(&mut self, intent: u64, item: (u16, u32), open: &Open, version: u64, at: Time) {
        let was_enough = self.tally.is_enough();
        self.tally.count(version >= open.needs, self.at_least, at, intent);
        if was_enough && !self.tally.is_enough() {
            // So many of those that it should have seen are one too many to miss.
            let missed = self.items.get(&item).into_iter().flatten();
            let missed = missed.filter(|(newer, ..)| *newer > version).map(|(.., by)| *by);
            let few = missed.take(1 + self.bound.versions as usize);
            let intents = few.chain([intent]).collect();
            self.case = Some(Case { intents, at, ..Case::default() });
        }
        let Some((newest, before)) = open.newest else { return };
        let versions = self.items.get(&item).into_iter().flatten();
        let mut missed = versions.filter(|(newer, ..)| (version + 1..=newest).contains(newer));
        // It is as old as the first change that it does not show.
        let Some((_, since, _)) = missed.next() else {
            self.visibility.count(before, u32::from(version < newest));
            return;
        };
        self.oldest = self.oldest.max(at.since(*since));
        self.visibility.count(before, 1 + missed.count() as u32);
    }

    /// The read that was staler than it may be, and what it missed.
    pub fn case(&self) -> Option<Case> {
        self.case.clone().filter(|_| !self.tally.is_enough())
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let (all, stale) = (self.tally.all, self.tally.all - self.tally.good);
        let oldest = format!("the oldest for {}", Span(self.oldest.0.next_multiple_of(1_000)));
        let sentence = match (all, stale) {
            (0, _) => "Nothing was read yet.".to_owned(),
            (n, stale) if self.bound != Bound::default() => {
                format!("{stale} of {n} reads were staler, {oldest}.")
            }
            (n, 0) => format!("All {n} reads saw what was acknowledged before they began."),
            (n, stale) => format!(
                "{stale} of {n} reads missed a change acknowledged before they began, {oldest}."
            ),
        };
        self.tally.verdict(format!("reads are {}", self.bound), sentence)
    }
}

/// The newest version that must be seen by a read that begins now.
fn needs(versions: &VecDeque<Told>, bound: Bound, now: Time) -> u64 {
    let old = versions.partition_point(|(_, since, _)| *since + bound.within <= now);
    let needed = old.checked_sub(1 + bound.versions as usize);
    needed.and_then(|n| versions.get(n)).map_or(0, |(version, ..)| *version)
}
