//! What items do, one operation after the other: the specification that a history is held against.
//!
//! To add one: a type with a [`Model`] here, and a variant of [`Named`] with its arms.

use super::operation::{Action, Operation, Output};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;

/// A sequential specification. Given a state, an operation has one effect.
pub trait Model {
    /// All there is to know between two operations.
    type State: Clone + Debug + Ord;

    /// The state in which a history begins.
    fn init(&self) -> Self::State;

    /// The state after an operation, or none if it could not have given back what it did. An
    /// operation of which nothing is known to have come back can always happen.
    fn step(&self, state: &Self::State, op: &Operation) -> Option<Self::State>;

    /// True if it has a meaning for this action.
    fn knows(&self, action: Action) -> bool;

    /// True if what `op` gave back can only be judged together with `other`: without it, the rest
    /// would seem wrong where it is not.
    fn needs(&self, op: &Operation, other: &Operation) -> bool;
}

/// A value that is read and written, unconditionally or if it is the expected one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// The value before any write.
    pub init: Option<i64>,
}

impl Model for Register {
    type State = Option<i64>;

    fn init(&self) -> Option<i64> {
        self.init
    }

    fn step(&self, state: &Option<i64>, op: &Operation) -> Option<Option<i64>> {
        match (op.action, op.output()) {
            (Action::Read, Some(Output::Value(value))) => (value == *state).then_some(*state),
            (Action::Write(value), _) => Some(Some(value)),
            (Action::CompareAndSet { from, to }, output) => {
                let matches = *state == Some(from);
                let after = if matches { Some(to) } else { *state };
                match output {
                    Some(Output::Matched(said)) => (said == matches).then_some(after),
                    Some(_) => matches.then_some(after),
                    None => Some(after),
                }
            }
            _ => Some(*state),
        }
    }

    fn knows(&self, action: Action) -> bool {
        matches!(action, Action::Read | Action::Write(_) | Action::CompareAndSet { .. })
    }

    fn needs(&self, op: &Operation, other: &Operation) -> bool {
        let Some(written) = other.value_written() else { return false };
        match (op.action, op.output()) {
            (Action::Read, Some(Output::Value(value))) => value == Some(written),
            (Action::CompareAndSet { from, .. }, Some(Output::Matched(false))) => from != written,
            (Action::CompareAndSet { from, .. }, _) => from == written,
            _ => false,
        }
    }
}

/// A number that is added to. With a charge for a negative addition it is an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What is there at first.
    pub opening: i64,
    /// A charge is refused if it would leave less than this; none if it never is.
    pub floor: Option<i64>,
}

impl Model for Account {
    type State = i64;

    fn init(&self) -> i64 {
        self.opening
    }

    fn step(&self, state: &i64, op: &Operation) -> Option<i64> {
        let wanted = match op.action {
            Action::Read => *state,
            Action::Add(amount) => state.saturating_add(amount),
            Action::Charge(amount) => state.saturating_sub(amount),
            _ => return Some(*state),
        };
        let is_charge = matches!(op.action, Action::Charge(_));
        let refused = is_charge && self.floor.is_some_and(|floor| wanted < floor);
        let after = if refused { *state } else { wanted };
        let fits = match op.output() {
            Some(Output::Value(value)) => !refused && value == Some(after),
            Some(Output::Matched(said)) => said != refused,
            Some(Output::Nothing) => !refused,
            None => true,
        };
        fits.then_some(after)
    }

    fn knows(&self, action: Action) -> bool {
        matches!(action, Action::Read | Action::Add(_) | Action::Charge(_))
    }

    fn needs(&self, op: &Operation, other: &Operation) -> bool {
        let changes = matches!(other.action, Action::Add(_) | Action::Charge(_));
        let says = match op.output() {
            Some(Output::Value(_) | Output::Matched(_)) => true,
            Some(Output::Nothing) => self.floor.is_some(),
            None => false,
        };
        says && changes && other.output() != Some(Output::Matched(false))
    }
}

/// First in, first out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue;

impl Model for Queue {
    type State = VecDeque<i64>;

    fn init(&self) -> VecDeque<i64> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<i64>, op: &Operation) -> Option<VecDeque<i64>> {
        let fits = match (op.action, op.output()) {
            (Action::Dequeue, Some(Output::Value(value))) => state.front().copied() == value,
            _ => true,
        };
        fits.then(|| {
            let mut after = state.clone();
            match op.action {
                Action::Enqueue(value) => after.push_back(value),
                Action::Dequeue => drop(after.pop_front()),
                _ => {}
            }
            after
        })
    }

    fn knows(&self, action: Action) -> bool {
        matches!(action, Action::Enqueue(_) | Action::Dequeue)
    }

    fn needs(&self, op: &Operation, other: &Operation) -> bool {
        let taken = |op: &Operation| match (op.action, op.output()) {
            (Action::Dequeue, Some(Output::Value(value))) => value,
            _ => None,
        };
        match (op.action, other.action) {
            // An element that is taken was put; one that was put must not stay in the way.
            (Action::Dequeue, Action::Enqueue(value)) => taken(op) == Some(value),
            (Action::Enqueue(value), Action::Dequeue) => {
                other.output().is_none() || taken(other) == Some(value)
            }
            _ => false,
        }
    }
}

/// Many items, each with a value that is read, written, counted with or a set; a transfer ties two
/// of them together. Every item is zero at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyValue;

