//! Transfers between accounts on different shards.
//!
//! Two-phase commit with presumed abort (Mohan, Lindsay and Obermarck 1986): both shards lock the
//! account and write down what they prepared, the router writes down its decision to commit, and
//! tells it until both have heard. Of an abort nothing is written: a transaction that the router
//! does not know is aborted.
//!
//! A saga (Garcia-Molina and Salem 1987): one account pays, then the other receives, each by
//! itself; when the second cannot, the first gets its money back. In between everybody sees what
//! is half done. And for comparison the same without any of it.

use super::book::{Deal, Kept, Record};
use super::mutation::Mutation;
use super::{Ask, Errand, Router, RouterTimer};
use crate::base::id::NodeId;
use crate::base::slab::Key;
use crate::protocol::note::{Found, Note, Step};
use crate::protocol::policy::idempotency::Seen;
use crate::protocol::rpc::{Answer, Op, Request};
use crate::protocol::{Cx, Timer};
use serde::{Deserialize, Serialize};

/// How transfers between shards are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transfers {
    /// One side, then the other, and nothing is written down.
    Unprotected,
    /// All or nothing, with locks.
    #[default]
    TwoPhaseCommit,
    /// One side, then the other, and back if that fails.
    Saga,
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Shards are asked to prepare; a bit for each that has.
    Preparing {
        /// Who has.
        yes: u8,
    },
    /// The decision to commit is being written down.
    Deciding,
    /// Shards are told; a bit for each that has heard.
    Committing {
        /// Who has.
        done: u8,
    },
    /// A saga is being written down.
    Beginning,
    /// One account pays.
    Debiting,
    /// The other receives.
    Crediting,
    /// That the saga turns back is being written down.
    Turning,
    /// The first gets its money back.
    Returning,
}

impl Stage {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Stage::Preparing { .. } => "preparing",
            Stage::Deciding => "deciding",
            Stage::Committing { .. } => "committing",
            Stage::Beginning | Stage::Debiting => "debiting",
            Stage::Crediting => "half done",
            Stage::Turning | Stage::Returning => "turning back",
        }
    }
}

/// A transfer under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// What it is about.
    pub deal: Deal,
    /// How far it is.
    pub stage: Stage,
    // Who waits for it.
    job: Option<Key>,
    // The step under way may have been done already: only a yes can be believed.
    doubt: bool,
    resumed: bool,
    tries: u32,
}

const BOTH: u8 = 0b11;

impl Router {
    pub(super) fn transfer(
        &mut self,
        job: Key,
        request: &Request,
        to: u32,
        amount: u32,
        cx: &mut Cx<'_>,
    ) {
        let Request { intent, item: from, key, .. } = *request;
        let how = self.settings.transfers;
        if key != 0 && how != Transfers::Unprotected {
            let body = request.op.tag() ^ (u64::from(from) << 40);
            let (found, answer) = match self.keys.begin(cx.now(), key, body) {
                Seen::New => (None, Answer::Conflict),
                Seen::Done(answer) => (Some(Found::Answer), answer),
                Seen::InFlight => (Some(Found::AtWork), Answer::Conflict),
                Seen::OtherBody => (Some(Found::OtherRequest), Answer::KeyReused),
            };
            if let Some(found) = found {
                cx.note(Note::Recognised { intent, found });
                return self.station.finish(job, answer, cx);
            }
        }
        // Room for the numbers of its steps.
        let number = (u64::from(self.me.0) << 40) | (self.next << 2);
        self.next += 1;
        let deal = Deal { intent, from, to, amount, key };
        let stage = match how {
            Transfers::Unprotected => Stage::Debiting,
            Transfers::TwoPhaseCommit => Stage::Preparing { yes: 0 },
            Transfers::Saga => Stage::Beginning,
        };
        self.enter(number, deal, stage, Some(job));
        match how {
            Transfers::Unprotected => self.step(number, 0, cx),
            Transfers::TwoPhaseCommit => {
                self.step(number, 0, cx);
                self.step(number, 1, cx);
            }
            Transfers::Saga => self.record(Record::Keep(number, deal, Kept::Begun), cx),
        }
    }

    fn enter(&mut self, number: u64, deal: Deal, stage: Stage, job: Option<Key>) {
        self.begin_busy(deal.from);
        self.begin_busy(deal.to);
        let resumed = job.is_none();
        let transfer = Transfer { deal, stage, job, doubt: resumed, resumed, tries: 0 };
        self.transfers.insert(number, transfer);
    }

