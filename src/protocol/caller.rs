//! The caller's side of a call: the stack of policies between wanting something and sending it.
//!
//! The order is fixed and is that of resilience4j's decorators: deadline around retry (with its
//! budget) around breaker around rate limiter around bulkhead around the timeout of one attempt.
//! A breaker that wraps calls instead of attempts stands outside of retry. An answer that comes
//! after its attempt timed out is not taken.

use super::Cx;
use super::Message;
use super::Timer;
use super::call::{Attempt, Call, awaits, timeout};
use super::dns::{ResolverSettings, Resolvers};
use super::guard::Guard;
use super::meaning::{ending, failure, late, result, retryable};
use super::note::{NoRetry, Note};
use super::policy::breaker::{Breaker, BreakerSettings, CallResult};
use super::policy::budget::BudgetSettings;
use super::policy::hedge::HedgeSettings;
use super::policy::limiter::LimiterSettings;
use super::policy::retry::{BackoffState, RetrySettings};
use super::policy::timeout::TimeoutSettings;
use super::route::{Pick, Reads, Route};
use super::rpc::{Answer, Ending, Op, Outcome, Refusal, Reply, Request, Ticket};
use super::timeouts::Timeouts;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// How a caller calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallSettings {
    /// The nodes that can answer; each attempt goes to one of them.
    pub targets: Vec<NodeId>,
    /// How it finds out which of them to use, where a name stands for them.
    pub resolver: Option<ResolverSettings>,
    /// How the node is chosen.
    pub pick: Pick,
    /// Where reads may come from, if the targets are replicas of the same data.
    pub reads: Option<Reads>,
    /// How long to wait.
    pub timeout: TimeoutSettings,
    /// Whether servers are told when nobody will wait any more.
    pub tell_deadline: bool,
    /// When to try again.
    pub retry: RetrySettings,
    /// Who may try again.
    pub budget: Option<BudgetSettings>,
    /// When to stop trying.
    pub breaker: Option<BreakerSettings>,
    /// What the breaker counts.
    pub breaker_wraps: Wraps,
    /// How many requests may be sent in a time.
    pub limiter: Option<LimiterSettings>,
    /// How many attempts may be outstanding.
    pub bulkhead: Option<u32>,
    /// When to send a second copy.
    pub hedge: Option<HedgeSettings>,
    /// Whether requests carry an idempotency key, the same in every attempt.
    pub idempotency: bool,
}

/// What a breaker counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wraps {
    /// Every attempt.
    #[default]
    Attempts,
    /// Every call, retries included.
    Calls,
}

/// What a caller is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallTimer {
    /// An attempt has waited long enough.
    Timeout {
        /// The call.
        call: Key,
        /// The attempt.
        attempt: u8,
    },
    /// The wait before the next attempt is over.
    Retry {
        /// The call.
        call: Key,
    },
    /// The time has come for a second copy.
    Hedge {
        /// The call.
        call: Key,
        /// Sent only if no attempt after this one has gone out.
        attempt: u8,
    },
}

/// A call that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Who wanted it, in the caller's own numbering.
    pub owner: u64,
    /// For which intent.
    pub intent: u64,
    /// What was wanted.
    pub op: Op,
    /// How it ended.
    pub ending: Ending,
    /// The last thing that was heard.
    pub outcome: Outcome,
    /// How many attempts were made.
    pub attempts: u8,
    /// When it began.
    pub began: Time,
}

/// The calls a node makes to one group of targets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Caller {
    /// How it calls.
    pub settings: CallSettings,
    stack: u8,
    calls: Slab<Call>,
    pub(super) timeouts: Timeouts,
    guards: Vec<Guard>,
    route: Route,
    /// Where its clients were told that a name leads.
    pub resolvers: Resolvers,
    jitter: Stream,
    throttle: Stream,
}

