//! What a replica does for a client: asks the homes of an item, and answers when a quorum has.

use super::cell::{Dot, Past, Version};
use super::keeping::{Part, Then};
use super::messages::{QuorumMessage, QuorumTimer};
use super::mutation::Mutation;
use super::{
    Answer, Cell, Cx, Key, Merge, NodeId, QuorumStore, ReadRepair, Refusal, Request, Span,
};
use crate::protocol::note::{Change, Note};
use crate::protocol::rpc::Op;
use crate::protocol::store::machine::below;
use serde::{Deserialize, Serialize};

/// A request under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Round {
    job: Key,
    intent: u64,
    op: Op,
    item: u32,
    homes: Vec<NodeId>,
    phase: Phase,
    answered: bool,
    /// What the homes hold that have answered a read.
    copies: Vec<Copy>,
    /// What is read or written, as far as it is known.
    cell: Cell,
    /// The homes that have it.
    had: Vec<NodeId>,
    /// Who has said anything.
    heard: Vec<NodeId>,
    /// What is answered, where that does not follow from the cell.
    answer: Option<Answer>,
    /// It has been said that the change is made.
    told: bool,
}

/// What a home holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Copy {
    pub(super) home: NodeId,
    pub(super) cell: Cell,
    /// Whether a crash would leave it.
    pub(super) durable: bool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Asks the homes what they hold.
    Reading,
    /// Writes its own copy first.
    Beginning,
    /// Has the homes keep what is written, or what a read is to answer.
    Writing,
}

impl QuorumStore {
    /// Begins to do what a client wants.
    pub(super) fn coordinate(&mut self, job: Key, request: Request, cx: &mut Cx<'_>) {
        let Request { intent, op, item, .. } = request;
        if op == Op::Scan {
            return self.scan(job, cx);
        }
        let Some(phase) = self.first_phase(op) else {
            return self.station.finish(job, Answer::Error, cx);
        };
        let homes = self.homes(item);
        let QuorumSizes { read, write } = self.sizes();
        let needed = match (phase, op.changes()) {
            (Phase::Reading, false) => read,
            (Phase::Reading, true) => read.max(write),
            (Phase::Beginning | Phase::Writing, _) => write,
        };
        if self.within_reach(&homes) < needed {
            return self.station.finish(job, Answer::Refused(Refusal::NoQuorum), cx);
        }
        if let (Merge::Counter, Op::Charge { amount }) = (self.settings.merge, op)
            && let Answer::Done { value, .. } = self.read(&self.held_for(None, item))
            && below(self.settings.floor, value, amount)
        {
            return self.station.finish(job, Answer::Refused(Refusal::NoFunds), cx);
        }
        self.station.release(job, cx);
        self.round += 1;
        let number = self.round;
        let round = Round {
            job,
            intent,
            op,
            item,
            homes,
            phase,
            answered: false,
            copies: Vec::new(),
            cell: Cell::default(),
            had: Vec::new(),
            heard: Vec::new(),
            answer: None,
            told: false,
        };
        self.rounds.insert(number, round);
        self.remind(self.settings.timeout, QuorumTimer::GiveUp { round: number }, cx);
        if self.settings.sloppy {
            let half = Span(self.settings.timeout.0 / 2);
            self.remind(half, QuorumTimer::StandIn { round: number }, cx);
        }
        match (phase, op) {
            (Phase::Reading, _) => self.ask(number, cx),
            (_, Op::CompareAndSet { version }) => {
                let seen = Past::unpack(version, self.settings.members.len() as u32);
                self.make(number, seen, None, intent as i64, cx);
            }
            _ => self.make(number, Past::default(), None, intent as i64, cx),
        }
    }

    /// What comes first; none for what this kind of store cannot do. Siblings cannot be counted
    /// with, counts and sets cannot be overwritten, nothing spans two items, and there is nobody to
    /// hold a lock or to say of an item that it is gone.
    fn first_phase(&self, op: Op) -> Option<Phase> {
        let counts = matches!(op, Op::Charge { .. } | Op::Increment { .. });
        let is_of_sets = op.on_set(0).is_some();
        match (self.settings.merge, op) {
            (_, Op::Read | Op::Update) => Some(Phase::Reading),
            (_, Op::Transfer { .. } | Op::Leg { .. }) => None,
            (_, op) if op.holds() => None,
            (Merge::LastWriterWins, Op::Write) => Some(Phase::Writing),
            (Merge::LastWriterWins, _) => Some(Phase::Reading),
            (Merge::Siblings, _) => (!counts && !is_of_sets).then_some(Phase::Beginning),
            (Merge::Counter, _) => counts.then_some(Phase::Beginning),
            (Merge::Set, _) => is_of_sets.then_some(Phase::Beginning),
        }
    }

