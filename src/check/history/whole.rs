//! Sequential consistency of a run while it goes on. All items are judged together, so all that
//! happened is kept, up to a number of operations; and it is judged again whenever an eighth more
//! has happened. What is wrong then stays wrong: of what happened later nobody had seen anything.

use super::operation::Operation;
use super::recorder::{Event, in_words};
use super::sequential;
use crate::base::time::Time;
use crate::check::State;

/// So many operations are kept, and so many steps are made for one judgement.
const MOST: usize = 4_096;
const BUDGET: u64 = 100_000;
/// Operations between two judgements, at the least.
const APART: usize = 32;

/// What is known of all that happened.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    ended: Vec<Operation>,
    /// In flight; a transfer is there twice, once for each of its items.
    open: Vec<Operation>,
    next: usize,
    /// Of the operations that have ended, so many were judged.
    pub judged: usize,
    /// There were too many operations, or too many orders, to go on.
    pub gave_up: bool,
    /// What proves that there is no order: the operations, when, and why in words.
    pub first: Option<(Vec<Operation>, Time, String)>,
}

impl Whole {
    /// Takes in what happened.
    pub fn fold(&mut self, event: &Event) {
        if self.gave_up || self.first.is_some() {
            return;
        }
        match event {
            Event::Called(op) => self.open.push(*op),
            Event::Ended(op) => {
                self.open.retain(|open| (open.id, open.item) != (op.id, op.item));
                if op.may_have_happened() {
                    self.ended.push(*op);
                }
            }
        }
        if self.ended.len() > self.next {
            self.judge();
        }
    }

    fn judge(&mut self) {
        let all: Vec<Operation> = self.ended.iter().chain(&self.open).copied().collect();
        let judged = sequential::of_run(&all, BUDGET);
        match judged.state {
            State::Holds => self.judged = self.ended.len(),
            State::Unknown => self.gave_up = true,
            State::Violated => {
                let at = judged.at.unwrap_or(Time::ZERO);
                // In the order of their calls; a transfer is there twice.
                let own = judged.proof.iter().flat_map(|id| all.iter().filter(|op| op.id == *id));
                let own: Vec<Operation> = own.copied().collect();
                let words: Vec<Operation> = own.iter().map(in_words).collect();
                self.judged = self.ended.len();
                self.first = Some((own, at, sequential::said(&words)));
            }
        }
        self.next = self.ended.len() + (self.ended.len() / 8).max(APART);
        self.gave_up |= self.first.is_none() && self.next > MOST;
        if self.gave_up || self.first.is_some() {
            (self.ended, self.open) = (Vec::new(), Vec::new());
        }
    }
}
