//! What one group of consumers has still to do: which messages it may be handed, which are with a
//! consumer, and which it has failed at too often.
//!
//! A receipt counts as long as the message has not been handed out again, even if the visibility
//! timeout is over: `DeleteMessage` of Amazon SQS wants the receipt of the last delivery, and one
//! of an earlier delivery deletes nothing. How often a message was handed out is what
//! `ApproximateReceiveCount` there and `x-delivery-count` of RabbitMQ's quorum queues count.

use super::Letter;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::policy::retry::{Backoff, BackoffState, Jitter};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How a group of consumers gets its messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSettings {
    /// The consumers: each message goes to one of them.
    pub targets: Vec<NodeId>,
    /// How many messages each of them may have at once.
    pub in_flight: u32,
    /// How long a message that was handed out is not handed to anybody else.
    pub visibility: Span,
    /// How often a message is handed out at most; none for ever.
    pub attempts: Option<u32>,
    /// The wait after the first failure.
    pub backoff: Span,
    /// Growth from one wait to the next.
    pub factor: f64,
    /// The longest wait.
    pub cap: Span,
    /// Messages about the same item are handed out one at a time, in their order.
    pub ordered: bool,
    /// When dead letters come back into the queue; none leaves them.
    pub redrive: Option<Span>,
}

impl Default for GroupSettings {
    fn default() -> Self {
        GroupSettings {
            targets: Vec::new(),
            in_flight: 10,
            visibility: Span::secs(30),
            attempts: Some(5),
            backoff: Span::secs(1),
            factor: 2.0,
            cap: Span::secs(60),
            ordered: false,
            redrive: None,
        }
    }
}

/// A message that this group has not acknowledged.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    letter: Letter,
    /// How often it was handed out.
    tries: u32,
    /// The number of the last delivery; zero before the first.
    receipt: u64,
}

/// A delivery whose receipt still counts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Flight {
    number: u64,
    consumer: u32,
    /// The visibility timeout has not passed.
    open: bool,
}

/// A message that was handed out too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// The message.
    pub letter: Letter,
    /// How often it was handed out.
    pub tries: u32,
    /// Since when it is a dead letter.
    pub since: Time,
}

/// What follows from a failed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It may be handed out again now.
    Ready,
    /// It may be handed out again after a wait.
    After(Span),
    /// It has been handed out often enough.
    Dead,
}

/// The messages of one group of consumers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// How it gets them.
    pub settings: GroupSettings,
    entries: BTreeMap<u64, Entry>,
    /// To be handed out, the oldest first.
    ready: BTreeSet<u64>,
    /// Failed and waiting.
    waiting: BTreeSet<u64>,
    /// In ordered groups: the messages about an item, the one whose turn it is first.
    lines: BTreeMap<u32, VecDeque<u64>>,
    flights: BTreeMap<u64, Flight>,
    dead: BTreeMap<u64, Dead>,
    /// By consumer: messages it has.
    busy: Vec<u32>,
    /// The consumer after the one that got the last message.
    next: u32,
}

impl Group {
    /// Nothing to do yet.
    pub fn new(settings: GroupSettings) -> Group {
        Group {
            busy: vec![0; settings.targets.len()],
            settings,
            entries: BTreeMap::new(),
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
            lines: BTreeMap::new(),
            flights: BTreeMap::new(),
            dead: BTreeMap::new(),
            next: 0,
        }
    }

    /// Takes new settings; what is with consumers stays there.
    pub fn configure(&mut self, settings: GroupSettings) {
        let sorted = settings.ordered != self.settings.ordered;
        self.busy.resize(settings.targets.len(), 0);
        self.settings = settings;
        if sorted {
            self.sort();
        }
    }

    /// Forgets who has what; messages, and how often each was handed out, are on disk.
    pub fn crash(&mut self) {
        self.flights.clear();
        self.waiting.clear();
        self.busy.fill(0);
        self.entries.values_mut().for_each(|entry| entry.receipt = 0);
        self.sort();
    }

    /// Works out anew what may be handed out.
    fn sort(&mut self) {
        self.ready.clear();
        self.lines.clear();
        for (number, item) in self.entries.iter().map(|(n, e)| (*n, e.letter.item)) {
            if self.settings.ordered {
                self.lines.entry(item).or_default().push_back(number);
            }
        }
        let all: Vec<u64> = match self.settings.ordered {
            true => self.lines.values().filter_map(|line| line.front().copied()).collect(),
            false => self.entries.keys().copied().collect(),
        };
        all.into_iter().for_each(|number| self.free(number));
    }

    /// A message that nobody has and that need not wait can be handed out.
    fn free(&mut self, number: u64) {
        let Some(entry) = self.entries.get(&number) else { return };
        let out = self.flights.get(&entry.receipt).is_some_and(|flight| flight.open);
        if !out && !self.waiting.contains(&number) {
            self.ready.insert(number);
        }
    }

