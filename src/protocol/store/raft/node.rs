//! A member of a cluster on a node: requests wait and are worked on as in every store, then go
//! through the log. Clients are answered when their entry is applied. Exactly-once is the state
//! machine's: the table of idempotency keys is part of it (thesis, 6.3).

use super::super::holds::{self, Inquiry};
use super::super::image::{Copied, Desk, Journal, Place, Upkeep, tell};
use super::super::machine::{Command, Item, Machine};
use super::super::{Lead, Logged, Standing, StoreMessage, StoreTimer};
use super::member::{Effect, Raft, RaftSettings, State, Step};
use super::message::{Content, Entry, Position, Snapshot};
use super::mutation::Mutation;
use crate::base::id::NodeId;
use crate::base::slab::Key;
use crate::protocol::backup::messages::BackupMessage;
use crate::protocol::note::Note;
use crate::protocol::policy::idempotency::KeySettings;
use crate::protocol::rpc::{Answer, LEADER, Refusal, Request};
use crate::protocol::station::{Station, StationSettings};
use crate::protocol::{Cx, Message, Role, Timer};
use crate::sim::process::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a member works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaftStoreSettings {
    /// Its queue and workers.
    pub station: StationSettings,
    /// Who belongs to the cluster. Changed later, they are added or removed one by one.
    pub members: Vec<NodeId>,
    /// Who should lead: it stands for election at once in the beginning, and is given the office
    /// when this changes.
    pub leader: Option<NodeId>,
    /// How they keep together.
    pub raft: RaftSettings,
    /// Entries applied before a snapshot takes their place; zero for never.
    pub snapshot_every: u64,
    /// Whether idempotency keys are remembered, and how long.
    pub keys: Option<KeySettings>,
    /// What each account holds in the beginning.
    pub balance: i64,
    /// A charge that would leave less is refused; none refuses none.
    pub floor: Option<i64>,
    /// What backups need of it.
    pub upkeep: Upkeep,
}

/// A member at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RaftStore {
    /// How it works.
    pub settings: RaftStoreSettings,
    /// Its queue and workers.
    pub station: Station,
    /// Its part in the cluster.
    pub raft: Raft,
    /// What the log adds up to, as far as it is applied.
    pub machine: Machine,
    /// Requests whose entry is in the log: its term, and the job.
    proposed: BTreeMap<u64, (u64, Key)>,
    /// Reads that wait until they may be answered.
    reads: BTreeMap<u64, Key>,
    asked: u64,
    inquiry: Inquiry,
    desk: Desk,
}

impl RaftStore {
    /// A member in whose cluster nothing has happened.
    pub fn new(settings: RaftStoreSettings, seed: u64, me: NodeId) -> RaftStore {
        let machine =
            Machine::new(settings.balance, settings.keys.as_ref()).with_floor(settings.floor);
        let machine = machine.with_upkeep(settings.upkeep);
        let snapshot = Snapshot {
            last: Position::default(),
            members: settings.members.clone(),
            machine: machine.clone(),
        };
        RaftStore {
            station: Station::new(settings.station.clone(), seed, me),
            raft: Raft::new(settings.raft.clone(), me, snapshot, seed),
            machine,
            proposed: BTreeMap::new(),
            reads: BTreeMap::new(),
            asked: 0,
            inquiry: Inquiry::default(),
            desk: Desk::default(),
            settings,
        }
    }

    /// Takes new settings. Data stays.
    pub fn configure(&mut self, settings: RaftStoreSettings, cx: &mut Cx<'_>) {
        let other = settings.leader.filter(|_| settings.leader != self.settings.leader);
        self.settings = settings;
        self.machine.keep_journal(self.settings.upkeep.journal);
        self.station.configure(self.settings.station.clone(), cx);
        let settings = self.settings.raft.clone();
        self.act(cx, |raft, step| raft.configure(settings, step));
        if let Some(leader) = other {
            // Who does not lead, or is it already, has nothing to give.
            let _ = self.act(cx, |raft, step| raft.transfer(leader, step));
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            lead: match self.raft.state {
                State::Leader(_) => Lead::Leader,
                State::Candidate { .. } => Lead::Candidate,
                State::Follower => Lead::Follower,
            },
            term: self.raft.hard.term,
            leader: self.raft.leader,
            last: self.raft.log.last().index,
            durable: self.raft.durable(),
            committed: self.raft.commit,
            applied: self.machine.applied(),
            told: if self.raft.leads() { self.machine.applied() } else { 0 },
            votes: match &self.raft.state {
                State::Candidate { votes, .. } => {
                    Some(votes.iter().filter(|(_, granted)| *granted).count() as u32)
                }
                _ => None,
            },
            vote: self.raft.hard.vote,
        }
    }