    pub(super) fn sizes(&self) -> QuorumSizes {
        let (read, write) = (self.settings.read as usize, self.settings.write as usize);
        QuorumSizes {
            read: if self.is(Mutation::ReadFirst) { 1 } else { read },
            write: if self.is(Mutation::AcknowledgeFirst) { 1 } else { write },
        }
    }

    /// Sends every home of a round, and who stands in for it, what `message` makes; itself last.
    fn send_homes(
        &mut self,
        homes: &[NodeId],
        item: u32,
        message: impl Fn(Option<NodeId>) -> QuorumMessage,
        cx: &mut Cx<'_>,
    ) {
        let me = self.me;
        for home in homes.iter().copied().filter(|home| *home != me) {
            self.tell(home, message(None), cx);
        }
        if self.settings.sloppy {
            for (home, stand_in) in self.stand_ins(homes, item) {
                self.tell(stand_in, message(Some(home)), cx);
            }
        }
        if homes.contains(&me) {
            self.tell(me, message(None), cx);
        }
    }

    /// Asks the homes what they hold.
    fn ask(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(round) = self.rounds.get(&number) else { return };
        let (homes, item) = (round.homes.clone(), round.item);
        self.send_homes(&homes, item, |home| QuorumMessage::Get { round: number, item, home }, cx);
    }

    /// A home says what it holds.
    pub(super) fn got(&mut self, number: u64, source: NodeId, copy: Copy, cx: &mut Cx<'_>) {
        let (merge, twice) = (self.settings.merge, self.is(Mutation::CountCopies));
        let needed = self.sizes().read;
        let Some(round) = self.rounds.get_mut(&number) else { return };
        round.heard.push(source);
        let asks = round.phase == Phase::Reading;
        let late = round.op.changes() && !asks;
        if late || (!twice && round.copies.iter().any(|known| known.home == copy.home)) {
            return;
        }
        if asks {
            round.cell.join(&copy.cell, merge);
        }
        round.copies.push(copy);
        if asks && !round.answered && round.copies.len() >= needed {
            self.have_read(number, cx);
        }
        self.repair(number, cx);
    }

    /// As many homes have answered as a read needs.
    fn have_read(&mut self, number: u64, cx: &mut Cx<'_>) {
        let (merge, write) = (self.settings.merge, self.sizes().write);
        let hasty = self.is(Mutation::CountUndurable);
        let first =
            self.settings.read_repair == ReadRepair::First && !self.is(Mutation::AnswerUnwritten);
        let Some(round) = self.rounds.get_mut(&number) else { return };
        if round.op.changes() {
            return self.modify(number, cx);
        }
        // What a crash would take does not count as had.
        let has = |copy: &&Copy| (copy.durable || hasty) && copy.cell.contains(&round.cell, merge);
        round.had = round.copies.iter().filter(has).map(|copy| copy.home).collect();
        if first && round.had.len() < write {
            round.phase = Phase::Writing;
            return self.spread(number, cx);
        }
        self.answer(number, cx);
    }

    /// Brings copies up to date that a read found to be behind, after the answer.
    fn repair(&mut self, number: u64, cx: &mut Cx<'_>) {
        let merge = self.settings.merge;
        let Some(round) = self.rounds.get_mut(&number) else { return };
        if !round.answered || round.op.changes() {
            return;
        }
        let mut behind = Vec::new();
        if self.settings.read_repair != ReadRepair::Never {
            for copy in &round.copies {
                round.cell.join(&copy.cell, merge);
            }
            for copy in &mut round.copies {
                if copy.cell.join(&round.cell, merge) {
                    behind.push(copy.home);
                }
            }
        }
        let (item, cell) = (round.item, round.cell.clone());
        let over = round.copies.len() >= round.homes.len();
        if over || self.settings.read_repair == ReadRepair::Never {
            self.rounds.remove(&number);
        }
        for home in behind {
            let cell = cell.clone();
            self.tell(home, QuorumMessage::Put { round: 0, item, home: None, cell }, cx);
        }
    }

