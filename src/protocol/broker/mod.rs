//! A broker: takes messages, keeps them on its disk, and hands each to a consumer of every group
//! until one has said that it is done. At least once: what a consumer does not acknowledge in time
//! is handed out again, whatever has become of it.
//!
//! A message is a request that is answered when it is on disk, and delivered later. It is pushed,
//! and a consumer may have so many at once, as with the prefetch of RabbitMQ; the visibility
//! timeout and receipts are those of Amazon SQS. How often a message was handed out is written
//! down too, but nobody waits for that write.

pub mod group;
#[cfg(test)]
mod tests;

use super::note::{Note, Post};
use super::rpc::{Answer, Op, Refusal, Reply, Request, Ticket};
use super::{Cx, Message, Role, Timer};
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::sim::process::Input;
use group::{Dead, Failed, Group, GroupSettings};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Of writes that need not be on disk at once, so many may be undone by a crash.
const JOURNAL: usize = 4_096;

/// How a broker works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrokerSettings {
    /// Who gets every message.
    pub groups: Vec<GroupSettings>,
    /// Whether a message is on disk before it is acknowledged.
    pub sync: bool,
    /// Whether deliveries carry an idempotency key: the publisher's, or one for each message.
    pub idempotency: bool,
    /// How many messages a group may have to do; more are refused.
    pub capacity: u32,
    /// How long a message is kept; none for ever.
    pub keep: Option<Span>,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        BrokerSettings {
            groups: Vec::new(),
            sync: true,
            idempotency: false,
            capacity: u32::MAX,
            keep: None,
        }
    }
}

/// A message that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Counts the messages of this broker.
    pub number: u64,
    /// For which intent.
    pub intent: u64,
    /// What is asked of consumers.
    pub op: Op,
    /// For which item.
    pub item: u32,
    /// The key of the publisher; zero for none.
    pub key: u64,
    /// When it came.
    pub since: Time,
}

/// What a broker is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrokerTimer {
    /// A delivery has had its time.
    Visible {
        /// Of which group.
        group: u8,
        /// Its number.
        receipt: u64,
    },
    /// A message has waited after a failure.
    Wake {
        /// For which group.
        group: u8,
        /// Which.
        number: u64,
    },
    /// Dead letters may have to come back.
    Redrive {
        /// Of which group.
        group: u8,
    },
    /// A message is as old as it may get.
    Old {
        /// Which.
        number: u64,
    },
}

/// A message that is not on disk yet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Publishing {
    write: u64,
    source: NodeId,
    ticket: Ticket,
    letter: Letter,
}

/// What a write changed, so that a crash can undo it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Change {
    Published { number: u64 },
    HandedOut { group: u8, number: u64 },
    Removed { group: u8, letter: Letter, tries: u32 },
    Buried { group: u8, number: u64 },
    Exhumed { group: u8, dead: Dead },
}

/// A broker at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Broker {
    /// How it works.
    pub settings: BrokerSettings,
    /// What each group has to do, in the order of the settings.
    pub groups: Vec<Group>,
    node: NodeId,
    letters: u64,
    /// Deliveries made. A crash does not begin it anew, as if it held the number of the restart.
    receipts: u64,
    publishing: VecDeque<Publishing>,
    journal: VecDeque<(u64, Change)>,
    /// Messages that a crash has undone.
    lost: Vec<Letter>,
}

impl Broker {
    /// An empty broker.
    pub fn new(settings: BrokerSettings, _seed: u64, node: NodeId) -> Broker {
        Broker {
            groups: settings.groups.iter().cloned().map(Group::new).collect(),
            settings,
            node,
            letters: 0,
            receipts: 0,
            publishing: VecDeque::new(),
            journal: VecDeque::new(),
            lost: Vec::new(),
        }
    }

    /// Takes new settings; what was published stays. A new group gets what comes from now on.
    pub fn configure(&mut self, settings: BrokerSettings, cx: &mut Cx<'_>) {
        self.groups.truncate(settings.groups.len());
        for (place, new) in settings.groups.iter().enumerate() {
            match self.groups.get_mut(place) {
                Some(group) => group.configure(new.clone()),
                None => self.groups.push(Group::new(new.clone())),
            }
        }
        self.settings = settings;
        self.remind(cx);
        self.hand_out(cx);
    }

