//! What a disaster costs: how much of what was acknowledged is lost (the recovery point), and how
//! long it takes until all is back (the recovery time). Both are measured; against objectives, if
//! there are any. That there are none is a finding of its own.
//!
//! The disaster is the first fault, or the first deletion of everything, or the first write of
//! nonsense. Of the changes acknowledged before it, those are lost that the data has not in which
//! the store goes on: what was restored since, or else what whoever leads holds. Lost in time is
//! the age, at the disaster, of the oldest of them. It is back when requests end well again and go
//! on doing so, and after a deletion or corruption not before something was restored in which that
//! has not happened: a store that answers from empty tables is not back.

use super::{PROOFS, State, Verdict};
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::{Backed, Note};
use crate::protocol::rpc::{Answer, Ending, NONSENSE, Op, Outcome};
use crate::protocol::store::Lead;
use crate::protocol::store::image::{Copied, Image};
use crate::sim::trace::{Record, What};
use crate::sim::world::World;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// So many acknowledged changes are looked for.
const KEPT: usize = 65_536;
/// Requests are counted over windows of this length.
const WINDOW: Span = Span::millis(250);
/// Of those that end in a window, this share in percent must end well.
const ENOUGH: u64 = 90;

/// An acknowledged change.
#[derive(Clone, Copy, Debug)]
struct Ack {
    at: Time,
    intent: u64,
    group: u16,
    item: u32,
    version: u64,
}

/// An intent under way: its item, whether it is a disaster, and what is known of it.
#[derive(Clone, Copy, Debug)]
struct Open {
    op: Op,
    item: u32,
    version: u64,
    group: Option<u16>,
}

/// The first trouble.
#[derive(Clone, Copy, Debug)]
struct Disaster {
    at: Time,
    // The store whose data itself is wrong: it must be restored.
    spoilt: Option<u16>,
}

/// What was measured of a disaster and what came after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// When the disaster was.
    pub disaster: Time,
    /// Changes acknowledged before it.
    pub acknowledged: u64,
    /// Of these, how many are lost.
    pub lost: u64,
    /// The age, at the disaster, of the oldest change that is lost; zero if none is.
    pub rpo: Span,
    /// The age, at the disaster, of the newest change that is not lost; none if all are.
    pub newest: Option<Span>,
    /// From the disaster until all was back; none while it is not.
    pub rto: Option<Span>,
}

/// What has been seen so far.
#[derive(Clone, Debug)]
pub struct Recovery {
    rpo: Option<Span>,
    rto: Option<Span>,
    groups: Vec<u16>,
    open: BTreeMap<u64, Open>,
    acks: VecDeque<Ack>,
    acknowledged: u64,
    /// Versions that were nonsense, by store and item.
    corrupt: BTreeMap<(u16, u32), Vec<u64>>,
    disaster: Option<Disaster>,
    /// Something has changed what is lost.
    stale: bool,
    lost: u64,
    oldest: Option<Ack>,
    newest: Option<Ack>,
    intents: Vec<u64>,
    restored: Option<Time>,
    /// When something was restored in which the disaster is not.
    cured: Option<Time>,
    /// Versions with which everything was deleted, by store.
    erased: Vec<(u16, u64)>,
    now: Time,
    window: Time,
    good: u64,
    bad: u64,
    /// A window since the disaster was bad, and when requests ended well after the last.
    failed: bool,
    back: Option<Time>,
}

impl Recovery {
    /// Nothing yet; `groups` by node.
    pub fn new(rpo: Option<Span>, rto: Option<Span>, groups: &[u16]) -> Recovery {
        Recovery {
            rpo,
            rto,
            groups: groups.to_vec(),
            open: BTreeMap::new(),
            acks: VecDeque::new(),
            acknowledged: 0,
            corrupt: BTreeMap::new(),
            disaster: None,
            stale: false,
            lost: 0,
            oldest: None,
            newest: None,
            intents: Vec::new(),
            restored: None,
            cured: None,
            erased: Vec::new(),
            now: Time::ZERO,
            window: Time::ZERO,
            good: 0,
            bad: 0,
            failed: false,
            back: None,
        }
    }

    fn group(&self, node: NodeId) -> Option<u16> {
        self.groups.get(node.index()).copied()
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        self.pass(record.at);
        match &record.what {
            What::Fault { began: true, .. } => self.strikes(record.at, None),
            What::Node { .. } => self.stale = true,
            What::Note { node, note } => self.note(record.at, *node, note),
            _ => {}
        }
    }

    fn strikes(&mut self, at: Time, spoilt: Option<u16>) {
        self.stale = true;
        if self.disaster.is_none() {
            self.disaster = Some(Disaster { at, spoilt });
            self.window = at + WINDOW;
        }
    }