    /// Computes what to write from what was read: no more than a read and a write, so that whoever
    /// does the same at the same time is overwritten.
    fn modify(&mut self, number: u64, cx: &mut Cx<'_>) {
        let balance = self.settings.balance;
        let Some(round) = self.rounds.get(&number) else { return };
        let (base, before) = round.cell.newest().map_or((0, balance), |v| (v.stamp, v.value));
        let value = match round.op {
            Op::CompareAndSet { version } if version != base => {
                return self.refuse(number, Answer::Conflict, cx);
            }
            Op::Charge { amount } if below(self.settings.floor, before, amount) => {
                return self.refuse(number, Answer::Refused(Refusal::NoFunds), cx);
            }
            Op::Charge { amount } => before.saturating_sub(i64::from(amount)),
            Op::Increment { by } => before.saturating_add(i64::from(by)),
            op => op.on_set(before).unwrap_or(round.intent as i64),
        };
        self.make(number, Past::default(), Some(base), value, cx);
    }

    /// Nothing is changed after all.
    fn refuse(&mut self, number: u64, answer: Answer, cx: &mut Cx<'_>) {
        if let Some(round) = self.rounds.remove(&number) {
            self.station.finish(round.job, answer, cx);
        }
    }

    /// Makes the change: from here on it may surface, whatever the client is told. A version was
    /// computed from the one stamped `base`, or replaces all.
    fn make(&mut self, number: u64, past: Past, base: Option<u64>, value: i64, cx: &mut Cx<'_>) {
        let (merge, place, stamp) = (self.settings.merge, self.place(), self.stamp(cx));
        let replicas = self.settings.members.len() as u32;
        let Some(round) = self.rounds.get_mut(&number) else { return };
        let mut cell = self.now.items.get(&round.item).cloned().unwrap_or_default();
        let counts = merge != Merge::LastWriterWins;
        let dot = Dot { place, count: if counts { cell.made_by(place) + 1 } else { 0 } };
        match (merge, round.op) {
            (Merge::Counter, op) => {
                let tally = cell.tally(place);
                tally.count = dot.count;
                match op {
                    Op::Charge { amount } => tally.minus += u64::from(amount),
                    Op::Increment { by } => tally.plus += u64::from(by),
                    _ => {}
                }
            }
            (Merge::Set, op) => cell.change_set(dot, op),
            (Merge::Siblings, _) => {
                let mut seen = past.clone();
                seen.add(dot);
                round.answer = Some(Answer::Done { version: seen.pack(replicas), value });
                cell.join(&Cell::of(Version { stamp, dot, past, value }), merge);
            }
            (Merge::LastWriterWins, _) => {
                cell = Cell::of(Version { stamp, dot, past, value });
                round.answer = Some(Answer::Done { version: stamp, value });
            }
        }
        round.copies.clear();
        round.heard.clear();
        round.cell = cell.clone();
        let (intent, item) = (round.intent, round.item);
        cx.note(Note::Stamped { intent, item, change: Change { stamp, dot, base } });
        if merge == Merge::LastWriterWins {
            round.phase = Phase::Writing;
            return self.spread(number, cx);
        }
        // Its own copy first, as Riak does: whoever hears of a change of this coordinator hears of
        // all before, and it never counts from the same number again.
        round.phase = Phase::Beginning;
        self.keep(vec![Part { home: None, item, cell }], Then::Own(number), cx);
    }

    /// The coordinator's own copy is on disk.
    pub(super) fn kept_own(&mut self, number: u64, cx: &mut Cx<'_>) {
        let me = self.me;
        let Some(round) = self.rounds.get_mut(&number) else { return };
        round.phase = Phase::Writing;
        if round.homes.contains(&me) {
            round.had.push(me);
        }
        self.tell_made(number, cx);
        self.spread(number, cx);
        self.complete(number, cx);
    }

