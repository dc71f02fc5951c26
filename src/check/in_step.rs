//! Two stores come to have changes for the same intents: what is told by message is neither lost,
//! nor told though it never happened.

use super::witness::Case;
use super::{PROOFS, State, Verdict};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::sim::trace::{Record, What};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A store that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// Its replicas.
    pub nodes: Vec<NodeId>,
}

/// Of intents whose time is over, so many are remembered: those that are done again much later.
const MOST: usize = 16_384;

/// How often each of two stores has a change for an intent.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    of: u32,
    with: u32,
    /// Where the last change stands in the log of each, if it has one.
    places: [u64; 2],
    /// Its time is not over.
    open: bool,
    /// It counts as a violation.
    wrong: bool,
}

impl Pair {
    fn agrees(self) -> bool {
        (self.of > 0) == (self.with > 0)
    }
}

/// What two stores have.
#[derive(Clone, Debug)]
pub struct InStep {
    of: Side,
    with: Side,
    within: Span,
    pairs: BTreeMap<u64, Pair>,
    due: VecDeque<(Time, u64)>,
    /// Whose time is over, the oldest first.
    old: VecDeque<u64>,
    judged: u64,
    /// In the one and not in the other: lost on the way.
    lost: u64,
    /// In the other and not in the one: told though it did not happen.
    phantom: u64,
    first: Option<Time>,
    intents: Vec<u64>,
}

impl InStep {
    /// Nothing yet.
    pub fn new(of: Side, with: Side, within: Span) -> InStep {
        InStep {
            of,
            with,
            within,
            pairs: BTreeMap::new(),
            due: VecDeque::new(),
            old: VecDeque::new(),
            judged: 0,
            lost: 0,
            phantom: 0,
            first: None,
            intents: Vec::new(),
        }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { node, note } = record.what else { return };
        let of = self.of.nodes.contains(&node);
        if !of && !self.with.nodes.contains(&node) {
            return;
        }
        let (intent, done) = match note {
            Note::Applied { intent, position, .. } => (intent, Some(position)),
            Note::Undone { intent, .. } | Note::Truncated { intent, led: true, .. } => {
                (intent, None)
            }
            _ => return,
        };
        self.pass(record.at);
        let known = self.pairs.contains_key(&intent);
        let pair = self.pairs.entry(intent).or_default();
        let place = &mut pair.places[usize::from(of)];
        let side = if of { &mut pair.of } else { &mut pair.with };
        match done {
            // A new primary tells again of what the last one may not have told.
            Some(position) if position > 0 && position <= *place => {}
            Some(position) => (*place, *side) = (position, side.saturating_add(1)),
            None => *side = side.saturating_sub(1),
        }
        // New, or undone after its time was over.
        if !known || (!pair.open && !pair.wrong && !pair.agrees()) {
            pair.open = true;
            self.due.push_back((record.at + self.within, intent));
        }
    }

    /// The time of some intents is over.
    pub fn pass(&mut self, now: Time) {
        while let Some(&(at, intent)) = self.due.front().filter(|(at, _)| *at < now) {
            self.due.pop_front();
            let Some(pair) = self.pairs.get_mut(&intent) else { continue };
            pair.open = false;
            pair.wrong = !pair.agrees();
            self.judged += 1;
            if pair.wrong {
                *(if pair.of > 0 { &mut self.lost } else { &mut self.phantom }) += 1;
                self.first.get_or_insert(at);
                if self.intents.len() < PROOFS {
                    self.intents.push(intent);
                }
            }
            self.old.push_back(intent);
            if self.old.len() > MOST
                && let Some(oldest) = self.old.pop_front()
                && self.pairs.get(&oldest).is_some_and(|pair| !pair.open)
            {
                self.pairs.remove(&oldest);
            }
        }
    }

    /// The first change that only one of the two stores has.
    pub fn case(&self) -> Option<Case> {
        let (at, intents) = (self.first?, vec![*self.intents.first()?]);
        Some(Case { intents, at, ..Case::default() })
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let InStep { within, judged, lost, phantom, .. } = self;
        let (of, with) = (&self.of.name, &self.with.name);
        let wrong = lost + phantom;
        let (state, sentence) = match (judged, wrong) {
            (0, _) => (State::Unknown, format!("No change is older than {within} yet.")),
            (n, 0) => (State::Holds, format!("{n} changes are in {of} and in {with}.")),
            (n, _) => {
                let parts = [(lost, of, with), (phantom, with, of)];
                let parts = parts.iter().filter(|(count, ..)| **count > 0);
                let text = |(n, here, there): &(&u64, &String, &String)| {
                    format!("{n} are in {here} and not in {there}")
                };
                let parts: Vec<String> = parts.map(text).collect();
                let text = format!("Of {n} changes, {} after {within}.", parts.join(", "));
                (State::Violated, text)
            }
        };
        let name = format!("{of} and {with} are in step");
        let count = Some((wrong, *judged));
        Verdict { name, state, sentence, at: self.first, intents: self.intents.clone(), count }
    }
}