    /// Takes a message in that was handed out `tries` times before.
    pub fn add(&mut self, letter: Letter, tries: u32) {
        self.entries.insert(letter.number, Entry { letter, tries, receipt: 0 });
        if !self.settings.ordered {
            self.ready.insert(letter.number);
            return;
        }
        let line = self.lines.entry(letter.item).or_default();
        line.push_back(letter.number);
        if line.len() == 1 {
            self.ready.insert(letter.number);
        }
    }

    /// Takes a message out, wherever it is; the next about its item has its turn.
    pub fn remove(&mut self, number: u64) -> Option<(Letter, u32)> {
        let entry = self.entries.remove(&number)?;
        self.ready.remove(&number);
        self.waiting.remove(&number);
        self.close(entry.receipt);
        self.flights.remove(&entry.receipt);
        let item = entry.letter.item;
        if let Some(line) = self.lines.get_mut(&item) {
            line.retain(|other| *other != number);
            match line.front().copied() {
                Some(head) => self.free(head),
                None => drop(self.lines.remove(&item)),
            }
        }
        Some((entry.letter, entry.tries))
    }

    /// A delivery does not occupy its consumer any more.
    fn close(&mut self, receipt: u64) -> Option<Flight> {
        let flight = self.flights.get_mut(&receipt)?;
        if std::mem::take(&mut flight.open)
            && let Some(busy) = self.busy.get_mut(flight.consumer as usize)
        {
            *busy = busy.saturating_sub(1);
        }
        Some(*flight)
    }

    /// Hands the oldest message that may be handed out to the consumer that has the fewest: what,
    /// to whom, and for which time.
    pub fn hand_out(&mut self, receipt: u64) -> Option<(Letter, NodeId, u32)> {
        let number = *self.ready.first()?;
        let count = self.busy.len() as u32;
        let turn = |place: u32| (place + count - self.next % count) % count;
        let free = (0..).zip(&self.busy).filter(|(_, busy)| **busy < self.settings.in_flight);
        let (consumer, _) = free.min_by_key(|(place, busy)| (**busy, turn(*place)))?;
        let target = *self.settings.targets.get(consumer as usize)?;
        let entry = self.entries.get_mut(&number)?;
        self.ready.remove(&number);
        self.flights.remove(&entry.receipt);
        entry.receipt = receipt;
        entry.tries = entry.tries.saturating_add(1);
        self.flights.insert(receipt, Flight { number, consumer, open: true });
        self.busy[consumer as usize] += 1;
        self.next = (consumer + 1) % count;
        Some((entry.letter, target, entry.tries))
    }

    /// The message that a receipt is for, if it counts.
    pub fn receipt(&self, receipt: u64) -> Option<u64> {
        self.flights.get(&receipt).map(|flight| flight.number)
    }

    /// True if this delivery is still with its consumer, as far as the broker knows.
    pub fn is_out(&self, receipt: u64) -> bool {
        self.flights.get(&receipt).is_some_and(|flight| flight.open)
    }

    /// A consumer says that it failed (`told`), or has said nothing in time. A message that is
    /// ready again is handed out at once: its consumer had its time. None if there is nothing to
    /// do: the delivery has failed already.
    pub fn fail(&mut self, receipt: u64, told: bool) -> Option<Failed> {
        if !self.is_out(receipt) {
            return None;
        }
        let Flight { number, .. } = self.close(receipt)?;
        let tries = self.entries.get(&number)?.tries;
        if self.settings.attempts.is_some_and(|most| tries >= most) {
            return Some(Failed::Dead);
        }
        let wait = if told { self.wait(tries) } else { Span::ZERO };
        if wait == Span::ZERO {
            self.ready.insert(number);
            return Some(Failed::Ready);
        }
        self.waiting.insert(number);
        Some(Failed::After(wait))
    }

    /// How long a message waits after it has failed so often.
    fn wait(&self, tries: u32) -> Span {
        let GroupSettings { backoff, factor, cap, .. } = self.settings;
        let growing = Backoff::Exponential { base: backoff, factor, cap, jitter: Jitter::None };
        growing.wait_at(tries, &mut BackoffState::default(), 0.0)
    }

    /// The wait of a message is over, if it still waits.
    pub fn wake(&mut self, number: u64) {
        if self.waiting.remove(&number) {
            self.ready.insert(number);
        }
    }

    /// Keeps a message among the dead letters.
    pub fn bury(&mut self, dead: Dead) {
        self.dead.insert(dead.letter.number, dead);
    }

    /// Takes a message out of the dead letters.
    pub fn exhume(&mut self, number: u64) -> Option<Dead> {
        self.dead.remove(&number)
    }

