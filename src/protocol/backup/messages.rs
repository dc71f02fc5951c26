//! What a backup and the stores it copies say to each other.

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::rpc::Op;
use crate::protocol::store::image::{Change, Place};
use crate::protocol::store::machine::Item;
use serde::{Deserialize, Serialize};

/// What a backup says to a store, or a store to a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupMessage {
    /// To a store: what do you hold that was changed after a place?
    Export {
        /// The job that asks.
        job: u64,
        /// The place; position zero asks for everything.
        after: Place,
        /// From which of these items on. The first part settles the image that all are of.
        from: u32,
        /// How many at most.
        most: u32,
    },
    /// The answer.
    Part {
        /// The job that asked.
        job: u64,
        /// Where in its history the store was when it settled the image.
        place: Place,
        /// When, by its clock.
        at: Time,
        /// What an item holds that is not listed in any copy.
        base: Item,
        /// The copy has what was changed after this position; zero is everything.
        since: u64,
        /// Which of the items is the first here.
        from: u32,
        /// The items.
        items: Vec<(u32, Item)>,
        /// How many there are in all parts together.
        total: u32,
    },
    /// To a store: what was done after a place?
    Ship {
        /// The job that asks.
        job: u64,
        /// The place.
        after: Place,
    },
    /// The answer.
    Shipped {
        /// The job that asked.
        job: u64,
        /// The place it asked about.
        after: Place,
        /// How far the store is.
        place: Place,
        /// When, by its clock.
        at: Time,
        /// What was done in between.
        changes: Vec<Change>,
    },
    /// The store does not have what was asked for any more.
    Gone {
        /// The job that asked.
        job: u64,
    },
    /// To a store: a part of a restore.
    Load {
        /// Which restore.
        restore: u64,
        /// Counting from one.
        part: u32,
        /// What is to be done to which items, in order.
        steps: Vec<(u32, Op)>,
    },
    /// The part is done, and safe.
    Loaded {
        /// Which restore.
        restore: u64,
        /// Which part.
        part: u32,
    },
    /// The replica does not lead and cannot do it.
    Elsewhere {
        /// Which restore.
        restore: u64,
        /// Who leads, if it knows.
        leader: Option<NodeId>,
    },
}

impl BackupMessage {
    /// In a few words.
    pub fn words(&self) -> &'static str {
        match self {
            BackupMessage::Export { .. } => "a request for a copy",
            BackupMessage::Part { .. } => "a part of a copy",
            BackupMessage::Ship { .. } => "a request for the log",
            BackupMessage::Shipped { changes, .. } if changes.is_empty() => {
                "news that nothing is new"
            }
            BackupMessage::Shipped { .. } => "a shipped part of the log",
            BackupMessage::Gone { .. } => "news that a part is gone",
            BackupMessage::Load { .. } => "a part of a restore",
            BackupMessage::Loaded { .. } => "a confirmation of a restore",
            BackupMessage::Elsewhere { .. } => "news who leads",
        }
    }

    /// What of it belongs in the digest of the run.
    pub fn fingerprint(&self) -> u64 {
        let mix = |kind: u64, a: u64, b: u64| (0xc << 60) ^ (kind << 56) ^ (a << 32) ^ b;
        match self {
            BackupMessage::Export { job, from, .. } => mix(1, *job, (*from).into()),
            BackupMessage::Part { job, place, from, .. } => {
                mix(2, *job, place.position ^ (u64::from(*from) << 24))
            }
            BackupMessage::Ship { job, after } => mix(3, *job, after.position),
            BackupMessage::Shipped { job, place, .. } => mix(4, *job, place.position),
            BackupMessage::Gone { job } => mix(5, *job, 0),
            BackupMessage::Load { restore, part, .. } => mix(6, *restore, (*part).into()),
            BackupMessage::Loaded { restore, part } => mix(7, *restore, (*part).into()),
            BackupMessage::Elsewhere { restore, .. } => mix(8, *restore, 0),
        }
    }
}
