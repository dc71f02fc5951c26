//! A store of accounts on a single node: reads, writes, charges, and a table of idempotency keys.
//! Effects are durable when the disk says so; a crash undoes those that are not.

mod copied;

use super::holds::{self, Effect, Held, Holds, Inquiry};
use super::image::{Change, Desk, Journal, Upkeep};
use super::machine::Command;
use super::outbox::{Outbox, OutboxSettings};
use super::{StoreMessage, StoreTimer};
use crate::base::id::NodeId;
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::protocol::note::{Found, Note};
use crate::protocol::policy::idempotency::{KeySettings, KeyTable, Seen};
use crate::protocol::router::mutation::Mutation;
use crate::protocol::rpc::{Answer, NONSENSE, Op, Refusal, Request};
use crate::protocol::station::{Station, StationSettings};
use crate::protocol::{Cx, Message, Role, Timer};
use crate::sim::process::Input;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How a ledger works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerSettings {
    /// Its queue and workers.
    pub station: StationSettings,
    /// Whether a change is on disk before it is acknowledged.
    pub sync: bool,
    /// Whether it keeps idempotency keys, and how long.
    pub keys: Option<KeySettings>,
    /// Whether the keys are on disk with the changes, or only in memory.
    pub keys_durable: bool,
    /// What to do with a key whose first request is still at work.
    pub collision: Collision,
    /// What each account holds in the beginning.
    pub balance: i64,
    /// What backups need of it.
    pub upkeep: Upkeep,
    /// Whether a message is written with each change, and sent to a broker.
    pub outbox: Option<OutboxSettings>,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        LedgerSettings {
            station: StationSettings::default(),
            sync: true,
            keys: None,
            keys_durable: true,
            collision: Collision::Reject,
            balance: 1_000,
            upkeep: Upkeep::default(),
            outbox: None,
        }
    }
}

/// What to do with a key whose first request is still at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Collision {
    /// Say so at once: a conflict.
    #[default]
    Reject,
    /// Answer when the first request has its answer.
    Wait,
}

/// An item or account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// How often it was changed.
    pub version: u64,
    /// How much has been taken from it, less what was added.
    pub charged: i64,
    /// How many changes of anything there had been with its last one.
    pub last: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Pending {
    write: u64,
    job: Option<Key>,
    intent: u64,
    op: Op,
    item: u32,
    before: Item,
    held: Held,
    // This write was the first to end a transaction or a move here.
    ends: bool,
    // Nothing was said of it, so nothing is said when it is undone.
    silent: bool,
    key: u64,
    answer: Answer,
}

/// A ledger at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ledger {
    /// How it works.
    pub settings: LedgerSettings,
    /// Its queue and workers.
    pub station: Station,
    /// What was changed; what was not has its first value.
    pub items: BTreeMap<u32, Item>,
    /// What an item is that is not listed.
    base: Item,
    /// What is held back.
    pub holds: Holds,
    /// Messages that a broker does not have yet.
    pub outbox: Option<Box<Outbox>>,
    inquiry: Inquiry,
    changes: u64,
    // Nothing is served: a restore is under way, or waited for.
    closed: bool,
    journal: Option<Journal>,
    desk: Desk,
    // What mass deletions that may yet be undone have deleted.
    erased: VecDeque<(Item, BTreeMap<u32, Item>)>,
    keys: Option<KeyTable<Answer>>,
    pending: VecDeque<Pending>,
    undone: Vec<Pending>,
    waiting: Vec<(u64, Key)>,
}

impl Ledger {
    /// A ledger in which nothing has happened.
    pub fn new(settings: LedgerSettings, seed: u64, node: NodeId) -> Ledger {
        Ledger {
            station: Station::new(settings.station.clone(), seed, node),
            items: BTreeMap::new(),
            base: Item::default(),
            changes: 0,
            closed: settings.upkeep.closed,
            journal: settings.upkeep.journal.then(Journal::default),
            desk: Desk::default(),
            erased: VecDeque::new(),
            holds: Holds::default(),
            outbox: settings.outbox.clone().map(|s| Box::new(Outbox::new(s, seed, node))),
            inquiry: Inquiry::default(),
            keys: settings.keys.as_ref().map(KeyTable::new),
            pending: VecDeque::new(),
            undone: Vec::new(),
            waiting: Vec::new(),
            settings,
        }
    }

