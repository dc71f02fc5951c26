//! What the replicas of a store with a primary say to each other, and are reminded of.

use super::super::log::{Entry, Outline};
use super::super::machine::Machine;
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// What a replica says to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicaMessage {
    /// From the primary: the next part of the log, or only that it is there.
    Append {
        /// Its epoch.
        epoch: u64,
        /// When it left, by the true time: names it, and tells how long an answer takes.
        sent: Time,
        /// The position before the part.
        prev: u64,
        /// The epoch of the entry there.
        prev_term: u64,
        /// The part.
        entries: Vec<Entry>,
        /// The last position before the primary's epoch began.
        start: u64,
        /// How much is committed.
        committed: u64,
    },
    /// To the primary: so much is there.
    Appended {
        /// The primary's epoch.
        epoch: u64,
        /// When what it answers left.
        sent: Time,
        /// The log is the primary's up to here, and on disk.
        position: u64,
    },
    /// To the primary: the part does not fit what is there.
    Mismatch {
        /// The primary's epoch.
        epoch: u64,
        /// When what it answers left.
        sent: Time,
        /// Try again from here.
        hint: u64,
    },
    /// To a primary of an earlier epoch: there is a newer one.
    Stale {
        /// The newer epoch.
        epoch: u64,
    },
    /// From the primary: a state instead of a log whose beginning is dropped.
    Snapshot {
        /// Its epoch.
        epoch: u64,
        /// When it left, by the true time: names it, and tells how long an answer takes.
        sent: Time,
        /// The state.
        machine: Box<Machine>,
        /// The epoch of the last entry in it.
        term: u64,
        /// Of the whole log of the primary.
        outline: Outline,
        /// The last position before the primary's epoch began.
        start: u64,
    },
    /// From one that misses the primary: how do you stand, and may there be a new epoch?
    Ask {
        /// The epoch it would begin.
        epoch: u64,
    },
    /// The answer.
    Tell {
        /// The epoch asked about.
        epoch: u64,
        /// True if it promises to follow no earlier epoch.
        granted: bool,
        /// True if it is, or hears from, a primary.
        alive: bool,
        /// The epoch of its last entry.
        last_term: u64,
        /// Its last position.
        last: u64,
    },
    /// From the one that asked to the one with the best log: you lead.
    Promote {
        /// The epoch to begin.
        epoch: u64,
    },
}

/// What a replica is reminded of. A round that is over makes a reminder void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicaTimer {
    /// To say that it is there.
    Beat {
        /// The round it belongs to.
        round: u32,
    },
    /// To see whether it has heard from the primary.
    Watch {
        /// The round it belongs to.
        round: u32,
    },
    /// To decide with the answers that have come.
    Conclude {
        /// The round it belongs to.
        round: u32,
    },
    /// A person has named another primary while it stood still.
    Appointed,
    /// An entry is applied.
    Apply {
        /// The round it belongs to.
        round: u32,
    },
}

impl ReplicaMessage {
    /// In a few words.
    pub fn words(&self) -> &'static str {
        match self {
            ReplicaMessage::Append { entries, .. } if entries.is_empty() => "a heartbeat",
            ReplicaMessage::Append { .. } => "a part of the log",
            ReplicaMessage::Appended { .. } => "a confirmation",
            ReplicaMessage::Mismatch { .. } => "a mismatch of logs",
            ReplicaMessage::Stale { .. } => "news of a newer primary",
            ReplicaMessage::Snapshot { .. } => "a snapshot",
            ReplicaMessage::Ask { .. } => "a question who can lead",
            ReplicaMessage::Tell { .. } => "an answer who can lead",
            ReplicaMessage::Promote { .. } => "a call to lead",
        }
    }

    /// What of it belongs in the digest of the run.
    pub fn fingerprint(&self) -> u64 {
        let mix = |kind: u64, a: u64, b: u64| (kind << 60) ^ (a << 40) ^ b;
        match self {
            ReplicaMessage::Append { epoch, prev, entries, .. } => {
                mix(1, *epoch, prev ^ ((entries.len() as u64) << 20))
            }
            ReplicaMessage::Appended { epoch, position, .. } => mix(2, *epoch, *position),
            ReplicaMessage::Mismatch { epoch, hint, .. } => mix(3, *epoch, *hint),
            ReplicaMessage::Stale { epoch } => mix(4, *epoch, 0),
            ReplicaMessage::Snapshot { epoch, machine, .. } => mix(5, *epoch, machine.applied()),
            ReplicaMessage::Ask { epoch } => mix(6, *epoch, 0),
            ReplicaMessage::Tell { epoch, last, .. } => mix(7, *epoch, *last),
            ReplicaMessage::Promote { epoch } => mix(8, *epoch, 0),
        }
    }
}
