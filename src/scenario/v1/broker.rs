//! The broker, as people write it: who gets its messages, and how often.

use super::store::Disk;
use super::wire::named::Named;
use crate::base::time::Span;

wire! {
    /// Keeps messages and hands them to consumers until they have worked on them. Whoever publishes
    /// is answered as soon as the message is kept.
    pub struct Broker {
        /// Who gets messages, by name: each of them gets every message, and its replicas share
        /// them.
        groups: Named<Group> = Named::default();
        /// A message is on disk before it is acknowledged.
        sync: bool = true;
        /// Deliveries carry an idempotency key: that of the publisher, or one for each message.
        idempotency: bool = false;
        /// How many messages a group may have to do, more are refused; none takes all.
        capacity: Option<u32> = None, 1 ..= 100_000_000;
        /// Messages that are older are dropped; none keeps them until they are done.
        keep: Option<Span> = None;
        /// Its disk.
        disk: Disk = Disk::default();
    }
}

wire! {
    /// How a group of consumers gets its messages.
    pub struct Group {
        /// How many messages each consumer may have at once.
        in_flight: u32 = 10, 1 ..= 1_000_000;
        /// The visibility timeout: how long a message that was handed out is not handed out again.
        visibility: Span = Span::secs(30);
        /// How often a message is handed out before it is a dead letter; none never gives up.
        attempts: Option<u32> = Some(5), 1 ..= 1_000_000;
        /// How long a message waits after a consumer failed at it for the first time.
        backoff: Span = Span::secs(1);
        /// Growth from one wait to the next.
        factor: f64 = 2.0, 1 ..= 100;
        /// The longest wait.
        cap: Span = Span::secs(60);
        /// Messages about the same item are handed out one at a time, in their order. One at which
        /// consumers fail blocks those behind it until it is a dead letter.
        ordered: bool = false;
        /// Dead letters are put back into the queue after that time; none leaves them.
        redrive: Option<Span> = None;
    }
}