    /// Takes new settings. Data stays; a key table that changed starts afresh.
    pub fn configure(&mut self, settings: LedgerSettings, cx: &mut Cx<'_>) {
        if settings.keys != self.settings.keys {
            self.keys = settings.keys.as_ref().map(KeyTable::new);
        }
        if let (Some(outbox), Some(new)) = (&mut self.outbox, &settings.outbox) {
            outbox.configure(new.clone(), cx.now());
        }
        self.settings = settings;
        let journal = self.journal.take().unwrap_or_else(|| Journal::from(self.changes));
        self.journal = self.settings.upkeep.journal.then_some(journal);
        self.station.configure(self.settings.station.clone(), cx);
    }

    /// Undoes what was not durable.
    pub fn crash(&mut self, durable: u64) {
        self.station.crash();
        self.inquiry.crash();
        self.desk.crash();
        self.outbox.iter_mut().for_each(|outbox| outbox.crash(durable));
        self.waiting.clear();
        while let Some(last) = self.pending.pop_back() {
            if last.write <= durable {
                // On disk, though it has not been told so: the change counts, and its key with it.
                if let Some(keys) = &mut self.keys {
                    keys.finish(Time::ZERO, last.key, last.answer);
                }
                continue;
            }
            if last.op == Op::Erase {
                (self.base, self.items) = self.erased.pop_back().unwrap_or_default();
            }
            // Undoing is a change, too: whoever has copied what is undone must hear of it.
            self.put(last.item, last.before, Time::ZERO);
            self.holds.undo(last.item, last.held, last.ends.then_some(last.key));
            if let Some(keys) = &mut self.keys {
                keys.abort(last.key);
            }
            if !last.silent {
                self.undone.push(last);
            }
        }
        self.holds.forget();
        if !self.settings.keys_durable {
            self.keys = self.settings.keys.as_ref().map(KeyTable::new);
        } else if let Some(keys) = &mut self.keys {
            keys.abort_in_flight();
        }
    }

    /// How many keys are remembered.
    pub fn keys(&self) -> u32 {
        self.keys.as_ref().map_or(0, |keys| keys.len())
    }

