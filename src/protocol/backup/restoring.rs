//! Bringing copies back: the newest that can be read, so fast as it can be written. Whether one
//! can be read shows when it is; then the next older is tried, and that takes its time again.

use super::library::Flaw;
use super::messages::BackupMessage;
use super::{Backed, Backup, BackupTimer, Note, PATIENCE};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Cx;
use crate::protocol::rpc::Op;
use crate::protocol::store::image::{Image, steps, tell};
use serde::{Deserialize, Serialize};

/// So many parts a second.
const PARTS: u64 = 20;

/// What is to be brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The replicas of the store that it goes into.
    pub into: Vec<NodeId>,
    /// As things were then; none is as late as possible.
    pub to: Option<Time>,
}

/// A restore that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When it was complete.
    pub at: Time,
    /// What the store held then.
    pub image: Image,
}

/// A restore under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Restoring {
    number: u64,
    order: Order,
    began: Time,
    // Copies that can still be tried, the newest last, and the one being tried.
    left: Vec<u32>,
    copy: u32,
    flaw: Option<Flaw>,
    image: Image,
    steps: Vec<(u32, Op)>,
    sent: usize,
    part: u32,
    // How many steps the part under way has, and whether it is confirmed and being written.
    size: usize,
    writing: bool,
    open: bool,
    replica: usize,
    step: u64,
}

impl Restoring {
    /// So many items are back, of so many.
    pub(super) fn progress(&self) -> (u32, u32) {
        (self.sent as u32, self.steps.len() as u32)
    }
}

impl Backup {
    /// A restore begins, or waits until another is over.
    pub(super) fn begin(&mut self, order: Order, cx: &mut Cx<'_>) {
        if self.restoring.is_some() {
            return self.waiting.push_back(order);
        }
        self.restores += 1;
        let number = (u64::from(self.me.0) << 40) | self.restores;
        self.restoring = Some(Restoring {
            number,
            began: cx.now(),
            left: self.library.candidates(order.to),
            copy: 0,
            flaw: None,
            image: Image::default(),
            steps: Vec::new(),
            sent: 0,
            part: 0,
            size: 0,
            writing: false,
            open: false,
            replica: 0,
            step: 0,
            order,
        });
        self.try_next(cx);
    }

    /// Takes up the newest copy that has not been tried.
    fn try_next(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        loop {
            let Some(restoring) = &mut self.restoring else { return };
            let Some(copy) = restoring.left.pop() else {
                cx.note(Note::Backup { did: Backed::Lost });
                return self.restore_ends(cx);
            };
            let (number, to) = (copy, restoring.order.to);
            let flaw = self.flaw(number, now);
            if let Some(flaw @ (Flaw::KeyLost | Flaw::Schema)) = flaw {
                cx.note(Note::Backup { did: Backed::Unreadable { copy: number, flaw } });
                continue;
            }
            let (image, changes) = self.library.image(number, to);
            let items = image.items.len() as u32;
            cx.note(Note::Backup { did: Backed::Restores { copy: number, items, changes } });
            let Some(restoring) = &mut self.restoring else { return };
            (restoring.copy, restoring.flaw, restoring.sent) = (number, flaw, 0);
            restoring.steps = steps(&image);
            // What is read beyond what is brought back is passed over, at the same speed.
            restoring.image = image;
            let read = self.library.items(number) + changes as usize;
            let extra = read.saturating_sub(items as usize);
            let takes = Backup::takes(extra, self.settings.restore_throughput);
            return self.pause_restore(takes, cx);
        }
    }

    /// The restore goes on in a while.
    fn pause_restore(&mut self, span: Span, cx: &mut Cx<'_>) {
        self.step += 1;
        let step = self.step;
        let Some(restoring) = &mut self.restoring else { return };
        (restoring.step, restoring.writing) = (step, true);
        self.again(span, BackupTimer::Restore { step }, cx);
    }

    /// Sends the next part, or the same again.
    fn send_part(&mut self, cx: &mut Cx<'_>) {
        let most = (self.settings.restore_throughput.0 / 1_000_000 / PARTS).clamp(1, 1_000);
        self.step += 1;
        let step = self.step;
        let Some(restoring) = &mut self.restoring else { return };
        (restoring.step, restoring.writing) = (step, false);
        let rest = restoring.steps.get(restoring.sent..).unwrap_or(&[]);
        let steps: Vec<(u32, Op)> = if restoring.open {
            vec![(0, Op::Open)]
        } else {
            rest.iter().take(most as usize).copied().collect()
        };
        restoring.size = steps.len();
        let (restore, part) = (restoring.number, restoring.part);
        let into = &restoring.order.into;
        if let Some(node) = into.get(restoring.replica % into.len().max(1)) {
            tell(*node, BackupMessage::Load { restore, part, steps }, cx);
        }
        self.again(PATIENCE, BackupTimer::Restore { step }, cx);
    }

    /// A part is written, or nobody has answered: then another replica is asked.
    pub(super) fn restore_goes_on(&mut self, step: u64, cx: &mut Cx<'_>) {
        let Some(restoring) = self.restoring.as_mut().filter(|r| r.step == step) else { return };
        if !restoring.writing {
            restoring.replica += 1;
            return self.send_part(cx);
        }
        if restoring.sent >= restoring.steps.len() {
            if let Some(flaw) = restoring.flaw {
                let copy = restoring.copy;
                cx.note(Note::Backup { did: Backed::Unreadable { copy, flaw } });
                return self.try_next(cx);
            }
            restoring.open = true;
        }
        restoring.part += 1;
        self.send_part(cx);
    }

    /// A part is safe in the store.
    pub(super) fn loaded(&mut self, restore: u64, part: u32, cx: &mut Cx<'_>) {
        let current = |r: &&mut Restoring| (r.number, r.part) == (restore, part) && !r.writing;
        let Some(restoring) = self.restoring.as_mut().filter(current) else { return };
        if restoring.open {
            let (copy, took) = (restoring.copy, cx.now().since(restoring.began));
            let image = std::mem::take(&mut restoring.image);
            cx.note(Note::Backup { did: Backed::Restored { copy, took } });
            self.restored = Some(Box::new(Restored { at: cx.now(), image }));
            return self.restore_ends(cx);
        }
        restoring.sent += restoring.size;
        let takes = Backup::takes(restoring.size, self.settings.restore_throughput);
        self.pause_restore(takes, cx);
    }

    /// That replica does not lead: who does is asked at once, if it is known.
    pub(super) fn elsewhere(
        &mut self,
        source: NodeId,
        restore: u64,
        leader: Option<NodeId>,
        cx: &mut Cx<'_>,
    ) {
        let current = |r: &&mut Restoring| {
            let into = &r.order.into;
            let asked = into.get(r.replica % into.len().max(1));
            r.number == restore && !r.writing && asked == Some(&source)
        };
        let Some(restoring) = self.restoring.as_mut().filter(current) else { return };
        let place = restoring.order.into.iter().position(|node| Some(*node) == leader);
        if let Some(place) = place.filter(|_| leader != Some(source)) {
            restoring.replica = place;
            self.send_part(cx);
        }
    }

    fn restore_ends(&mut self, cx: &mut Cx<'_>) {
        self.restoring = None;
        if let Some(order) = self.waiting.pop_front() {
            self.begin(order, cx);
        }
    }
}