    /// Has every home keep it that does not have it yet.
    fn spread(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(round) = self.rounds.get(&number) else { return };
        let (item, cell) = (round.item, round.cell.clone());
        let missing = |home: &NodeId| !round.had.contains(home);
        let homes: Vec<NodeId> = round.homes.iter().copied().filter(missing).collect();
        let put = |home| QuorumMessage::Put { round: number, item, home, cell: cell.clone() };
        self.send_homes(&homes, item, put, cx);
    }

    /// A home has it.
    pub(super) fn stored(
        &mut self,
        number: u64,
        source: NodeId,
        home: NodeId,
        cell: Option<Cell>,
        cx: &mut Cx<'_>,
    ) {
        let (merge, twice) = (self.settings.merge, self.is(Mutation::CountCopies));
        let Some(round) = self.rounds.get_mut(&number) else { return };
        round.heard.push(source);
        if let Some(cell) = cell {
            round.cell.join(&cell, merge);
        }
        if twice || !round.had.contains(&home) {
            round.had.push(home);
        }
        self.tell_made(number, cx);
        self.complete(number, cx);
    }

    /// Answers when enough homes have it; forgets it when all do.
    fn complete(&mut self, number: u64, cx: &mut Cx<'_>) {
        let needed = self.sizes().write;
        let Some(round) = self.rounds.get(&number) else { return };
        let (enough, all) = (round.had.len() >= needed, round.had.len() >= round.homes.len());
        if round.phase == Phase::Writing && enough && !round.answered {
            self.answer(number, cx);
        }
        if all {
            self.rounds.remove(&number);
        }
    }

    /// Says that a change is made, once there is a copy of it.
    fn tell_made(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(round) = self.rounds.get_mut(&number) else { return };
        if round.op.changes() && !std::mem::replace(&mut round.told, true) {
            let (intent, op, item) = (round.intent, round.op, round.item);
            cx.note(Note::Applied { intent, op, item, position: 0 });
        }
    }

    fn answer(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(round) = self.rounds.get_mut(&number) else { return };
        round.answered = true;
        let (job, answer) = (round.job, round.answer);
        let cell = round.cell.clone();
        let answer = answer.unwrap_or_else(|| self.read(&cell));
        self.station.finish(job, answer, cx);
    }

    /// Half of the time has passed: others stand in for homes that have not answered.
    pub(super) fn stand_in(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(silent) = self.silent(number) else { return };
        let new: Vec<NodeId> =
            silent.iter().copied().filter(|home| !self.suspected.contains(home)).collect();
        new.iter().for_each(|home| self.suspect(*home, cx));
        let Some(round) = self.rounds.get(&number) else { return };
        let (item, cell, phase) = (round.item, round.cell.clone(), round.phase);
        let asks = phase == Phase::Reading && !round.answered;
        if !asks && phase != Phase::Writing {
            return;
        }
        for (home, stand_in) in self.stand_ins(&round.homes.clone(), item) {
            if !new.contains(&home) {
                continue;
            }
            let (round, home) = (number, Some(home));
            let message = match asks {
                true => QuorumMessage::Get { round, item, home },
                false => QuorumMessage::Put { round, item, home, cell: cell.clone() },
            };
            self.tell(stand_in, message, cx);
        }
    }

    /// The homes of a round of which nothing has been heard, if it is still under way.
    fn silent(&self, number: u64) -> Option<Vec<NodeId>> {
        let round = self.rounds.get(&number)?;
        let silent = |home: &&NodeId| **home != self.me && !round.heard.contains(home);
        let asked = round.phase == Phase::Reading || round.phase == Phase::Writing;
        Some(round.homes.iter().filter(silent).copied().filter(|_| asked).collect())
    }

    /// The time is over. What was begun and not acknowledged may surface later, or never.
    pub(super) fn give_up(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(silent) = self.silent(number) else { return };
        silent.into_iter().for_each(|home| self.suspect(home, cx));
        let Some(round) = self.rounds.remove(&number) else { return };
        if !round.answered {
            let made = round.op.changes() && round.phase != Phase::Reading;
            let answer = if made { Answer::Unsure } else { Answer::Refused(Refusal::NoQuorum) };
            self.station.finish(round.job, answer, cx);
        }
    }
}

/// How many homes must answer, and how many must have a write.
pub(super) struct QuorumSizes {
    pub(super) read: usize,
    pub(super) write: usize,
}
