//! The course of a run: the world, and everything that follows it event by event. Cloning it is a
//! snapshot of what is on screen.
//!
//! The loop that advances it stands here, in the engine, and not with those who call it: what is
//! generic is compiled where it is used.

use super::cast::Cast;
use super::frame::{Fate, PacketEnd};
use super::metrics::BIN;
use super::picture;
use super::watch::Watch;
use crate::base::id::{FaultId, NodeId};
use crate::base::time::Time;
use crate::check::Checks;
use crate::protocol::note::{Backed, Note};
use crate::protocol::rpc::Op;
use crate::protocol::{Message, Role};
use crate::sim::fault::Fault;
use crate::sim::trace::{self, Record, What};
use crate::sim::world::World;
use std::collections::VecDeque;

/// Messages that met their end and may still be fading.
const ENDS: usize = 512;
/// Moments of disaster and recovery that are remembered.
const MARKS: usize = 200;

/// A world at an instant, with what is known of its past.
#[derive(Clone, Debug)]
pub struct Course {
    /// The world.
    pub world: World<Role>,
    /// Who is on the stage.
    pub cast: Cast,
    /// Numbers, sentences, lives of intents.
    pub watch: Watch,
    /// Properties.
    pub checks: Checks,
    /// Faults that have begun, with what they are in words.
    pub faults: Vec<FaultSpan>,
    /// When data was deleted or spoilt, and what backups did about it, in words.
    pub recovery: Vec<(Time, String)>,
    corrupted: bool,
    ends: VecDeque<PacketEnd>,
    noticed: bool,
}

/// A fault from beginning to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpan {
    /// Its number.
    pub id: FaultId,
    /// In words.
    pub sentence: String,
    /// Which node is down, if that is what it is.
    pub down: Option<NodeId>,
    /// Since when.
    pub since: Time,
    /// Until when, if it has ended.
    pub until: Option<Time>,
}

/// The node that a fault brings down, if it does.
pub fn crashed(fault: &Fault) -> Option<NodeId> {
    match fault {
        Fault::Crash { node } => Some(*node),
        _ => None,
    }
}

impl Course {
    /// From a world that has not begun.
    pub fn new(world: World<Role>, cast: Cast, checks: Checks) -> Course {
        let mut course = Course {
            watch: Watch::new(&cast, &world, BIN),
            checks,
            world,
            cast,
            faults: Vec::new(),
            recovery: Vec::new(),
            corrupted: false,
            ends: VecDeque::new(),
            noticed: false,
        };
        course.fold();
        course
    }

    /// Simulated time.
    pub fn now(&self) -> Time {
        self.world.shared.now
    }

    /// How many events have been handled.
    pub fn events(&self) -> u64 {
        self.world.shared.trace.counts.events
    }

    /// Runs until `until` or until `events` have been handled; true if the time was reached.
    pub fn advance(&mut self, until: Time, events: u64) -> bool {
        let last = self.events().saturating_add(events);
        loop {
            let sample = self.watch.metrics.next_close();
            let limit = until.min(sample);
            while self.world.step(limit) {
                if !self.world.shared.trace.fresh.is_empty() {
                    self.fold();
                }
                if self.events() >= last {
                    return false;
                }
            }
            if sample <= until {
                self.watch.close(&self.world);
                self.checks.close(&self.world);
            } else {
                self.watch.metrics.refresh(until);
                self.checks.refresh(until);
                return true;
            }
        }
    }

    /// Handles one event; false when there is none before `until`. [`Run::noticed`] says whether a
    /// person would notice it.
    pub fn step(&mut self, until: Time) -> bool {
        if let Some(next) = self.world.next_at().filter(|&at| at <= until) {
            // Bins that are over before the event are closed as a long run would have done.
            self.advance(Time(next.0.saturating_sub(1)), u64::MAX);
            self.noticed = false;
            self.world.step(until);
            self.fold();
            return true;
        }
        self.advance(until, u64::MAX);
        false
    }

    /// True if a person would have noticed the last step.
    pub fn noticed(&self) -> bool {
        self.noticed
    }

    /// Gives the records of the last event to everything that follows them.
    pub fn fold(&mut self) {
        let mut fresh = std::mem::take(&mut self.world.shared.trace.fresh);
        for record in &fresh {
            self.follow(record);
            let said = match record.what {
                What::Fault { fault, .. } => self.faults.iter().rev().find(|f| f.id == fault),
                _ => None,
            };
            self.checks.fold(record);
            self.noticed |= self.watch.fold(record, said.map(|f| f.sentence.as_str()));
        }
        fresh.clear();
        self.world.shared.trace.fresh = fresh;
    }

    fn follow(&mut self, record: &Record<Role>) {
        match &record.what {
            What::Fault { fault, began: true } => {
                let active = self.world.shared.active.iter().find(|a| a.id == *fault);
                let sentence = active.map(|a| picture::sentence(&a.fault, &self.cast));
                self.faults.push(FaultSpan {
                    id: *fault,
                    sentence: sentence.unwrap_or_default(),
                    down: active.and_then(|a| crashed(&a.fault)),
                    since: record.at,
                    until: None,
                });
            }
            What::Fault { fault, began: false } => {
                if let Some(span) = self.faults.iter_mut().rev().find(|f| f.id == *fault) {
                    span.until = Some(record.at);
                }
            }
            What::Ended { packet, source, target, fate, way, message } => {
                let fate = match fate {
                    trace::Fate::Delivered => return,
                    trace::Fate::LostInFlight => Fate::LostInFlight,
                    trace::Fate::LinkCut => Fate::LinkCut,
                    trace::Fate::TargetDown => Fate::TargetDown,
                    trace::Fate::NoRoute => Fate::NoRoute,
                };
                let Some(link) = self.world.shared.network.route(*source, *target) else { return };
                let kind = picture::kind_of(&self.world, *source, *target, message);
                let progress = f32::from(*way) / 1_000.0;
                let id = *packet;
                self.ends.push_back(PacketEnd { id, link, progress, kind, fate, at: record.at });
                if self.ends.len() > ENDS {
                    self.ends.pop_front();
                }
            }
            What::Note { node, note } => self.follow_note(record.at, *node, note),
            What::Sent { .. }
            | What::Deferred { .. }
            | What::Timer { .. }
            | What::Persisted { .. }
            | What::Node { .. } => {}
        }
    }

    fn follow_note(&mut self, at: Time, node: NodeId, note: &Note) {
        let name = self.cast.name(node);
        let text = match note {
            Note::Applied { op: Op::Erase, .. } => format!("{name} deletes everything"),
            Note::Applied { op: Op::Corrupt, .. } if !self.corrupted => {
                self.corrupted = true;
                format!("{name} writes nonsense")
            }
            Note::Backup { did } if did.is_recovery() || matches!(did, Backed::Alarm { .. }) => {
                format!("{name} {}", did.words())
            }
            _ => return,
        };
        if self.recovery.len() < MARKS {
            self.recovery.push((at, text));
        }
    }

    /// Messages that ended at or after `since`.
    pub fn ends(&self, since: Time) -> impl Iterator<Item = &PacketEnd> {
        self.ends.iter().filter(move |end| end.at >= since)
    }

    /// The intent that a message in flight serves.
    pub fn intent_of(&self, packet: u64) -> Option<u64> {
        let found = self.world.shared.packets.iter().find(|(_, p)| p.id == packet);
        found.and_then(|(_, p)| match &p.message {
            Message::Request(request) => Some(request.intent),
            Message::Reply(reply) => Some(reply.intent),
            Message::Forward { request, .. } => Some(request.intent),
            _ => None,
        })
    }
}
