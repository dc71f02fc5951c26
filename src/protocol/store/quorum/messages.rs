//! What the replicas of a store without a leader say to each other, and are reminded of.

use super::cell::Cell;
use crate::base::id::NodeId;
use serde::{Deserialize, Serialize};

/// What a replica says to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuorumMessage {
    /// From a coordinator: what do you hold of an item?
    Get {
        /// The coordinator's number of what it is about.
        round: u64,
        /// Which item.
        item: u32,
        /// The home that the receiver stands in for; none if it is one itself.
        home: Option<NodeId>,
    },
    /// The answer.
    Got {
        /// Copied from the question.
        round: u64,
        /// The home that was asked for, or stood in for.
        home: NodeId,
        /// What is held.
        cell: Cell,
        /// Whether it is on disk, where that is asked for.
        durable: bool,
    },
    /// From a coordinator: keep this.
    Put {
        /// The coordinator's number of what it is about; zero if it wants no answer.
        round: u64,
        /// Which item.
        item: u32,
        /// The home that the receiver stands in for; none if it is one itself.
        home: Option<NodeId>,
        /// What to keep.
        cell: Cell,
    },
    /// It is kept, on disk where that is asked for.
    Stored {
        /// Copied from the question.
        round: u64,
        /// The home that was asked for, or stood in for.
        home: NodeId,
        /// What the sender holds now, where counts add up.
        cell: Option<Cell>,
    },
    /// From a stand-in to a home that is back: what was kept for it.
    Hand {
        /// By item.
        items: Vec<(u32, Cell)>,
    },
    /// The home has it on disk.
    Taken {
        /// What was handed over.
        items: Vec<(u32, Cell)>,
    },
    /// Anti-entropy, first step: hashes of parts of what both hold.
    Tree {
        /// One for each branch.
        branches: Vec<u64>,
    },
    /// Second step: the branches that differ, with a hash for each leaf.
    Branches {
        /// The number of each branch, and its leaves.
        differ: Vec<(u8, Vec<u64>)>,
    },
    /// Third step: everything in the leaves that differ; and fourth, back, what differs there.
    Leaves {
        /// The numbers of the leaves, where the other is to answer in kind; empty in the answer.
        leaves: Vec<u16>,
        /// By item.
        items: Vec<(u32, Cell)>,
    },
    /// From a coordinator: what do you hold of all items?
    GetAll {
        /// The coordinator's number of what it is about.
        round: u64,
    },
    /// The answer.
    GotAll {
        /// Copied from the question.
        round: u64,
        /// By item, what is kept for others included.
        items: Vec<(u32, Cell)>,
    },
}

/// What a replica is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuorumTimer {
    /// To ask stand-ins for homes that have not answered.
    StandIn {
        /// What it is about.
        round: u64,
    },
    /// That a request has waited long enough.
    GiveUp {
        /// What it is about.
        round: u64,
    },
    /// That something received is applied.
    Applied {
        /// Which.
        number: u64,
    },
    /// To see after those that were silent, and to hand over what is kept for them.
    Tend,
    /// To compare with another replica.
    Compare {
        /// The settings it belongs to: void if they have changed since.
        era: u32,
    },
}

impl QuorumMessage {
    /// In a few words.
    pub fn words(&self) -> &'static str {
        match self {
            QuorumMessage::Get { home: None, .. } => "a question for its copy",
            QuorumMessage::Get { .. } => "a question for what it keeps for another",
            QuorumMessage::Got { .. } => "a copy",
            QuorumMessage::Put { round: 0, .. } => "a repair",
            QuorumMessage::Put { home: None, .. } => "a copy to keep",
            QuorumMessage::Put { .. } => "a copy to keep for another",
            QuorumMessage::Stored { .. } => "word that it is kept",
            QuorumMessage::Hand { .. } => "a handover of what was kept",
            QuorumMessage::Taken { .. } => "word that it has it now",
            QuorumMessage::Tree { .. } => "a summary of what it holds",
            QuorumMessage::Branches { .. } => "a list of what differs",
            QuorumMessage::Leaves { leaves, .. } if leaves.is_empty() => {
                "an answer with what it has more"
            }
            QuorumMessage::Leaves { .. } => "a copy of what differs",
            QuorumMessage::GetAll { .. } => "a question for all it holds",
            QuorumMessage::GotAll { .. } => "a copy of all it holds",
        }
    }

    /// What of it belongs in the digest of the run.
    pub fn fingerprint(&self) -> u64 {
        let mix = |kind: u64, a: u64, b: u64| (kind << 60) ^ (a << 28) ^ b;
        match self {
            QuorumMessage::Get { round, item, .. } => mix(1, *round, u64::from(*item)),
            QuorumMessage::Got { round, cell, .. } => mix(2, *round, cell.hash(0)),
            QuorumMessage::Put { round, item, cell, .. } => mix(3, *round, cell.hash(*item)),
            QuorumMessage::Stored { round, home, .. } => mix(4, *round, u64::from(home.0)),
            QuorumMessage::Hand { items } => mix(5, 0, hash(items)),
            QuorumMessage::Taken { items } => mix(6, 0, hash(items)),
            QuorumMessage::Tree { branches } => mix(7, 0, branches.iter().fold(0, |a, b| a ^ b)),
            QuorumMessage::Branches { differ } => mix(8, 0, differ.len() as u64),
            QuorumMessage::Leaves { leaves, items } => mix(9, leaves.len() as u64, hash(items)),
            QuorumMessage::GetAll { round } => mix(10, *round, 0),
            QuorumMessage::GotAll { round, items } => mix(11, *round, hash(items)),
        }
    }
}

fn hash(items: &[(u32, Cell)]) -> u64 {
    items.iter().fold(0, |sum, (item, cell)| sum ^ cell.hash(*item))
}
