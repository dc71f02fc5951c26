//! What the members of a cluster tell each other.

use super::super::machine::{Command, Machine};
use crate::base::id::NodeId;
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// A place in a log. The order is the one that votes go by: the later term, then the longer log
/// (section 5.4.1 of the paper).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The term of the entry there.
    pub term: u64,
    /// Counting from one; zero is before the first.
    pub index: u64,
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The term of the leader who made it.
    pub term: u64,
    /// When, by that leader's clock: what ages does so alike on every member.
    pub at: Time,
    /// What it says.
    pub content: Content,
}

impl Entry {
    /// The command in it, if it is one.
    pub fn command(&self) -> Option<&Command> {
        match &self.content {
            Content::Command(command) => Some(command),
            Content::Nothing | Content::Members(_) => None,
        }
    }
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Nothing: a new leader's first entry, which commits those of its predecessors with it.
    Nothing,
    /// Who belongs to the cluster from here on.
    Members(Vec<NodeId>),
    /// A command for the state machine.
    Command(Command),
}

/// What the log up to a position came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last entry in it.
    pub last: Position,
    /// Who belonged to the cluster there.
    pub members: Vec<NodeId>,
    /// The state machine.
    pub machine: Machine,
}

/// What kind of election a vote is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ballot {
    /// A question whether it would be won, which changes nothing (thesis, 9.6).
    Pre,
    /// An election because nothing was heard from a leader.
    Real,
    /// An election that the leader itself asked for (thesis, 3.10).
    Transfer,
}

/// A message from one member to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RaftMessage {
    /// Asks for a vote.
    Vote {
        /// The term the candidate would lead.
        term: u64,
        /// What kind of election.
        ballot: Ballot,
        /// The end of the candidate's log.
        last: Position,
    },
    /// Answers a request for a vote.
    Voted {
        /// The term of the election if the vote is given, else the voter's term.
        term: u64,
        /// What kind of election.
        ballot: Ballot,
        /// Whether the vote is given.
        granted: bool,
    },
    /// Adds entries to the follower's log; without any, a heartbeat.
    Append {
        /// The leader's term.
        term: u64,
        /// Where the entries go: after this.
        prev: Position,
        /// The entries.
        entries: Vec<Entry>,
        /// How far the leader knows the log to be committed.
        commit: u64,
        /// The leader's count of rounds of heartbeats, to be sent back.
        round: u64,
    },
    /// The follower's log agrees with the leader's and is on disk.
    Appended {
        /// The follower's term.
        term: u64,
        /// Up to where.
        matched: u64,
        /// Copied from the request.
        round: u64,
    },
    /// The follower's log does not hold what the entries should follow, or its term is later.
    Rejected {
        /// The follower's term.
        term: u64,
        /// The index it was asked to follow.
        prev: u64,
        /// Where its log may agree.
        hint: Position,
        /// Copied from the request.
        round: u64,
    },
    /// A snapshot for a follower that lacks entries which the leader no longer holds.
    Install {
        /// The leader's term.
        term: u64,
        /// The snapshot.
        snapshot: Box<Snapshot>,
        /// As in `Append`.
        round: u64,
    },
    /// Asks a follower to begin an election now (thesis, 3.10).
    TimeoutNow {
        /// The leader's term.
        term: u64,
    },
}

impl RaftMessage {
    /// The term in it.
    pub fn term(&self) -> u64 {
        match *self {
            RaftMessage::Vote { term, .. }
            | RaftMessage::Voted { term, .. }
            | RaftMessage::Append { term, .. }
            | RaftMessage::Appended { term, .. }
            | RaftMessage::Rejected { term, .. }
            | RaftMessage::Install { term, .. }
            | RaftMessage::TimeoutNow { term } => term,
        }
    }

    /// In a few words.
    pub fn words(&self) -> &'static str {
        match self {
            RaftMessage::Vote { ballot: Ballot::Pre, .. } => "a question if it would be elected",
            RaftMessage::Vote { .. } => "a request for a vote",
            RaftMessage::Voted { ballot: Ballot::Pre, granted: true, .. } => {
                "a yes to the question"
            }
            RaftMessage::Voted { ballot: Ballot::Pre, .. } => "a no to the question",
            RaftMessage::Voted { granted: true, .. } => "a vote",
            RaftMessage::Voted { .. } => "a refused vote",
            RaftMessage::Append { entries, .. } if entries.is_empty() => "a heartbeat",
            RaftMessage::Append { .. } => "entries of the log",
            RaftMessage::Appended { .. } => "a confirmation",
            RaftMessage::Rejected { .. } => "a mismatch of logs",
            RaftMessage::Install { .. } => "a snapshot",
            RaftMessage::TimeoutNow { .. } => "a call to stand for election",
        }
    }

    /// What of it belongs in the digest of the run.
    pub fn fingerprint(&self) -> u64 {
        let mix = |kind: u64, a: u64| (kind << 60) ^ (self.term() << 40) ^ a;
        match self {
            RaftMessage::Vote { ballot, last, .. } => {
                mix(1, last.index ^ (last.term << 20) ^ ((*ballot as u64) << 38))
            }
            RaftMessage::Voted { ballot, granted, .. } => {
                mix(2, u64::from(*granted) ^ ((*ballot as u64) << 38))
            }
            RaftMessage::Append { prev, entries, commit, .. } => {
                mix(3, prev.index ^ commit.rotate_left(10) ^ ((entries.len() as u64) << 30))
            }
            RaftMessage::Appended { matched, .. } => mix(4, *matched),
            RaftMessage::Rejected { prev, hint, .. } => mix(5, prev ^ (hint.index << 20)),
            RaftMessage::Install { snapshot, .. } => mix(6, snapshot.last.index),
            RaftMessage::TimeoutNow { .. } => mix(7, 0),
        }
    }
}
