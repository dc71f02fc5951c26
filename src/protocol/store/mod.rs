//! What holds data.
//!
//! To add one: a file or folder here with its settings and state, a variant of
//! [`Role`](crate::protocol::Role), and for what its replicas say to each other a variant of
//! [`StoreMessage`] and of [`StoreTimer`].

pub mod holds;
pub mod image;
pub mod ledger;
pub mod log;
pub mod machine;
pub mod outbox;
pub mod primary_replica;
pub mod quorum;
pub mod raft;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::backup::messages::BackupMessage;
use machine::Command;
use primary_replica::messages::{ReplicaMessage, ReplicaTimer};
use quorum::messages::{QuorumMessage, QuorumTimer};
use raft::member::RaftTimer;
use raft::message::RaftMessage;
use serde::{Deserialize, Serialize};

/// What replicas of a store say to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreMessage {
    /// In a store with a primary.
    Replica(ReplicaMessage),
    /// In a Raft cluster.
    Raft(RaftMessage),
    /// In a store without a leader.
    Quorum(QuorumMessage),
    /// Between a store and what copies it.
    Backup(BackupMessage),
    /// To a coordinator: what was decided?
    InDoubt {
        /// Of which transaction.
        transaction: u64,
        /// Which item it locks.
        item: u32,
    },
}

impl StoreMessage {
    /// In a few words.
    pub fn words(&self) -> &'static str {
        match self {
            StoreMessage::Replica(message) => message.words(),
            StoreMessage::Raft(message) => message.words(),
            StoreMessage::Quorum(message) => message.words(),
            StoreMessage::Backup(message) => message.words(),
            StoreMessage::InDoubt { .. } => "a question what was decided",
        }
    }

    /// What of it belongs in the digest of the run.
    pub fn fingerprint(&self) -> u64 {
        match self {
            StoreMessage::Replica(message) => message.fingerprint(),
            StoreMessage::Raft(message) => message.fingerprint(),
            StoreMessage::Quorum(message) => message.fingerprint(),
            StoreMessage::Backup(message) => message.fingerprint(),
            StoreMessage::InDoubt { transaction, item } => {
                transaction ^ (u64::from(*item) << 40) ^ (0xb << 60)
            }
        }
    }
}

/// What replicas are reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreTimer {
    /// In a store with a primary.
    Replica(ReplicaTimer),
    /// In a Raft cluster.
    Raft(RaftTimer),
    /// In a store without a leader.
    Quorum(QuorumTimer),
    /// A transaction may have been in doubt for long.
    InDoubt,
    /// The relay of an outbox looks into it.
    Outbox,
}

/// What a replica is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lead {
    /// It leads: changes go through it.
    Leader,
    /// It would lead, and asks the others.
    Candidate,
    /// It follows.
    Follower,
}

impl Lead {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Lead::Leader => "leader",
            Lead::Candidate => "candidate",
            Lead::Follower => "follower",
        }
    }
}

/// An entry of a log, as a picture or a check needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The term or epoch of the leader that made it.
    pub term: u64,
    /// When, by the clock of that leader.
    pub at: Time,
    /// What is done, if anything.
    pub command: Option<Command>,
}

/// How a replica stands, as a picture shows it. Positions count the entries of the log from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What it is to the others.
    pub lead: Lead,
    /// The term or epoch it is in.
    pub term: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<NodeId>,
    /// The last entry of its log.
    pub last: u64,
    /// The last entry on its disk.
    pub durable: u64,
    /// The last entry it knows to be safe to acknowledge.
    pub committed: u64,
    /// The last entry its state contains.
    pub applied: u64,
    /// The last entry whose client it told that it is done.
    pub told: u64,
    /// The votes that a candidate has been given.
    pub votes: Option<u32>,
    /// Who got its vote in this term, where members vote.
    pub vote: Option<NodeId>,
}
