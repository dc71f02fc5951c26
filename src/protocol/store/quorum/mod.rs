//! A store without a leader. Every replica takes requests and coordinates them: it asks all homes
//! of an item, and answers when as many have answered as a quorum needs. What replicas hold apart
//! from each other is joined: the last writer wins, or siblings are kept side by side, or counts
//! add up.
//!
//! Modelled on Dynamo (DeCandia et al. 2007) and its children Cassandra and Riak: preference lists,
//! sloppy quorums with hinted handoff, read repair, anti-entropy by hash trees, timestamps from the
//! clock of the coordinator, version vectors. There is no hinted handoff without a sloppy quorum,
//! and the replicas are always the same ones.

pub mod cell;
mod comparing;
mod coordinator;
mod keeping;
pub mod messages;
mod mutation;
pub mod ring;
mod scanning;
#[cfg(test)]
mod swarm;
mod tending;

use super::{StoreMessage, StoreTimer};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::slab::Key;
use crate::base::time::Span;
use crate::protocol::rpc::{Answer, Refusal, Request};
use crate::protocol::station::{Station, StationSettings};
use crate::protocol::{Cx, Message, Role, Timer};
use crate::sim::process::Input;
use cell::Cell;
use coordinator::{Copy, Round};
use keeping::{Arriving, Shelf, Write};
use messages::{QuorumMessage, QuorumTimer};
#[cfg(test)]
use mutation::Mutation;
use scanning::Scan;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How a replica works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuorumSettings {
    /// Its queue and workers, for requests of clients.
    pub station: StationSettings,
    /// All replicas, this one included.
    pub members: Vec<NodeId>,
    /// How many of them hold each item.
    pub copies: u32,
    /// How many homes must answer a read.
    pub read: u32,
    /// How many homes must have a write before it is acknowledged.
    pub write: u32,
    /// Whether others stand in for homes that do not answer, and hand over what they kept.
    pub sloppy: bool,
    /// What becomes of copies that a read finds out of date.
    pub read_repair: ReadRepair,
    /// How often a replica compares all it holds with another; none is never.
    pub anti_entropy: Option<Span>,
    /// How copies that have gone apart become one.
    pub merge: Merge,
    /// How long a coordinator waits for a quorum.
    pub timeout: Span,
    /// How long a replica takes to apply what a coordinator sends.
    pub apply: Dist,
    /// Whether a change is on disk before it counts as had.
    pub sync: bool,
    /// What each account holds in the beginning.
    pub balance: i64,
    /// A charge that would leave less, as far as the coordinator knows, is refused; none refuses
    /// none.
    pub floor: Option<i64>,
}

/// How copies that have gone apart become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Merge {
    /// The one with the latest timestamp, by the clock of its coordinator, stays.
    LastWriterWins,
    /// Versions that do not know of each other stay side by side.
    Siblings,
    /// Each coordinator counts for itself, and the value is the sum.
    Counter,
    /// A member stays if it was put in by a change that nobody who took it out had seen (Bieniusa
    /// et al. 2012, An optimized conflict-free replicated set).
    Set,
}

/// What becomes of copies that a read finds out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadRepair {
    /// Nothing.
    Never,
    /// They are brought up to date after the answer.
    Later,
    /// What is answered is first written to a write quorum, so that no later read misses it
    /// (Attiya, Bar-Noy and Dolev 1995).
    First,
}

/// A replica at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuorumStore {
    /// How it works.
    pub settings: QuorumSettings,
    /// Its queue and workers.
    pub station: Station,
    me: NodeId,
    // What it holds, and what of it a crash would leave.
    now: Shelf,
    disk: Shelf,
    writes: VecDeque<Write>,
    arriving: BTreeMap<u64, Arriving>,
    arrivals: u64,
    rounds: BTreeMap<u64, Round>,
    scans: BTreeMap<u64, Scan>,
    // The last number given to either.
    round: u64,
    // The last timestamp it gave, by its own clock: it never gives one twice.
    stamped: u64,
    // The last count it gave to a change of each item, where changes are counted. A crash keeps
    // it, or two changes could have the same name (Riak gives an actor a new epoch for that).
    given: BTreeMap<u32, u32>,
    // Who did not answer in time and has not been heard of since.
    suspected: Vec<NodeId>,
    tending: bool,
    next_peer: u32,
    era: u32,
    apply_times: Stream,
    #[cfg(test)]
    #[serde(skip)]
    mutation: Option<Mutation>,
}

