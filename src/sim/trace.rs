//! What happened, with causes. Every record has a sequence number and that of the record which
//! caused it; logs, space-time diagrams and explanations all follow those.

use super::process::Process;
use crate::base::id::{FaultId, LinkId, NodeId};
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Record<P: Process> {
    /// Its number in the run.
    pub seq: u64,
    /// The number of what caused it; zero for the beginning of the world or a person's hand.
    pub cause: u64,
    /// When.
    pub at: Time,
    /// What.
    pub what: What<P>,
}

/// The kinds of things that happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum What<P: Process> {
    /// A message entered a link.
    Sent {
        /// The message's number; each copy has its own.
        packet: u64,
        /// The link it is on.
        link: LinkId,
        /// True for the second copy of a duplicated message.
        copy: bool,
        /// What it says.
        message: P::Message,
    },
    /// A message met its end.
    Ended {
        /// Its number.
        packet: u64,
        /// Who sent it.
        source: NodeId,
        /// Whom it was for.
        target: NodeId,
        /// How it ended.
        fate: Fate,
        /// How far along the link it came, in thousandths.
        way: u16,
        /// What it says.
        message: P::Message,
    },
    /// A message, a timer or a disk waits for a paused node.
    Deferred {
        /// The node.
        node: NodeId,
    },
    /// A timer went off.
    Timer {
        /// Whose.
        node: NodeId,
        /// Which.
        timer: P::Timer,
    },
    /// A disk write finished.
    Persisted {
        /// Whose.
        node: NodeId,
        /// Its number on that disk.
        write: u64,
    },
    /// A process says what it did.
    Note {
        /// Who says it.
        node: NodeId,
        /// What it says.
        note: P::Note,
    },
    /// A node changed its condition.
    Node {
        /// Which.
        node: NodeId,
        /// How.
        change: Change,
    },
    /// A fault began or ended.
    Fault {
        /// Which.
        fault: FaultId,
        /// True when it began.
        began: bool,
    },
}

/// How a message ended. Every message has exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fate {
    /// It reached a process.
    Delivered,
    /// The network lost it.
    LostInFlight,
    /// The link was cut.
    LinkCut,
    /// The target was down.
    TargetDown,
    /// The two nodes have no link.
    NoRoute,
}

/// How a node changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It lost what was volatile.
    Crashed,
    /// It runs again after a crash.
    Restarted,
    /// It stopped, keeping everything.
    Paused,
    /// It goes on.
    Resumed,
}

/// How much is recorded. Sequence numbers and the digest do not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Nothing.
    #[default]
    Off,
    /// What processes say, messages that were lost, faults.
    Notes,
    /// Everything.
    All,
}

/// How many messages were sent and what became of them: their conservation is checked at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Messages sent, copies included.
    pub sent: u64,
    /// By [`Fate`], in its order.
    pub ended: [u64; 5],
    /// Copies made by the network.
    pub copies: u64,
    /// Inputs that waited for a paused node.
    pub deferred: u64,
    /// Events handled.
    pub events: u64,
}

/// The numbering, the rolling digest and the records not yet taken by an observer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Trace<P: Process> {
    /// How much is recorded.
    pub level: Level,
    /// Records since an observer last took them.
    pub fresh: Vec<Record<P>>,
    /// What became of messages.
    pub counts: Counts,
    pub(super) seq: u64,
    pub(super) cause: u64,
    digest: u64,
}

impl<P: Process> Default for Trace<P> {
    fn default() -> Self {
        Trace {
            level: Level::Off,
            fresh: Vec::new(),
            counts: Counts::default(),
            seq: 0,
            cause: 0,
            digest: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl<P: Process> Trace<P> {
    /// A number that two runs share only if the same things happened at the same times.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The number of the last thing that happened.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Numbers what happens next, folds it into the digest, and records it if the level says so.
    pub(super) fn record(
        &mut self,
        at: Time,
        level: Level,
        tag: u64,
        what: impl FnOnce() -> What<P>,
    ) -> u64 {
        self.seq += 1;
        let word = at.0 ^ tag.rotate_left(40);
        self.digest = (self.digest ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        if self.level >= level {
            self.fresh.push(Record { seq: self.seq, cause: self.cause, at, what: what() });
        }
        self.seq
    }
}
