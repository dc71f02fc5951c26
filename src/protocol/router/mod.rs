//! A router: stands before the shards of a store and sends each request to the one that has its
//! key. It holds the map of keys, changes it while it serves, and carries out transfers between
//! accounts on different shards.

pub mod book;
pub mod map;
mod moving;
pub(in crate::protocol) mod mutation;
#[cfg(test)]
mod swarm;
pub mod transfer;

use super::caller::{CallSettings, Caller, Ended, Want};
use super::policy::idempotency::{KeySettings, KeyTable};
use super::rpc::{Answer, Ending, Op, Outcome, Request};
use super::station::{Station, StationSettings};
use super::store::StoreMessage;
use super::{Cx, Message, Role, Timer};
use crate::base::id::NodeId;
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};
use crate::sim::process::Input;
use book::{Book, Record};
use map::{Map, Placement};
use moving::Move;
use mutation::Mutation;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use transfer::{Transfer, Transfers};

/// Versions of items are given out with the version of the map in front, so that they grow also
/// where the new shard counts from the beginning.
const EPOCH: u32 = 40;

/// How a router works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouterSettings {
    /// Its queue and workers.
    pub station: StationSettings,
    /// How each shard is called.
    pub shards: Vec<CallSettings>,
    /// How many of them, from the first, have keys.
    pub active: u32,
    /// Which has which.
    pub placement: Placement,
    /// How many keys there are.
    pub items: u32,
    /// How many keys move at once when the map changes.
    pub moves: u32,
    /// How transfers between shards are done.
    pub transfers: Transfers,
    /// Whether the steps of a saga carry idempotency keys.
    pub keyed: bool,
    /// How long it waits for a shard in what it does by itself.
    pub patience: Span,
    /// How long it waits before it tries such a thing again.
    pub again: Span,
    /// How often it tries a step of a saga.
    pub tries: u32,
}

/// What a router is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouterTimer {
    /// To try again what it does for a key that moves.
    Move {
        /// Which key.
        item: u32,
    },
    /// To try again a step of a transfer.
    Step {
        /// Which transfer.
        number: u64,
        /// Which of its two sides.
        side: u8,
    },
}

/// What a call to a shard is for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Errand {
    /// A request, passed on.
    Pass { job: Key, items: [u32; 2] },
    /// A part of a request to all shards.
    Part { job: Key },
    /// A side of a transfer.
    Side { number: u64, side: u8 },
    /// A key moves.
    Move { item: u32 },
    /// Nothing that is waited for.
    Tell,
}

/// What is asked of a shard.
#[derive(Clone, Copy, Debug)]
struct Ask {
    op: Op,
    item: u32,
    key: u64,
    intent: u64,
    deadline: Time,
}

/// A request to all shards.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Gather {
    left: u32,
    value: i64,
    failed: Option<Answer>,
    unknown: bool,
}

/// How many requests each shard was sent: in all, and lately.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heat {
    /// Since the beginning.
    pub sent: Vec<u64>,
    // In the second under way, which that is, and in the one before it.
    now: Vec<u32>,
    second: u64,
    before: Vec<u32>,
}

impl Heat {
    fn new(shards: usize) -> Heat {
        let none = vec![0; shards];
        Heat { sent: vec![0; shards], now: none.clone(), second: 0, before: none }
    }

    fn count(&mut self, shard: u32, at: Time) {
        let second = at.0 / 1_000_000;
        if second != self.second {
            let last = std::mem::replace(&mut self.now, vec![0; self.sent.len()]);
            self.before = if second == self.second + 1 { last } else { self.now.clone() };
            self.second = second;
        }
        let place = shard as usize;
        if let (Some(sent), Some(now)) = (self.sent.get_mut(place), self.now.get_mut(place)) {
            *sent += 1;
            *now += 1;
        }
    }