    /// Forgets that a message was handed out once more.
    pub fn untry(&mut self, number: u64) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.tries = entry.tries.saturating_sub(1);
        }
    }

    /// Messages to be done, with consumers or not.
    pub fn left(&self) -> u32 {
        self.entries.len() as u32
    }

    /// Messages with consumers.
    pub fn out(&self) -> u32 {
        self.busy.iter().sum()
    }

    /// How many messages consumers may have together.
    pub fn most_out(&self) -> u32 {
        self.settings.in_flight.saturating_mul(self.busy.len() as u32)
    }

    /// Messages that wait for a message about the same item.
    pub fn behind(&self) -> u32 {
        self.lines.values().map(|line| line.len().saturating_sub(1) as u32).sum()
    }

    /// When the oldest message to be done was published.
    pub fn oldest(&self) -> Option<Time> {
        self.entries.values().next().map(|entry| entry.letter.since)
    }

    /// A message to be done.
    pub fn letter(&self, number: u64) -> Option<&Letter> {
        self.entries.get(&number).map(|entry| &entry.letter)
    }

    /// Messages to be done, by number.
    pub fn letters(&self) -> impl Iterator<Item = &Letter> {
        self.entries.values().map(|entry| &entry.letter)
    }

    /// The dead letters, by number.
    pub fn dead(&self) -> impl Iterator<Item = &Dead> {
        self.dead.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::rpc::Op;

    fn group(settings: GroupSettings) -> Group {
        Group::new(GroupSettings { targets: vec![NodeId(7), NodeId(8)], ..settings })
    }

    fn letter(number: u64, item: u32) -> Letter {
        Letter { number, intent: number, op: Op::Write, item, key: 0, since: Time(number) }
    }

    fn numbers(group: &mut Group, receipts: std::ops::RangeInclusive<u64>) -> Vec<(u64, u32)> {
        let out = receipts.filter_map(|receipt| group.hand_out(receipt));
        out.map(|(letter, target, _)| (letter.number, target.0)).collect()
    }

    #[test]
    fn the_consumer_that_has_the_fewest_gets_the_oldest() {
        let mut group = group(GroupSettings { in_flight: 2, ..GroupSettings::default() });
        (1..=6).for_each(|n| group.add(letter(n, 0), 0));
        assert_eq!(numbers(&mut group, 1..=9), [(1, 7), (2, 8), (3, 7), (4, 8)]);
        assert_eq!((group.out(), group.left(), group.most_out()), (4, 6, 4));
        assert!(group.remove(2).is_some());
        assert_eq!(numbers(&mut group, 10..=11), [(5, 8)], "the one that is free");
    }

    #[test]
    fn a_receipt_counts_until_the_message_is_handed_out_again() {
        let mut group = group(GroupSettings { in_flight: 1, ..GroupSettings::default() });
        group.add(letter(1, 0), 0);
        group.hand_out(1);
        assert_eq!(group.fail(1, false), Some(Failed::Ready));
        assert_eq!(group.fail(1, false), None, "it has failed already");
        assert_eq!(group.receipt(1), Some(1), "late, but nobody else has it");
        assert_eq!(group.hand_out(2).map(|(_, target, tries)| (target.0, tries)), Some((8, 2)));
        assert_eq!((group.receipt(1), group.receipt(2)), (None, Some(1)));
        assert_eq!(group.fail(1, true), None, "the failure of another delivery");
        assert!(group.is_out(2));
    }

    #[test]
    fn waits_grow_and_the_last_attempt_is_the_last() {
        let (backoff, cap) = (Span(100), Span(300));
        let attempts = Some(4);
        let mut group = group(GroupSettings { backoff, cap, attempts, ..GroupSettings::default() });
        group.add(letter(1, 0), 0);
        let mut ends = Vec::new();
        for receipt in 1..=4 {
            group.hand_out(receipt);
            ends.push(group.fail(receipt, true));
            assert_eq!(group.hand_out(9), None, "it waits");
            group.wake(1);
        }
        let after = |n| Some(Failed::After(Span(n)));
        assert_eq!(ends, [after(100), after(200), after(300), Some(Failed::Dead)]);
    }

    #[test]
    fn an_ordered_group_does_one_at_a_time_for_each_item() {
        let mut group = group(GroupSettings { ordered: true, ..GroupSettings::default() });
        let letters = [(1, 5), (2, 5), (3, 6), (4, 5)];
        letters.into_iter().for_each(|(n, item)| group.add(letter(n, item), 0));
        assert_eq!(numbers(&mut group, 1..=3), [(1, 7), (3, 8)]);
        assert_eq!(group.behind(), 2);
        assert!(matches!(group.fail(1, true), Some(Failed::After(_))));
        assert_eq!(group.hand_out(4), None, "what comes behind waits too");
        assert!(group.remove(1).is_some());
        assert_eq!(numbers(&mut group, 5..=6), [(2, 7)]);
        group.crash();
        assert_eq!(numbers(&mut group, 7..=9), [(2, 8), (3, 7)]);
    }

    #[test]
    fn order_can_be_asked_for_while_messages_are_out() {
        let mut group = group(GroupSettings::default());
        (1..=4).for_each(|n| group.add(letter(n, 5), 0));
        assert_eq!(numbers(&mut group, 1..=2), [(1, 7), (2, 8)]);
        group.configure(GroupSettings { ordered: true, ..group.settings.clone() });
        assert_eq!(group.hand_out(3), None);
        assert!(group.remove(1).is_some());
        assert_eq!(group.hand_out(3), None, "the second is still out");
        assert!(group.remove(2).is_some());
        assert_eq!(numbers(&mut group, 4..=5), [(3, 7)]);
    }
}
