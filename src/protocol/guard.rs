//! What guards the calls of one client, or of all clients of a node: breaker, budget, limiter,
//! bulkhead. The caller asks it before each attempt and tells it what came of it.

use super::Cx;
use super::caller::{CallSettings, Wraps};
use super::meaning::phase;
use super::note::Note;
use super::policy::breaker::{Breaker, BreakerState, CallResult, Permit};
use super::policy::budget::Budget;
use super::policy::bulkhead::Bulkhead;
use super::policy::limiter::Limiter;
use super::rpc::Refusal;
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// The policies that remember what happened to earlier calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Guard {
    pub(super) breaker: Option<Breaker>,
    pub(super) budget: Option<Budget>,
    pub(super) limiter: Option<Limiter>,
    pub(super) bulkhead: Option<Bulkhead>,
    /// Calls under way.
    pub(super) calls: u32,
}

impl Guard {
    /// As set, with nothing to remember.
    pub(super) fn new(settings: &CallSettings, now: Time) -> Guard {
        Guard {
            breaker: settings.breaker.as_ref().map(|b| Breaker::new(b, now)),
            budget: settings.budget.as_ref().map(Budget::new),
            limiter: settings.limiter.as_ref().map(|l| Limiter::new(l, now)),
            bulkhead: settings.bulkhead.map(Bulkhead::new),
            calls: 0,
        }
    }

    /// Takes from `fresh` every policy whose settings have changed.
    pub(super) fn configure(&mut self, old: &CallSettings, new: &CallSettings, fresh: &Guard) {
        if old.breaker != new.breaker {
            self.breaker.clone_from(&fresh.breaker);
        }
        if old.budget != new.budget {
            self.budget.clone_from(&fresh.budget);
        }
        if old.limiter != new.limiter {
            self.limiter.clone_from(&fresh.limiter);
        }
        if old.bulkhead != new.bulkhead {
            self.bulkhead.clone_from(&fresh.bulkhead);
        }
    }

    /// Asks the breaker alone.
    pub(super) fn acquire(&mut self, stack: u8, cx: &mut Cx<'_>) -> Result<Option<Permit>, ()> {
        let Some(breaker) = &mut self.breaker else { return Ok(None) };
        let before = breaker.state();
        let permit = breaker.try_acquire(cx.now());
        moved(stack, before, breaker.state(), cx);
        permit.map(Some).map_err(|_| ())
    }

    /// Tells the breaker what came of a call that it let through.
    pub(super) fn record(
        &mut self,
        stack: u8,
        permit: Option<Permit>,
        result: CallResult,
        took: Span,
        cx: &mut Cx<'_>,
    ) {
        let (Some(breaker), Some(permit)) = (&mut self.breaker, permit) else { return };
        let before = breaker.state();
        breaker.record(cx.now(), permit, result, took);
        moved(stack, before, breaker.state(), cx);
    }

    /// Lets an attempt pass, or says who refuses: breaker, then limiter, then bulkhead.
    pub(super) fn enter(
        &mut self,
        stack: u8,
        wraps: Wraps,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Permit>, Refusal> {
        let permit = match wraps {
            Wraps::Attempts => self.acquire(stack, cx).map_err(|()| Refusal::BreakerOpen)?,
            Wraps::Calls => None,
        };
        let refusal = if self.limiter.as_mut().is_some_and(|l| !l.try_take(cx.now())) {
            Refusal::RateLimited
        } else if self.bulkhead.as_mut().is_some_and(|b| !b.try_enter()) {
            Refusal::Bulkhead
        } else {
            return Ok(permit);
        };
        self.record(stack, permit, CallResult::Ignored, Span::ZERO, cx);
        Err(refusal)
    }
}

fn moved(stack: u8, before: BreakerState, after: BreakerState, cx: &mut Cx<'_>) {
    let (from, to) = (phase(before), phase(after));
    if from != to {
        cx.note(Note::Breaker { stack, from, to });
    }
}
