//! A record made small: what log, ledger and explanations keep of it.

use crate::base::id::{FaultId, LinkId, NodeId};
use crate::base::time::Time;
use crate::protocol::note::Note;
use crate::protocol::rpc::Answer;
use crate::protocol::{Message, Role};
use crate::sim::trace::{Change, Fate, Record, What};

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Its number in the run.
    pub seq: u64,
    /// The number of what caused it.
    pub cause: u64,
    /// When.
    pub at: Time,
    /// What.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// A process says what it did.
    Note {
        /// Which.
        node: NodeId,
        /// What.
        note: Note,
    },
    /// A store changed data once more than its client wanted.
    Repeated {
        /// Which store.
        node: NodeId,
        /// What it did.
        note: Note,
        /// How often it has now been done.
        times: u32,
    },
    /// A message entered a link.
    Sent {
        /// Its number.
        packet: u64,
        /// Which link.
        link: LinkId,
        /// True for a copy made by the network.
        copy: bool,
        /// What it is.
        cargo: Cargo,
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
        /// What it is.
        cargo: Cargo,
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
    /// Something waits for a node that stands still.
    Deferred {
        /// Which.
        node: NodeId,
    },
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// A request.
    Request {
        /// For which intent.
        intent: u64,
        /// Counting from one.
        attempt: u8,
    },
    /// An answer.
    Reply {
        /// For which intent.
        intent: u64,
        /// To which attempt.
        attempt: u8,
        /// What it says.
        answer: Answer,
    },
    /// A health check or its answer.
    Probe,
    /// What replicas say to each other, a fleet to its replicas, and name servers to callers.
    Store {
        /// In a few words.
        words: &'static str,
    },
}

impl Cargo {
    /// What a message is.
    pub fn of(message: &Message) -> Cargo {
        match message {
            Message::Request(request) => {
                Cargo::Request { intent: request.intent, attempt: request.ticket.attempt }
            }
            Message::Reply(reply) => Cargo::Reply {
                intent: reply.intent,
                attempt: reply.ticket.attempt,
                answer: reply.answer,
            },
            Message::Probe { .. } | Message::Alive { .. } => Cargo::Probe,
            Message::Forward { request, .. } => {
                Cargo::Request { intent: request.intent, attempt: request.ticket.attempt }
            }
            Message::Resolve { .. } => Cargo::Store { words: "a question where to go" },
            Message::Resolved { .. } => Cargo::Store { words: "an answer where to go" },
            Message::Store(message) => Cargo::Store { words: message.words() },
            Message::Fleet(message) => Cargo::Store { words: message.words() },
        }
    }

    /// The intent it serves.
    pub fn intent(self) -> Option<u64> {
        match self {
            Cargo::Request { intent, .. } | Cargo::Reply { intent, .. } => Some(intent),
            Cargo::Probe | Cargo::Store { .. } => None,
        }
    }
}

/// True for what goes without saying: messages on their way and delivered, timers, disk writes.
pub fn is_silent(what: &What<Role>) -> bool {
    match what {
        What::Sent { copy, .. } => !copy,
        What::Ended { fate, .. } => *fate == Fate::Delivered,
        What::Timer { .. } | What::Persisted { .. } | What::Deferred { .. } => true,
        What::Note { .. } | What::Node { .. } | What::Fault { .. } => false,
    }
}

impl Event {
    /// What is kept of a record; none for timers and disk writes, which say nothing to people.
    /// `times` is how often a change of data that it tells of has been made.
    pub fn of(record: &Record<Role>, times: u32) -> Option<Event> {
        let fact = match &record.what {
            What::Note { node, note } if times > 1 => {
                Fact::Repeated { node: *node, note: *note, times }
            }
            What::Note { node, note } => Fact::Note { node: *node, note: *note },
            What::Sent { packet, link, copy, message } => {
                let cargo = Cargo::of(message);
                Fact::Sent { packet: *packet, link: *link, copy: *copy, cargo }
            }
            What::Ended { packet, source, target, fate, message, .. } => Fact::Ended {
                packet: *packet,
                source: *source,
                target: *target,
                fate: *fate,
                cargo: Cargo::of(message),
            },
            What::Node { node, change } => Fact::Node { node: *node, change: *change },
            What::Fault { fault, began } => Fact::Fault { fault: *fault, began: *began },
            What::Deferred { node } => Fact::Deferred { node: *node },
            What::Timer { .. } | What::Persisted { .. } => return None,
        };
        Some(Event { seq: record.seq, cause: record.cause, at: record.at, fact })
    }

    /// The intent it belongs to.
    pub fn intent(&self) -> Option<u64> {
        match &self.fact {
            Fact::Note { note, .. } | Fact::Repeated { note, .. } => note.intent(),
            Fact::Sent { cargo, .. } | Fact::Ended { cargo, .. } => cargo.intent(),
            Fact::Node { .. } | Fact::Fault { .. } | Fact::Deferred { .. } => None,
        }
    }

    /// Where it happened.
    pub fn node(&self) -> Option<NodeId> {
        match self.fact {
            Fact::Note { node, .. }
            | Fact::Repeated { node, .. }
            | Fact::Node { node, .. }
            | Fact::Deferred { node } => Some(node),
            Fact::Ended { target, .. } => Some(target),
            Fact::Sent { .. } | Fact::Fault { .. } => None,
        }
    }
}
