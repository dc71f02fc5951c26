//! A service: does work of its own, then calls what it depends on, then answers. Work goes on for
//! a caller that has given up, unless deadlines are told.

use super::caller::{CallSettings, Caller, Ended, Want};
use super::fleet::FleetMessage;
use super::fleet::duty::{Duty, DutySettings, State};
use super::note::Note;
use super::rpc::{Answer, Ending, Kind, Op, Outcome, Reply, Request};
use super::station::{Progress, Station, StationSettings};
use super::{Cx, Message, Timer};
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::slab::Key;
use crate::base::time::Time;
use crate::base::unit::Chance;
use crate::sim::process::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a service works.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceSettings {
    /// Its queue and workers.
    pub station: StationSettings,
    /// What it needs of others, in the order of calling.
    pub dependencies: Vec<Dependency>,
    /// Whether dependencies are called all at once.
    pub parallel: bool,
    /// Whether a worker is given back while its job waits for others.
    pub releases: bool,
    /// The share of items that it cannot work on; always the same ones.
    pub fails_on: Chance,
    /// Whose orders it takes, if a fleet says which replicas run.
    pub duty: Option<DutySettings>,
}

/// A service or store that this service calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// How it calls.
    pub calls: CallSettings,
    /// What it asks for; without, what it was asked itself.
    pub op: Option<Op>,
    /// Needed only for requests of this kind; without, for every request.
    pub only: Option<Kind>,
    /// If it does not answer, answer without it (degraded) instead of failing.
    pub optional: bool,
    /// How many requests it sends at once, each to the next target: a fan-out.
    pub fan_out: u32,
    /// How many of them must succeed before it goes on: a quorum, when fewer than it sends.
    pub needs: u32,
}

/// A fan-out that has not come to its end.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Fan {
    succeeded: u32,
    failed: u32,
    degraded: bool,
    version: u64,
}

impl Fan {
    /// Takes the end of one request in; says how the whole ended, if that is settled now.
    fn settle(&mut self, outcome: Outcome, dependency: &Dependency) -> Option<Outcome> {
        match outcome {
            Outcome::Answered(Answer::Done { version, .. }) => {
                self.succeeded += 1;
                self.version = self.version.max(version);
            }
            Outcome::Answered(Answer::Degraded | Answer::Stale { .. }) => {
                self.succeeded += 1;
                self.degraded = true;
            }
            Outcome::Answered(_) | Outcome::TimedOut => self.failed += 1,
        }
        if self.succeeded >= dependency.needs {
            let version = self.version;
            let answer =
                if self.degraded { Answer::Degraded } else { Answer::Done { version, value: 0 } };
            return Some(Outcome::Answered(answer));
        }
        // So many have failed that the rest cannot be enough.
        (self.failed > dependency.fan_out.saturating_sub(dependency.needs)).then_some(outcome)
    }
}

impl Dependency {
    fn is_needed_for(&self, op: Op) -> bool {
        self.only.is_none_or(|only| only.includes(op))
    }
}

/// A service at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// How it works.
    pub settings: ServiceSettings,
    /// Its queue and workers.
    pub station: Station,
    /// Its calls, by dependency.
    pub callers: Vec<Caller>,
    /// What it does at the command of a fleet, if there is one.
    pub duty: Option<Box<Duty>>,
    seed: u64,
    node: NodeId,
    /// Idempotency keys made here.
    keys: u64,
    /// Fan-outs under way, by job and dependency.
    fans: BTreeMap<(u64, u8), Fan>,
}

impl Service {
    /// An idle service.
    pub fn new(settings: ServiceSettings, seed: u64, node: NodeId) -> Service {
        let station = Station::new(settings.station.clone(), seed, node);
        let duty = settings.duty.clone().map(|duty| Box::new(Duty::new(duty, seed, node)));
        let (callers, fans) = (Vec::new(), BTreeMap::new());
        let mut service = Service { settings, station, callers, duty, seed, node, keys: 0, fans };
        service.callers = service.new_callers();
        service
    }

    fn new_callers(&self) -> Vec<Caller> {
        let new = |(d, stack): (&Dependency, u8)| {
            Caller::new(d.calls.clone(), self.seed, self.node, stack, 1)
        };
        self.settings.dependencies.iter().zip(0..).map(new).collect()
    }

    /// Takes new settings.
    pub fn configure(&mut self, settings: ServiceSettings, cx: &mut Cx<'_>) {
        self.settings = settings;
        if self.callers.len() == self.settings.dependencies.len() {
            for (caller, dependency) in self.callers.iter_mut().zip(&self.settings.dependencies) {
                caller.configure(dependency.calls.clone(), 1, cx.now());
            }
        } else {
            self.callers = self.new_callers();
            self.fans.clear();
        }
        if let (Some(duty), Some(settings)) = (&mut self.duty, &self.settings.duty) {
            duty.settings = settings.clone();
        }
        self.station.configure(self.station_settings(), cx);
    }

