//! No change of data is made twice for the same intent.

use super::effects::{Effect, Effects, Shards};
use super::witness::Case;
use super::{PROOFS, State, Verdict};
use crate::base::time::Time;
use crate::protocol::Role;
use crate::sim::trace::{Record, What};

/// What has been changed so far.
#[derive(Clone, Debug, Default)]
pub struct NoDoubleEffect {
    groups: Vec<u16>,
    effects: Effects,
    applied: u64,
    repeated: u64,
    undone: u64,
    first: Option<Time>,
    intents: Vec<u64>,
    /// When each of those was done again.
    again: Vec<Time>,
}

impl NoDoubleEffect {
    /// Nothing yet; `groups` by node.
    pub fn new(groups: &[u16], shards: Shards) -> NoDoubleEffect {
        let (groups, effects) = (groups.to_vec(), Effects::new(shards));
        NoDoubleEffect { groups, effects, ..NoDoubleEffect::default() }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        let What::Note { node, note } = &record.what else { return };
        let group = self.groups.get(node.index()).copied().unwrap_or(u16::MAX);
        match self.effects.fold(note, group) {
            Effect::None => {}
            Effect::Made(times) => {
                self.applied += 1;
                if let (Some(intent), 2..) = (note.intent(), times) {
                    self.repeated += 1;
                    self.first.get_or_insert(record.at);
                    if self.intents.len() < PROOFS && !self.intents.contains(&intent) {
                        self.intents.push(intent);
                        self.again.push(record.at);
                    }
                }
            }
            Effect::Undone(left) => {
                self.undone += u64::from(left.is_some_and(|times| times > 0));
                let once = left == Some(1);
                let place = self.intents.iter().position(|&known| Some(known) == note.intent());
                if let Some(place) = place.filter(|_| once) {
                    self.intents.remove(place);
                    self.again.remove(place);
                }
            }
        }
    }

    /// The first change that was made twice.
    pub fn case(&self) -> Option<Case> {
        let (&intent, &at) = self.intents.first().zip(self.again.first())?;
        let is_violated = self.repeated > self.undone;
        is_violated.then(|| Case { intents: vec![intent], at, ..Case::default() })
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let double = self.repeated.saturating_sub(self.undone);
        let applied = self.applied;
        let (state, sentence, at) = match (applied, double, self.first) {
            (0, ..) => (State::Unknown, "Nothing was changed yet.".to_owned(), None),
            (_, 0, _) | (_, _, None) => {
                (State::Holds, format!("{applied} changes, none made twice."), None)
            }
            (_, n, Some(at)) => {
                let text = format!("{n} of {applied} changes were made again, the first at {at}.");
                (State::Violated, text, Some(at))
            }
        };
        let intents = if state == State::Violated { self.intents.clone() } else { Vec::new() };
        let (name, count) = ("nothing is done twice".to_owned(), Some((double, applied)));
        Verdict { name, state, sentence, at, intents, count }
    }
}