    /// Takes up what the disk knows, after a crash.
    pub(super) fn resume(&mut self, cx: &mut Cx<'_>) {
        let open: Vec<_> =
            self.book.open.iter().map(|(n, (deal, kept))| (*n, *deal, *kept)).collect();
        for (number, deal, mut kept) in open {
            if kept == Kept::Turned && self.is(Mutation::ForgetTurning) {
                kept = Kept::Begun;
            }
            if deal.key != 0 {
                let op = Op::Transfer { to: deal.to, amount: deal.amount };
                self.keys.begin(cx.now(), deal.key, op.tag() ^ (u64::from(deal.from) << 40));
            }
            self.enter(number, deal, Stage::Beginning, None);
            self.kept(number, kept, cx);
        }
    }

    /// The disk knows how far a transfer is: what follows may be done.
    pub(super) fn kept(&mut self, number: u64, kept: Kept, cx: &mut Cx<'_>) {
        let Some(transfer) = self.transfers.get_mut(&number) else { return };
        let Deal { intent, key, .. } = transfer.deal;
        match kept {
            Kept::Committed if matches!(transfer.stage, Stage::Committing { .. }) => {}
            Kept::Committed => {
                transfer.stage = Stage::Committing { done: 0 };
                let (job, resumed) = (transfer.job.take(), transfer.resumed);
                if !resumed {
                    cx.note(Note::Transfer { intent, step: Step::Commits });
                }
                let done = Answer::Done { version: 0, value: 0 };
                self.keys.finish(cx.now(), key, done);
                if let Some(job) = job {
                    self.station.finish(job, done, cx);
                }
                self.step(number, 0, cx);
                self.step(number, 1, cx);
            }
            Kept::Begun => {
                transfer.stage = Stage::Debiting;
                self.step(number, 0, cx);
            }
            Kept::Turned => {
                transfer.stage = Stage::Returning;
                cx.note(Note::Transfer { intent, step: Step::TurnsBack });
                self.step(number, 0, cx);
            }
        }
    }

    /// Does what is next for a transfer, on one of its sides.
    pub(super) fn step(&mut self, number: u64, side: u8, cx: &mut Cx<'_>) {
        let Some(Transfer { deal, stage, .. }) = self.transfers.get(&number).copied() else {
            return;
        };
        let gain = i32::try_from(deal.amount).unwrap_or(i32::MAX);
        let of = |side: u8| if side == 0 { (deal.from, -gain) } else { (deal.to, gain) };
        let (item, delta) = of(side);
        let keyed = |step: u64| if self.settings.keyed { number | step } else { 0 };
        let coordinator = self.me;
        let (op, item, key, side) = match stage {
            Stage::Preparing { .. } => (Op::Prepare { delta, coordinator }, item, number, side),
            Stage::Committing { done } if done & (1 << side) == 0 => {
                (Op::Commit { delta }, item, number, side)
            }
            Stage::Debiting => (Op::Leg { delta: -gain }, deal.from, keyed(1), 0),
            Stage::Crediting => (Op::Leg { delta: gain }, deal.to, keyed(2), 1),
            Stage::Returning => (Op::Leg { delta: gain }, deal.from, keyed(3), 0),
            Stage::Committing { .. } | Stage::Deciding | Stage::Beginning | Stage::Turning => {
                return;
            }
        };
        let deadline = cx.now() + self.settings.patience;
        let ask = Ask { op, item, key, intent: deal.intent, deadline };
        let shard = self.book.shard(item);
        self.call(shard, Errand::Side { number, side }, ask, cx);
    }

    /// A shard has answered about its side; none if it is not known what it did.
    pub(super) fn side_ended(
        &mut self,
        number: u64,
        side: u8,
        answer: Option<Answer>,
        cx: &mut Cx<'_>,
    ) {
        let one = self.is(Mutation::CountOneVote);
        let Some(transfer) = self.transfers.get_mut(&number) else { return };
        let good = matches!(answer, Some(Answer::Done { .. }));
        match &mut transfer.stage {
            Stage::Preparing { yes } if good => {
                *yes |= 1 << side;
                if *yes == BOTH || one {
                    transfer.stage = Stage::Deciding;
                    let record = Record::Keep(number, transfer.deal, Kept::Committed);
                    self.record(record, cx);
                }
            }
            Stage::Preparing { .. } => self.abort(number, answer, cx),
            Stage::Committing { done } if good => {
                *done |= 1 << side;
                if *done == BOTH {
                    self.close(number, Step::Done, None, cx);
                }
            }
            Stage::Committing { .. } => self.again(number, side, cx),
            Stage::Debiting | Stage::Crediting | Stage::Returning => {
                self.leg_ended(number, side, answer, cx);
            }
            Stage::Deciding | Stage::Beginning | Stage::Turning => {}
        }
    }

