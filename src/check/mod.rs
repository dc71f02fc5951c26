//! Properties judged over what happened, in plain words, while it happens.
//!
//! To add one: a file here with a state that folds records and gives a [`Verdict`]; a variant of
//! [`Property`] with its arms in `Check`; its wire form in `scenario`.

pub mod effects;

use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// Whether a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// So far, or for good.
    Holds,
    /// There is proof that it does not.
    Violated,
    /// It cannot be said yet.
    Unknown,
}

/// What is known of a property at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The property, in a few words.
    pub name: String,
    /// Whether it holds.
    pub state: State,
    /// Why, with numbers.
    pub sentence: String,
    /// The instant to look at: when it was violated first.
    pub at: Option<Time>,
    /// Intents that prove it, the first ones.
    pub intents: Vec<u64>,
}
