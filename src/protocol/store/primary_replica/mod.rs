//! A store with a primary and replicas. The primary writes a log; replicas copy it and apply it at
//! their own pace. How many must have a change before its client is told decides what a failover
//! can lose: none is asynchronous, some is semi-synchronous, all is synchronous.
//!
//! Modelled on what databases do: one stream to each replica, in which the next part leaves when
//! the last has been confirmed; semi-synchronous waiting before the change can be seen (MySQL's
//! `AFTER_SYNC`); failure detection by heartbeats, and promotion by whoever misses them.

mod copied;
pub mod messages;
mod promotion;
mod replication;

use super::holds::{self, Inquiry};
use super::image::{Desk, Upkeep};
use super::log::{Entry, Log};
use super::machine::{Command, Machine};
use super::{Lead, Standing, StoreMessage, StoreTimer};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::protocol::note::Note;
use crate::protocol::policy::idempotency::KeySettings;
use crate::protocol::rpc::{Answer, LEADER, Refusal, Request};
use crate::protocol::station::{Station, StationSettings};
use crate::protocol::{Cx, Message, Role, Timer};
use crate::sim::process::Input;
use messages::{ReplicaMessage, ReplicaTimer};
use promotion::{Asking, tell_applied};
use replication::Peer;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Applied entries that a log holds at most before its beginning is dropped, twice what is kept.
const LOG_MOST: u64 = 10_000;

/// How a replica works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicaSettings {
    /// Its queue and workers.
    pub station: StationSettings,
    /// All replicas, this one included.
    pub members: Vec<NodeId>,
    /// Who leads in the beginning, and whom a person wants to lead when it changes.
    pub primary: NodeId,
    /// How many replicas besides the primary must have a change before its client is told.
    pub acks: u32,
    /// How long a replica takes to apply one change.
    pub apply: Dist,
    /// How often the primary says that it is there.
    pub heartbeat: Span,
    /// When and how another becomes primary; none leaves that to a person.
    pub failover: Option<FailoverSettings>,
    /// Whether a primary steps down when it hears of a newer one, and a promotion needs a majority.
    pub fencing: bool,
    /// Whether an entry is on disk before it counts as had.
    pub sync: bool,
    /// Whether idempotency keys are remembered, and how long.
    pub keys: Option<KeySettings>,
    /// What each account holds in the beginning.
    pub balance: i64,
    /// What backups need of it.
    pub upkeep: Upkeep,
}

impl ReplicaSettings {
    /// A state in which nothing has happened.
    fn blank(&self) -> Machine {
        Machine::new(self.balance, self.keys.as_ref()).with_upkeep(self.upkeep)
    }
}

/// When and how another replica becomes primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverSettings {
    /// How long without a sign of the primary.
    pub after: Span,
    /// Which replica.
    pub promote: Promote,
}

/// Which replica becomes primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Promote {
    /// Of those that answer, the one with the longest log.
    MostAdvanced,
    /// Of those that answer, the first in the list, whatever it has.
    First,
}

/// A replica at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replica {
    /// How it works.
    pub settings: ReplicaSettings,
    /// Its queue and workers.
    pub station: Station,
    /// Its log.
    pub log: Log,
    /// What the log adds up to, as far as it is applied.
    pub machine: Machine,
    me: NodeId,
    // What the dropped beginning of the log added up to.
    base: Machine,
    // Disk writes under way: the number of each, and the last position it covers.
    writes: VecDeque<(u64, u64)>,
    durable: u64,
    // What of the log is on disk whatever becomes of those.
    settled: u64,
    // The last entry that it applied, and told of, while it led.
    told: u64,
    // The epoch and the promise are taken to survive a crash: a coordination service keeps them.
    epoch: u64,
    promised: u64,
    // The last entry before the epoch of the leader began.
    start: u64,
    leads: bool,
    leader: Option<NodeId>,
    committed: u64,
    peers: Vec<Peer>,
    jobs: BTreeMap<u64, Key>,
    applying: bool,
    // By its own clock: when it last heard of a primary, and since when it is patient for another
    // reason.
    heard: Time,
    patient: Time,
    round: u32,
    asking: Option<Asking>,
    // What the primary is to be told when the disk is as far.
    confirming: Option<(NodeId, Time, u64)>,
    // The epochs in which this replica led.
    led: Vec<u64>,
    // Entries that a crash took from a disk that was not synced, told of at the restart.
    undone: Vec<Entry>,
    inquiry: Inquiry,
    desk: Desk,
    jitter: Stream,
    apply_times: Stream,
}