    fn note(&mut self, at: Time, node: NodeId, note: &Note) {
        match *note {
            Note::Began { intent, op, item, .. } if op.changes() => {
                self.open.insert(intent, Open { op, item, version: 0, group: None });
            }
            Note::Applied { intent, op, .. } => {
                let group = self.group(node);
                if let Some(open) = self.open.get_mut(&intent) {
                    open.group = group;
                }
                if matches!(op, Op::Erase | Op::Corrupt) {
                    self.strikes(at, group);
                }
            }
            Note::Answered {
                intent,
                outcome: Outcome::Answered(Answer::Done { version, .. }),
                ..
            } => {
                if let Some(open) = self.open.get_mut(&intent) {
                    open.version = version;
                }
            }
            Note::Ended { intent, ending, .. } => self.ended(at, intent, ending),
            Note::Leads { .. } | Note::Truncated { .. } | Note::Undone { .. } => self.stale = true,
            Note::Backup { did: Backed::Restored { .. } } => {
                self.restored = self.disaster.map(|_| at);
                self.stale = true;
            }
            _ => {}
        }
    }

    fn ended(&mut self, at: Time, intent: u64, ending: Ending) {
        if self.disaster.is_some() {
            if ending.is_good() {
                self.good += 1;
                self.back.get_or_insert(at);
            } else {
                self.bad += 1;
            }
        }
        let Some(Open { op, item, version, group }) = self.open.remove(&intent) else { return };
        let Some(group) = group.filter(|_| ending == Ending::Ok && version > 0) else { return };
        if op == Op::Erase {
            self.erased.push((group, version));
            self.stale = true;
        } else if op == Op::Corrupt {
            self.corrupt.entry((group, item)).or_default().push(version);
            self.stale = true;
        } else if self.disaster.is_none() {
            self.acknowledged += 1;
            self.acks.push_back(Ack { at, intent, group, item, version });
            if self.acks.len() > KEPT {
                self.acks.pop_front();
            }
        }
    }

    /// Lets time pass: a window may be over.
    pub fn pass(&mut self, now: Time) {
        self.now = now;
        while self.disaster.is_some() && self.window <= now {
            let (good, bad) = (std::mem::take(&mut self.good), std::mem::take(&mut self.bad));
            if bad > 0 && good * 100 < (good + bad) * ENOUGH {
                self.failed = true;
                self.back = None;
            }
            self.window += WINDOW;
        }
    }

    /// Looks for what was acknowledged.
    pub fn close(&mut self, world: &World<Role>) {
        self.pass(world.shared.now);
        if self.disaster.is_none() || !std::mem::take(&mut self.stale) {
            return;
        }
        let mut groups: Vec<u16> = self.acks.iter().map(|ack| ack.group).collect();
        order::up(&mut groups);
        groups.dedup();
        let held: BTreeMap<u16, Held<'_>> = groups
            .into_iter()
            .map(|group| (group, Held::of(group, &self.groups, self.restored, world)))
            .collect();
        let spoilt = self.disaster.and_then(|disaster| disaster.spoilt);
        self.cured = self.restored.filter(|_| {
            spoilt.is_some_and(|group| {
                let held = Held::of(group, &self.groups, self.restored, world);
                held.is_well(|version| self.erased.contains(&(group, version)))
            })
        });
        let nonsense = |ack: &Ack, until: u64| {
            let versions = self.corrupt.get(&(ack.group, ack.item));
            versions.is_some_and(|all| all.iter().any(|v| ack.version < *v && *v <= until))
        };
        let lost = |ack: &&Ack| held.get(&ack.group).is_none_or(|held| !held.has(ack, &nonsense));
        self.lost = self.acks.iter().filter(lost).count() as u64;
        self.oldest = self.acks.iter().find(lost).copied();
        self.newest = self.acks.iter().rfind(|ack| !lost(ack)).copied();
        let intents = self.acks.iter().filter(lost).take(PROOFS).map(|ack| ack.intent);
        let intents = intents.collect();
        self.intents = intents;
    }

    /// What was measured; none before the disaster.
    pub fn measured(&self) -> Option<Measured> {
        let disaster = self.disaster?;
        let age = |ack: Ack| disaster.at.since(ack.at);
        let requests = if self.failed { self.back } else { Some(disaster.at) };
        let data = if disaster.spoilt.is_some() { self.cured } else { Some(disaster.at) };
        Some(Measured {
            disaster: disaster.at,
            acknowledged: self.acknowledged,
            lost: self.lost,
            rpo: self.oldest.map_or(Span::ZERO, age),
            newest: self.newest.map(age),
            rto: requests.zip(data).map(|(a, b)| a.max(b).since(disaster.at)),
        })
    }

