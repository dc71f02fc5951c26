//! What a store can be copied as, and brought back from: an image of all it holds at one position
//! of its log, and a journal of what was done since. Every store answers a backup the same way
//! (see [`Desk`]), and a restore is a line of commands that go through the log like any other, so
//! it reaches every replica.

use super::StoreMessage;
use super::machine::Item;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::backup::messages::BackupMessage;
use crate::protocol::rpc::Op;
use crate::protocol::{Cx, Message};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Changes that a journal holds at most. Whoever comes later must copy everything.
const KEPT: usize = 10_000;

/// What backups need of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// It writes a journal that can be shipped.
    pub journal: bool,
    /// It is a standby without data: it serves nothing until it has been restored.
    pub closed: bool,
}

/// A place in the history of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The term of the entry there; zero where nobody leads.
    pub term: u64,
    /// How many entries or changes there were.
    pub position: u64,
}

/// Everything that a store held at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where.
    pub place: Place,
    /// When, by the clock of the store.
    pub at: Time,
    /// What an item holds that is not listed.
    pub base: Item,
    /// What the others hold.
    pub items: BTreeMap<u32, Item>,
}

impl Image {
    /// An item.
    pub fn item(&self, number: u32) -> Item {
        self.items.get(&number).copied().unwrap_or(self.base)
    }

    /// Does once more what the store did.
    pub fn replay(&mut self, change: &Change) {
        let item = Item { version: change.version, value: change.value };
        match change.item {
            Some(number) => drop(self.items.insert(number, item)),
            None => {
                self.items.clear();
                self.base = item;
            }
        }
        self.place.position = change.position;
        self.at = change.at;
    }
}

/// What a command did to one item, or to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where in the history.
    pub position: u64,
    /// When, by the clock of whoever led.
    pub at: Time,
    /// Which item; none is all of them.
    pub item: Option<u32>,
    /// What it holds since.
    pub value: i64,
    /// Its version since.
    pub version: u64,
}

/// The latest changes, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    changes: VecDeque<Change>,
    dropped: u64,
}

impl Journal {
    /// Notes a change.
    pub fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > KEPT
            && let Some(oldest) = self.changes.pop_front()
        {
            self.dropped = oldest.position;
        }
    }

    /// A journal that knows nothing of what was before a position.
    pub fn from(position: u64) -> Journal {
        Journal { changes: VecDeque::new(), dropped: position }
    }

    /// What came after a position; none if that is not known any more.
    pub fn after(&self, position: u64) -> Option<Vec<Change>> {
        let first = self.changes.partition_point(|change| change.position <= position);
        (position >= self.dropped).then(|| self.changes.iter().skip(first).copied().collect())
    }
}

/// What a store must tell of itself to be copied.
pub trait Copied {
    /// How far its history is.
    fn place(&self) -> Place;
    /// True if that place is in its history.
    fn knows(&self, place: Place) -> bool;
    /// True while it serves nothing.
    fn closed(&self) -> bool;
    /// What an item holds that is not listed.
    fn base(&self) -> Item;
    /// The items that were changed after a position; zero is all that were ever.
    fn changed(&self, after: u64) -> Vec<(u32, Item)>;
    /// True if a change after that position was to all items at once.
    fn all_changed(&self, after: u64) -> bool;
    /// Its journal, if it writes one.
    fn journal(&self) -> Option<&Journal>;
}

/// An image that is being fetched, part by part. It does not change while the store does.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Export {
    job: u64,
    place: Place,
    at: Time,
    base: Item,
    since: u64,
    items: Vec<(u32, Item)>,
}

/// A part of a restore that is confirmed once it is done up to a mark.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Loading {
    mark: u64,
    source: NodeId,
    restore: u64,
    part: u32,
}

/// Where a store deals with backups: what is fetched from it, and what is brought back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Desk {
    export: Option<Box<Export>>,
    loading: VecDeque<Loading>,
    taken: (u64, u32),
}

impl Desk {
    /// Answers a backup that fetches something. What it keeps for that is in memory.
    pub fn answer(
        &mut self,
        source: NodeId,
        message: BackupMessage,
        store: &impl Copied,
        cx: &mut Cx<'_>,
    ) {
        if store.closed() {
            return;
        }
        let answer = match message {
            BackupMessage::Export { job, after, from, most } => {
                self.export(job, after, (from, most), store, cx)
            }
            BackupMessage::Ship { job, after } => {
                let journal = store.journal().filter(|_| store.knows(after));
                match journal.and_then(|journal| journal.after(after.position)) {
                    Some(changes) => {
                        let place = store.place();
                        BackupMessage::Shipped { job, after, place, at: cx.clock(), changes }
                    }
                    None => BackupMessage::Gone { job },
                }
            }
            _ => return,
        };
        tell(source, answer, cx);
    }

    fn export(
        &mut self,
        job: u64,
        after: Place,
        (from, most): (u32, u32),
        store: &impl Copied,
        cx: &mut Cx<'_>,
    ) -> BackupMessage {
        if from == 0 {
            let all = !store.knows(after) || store.all_changed(after.position);
            let since = if all { 0 } else { after.position };
            let (place, base, items) = (store.place(), store.base(), store.changed(since));
            self.export = Some(Box::new(Export { job, place, at: cx.clock(), base, since, items }));
        }
        let Some(export) = self.export.as_ref().filter(|export| export.job == job) else {
            return BackupMessage::Gone { job };
        };
        let Export { place, at, base, since, .. } = **export;
        let part = export.items.iter().skip(from as usize).take(most as usize);
        let (items, total) = (part.copied().collect(), export.items.len() as u32);
        BackupMessage::Part { job, place, at, base, since, from, items, total }
    }

    /// True if this part of a restore is to be done. One that was done before is only confirmed.
    pub fn takes(&mut self, source: NodeId, restore: u64, part: u32, cx: &mut Cx<'_>) -> bool {
        if (restore, part) > self.taken {
            self.taken = (restore, part);
            return true;
        }
        if self.loading.is_empty() {
            tell(source, BackupMessage::Loaded { restore, part }, cx);
        }
        false
    }

    /// A part will be done when the store is as far as `mark`.
    pub fn load(&mut self, mark: u64, source: NodeId, restore: u64, part: u32) {
        self.loading.push_back(Loading { mark, source, restore, part });
    }

    /// The store is as far as `mark`: who waits for it is told.
    pub fn reached(&mut self, mark: u64, cx: &mut Cx<'_>) {
        while let Some(done) = self.loading.pop_front_if(|loading| loading.mark <= mark) {
            let Loading { source, restore, part, .. } = done;
            tell(source, BackupMessage::Loaded { restore, part }, cx);
        }
    }

    /// Forgets everything: all of it was in memory.
    pub fn crash(&mut self) {
        *self = Desk::default();
    }
}

/// Sends a backup what it is to know.
pub fn tell(target: NodeId, message: BackupMessage, cx: &mut Cx<'_>) {
    cx.send(target, Message::Store(Box::new(StoreMessage::Backup(message))));
}

/// What brings an image back, one command after the other, but for the end that opens the store.
pub fn steps(image: &Image) -> Vec<(u32, Op)> {
    let load = |(number, item): (&u32, &Item)| (*number, Op::Load { value: item.value });
    let begin = (0, Op::Reset { value: image.base.value });
    std::iter::once(begin).chain(image.items.iter().map(load)).collect()
}
