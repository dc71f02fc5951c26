//! A new version comes to a few replicas at a time: they finish what they have, start anew, and
//! serve. With a gate, the next batch waits until the last one serves and has proved itself, and
//! one that does not is taken back everywhere; without, batch follows batch by the clock.

use super::{Fleet, FleetTimer};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::note::{Note, Why};
use crate::protocol::{Cx, Timer};
use serde::{Deserialize, Serialize};

/// The version that a deploy brings; what runs in the beginning is the first.
pub const NEW: u8 = 2;
/// The share of errors of a new version counts from so many answers on.
const ENOUGH: u64 = 20;

/// How a new version comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploySettings {
    /// When it begins.
    pub at: Time,
    /// How many replicas at once.
    pub batch: u32,
    /// With a gate, how long a batch is watched while it serves; without, the time between two.
    pub wait: Span,
    /// What the new version must show before it goes on.
    pub gate: Option<GateSettings>,
}

/// What a new version must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSettings {
    /// How often the new replicas are asked.
    pub interval: Span,
    /// No more than this share of their answers may be errors.
    pub errors: Chance,
    /// A batch must serve within that time.
    pub deadline: Span,
}

/// How far a deploy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rollout {
    /// It has not begun, or there is none.
    Ahead,
    /// Some replicas run the new version, or are about to.
    Rolls {
        /// When the last batch was ordered.
        since: Time,
        /// When all of it served.
        serves: Option<Time>,
    },
    /// All replicas have it.
    Done,
    /// It was taken back.
    Back,
}

impl Rollout {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Rollout::Ahead => "not begun",
            Rollout::Rolls { .. } => "under way",
            Rollout::Done => "done",
            Rollout::Back => "taken back",
        }
    }
}

impl Fleet {
    /// True while some replicas have the new version and others have not: the size stays then.
    pub(super) fn rolls(&self) -> bool {
        matches!(self.rollout, Rollout::Rolls { .. })
    }

    /// The version for replicas that are started.
    pub(super) fn version(&self) -> u8 {
        if self.rollout == Rollout::Done { NEW } else { 1 }
    }

    /// Does what is due.
    pub(super) fn step(&mut self, cx: &mut Cx<'_>) {
        let Some(deploy) = self.settings.deploy else { return };
        let now = cx.now();
        match self.rollout {
            Rollout::Ahead if now >= deploy.at => self.next_batch(deploy, cx),
            Rollout::Rolls { since, serves } => {
                let Some(gate) = deploy.gate else {
                    if now >= since + deploy.wait {
                        self.next_batch(deploy, cx);
                    }
                    return;
                };
                let ready = self.new_replicas().all(|seen| seen.is_ready());
                if self.fails(gate) {
                    self.take_back(Why::Errors, cx);
                } else if !ready && serves.is_none() && now >= since + gate.deadline {
                    self.take_back(Why::Late, cx);
                } else if ready && serves.is_none() {
                    self.rollout = Rollout::Rolls { since, serves: Some(now) };
                    cx.set_timer(deploy.wait, Timer::Fleet(FleetTimer::Step));
                } else if serves.is_some_and(|at| now >= at + deploy.wait) {
                    self.next_batch(deploy, cx);
                }
            }
            Rollout::Ahead | Rollout::Done | Rollout::Back => {}
        }
    }

    /// Asks to be reminded of all that a deploy has to do; what was asked for before is void.
    pub(super) fn remind(&mut self, cx: &mut Cx<'_>) {
        self.inquiry += 1;
        let Some(deploy) = self.settings.deploy else { return };
        let step = |at: Time, cx: &mut Cx<'_>| {
            cx.set_timer_at(at.max(cx.now()), Timer::Fleet(FleetTimer::Step));
        };
        match (self.rollout, deploy.gate) {
            (Rollout::Ahead, _) => step(deploy.at, cx),
            (Rollout::Rolls { since, .. }, None) => step(since + deploy.wait, cx),
            (Rollout::Rolls { since, serves }, Some(gate)) => {
                step(serves.map_or(since + gate.deadline, |at| at + deploy.wait), cx);
                let turn = self.inquiry;
                cx.set_timer(gate.interval, Timer::Fleet(FleetTimer::Inquire { turn }));
            }
            (Rollout::Done | Rollout::Back, _) => {}
        }
    }

    /// Asks the new replicas how they are, as long as a deploy with a gate is under way.
    pub(super) fn inquire(&mut self, cx: &mut Cx<'_>) {
        let Some(gate) = self.settings.deploy.and_then(|deploy| deploy.gate) else { return };
        if !self.rolls() {
            return;
        }
        let new = |seen: &super::Seen| seen.wanted == Some(NEW);
        let places: Vec<usize> =
            (0..).zip(&self.replicas).filter(|(_, seen)| new(seen)).map(|(n, _)| n).collect();
        self.order(&places, cx);
        let turn = self.inquiry;
        cx.set_timer(gate.interval, Timer::Fleet(FleetTimer::Inquire { turn }));
        self.step(cx);
    }

    fn new_replicas(&self) -> impl Iterator<Item = &super::Seen> {
        self.replicas.iter().filter(|seen| seen.wanted == Some(NEW))
    }

    /// True if too many answers of the new version are errors.
    fn fails(&self, gate: GateSettings) -> bool {
        let new = || self.new_replicas().filter(|seen| seen.version == NEW);
        let ended: u64 = new().map(|seen| u64::from(seen.ended)).sum();
        let failed: u64 = new().map(|seen| u64::from(seen.failed)).sum();
        ended >= ENOUGH && failed * 1_000_000 > ended * u64::from(gate.errors.0)
    }

    /// Orders the next few replicas to run the new version; ends the deploy when all do.
    fn next_batch(&mut self, deploy: DeploySettings, cx: &mut Cx<'_>) {
        let old = (0..).zip(&self.replicas).filter(|(_, seen)| seen.wanted == Some(1));
        let places: Vec<usize> = old.map(|(place, _)| place).take(deploy.batch as usize).collect();
        if places.is_empty() {
            self.rollout = Rollout::Done;
            return cx.note(Note::Deployed { version: NEW });
        }
        self.rollout = Rollout::Rolls { since: cx.now(), serves: None };
        cx.note(Note::Deploys { version: NEW, replicas: places.len() as u32 });
        self.replace(&places, NEW, cx);
        self.remind(cx);
    }

    fn take_back(&mut self, why: Why, cx: &mut Cx<'_>) {
        self.rollout = Rollout::Back;
        cx.note(Note::RolledBack { version: NEW, why });
        let new = (0..).zip(&self.replicas).filter(|(_, seen)| seen.wanted == Some(NEW));
        let places: Vec<usize> = new.map(|(place, _)| place).collect();
        self.replace(&places, 1, cx);
    }

    /// Orders these replicas to run another version; they take no requests until they serve it.
    fn replace(&mut self, places: &[usize], version: u8, cx: &mut Cx<'_>) {
        for &place in places {
            self.replicas[place].wanted = Some(version);
        }
        self.register(cx);
        self.order(places, cx);
    }
}
