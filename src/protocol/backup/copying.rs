//! Making copies: part by part from one replica, so fast as they can be written; and fetching the
//! log in between.

use super::library::{Copy, Flaw};
use super::messages::BackupMessage;
use super::{Backed, Backup, BackupTimer, Note, PATIENCE};
use crate::base::time::Time;
use crate::protocol::Cx;
use crate::protocol::store::image::{Change, Place, tell};
use crate::protocol::store::machine::Item;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A replica is asked so often before another one is.
const TRIES: u32 = 3;
/// So many parts a second: how much of a copy is under way at once.
const PARTS: u64 = 20;

/// The first words of every part: place, when, the rest of the items, since which position, and
/// how many items there are.
pub(super) type Head = (Place, Time, Item, u64, u32);

/// A copy that is being made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    number: u64,
    after: Place,
    began: Time,
    head: Option<Head>,
    items: BTreeMap<u32, Item>,
    from: u32,
    // Which replica it asks, and how often it has done so in vain.
    replica: usize,
    tries: u32,
    // What it waits for: an answer, or that the last part is written.
    step: u64,
    writing: bool,
}

impl Job {
    /// So many items are there, of so many.
    pub(super) fn progress(&self) -> (u32, u32) {
        (self.from, self.head.map_or(0, |(.., total)| total))
    }
}

impl Backup {
    /// It is time for a copy.
    pub(super) fn copy(&mut self, cx: &mut Cx<'_>) {
        if self.failing(cx.now()) == Some(Flaw::Dead) {
            return;
        }
        if self.job.is_some() {
            return cx.note(Note::Backup { did: Backed::Skipped });
        }
        let full = self.jobs.is_multiple_of(u64::from(self.settings.full_every.max(1)));
        self.begin_copy(full, cx);
    }

    /// Begins a copy of everything, or of what has changed since the last.
    pub(super) fn begin_copy(&mut self, full: bool, cx: &mut Cx<'_>) {
        let last = self.library.newest().filter(|_| !full);
        self.jobs += 1;
        self.job = Some(Job {
            number: self.jobs,
            after: last.map_or(Place::default(), |copy| copy.place),
            began: cx.now(),
            head: None,
            items: BTreeMap::new(),
            from: 0,
            replica: 0,
            tries: 0,
            step: 0,
            writing: false,
        });
        self.ask(cx);
    }

    /// Items in one part.
    fn most(&self) -> u32 {
        (self.settings.throughput.0 / 1_000_000 / PARTS).clamp(1, 1_000) as u32
    }

    fn ask(&mut self, cx: &mut Cx<'_>) {
        let most = self.most();
        self.step += 1;
        let Some(job) = &mut self.job else { return };
        (job.step, job.writing) = (self.step, false);
        let Some(node) = self.settings.of.get(job.replica) else { return };
        let (number, after, from) = (job.number, job.after, job.from);
        tell(*node, BackupMessage::Export { job: number, after, from, most }, cx);
        self.again(PATIENCE, BackupTimer::Job { step: self.step }, cx);
    }

    /// A part has come: it is written down, and then the next is asked for.
    pub(super) fn part(
        &mut self,
        number: u64,
        head: Head,
        from: u32,
        items: Vec<(u32, Item)>,
        cx: &mut Cx<'_>,
    ) {
        let Some(job) = self.job.as_mut().filter(|job| job.number == number) else { return };
        let other = job.head.is_some_and(|known| known != head);
        if job.writing || from != job.from || (other && from > 0) {
            return;
        }
        job.head = Some(head);
        job.tries = 0;
        job.from += items.len() as u32;
        job.writing = true;
        let takes = Backup::takes(items.len(), self.settings.throughput);
        job.items.extend(items);
        self.step += 1;
        job.step = self.step;
        self.again(takes, BackupTimer::Job { step: self.step }, cx);
    }

    /// A part is written, or nobody has answered.
    pub(super) fn job_goes_on(&mut self, step: u64, cx: &mut Cx<'_>) {
        let Some(job) = self.job.as_mut().filter(|job| job.step == step) else { return };
        if job.writing {
            let (written, total) = job.progress();
            return if written < total { self.ask(cx) } else { self.complete(cx) };
        }
        job.tries += 1;
        if job.tries >= TRIES {
            self.ask_another(cx);
        } else {
            self.ask(cx);
        }
    }

    /// Begins again with the next replica; after the last of them there is no copy this time.
    fn ask_another(&mut self, cx: &mut Cx<'_>) {
        let Some(job) = &mut self.job else { return };
        job.replica += 1;
        (job.head, job.from, job.tries) = (None, 0, 0);
        job.items.clear();
        if job.replica < self.settings.of.len() {
            return self.ask(cx);
        }
        self.job = None;
        cx.note(Note::Backup { did: Backed::Missed });
    }

    fn complete(&mut self, cx: &mut Cx<'_>) {
        let Some(job) = self.job.take() else { return };
        let Some((place, at, base, since, _)) = job.head else { return };
        let now = cx.now();
        let (took, items) = (now.since(job.began), job.items.len() as u32);
        // A dead job dies between copies; a lost key is a matter of all copies.
        let flaw = self.failing(now).filter(|f| matches!(f, Flaw::Corrupt | Flaw::Schema));
        let number = self.library.next();
        let copy = Copy { number, at, done: now, took, place, since, base, items: job.items, flaw };
        cx.note(Note::Backup {
            did: Backed::Copied { copy: number, full: since == 0, items, took },
        });
        if self.library.shipped.is_none_or(|(_, until)| until == Time::ZERO) {
            self.library.gap(place, at);
        }
        self.library.add(copy, self.settings.keep);
    }

    /// It is time to fetch the log. Without a copy there is nothing it could follow.
    pub(super) fn ship(&mut self, cx: &mut Cx<'_>) {
        if self.failing(cx.now()) == Some(Flaw::Dead) {
            return;
        }
        let Some((after, _)) = self.library.shipped else { return };
        if !std::mem::replace(&mut self.answered, false) {
            self.shipper = (self.shipper + 1) % self.settings.of.len().max(1);
        }
        if let Some(node) = self.settings.of.get(self.shipper) {
            tell(*node, BackupMessage::Ship { job: 0, after }, cx);
        }
    }

    pub(super) fn shipped(
        &mut self,
        job: u64,
        after: Place,
        (place, at): (Place, Time),
        changes: &[Change],
        cx: &mut Cx<'_>,
    ) {
        self.answered = true;
        if job != 0 || self.library.shipped.is_none_or(|(known, _)| known != after) {
            return;
        }
        let flaw = self.failing(cx.now()).filter(|f| matches!(f, Flaw::Corrupt | Flaw::Schema));
        self.library.ship(changes, place, at, flaw);
    }

    /// A replica does not have what was asked for: the log has a gap, or the image is gone.
    pub(super) fn gone(&mut self, job: u64, cx: &mut Cx<'_>) {
        self.answered = true;
        if job == 0 {
            cx.note(Note::Backup { did: Backed::Gap });
            self.library.shipped = None;
            if self.job.is_none() {
                self.begin_copy(true, cx);
            }
        } else if let Some(job) = self.job.as_mut().filter(|known| known.number == job) {
            (job.head, job.from) = (None, 0);
            job.items.clear();
            self.ask(cx);
        }
    }
}
