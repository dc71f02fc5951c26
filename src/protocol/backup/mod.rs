//! A backup: copies a store now and then, keeps the copies, and brings them back. Its job reports
//! that all is well as long as it runs; only a restore, or a test of one, shows whether it was.
//!
//! What a database's tools do: a consistent copy while the store goes on (one position of its log,
//! fetched part by part from any replica), copies of what has changed since, and the log shipped
//! continuously, with which a restore can stop at any instant.

mod copying;
pub mod library;
pub mod messages;
pub mod restoring;
#[cfg(test)]
mod tests;

use super::note::{Backed, Note};
use super::store::StoreMessage;
use super::{Cx, Message, Role, Timer};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::Rate;
use crate::sim::process::Input;
use copying::Job;
use library::{Flaw, Library};
use messages::BackupMessage;
use restoring::{Order, Restored, Restoring};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Who does not answer for so long is asked again, or another one is.
const PATIENCE: Span = Span::secs(1);
/// How often it looks whether the store is there, where it is to act if not.
const LOOK: Span = Span::millis(500);

/// How a backup works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackupSettings {
    /// The replicas of the store that it copies.
    pub of: Vec<NodeId>,
    /// When it makes the first copy.
    pub first: Span,
    /// How often it makes one.
    pub every: Span,
    /// Every n-th copy is full.
    pub full_every: u32,
    /// How often it fetches the log.
    pub logs: Option<Span>,
    /// Items a second it can copy.
    pub throughput: Rate,
    /// Items a second it can bring back.
    pub restore_throughput: Rate,
    /// So many full copies are kept, with what belongs to them.
    pub keep: u32,
    /// How often it tries whether the newest copy can be restored.
    pub tests: Option<Span>,
    /// How long people take to repair what a test has found; none leaves it.
    pub repair: Option<Span>,
    /// What goes wrong without a word, and from when on.
    pub fails: Option<(Time, Flaw)>,
    /// What it is to bring back, and when.
    pub restores: Vec<(Time, Order)>,
    /// What it does when the store is gone.
    pub plan: Option<Plan>,
}

/// What is done when no replica of the store answers any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// For so long: seeing it, and deciding that it will not come back by itself.
    pub decision: Span,
    /// The replicas of the store that takes its place.
    pub into: Vec<NodeId>,
    /// How long it takes until they run.
    pub start_up: Span,
}

/// What a backup is reminded of. A reminder of an earlier number is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupTimer {
    /// It is time for a copy.
    Copy {
        /// The schedule it belongs to.
        plan: u32,
    },
    /// It is time to fetch the log.
    Ship {
        /// The schedule it belongs to.
        plan: u32,
    },
    /// It is time to test a restore.
    Test {
        /// The schedule it belongs to.
        plan: u32,
    },
    /// The test is over.
    Tested {
        /// Which.
        number: u32,
    },
    /// What a test has found is repaired.
    Repaired,
    /// A part of a copy is written, or was not answered.
    Job {
        /// The step of the job.
        step: u64,
    },
    /// A part of a restore is written, or was not answered.
    Restore {
        /// The step of the restore.
        step: u64,
    },
    /// A restore of the list is to begin.
    Begin {
        /// Its place in the list.
        order: u32,
    },
    /// What takes the place of the store runs by now: the plan goes on.
    Act,
    /// To see whether the store is there.
    Look {
        /// The schedule it belongs to.
        plan: u32,
    },
}

/// A test of a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// When it was over.
    pub at: Time,
    /// Of which copy; zero if there was none.
    pub copy: u32,
    /// What it found.
    pub found: Result<(), Option<Flaw>>,
}

