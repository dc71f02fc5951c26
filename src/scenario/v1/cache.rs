//! The cache, as people write it.

use super::breaker::Breaker;
use super::calling::{Caller, Pick, Reads};
use super::dist::Dist;
use super::policy::{Budget, Hedge, Limiter, Retry, Wraps};
use super::station::{Order, Station};
use crate::base::time::Span;
use crate::base::unit::Chance;

caller! {
    /// Answers reads from what it has heard before, and asks what is behind it for the rest.
    pub struct Cache {
        /// What is behind it: the name of a node.
        to: String = String::new();
        /// How many caches there are. Each holds what it has heard itself.
        replicas: u32 = 1, 1 ..= 500;
        /// How many requests it looks at at once.
        workers: u32 = 64, 1 ..= 1_000_000;
        /// How many may wait, the rest is refused; none lets all wait.
        queue: Option<u32> = None, 0 ..= 100_000_000;
        /// How long a look takes.
        time: Dist = Dist::Constant(Span::millis(1));
        /// How many items it can hold.
        capacity: u32 = 10_000, 1 ..= 10_000_000;
        /// Which one goes when there is no room.
        evict: Evict = Evict::Lru;
        /// How long an entry is good, by the clock of the cache; none is until it is changed or
        /// has to go.
        ttl: Option<Span> = Some(Span::secs(10));
        /// How far that is off, either way, so that what came together does not go together.
        jitter: Chance = Chance::NEVER;
        /// What becomes of an entry when its item is changed. To or from `behind`: the run begins
        /// again.
        writes: Writes = Writes::Invalidate;
        /// How long a write is kept back that is written later.
        delay: Span = Span::millis(500);
        /// One request behind serves all who want the same item meanwhile.
        coalesce: bool = false;
        /// What was asked for before its item was changed is not kept.
        leases: bool = false;
        /// A hit has an entry fetched again in the background when so little of its time is left;
        /// none waits until it is over.
        refresh_early: Option<Chance> = None;
        /// An entry is served that long after its time when what is behind fails; the answer says
        /// that it is out of date.
        stale_while_error: Option<Span> = None;
    }
}

impl Cache {
    /// The part of it that is about queueing and looking.
    pub fn station(&self) -> Station<'_> {
        Station {
            workers: self.workers,
            queue: self.queue,
            order: Order::Fifo,
            time: &self.time,
            contention: Span::ZERO,
            error: Chance::NEVER,
            shed: None,
            limit: None,
        }
    }
}

wire! {
    /// Which entry goes when there is no room for another.
    pub enum Evict {
        /// The one that was not used for the longest time.
        Lru;
        /// The one that was used least often.
        Lfu;
    }
}

wire! {
    /// What becomes of an entry when its item is changed.
    pub enum Writes {
        /// Nothing: it is old until its time is over.
        Around;
        /// It is dropped when the change is acknowledged.
        Invalidate;
        /// It is replaced when the change is acknowledged.
        Through;
        /// A write of an item that is here is acknowledged at once and written later. A crash
        /// loses it.
        Behind;
    }
}
