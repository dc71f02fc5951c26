//! What happened, in sentences: lines of the log and the story of one intent.

use crate::base::id::NodeId;
use crate::base::time::Time;
use serde::Serialize;

/// One thing that happened, as people would say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When.
    pub at: Time,
    /// The number of the record it tells of.
    pub seq: u64,
    /// The number of the record that caused it; zero for the beginning or a person's hand.
    pub cause: u64,
    /// The sentence.
    pub text: String,
    /// How good or bad that is.
    pub tone: Tone,
    /// Where.
    pub node: Option<NodeId>,
    /// For which intent, if for one.
    pub intent: Option<u64>,
}

/// How good or bad something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Tone {
    /// It is neither.
    #[default]
    Plain,
    /// It gets better.
    Good,
    /// It may get worse.
    Warning,
    /// It is what nobody wants.
    Bad,
}

/// Everything that became of one intent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Story {
    /// In one sentence.
    pub title: String,
    /// What a person asks first: who, what, how often, what came of it.
    pub rows: Vec<(String, String)>,
    /// From its beginning, in order of time.
    pub life: Vec<Line>,
}
