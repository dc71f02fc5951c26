//! One instant of a run as people see it: plain data, no colours, no pixels. A frame is a function
//! of the world and the time, so scrubbing needs no tween state.

use crate::base::id::{LinkId, NodeId};
use crate::base::time::{Span, Time};
use crate::protocol::store::Standing;
use serde::Serialize;

/// Everything the stage draws at one instant. Kept and refilled, so a frame allocates little.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Frame {
    /// The instant.
    pub at: Time,
    /// Nodes in id order.
    pub nodes: Vec<NodeView>,
    /// Links in id order, one per direction.
    pub links: Vec<LinkView>,
    /// Messages in flight.
    pub packets: Packets,
    /// Messages that met their end in the last moments, for a fading mark.
    pub ends: Vec<PacketEnd>,
    /// The sides of a partition, when one is active.
    pub sides: Vec<Vec<NodeId>>,
    /// Faults that are active.
    pub faults: Vec<FaultView>,
}

/// What a node is, which decides its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// A population of clients.
    Clients,
    /// Spreads requests over backends.
    Balancer,
    /// Says where a name leads.
    Names,
    /// Keeps messages and hands them out.
    Broker,
    /// Does work, perhaps calling others.
    Service,
    /// Holds copies of data that is behind it.
    Cache,
    /// Holds data.
    Store,
    /// Holds copies of data.
    Backup,
    /// Decides how many replicas of a service run.
    Fleet,
}

/// What a replica does at the command of a fleet, for those who draw it.
pub type Duty = crate::protocol::fleet::duty::State;

/// Whether a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Condition {
    /// It runs.
    Up,
    /// It runs, this many thousandths as slow (5000 is five times slower).
    Slow(u32),
    /// It keeps everything and does nothing.
    Paused,
    /// It has lost what it had not written down.
    Down,
}

/// A node at one instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeView {
    /// Which node.
    pub id: NodeId,
    /// Its name: `api-1`.
    pub name: String,
    /// The group it belongs to in the scenario: `api`.
    pub group: String,
    /// Decides its shape.
    pub kind: Kind,
    /// Whether it runs.
    pub condition: Condition,
    /// Since when it has been in that condition.
    pub since: Time,
    /// Where it stands, in the unit square, x to the right and y down.
    pub place: (f64, f64),
    /// Requests waiting and how many may wait; none for a node without a queue.
    pub queue: Option<Gauge>,
    /// Workers busy and how many there are.
    pub workers: Option<Gauge>,
    /// Calls this node has sent on and not yet heard of.
    pub in_flight: u32,
    /// Breakers this node holds, one per target (a population with a breaker per client reports
    /// how many are in each state).
    pub breakers: Vec<BreakerView>,
    /// How it stands among the replicas of its store, when it is one.
    pub replica: Option<Standing>,
    /// Items that transactions lock there.
    pub locks: u32,
    /// What a backup keeps and is at, in a few words.
    pub keeps: Option<String>,
    /// Whether it serves, when a fleet decides that, and which version it runs.
    pub duty: Option<(Duty, u8)>,
    /// How clients are, when this is a population.
    pub crowd: Option<Crowd>,
    /// One line people can read: `12 waiting, 4 of 4 workers busy`.
    pub line: String,
}

/// How full something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gauge {
    /// How much is there.
    pub level: u32,
    /// How much fits; `u32::MAX` when there is no limit.
    pub limit: u32,
}

/// A circuit breaker, drawn at the caller's end of the link it guards.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakerView {
    /// The group or node the calls go to.
    pub target: String,
    /// How many breakers are closed, open, half-open (a shared breaker counts as one).
    pub closed: u32,
    /// See `closed`.
    pub open: u32,
    /// See `closed`.
    pub half_open: u32,
    /// When the next probe may go out, if any is open.
    pub probe_at: Option<Time>,
    /// How long an open breaker waits.
    pub cooldown: Span,
    /// Of one that is half-open: how many probes are out or counted, and how many there may be.
    pub probes: Option<(u32, u32)>,
}

/// What a single client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[repr(u8)]
pub enum ClientState {
    /// Nothing outstanding.
    Idle = 0,
    /// Waiting for the first answer.
    Waiting = 1,
    /// Waiting for the answer to a retry.
    Retrying = 2,
    /// Waiting before the next attempt.
    BackingOff = 3,
    /// Its last intent ended well.
    Served = 4,
    /// Its last intent ended with a degraded answer.
    Degraded = 5,
    /// Its last intent failed or its outcome is unknown.
    Failed = 6,
}

/// A population of clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Crowd {
    /// How many clients there are.
    pub clients: u32,
    /// How many are in each [`ClientState`], by its number.
    pub counts: [u32; 7],
    /// The state of each client; every n-th one when there are more than a few thousand.
    pub sample: Vec<u8>,
}

/// A link in one direction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkView {
    /// Which link.
    pub id: LinkId,
    /// Where it comes from.
    pub source: NodeId,
    /// Where it goes.
    pub target: NodeId,
    /// No message gets through.
    pub cut: bool,
    /// Extra latency by a fault.
    pub slow: Span,
    /// Chance of loss, in parts per million, all faults included.
    pub loss_ppm: u32,
    /// Messages in flight on it.
    pub in_flight: u32,
    /// Messages that entered it in the last second.
    pub traffic: u32,
}

/// What a message is, which decides its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[repr(u8)]
pub enum PacketKind {
    /// A first attempt.
    Request = 0,
    /// A second or later attempt, or a hedge.
    Retry = 1,
    /// An answer: it worked.
    Reply = 2,
    /// An answer: it did not work.
    ErrorReply = 3,
    /// An answer with something missing.
    DegradedReply = 4,
    /// A health check or its answer.
    Probe = 5,
    /// A request whose sender has stopped waiting, or an answer nobody waits for.
    Orphan = 6,
}

/// Messages in flight, as lists of equal length, so that they can be painted without conversion.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Packets {
    /// How many there are; the lists may hold fewer when there are too many to draw.
    pub total: u32,
    /// Packet numbers, for picking.
    pub id: Vec<u64>,
    /// The link each is on.
    pub link: Vec<u32>,
    /// How far along its link each is, from 0 to 1.
    pub progress: Vec<f32>,
    /// The [`PacketKind`] of each, by its number.
    pub kind: Vec<u8>,
    /// Which attempt a request is, from 1; 0 for what is no request.
    pub attempt: Vec<u8>,
    /// Whether the network made it, of a message that was sent once.
    pub copy: Vec<bool>,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Fate {
    /// It reached a process.
    Delivered,
    /// The network lost it.
    LostInFlight,
    /// The link was cut when it arrived.
    LinkCut,
    /// The target was down when it arrived.
    TargetDown,
    /// The two nodes have no link.
    NoRoute,
}

/// Where and how a message ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PacketEnd {
    /// Its number.
    pub id: u64,
    /// The link it was on.
    pub link: LinkId,
    /// How far it came.
    pub progress: f32,
    /// What it was.
    pub kind: PacketKind,
    /// How it ended.
    pub fate: Fate,
    /// When.
    pub at: Time,
}

/// A fault that is active.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultView {
    /// In words: `api-1 is five times slower`.
    pub sentence: String,
    /// Since when.
    pub since: Time,
    /// Until when, if it ends by itself.
    pub until: Option<Time>,
}
