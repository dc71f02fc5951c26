//! A cache: answers reads from what it has heard before, and fetches the rest from what is behind
//! it. A crash empties it. What it holds may be old: how old is decided by how long entries are
//! good, and by what becomes of them when an item is changed.
//!
//! Whatever comes last from behind is kept, as `set` of memcached does it: a read that was under
//! way when an item was changed puts the old value back. With leases (Nishtala et al. 2013,
//! "Scaling Memcache at Facebook", section 3.2.1) its answer is given and not kept.

pub mod contents;
mod writing;

use super::caller::{CallSettings, Caller, Ended, Want};
use super::note::{Lookup, Note};
use super::rpc::{Answer, Ending, Op, Outcome, Request};
use super::station::{Station, StationSettings};
use super::{Cx, Message, Role, Timer};
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::sim::process::Input;
use contents::{Contents, Entry, Evict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writing::Pending;

/// How a cache works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheSettings {
    /// Its queue and workers: what one lookup takes.
    pub station: StationSettings,
    /// How it calls what is behind it.
    pub calls: CallSettings,
    /// Whether changes that come without an idempotency key are given one.
    pub keyed: bool,
    /// How many items it can hold.
    pub capacity: u32,
    /// Which one goes when there is no room.
    pub evict: Evict,
    /// How long an entry is good; none is for ever.
    pub ttl: Option<Span>,
    /// How far that is off, either way: a share of it.
    pub jitter: Chance,
    /// What becomes of an entry when its item is changed.
    pub writes: Writes,
    /// How long a change is kept back where it is written later.
    pub delay: Span,
    /// Whether one request behind serves all who want the same item meanwhile.
    pub coalesce: bool,
    /// Whether what was asked before a change is not kept.
    pub leases: bool,
    /// How long before the end of its time a hit has an entry fetched anew: a share of the time.
    pub early: Option<Chance>,
    /// How long after its time an entry is served when what is behind fails.
    pub stale: Option<Span>,
}

/// What becomes of an entry when its item is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writes {
    /// Nothing: it is old until its time is over.
    Around,
    /// It is dropped when the change is acknowledged.
    #[default]
    Invalidate,
    /// It is replaced by what the change has left, when it is acknowledged.
    Through,
    /// It is replaced, the change is acknowledged, and written later.
    Behind,
}

/// What a cache is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheTimer {
    /// To write what it has acknowledged.
    Write {
        /// Which item.
        item: u32,
    },
}

/// What a call is for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Errand {
    /// An item that is not here, or not for long any more.
    Fetch { item: u32, number: u64 },
    /// A request, passed on.
    Pass { job: Key },
    /// A change that was acknowledged.
    Write { item: u32 },
}

/// A read that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flight {
    /// Who waits for it; nobody, if an entry is fetched before its end.
    jobs: Vec<Key>,
    /// The item was changed since: with leases, the answer is not kept.
    void: bool,
}

/// A cache at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cache {
    /// How it works.
    pub settings: CacheSettings,
    /// Its queue and workers.
    pub station: Station,
    /// Its calls.
    pub caller: Caller,
    /// What it holds.
    pub contents: Contents,
    // By item, and then in the order in which they began.
    flights: BTreeMap<(u32, u64), Flight>,
    pending: BTreeMap<u32, Pending>,
    // What a crash has taken: intents and their items.
    lost: Vec<(u64, u32)>,
    errands: Slab<Errand>,
    next: u64,
    keys: u64,
    me: NodeId,
    jitter: Stream,
}

impl Cache {
    /// A cache that holds nothing.
    pub fn new(settings: CacheSettings, seed: u64, me: NodeId) -> Cache {
        Cache {
            station: Station::new(settings.station.clone(), seed, me),
            caller: Caller::new(settings.calls.clone(), seed, me, 0, 1),
            contents: Contents::new(settings.capacity, settings.evict),
            flights: BTreeMap::new(),
            pending: BTreeMap::new(),
            lost: Vec::new(),
            errands: Slab::default(),
            next: 0,
            keys: 0,
            me,
            jitter: Stream::new(seed, "ttl jitter", u64::from(me.0)),
            settings,
        }
    }

    /// Takes new settings. Entries stay, as long as the time they were given, if there is room.
    pub fn configure(&mut self, settings: CacheSettings, cx: &mut Cx<'_>) {
        self.settings = settings;
        let CacheSettings { capacity, evict, .. } = self.settings;
        for item in self.contents.configure(capacity, evict) {
            cx.note(Note::Cached { intent: 0, item, how: Lookup::Evicted });
        }
        self.caller.configure(self.settings.calls.clone(), 1, cx.now());
        self.station.configure(self.settings.station.clone(), cx);
    }

