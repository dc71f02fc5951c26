//! Verdicts over histories: what processes asked of items and what came back, judged against what
//! a consistency model allows. A verdict comes with the operations that prove it.
//!
//! Read [`operation`] and [`model`] first, then [`linearizable`]. To add a property: a file here
//! with a function from a history to a [`Judgement`].

pub mod form;
pub mod jepsen;
pub mod linearizable;
pub mod live;
pub mod model;
pub mod operation;
pub mod recorder;
mod search;
pub mod sequential;
pub mod serializable;
pub mod session;
mod shrink;
#[cfg(test)]
mod tests;
pub mod transaction;
pub mod transcript;
pub mod whole;

use super::State;
use crate::base::time::Time;

/// What can be said of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the property holds.
    pub state: State,
    /// Why, in plain words.
    pub sentence: String,
    /// The numbers of the operations that prove a violation; without any of them, or without one
    /// and what cannot be judged without it, the others prove nothing.
    pub proof: Vec<u64>,
    /// When the violation was complete.
    pub at: Option<Time>,
    /// An order that explains a history in which the property holds: numbers of operations, each
    /// with an instant at which it can have taken effect.
    pub order: Vec<(u64, Time)>,
}

impl Judgement {
    fn holds(sentence: impl Into<String>) -> Judgement {
        let (proof, order) = (Vec::new(), Vec::new());
        Judgement { state: State::Holds, sentence: sentence.into(), proof, at: None, order }
    }

    fn unknown(sentence: impl Into<String>) -> Judgement {
        Judgement { state: State::Unknown, ..Judgement::holds(sentence) }
    }

    fn violated(sentence: impl Into<String>, proof: Vec<u64>, at: Option<Time>) -> Judgement {
        Judgement { state: State::Violated, proof, at, ..Judgement::holds(sentence) }
    }
}