/// A backup at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Backup {
    /// How it works.
    pub settings: BackupSettings,
    /// What it keeps.
    pub library: Library,
    /// The last test that is over.
    pub tested: Option<Test>,
    /// Tests that found something.
    pub alarms: u32,
    /// The last restore that is over.
    pub restored: Option<Box<Restored>>,
    me: NodeId,
    job: Option<Job>,
    // Jobs begun, and the number of what it asked last.
    jobs: u64,
    step: u64,
    // Which replica it fetches the log from, and whether that has answered.
    shipper: usize,
    answered: bool,
    repaired: Option<Time>,
    repairing: bool,
    tests: u32,
    testing: Option<(u32, Time)>,
    restoring: Option<Restoring>,
    waiting: VecDeque<Order>,
    restores: u64,
    heard: Time,
    acted: bool,
    // When the last restore of the list began.
    ordered: Time,
    looks: u32,
    // Which schedule is in force: of copies, the log, tests, and looking at the store.
    schedule: [u32; 4],
}

impl Backup {
    /// A backup that has nothing yet.
    pub fn new(settings: BackupSettings, me: NodeId) -> Backup {
        Backup {
            settings,
            library: Library::default(),
            tested: None,
            alarms: 0,
            restored: None,
            me,
            job: None,
            jobs: 0,
            step: 0,
            shipper: 0,
            answered: true,
            repaired: None,
            repairing: false,
            tests: 0,
            testing: None,
            restoring: None,
            waiting: VecDeque::new(),
            restores: 0,
            heard: Time::ZERO,
            acted: false,
            ordered: Time::ZERO,
            looks: 0,
            schedule: [0; 4],
        }
    }

    /// Takes new settings. Copies stay. Restores of the list that are still to come come as the
    /// new list says.
    pub fn configure(&mut self, settings: BackupSettings, cx: &mut Cx<'_>) {
        if settings.fails != self.settings.fails {
            self.repaired = None;
        }
        let old = std::mem::replace(&mut self.settings, settings);
        let new = &self.settings;
        let changed = [
            (old.first, old.every) != (new.first, new.every),
            old.logs != new.logs,
            old.tests != new.tests,
            old.plan.is_some() != new.plan.is_some(),
        ];
        let (restores, begun) = (old.restores != new.restores, self.jobs > 0);
        let first = Span(new.first.0.saturating_sub(cx.now().0));
        self.arrange(changed, if begun { new.every } else { first }, cx);
        if restores {
            self.remember_restores(cx);
        }
    }

    /// What it keeps is on disk; what it was at is lost.
    pub fn crash(&mut self) {
        self.job = None;
        self.testing = None;
        self.restoring = None;
        self.waiting.clear();
    }

    /// How much of a copy that is being made is there, of how many items.
    pub fn copying(&self) -> Option<(u32, u32)> {
        self.job.as_ref().map(Job::progress)
    }

    /// How much of a restore that is under way is there, of how many items.
    pub fn bringing_back(&self) -> Option<(u32, u32)> {
        self.restoring.as_ref().map(Restoring::progress)
    }