impl QuorumStore {
    /// A replica in which nothing has happened.
    pub fn new(settings: QuorumSettings, seed: u64, me: NodeId) -> QuorumStore {
        QuorumStore {
            station: Station::new(settings.station.clone(), seed, me),
            me,
            now: Shelf::default(),
            disk: Shelf::default(),
            writes: VecDeque::new(),
            arriving: BTreeMap::new(),
            arrivals: 0,
            rounds: BTreeMap::new(),
            scans: BTreeMap::new(),
            round: 0,
            stamped: 0,
            given: BTreeMap::new(),
            suspected: Vec::new(),
            tending: false,
            next_peer: u32::from(place(&settings.members, me)),
            era: 0,
            apply_times: Stream::new(seed, "apply time", u64::from(me.0)),
            settings,
            #[cfg(test)]
            mutation: None,
        }
    }

    /// Takes new settings. Data stays.
    pub fn configure(&mut self, settings: QuorumSettings, cx: &mut Cx<'_>) {
        let often = settings.anti_entropy != self.settings.anti_entropy;
        self.settings = settings;
        self.station.configure(self.settings.station.clone(), cx);
        if often {
            self.era += 1;
            self.plan_comparison(cx);
        }
    }

    /// What is held of an item; nothing if it has never been changed, or its home is elsewhere.
    pub fn cell(&self, item: u32) -> Option<&Cell> {
        self.now.items.get(&item)
    }

    /// Every item of which something is held, in order.
    pub fn cells(&self) -> impl Iterator<Item = (u32, &Cell)> {
        self.now.items.iter().map(|(item, cell)| (*item, cell))
    }

    /// What is kept for homes that did not answer: for whom, which item, what.
    pub fn hints(&self) -> impl Iterator<Item = (NodeId, u32, &Cell)> {
        self.now.hints.iter().map(|((home, item), cell)| (NodeId(*home), *item, cell))
    }

    /// Who did not answer in time and has not been heard of since.
    pub fn suspected(&self) -> &[NodeId] {
        &self.suspected
    }

    /// The replicas that hold an item.
    pub fn homes(&self, item: u32) -> Vec<NodeId> {
        ring::homes(&self.settings.members, self.settings.copies, item)
    }

    /// The answer to a read of what is held here.
    pub fn read(&self, cell: &Cell) -> Answer {
        cell.read(self.settings.merge, self.settings.balance, self.settings.members.len() as u32)
    }

    /// Forgets what was not on disk, and everything under way.
    pub fn crash(&mut self, durable: u64) {
        self.station.crash();
        self.crash_shelves(durable);
        self.arriving.clear();
        self.rounds.clear();
        self.scans.clear();
        self.stamped = 0;
        self.suspected.clear();
        self.tending = false;
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match input {
            Input::Start => self.plan_comparison(cx),
            Input::Restart => {
                self.era += 1;
                self.plan_comparison(cx);
                self.tend(cx);
            }
            Input::Message { source, message } => self.message(source, message, cx),
            Input::Timer(Timer::Work { job }) => self.worked(job, cx),
            Input::Timer(Timer::Store(StoreTimer::Quorum(timer))) => self.timer(timer, cx),
            Input::Timer(_) => {}
            Input::Persisted(write) => self.persisted(write, cx),
        }
    }

