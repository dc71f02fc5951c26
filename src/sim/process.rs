//! What a protocol sees of the world: its inputs, and a context to act through. A process has no
//! clock, no socket and no chance of its own but the streams it was given.

use super::trace::{Level, What};
use super::world::{Due, Shared};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A state machine that runs on a node. State in, input in, effects out through the context.
pub trait Process: Clone + Debug + Serialize + DeserializeOwned {
    /// What it sends.
    type Message: Clone + Debug + Serialize + DeserializeOwned;
    /// What it is reminded of.
    type Timer: Copy + Debug + Serialize + DeserializeOwned;
    /// What it says about itself.
    type Note: Clone + Debug + Serialize + DeserializeOwned;

    /// Takes one input.
    fn handle(&mut self, input: Input<Self>, context: &mut Context<'_, Self>);

    /// Forgets everything volatile; of its disk writes, those up to the number `durable` survive.
    fn crash(&mut self, durable: u64);

    /// A class of notes that faults can wait for ("after the second acknowledged write").
    fn mark(_note: &Self::Note) -> Option<u16> {
        None
    }

    /// Words of a message that belong in the digest of the run.
    fn fingerprint(_message: &Self::Message) -> u64 {
        0
    }
}

/// What happens to a process.
#[derive(Clone, Debug)]
pub enum Input<P: Process> {
    /// The world begins.
    Start,
    /// The node runs again after a crash.
    Restart,
    /// A message arrived.
    Message {
        /// Who sent it.
        source: NodeId,
        /// What it says.
        message: P::Message,
    },
    /// A timer went off.
    Timer(P::Timer),
    /// The disk write of this number, and every one before it, is done.
    Persisted(u64),
}

/// Acts on the world for one process during one input. What it does takes effect in the order
/// done; nothing another process holds can be seen through it.
pub struct Context<'a, P: Process> {
    pub(super) node: NodeId,
    pub(super) shared: &'a mut Shared<P>,
}

impl<P: Process> Context<'_, P> {
    /// The true time, for measuring; protocols that reason about time use [`Context::clock`].
    pub fn now(&self) -> Time {
        self.shared.now
    }

    /// The node's own clock, which may be wrong.
    pub fn clock(&self) -> Time {
        self.shared.places[self.node.index()].clock.read(self.shared.now)
    }

    /// The node this process runs on.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// True if the node is neither down nor paused. Only one that is set anew by hand can be that
    /// while it acts.
    pub fn is_up(&self) -> bool {
        let place = &self.shared.places[self.node.index()];
        !place.down && !place.paused
    }

    /// True if the node stands still and will go on.
    pub fn is_paused(&self) -> bool {
        let place = &self.shared.places[self.node.index()];
        place.paused && !place.down
    }

    /// Sends a message. It may be lost, and the sender is not told.
    pub fn send(&mut self, target: NodeId, message: P::Message) {
        self.shared.send(self.node, target, message);
    }

    /// Asks to be reminded after `span`. Reminders do not survive a crash, and are not taken back:
    /// whoever may change its mind gives them a number to know an old one by.
    pub fn set_timer(&mut self, span: Span, timer: P::Timer) {
        let at = self.shared.now + span;
        self.set_timer_at(at, timer);
    }

    /// Asks to be reminded at an instant.
    pub fn set_timer_at(&mut self, at: Time, timer: P::Timer) {
        let epoch = self.shared.places[self.node.index()].epoch;
        self.shared.schedule(at, Due::Timer { node: self.node, epoch, timer });
    }

    /// The number of what is being handled: whatever is done now, it is the cause of.
    pub fn cause(&self) -> u64 {
        self.shared.trace.cause
    }

    /// Asks to be reminded at an instant, because of something that was handled before.
    pub fn set_timer_because(&mut self, cause: u64, at: Time, timer: P::Timer) {
        let now = std::mem::replace(&mut self.shared.trace.cause, cause);
        self.set_timer_at(at, timer);
        self.shared.trace.cause = now;
    }

    /// Begins a disk write and returns its number; [`Input::Persisted`] tells when it is done.
    /// Without `sync` that is at once, and the write is lost if the node crashes before a flush.
    pub fn persist(&mut self, sync: bool) -> u64 {
        let now = self.shared.now;
        let place = &mut self.shared.places[self.node.index()];
        let epoch = place.epoch;
        let (write, at) = place.disk.write(now, sync);
        self.shared.schedule(at, Due::Disk { node: self.node, epoch, write });
        write
    }

    /// How long work of length `span` takes on this node, which may be slow.
    pub fn work(&self, span: Span) -> Span {
        match self.shared.places[self.node.index()].slowness {
            1_000 => span,
            factor => Span((u128::from(span.0) * u128::from(factor) / 1_000) as u64),
        }
    }

    /// Says what was done, for observers; costs a branch when nobody listens.
    pub fn note(&mut self, note: P::Note) {
        let (now, node) = (self.shared.now, self.node);
        if let Some(mark) = P::mark(&note) {
            self.shared.marked(mark);
        }
        self.shared.trace.record(now, Level::Notes, 0x4e, || What::Note { node, note });
    }

    /// True when notes are recorded; a process may skip preparing one that nobody hears.
    pub fn is_heard(&self) -> bool {
        self.shared.trace.level >= Level::Notes
    }
}