    /// Keeps what is on disk. What was with consumers will be handed out again.
    pub fn crash(&mut self, durable: u64) {
        while let Some((write, change)) = self.journal.pop_back() {
            if write > durable {
                self.undo(change);
            }
        }
        self.groups.iter_mut().for_each(Group::crash);
        for publishing in std::mem::take(&mut self.publishing) {
            // On disk, though its publisher was not told.
            if publishing.write <= durable {
                self.groups.iter_mut().for_each(|group| group.add(publishing.letter, 0));
            }
        }
    }

    fn undo(&mut self, change: Change) {
        let of = |groups: &mut Vec<Group>, group: u8, undo: &mut dyn FnMut(&mut Group)| {
            groups.get_mut(usize::from(group)).into_iter().for_each(undo);
        };
        match change {
            Change::Published { number } => {
                let lost = self.groups.iter_mut().filter_map(|group| group.remove(number));
                self.lost.extend(lost.map(|(letter, _)| letter).last());
            }
            Change::HandedOut { group, number } => {
                of(&mut self.groups, group, &mut |group| group.untry(number));
            }
            Change::Removed { group, letter, tries } => {
                of(&mut self.groups, group, &mut |group| group.add(letter, tries));
            }
            Change::Buried { group, number } => of(&mut self.groups, group, &mut |group| {
                if let Some(dead) = group.exhume(number) {
                    group.add(dead.letter, dead.tries);
                }
            }),
            Change::Exhumed { group, dead } => of(&mut self.groups, group, &mut |group| {
                group.remove(dead.letter.number);
                group.bury(dead);
            }),
        }
    }

