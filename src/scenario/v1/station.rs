//! What everything that works has in common: workers, and a queue before them.

use super::dist::Dist;
use super::policy::{Limit, Shed};
use crate::base::time::Span;
use crate::base::unit::Chance;

/// Adds to the fields of a type those of every queue with workers.
macro_rules! station {
    (
        $(#[$doc:meta])*
        pub struct $name:ident { $($own:tt)* }
    ) => {
        wire! {
            $(#[$doc])*
            pub struct $name {
                /// How many requests are worked on at once.
                workers: u32 = 4, 1 ..= 1_000_000;
                /// How many may wait, the rest is refused; none lets all wait.
                queue: Option<u32> = None, 0 ..= 100_000_000;
                /// Which waiting request is next.
                order: Order = Order::Fifo;
                /// How long the work for one request takes.
                time: Dist = Dist::Exponential(Span::millis(10));
                /// How much longer for each request being worked on at the same time.
                contention: Span = Span::ZERO;
                /// The chance that the work fails.
                error: Chance = Chance::NEVER;
                /// Drop requests that have waited too long.
                shed: Option<Shed> = None;
                /// Refuse requests beyond a limit that adapts.
                limit: Option<Limit> = None;
                $($own)*
            }
        }

        impl $name {
            /// The part of it that is about queueing and working.
            pub fn station(&self) -> Station<'_> {
                Station {
                    workers: self.workers,
                    queue: self.queue,
                    order: self.order,
                    time: &self.time,
                    contention: self.contention,
                    error: self.error,
                    shed: self.shed.as_ref(),
                    limit: self.limit.as_ref(),
                }
            }
        }
    };
}

/// The fields that everything with a queue and workers shares.
pub struct Station<'a> {
    /// How many at once.
    pub workers: u32,
    /// How many may wait.
    pub queue: Option<u32>,
    /// Which is next.
    pub order: Order,
    /// How long the work takes.
    pub time: &'a Dist,
    /// How much longer in company.
    pub contention: Span,
    /// How often it fails.
    pub error: Chance,
    /// What is dropped.
    pub shed: Option<&'a Shed>,
    /// What is refused.
    pub limit: Option<&'a Limit>,
}

wire! {
    /// Which waiting request is next.
    pub enum Order {
        /// The oldest.
        Fifo;
        /// The newest: under overload, the one whose caller is most likely still there.
        Lifo;
    }
}
