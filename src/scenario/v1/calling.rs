//! What everything that calls others has in common: how long it waits, when it tries again, whom it
//! asks.

use super::breaker::Breaker;
use super::policy::{Budget, Hedge, Limiter, Retry, Wraps};
use crate::base::time::Span;

/// Adds to the fields of a type those of every caller.
macro_rules! caller {
    (
        $(#[$doc:meta])*
        pub struct $name:ident { $($own:tt)* }
    ) => {
        wire! {
            $(#[$doc])*
            pub struct $name {
                $($own)*
                /// How long to wait for the answer to one attempt; none waits for ever.
                timeout: Option<Span> = None;
                /// How long to wait in all, retries included; none waits for ever.
                deadline: Option<Span> = None;
                /// Tell servers when nobody will wait any more, so that they can save the work.
                tell_deadline: bool = false;
                /// When to try again.
                retry: Retry = Retry::default();
                /// A budget for retries.
                budget: Option<Budget> = None;
                /// A circuit breaker.
                breaker: Option<Breaker> = None;
                /// What the breaker counts.
                breaker_wraps: Wraps = Wraps::Attempts;
                /// A limit on the rate of requests.
                limiter: Option<Limiter> = None;
                /// A limit on requests outstanding, so that one slow target cannot take everything.
                bulkhead: Option<u32> = None, 1 ..= 1_000_000;
                /// A second copy of a request that is slow.
                hedge: Option<Hedge> = None;
                /// Send an idempotency key, the same in every attempt.
                idempotency: bool = false;
                /// How one of several targets is chosen.
                pick: Pick = Pick::RoundRobin;
                /// Which replicas of a store may answer reads; changes go to the one that leads.
                reads: Reads = Reads::Leader;
            }
        }

        impl $name {
            /// The part of it that is about calling.
            pub fn caller(&self) -> Caller<'_> {
                Caller {
                    timeout: self.timeout,
                    deadline: self.deadline,
                    tell_deadline: self.tell_deadline,
                    retry: &self.retry,
                    budget: self.budget.as_ref(),
                    breaker: self.breaker.as_ref(),
                    breaker_wraps: self.breaker_wraps,
                    limiter: self.limiter.as_ref(),
                    bulkhead: self.bulkhead,
                    hedge: self.hedge.as_ref(),
                    idempotency: self.idempotency,
                    pick: self.pick,
                    reads: self.reads,
                }
            }
        }
    };
}

/// The fields that all callers share.
pub struct Caller<'a> {
    /// For one attempt.
    pub timeout: Option<Span>,
    /// In all.
    pub deadline: Option<Span>,
    /// Whether servers are told.
    pub tell_deadline: bool,
    /// When to try again.
    pub retry: &'a Retry,
    /// Who may.
    pub budget: Option<&'a Budget>,
    /// When to stop.
    pub breaker: Option<&'a Breaker>,
    /// What the breaker counts.
    pub breaker_wraps: Wraps,
    /// At which rate.
    pub limiter: Option<&'a Limiter>,
    /// How many at once.
    pub bulkhead: Option<u32>,
    /// When to send a copy.
    pub hedge: Option<&'a Hedge>,
    /// Whether with a key.
    pub idempotency: bool,
    /// To which target.
    pub pick: Pick,
    /// Which replicas may answer reads.
    pub reads: Reads,
}

wire! {
    /// Which replicas of a store may answer reads.
    pub enum Reads {
        /// The one that leads.
        Leader;
        /// Any, whatever it has applied.
        Any;
        /// Any but the one that leads.
        Replica;
        /// The one with the shortest way, whatever it has applied.
        Nearest;
        /// Any that has applied what the client has seen before.
        Session;
    }
}

wire! {
    /// How one of several targets is chosen.
    pub enum Pick {
        /// One after the other.
        RoundRobin;
        /// Any.
        Random;
    }
}