    /// True while a delivery is with its consumer.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        let group = self.groups.get(usize::from(ticket.stack));
        group.is_some_and(|group| group.is_out(receipt(ticket)))
    }

    /// Messages that the fullest group has to do and no consumer has.
    pub fn waiting(&self) -> u32 {
        self.groups.iter().map(|group| group.left() - group.out()).max().unwrap_or(0)
    }

    /// Messages with consumers, of all groups.
    pub fn out(&self) -> u32 {
        self.groups.iter().map(Group::out).sum()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Message { source, message } => match message {
                Message::Request(request) => self.publish(source, &request, cx),
                Message::Reply(reply) => self.answered(&reply, cx),
                Message::Probe { number } => cx.send(source, Message::Alive { number }),
                _ => {}
            },
            Input::Timer(Timer::Broker(timer)) => self.timer(timer, cx),
            Input::Persisted(write) => self.persisted(write, cx),
            Input::Restart => self.restart(cx),
            Input::Timer(_) | Input::Start => {}
        }
    }

    fn publish(&mut self, source: NodeId, request: &Request, cx: &mut Cx<'_>) {
        let Request { ticket, intent, op, item, key, .. } = *request;
        cx.note(Note::Arrived { intent });
        let fullest = self.groups.iter().map(Group::left).max().unwrap_or(0);
        if fullest.saturating_add(self.publishing.len() as u32) >= self.settings.capacity {
            let (why, stayed) = (Refusal::QueueFull, Span::ZERO);
            cx.note(Note::Refused { intent, why, stayed });
            let answer = Answer::Refused(why);
            return cx.send(source, Message::Reply(Reply { ticket, intent, answer }));
        }
        self.letters += 1;
        let letter = Letter { number: self.letters, intent, op, item, key, since: cx.now() };
        let write = cx.persist(self.settings.sync);
        self.publishing.push_back(Publishing { write, source, ticket, letter });
    }

    /// What is on disk is acknowledged to its publisher and may be handed out.
    fn persisted(&mut self, write: u64, cx: &mut Cx<'_>) {
        let keep = if self.settings.sync { 0 } else { JOURNAL };
        while self.journal.len() > keep && self.journal.front().is_some_and(|j| j.0 <= write) {
            self.journal.pop_front();
        }
        while self.publishing.front().is_some_and(|p| p.write <= write) {
            let Some(Publishing { write, source, ticket, letter }) = self.publishing.pop_front()
            else {
                return;
            };
            let Letter { number, intent, since, .. } = letter;
            if !self.settings.sync {
                self.journal.push_back((write, Change::Published { number }));
            }
            let span = cx.now().since(since);
            cx.note(Note::Worked { intent, span, stayed: span });
            for (place, group) in (0..).zip(&mut self.groups) {
                group.add(letter, 0);
                cx.note(Note::Letter { intent, number, group: place, step: Post::Kept });
            }
            self.remind_of(&letter, cx);
            let answer = Answer::Done { version: 0, value: 0 };
            cx.send(source, Message::Reply(Reply { ticket, intent, answer }));
        }
        self.hand_out(cx);
    }

    /// Hands out what can be handed out.
    fn hand_out(&mut self, cx: &mut Cx<'_>) {
        for place in 0..self.groups.len() {
            let visibility = self.groups[place].settings.visibility;
            while let Some((letter, target, tries)) = self.groups[place].hand_out(self.receipts + 1)
            {
                self.receipts += 1;
                let (group, receipt) = (place as u8, self.receipts);
                let Letter { number, intent, op, item, .. } = letter;
                self.write(Change::HandedOut { group, number }, cx);
                let step = Post::HandedOut { attempt: tries, target };
                cx.note(Note::Letter { intent, number, group, step });
                let ticket = ticket(group, receipt, tries);
                let (key, deadline) = (self.key(&letter), Time::NEVER);
                let request = Request { ticket, intent, op, item, key, deadline, after: 0 };
                cx.send(target, Message::Request(request));
                cx.set_timer(visibility, Timer::Broker(BrokerTimer::Visible { group, receipt }));
            }
        }
    }

    /// The key that all deliveries of a message carry.
    fn key(&self, letter: &Letter) -> u64 {
        match (self.settings.idempotency, letter.key) {
            (false, _) => 0,
            (true, 0) => (1 << 63) | (u64::from(self.node.0) << 40) | letter.number,
            (true, key) => key,
        }
    }

    fn write(&mut self, change: Change, cx: &mut Cx<'_>) {
        let write = cx.persist(self.settings.sync);
        self.journal.push_back((write, change));
    }

    /// A consumer has answered.
    fn answered(&mut self, reply: &Reply, cx: &mut Cx<'_>) {
        let Reply { ticket, intent, answer } = *reply;
        let (place, receipt) = (ticket.stack, receipt(ticket));
        let group = self.groups.get_mut(usize::from(place));
        let Some((group, number)) = group.and_then(|g| g.receipt(receipt).map(|n| (g, n))) else {
            // Of an earlier delivery: the message is with somebody else, or done, or dead.
            return cx.note(Note::Late { intent, attempt: ticket.attempt, answer });
        };
        if !matches!(answer, Answer::Done { .. } | Answer::Degraded) {
            return self.failed(place, receipt, number, true, cx);
        }
        if let Some((letter, tries)) = group.remove(number) {
            let after = cx.now().since(letter.since);
            let step = Post::Acknowledged { after };
            cx.note(Note::Letter { intent, number, group: place, step });
            self.write(Change::Removed { group: place, letter, tries }, cx);
        }
        self.hand_out(cx);
    }

    /// A delivery has failed: by what the consumer `told`, or in silence.
    fn failed(&mut self, place: u8, receipt: u64, number: u64, told: bool, cx: &mut Cx<'_>) {
        let Some(group) = self.groups.get_mut(usize::from(place)) else { return };
        let intent = group.letter(number).map_or(0, |letter| letter.intent);
        let Some(failed) = group.fail(receipt, told) else { return };
        let step = if told { Post::Returned } else { Post::Expired };
        cx.note(Note::Letter { intent, number, group: place, step });
        match failed {
            Failed::Ready => {}
            Failed::After(wait) => {
                let wake = BrokerTimer::Wake { group: place, number };
                cx.set_timer(wait, Timer::Broker(wake));
            }
            Failed::Dead => {
                if let Some((letter, tries)) = group.remove(number) {
                    group.bury(Dead { letter, tries, since: cx.now() });
                    let redrive = group.settings.redrive;
                    let step = Post::Dead { attempts: tries };
                    cx.note(Note::Letter { intent, number, group: place, step });
                    self.write(Change::Buried { group: place, number }, cx);
                    if let Some(span) = redrive {
                        let timer = BrokerTimer::Redrive { group: place };
                        cx.set_timer(span, Timer::Broker(timer));
                    }
                }
            }
        }
        self.hand_out(cx);
    }

    fn timer(&mut self, timer: BrokerTimer, cx: &mut Cx<'_>) {
        match timer {
            BrokerTimer::Visible { group, receipt } => {
                let number = self.groups.get(usize::from(group)).and_then(|g| g.receipt(receipt));
                if let Some(number) = number {
                    self.failed(group, receipt, number, false, cx);
                }
            }
            BrokerTimer::Wake { group, number } => {
                if let Some(group) = self.groups.get_mut(usize::from(group)) {
                    group.wake(number);
                }
                self.hand_out(cx);
            }
            BrokerTimer::Redrive { group } => self.redrive(group, cx),
            BrokerTimer::Old { number } => self.drop_old(number, cx),
        }
    }

    /// Puts the dead letters of a group back whose time has come: as if they were new.
    fn redrive(&mut self, place: u8, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(group) = self.groups.get_mut(usize::from(place)) else { return };
        let Some(span) = group.settings.redrive else { return };
        let due: Vec<Dead> = group.dead().filter(|d| d.since + span <= now).copied().collect();
        for dead in due {
            let Letter { number, intent, .. } = dead.letter;
            let Some(group) = self.groups.get_mut(usize::from(place)) else { return };
            group.exhume(number);
            group.add(dead.letter, 0);
            let step = Post::Redriven;
            cx.note(Note::Letter { intent, number, group: place, step });
            self.write(Change::Exhumed { group: place, dead }, cx);
        }
        self.hand_out(cx);
    }

    /// Drops a message that is too old, wherever it is: dead letters are no younger than they were.
    fn drop_old(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(keep) = self.settings.keep else { return };
        let old = |letter: &Letter| letter.since + keep <= cx.now();
        let mut dropped = Vec::new();
        for (place, group) in (0..).zip(&mut self.groups) {
            if group.letter(number).is_some_and(old) {
                let removed = group.remove(number);
                dropped.extend(removed.map(|(letter, tries)| {
                    (letter.intent, place, Change::Removed { group: place, letter, tries })
                }));
            } else if let Some(dead) = group.exhume(number) {
                match old(&dead.letter) {
                    true => {
                        let change = Change::Exhumed { group: place, dead };
                        dropped.push((dead.letter.intent, place, change));
                    }
                    false => group.bury(dead),
                }
            }
        }
        for (intent, group, change) in dropped {
            cx.note(Note::Letter { intent, number, group, step: Post::Dropped });
            self.write(change, cx);
        }
        self.hand_out(cx);
    }

    fn restart(&mut self, cx: &mut Cx<'_>) {
        for letter in std::mem::take(&mut self.lost) {
            let Letter { intent, number, .. } = letter;
            cx.note(Note::Letter { intent, number, group: 0, step: Post::Lost });
        }
        self.remind(cx);
        self.hand_out(cx);
    }

    /// Asks anew to be reminded of all that has a time.
    fn remind(&mut self, cx: &mut Cx<'_>) {
        for (place, group) in (0..).zip(&self.groups) {
            let Some(span) = group.settings.redrive else { continue };
            let mut times: Vec<Time> = group.dead().map(|dead| dead.since + span).collect();
            times.dedup();
            for at in times {
                let timer = BrokerTimer::Redrive { group: place };
                cx.set_timer_at(at.max(cx.now()), Timer::Broker(timer));
            }
        }
        let dead = self.groups.iter().flat_map(Group::dead).map(|dead| dead.letter);
        let kept = self.groups.iter().flat_map(Group::letters).copied();
        let mut letters: Vec<Letter> = kept.chain(dead).collect();
        order::by_key(&mut letters, |letter| letter.number);
        letters.dedup();
        letters.iter().for_each(|letter| self.remind_of(letter, cx));
    }

    fn remind_of(&self, letter: &Letter, cx: &mut Cx<'_>) {
        if let Some(keep) = self.settings.keep {
            let timer = BrokerTimer::Old { number: letter.number };
            cx.set_timer_at((letter.since + keep).max(cx.now()), Timer::Broker(timer));
        }
    }
}

/// Where the answer to a delivery belongs: its receipt.
fn ticket(group: u8, receipt: u64, tries: u32) -> Ticket {
    let call = Key { index: receipt as u32, generation: (receipt >> 32) as u32 };
    Ticket { call, stack: group, attempt: tries.min(u32::from(u8::MAX)) as u8 }
}

/// The receipt that a ticket is.
fn receipt(ticket: Ticket) -> u64 {
    (u64::from(ticket.call.generation) << 32) | u64::from(ticket.call.index)
}
