//! The map of a router changes while it serves. Keys move a few at a time: requests for a key wait
//! at the router, those under way end, the old shard hands the item over, the new one receives
//! it, the router writes down that it has moved, and what waited goes on to the new shard. At
//! every step a crash leaves the item where the router's disk says it is.

use super::book::{Change, Record};
use super::map::Map;
use super::mutation::Mutation;
use super::{Ask, Errand, Router, RouterTimer};
use crate::base::slab::Key;
use crate::protocol::note::Note;
use crate::protocol::rpc::{Answer, Op};
use crate::protocol::{Cx, Timer};
use serde::{Deserialize, Serialize};

/// Moves are named by the router, the version of the map, and this.
const MOVE: u64 = 1 << 39;

/// How far a key is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Move {
    /// Requests for it are under way.
    Drains,
    /// The old shard is asked for it.
    Taken,
    /// The new shard is given it.
    Given {
        /// What it holds.
        value: i64,
    },
    /// It is being written down that it has moved.
    Noted,
}

impl Router {
    /// Another map is wanted. A change under way is finished first.
    pub(super) fn remap(&mut self, map: Map, cx: &mut Cx<'_>) {
        self.wanted = Some(map);
        if self.book.change.is_none() {
            self.begin_change(cx);
        }
    }

    fn begin_change(&mut self, cx: &mut Cx<'_>) {
        let Some(to) = self.wanted.take().filter(|to| *to != self.book.map) else { return };
        let moving = self.book.map.differs(&to);
        self.book.version += 1;
        cx.note(Note::Remapped { version: self.book.version, moving });
        if self.is(Mutation::MapWithoutCopy) {
            self.book.map = to;
            return;
        }
        self.book.change = Some(Change { to, switched: Default::default(), moving });
        self.cursor = 0;
        self.advance(cx);
    }

    /// Begins to move as many keys as may move at once; ends the change when all have.
    pub(super) fn advance(&mut self, cx: &mut Cx<'_>) {
        let Some(change) = &self.book.change else { return };
        let mut next = Vec::new();
        while self.open.len() + next.len() < self.settings.moves as usize
            && self.cursor < change.to.items
        {
            let item = self.cursor;
            self.cursor += 1;
            let moves = self.book.map.shard(item) != change.to.shard(item);
            if moves && !change.switched.contains(&item) && !self.open.contains_key(&item) {
                next.push(item);
            }
        }
        let over = next.is_empty() && self.open.is_empty() && self.cursor >= change.to.items;
        for item in next {
            self.open.insert(item, Move::Drains);
            self.drained(item, cx);
        }
        if over && let Some(change) = self.book.change.take() {
            self.book.map = change.to;
            cx.note(Note::Remapped { version: self.book.version, moving: 0 });
            self.begin_change(cx);
        }
    }

    /// Takes the item as soon as nothing is under way for it.
    pub(super) fn drained(&mut self, item: u32, cx: &mut Cx<'_>) {
        if self.open.get(&item) == Some(&Move::Drains) && !self.busy.contains_key(&item) {
            self.open.insert(item, Move::Taken);
            self.go_on(item, cx);
        }
    }

    /// Does what is next for a key that moves.
    pub(super) fn go_on(&mut self, item: u32, cx: &mut Cx<'_>) {
        let Some(change) = &self.book.change else { return };
        let (shard, op) = match self.open.get(&item) {
            Some(Move::Taken) => (self.book.map.shard(item), Op::Take),
            Some(&Move::Given { value }) => (change.to.shard(item), Op::Put { value }),
            Some(Move::Drains | Move::Noted) | None => return,
        };
        let version = u64::from(self.book.version);
        let key = (u64::from(self.me.0) << 40) | MOVE | version;
        let ask =
            Ask { op, item, key, intent: version, deadline: cx.now() + self.settings.patience };
        self.call(shard, Errand::Move { item }, ask, cx);
    }

    /// A shard has answered about a key that moves, or has not.
    pub(super) fn moved(&mut self, item: u32, answer: Option<Answer>, cx: &mut Cx<'_>) {
        match (self.open.get(&item).copied(), answer) {
            (Some(Move::Taken), Some(Answer::Done { value, .. })) => {
                self.open.insert(item, Move::Given { value });
                self.go_on(item, cx);
                if self.is(Mutation::SwitchTooEarly) {
                    self.record(Record::Switched(item), cx);
                }
            }
            (Some(Move::Given { .. }), Some(Answer::Done { .. })) => {
                self.open.insert(item, Move::Noted);
                self.record(Record::Switched(item), cx);
            }
            (Some(Move::Taken | Move::Given { .. }), _) => {
                cx.set_timer(self.settings.again, Timer::Router(RouterTimer::Move { item }));
            }
            (Some(Move::Drains | Move::Noted) | None, _) => {}
        }
    }

    /// The disk knows that a key has moved: what waited for it goes on.
    pub(super) fn switched(&mut self, item: u32, cx: &mut Cx<'_>) {
        self.open.remove(&item);
        for job in self.held.remove(&item).unwrap_or_default() {
            self.dispatch(job, cx);
        }
        self.advance(cx);
    }

    /// Lets a request wait for a key that moves; false if none of its keys does.
    pub(super) fn wait(&mut self, job: Key, items: [u32; 2]) -> bool {
        let moving = items.into_iter().find(|item| self.open.contains_key(item));
        if let Some(item) = moving {
            self.held.entry(item).or_default().push(job);
        }
        moving.is_some()
    }
}
