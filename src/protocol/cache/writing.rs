//! What a cache does with changes: it passes them on and sees to its entry, or acknowledges them
//! and writes them later.
//!
//! Only plain writes of items that are here are written later, since nothing else can be
//! acknowledged without asking: the first write of an item goes through and brings it in. Of
//! several writes of the same item the newest is written. Other changes of an item wait until what
//! was acknowledged before is written. Such a cache gives versions out with room between them, for
//! those writes that will never have a version of their own.

use super::{Cache, CacheTimer, Errand, Writes};
use crate::base::slab::Key;
use crate::base::time::Time;
use crate::protocol::note::{Lookup, Note};
use crate::protocol::rpc::{Answer, LEADER, Op, Request, Ticket};
use crate::protocol::{Cx, Timer};
use serde::{Deserialize, Serialize};

/// So many bits are for versions that only this cache knows.
const ROOM: u32 = 16;
const OWN: u64 = (1 << ROOM) - 1;

/// A write that was acknowledged and is not written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    /// The newest one.
    pub(super) intent: u64,
    key: u64,
    /// As those in front are told it.
    pub(super) version: u64,
    /// What it wrote.
    pub(super) value: i64,
    /// The one that is on its way.
    sent: bool,
    /// Other changes of the item, which come after it.
    held: Vec<Key>,
}

impl Cache {
    /// A version from behind, as those in front are told it.
    pub(super) fn version(&self, version: u64) -> u64 {
        match self.settings.writes {
            Writes::Behind => version.saturating_mul(1 << ROOM),
            Writes::Around | Writes::Invalidate | Writes::Through => version,
        }
    }

    /// What a replica behind must have seen for a reader who has seen that much here.
    pub(super) fn after_behind(&self, after: u64) -> u64 {
        match self.settings.writes {
            // It saw a write whose version behind is not known to it.
            Writes::Behind if after & OWN > 0 => LEADER,
            Writes::Behind => after >> ROOM,
            Writes::Around | Writes::Invalidate | Writes::Through => after,
        }
    }

    /// Takes a change, or something else that is not kept.
    pub(super) fn change(&mut self, job: Key, request: &Request, cx: &mut Cx<'_>) {
        let Request { item, intent, .. } = *request;
        let behind = self.settings.writes == Writes::Behind;
        if behind && request.op == Op::Write {
            let waits = self.pending.get(&item).map(|pending| pending.version);
            if let Some(known) = waits.or_else(|| self.contents.get(item).map(|e| e.version))
                && known & OWN < OWN
            {
                return self.defer(job, request, known + 1, cx);
            }
        }
        let waits = items(request.op, item).into_iter().find(|i| self.pending.contains_key(i));
        if let Some(waits) = waits {
            if let Some(pending) = self.pending.get_mut(&waits) {
                pending.held.push(job);
            }
            return self.write(waits, cx);
        }
        if request.op.changes() {
            cx.note(Note::Cached { intent, item, how: Lookup::Passed });
        }
        let mut request = *request;
        if let (Op::CompareAndSet { version }, true) = (request.op, behind) {
            if version & OWN > 0 {
                return self.passed(job, Answer::Conflict, cx);
            }
            request.op = Op::CompareAndSet { version: version >> ROOM };
        }
        if request.key == 0 && self.settings.keyed {
            self.keys += 1;
            request.key = (u64::from(self.me.0) << 40) | self.keys;
        }
        self.call(Errand::Pass { job }, &request, cx);
    }