    /// The entry of its log at a position, if it still holds it.
    pub fn entry(&self, position: u64) -> Option<Logged> {
        let entry = self.raft.log.entry(position)?;
        let command = match &entry.content {
            Content::Command(command) => Some(*command),
            Content::Nothing | Content::Members(_) => None,
        };
        Some(Logged { term: entry.term, at: entry.at, command })
    }

    /// The last position that only its snapshot holds.
    pub fn dropped(&self) -> u64 {
        self.raft.log.base().index
    }

    /// Forgets what was not on disk. The state machine is that of the last snapshot; the rest of
    /// the log is applied again when it is known to be committed.
    pub fn crash(&mut self, durable: u64) {
        self.station.crash();
        self.proposed.clear();
        self.reads.clear();
        self.inquiry.crash();
        self.desk.crash();
        self.raft.crash(durable);
        self.machine.clone_from(&self.raft.log.snapshot.machine);
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        self.compact(cx);
        match input {
            Input::Start => {
                self.act(cx, |raft, step| raft.start(false, step));
                if self.settings.leader == Some(cx.node()) {
                    self.act(cx, |raft, step| raft.stand_now(step));
                }
            }
            Input::Restart => {
                self.inquiry.watch(&self.machine.holds, cx);
                self.act(cx, |raft, step| raft.start(true, step));
            }
            Input::Message { source, message } => self.message(source, message, cx),
            Input::Timer(Timer::Work { job }) => self.worked(job, cx),
            Input::Timer(Timer::Store(StoreTimer::Raft(timer))) => {
                self.act(cx, |raft, step| raft.timer(timer, step));
                self.reorganise(cx);
            }
            Input::Timer(Timer::Store(StoreTimer::InDoubt)) => {
                self.inquiry.ask(&self.machine.holds, self.raft.leads(), cx);
            }
            Input::Timer(_) => {}
            Input::Persisted(write) => self.act(cx, |raft, step| raft.persisted(write, step)),
        }
    }