    fn name(&self) -> String {
        match (self.rpo, self.rto) {
            (None, None) => "recovery after a disaster".to_owned(),
            (Some(rpo), None) => format!("recovery loses no more than {rpo}"),
            (None, Some(rto)) => format!("recovery within {rto}"),
            (Some(rpo), Some(rto)) => format!("recovery within {rto}, loses no more than {rpo}"),
        }
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let (name, intents) = (self.name(), self.intents.clone());
        let Some(measured) = self.measured() else {
            let sentence = "There was no disaster yet.".to_owned();
            return Verdict {
                name,
                state: State::Unknown,
                sentence,
                at: None,
                intents,
                count: None,
            };
        };
        let Measured { disaster, acknowledged, lost, rpo, rto, .. } = measured;
        let since = self.now.since(disaster);
        let written = match (acknowledged, lost) {
            (0, _) => "Nothing had been acknowledged".to_owned(),
            (n, 0) => format!("None of {n} acknowledged changes is lost"),
            (n, lost) => {
                let rpo = rpo.as_secs();
                format!("{lost} of {n} acknowledged changes are lost, the oldest {rpo:.2} s old")
            }
        };
        let back = match rto {
            Some(Span::ZERO) => "requests were answered all the time".to_owned(),
            Some(rto) => format!("it served again after {:.2} s", rto.as_secs()),
            None => format!("it is not back after {:.2} s", since.as_secs()),
        };
        let measures = format!("{written}; {back}.");
        let too_much = self.rpo.is_some_and(|objective| rpo > objective);
        let too_late = self.rto.is_some_and(|objective| rto.unwrap_or(since) > objective);
        let (state, sentence) = match (self.rpo, self.rto) {
            (None, None) => (State::Unknown, format!("No objective is defined. {measures}")),
            // Before anything is back, what is lost is not settled.
            _ if too_late || (too_much && rto.is_some()) => (State::Violated, measures),
            (_, Some(_)) if rto.is_none() => (State::Unknown, measures),
            (Some(_), None) if too_much => (State::Unknown, measures),
            _ => (State::Holds, measures),
        };
        let at = (state == State::Violated).then_some(disaster);
        Verdict { name, state, sentence, at, intents, count: Some((lost, acknowledged)) }
    }
}

/// The data in which a store goes on.
enum Held<'a> {
    /// What was restored.
    Image(&'a Image),
    /// What whoever leads holds.
    Live(&'a Role),
    /// None.
    Nothing,
}

impl Held<'_> {
    fn of<'a>(
        group: u16,
        groups: &[u16],
        restored: Option<Time>,
        world: &'a World<Role>,
    ) -> Held<'a> {
        let mine = |node: &NodeId| groups.get(node.index()) == Some(&group);
        let images = world.processes.iter().filter_map(|role| match role {
            Role::Backup(backup) if backup.settings.of.iter().any(mine) => {
                backup.restored.as_ref().filter(|done| Some(done.at) >= restored)
            }
            _ => None,
        });
        if restored.is_some()
            && let Some(done) = images.max_by_key(|done| done.at)
        {
            return Held::Image(&done.image);
        }
        let up = |node: &NodeId| mine(node) && !world.shared.places[node.index()].down;
        let nodes = (0..world.processes.len() as u32).map(NodeId).filter(up);
        let leads = nodes.filter_map(|node| {
            let role = &world.processes[node.index()];
            match (role, role.standing()) {
                (Role::Ledger(_), _) => Some((0, role)),
                (_, Some(standing)) if standing.lead == Lead::Leader => Some((standing.term, role)),
                _ => None,
            }
        });
        leads.max_by_key(|(term, _)| *term).map_or(Held::Nothing, |(_, role)| Held::Live(role))
    }

    /// Whether it is something restored without nonsense and without a deletion of everything.
    fn is_well(&self, deletion: impl Fn(u64) -> bool) -> bool {
        let Held::Image(image) = self else { return false };
        let nonsense = image.items.values().any(|item| item.value == NONSENSE);
        !nonsense && !deletion(image.base.version)
    }

    /// Whether it has a change; `nonsense` says whether that was overwritten by a version up to
    /// the one given.
    fn has(&self, ack: &Ack, nonsense: &dyn Fn(&Ack, u64) -> bool) -> bool {
        match self {
            Held::Nothing => false,
            Held::Image(image) => {
                let version = image.item(ack.item).version;
                let there = ack.version <= version && ack.version > image.base.version;
                there && !nonsense(ack, version)
            }
            Held::Live(role) => {
                let base = match role {
                    Role::Ledger(store) => store.base().version,
                    Role::Replica(store) => store.base().version,
                    Role::Raft(store) => store.base().version,
                    _ => 0,
                };
                let has = role.has(ack.version, ack.intent) != Some(false);
                has && ack.version > base && !nonsense(ack, u64::MAX)
            }
        }
    }
}