impl Replica {
    /// A replica in which nothing has happened.
    pub fn new(settings: ReplicaSettings, seed: u64, me: NodeId) -> Replica {
        let machine = settings.blank();
        let number = u64::from(me.0);
        Replica {
            station: Station::new(settings.station.clone(), seed, me),
            log: Log::default(),
            base: machine.clone(),
            machine,
            me,
            writes: VecDeque::new(),
            durable: 0,
            settled: 0,
            told: 0,
            epoch: 1,
            promised: 1,
            start: 0,
            leads: settings.primary == me,
            leader: Some(settings.primary),
            committed: 0,
            peers: replication::peers(&settings.members, me),
            jobs: BTreeMap::new(),
            applying: false,
            heard: Time::ZERO,
            patient: Time::ZERO,
            round: 0,
            asking: None,
            confirming: None,
            led: if settings.primary == me { vec![1] } else { Vec::new() },
            undone: Vec::new(),
            inquiry: Inquiry::default(),
            desk: Desk::default(),
            jitter: Stream::new(seed, "failover jitter", number),
            apply_times: Stream::new(seed, "apply time", number),
            settings,
        }
    }

    /// Takes new settings. Data stays. Another primary takes over at once.
    pub fn configure(&mut self, settings: ReplicaSettings, cx: &mut Cx<'_>) {
        let moved = settings.primary != self.settings.primary;
        self.settings = settings;
        self.machine.keep_journal(self.settings.upkeep.journal);
        self.base.keep_journal(self.settings.upkeep.journal);
        self.station.configure(self.settings.station.clone(), cx);
        if !cx.is_up() {
            // A machine that is down knows the settings when it starts; one that stands still
            // takes the order when it goes on.
            if moved && cx.is_paused() {
                self.remind(Span::ZERO, ReplicaTimer::Appointed, cx);
            }
            return;
        }
        if moved {
            self.take_order(cx);
        }
        self.commit(cx);
        if !self.leads {
            self.new_round(cx);
            self.watch(cx);
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let lead = match (self.leads, &self.asking) {
            (true, _) => Lead::Leader,
            (false, Some(_)) => Lead::Candidate,
            (false, None) => Lead::Follower,
        };
        Standing {
            lead,
            term: self.epoch,
            leader: self.leader,
            last: self.log.last(),
            durable: self.durable,
            committed: self.committed,
            applied: self.machine.applied(),
            told: self.told,
            votes: None,
            vote: None,
        }
    }

    /// Forgets what was not on disk; the state is what the rest of the log adds up to.
    pub fn crash(&mut self, durable: u64) {
        self.station.crash();
        self.jobs.clear();
        self.inquiry.crash();
        self.desk.crash();
        while self.writes.back().is_some_and(|(write, _)| *write > durable) {
            self.writes.pop_back();
        }
        let kept = self.writes.back().map_or(self.settled, |(_, position)| *position);
        self.writes.clear();
        let done = self.machine.applied();
        let mut position = kept;
        for entry in self.log.cut_after(kept) {
            position += 1;
            if self.leads && position <= done {
                self.undone.push(entry);
            }
        }
        self.rebuild(kept);
        (self.durable, self.settled) = (kept, kept);
        self.told = self.told.min(kept);
        self.committed = self.committed.min(kept);
        self.applying = false;
        self.leads = false;
        self.leader = None;
        self.asking = None;
        self.confirming = None;
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Start => self.begin(cx),
            Input::Restart => self.recover(cx),
            Input::Message { source, message } => self.message(source, message, cx),
            Input::Timer(Timer::Work { job }) => self.worked(job, cx),
            Input::Timer(Timer::Store(StoreTimer::Replica(timer))) => self.timer(timer, cx),
            Input::Timer(Timer::Store(StoreTimer::InDoubt)) => {
                self.inquiry.ask(&self.machine.holds, self.leads, cx);
            }
            Input::Timer(_) => {}
            Input::Persisted(write) => self.persisted(write, cx),
        }
    }

    fn begin(&mut self, cx: &mut Cx<'_>) {
        self.patient = cx.clock();
        if self.leads {
            cx.note(Note::Leads { term: self.epoch });
            self.beat(cx);
        } else {
            self.watch(cx);
        }
    }

    fn recover(&mut self, cx: &mut Cx<'_>) {
        for entry in std::mem::take(&mut self.undone) {
            let Some(Command { intent, op, item, .. }) = entry.command else { continue };
            cx.note(Note::Undone { intent, op, item });
        }
        self.inquiry.watch(&self.machine.holds, cx);
        self.patient = cx.clock();
        // Where nobody else can have taken over, the primary takes up where it was.
        if self.settings.failover.is_none() && self.settings.primary == self.me {
            self.promote(self.epoch + 1, cx);
        } else {
            self.watch(cx);
        }
    }