impl Model for KeyValue {
    type State = BTreeMap<i64, i64>;

    fn init(&self) -> BTreeMap<i64, i64> {
        BTreeMap::new()
    }

    fn step(&self, state: &BTreeMap<i64, i64>, op: &Operation) -> Option<BTreeMap<i64, i64>> {
        let value = state.get(&op.item).copied().unwrap_or(0);
        let number = Account { opening: 0, floor: None };
        let next = match op.action {
            Action::Add(_) | Action::Charge(_) => number.step(&value, op)?,
            Action::Transfer { amount, .. } => {
                let charge = Operation { action: Action::Charge(amount), ..*op };
                number.step(&value, &charge)?
            }
            action => match action.on_set(value) {
                Some(after) if op.output().is_none_or(|said| said.allows(after)) => after,
                Some(_) => return None,
                None => Register { init: None }.step(&Some(value), op)?.unwrap_or(0),
            },
        };
        let mut after = state.clone();
        after.insert(op.item, next);
        if let Action::Transfer { to, amount } = op.action {
            let other = after.entry(to).or_insert(0);
            *other = other.saturating_add(amount);
        }
        after.retain(|_, value| *value != 0);
        Some(after)
    }

    fn knows(&self, action: Action) -> bool {
        !matches!(action, Action::Enqueue(_) | Action::Dequeue)
    }

    fn needs(&self, op: &Operation, other: &Operation) -> bool {
        let says = matches!(op.output(), Some(Output::Value(_) | Output::Matched(_)));
        let unchanged = Some(Output::Matched(false));
        says && other.action != Action::Read && other.output() != unchanged
    }
}

/// One item of a store that is watched from some instant on: it holds a number, at first any
/// (none), which is read, overwritten and counted with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell;

impl Model for Cell {
    type State = Option<i64>;

    fn init(&self) -> Option<i64> {
        None
    }

    fn step(&self, state: &Option<i64>, op: &Operation) -> Option<Option<i64>> {
        let said = match op.output() {
            Some(Output::Value(value)) => Some(value.unwrap_or(0)),
            _ => None,
        };
        let fits = |value: i64| said.is_none_or(|said| said == value);
        let Some(value) = *state else {
            return Some(match op.action {
                Action::Write(value) | Action::CompareAndSet { to: value, .. } => Some(value),
                _ => said,
            });
        };
        let next = match op.action {
            Action::Add(amount) => value.saturating_add(amount),
            Action::Charge(amount) => value.saturating_sub(amount),
            Action::CompareAndSet { .. } | Action::Write(_) => {
                return Register { init: None }.step(state, op);
            }
            action => action.on_set(value).unwrap_or(value),
        };
        fits(next).then_some(Some(next))
    }

    fn knows(&self, action: Action) -> bool {
        let other = matches!(action, Action::Enqueue(_) | Action::Dequeue);
        !other && !matches!(action, Action::Transfer { .. })
    }

    fn needs(&self, op: &Operation, other: &Operation) -> bool {
        let counts = |op: &Operation| {
            matches!(op.action, Action::Add(_) | Action::Charge(_)) || op.action.on_set(0).is_some()
        };
        let changes = counts(other) || other.value_written().is_some();
        let says = matches!(op.output(), Some(Output::Value(_)));
        (says && counts(other))
            || (says && counts(op) && changes)
            || Register::default().needs(op, other)
    }
}

/// A model by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// [`Register`], without compare-and-set.
    Register,
    /// [`Register`], with compare-and-set.
    CompareAndSet,
    /// [`Account`] from zero, without charges.
    Counter,
    /// [`Queue`].
    Queue,
    /// [`Account`] that is never overdrawn if a floor is given.
    Account(Account),
    /// [`KeyValue`] with sets only, all empty at first.
    Set,
    /// [`KeyValue`].
    KeyValue,
}

impl Named {
    /// The names by which [`Named::find`] knows them.
    pub const NAMES: [&str; 7] = ["register", "cas", "counter", "queue", "account", "set", "kv"];

    /// The model with this name.
    pub fn find(name: &str) -> Option<Named> {
        Some(match name {
            "register" => Named::Register,
            "cas" => Named::CompareAndSet,
            "counter" => Named::Counter,
            "queue" => Named::Queue,
            "account" => Named::Account(Account::default()),
            "set" => Named::Set,
            "kv" => Named::KeyValue,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Named::Register => "register",
            Named::CompareAndSet => "cas",
            Named::Counter => "counter",
            Named::Queue => "queue",
            Named::Account(_) => "account",
            Named::Set => "set",
            Named::KeyValue => "kv",
        }
    }

    /// The simplest model that knows all of these actions.
    pub fn guess(actions: impl Iterator<Item = Action> + Clone) -> Option<Named> {
        let all = Self::NAMES.iter().filter_map(|name| Named::find(name));
        all.into_iter().find(|model| actions.clone().all(|action| model.knows(action)))
    }

    /// True if it has a meaning for this action.
    pub fn knows(self, action: Action) -> bool {
        match self {
            Named::Register => matches!(action, Action::Read | Action::Write(_)),
            Named::CompareAndSet => Register::default().knows(action),
            Named::Counter => matches!(action, Action::Read | Action::Add(_)),
            Named::Queue => Queue.knows(action),
            Named::Account(account) => account.knows(action),
            Named::Set => action == Action::Read || action.on_set(0).is_some(),
            Named::KeyValue => KeyValue.knows(action),
        }
    }
}