    fn again(&self, number: u64, side: u8, cx: &mut Cx<'_>) {
        cx.set_timer(self.settings.again, Timer::Router(RouterTimer::Step { number, side }));
    }

    /// Not every shard has prepared: nothing is done, and nothing need be written down.
    fn abort(&mut self, number: u64, answer: Option<Answer>, cx: &mut Cx<'_>) {
        let Some(Transfer { deal, .. }) = self.transfers.get(&number).copied() else { return };
        let why = answer.map_or(Answer::Error, super::pass_on);
        for item in [deal.from, deal.to] {
            self.tell_abort(self.book.shard(item), number, deal.intent, item, cx);
        }
        self.close(number, Step::Aborts, Some(why), cx);
    }

    fn tell_abort(&mut self, shard: u32, number: u64, intent: u64, item: u32, cx: &mut Cx<'_>) {
        let deadline = cx.now() + self.settings.patience;
        let ask = Ask { op: Op::Abort, item, key: number, intent, deadline };
        self.call(shard, Errand::Tell, ask, cx);
    }

    /// A shard asks what was decided.
    pub(super) fn asked(&mut self, source: NodeId, number: u64, item: u32, cx: &mut Cx<'_>) {
        if let Some(transfer) = self.transfers.get(&number) {
            if matches!(transfer.stage, Stage::Committing { .. }) {
                self.step(number, u8::from(item != transfer.deal.from), cx);
            }
            return;
        }
        let shard = self.callers.iter().position(|c| c.settings.targets.contains(&source));
        if let Some(shard) = shard {
            // Nobody knows it, so it was not committed.
            self.tell_abort(shard as u32, number, 0, item, cx);
        }
    }

    /// A step of a saga has been answered, or has not.
    fn leg_ended(&mut self, number: u64, side: u8, answer: Option<Answer>, cx: &mut Cx<'_>) {
        let (bare, tries) =
            (self.settings.transfers == Transfers::Unprotected, self.settings.tries);
        let Some(transfer) = self.transfers.get_mut(&number) else { return };
        let (intent, resumed) = (transfer.deal.intent, transfer.resumed);
        // A conflict is an earlier attempt that is still at work.
        let known = answer.filter(|answer| *answer != Answer::Conflict);
        let done = matches!(known, Some(Answer::Done { .. }));
        transfer.doubt |= known.is_none();
        let sure = known.filter(|_| !transfer.doubt);
        match (transfer.stage, sure) {
            (Stage::Debiting, _) if done => {
                let next = Stage::Crediting;
                *transfer = Transfer { stage: next, doubt: resumed, tries: 0, ..*transfer };
                cx.note(Note::Transfer { intent, step: Step::Halfway });
                self.step(number, 1, cx);
            }
            (Stage::Crediting, _) if done => self.close(number, Step::Done, known, cx),
            (_, _) if done => self.close(number, Step::Undone, Some(Answer::Error), cx),
            (Stage::Debiting, Some(why)) => {
                self.close(number, Step::Aborts, Some(super::pass_on(why)), cx);
            }
            (Stage::Crediting, Some(_)) if !bare => {
                let next = Stage::Turning;
                *transfer = Transfer { stage: next, doubt: resumed, tries: 0, ..*transfer };
                let record = Record::Keep(number, transfer.deal, Kept::Turned);
                self.record(record, cx);
            }
            (_, sure) => {
                transfer.tries += 1;
                if bare || transfer.tries >= tries {
                    let told = sure.map(|_| Answer::Error);
                    self.close(number, Step::GivenUp, told, cx);
                } else {
                    self.again(number, side, cx);
                }
            }
        }
    }

    /// A transfer is over. Without an answer, whoever waits for it is not told.
    fn close(&mut self, number: u64, step: Step, answer: Option<Answer>, cx: &mut Cx<'_>) {
        let Some(transfer) = self.transfers.remove(&number) else { return };
        let Transfer { deal, job, stage, .. } = transfer;
        cx.note(Note::Transfer { intent: deal.intent, step });
        let committed = matches!(stage, Stage::Committing { .. });
        if committed || self.book.open.contains_key(&number) {
            self.record(Record::Forget(number), cx);
        }
        match answer {
            Some(answer @ Answer::Done { .. }) => {
                self.keys.finish(cx.now(), deal.key, answer);
            }
            Some(_) => self.keys.abort(deal.key),
            None => {}
        }
        match (job, answer) {
            (Some(job), Some(answer)) => self.station.finish(job, answer, cx),
            (Some(job), None) => self.station.abandon(job, cx),
            (None, _) => {}
        }
        self.end_busy(deal.from, cx);
        self.end_busy(deal.to, cx);
    }
}