    /// In the last full second.
    pub fn lately(&self, at: Time) -> Vec<u32> {
        match (at.0 / 1_000_000).saturating_sub(self.second) {
            0 => self.before.clone(),
            1 => self.now.clone(),
            _ => vec![0; self.sent.len()],
        }
    }
}

/// A router at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Router {
    /// How it works.
    pub settings: RouterSettings,
    /// Its queue and workers.
    pub station: Station,
    /// Its calls, by shard.
    pub callers: Vec<Caller>,
    /// What is on its disk.
    pub book: Book,
    /// Requests sent to each shard.
    pub heat: Heat,
    /// Transfers under way, by their numbers.
    pub transfers: BTreeMap<u64, Transfer>,
    me: NodeId,
    seed: u64,
    errands: Slab<Errand>,
    // Keys of transfers that clients gave, and what came of them.
    keys: KeyTable<Answer>,
    gathers: BTreeMap<Key, Gather>,
    records: VecDeque<(u64, Record)>,
    // The next transfer. Numbers are not used again after a crash.
    next: u64,
    // By key: how many calls and transfers are under way, and which requests wait for a move.
    busy: BTreeMap<u32, u32>,
    held: BTreeMap<u32, Vec<Key>>,
    open: BTreeMap<u32, Move>,
    cursor: u32,
    wanted: Option<Map>,
    #[serde(skip)]
    mutation: Option<Mutation>,
}

impl Router {
    /// A router before shards in which nothing has happened.
    pub fn new(settings: RouterSettings, seed: u64, me: NodeId) -> Router {
        let map = Map::new(settings.placement.clone(), settings.active, settings.items);
        let mut router = Router {
            station: Station::new(settings.station.clone(), seed, me),
            callers: Vec::new(),
            book: Book::new(map),
            heat: Heat::new(settings.shards.len()),
            transfers: BTreeMap::new(),
            me,
            seed,
            errands: Slab::default(),
            keys: KeyTable::new(&KeySettings::default()),
            gathers: BTreeMap::new(),
            records: VecDeque::new(),
            next: 0,
            busy: BTreeMap::new(),
            held: BTreeMap::new(),
            open: BTreeMap::new(),
            cursor: 0,
            wanted: None,
            mutation: None,
            settings,
        };
        router.callers = router.new_callers();
        router
    }

    fn new_callers(&self) -> Vec<Caller> {
        let new = |(calls, stack): (&CallSettings, u8)| {
            Caller::new(calls.clone(), self.seed, self.me, stack, 1)
        };
        self.settings.shards.iter().zip(0..).map(new).collect()
    }

    /// Takes new settings. Keys that another map has elsewhere move there.
    pub fn configure(&mut self, settings: RouterSettings, cx: &mut Cx<'_>) {
        let (old, new) = (&self.settings, &settings);
        let remapped = (old.active, &old.placement) != (new.active, &new.placement);
        let same = old.shards.len() == new.shards.len();
        self.settings = settings;
        if same {
            for (caller, calls) in self.callers.iter_mut().zip(&self.settings.shards) {
                caller.configure(calls.clone(), 1, cx.now());
            }
        }
        self.station.configure(self.settings.station.clone(), cx);
        if remapped {
            let RouterSettings { placement, active, items, .. } = &self.settings;
            // Keys that there have been do not go away.
            let items = self.book.map.items.max(*items);
            self.remap(Map::new(placement.clone(), *active, items), cx);
        }
    }