    fn message(&mut self, source: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Request(request) => self.request(source, request, cx),
            Message::Forward { client, request } if self.leads => {
                self.station.offer(client, request, cx);
            }
            Message::Forward { client, request } => {
                self.station.turn_away(client, request, Refusal::NoLeader, cx);
            }
            // Nobody is to be sent to a standby that waits for its data.
            Message::Probe { .. } if self.machine.closed() => {}
            Message::Probe { number } => cx.send(source, Message::Alive { number }),
            Message::Store(message) => match *message {
                StoreMessage::Replica(message) => self.replica_message(source, message, cx),
                StoreMessage::Backup(message) => self.backup(source, message, cx),
                _ => {}
            },
            _ => {}
        }
    }

    /// A replica answers what it can, and passes the rest on to the primary it knows.
    fn request(&mut self, source: NodeId, request: Request, cx: &mut Cx<'_>) {
        if self.machine.closed() {
            return self.station.turn_away(source, request, Refusal::Restoring, cx);
        }
        let may = !request.op.changes()
            && request.after != LEADER
            && request.after <= self.machine.applied();
        if self.leads || may {
            return self.station.offer(source, request, cx);
        }
        match self.leader.filter(|leader| *leader != self.me) {
            Some(leader) => cx.send(leader, Message::Forward { client: source, request }),
            None => self.station.turn_away(source, request, Refusal::NoLeader, cx),
        }
    }

    fn worked(&mut self, job: Key, cx: &mut Cx<'_>) {
        let Some(request) = self.station.job(job).map(|j| j.request) else { return };
        if self.station.fails() {
            return self.station.finish(job, Answer::Error, cx);
        }
        if !request.op.changes() && (self.leads || request.after != LEADER) {
            let answer = self.machine.answer(request.op, request.item);
            return self.station.finish(job, answer, cx);
        }
        if !self.leads {
            return self.station.finish(job, Answer::Refused(Refusal::NoLeader), cx);
        }
        let command = Some(Command::of(&request));
        let position = self.log.push(Entry { term: self.epoch, at: cx.clock(), command });
        self.jobs.insert(position, job);
        self.station.release(job, cx);
        self.persist(cx);
        self.feed_all(cx);
    }

    /// Writes the log to disk as far as it goes.
    fn persist(&mut self, cx: &mut Cx<'_>) {
        let write = cx.persist(self.settings.sync);
        self.writes.push_back((write, self.log.last()));
    }

    fn persisted(&mut self, write: u64, cx: &mut Cx<'_>) {
        let done = self.writes.iter().rev().find(|(number, _)| *number <= write);
        let Some(&(_, position)) = done else { return };
        self.durable = self.durable.max(position.min(self.log.last()));
        // Of writes that are not synced it takes the disk to say how far it was, at a crash.
        let keep = if self.settings.sync { 0 } else { 4_096 };
        while self.writes.len() > keep
            && let Some((_, covered)) = self.writes.pop_front_if(|(number, _)| *number <= write)
        {
            self.settled = covered;
        }
        if self.leads {
            self.commit(cx);
        } else {
            self.confirm(cx);
            self.apply(cx);
        }
    }

    /// Applies what may be applied: a primary what is committed, a replica what it has on disk, one
    /// after the other.
    fn apply(&mut self, cx: &mut Cx<'_>) {
        while !self.applying {
            let limit = if self.leads { self.committed } else { self.durable };
            if self.machine.applied() >= limit {
                break;
            }
            let time = if self.leads {
                Span::ZERO
            } else {
                cx.work(self.settings.apply.sample(&mut self.apply_times))
            };
            if time > Span::ZERO {
                self.applying = true;
                self.remind(time, ReplicaTimer::Apply { round: self.round }, cx);
            } else if !self.apply_next(cx) {
                break;
            }
        }
        self.compact();
    }

    fn apply_next(&mut self, cx: &mut Cx<'_>) -> bool {
        let position = self.machine.applied() + 1;
        let Some(entry) = self.log.get(position).copied() else { return false };
        let done = self.machine.apply(entry.at, entry.command.as_ref());
        self.inquiry.watch(&self.machine.holds, cx);
        if !self.leads {
            return true;
        }
        self.told = position;
        self.desk.reached(position, cx);
        if let Some(note) = entry.command.as_ref().and_then(holds::told) {
            cx.note(note);
        }
        if done.changed {
            tell_applied(position, entry, cx);
        }
        if let Some(job) = self.jobs.remove(&position) {
            self.station.finish(job, done.answer, cx);
        }
        true
    }

    /// Makes the state what the log adds up to, as far as `position`.
    fn rebuild(&mut self, position: u64) {
        if self.machine.applied() <= position {
            return;
        }
        self.machine = self.base.clone();
        while self.machine.applied() < position {
            let Some(entry) = self.log.get(self.machine.applied() + 1) else { return };
            self.machine.apply(entry.at, entry.command.as_ref());
        }
    }

    /// Drops the beginning of a long log.
    fn compact(&mut self) {
        if self.machine.applied().saturating_sub(self.log.dropped()) <= LOG_MOST {
            return;
        }
        let position = self.machine.applied() - LOG_MOST / 2;
        while self.base.applied() < position {
            let Some(entry) = self.log.get(self.base.applied() + 1) else { return };
            self.base.apply(entry.at, entry.command.as_ref());
        }
        self.log.drop_to(position);
    }

    fn remind(&self, span: Span, timer: ReplicaTimer, cx: &mut Cx<'_>) {
        cx.set_timer(span, Timer::Store(StoreTimer::Replica(timer)));
    }

    fn tell(&self, node: NodeId, message: ReplicaMessage, cx: &mut Cx<'_>) {
        cx.send(node, Message::Store(Box::new(message.into())));
    }
}