/// What is wanted of a caller.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// Who wants it, in the owner's numbering; comes back in [`Ended`].
    pub owner: u64,
    /// Whose guards apply: the client's number, or zero.
    pub guard: u32,
    /// For which intent.
    pub intent: u64,
    /// What.
    pub op: Op,
    /// Of which item.
    pub item: u32,
    /// The idempotency key to carry, zero for none.
    pub key: u64,
    /// When nobody waits any more.
    pub deadline: Time,
    /// How much of its log a replica must have applied to answer a read in this session.
    pub after: u64,
}

impl Caller {
    /// The `stack`-th call stack of a node; `guards` is one for each client with policies of its
    /// own, or one for all.
    pub fn new(settings: CallSettings, seed: u64, node: NodeId, stack: u8, guards: u32) -> Caller {
        let number = (u64::from(node.0) << 8) | u64::from(stack);
        let mut caller = Caller {
            settings,
            stack,
            calls: Slab::default(),
            timeouts: Timeouts::default(),
            guards: Vec::new(),
            route: Route::new(Stream::new(seed, "target pick", number)),
            resolvers: Resolvers::default(),
            jitter: Stream::new(seed, "retry jitter", number),
            throttle: Stream::new(seed, "throttle", number),
        };
        let count = if caller.is_guarded() { guards.max(1) } else { 1 };
        let guard = Guard::new(&caller.settings, Time::ZERO);
        caller.guards = vec![guard; count as usize];
        caller
    }

    /// Takes new settings. Policies that changed start afresh; calls under way go on.
    pub fn configure(&mut self, settings: CallSettings, guards: u32, now: Time) {
        let old = std::mem::replace(&mut self.settings, settings);
        let count = if self.is_guarded() { guards.max(1) as usize } else { 1 };
        let fresh = Guard::new(&self.settings, now);
        // Never fewer: calls under way know their guard by its place.
        self.guards.resize(count.max(self.guards.len()), fresh.clone());
        for guard in &mut self.guards {
            guard.configure(&old, &self.settings, &fresh);
        }
    }

    fn is_guarded(&self) -> bool {
        let s = &self.settings;
        s.breaker.is_some() || s.budget.is_some() || s.limiter.is_some() || s.bulkhead.is_some()
    }

    /// Forgets all calls, as a crash does. Breakers and budgets start afresh.
    pub fn crash(&mut self, now: Time) {
        self.calls.clear();
        self.timeouts.clear();
        let guard = Guard::new(&self.settings, now);
        self.guards.fill(guard);
    }

    /// How many calls have not ended.
    pub fn outstanding(&self) -> u32 {
        self.calls.len()
    }

    /// What an answer or reminder is about, if it still matters to anyone.
    pub fn owner(&self, call: Key) -> Option<u64> {
        self.calls.get(call).map(|c| c.owner)
    }

    /// How many attempts the call has made.
    pub fn attempts(&self, call: Key) -> u8 {
        self.calls.get(call).map_or(0, |c| c.attempts)
    }

    /// True while the call waits between two attempts.
    pub fn is_backing_off(&self, call: Key) -> bool {
        self.calls.get(call).is_some_and(|c| c.live.is_none())
    }

