//! A call under way, as its caller keeps it.

use super::Timer;
use super::caller::CallTimer;
use super::policy::breaker::Permit;
use super::policy::budget::FailureKind;
use super::policy::retry::BackoffState;
use super::rpc::{Op, Ticket};
use crate::base::slab::Slab;
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// An attempt that has not ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) number: u8,
    pub(super) sent: Time,
    pub(super) permit: Option<Permit>,
    pub(super) versioned: bool,
}

/// A call that has not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) owner: u64,
    pub(super) intent: u64,
    pub(super) op: Op,
    pub(super) item: u32,
    pub(super) key: u64,
    pub(super) after: u64,
    pub(super) guard: u32,
    pub(super) attempts: u8,
    pub(super) hedges: u8,
    pub(super) unanswered: bool,
    pub(super) retrying: bool,
    pub(super) last_failure: Option<FailureKind>,
    pub(super) began: Time,
    pub(super) deadline: Time,
    pub(super) backoff: BackoffState,
    pub(super) permit: Option<Permit>,
    pub(super) live: Option<Attempt>,
    // Hedged copies; empty, and so without an allocation, in most calls.
    pub(super) others: Vec<Attempt>,
}

/// True if an attempt of a call has not ended.
pub(super) fn awaits(calls: &Slab<Call>, ticket: Ticket) -> bool {
    calls
        .get(ticket.call)
        .is_some_and(|c| c.live.iter().chain(&c.others).any(|a| a.number == ticket.attempt))
}

/// The reminder that an attempt has waited long enough.
pub(super) fn timeout(ticket: Ticket) -> Timer {
    let what = CallTimer::Timeout { call: ticket.call, attempt: ticket.attempt };
    Timer::Call { stack: ticket.stack, what }
}