    fn message(&mut self, source: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Request(request) => self.request(source, request, cx),
            Message::Forward { client, request } if self.raft.leads() => {
                self.station.offer(client, request, cx);
            }
            Message::Forward { client, request } => {
                self.station.turn_away(client, request, Refusal::NoLeader, cx);
            }
            // Nobody is to be sent to a standby that waits for its data.
            Message::Probe { .. } if self.machine.closed() => {}
            Message::Probe { number } => cx.send(source, Message::Alive { number }),
            Message::Store(message) => match *message {
                StoreMessage::Raft(message) => {
                    self.act(cx, |raft, step| raft.receive(source, message, step));
                }
                StoreMessage::Backup(message) => self.backup(source, message, cx),
                _ => {}
            },
            _ => {}
        }
    }

    /// A member answers what it can, and passes the rest on to the leader it knows.
    fn request(&mut self, source: NodeId, request: Request, cx: &mut Cx<'_>) {
        if self.machine.closed() {
            return self.station.turn_away(source, request, Refusal::Restoring, cx);
        }
        if self.raft.leads() || self.may_read(&request) {
            return self.station.offer(source, request, cx);
        }
        match self.raft.leader {
            Some(leader) => cx.send(leader, Message::Forward { client: source, request }),
            None => self.station.turn_away(source, request, Refusal::NoLeader, cx),
        }
    }

    /// A backup copies it, or brings a copy back: that goes through the log.
    fn backup(&mut self, source: NodeId, message: BackupMessage, cx: &mut Cx<'_>) {
        let BackupMessage::Load { restore, part, steps } = message else {
            let mut desk = std::mem::take(&mut self.desk);
            desk.answer(source, message, self, cx);
            self.desk = desk;
            return;
        };
        if !self.raft.leads() {
            let leader = self.raft.leader;
            return tell(source, BackupMessage::Elsewhere { restore, leader }, cx);
        }
        if !self.desk.takes(source, restore, part, cx) {
            return;
        }
        // Who leads alone commits at once: the part is waited for before it is proposed.
        let last = self.raft.log.last().index + steps.len() as u64;
        self.desk.load(last, source, restore, part);
        for (item, op) in steps {
            let content = Content::Command(Command { intent: restore, op, item, key: 0 });
            let _ = self.act(cx, |raft, step| raft.propose(content, step));
        }
    }

    /// True if the client takes an answer from this member's own state.
    fn may_read(&self, request: &Request) -> bool {
        let applied = self.machine.applied();
        !request.op.changes() && request.after != LEADER && request.after <= applied
    }

    fn worked(&mut self, job: Key, cx: &mut Cx<'_>) {
        let Some(request) = self.station.job(job).map(|j| j.request) else { return };
        if self.station.fails() {
            return self.station.finish(job, Answer::Error, cx);
        }
        if self.may_read(&request) {
            let answer = self.machine.answer(request.op, request.item);
            return self.station.finish(job, answer, cx);
        }
        if !request.op.changes() {
            return self.confirm(job, cx);
        }
        let content = Content::Command(Command::of(&request));
        let Some(place) = self.act(cx, |raft, step| raft.propose(content, step)) else {
            return self.station.finish(job, Answer::Refused(Refusal::NoLeader), cx);
        };
        self.station.release(job, cx);
        self.proposed.insert(place.index, (place.term, job));
    }

    /// Lets a read wait until nobody else can have changed what it will see.
    fn confirm(&mut self, job: Key, cx: &mut Cx<'_>) {
        self.asked += 1;
        let read = self.asked;
        self.reads.insert(read, job);
        self.station.release(job, cx);
        if !self.act(cx, |raft, step| raft.read(read, step)) {
            self.refuse_reads(cx);
        }
    }

    /// A leader brings the members to what the settings say, one by one. What it may not do now it
    /// tries again at the next heartbeat.
    fn reorganise(&mut self, cx: &mut Cx<'_>) {
        let (wanted, members) = (&self.settings.members, self.raft.members());
        if !self.raft.leads() || wanted == members {
            return;
        }
        let missing = wanted.iter().find(|node| !members.contains(node)).copied();
        let extra = members.iter().find(|node| !wanted.contains(node)).copied();
        let _ = match (missing, extra) {
            (Some(node), _) => self.act(cx, |raft, step| raft.add_member(node, step)),
            (None, Some(node)) => self.act(cx, |raft, step| raft.remove_member(node, step)),
            (None, None) => Ok(()),
        };
    }

    /// Gives an input to the core and does what it wants done.
    pub fn act<R>(
        &mut self,
        cx: &mut Cx<'_>,
        input: impl FnOnce(&mut Raft, &mut Step<'_>) -> R,
    ) -> R {
        let mut effects = Vec::new();
        let (now, clock) = (cx.now(), cx.clock());
        let result = input(&mut self.raft, &mut Step { now, clock, effects: &mut effects });
        for effect in effects {
            self.perform(effect, cx);
        }
        result
    }

    fn perform(&mut self, effect: Effect, cx: &mut Cx<'_>) {
        let term = self.raft.hard.term;
        match effect {
            Effect::Send { target, message } => {
                cx.send(target, Message::Store(Box::new(StoreMessage::Raft(message))));
            }
            Effect::SetTimer { span, timer } => {
                cx.set_timer(span, Timer::Store(StoreTimer::Raft(timer)));
            }
            Effect::Persist { write } => {
                let number = cx.persist(true);
                debug_assert_eq!(number, write, "the disk counts as the core does");
            }
            Effect::Commit { .. } => self.apply(cx),
            Effect::Restore => self.restore(cx),
            Effect::Truncated { entries, .. } => {
                for Command { intent, op, item, .. } in entries.iter().filter_map(Entry::command) {
                    let (intent, op, item) = (*intent, *op, *item);
                    cx.note(Note::Truncated { intent, op, item, led: false });
                }
            }
            Effect::Stands => cx.note(Note::Suspects { term }),
            Effect::Elected => cx.note(Note::Leads { term }),
            Effect::SteppedDown => {
                self.desk.crash();
                cx.note(Note::StepsDown { term });
                self.refuse_reads(cx);
            }
            Effect::Ready { read } => {
                self.apply(cx);
                let Some(job) = self.reads.remove(&read) else { return };
                let Some(request) = self.station.job(job).map(|j| j.request) else { return };
                let answer = self.machine.answer(request.op, request.item);
                self.station.finish(job, answer, cx);
            }
        }
    }

    /// Applies what is committed, and answers who waited for it.
    fn apply(&mut self, cx: &mut Cx<'_>) {
        while self.machine.applied() < self.raft.commit {
            let index = self.machine.applied() + 1;
            let Some(entry) = self.raft.log.entry(index) else { return };
            let (term, mut command) = (entry.term, entry.command().copied());
            if self.raft.is(Mutation::KeysOfLeader) && !self.raft.leads() {
                command = command.map(|command| Command { key: 0, ..command });
            }
            let done = self.machine.apply(entry.at, command.as_ref());
            self.inquiry.watch(&self.machine.holds, cx);
            if self.raft.leads() {
                self.desk.reached(index, cx);
            }
            if let Some(note) = command.as_ref().and_then(holds::told)
                && self.raft.leads()
            {
                cx.note(note);
            }
            if let Some(Command { intent, op, item, .. }) = command.filter(|_| done.changed)
                && self.raft.leads()
            {
                let position = (term << 40) | index;
                cx.note(Note::Applied { intent, op, item, position });
            }
            if let Some((proposed, job)) = self.proposed.remove(&index) {
                // Where another entry was committed in its place, it can never be.
                let answer = if proposed == term { done.answer } else { Answer::Error };
                self.station.finish(job, answer, cx);
            }
        }
    }

    /// Takes a snapshot when it is time. Not with the input that applied the entries: they can be
    /// seen for an instant.
    fn compact(&mut self, cx: &mut Cx<'_>) {
        let held = self.machine.applied() - self.raft.log.base().index;
        if self.settings.snapshot_every > 0 && held >= self.settings.snapshot_every {
            let (index, machine) = (self.machine.applied(), self.machine.clone());
            self.act(cx, |raft, step| raft.compact(index, machine, step));
        }
    }

    /// Takes the state of a snapshot. Whether what was asked for is in it cannot be told.
    fn restore(&mut self, cx: &mut Cx<'_>) {
        self.machine.clone_from(&self.raft.log.snapshot.machine);
        self.inquiry.watch(&self.machine.holds, cx);
        let rest = self.proposed.split_off(&(self.machine.applied() + 1));
        for (_, job) in std::mem::replace(&mut self.proposed, rest).into_values() {
            self.station.abandon(job, cx);
        }
    }

    /// This member does not lead: a read that waited is not answered.
    fn refuse_reads(&mut self, cx: &mut Cx<'_>) {
        for job in std::mem::take(&mut self.reads).into_values() {
            self.station.finish(job, Answer::Refused(Refusal::NoLeader), cx);
        }
    }
}

impl Copied for RaftStore {
    fn place(&self) -> Place {
        let position = self.machine.applied();
        Place { term: self.raft.log.term(position).unwrap_or(0), position }
    }

    /// What is applied is committed, and stays.
    fn knows(&self, place: Place) -> bool {
        place.position <= self.machine.applied()
    }

    fn closed(&self) -> bool {
        self.machine.closed()
    }

    fn base(&self) -> Item {
        self.machine.base()
    }

    fn changed(&self, after: u64) -> Vec<(u32, Item)> {
        self.machine.items().filter(|(_, item)| item.version > after).collect()
    }

    fn all_changed(&self, after: u64) -> bool {
        self.machine.base().version > after
    }

    fn journal(&self) -> Option<&Journal> {
        self.machine.journal()
    }
}
