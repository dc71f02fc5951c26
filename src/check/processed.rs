//! Every message that a broker has acknowledged to its publisher is worked on by each group of
//! consumers in time. A dead letter is not, unless it is put back and worked on in time after all.

use super::witness::Case;
use super::{PROOFS, State, Verdict};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::{Note, Post};
use crate::sim::trace::{Record, What};
use std::collections::{BTreeMap, VecDeque};

/// A message for a group of consumers: the broker, the group, the number of the message.
type Place = (NodeId, u8, u64);

/// What has become of messages.
#[derive(Clone, Debug, Default)]
pub struct Processed {
    within: Span,
    /// Messages that still have time, and their intents.
    open: BTreeMap<Place, u64>,
    due: VecDeque<(Time, Place)>,
    /// Of those, dead letters, and since when they are.
    dead: BTreeMap<Place, Time>,
    done: u64,
    late: u64,
    buried: u64,
    first: Option<Time>,
    intents: Vec<u64>,
}

impl Processed {
    /// Nothing yet.
    pub fn new(within: Span) -> Processed {
        Processed { within, ..Processed::default() }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { node, note: Note::Letter { intent, number, group, step } } = record.what
        else {
            return;
        };
        self.pass(record.at);
        let place = (node, group, number);
        match step {
            Post::Kept => {
                self.open.insert(place, intent);
                self.due.push_back((record.at + self.within, place));
            }
            Post::Acknowledged { .. } => {
                self.dead.remove(&place);
                self.done += u64::from(self.open.remove(&place).is_some());
            }
            Post::Dead { .. } => {
                if self.open.contains_key(&place) {
                    self.dead.insert(place, record.at);
                }
            }
            Post::Redriven => drop(self.dead.remove(&place)),
            Post::HandedOut { .. }
            | Post::Returned
            | Post::Expired
            | Post::Dropped
            | Post::Lost => {}
        }
    }

    /// The time of some messages is over.
    pub fn pass(&mut self, now: Time) {
        while let Some(&(at, place)) = self.due.front().filter(|(at, _)| *at < now) {
            self.due.pop_front();
            let Some(intent) = self.open.remove(&place) else { continue };
            let since = self.dead.remove(&place);
            *(if since.is_some() { &mut self.buried } else { &mut self.late }) += 1;
            let at = since.unwrap_or(at);
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            if self.intents.len() < PROOFS {
                self.intents.push(intent);
            }
        }
    }

    /// The first message that was not worked on in time, or that is a dead letter.
    pub fn case(&self) -> Option<Case> {
        let over = self.intents.first().copied().zip(self.first);
        let dead = || {
            let (place, at) = self.dead.iter().min_by_key(|(_, at)| **at)?;
            Some((*self.open.get(place)?, *at))
        };
        let (intent, at) = over.or_else(dead)?;
        Some(Case { intents: vec![intent], at, ..Case::default() })
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let (within, late) = (self.within, self.late);
        let buried = self.buried + self.dead.len() as u64;
        let (wrong, all) = (late + buried, self.done + late + buried);
        let first = self.dead.values().copied().chain(self.first).min();
        let (state, sentence) = match (all, wrong) {
            (0, _) => (State::Unknown, "No message has been worked on yet.".to_owned()),
            (n, 0) => (State::Holds, format!("{n} messages were worked on within {within}.")),
            (n, wrong) => {
                let parts = [(late, "late or forgotten"), (buried, "dead letters")];
                let parts = parts.iter().filter(|(count, _)| *count > 0);
                let parts: Vec<String> = parts.map(|(n, what)| format!("{n} {what}")).collect();
                let parts = parts.join(", ");
                let text =
                    format!("{wrong} of {n} messages were not worked on within {within}: {parts}.");
                (State::Violated, text)
            }
        };
        let dead = self.dead.keys().filter_map(|place| self.open.get(place));
        let intents: Vec<u64> = self.intents.iter().chain(dead).take(PROOFS).copied().collect();
        let (name, count) = ("every message is worked on".to_owned(), Some((wrong, all)));
        let at = first.filter(|_| wrong > 0);
        Verdict { name, state, sentence, at, intents, count }
    }
}