    /// A change was answered: sees to the entry.
    pub(super) fn passed(&mut self, job: Key, answer: Answer, cx: &mut Cx<'_>) {
        let Some(request) = self.station.job(job).map(|j| j.request) else { return };
        let Request { op, item, intent, .. } = request;
        if op.changes() {
            let writes = self.settings.writes;
            match (writes, answer) {
                // What is here has misled somebody.
                (_, Answer::Conflict) => self.drop(item, intent, cx),
                (Writes::Around, _) => {}
                (Writes::Through | Writes::Behind, Answer::Done { version, value }) => {
                    self.void(item);
                    // Answers overtake each other.
                    if self.contents.get(item).is_none_or(|entry| entry.version <= version) {
                        self.keep(item, version, value, intent, cx);
                    }
                    // A write that was acknowledged meanwhile comes after it.
                    if let Some(pending) = self.pending.get_mut(&item) {
                        pending.version = pending.version.max(version + 1);
                    }
                    // Nothing is told of the account that receives.
                    items(op, item)[1..].iter().for_each(|other| self.drop(*other, intent, cx));
                }
                (_, Answer::Done { .. } | Answer::Degraded | Answer::Stale { .. })
                | (_, Answer::Unsure) => {
                    items(op, item).into_iter().for_each(|item| self.drop(item, intent, cx));
                }
                (_, Answer::Refused(_) | Answer::Error | Answer::KeyReused) => {}
            }
        }
        self.station.finish(job, answer, cx);
    }

    /// What is here of an item is old, and so is what is on its way.
    fn drop(&mut self, item: u32, intent: u64, cx: &mut Cx<'_>) {
        self.void(item);
        if self.contents.remove(item) {
            cx.note(Note::Cached { intent, item, how: Lookup::Dropped });
        }
    }

    fn void(&mut self, item: u32) {
        let under_way = self.flights.range_mut((item, 0)..=(item, u64::MAX));
        under_way.for_each(|(_, flight)| flight.void = true);
    }

    /// Acknowledges a write and keeps it for later.
    fn defer(&mut self, job: Key, request: &Request, version: u64, cx: &mut Cx<'_>) {
        let Request { intent, item, key, .. } = *request;
        let value = intent as i64;
        cx.note(Note::Cached { intent, item, how: Lookup::Deferred });
        if let Some(pending) = self.pending.get_mut(&item) {
            (pending.intent, pending.key) = (intent, key);
            (pending.version, pending.value) = (version, value);
        } else {
            let pending = Pending { intent, key, version, value, sent: false, held: Vec::new() };
            self.pending.insert(item, pending);
            self.write_later(item, cx);
        }
        self.station.finish(job, Answer::Done { version, value }, cx);
    }

    fn write_later(&self, item: u32, cx: &mut Cx<'_>) {
        cx.set_timer(self.settings.delay, Timer::Cache(CacheTimer::Write { item }));
    }

    /// Writes what was acknowledged, unless that is on its way.
    pub(super) fn write(&mut self, item: u32, cx: &mut Cx<'_>) {
        let Some(pending) = self.pending.get_mut(&item).filter(|p| !p.sent) else { return };
        pending.sent = true;
        let (intent, key) = (pending.intent, pending.key);
        let request = Request {
            ticket: Ticket { call: Key { index: 0, generation: 0 }, stack: 0, attempt: 0 },
            intent,
            op: Op::Write,
            item,
            key,
            deadline: Time::NEVER,
            after: LEADER,
        };
        self.call(Errand::Write { item }, &request, cx);
    }

    /// What was acknowledged has been written, or could not be.
    pub(super) fn written(&mut self, item: u32, intent: u64, answer: Answer, cx: &mut Cx<'_>) {
        let Some(pending) = self.pending.get_mut(&item) else { return };
        pending.sent = false;
        let held = std::mem::take(&mut pending.held);
        match answer {
            Answer::Done { version, value } if pending.intent == intent => {
                self.pending.remove(&item);
                self.void(item);
                self.keep(item, version, value, intent, cx);
                held.into_iter().for_each(|job| self.dispatch(job, cx));
            }
            Answer::Done { version, .. } => {
                // A newer one has come meanwhile: it comes after what has been written.
                pending.version = pending.version.max(version + 1);
                pending.held = held;
                if pending.held.is_empty() {
                    self.write_later(item, cx)
                } else {
                    self.write(item, cx)
                }
            }
            _ => {
                held.into_iter().for_each(|job| self.station.finish(job, Answer::Error, cx));
                self.write_later(item, cx);
            }
        }
    }
}

/// The items that an operation is about.
fn items(op: Op, item: u32) -> Vec<u32> {
    match op {
        Op::Transfer { to, .. } => vec![item, to],
        _ => vec![item],
    }
}