    /// Forgets what is not on disk.
    pub fn crash(&mut self, durable: u64) {
        while let Some((write, record)) = self.records.pop_front() {
            if write <= durable {
                self.book.take(record);
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.station.crash();
        for caller in &mut self.callers {
            caller.crash(Time::ZERO);
        }
        self.errands.clear();
        self.transfers.clear();
        self.gathers.clear();
        self.busy.clear();
        self.held.clear();
        self.open.clear();
        self.cursor = 0;
        self.keys.abort_in_flight();
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { source, message } => match message {
                Message::Request(request) => self.station.offer(source, request, cx),
                Message::Reply(reply) => {
                    let stack = usize::from(reply.ticket.stack);
                    let caller = self.callers.get_mut(stack);
                    let ended = caller.and_then(|caller| caller.reply(source, &reply, cx));
                    self.ended(ended, cx);
                }
                Message::Probe { number } => cx.send(source, Message::Alive { number }),
                Message::Store(message) => {
                    if let StoreMessage::InDoubt { transaction, item } = *message {
                        self.asked(source, transaction, item, cx);
                    }
                }
                _ => {}
            },
            Input::Timer(Timer::Work { job }) => self.worked(job, cx),
            Input::Timer(Timer::Call { stack, what }) => {
                let caller = self.callers.get_mut(usize::from(stack));
                let ended = caller.and_then(|caller| caller.timer(what, cx));
                self.ended(ended, cx);
            }
            Input::Timer(Timer::Router(RouterTimer::Move { item })) => self.go_on(item, cx),
            Input::Timer(Timer::Router(RouterTimer::Step { number, side })) => {
                self.step(number, side, cx);
            }
            Input::Persisted(write) => self.persisted(write, cx),
            Input::Restart => {
                // What it was set to while it was down may have had it begin something.
                self.forget();
                self.resume(cx);
                self.advance(cx);
            }
            Input::Timer(_) | Input::Start => {}
        }
    }

    fn worked(&mut self, job: Key, cx: &mut Cx<'_>) {
        if self.station.job(job).is_none() {
            return;
        }
        if self.station.fails() {
            return self.station.finish(job, Answer::Error, cx);
        }
        self.station.release(job, cx);
        self.dispatch(job, cx);
    }

    /// Sends a request on its way, unless one of its keys moves.
    fn dispatch(&mut self, job: Key, cx: &mut Cx<'_>) {
        let Some(request) = self.station.job(job).map(|j| j.request) else { return };
        let item = request.item;
        let mut items = [item; 2];
        if let Op::Transfer { to, .. } = request.op {
            items[1] = to;
        }
        if request.op == Op::Scan {
            return self.scan(job, &request, cx);
        }
        if self.wait(job, items) {
            return;
        }
        let shards = items.map(|item| self.book.shard(item));
        if let Op::Transfer { to, amount } = request.op
            && shards[0] != shards[1]
        {
            return self.transfer(job, &request, to, amount, cx);
        }
        let (mut op, epoch) = (request.op, self.book.epoch(item));
        // The versions of a key that has never moved are its shard's, and may need all bits.
        if let Op::CompareAndSet { version } = op
            && epoch > 0
        {
            if version >> EPOCH != epoch {
                return self.station.finish(job, Answer::Conflict, cx);
            }
            op = Op::CompareAndSet { version: of_shard(version) };
        }
        items.into_iter().for_each(|item| self.begin_busy(item));
        let Request { key, intent, deadline, .. } = request;
        let ask = Ask { op, item, key, intent, deadline };
        self.call(shards[0], Errand::Pass { job, items }, ask, cx);
    }

    /// Asks every shard that has keys, and waits for all.
    fn scan(&mut self, job: Key, request: &Request, cx: &mut Cx<'_>) {
        let change = self.book.change.as_ref();
        let shards = change.map_or(0, |c| c.to.shards).max(self.book.map.shards);
        self.gathers.insert(job, Gather { left: shards, ..Gather::default() });
        let Request { op, item, intent, deadline, .. } = *request;
        for shard in 0..shards {
            let ask = Ask { op, item, key: 0, intent, deadline };
            self.call(shard, Errand::Part { job }, ask, cx);
        }
    }

    fn gathered(&mut self, job: Key, ended: &Ended, cx: &mut Cx<'_>) {
        let Some(gather) = self.gathers.get_mut(&job) else { return };
        gather.left -= 1;
        match (ended.ending, ended.outcome) {
            (_, Outcome::Answered(Answer::Done { value, .. })) => {
                gather.value = gather.value.saturating_add(value);
            }
            (Ending::Unknown, _) | (_, Outcome::TimedOut) => gather.unknown = true,
            (_, Outcome::Answered(answer)) => gather.failed = Some(pass_on(answer)),
        }
        let Gather { left, value, failed, unknown } = *gather;
        if left > 0 {
            return;
        }
        self.gathers.remove(&job);
        match failed {
            Some(answer) => self.station.finish(job, answer, cx),
            None if unknown => self.station.abandon(job, cx),
            None => self.station.finish(job, Answer::Done { version: 0, value }, cx),
        }
    }

    fn call(&mut self, shard: u32, errand: Errand, ask: Ask, cx: &mut Cx<'_>) {
        let Ask { op, item, key, intent, deadline } = ask;
        self.heat.count(shard, cx.now());
        let errand = self.errands.insert(errand);
        let owner = (u64::from(errand.index) << 32) | u64::from(errand.generation);
        let want = Want { owner, guard: 0, intent, op, item, key, deadline, after: 0 };
        let caller = self.callers.get_mut(shard as usize);
        let ended = caller.and_then(|caller| caller.begin(want, cx));
        self.ended(ended, cx);
    }

    /// A call to a shard has ended, if it has.
    fn ended(&mut self, ended: Option<Ended>, cx: &mut Cx<'_>) {
        let Some(ended) = ended else { return };
        let key = Key { index: (ended.owner >> 32) as u32, generation: ended.owner as u32 };
        let answer = match ended.outcome {
            Outcome::Answered(answer) if ended.ending != Ending::Unknown => Some(answer),
            Outcome::Answered(_) | Outcome::TimedOut => None,
        };
        match self.errands.remove(key) {
            Some(Errand::Pass { job, items }) => {
                match answer {
                    Some(answer) => {
                        let answer = self.told(items[0], pass_on(answer));
                        self.station.finish(job, answer, cx);
                    }
                    None if ended.outcome == Outcome::Answered(Answer::Unsure) => {
                        self.station.finish(job, Answer::Unsure, cx);
                    }
                    // It may yet be done: better to tell nothing than something false.
                    None => self.station.abandon(job, cx),
                }
                items.into_iter().for_each(|item| self.end_busy(item, cx));
            }
            Some(Errand::Part { job }) => self.gathered(job, &ended, cx),
            Some(Errand::Side { number, side }) => self.side_ended(number, side, answer, cx),
            Some(Errand::Move { item }) => self.moved(item, answer, cx),
            Some(Errand::Tell) | None => {}
        }
    }

    /// An answer of a shard as clients are told it.
    fn told(&self, item: u32, answer: Answer) -> Answer {
        match answer {
            Answer::Done { version, value } => {
                let epoch = self.book.epoch(item) << EPOCH;
                Answer::Done { version: version | epoch, value }
            }
            other => other,
        }
    }

    fn begin_busy(&mut self, item: u32) {
        *self.busy.entry(item).or_default() += 1;
    }

    fn end_busy(&mut self, item: u32, cx: &mut Cx<'_>) {
        let Some(count) = self.busy.get_mut(&item) else { return };
        *count -= 1;
        if *count == 0 {
            self.busy.remove(&item);
            self.drained(item, cx);
        }
    }

    /// Requests that wait for a key that moves.
    pub fn waiting_for_moves(&self) -> u32 {
        self.held.values().map(|jobs| jobs.len() as u32).sum()
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }
}

/// The version as the shard told it; a router adds how often the item has moved.
pub fn of_shard(version: u64) -> u64 {
    version & ((1 << EPOCH) - 1)
}

/// What a caller is told of an answer that is about the shard rather than about the request.
fn pass_on(answer: Answer) -> Answer {
    match answer {
        Answer::Refused(why) if why.is_local() => Answer::Error,
        other => other,
    }
}