    /// True if this attempt's sender still waits for it.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        awaits(&self.calls, ticket)
    }

    /// The breakers of this caller.
    pub fn breakers(&self) -> impl Iterator<Item = &Breaker> {
        self.guards.iter().filter_map(|g| g.breaker.as_ref())
    }

    /// The retry budgets of this caller, each from 0 (empty) to 1.
    pub fn budgets(&self, now: Time) -> impl Iterator<Item = f64> {
        self.guards.iter().filter_map(move |g| g.budget.as_ref()?.fill(now))
    }

    /// Begins a call. It may end at once, when a policy refuses it.
    pub fn begin(&mut self, want: Want, cx: &mut Cx<'_>) -> Option<Ended> {
        let now = cx.now();
        let own = self.settings.timeout.deadline.map_or(Time::NEVER, |span| now + span);
        let guard = want.guard.min(self.guards.len() as u32 - 1);
        let mut call = Call {
            owner: want.owner,
            intent: want.intent,
            op: want.op,
            item: want.item,
            key: if self.settings.idempotency { want.key } else { 0 },
            after: want.after,
            guard,
            attempts: 0,
            hedges: 0,
            unanswered: false,
            retrying: false,
            last_failure: None,
            began: now,
            deadline: own.min(want.deadline),
            backoff: BackoffState::default(),
            permit: None,
            live: None,
            others: Vec::new(),
        };
        let mut refusal = None;
        if let Some(budget) = &mut self.guards[guard as usize].budget
            && !budget.first_try(now, &mut self.throttle)
        {
            refusal = Some(Refusal::Throttled);
        }
        if refusal.is_none() && self.settings.breaker_wraps == Wraps::Calls {
            match self.guards[guard as usize].acquire(self.stack, cx) {
                Ok(permit) => call.permit = permit,
                Err(()) => refusal = Some(Refusal::BreakerOpen),
            }
        }
        self.guards[guard as usize].calls += 1;
        let key = self.calls.insert(call);
        match refusal {
            Some(why) => {
                cx.note(Note::Refused { intent: want.intent, why, stayed: Span::ZERO });
                self.finish(key, Outcome::Answered(Answer::Refused(why)), cx)
            }
            None => self.attempt(key, false, cx),
        }
    }

    /// Takes an answer. [`Note::Late`] if nobody waits for it.
    pub fn reply(&mut self, source: NodeId, reply: &Reply, cx: &mut Cx<'_>) -> Option<Ended> {
        if !self.awaits(reply.ticket) {
            cx.note(late(reply));
            return None;
        }
        let (call, number) = (reply.ticket.call, reply.ticket.attempt);
        let op = self.calls.get(call).map_or(Op::Read, |c| c.op);
        self.route.answered(source, op, reply.answer, self.settings.reads);
        if let Some((version, _)) = reply.answer.data()
            && self.second_half(call, number, version, cx)
        {
            return None;
        }
        self.attempt_ended(call, number, Outcome::Answered(reply.answer), cx)
    }

    /// Takes a reminder.
    pub fn timer(&mut self, timer: CallTimer, cx: &mut Cx<'_>) -> Option<Ended> {
        match timer {
            CallTimer::Timeout { call, attempt } => {
                let ticket = Ticket { call, stack: self.stack, attempt };
                self.timeouts.came(ticket, cx, |t| awaits(&self.calls, t), timeout);
                if !self.awaits(ticket) {
                    return None;
                }
                self.route.forget_leader();
                self.attempt_ended(call, attempt, Outcome::TimedOut, cx)
            }
            CallTimer::Retry { call } => {
                let idle = self.calls.get(call).is_some_and(|c| c.live.is_none());
                if idle { self.attempt(call, false, cx) } else { None }
            }
            CallTimer::Hedge { call, attempt } => {
                let due =
                    self.calls.get(call).is_some_and(|c| c.attempts == attempt && c.live.is_some());
                if due { self.attempt(call, true, cx) } else { None }
            }
        }
    }

    /// After the read of an update comes the write, within the same attempt.
    fn second_half(&mut self, call: Key, number: u8, version: u64, cx: &mut Cx<'_>) -> bool {
        let Some(c) = self.calls.get_mut(call) else { return false };
        let attempt = c.live.iter_mut().chain(&mut c.others).find(|a| a.number == number);
        let Some(attempt) = attempt.filter(|a| c.op == Op::Update && !a.versioned) else {
            return false;
        };
        attempt.versioned = true;
        let request = self.request(call, number, Op::CompareAndSet { version });
        if let Some(request) = request {
            let target = self.target(call, request.op, cx);
            cx.send(target, Message::Request(request));
        }
        true
    }

    fn request(&self, call: Key, attempt: u8, op: Op) -> Option<Request> {
        let c = self.calls.get(call)?;
        let deadline = if self.settings.tell_deadline {
            self.settings.timeout.attempt_ends(c.began, c.deadline).min(c.deadline)
        } else {
            Time::NEVER
        };
        let ticket = Ticket { call, stack: self.stack, attempt };
        let after = self.route.after(self.settings.reads, op, c.after);
        Some(Request { ticket, intent: c.intent, op, item: c.item, key: c.key, deadline, after })
    }

    /// Where the next attempt of a call goes.
    fn target(&mut self, call: Key, op: Op, cx: &mut Cx<'_>) -> NodeId {
        match &self.settings.resolver {
            Some(resolver) => {
                let owner = self.calls.get(call).map_or(0, |c| c.owner);
                self.resolvers.place(resolver, self.stack, owner, cx)
            }
            None => self.route.pick(&self.settings, op),
        }
    }

    /// A name server has said where its name leads.
    pub fn resolved(&mut self, resolver: u8, place: Option<NodeId>, now: Time) {
        if let (Some(place), Some(settings)) = (place, &self.settings.resolver) {
            self.resolvers.told(resolver, place, now + settings.ttl);
        }
    }

    /// The guard of a call, to act on while the stack's number is at hand.
    fn guard(&mut self, place: u32) -> (u8, &mut Guard) {
        (self.stack, &mut self.guards[place as usize])
    }

    fn attempt(&mut self, key: Key, hedge: bool, cx: &mut Cx<'_>) -> Option<Ended> {
        let now = cx.now();
        let (guard, deadline) = self.calls.get(key).map(|c| (c.guard, c.deadline))?;
        let wraps = self.settings.breaker_wraps;
        let (stack, g) = self.guard(guard);
        let entered = g.enter(stack, wraps, cx);
        let call = self.calls.get_mut(key)?;
        let permit = match entered {
            Ok(permit) => permit,
            Err(_) if hedge => return None,
            Err(why) => {
                call.attempts = call.attempts.saturating_add(1);
                cx.note(Note::Refused { intent: call.intent, why, stayed: Span::ZERO });
                return self.failed(key, Outcome::Answered(Answer::Refused(why)), cx);
            }
        };
        call.attempts = call.attempts.saturating_add(1);
        let number = call.attempts;
        let attempt = Attempt { number, sent: now, permit, versioned: false };
        if hedge {
            call.hedges += 1;
            call.others.push(attempt);
        } else {
            call.live = Some(attempt);
        }
        let (intent, hedges) = (call.intent, call.hedges);
        let op = if call.op == Op::Update { Op::Read } else { call.op };
        let request = self.request(key, number, op)?;
        let target = self.target(key, op, cx);
        cx.note(Note::Sent { intent, attempt: number, target, hedge });
        cx.send(target, Message::Request(request));
        let stack = self.stack;
        let ends = self.settings.timeout.attempt_ends(now, deadline);
        if ends < Time::NEVER {
            let ticket = Ticket { call: key, stack, attempt: number };
            self.timeouts.add(ends, ticket, cx, |t| awaits(&self.calls, t), timeout);
        }
        if let Some(settings) = &self.settings.hedge
            && u32::from(hedges) < settings.max_extra
        {
            let what = CallTimer::Hedge { call: key, attempt: number };
            cx.set_timer(settings.after, Timer::Call { stack, what });
        }
        None
    }

    fn attempt_ended(
        &mut self,
        key: Key,
        number: u8,
        outcome: Outcome,
        cx: &mut Cx<'_>,
    ) -> Option<Ended> {
        let call = self.calls.get_mut(key)?;
        call.unanswered |= matches!(outcome, Outcome::TimedOut | Outcome::Answered(Answer::Unsure));
        let attempt = match call.live.take_if(|a| a.number == number) {
            Some(attempt) => attempt,
            None => {
                let place = call.others.iter().position(|a| a.number == number)?;
                call.others.remove(place)
            }
        };
        // The oldest copy still out there takes the place of the first.
        if call.live.is_none() && !call.others.is_empty() {
            call.live = Some(call.others.remove(0));
        }
        let (guard, intent, others) = (call.guard, call.intent, call.live.is_some());
        let took = cx.now().since(attempt.sent);
        cx.note(Note::Answered { intent, attempt: number, outcome, took });
        if let Some(bulkhead) = &mut self.guards[guard as usize].bulkhead {
            bulkhead.leave();
        }
        let (stack, g) = self.guard(guard);
        g.record(stack, attempt.permit, result(outcome), took, cx);
        if ending(outcome, false).is_good() {
            return self.succeeded(key, outcome, cx);
        }
        if others {
            // A copy is still out there; it may yet succeed.
            return None;
        }
        self.failed(key, outcome, cx)
    }

    fn succeeded(&mut self, key: Key, outcome: Outcome, cx: &mut Cx<'_>) -> Option<Ended> {
        let call = self.calls.get(key)?;
        if let Some(budget) = &mut self.guards[call.guard as usize].budget {
            budget.succeeded_after(cx.now(), call.last_failure);
        }
        self.finish(key, outcome, cx)
    }

    /// An attempt failed and no other is outstanding: try again, or give up.
    fn failed(&mut self, key: Key, outcome: Outcome, cx: &mut Cx<'_>) -> Option<Ended> {
        let now = cx.now();
        let call = self.calls.get_mut(key)?;
        let intent = call.intent;
        let kind = failure(outcome);
        let guard = &mut self.guards[call.guard as usize];
        if let Some(budget) = &mut guard.budget {
            if std::mem::take(&mut call.retrying) {
                budget.retry_ended();
            }
            budget.failed(now, kind);
        }
        call.last_failure = Some(kind);
        let retry = &self.settings.retry;
        let tries = u32::from(call.attempts.saturating_sub(call.hedges));
        let mut why = None;
        if !retryable(retry, outcome) {
            why = Some(NoRetry::Outcome);
        } else if tries >= retry.attempts {
            why = Some(NoRetry::Attempts);
        } else if now >= call.deadline {
            why = Some(NoRetry::Deadline);
        } else if let Some(budget) = &mut guard.budget
            && !budget.allow_retry(now, kind, guard.calls)
        {
            why = Some(NoRetry::Budget);
        }
        let wait = if why.is_none() {
            retry.backoff.wait(tries, &mut call.backoff, &mut self.jitter)
        } else {
            Span::ZERO
        };
        if why.is_none() && now + wait >= call.deadline {
            why = Some(NoRetry::Deadline);
        }
        if let Some(why) = why {
            if retry.attempts > 1 {
                cx.note(Note::NoRetry { intent, why });
            }
            return self.finish(key, outcome, cx);
        }
        call.retrying = true;
        let attempt = call.attempts.saturating_add(1);
        cx.note(Note::Waits { intent, attempt, wait });
        if wait == Span::ZERO {
            return self.attempt(key, false, cx);
        }
        cx.set_timer(wait, Timer::Call { stack: self.stack, what: CallTimer::Retry { call: key } });
        None
    }

    fn finish(&mut self, key: Key, outcome: Outcome, cx: &mut Cx<'_>) -> Option<Ended> {
        let call = self.calls.remove(key)?;
        let guard = &mut self.guards[call.guard as usize];
        guard.calls -= 1;
        if let Some(budget) = &mut guard.budget
            && call.retrying
        {
            budget.retry_ended();
        }
        for attempt in call.live.iter().chain(&call.others) {
            if let Some(bulkhead) = &mut self.guards[call.guard as usize].bulkhead {
                bulkhead.leave();
            }
            let (stack, guard) = self.guard(call.guard);
            guard.record(stack, attempt.permit, CallResult::Ignored, Span::ZERO, cx);
        }
        let took = cx.now().since(call.began);
        let (stack, guard) = self.guard(call.guard);
        guard.record(stack, call.permit, result(outcome), took, cx);
        Some(Ended {
            owner: call.owner,
            intent: call.intent,
            op: call.op,
            ending: ending(outcome, call.unanswered),
            outcome,
            attempts: call.attempts,
            began: call.began,
        })
    }
}
