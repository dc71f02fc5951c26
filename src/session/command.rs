//! Everything a person can do to a run, as data, with the simulated time at which it was done.

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};

/// What a person does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Crash a node.
    Kill(NodeId),
    /// Restart a crashed node, and end every other fault of it.
    Start(NodeId),
    /// Make a node stand still.
    Pause(NodeId),
    /// Let it go on.
    Resume(NodeId),
    /// Make a node slower, in thousandths: 5000 is five times. 1000 ends it.
    Slow(NodeId, u32),
    /// Set the clock of a node wrong, in place of how wrong it was. Nothing and nothing ends it.
    Clock {
        /// Which node.
        node: NodeId,
        /// The jump, in microseconds.
        offset_us: i64,
        /// Microseconds gained per second.
        drift_ppm: i64,
    },
    /// Cut one direction.
    Cut {
        /// From here.
        source: NodeId,
        /// To here.
        target: NodeId,
    },
    /// Mend one direction, whatever is wrong with it.
    Heal {
        /// From here.
        source: NodeId,
        /// To here.
        target: NodeId,
    },
    /// Divide nodes into sides that cannot reach each other.
    Partition(Vec<Vec<NodeId>>),
    /// End every fault, of nodes as well as of links.
    HealAll,
    /// Make one direction slow and lossy.
    Gray {
        /// From here.
        source: NodeId,
        /// To here.
        target: NodeId,
        /// Added latency.
        latency: Span,
        /// Added chance of loss.
        loss: Chance,
    },
    /// Multiply the load of a population for a while.
    Surge {
        /// Which population.
        node: NodeId,
        /// Thousandths: 3000 is three times.
        factor: u32,
        /// How long.
        lasts: Span,
    },
    /// Change a setting of the scenario, by its path.
    Set {
        /// `api.queue`, `clients.retry.attempts`.
        path: String,
        /// In the words of the scenario format.
        value: serde_json::Value,
    },
}

impl Command {
    /// The nodes that it is done to.
    pub fn nodes(&self) -> Vec<NodeId> {
        match self {
            Command::Kill(node)
            | Command::Start(node)
            | Command::Pause(node)
            | Command::Resume(node)
            | Command::Slow(node, _)
            | Command::Clock { node, .. }
            | Command::Surge { node, .. } => vec![*node],
            Command::Cut { source, target }
            | Command::Heal { source, target }
            | Command::Gray { source, target, .. } => vec![*source, *target],
            Command::Partition(sides) => sides.concat(),
            Command::HealAll | Command::Set { .. } => Vec::new(),
        }
    }
}

/// A command and when it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed<T> {
    /// Simulated time; everything due at that instant has happened before.
    pub at: Time,
    /// What was done.
    pub what: T,
}