    /// How its station works: in another version, in another way.
    pub(super) fn station_settings(&self) -> StationSettings {
        let settings = &self.settings.station;
        self.duty.as_ref().map_or_else(|| settings.clone(), |duty| duty.station(settings))
    }

    /// Ends all requests in the house.
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_>) {
        self.station.clear_out(cx);
        self.fans.clear();
    }

    /// Forgets everything: a service holds no data.
    pub fn crash(&mut self) {
        self.station.crash();
        self.fans.clear();
        for caller in &mut self.callers {
            caller.crash(Time::ZERO);
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<super::Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { source, message } => match message {
                Message::Request(_) | Message::Probe { .. } if self.is_away(&message) => {}
                Message::Request(request) => self.request(source, request, cx),
                Message::Reply(reply) => self.reply(source, &reply, cx),
                Message::Probe { number } => cx.send(source, Message::Alive { number }),
                Message::Resolved { stack, resolver, place } => {
                    if let Some(caller) = self.callers.get_mut(usize::from(stack)) {
                        caller.resolved(resolver, place, cx.now());
                    }
                }
                Message::Fleet(message) => {
                    if let FleetMessage::Order(order) = *message {
                        self.ordered(source, order, cx);
                    }
                }
                _ => {}
            },
            Input::Timer(Timer::Work { job }) => self.worked(job, cx),
            Input::Timer(Timer::Call { stack, what }) => {
                if let Some(caller) = self.callers.get_mut(usize::from(stack)) {
                    let ended = caller.timer(what, cx);
                    self.called(stack, ended, cx);
                }
            }
            Input::Timer(Timer::Fleet(timer)) => self.duty_timer(timer, cx),
            Input::Restart => self.resume(cx),
            Input::Timer(_) | Input::Start | Input::Persisted(_) => {}
        }
        if self.duty.is_some() {
            self.finished(cx);
        }
    }

    /// True if nobody is there to take this: a replica that is off or starts takes nothing, and
    /// one that is about to stop says so to requests and answers no health check.
    fn is_away(&self, message: &Message) -> bool {
        let probe = matches!(message, Message::Probe { .. });
        self.duty
            .as_ref()
            .is_some_and(|duty| duty.is_away() || (probe && duty.state == State::Draining))
    }

    fn request(&mut self, source: NodeId, request: Request, cx: &mut Cx<'_>) {
        self.station.offer(source, request, cx);
    }

    fn reply(&mut self, source: NodeId, reply: &Reply, cx: &mut Cx<'_>) {
        let stack = reply.ticket.stack;
        if let Some(caller) = self.callers.get_mut(usize::from(stack)) {
            let ended = caller.reply(source, reply, cx);
            self.called(stack, ended, cx);
        }
    }

    /// The service's own part of a job is done.
    fn worked(&mut self, key: Key, cx: &mut Cx<'_>) {
        let Some(item) = self.station.job(key).map(|job| job.request.item) else { return };
        if self.station.fails() || self.cannot(item) {
            return self.station.finish(key, Answer::Error, cx);
        }
        if self.callers.is_empty() {
            return self.station.finish(key, Answer::Done { version: 0, value: 0 }, cx);
        }
        if self.settings.releases {
            self.station.release(key, cx);
        }
        let Some(job) = self.station.job(key) else { return };
        let op = job.request.op;
        let dependencies = self.settings.dependencies.iter();
        let needed: Vec<bool> = dependencies.map(|d| d.is_needed_for(op)).collect();
        let count = needed.iter().filter(|needed| **needed).count();
        if !self.settings.parallel || count == 0 {
            return self.go_on(key, cx);
        }
        job.progress.pending = count as u8;
        job.progress.next = needed.len() as u8;
        for dependency in (0..needed.len()).filter(|place| needed[*place]) {
            self.call(key, dependency, cx);
        }
    }

    /// True if this is an item that the service cannot work on, however often it is asked; so it
    /// is on every replica.
    fn cannot(&self, item: u32) -> bool {
        let share = self.settings.fails_on;
        share > Chance::NEVER && Stream::new(self.seed, "fails on", item.into()).chance(share)
    }

    fn call(&mut self, key: Key, dependency: usize, cx: &mut Cx<'_>) {
        let Some(job) = self.station.job(key) else { return };
        let request = job.request;
        let op = self.settings.dependencies[dependency].op.unwrap_or(request.op);
        job.progress.changes = job.progress.changes.saturating_add(op.changes().into());
        if request.key == 0 {
            // Whoever asked gave no key. One made here is the same in every attempt of this call,
            // and another one when the request comes again.
            self.keys += 1;
        }
        let own = (u64::from(self.node.0) << 40) | self.keys;
        let owner = owner(key);
        let want = Want {
            owner,
            guard: 0,
            intent: request.intent,
            op,
            item: request.item,
            key: if request.key == 0 { own } else { request.key },
            deadline: request.deadline,
            after: request.after,
        };
        let stack = dependency as u8;
        let copies = self.settings.dependencies[dependency].fan_out.max(1);
        if copies > 1 {
            self.fans.insert((owner, stack), Fan::default());
        }
        for _ in 0..copies {
            let ended = self.callers[dependency].begin(want, cx);
            self.called(stack, ended, cx);
            if copies > 1 && !self.fans.contains_key(&(owner, stack)) {
                // Refused at once so often that the rest need not be sent.
                break;
            }
        }
    }

    /// A call to a dependency has ended, if it has.
    fn called(&mut self, stack: u8, ended: Option<Ended>, cx: &mut Cx<'_>) {
        let Some(ended) = ended else { return };
        let key = Key { index: (ended.owner >> 32) as u32, generation: ended.owner as u32 };
        let dependency = &self.settings.dependencies[usize::from(stack)];
        let optional = dependency.optional;
        let mut outcome = ended.outcome;
        if dependency.fan_out > 1 {
            // An answer that comes when the quorum is there already is of no use.
            let Some(fan) = self.fans.get_mut(&(ended.owner, stack)) else { return };
            let Some(settled) = fan.settle(outcome, dependency) else { return };
            self.fans.remove(&(ended.owner, stack));
            outcome = settled;
        }
        let Some(job) = self.station.job(key) else { return };
        job.progress.pending -= 1;
        match outcome {
            Outcome::Answered(Answer::Done { version, value }) => {
                job.progress.version = job.progress.version.max(version);
                job.progress.value = value;
            }
            Outcome::Answered(Answer::Stale { version, value }) => {
                job.progress.version = job.progress.version.max(version);
                job.progress.value = value;
                job.progress.stale = true;
            }
            Outcome::Answered(Answer::Degraded) => job.progress.degraded = true,
            Outcome::Answered(_) | Outcome::TimedOut if optional => {
                job.progress.degraded = true;
                cx.note(Note::Fallback { intent: ended.intent, dependency: stack });
            }
            Outcome::Answered(answer) if ended.ending != Ending::Unknown => {
                // Of several copies, others may have been taken.
                let changes = ended.op.changes() && dependency.fan_out < 2;
                job.progress.changes = job.progress.changes.saturating_sub(changes.into());
                job.progress.failed = Some(pass_on(answer));
            }
            Outcome::Answered(_) | Outcome::TimedOut => job.progress.failed = Some(Answer::Error),
        }
        let progress = job.progress;
        if progress.failed.is_some() || progress.pending == 0 {
            self.go_on(key, cx);
        }
    }

    fn go_on(&mut self, key: Key, cx: &mut Cx<'_>) {
        let Some(job) = self.station.job(key) else { return };
        let op = job.request.op;
        let progress = &mut job.progress;
        let mut left = self.settings.dependencies.iter().enumerate().skip(progress.next.into());
        let next = left.find(|(_, d)| d.is_needed_for(op));
        let answer = match (progress.failed, next) {
            (Some(_), _) if progress.changes > 0 => Answer::Unsure,
            (Some(answer), _) => answer,
            (None, Some((dependency, _))) => {
                progress.next = dependency as u8 + 1;
                progress.pending = 1;
                return self.call(key, dependency, cx);
            }
            (None, None) if progress.degraded => Answer::Degraded,
            (None, None) => {
                let Progress { version, value, stale, .. } = *progress;
                if stale {
                    Answer::Stale { version, value }
                } else {
                    Answer::Done { version, value }
                }
            }
        };
        if !self.fans.is_empty() {
            let mine = (owner(key), 0)..=(owner(key), u8::MAX);
            let left: Vec<_> = self.fans.range(mine).map(|(place, _)| *place).collect();
            for place in left {
                self.fans.remove(&place);
            }
        }
        self.station.finish(key, answer, cx);
    }
}

/// A job as the number that its calls carry.
fn owner(key: Key) -> u64 {
    (u64::from(key.index) << 32) | u64::from(key.generation)
}

/// What a caller further up is told: that something behind failed, unless the answer is about the
/// request itself.
fn pass_on(answer: Answer) -> Answer {
    match answer {
        Answer::Conflict | Answer::KeyReused | Answer::Unsure => answer,
        Answer::Refused(why) if !why.is_local() => Answer::Refused(why),
        Answer::Done { .. }
        | Answer::Degraded
        | Answer::Stale { .. }
        | Answer::Refused(_)
        | Answer::Error => Answer::Error,
    }
}