    /// Whether people are at work on what a test has found.
    pub fn repairing(&self) -> bool {
        self.repairing
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Start => {
                self.arrange([true; 4], self.settings.first, cx);
                self.remember_restores(cx);
            }
            Input::Restart => {
                self.heard = cx.clock();
                self.arrange([true; 4], self.settings.every, cx);
                self.remember_restores(cx);
            }
            Input::Message { source, message: Message::Store(message) } => {
                if let StoreMessage::Backup(message) = *message {
                    self.message(source, message, cx);
                }
            }
            Input::Message { source, message: Message::Probe { number } } => {
                cx.send(source, Message::Alive { number });
            }
            Input::Message { message: Message::Alive { .. }, .. } => self.heard = cx.clock(),
            Input::Timer(Timer::Backup(timer)) => self.timer(timer, cx),
            Input::Message { .. } | Input::Timer(_) | Input::Persisted(_) => {}
        }
    }

    fn message(&mut self, source: NodeId, message: BackupMessage, cx: &mut Cx<'_>) {
        match message {
            BackupMessage::Part { job, place, at, base, since, from, items, total } => {
                let head = (place, at, base, since, total);
                self.part(job, head, from, items, cx);
            }
            BackupMessage::Shipped { job, after, place, at, changes } => {
                self.shipped(job, after, (place, at), &changes, cx);
            }
            BackupMessage::Gone { job } => self.gone(job, cx),
            BackupMessage::Loaded { restore, part } => self.loaded(restore, part, cx),
            BackupMessage::Elsewhere { restore, leader } => {
                self.elsewhere(source, restore, leader, cx);
            }
            BackupMessage::Export { .. }
            | BackupMessage::Ship { .. }
            | BackupMessage::Load { .. } => {}
        }
    }

    fn timer(&mut self, timer: BackupTimer, cx: &mut Cx<'_>) {
        match timer {
            BackupTimer::Copy { plan } if plan == self.schedule[0] => {
                self.again(self.settings.every, timer, cx);
                self.copy(cx);
            }
            BackupTimer::Ship { plan } if plan == self.schedule[1] => {
                let Some(logs) = self.settings.logs else { return };
                self.again(logs, timer, cx);
                self.ship(cx);
            }
            BackupTimer::Test { plan } if plan == self.schedule[2] => {
                let Some(tests) = self.settings.tests else { return };
                self.again(tests, timer, cx);
                self.test(cx);
            }
            BackupTimer::Look { plan } if plan == self.schedule[3] => self.look(cx),
            BackupTimer::Copy { .. }
            | BackupTimer::Ship { .. }
            | BackupTimer::Test { .. }
            | BackupTimer::Look { .. } => {}
            BackupTimer::Tested { number } => self.test_is_over(number, cx),
            BackupTimer::Repaired => self.repair(cx),
            BackupTimer::Job { step } => self.job_goes_on(step, cx),
            BackupTimer::Restore { step } => self.restore_goes_on(step, cx),
            BackupTimer::Begin { order } => {
                let listed = self.settings.restores.get(order as usize);
                let due = listed.filter(|(at, _)| *at == cx.now() && *at > self.ordered);
                if let Some((at, order)) = due.cloned() {
                    self.ordered = at;
                    self.begin(order, cx);
                }
            }
            BackupTimer::Act => {
                if let Some(Plan { into, .. }) = &self.settings.plan {
                    self.begin(Order { into: into.clone(), to: None }, cx);
                }
            }
        }
    }

    /// Has itself reminded anew of what is on a schedule that has changed, copies after `first`.
    fn arrange(&mut self, changed: [bool; 4], first: Span, cx: &mut Cx<'_>) {
        for (plan, changed) in self.schedule.iter_mut().zip(changed) {
            *plan += u32::from(changed);
        }
        let [copy, ship, test, look] = self.schedule;
        let settings = &self.settings;
        let spans = [
            (Some(first), BackupTimer::Copy { plan: copy }),
            (settings.logs, BackupTimer::Ship { plan: ship }),
            (settings.tests, BackupTimer::Test { plan: test }),
            (settings.plan.as_ref().map(|_| LOOK), BackupTimer::Look { plan: look }),
        ];
        for ((span, timer), changed) in spans.into_iter().zip(changed) {
            if let Some(span) = span.filter(|_| changed) {
                self.again(span, timer, cx);
            }
        }
    }

    /// Has itself reminded of restores that are still to come. An order is known by its place and
    /// its time: one that has been changed since is void.
    fn remember_restores(&mut self, cx: &mut Cx<'_>) {
        for (order, (at, _)) in (0..).zip(&self.settings.restores) {
            if *at > cx.now() {
                cx.set_timer_at(*at, Timer::Backup(BackupTimer::Begin { order }));
            }
        }
    }

    fn again(&self, span: Span, timer: BackupTimer, cx: &mut Cx<'_>) {
        cx.set_timer(span, Timer::Backup(timer));
    }

    /// What is wrong with whatever is done now.
    fn failing(&self, now: Time) -> Option<Flaw> {
        let (at, flaw) = self.settings.fails?;
        let repaired = self.repaired.is_some_and(|repaired| repaired >= at);
        (now >= at && !repaired).then_some(flaw)
    }

    /// What is wrong with a copy as things stand.
    fn flaw(&self, number: u32, now: Time) -> Option<Flaw> {
        let key = self.failing(now).filter(|flaw| *flaw == Flaw::KeyLost);
        key.or(self.library.flaw(number))
    }

    /// How long so many items take.
    fn takes(items: usize, rate: Rate) -> Span {
        Span((items as u128 * 1_000_000_000_000 / u128::from(rate.0.max(1))) as u64)
    }

    /// Looks whether the store is there. When it is not for long enough, the plan begins, once.
    fn look(&mut self, cx: &mut Cx<'_>) {
        let Some(plan) = &self.settings.plan else { return };
        let (decision, start_up) = (plan.decision, plan.start_up);
        self.again(LOOK, BackupTimer::Look { plan: self.schedule[3] }, cx);
        self.looks += 1;
        for node in &self.settings.of {
            cx.send(*node, Message::Probe { number: self.looks });
        }
        if !self.acted && cx.clock().since(self.heard) >= decision {
            self.acted = true;
            cx.note(Note::Backup { did: Backed::Decides });
            self.again(start_up, BackupTimer::Act, cx);
        }
    }

    /// Tries whether the newest copy can be restored, beside everything else.
    fn test(&mut self, cx: &mut Cx<'_>) {
        if self.testing.is_some() {
            return;
        }
        self.tests += 1;
        let newest = self.library.newest().map_or(0, |copy| copy.number);
        self.testing = Some((newest, cx.now()));
        // A key or a schema that does not fit shows at once, the rest when all is read.
        let at_once = matches!(self.flaw(newest, cx.now()), Some(Flaw::KeyLost | Flaw::Schema));
        let items = if at_once { 0 } else { self.library.items(newest) };
        let takes = Backup::takes(items, self.settings.restore_throughput);
        self.again(takes, BackupTimer::Tested { number: self.tests }, cx);
    }

    fn test_is_over(&mut self, number: u32, cx: &mut Cx<'_>) {
        if number != self.tests {
            return;
        }
        let Some((copy, began)) = self.testing.take() else { return };
        let now = cx.now();
        // A copy that should have been followed by two others by now is too old.
        let fresh = |at: Time| now.since(at).0 <= 3 * self.settings.every.0;
        let newest = self.library.newest();
        let found = match (self.flaw(copy, now), newest) {
            (_, None) => Err(None),
            (Some(flaw), _) => Err(Some(flaw)),
            (None, Some(newest)) if !fresh(newest.done) => Err(Some(Flaw::Dead)),
            (None, Some(_)) => Ok(()),
        };
        self.tested = Some(Test { at: now, copy, found });
        let took = now.since(began);
        match found {
            Ok(()) => cx.note(Note::Backup { did: Backed::Passed { copy, took } }),
            Err(flaw) => {
                self.alarms += 1;
                cx.note(Note::Backup { did: Backed::Alarm { copy, flaw } });
                if let Some(repair) = self.settings.repair.filter(|_| !self.repairing) {
                    self.repairing = true;
                    self.again(repair, BackupTimer::Repaired, cx);
                }
            }
        }
    }

    /// People have found the cause. What is broken stays so; the next copy is a good one.
    fn repair(&mut self, cx: &mut Cx<'_>) {
        self.repairing = false;
        if self.failing(cx.now()) == Some(Flaw::KeyLost) {
            self.library.lose_key();
        }
        self.repaired = Some(cx.now());
        cx.note(Note::Backup { did: Backed::Repaired });
        self.job = None;
        self.begin_copy(true, cx);
    }
}