    fn message(&mut self, source: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Request(request) => self.station.offer(source, request, cx),
            Message::Probe { number } => cx.send(source, Message::Alive { number }),
            Message::Alive { .. } => self.heard(source, cx),
            Message::Store(message) => {
                if let StoreMessage::Quorum(message) = *message {
                    self.heard(source, cx);
                    self.told(source, message, cx);
                }
            }
            _ => {}
        }
    }

    /// A replica says something.
    fn told(&mut self, source: NodeId, message: QuorumMessage, cx: &mut Cx<'_>) {
        match message {
            QuorumMessage::Get { round, item, home } => {
                let (cell, durable) = (self.held_for(home, item), self.is_durable(home, item));
                let home = home.unwrap_or(self.me);
                self.tell(source, QuorumMessage::Got { round, home, cell, durable }, cx);
            }
            QuorumMessage::Got { round, home, cell, durable } => {
                self.got(round, source, Copy { home, cell, durable }, cx);
            }
            QuorumMessage::Put { round, item, home, cell } => {
                self.arrived(Arriving { source, round, home, item, cell }, cx);
            }
            QuorumMessage::Stored { round, home, cell } => {
                self.stored(round, source, home, cell, cx);
            }
            QuorumMessage::Hand { items } => self.handed(source, items, cx),
            QuorumMessage::Taken { items } => self.taken(source, &items),
            QuorumMessage::Tree { branches } => self.compare(source, &branches, cx),
            QuorumMessage::Branches { differ } => self.descend(source, &differ, cx),
            QuorumMessage::Leaves { leaves, items } => self.exchange(source, &leaves, items, cx),
            QuorumMessage::GetAll { round } => {
                let items = self.everything();
                self.tell(source, QuorumMessage::GotAll { round, items }, cx);
            }
            QuorumMessage::GotAll { round, items } => self.got_all(round, source, items, cx),
        }
    }

    fn timer(&mut self, timer: QuorumTimer, cx: &mut Cx<'_>) {
        match timer {
            QuorumTimer::StandIn { round } => self.stand_in(round, cx),
            QuorumTimer::GiveUp { round } => {
                self.give_up(round, cx);
                self.give_up_scan(round, cx);
            }
            QuorumTimer::Applied { number } => {
                if let Some(arriving) = self.arriving.remove(&number) {
                    self.apply(arriving, cx);
                }
            }
            QuorumTimer::Tend => {
                self.tending = false;
                self.tend(cx);
            }
            QuorumTimer::Compare { era } if era == self.era => {
                self.begin_comparison(cx);
                self.plan_comparison(cx);
            }
            QuorumTimer::Compare { .. } => {}
        }
    }

    fn worked(&mut self, job: Key, cx: &mut Cx<'_>) {
        let Some(request) = self.station.job(job).map(|j| j.request) else { return };
        if self.station.fails() {
            return self.station.finish(job, Answer::Error, cx);
        }
        self.coordinate(job, request, cx);
    }

    /// A timestamp by the node's own clock that it has not given before.
    fn stamp(&mut self, cx: &Cx<'_>) -> u64 {
        self.stamped = cx.clock().0.max(self.stamped + 1);
        (self.stamped << 4) | u64::from(self.place() + 1)
    }

    fn place(&self) -> u8 {
        place(&self.settings.members, self.me)
    }

    fn remind(&self, span: Span, timer: QuorumTimer, cx: &mut Cx<'_>) {
        cx.set_timer(span, Timer::Store(StoreTimer::Quorum(timer)));
    }

    /// Says something to a replica, perhaps to itself.
    fn tell(&mut self, node: NodeId, message: QuorumMessage, cx: &mut Cx<'_>) {
        if node == self.me {
            return self.told(node, message, cx);
        }
        cx.send(node, Message::Store(Box::new(StoreMessage::Quorum(message))));
    }
}

/// The place of a replica among all.
fn place(members: &[NodeId], node: NodeId) -> u8 {
    members.iter().position(|member| *member == node).unwrap_or(0) as u8
}