    /// What all accounts hold together, beyond what they held in the beginning.
    pub fn charged(&self) -> i64 {
        self.items.values().map(|item| item.charged).sum()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { source, message } => match message {
                Message::Request(request) if self.closed => {
                    self.station.turn_away(source, request, Refusal::Restoring, cx);
                }
                Message::Request(request) => self.station.offer(source, request, cx),
                // Nobody is to be sent to a standby that waits for its data.
                Message::Probe { .. } if self.closed => {}
                Message::Probe { number } => cx.send(source, Message::Alive { number }),
                Message::Store(message) => {
                    if let StoreMessage::Backup(message) = *message {
                        self.backup(source, message, cx);
                    }
                }
                Message::Reply(reply) => {
                    let sync = self.settings.sync;
                    self.outbox
                        .iter_mut()
                        .for_each(|outbox| outbox.reply(source, &reply, sync, cx));
                }
                _ => {}
            },
            Input::Timer(Timer::Work { job }) => self.worked(job, cx),
            Input::Timer(Timer::Store(StoreTimer::InDoubt)) => {
                if self.holds.is(Mutation::CommitAlone) {
                    self.commit_alone(cx);
                }
                self.inquiry.ask(&self.holds, true, cx);
            }
            Input::Timer(Timer::Store(StoreTimer::Outbox)) => {
                let sync = self.settings.sync;
                let again = self.outbox.as_mut().and_then(|outbox| outbox.look(sync, cx));
                look_again(again, cx);
            }
            Input::Timer(Timer::Call { what, .. }) => {
                let sync = self.settings.sync;
                self.outbox.iter_mut().for_each(|outbox| outbox.timer(what, sync, cx));
            }
            Input::Persisted(write) => {
                self.persisted(write, cx);
                let sync = self.settings.sync;
                look_again(self.outbox.as_mut().and_then(|o| o.persisted(write, sync)), cx);
            }
            Input::Restart => {
                look_again(self.outbox.as_mut().and_then(|outbox| outbox.remind()), cx);
                self.inquiry.watch(&self.holds, cx);
                for lost in std::mem::take(&mut self.undone) {
                    cx.note(Note::Undone { intent: lost.intent, op: lost.op, item: lost.item });
                }
            }
            Input::Timer(_) | Input::Start => {}
        }
    }

    fn worked(&mut self, job: Key, cx: &mut Cx<'_>) {
        let Some(request) = self.station.job(job).map(|j| j.request) else { return };
        if self.station.fails() {
            return self.station.finish(job, Answer::Error, cx);
        }
        if self.closed {
            return self.station.finish(job, Answer::Refused(Refusal::Restoring), cx);
        }
        if let Some(answer) = self.holds.refuses(request.op, request.item) {
            return self.station.finish(job, answer, cx);
        }
        if !request.op.changes() {
            let answer =
                if request.op == Op::Scan { self.all() } else { self.answer(request.item) };
            return self.station.finish(job, answer, cx);
        }
        if request.op.holds() {
            return self.hold(job, &request, cx);
        }
        if let Some(keys) = &mut self.keys
            && request.key != 0
        {
            let seen = keys.begin(cx.now(), request.key, body(&request));
            if self.recognised(job, &request, seen, cx) {
                return;
            }
        }
        self.apply(job, &request, cx);
    }

    /// Deals with a key that was seen before; false if this is the first time.
    fn recognised(
        &mut self,
        job: Key,
        request: &Request,
        seen: Seen<Answer>,
        cx: &mut Cx<'_>,
    ) -> bool {
        let (found, answer) = match seen {
            Seen::New => return false,
            Seen::Done(answer) => (Found::Answer, answer),
            Seen::OtherBody => (Found::OtherRequest, Answer::KeyReused),
            Seen::InFlight => (Found::AtWork, Answer::Conflict),
        };
        cx.note(Note::Recognised { intent: request.intent, found });
        if found == Found::AtWork && self.settings.collision == Collision::Wait {
            self.waiting.push((request.key, job));
        } else {
            self.station.finish(job, answer, cx);
        }
        true
    }

    fn apply(&mut self, job: Key, request: &Request, cx: &mut Cx<'_>) {
        let before = self.item(request.item);
        if let Op::CompareAndSet { version } = request.op
            && version != before.version
        {
            if let Some(keys) = &mut self.keys {
                keys.abort(request.key);
            }
            return self.station.finish(job, Answer::Conflict, cx);
        }
        let Request { intent, op, item, .. } = *request;
        let gain = match op {
            Op::Charge { amount } => -i64::from(amount),
            Op::Increment { by } => i64::from(by),
            Op::Leg { delta } => i64::from(delta),
            Op::Transfer { to, amount } if to != item => -i64::from(amount),
            Op::Insert { .. } | Op::Remove { .. } => {
                let members = self.settings.balance - before.charged;
                op.on_set(members).map_or(0, |after| after - members)
            }
            Op::Write | Op::CompareAndSet { .. } => {
                (intent as i64).saturating_sub(self.settings.balance - before.charged)
            }
            Op::Corrupt => NONSENSE - (self.settings.balance - before.charged),
            _ => 0,
        };
        let write = cx.persist(self.settings.sync);
        self.outbox.iter_mut().for_each(|outbox| outbox.write(write, request));
        if let Op::Transfer { to, .. } = op
            && to != item
        {
            let (before, held) = (self.item(to), self.holds.of(to));
            self.gain(to, -gain, cx.clock());
            let answer = self.answer(to);
            self.pending.push_back(Pending {
                job: None,
                item: to,
                key: 0,
                silent: true,
                ..pending(write, job, request, before, held, answer)
            });
        }
        if op == Op::Erase {
            self.erased.push_back((self.base, self.items.clone()));
            self.put_all(0, cx.clock());
        } else {
            self.gain(item, gain, cx.clock());
        }
        cx.note(Note::Applied { intent, op, item, position: 0 });
        let (held, answer) = (self.holds.of(item), self.answer(item));
        self.pending.push_back(pending(write, job, request, before, held, answer));
    }

    /// A step of a transaction or a move. Also one that changes nothing is answered when what it
    /// found is on disk.
    fn hold(&mut self, job: Key, request: &Request, cx: &mut Cx<'_>) {
        let command = Command::of(request);
        let Request { intent, op, item, .. } = *request;
        let (before, held) = (self.item(item), self.holds.of(item));
        let (ends, mut silent) = (self.holds.would_end(&command), true);
        match self.holds.step(cx.clock(), &command) {
            Effect::Refused(answer) => return self.station.finish(job, answer, cx),
            Effect::None => {}
            Effect::Add(delta) => {
                self.gain(item, delta, cx.clock());
                cx.note(Note::Applied { intent, op, item, position: 0 });
                silent = false;
            }
            Effect::Set(value) => {
                let charged = self.settings.balance - value;
                self.put(item, Item { version: before.version + 1, charged, last: 0 }, cx.clock());
            }
        }
        if let Some(note) = holds::told(&command) {
            cx.note(note);
        }
        self.inquiry.watch(&self.holds, cx);
        let (write, answer) = (cx.persist(self.settings.sync), self.answer(item));
        let pending = pending(write, job, request, before, held, answer);
        self.pending.push_back(Pending { ends, silent, ..pending });
    }

    /// Does what is prepared without asking: a mistake that a test makes.
    fn commit_alone(&mut self, cx: &mut Cx<'_>) {
        for (item, lock) in self.holds.locks().collect::<Vec<_>>() {
            let (op, intent, key) =
                (Op::Commit { delta: lock.delta }, lock.intent, lock.transaction);
            self.holds.step(cx.clock(), &Command { intent, op, item, key });
            self.gain(item, lock.delta.into(), cx.clock());
            cx.note(Note::Applied { intent, op, item, position: 0 });
        }
    }

    /// Adds to an account.
    fn gain(&mut self, item: u32, gain: i64, at: Time) {
        let Item { version, charged, .. } = self.item(item);
        self.put(item, Item { version: version + 1, charged: charged - gain, last: 0 }, at);
    }

    /// An account is as given from now on.
    fn put(&mut self, item: u32, new: Item, at: Time) {
        self.changes += 1;
        self.items.insert(item, Item { last: self.changes, ..new });
        self.write_down(Some(item), new, at);
    }

    /// Every account holds `value` from now on.
    fn put_all(&mut self, value: i64, at: Time) {
        self.changes += 1;
        let newest = self.items.values().map(|item| item.version).max().unwrap_or(0);
        let version = newest.max(self.base.version) + 1;
        self.items.clear();
        let charged = self.settings.balance - value;
        self.base = Item { version, charged, last: self.changes };
        self.write_down(None, self.base, at);
    }

    fn write_down(&mut self, item: Option<u32>, new: Item, at: Time) {
        let (value, version) = (self.settings.balance - new.charged, new.version);
        if let Some(journal) = &mut self.journal {
            journal.push(Change { position: self.changes, at, item, value, version });
        }
    }

    fn persisted(&mut self, write: u64, cx: &mut Cx<'_>) {
        self.desk.reached(write, cx);
        // Told in order; an unsynced write stays, to be undone should the node crash in time.
        let done: Vec<Pending> = self
            .pending
            .iter_mut()
            .filter(|p| p.write <= write && p.job.is_some())
            .map(|p| {
                let copy = *p;
                p.job = None;
                copy
            })
            .collect();
        for pending in done {
            let Some(job) = pending.job else { continue };
            if let Some(keys) = &mut self.keys
                && pending.key != 0
            {
                keys.finish(cx.now(), pending.key, pending.answer);
            }
            self.station.finish(job, pending.answer, cx);
            let same = |&(key, _): &(u64, Key)| key == pending.key;
            while let Some(place) = self.waiting.iter().position(same) {
                let (_, job) = self.waiting.remove(place);
                self.station.finish(job, pending.answer, cx);
            }
        }
        let keep = if self.settings.sync { 0 } else { 4_096 };
        let over = |p: &Pending| p.job.is_none() && p.write <= write;
        while self.pending.len() > keep
            && let Some(safe) = self.pending.pop_front_if(|pending| over(pending))
        {
            if safe.op == Op::Erase {
                self.erased.pop_front();
            }
        }
    }

    /// That an item is as it is: its balance is its value.
    fn answer(&self, item: u32) -> Answer {
        Answer::Done { version: self.item(item).version, value: self.value(item) }
    }

    fn value(&self, item: u32) -> i64 {
        self.settings.balance - self.item(item).charged
    }

    /// What all accounts that are here hold beyond what they held in the beginning.
    fn all(&self) -> Answer {
        let here = self.items.iter().filter(|(item, _)| !self.holds.of(**item).left);
        Answer::Done { version: 0, value: here.map(|(_, item)| -item.charged).sum() }
    }

    fn item(&self, item: u32) -> Item {
        self.items.get(&item).copied().unwrap_or(self.base)
    }
}

/// The relay of the outbox is to look after so long.
fn look_again(span: Option<Span>, cx: &mut Cx<'_>) {
    if let Some(span) = span {
        cx.set_timer(span, Timer::Store(StoreTimer::Outbox));
    }
}

fn pending(
    write: u64,
    job: Key,
    request: &Request,
    before: Item,
    held: Held,
    answer: Answer,
) -> Pending {
    let Request { intent, op, item, key, .. } = *request;
    Pending {
        write,
        job: Some(job),
        intent,
        op,
        item,
        before,
        held,
        ends: false,
        silent: false,
        key,
        answer,
    }
}

/// What the request asks for, so that a key used for something else is noticed.
fn body(request: &Request) -> u64 {
    request.op.tag() ^ (u64::from(request.item) << 40)
}
