//! What a history is made of: operations, each with the instants between which it took effect.

use crate::base::time::Time;
use crate::protocol::rpc::Op;
use std::fmt;

/// One thing that one process did to one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number in the history; in a run, the intent.
    pub id: u64,
    /// Who did it. A process does one thing at a time.
    pub process: u64,
    /// To which item.
    pub item: i64,
    /// When it was asked for.
    pub call: Time,
    /// What was asked for.
    pub action: Action,
    /// What is known to have come of it.
    pub outcome: Outcome,
}

/// What is asked of an item. Which of these make sense together is for a model to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Tell the value.
    Read,
    /// Replace the value.
    Write(i64),
    /// Replace the value if it is the expected one.
    CompareAndSet {
        /// The value expected.
        from: i64,
        /// The value to put in its place.
        to: i64,
    },
    /// Add to the value.
    Add(i64),
    /// Put a member into a set, the value of which has a bit for each.
    Insert(u8),
    /// Take a member out of a set.
    Remove(u8),
    /// Put an element at the end of a queue.
    Enqueue(i64),
    /// Take the first element of a queue.
    Dequeue,
    /// Take an amount from an account.
    Charge(i64),
    /// Take an amount from this item and give it to another.
    Transfer {
        /// The item that gets it.
        to: i64,
        /// How much.
        amount: i64,
    },
}

impl Action {
    /// What becomes of a set, if it is an action on one.
    pub fn on_set(self, members: i64) -> Option<i64> {
        let op = match self {
            Action::Insert(member) => Op::Insert { member },
            Action::Remove(member) => Op::Remove { member },
            _ => return None,
        };
        op.on_set(members)
    }
}

/// What is known to have come of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect, at some instant from its call to its return.
    Ok {
        /// When it returned.
        at: Time,
        /// What it gave back.
        output: Output,
        /// The version of the item that it read or made, growing with each change of the item;
        /// zero where versions are not known.
        version: u64,
    },
    /// It did not take effect and never will.
    Failed {
        /// When that was known.
        at: Time,
    },
    /// It may take effect at any instant after its call, or never.
    Unknown {
        /// When its process gave it up, if it did.
        at: Option<Time>,
    },
}

/// What an operation gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// That it was done.
    Nothing,
    /// A value: what was read, taken from a queue, or is there after a change. None where the item
    /// has no value, or the queue is empty.
    Value(Option<i64>),
    /// Whether the condition for a change held; if not, nothing was changed.
    Matched(bool),
}

impl Output {
    /// True if it can have been given back by a change that leaves this value.
    pub fn allows(self, after: i64) -> bool {
        match self {
            Output::Nothing => true,
            Output::Value(value) => value == Some(after),
            Output::Matched(said) => said,
        }
    }
}

impl Operation {
    /// When it returned, if it took effect.
    pub fn returned(&self) -> Option<Time> {
        match self.outcome {
            Outcome::Ok { at, .. } => Some(at),
            Outcome::Failed { .. } | Outcome::Unknown { .. } => None,
        }
    }

    /// When its process knew more of it, or gave it up; none if it has not.
    pub fn ended(&self) -> Option<Time> {
        match self.outcome {
            Outcome::Ok { at, .. } | Outcome::Failed { at } => Some(at),
            Outcome::Unknown { at } => at,
        }
    }

    /// What it gave back, if it took effect.
    pub fn output(&self) -> Option<Output> {
        match self.outcome {
            Outcome::Ok { output, .. } => Some(output),
            Outcome::Failed { .. } | Outcome::Unknown { .. } => None,
        }
    }

    /// The version it read or made; zero when not known.
    pub fn version(&self) -> u64 {
        match self.outcome {
            Outcome::Ok { version, .. } => version,
            Outcome::Failed { .. } | Outcome::Unknown { .. } => 0,
        }
    }

    /// True if it may have taken effect.
    pub fn may_have_happened(&self) -> bool {
        !matches!(self.outcome, Outcome::Failed { .. })
    }

    /// True if it changed nothing, and would not have at any other instant with the same answer.
    pub fn observes(&self) -> bool {
        matches!(
            (self.action, self.output()),
            (Action::Read, _)
                | (_, Some(Output::Matched(false)))
                | (Action::Dequeue, Some(Output::Value(None)))
        )
    }

    /// True if it returned before the other was called. Operations that touch in time overlap.
    pub fn precedes(&self, other: &Operation) -> bool {
        self.returned().is_some_and(|at| at < other.call)
    }

    /// The same operation as far as it is known at an instant.
    pub fn as_known_at(&self, now: Time) -> Operation {
        match self.outcome {
            Outcome::Ok { at, .. } if at > now => {
                Operation { outcome: Outcome::Unknown { at: None }, ..*self }
            }
            _ => *self,
        }
    }

    /// The value read, if it is a read that returned: none where the item had none.
    pub fn value_read(&self) -> Option<Option<i64>> {
        match (self.action, self.output()) {
            (Action::Read, Some(Output::Value(value))) => Some(value),
            _ => None,
        }
    }

    /// The value it puts in place of what was there, if it may have done so.
    pub fn value_written(&self) -> Option<i64> {
        match (self.action, self.output()) {
            _ if !self.may_have_happened() => None,
            (Action::CompareAndSet { .. }, Some(Output::Matched(false))) => None,
            (Action::Write(value) | Action::CompareAndSet { to: value, .. }, _) => Some(value),
            _ => None,
        }
    }
}

/// In words, in the past tense.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = self.output();
        let value = match output {
            Some(Output::Value(Some(value))) => Some(value),
            _ => None,
        };
        match self.action {
            Action::Read | Action::Dequeue => {
                let word = if self.action == Action::Read { "read" } else { "took" };
                match (output, value) {
                    (_, Some(value)) => write!(f, "{word} {value}")?,
                    (Some(_), None) => write!(f, "{word} nothing")?,
                    (None, None) => write!(f, "{word} something")?,
                }
            }
            Action::Write(value) => write!(f, "wrote {value}")?,
            Action::CompareAndSet { from, to } if output == Some(Output::Matched(false)) => {
                write!(f, "found another value than {from} and did not set {to}")?;
            }
            Action::CompareAndSet { from, to } => write!(f, "replaced {from} by {to}")?,
            Action::Add(amount) => write!(f, "added {amount}")?,
            Action::Insert(member) => write!(f, "put {member} in")?,
            Action::Remove(member) => write!(f, "took {member} out")?,
            Action::Enqueue(value) => write!(f, "put {value}")?,
            Action::Charge(amount) if output == Some(Output::Matched(false)) => {
                write!(f, "was refused a charge of {amount}")?;
            }
            Action::Charge(amount) => write!(f, "charged {amount}")?,
            Action::Transfer { to, amount } => write!(f, "moved {amount} to {to}")?,
        }
        match self.outcome {
            Outcome::Ok { .. } => Ok(()),
            Outcome::Failed { .. } => write!(f, " (failed)"),
            Outcome::Unknown { .. } => write!(f, " (perhaps)"),
        }
    }
}
