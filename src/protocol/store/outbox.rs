//! A transactional outbox: a message is written into the store with the change that it tells of, in
//! one write, so there is never one without the other. A relay sends what is written there to a
//! broker until it has been acknowledged: at least once, and with one key for all copies.
//!
//! Source: Richardson, "Pattern: Transactional outbox" and "Polling publisher" (microservices.io).

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Cx;
use crate::protocol::caller::{CallSettings, CallTimer, Caller, Ended, Want};
use crate::protocol::rpc::{Op, Reply, Request};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Of writes that need not be on disk at once, so many may be undone by a crash.
const JOURNAL: usize = 4_096;

/// How an outbox works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxSettings {
    /// How the relay calls the broker.
    pub calls: CallSettings,
    /// How often it looks into the outbox.
    pub every: Span,
    /// How many messages it has on their way at most.
    pub batch: u32,
}

/// A message that the broker has not acknowledged.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Row {
    /// The write that it came with.
    write: u64,
    intent: u64,
    op: Op,
    item: u32,
    key: u64,
}

/// An outbox and its relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outbox {
    /// How it works.
    pub settings: OutboxSettings,
    /// The calls of the relay.
    pub caller: Caller,
    node: NodeId,
    number: u64,
    rows: BTreeMap<u64, Row>,
    /// Rows on their way to the broker.
    sent: BTreeSet<u64>,
    /// Rows that were deleted, by the write that did it.
    deleted: VecDeque<(u64, u64, Row)>,
    /// The last write that is done.
    written: u64,
    /// The relay will look again.
    looking: bool,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(settings: OutboxSettings, seed: u64, node: NodeId) -> Outbox {
        Outbox {
            caller: Caller::new(settings.calls.clone(), seed, node, 0, 1),
            settings,
            node,
            number: 0,
            rows: BTreeMap::new(),
            sent: BTreeSet::new(),
            deleted: VecDeque::new(),
            written: 0,
            looking: false,
        }
    }

    /// Takes new settings.
    pub fn configure(&mut self, settings: OutboxSettings, now: Time) {
        self.caller.configure(settings.calls.clone(), 1, now);
        self.settings = settings;
    }

    /// Forgets what is not on disk. What was on its way is sent again.
    pub fn crash(&mut self, durable: u64) {
        self.caller.crash(Time::ZERO);
        self.sent.clear();
        self.looking = false;
        self.written = durable;
        for (_, number, row) in self.deleted.drain(..).filter(|(write, ..)| *write > durable) {
            self.rows.insert(number, row);
        }
        self.rows.retain(|_, row| row.write <= durable);
        // Those that stay are on disk; the numbers of writes begin again behind them.
        self.rows.values_mut().for_each(|row| row.write = 0);
    }

    /// How many messages are in it.
    pub fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// True if nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes a message with the change that it tells of.
    pub fn write(&mut self, write: u64, request: &Request) {
        self.number += 1;
        let Request { intent, op, item, key, .. } = *request;
        let own = (1 << 63) | (u64::from(self.node.0) << 40) | self.number;
        let key = if key == 0 { own } else { key };
        self.rows.insert(self.number, Row { write, intent, op, item, key });
    }

    /// Writes up to this one are done. Says how long until the relay looks, if it has to be
    /// reminded.
    pub fn persisted(&mut self, write: u64, sync: bool) -> Option<Span> {
        self.written = self.written.max(write);
        let keep = if sync { 0 } else { JOURNAL };
        while self.deleted.len() > keep && self.deleted.front().is_some_and(|d| d.0 <= write) {
            self.deleted.pop_front();
        }
        self.remind()
    }

    /// How long until the relay looks again; none if it will anyway, or has nothing to look for.
    pub fn remind(&mut self) -> Option<Span> {
        let look = !self.looking && !self.rows.is_empty();
        self.looking |= look;
        look.then_some(self.settings.every)
    }

    /// The relay sends what is in the outbox, the oldest first.
    pub fn look(&mut self, sync: bool, cx: &mut Cx<'_>) -> Option<Span> {
        self.looking = false;
        let room = (self.settings.batch as usize).saturating_sub(self.sent.len());
        let new = |(number, row): &(&u64, &Row)| {
            row.write <= self.written && !self.sent.contains(*number)
        };
        let rows: Vec<(u64, Row)> =
            self.rows.iter().filter(new).take(room).map(|(n, row)| (*n, *row)).collect();
        for (number, row) in rows {
            let Row { intent, op, item, key, .. } = row;
            self.sent.insert(number);
            let deadline = Time::NEVER;
            let (owner, guard, after) = (number, 0, 0);
            let ended = self
                .caller
                .begin(Want { owner, guard, intent, op, item, key, deadline, after }, cx);
            self.ended(ended, sync, cx);
        }
        self.remind()
    }

    /// Takes the answer of the broker.
    pub fn reply(&mut self, source: NodeId, reply: &Reply, sync: bool, cx: &mut Cx<'_>) {
        let ended = self.caller.reply(source, reply, cx);
        self.ended(ended, sync, cx);
    }

    /// Takes a reminder of the relay's calls.
    pub fn timer(&mut self, timer: CallTimer, sync: bool, cx: &mut Cx<'_>) {
        let ended = self.caller.timer(timer, cx);
        self.ended(ended, sync, cx);
    }

    /// What the broker has is deleted; the rest is sent when the relay looks again.
    fn ended(&mut self, ended: Option<Ended>, sync: bool, cx: &mut Cx<'_>) {
        let Some(ended) = ended else { return };
        self.sent.remove(&ended.owner);
        if ended.ending.is_good()
            && let Some(row) = self.rows.remove(&ended.owner)
        {
            self.deleted.push_back((cx.persist(sync), ended.owner, row));
        }
    }
}
