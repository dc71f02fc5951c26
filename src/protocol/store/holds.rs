//! What a store holds back: items locked by transactions that are prepared and not decided, and
//! items that it has handed over to another store. And the question what was decided, asked by a
//! store whose locks are old.
//!
//! A store that has prepared cannot decide alone: it waits, and everybody who wants the item with
//! it (Gray and Lamport, Consensus on Transaction Commit, section 3).

use super::machine::Command;
use super::{StoreMessage, StoreTimer};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::note::{self, Note};
use crate::protocol::router::mutation::Mutation;
use crate::protocol::rpc::{Answer, Op, Refusal};
use crate::protocol::{Cx, Message, Timer};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A store asks what was decided when a lock is so old, and again after as long.
const ASK_AFTER: Span = Span::secs(1);
/// So many ended transactions and moves are remembered: copies of old messages do nothing.
const ENDED: usize = 65_536;

/// An item is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The transaction that holds it.
    pub transaction: u64,
    /// The intent it serves.
    pub intent: u64,
    /// What the account gains if it commits.
    pub delta: i32,
    /// Who decides.
    pub coordinator: NodeId,
    /// Since when, by the clock of whoever led the store.
    pub since: Time,
}

/// What an item is held back by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// A transaction.
    pub lock: Option<Lock>,
    /// It is with another store.
    pub left: bool,
}

/// What a step of a transaction or a move does to the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the answer is a refusal.
    Refused(Answer),
    /// Nothing to its value.
    None,
    /// Adds to its value.
    Add(i64),
    /// Sets its value.
    Set(i64),
}

/// What a store holds back, and which transactions and moves have ended here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    held: BTreeMap<u32, Held>,
    ended: BTreeSet<(u64, u32)>,
    order: VecDeque<(u64, u32)>,
    #[serde(skip)]
    pub(in crate::protocol) mutation: Option<Mutation>,
}

impl Holds {
    /// What holds an item back.
    pub fn of(&self, item: u32) -> Held {
        self.held.get(&item).copied().unwrap_or_default()
    }

    /// All locks, in order of their items.
    pub fn locks(&self) -> impl Iterator<Item = (u32, Lock)> {
        self.held.iter().filter_map(|(item, held)| Some((*item, held.lock?)))
    }

    /// Why an ordinary request cannot be served now.
    pub fn refuses(&self, op: Op, item: u32) -> Option<Answer> {
        if self.held.is_empty() || op.holds() || op == Op::Scan {
            return None;
        }
        let other = match op {
            Op::Transfer { to, .. } => to,
            _ => item,
        };
        let held = [self.of(item), self.of(other)];
        let locked = held.iter().any(|h| h.lock.is_some()) && !self.is(Mutation::NoLock);
        let left = held.iter().any(|h| h.left);
        let why = if left { Refusal::Moved } else { Refusal::Locked };
        (left || locked).then_some(Answer::Refused(why))
    }

    /// Takes a step of a transaction or a move. The key of the command names it: every step is
    /// harmless when it comes again, however late.
    pub fn step(&mut self, at: Time, command: &Command) -> Effect {
        let Command { intent, op, item, key } = *command;
        let (held, ended) = (self.of(item), self.ended.contains(&(key, item)));
        let mine = held.lock.filter(|lock| lock.transaction == key);
        let refused = |why| Effect::Refused(Answer::Refused(why));
        match op {
            Op::Prepare { .. } | Op::Take if ended && !held.left => {
                Effect::Refused(Answer::Conflict)
            }
            Op::Prepare { .. } if held.left => refused(Refusal::Moved),
            Op::Prepare { .. } if mine.is_some() => Effect::None,
            Op::Prepare { .. } | Op::Take if held.lock.is_some() && !self.is(Mutation::NoLock) => {
                refused(Refusal::Locked)
            }
            Op::Prepare { delta, coordinator } => {
                let lock = Lock { transaction: key, intent, delta, coordinator, since: at };
                self.set(item, Held { lock: Some(lock), ..held });
                Effect::None
            }
            Op::Commit { .. } | Op::Abort => {
                self.end(key, item);
                let Some(lock) = mine else { return Effect::None };
                self.set(item, Held { lock: None, ..held });
                if op == Op::Abort { Effect::None } else { Effect::Add(lock.delta.into()) }
            }
            Op::Take => {
                self.end(key, item);
                self.set(item, Held { left: true, ..held });
                Effect::None
            }
            Op::Put { .. } if ended && !self.is(Mutation::PutAgain) => Effect::None,
            Op::Put { value } => {
                self.end(key, item);
                self.set(item, Held { left: false, ..held });
                Effect::Set(value)
            }
            _ => Effect::None,
        }
    }

    /// Whether a step would be the first of its kind to end its transaction or move here.
    pub fn would_end(&self, command: &Command) -> bool {
        let ends = command.op.holds() && !matches!(command.op, Op::Prepare { .. });
        ends && !self.ended.contains(&(command.key, command.item))
    }

    /// Puts an item back to what it was before a step that a crash has undone.
    pub fn undo(&mut self, item: u32, before: Held, ended: Option<u64>) {
        self.set(item, before);
        if let Some(key) = ended {
            self.ended.remove(&(key, item));
        }
    }

    /// Forgets all locks: a mistake that a test makes.
    pub(super) fn forget(&mut self) {
        if self.is(Mutation::ForgetPrepared) {
            self.held.retain(|_, held| held.left);
        }
    }

    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn set(&mut self, item: u32, held: Held) {
        if held == Held::default() {
            self.held.remove(&item);
        } else {
            self.held.insert(item, held);
        }
    }

    fn end(&mut self, key: u64, item: u32) {
        if self.ended.insert((key, item)) {
            self.order.push_back((key, item));
            if self.order.len() > ENDED
                && let Some(oldest) = self.order.pop_front()
            {
                self.ended.remove(&oldest);
            }
        }
    }
}

/// What is said of a step that was taken, if anything beyond a change of data.
pub fn told(command: &Command) -> Option<Note> {
    let hold = match command.op {
        Op::Prepare { .. } => note::Hold::Locks,
        Op::Abort => note::Hold::Releases,
        Op::Take => note::Hold::Left,
        Op::Put { .. } => note::Hold::Came,
        _ => return None,
    };
    Some(Note::Held { intent: command.intent, item: command.item, hold })
}

/// Asks coordinators about old locks, now and then while there are any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Inquiry {
    under_way: bool,
}

impl Inquiry {
    /// Has itself reminded if there are locks.
    pub fn watch(&mut self, holds: &Holds, cx: &mut Cx<'_>) {
        if !self.under_way && holds.locks().next().is_some() {
            self.under_way = true;
            cx.set_timer(ASK_AFTER, Timer::Store(StoreTimer::InDoubt));
        }
    }

    /// The reminder: who leads asks about every lock that is old.
    pub fn ask(&mut self, holds: &Holds, leads: bool, cx: &mut Cx<'_>) {
        self.under_way = false;
        for (item, lock) in holds.locks().filter(|_| leads) {
            if cx.clock().since(lock.since) < ASK_AFTER {
                continue;
            }
            let Lock { transaction, intent, coordinator, .. } = lock;
            cx.note(Note::Held { intent, item, hold: note::Hold::Asks });
            let message = StoreMessage::InDoubt { transaction, item };
            cx.send(coordinator, Message::Store(Box::new(message)));
        }
        self.watch(holds, cx);
    }

    /// Reminders do not survive a crash.
    pub fn crash(&mut self) {
        self.under_way = false;
    }
}
