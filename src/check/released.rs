//! No item stays locked for long: a transaction that is prepared is decided soon.

use super::witness::Case;
use super::{PROOFS, State, Verdict};
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::{Hold, Note};
use crate::protocol::store::Lead;
use crate::sim::trace::{Record, What};
use crate::sim::world::World;
use std::collections::BTreeSet;

/// Locks that were seen.
#[derive(Clone, Debug, Default)]
pub struct Released {
    within: Span,
    locks: u64,
    // Transactions and items that were locked for too long.
    stuck: BTreeSet<(u64, u32)>,
    longest: Span,
    now: u64,
    first: Option<Time>,
    intents: Vec<u64>,
}

impl Released {
    /// Nothing yet.
    pub fn new(within: Span) -> Released {
        Released { within, ..Released::default() }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        if let What::Note { note: Note::Held { hold: Hold::Locks, .. }, .. } = &record.what {
            self.locks += 1;
        }
    }

    /// Looks at the locks of every store, or of the replica that leads it.
    pub fn close(&mut self, world: &World<Role>) {
        self.now = 0;
        for role in &world.processes {
            let leads = role.standing().is_none_or(|standing| standing.lead == Lead::Leader);
            let Some(holds) = role.holds().filter(|_| leads) else { continue };
            for (item, lock) in holds.locks() {
                let age = world.shared.now.since(lock.since);
                self.longest = self.longest.max(age);
                if age <= self.within {
                    continue;
                }
                self.now += 1;
                if self.stuck.insert((lock.transaction, item)) && self.intents.len() < PROOFS {
                    self.intents.push(lock.intent);
                }
                self.first.get_or_insert(lock.since + self.within);
            }
        }
    }

    /// The first transaction that kept an item locked for too long.
    pub fn case(&self) -> Option<Case> {
        let (at, intents) = (self.first?, vec![*self.intents.first()?]);
        Some(Case { intents, at, ..Case::default() })
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let Released { within, locks, longest, now, first, .. } = self;
        let stuck = self.stuck.len() as u64;
        let (state, sentence) = match (locks, first) {
            (0, None) => (State::Unknown, "Nothing was locked yet.".to_owned()),
            (n, None) => (State::Holds, format!("{n} locks, none for longer than {within}.")),
            (n, Some(_)) => {
                let text = format!(
                    "{stuck} of {n} locks were held for longer than {within}, up to {longest}; {now} are now."
                );
                (State::Violated, text)
            }
        };
        let (name, count) = ("no item stays locked".to_owned(), Some((stuck, *locks)));
        Verdict { name, state, sentence, at: *first, intents: self.intents.clone(), count }
    }
}