    /// Forgets everything.
    pub fn crash(&mut self) {
        self.station.crash();
        self.caller.crash(Time::ZERO);
        self.contents.clear();
        self.flights.clear();
        self.errands.clear();
        let pending = std::mem::take(&mut self.pending);
        self.lost.extend(pending.into_iter().map(|(item, pending)| (pending.intent, item)));
    }

    /// How many changes are acknowledged and not yet written.
    pub fn pending(&self) -> u32 {
        self.pending.len() as u32
    }

    /// How many items are being fetched.
    pub fn fetching(&self) -> u32 {
        self.flights.len() as u32
    }

    /// How many requests wait for something to be fetched.
    pub fn waiting(&self) -> u32 {
        self.flights.values().map(|flight| flight.jobs.len() as u32).sum()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { source, message } => match message {
                Message::Request(request) => self.station.offer(source, request, cx),
                Message::Reply(reply) => {
                    let ended = self.caller.reply(source, &reply, cx);
                    self.ended(ended, cx);
                }
                Message::Probe { number } => cx.send(source, Message::Alive { number }),
                _ => {}
            },
            Input::Timer(Timer::Work { job }) => self.worked(job, cx),
            Input::Timer(Timer::Call { what, .. }) => {
                let ended = self.caller.timer(what, cx);
                self.ended(ended, cx);
            }
            Input::Timer(Timer::Cache(CacheTimer::Write { item })) => self.write(item, cx),
            Input::Restart => {
                for (intent, item) in std::mem::take(&mut self.lost) {
                    cx.note(Note::Cached { intent, item, how: Lookup::Lost });
                }
            }
            Input::Timer(_) | Input::Start | Input::Persisted(_) => {}
        }
    }

    /// A worker has looked at a request.
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

    fn dispatch(&mut self, job: Key, cx: &mut Cx<'_>) {
        let Some(request) = self.station.job(job).map(|j| j.request) else { return };
        match request.op {
            Op::Read => self.look(job, &request, cx),
            _ => self.change(job, &request, cx),
        }
    }

    /// Serves a read from what is here, or has it fetched.
    fn look(&mut self, job: Key, request: &Request, cx: &mut Cx<'_>) {
        let Request { intent, item, after, .. } = *request;
        let note = |how| Note::Cached { intent, item, how };
        if let Some(Pending { version, value, .. }) = self.pending.get(&item) {
            let answer = Answer::Done { version: *version, value: *value };
            cx.note(note(Lookup::Hit));
            return self.station.finish(job, answer, cx);
        }
        let clock = cx.clock();
        let entry = self.contents.get(item).copied();
        // Whoever has seen a newer version must not be shown an older one.
        let Some(entry) = entry.filter(|e| clock < e.expires && e.version >= after) else {
            return self.miss(job, request, cx);
        };
        self.contents.used(item);
        cx.note(note(Lookup::Hit));
        let Entry { version, value, .. } = entry;
        self.station.finish(job, Answer::Done { version, value }, cx);
        if clock >= entry.early && !entry.refreshing {
            cx.note(note(Lookup::Early));
            if let Some(entry) = self.contents.get_mut(item) {
                entry.refreshing = true;
            }
            self.fetch(Vec::new(), &Request { deadline: Time::NEVER, ..*request }, cx);
        }
    }

    fn miss(&mut self, job: Key, request: &Request, cx: &mut Cx<'_>) {
        let Request { intent, item, .. } = *request;
        let leases = self.settings.leases;
        let mut under_way = self.flights.range_mut((item, 0)..=(item, u64::MAX));
        let newest = under_way.next_back().map(|(_, flight)| flight);
        if let Some(flight) = newest.filter(|f| !(leases && f.void))
            && self.settings.coalesce
        {
            flight.jobs.push(job);
            return cx.note(Note::Cached { intent, item, how: Lookup::Joined });
        }
        cx.note(Note::Cached { intent, item, how: Lookup::Miss });
        self.fetch(vec![job], request, cx);
    }

    /// Asks behind for an item.
    fn fetch(&mut self, jobs: Vec<Key>, request: &Request, cx: &mut Cx<'_>) {
        self.next += 1;
        let (item, number) = (request.item, self.next);
        self.flights.insert((item, number), Flight { jobs, void: false });
        let after = self.after_behind(request.after);
        self.call(Errand::Fetch { item, number }, &Request { after, key: 0, ..*request }, cx);
    }

    fn call(&mut self, errand: Errand, request: &Request, cx: &mut Cx<'_>) {
        let Request { intent, op, item, key, deadline, after, .. } = *request;
        let errand = self.errands.insert(errand);
        let owner = (u64::from(errand.index) << 32) | u64::from(errand.generation);
        let want = Want { owner, guard: 0, intent, op, item, key, deadline, after };
        let ended = self.caller.begin(want, cx);
        self.ended(ended, cx);
    }

    /// A call has ended, if it has.
    fn ended(&mut self, ended: Option<Ended>, cx: &mut Cx<'_>) {
        let Some(ended) = ended else { return };
        let key = Key { index: (ended.owner >> 32) as u32, generation: ended.owner as u32 };
        let answer = self.told(&ended);
        match self.errands.remove(key) {
            Some(Errand::Fetch { item, number }) => {
                self.fetched(item, number, ended.intent, answer, cx);
            }
            Some(Errand::Pass { job }) => self.passed(job, answer, cx),
            Some(Errand::Write { item }) => self.written(item, ended.intent, answer, cx),
            None => {}
        }
    }

    fn fetched(&mut self, item: u32, number: u64, intent: u64, answer: Answer, cx: &mut Cx<'_>) {
        let Some(flight) = self.flights.remove(&(item, number)) else { return };
        if let Some(entry) = self.contents.get_mut(item).filter(|_| flight.jobs.is_empty()) {
            entry.refreshing = false;
        }
        if let Answer::Done { version, value } = answer {
            if flight.void && self.settings.leases {
                cx.note(Note::Cached { intent, item, how: Lookup::Void });
                // Tried again, it may be newer than what is here: nobody is shown that any more.
                if self.contents.get(item).is_some_and(|entry| entry.version < version) {
                    self.contents.remove(item);
                }
            } else {
                self.keep(item, version, value, intent, cx);
            }
        }
        for (place, job) in (0u32..).zip(flight.jobs) {
            let Some(request) = self.station.job(job).map(|j| j.request) else { continue };
            match answer {
                // It joined, and has seen more than was asked for on behalf of another.
                Answer::Done { version, .. } if place > 0 && version < request.after => {
                    self.fetch(vec![job], &request, cx);
                }
                Answer::Done { .. } | Answer::Degraded | Answer::Stale { .. } => {
                    self.station.finish(job, answer, cx);
                }
                _ => {
                    let answer = self.old(&request, cx).unwrap_or(answer);
                    self.station.finish(job, answer, cx);
                }
            }
        }
    }

    /// An entry whose time is over, for want of something better.
    fn old(&self, request: &Request, cx: &mut Cx<'_>) -> Option<Answer> {
        let Request { intent, item, after, .. } = *request;
        let stale = self.settings.stale?;
        let entry = self.contents.get(item).filter(|entry| entry.version >= after)?;
        if cx.clock() >= later(entry.expires, stale) {
            return None;
        }
        cx.note(Note::Cached { intent, item, how: Lookup::Stale });
        Some(Answer::Stale { version: entry.version, value: entry.value })
    }

    /// Keeps what is known of an item.
    fn keep(&mut self, item: u32, version: u64, value: i64, intent: u64, cx: &mut Cx<'_>) {
        let (mut expires, mut early) = (Time::NEVER, Time::NEVER);
        if let Some(mut ttl) = self.settings.ttl {
            if self.settings.jitter > Chance::NEVER {
                let off = self.settings.jitter.as_f64() * (2.0 * self.jitter.unit() - 1.0);
                ttl = ttl.scale(1.0 + off);
            }
            expires = cx.clock() + ttl;
            if let Some(share) = self.settings.early {
                early = cx.clock() + ttl.scale(1.0 - share.as_f64());
            }
        }
        let entry = Entry { version, value, expires, early, refreshing: false };
        if let Some(item) = self.contents.put(item, entry) {
            cx.note(Note::Cached { intent, item, how: Lookup::Evicted });
        }
    }

    /// An answer from behind, as those in front are told it.
    fn told(&self, ended: &Ended) -> Answer {
        match ended.outcome {
            Outcome::Answered(Answer::Done { version, value }) => {
                Answer::Done { version: self.version(version), value }
            }
            Outcome::Answered(Answer::Stale { version, value }) => {
                Answer::Stale { version: self.version(version), value }
            }
            Outcome::Answered(answer) if ended.ending != Ending::Unknown => match answer {
                Answer::Refused(why) if why.is_local() => Answer::Error,
                answer => answer,
            },
            Outcome::Answered(_) | Outcome::TimedOut if ended.op.changes() => Answer::Unsure,
            Outcome::Answered(_) | Outcome::TimedOut => Answer::Error,
        }
    }
}

/// So much later; never stays never.
fn later(at: Time, span: Span) -> Time {
    Time(at.0.saturating_add(span.0))
}
