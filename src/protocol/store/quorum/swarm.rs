//! Random stores in random trouble. Where quorums overlap and nobody stands in for anybody, a read
//! sees what was acknowledged before it; when the trouble ends, all replicas come to hold the same,
//! with everything that was acknowledged. And every mistake that a replica can be told to make is
//! found.

use super::cell::{Cell, Dot, Past};
use super::mutation::Mutation;
use super::{Merge, QuorumSettings, QuorumStore, ReadRepair};
use crate::base::dist::Dist;
use crate::base::id::{LinkId, NodeId};
use crate::base::random::Stream;
use crate::base::slab::Key;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::note::Note;
use crate::protocol::rpc::{Answer, Op, Reply, Request, Ticket};
use crate::protocol::station::StationSettings;
use crate::protocol::store::ledger::LedgerSettings;
use crate::protocol::{Message, Role, Settings};
use crate::sim::disk::DiskSettings;
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::process::{Input, Process};
use crate::sim::trace::{Level, What};
use crate::sim::world::World;
use std::collections::BTreeMap;

/// How long there is trouble.
const TROUBLE: Span = Span::secs(3);
/// How often replicas compare what they hold.
const COMPARE: Span = Span::millis(200);
/// Times that long within which all hold the same again.
const RECOVERY: u64 = 20;
/// Runs in which nothing may be wrong.
const RUNS: u64 = 400;
/// Runs within which a mistake must be found.
const SEEDS: u64 = 1_000;
const ITEMS: u32 = 4;

/// What clients know of an item.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The latest timestamp that was acknowledged, or read where reads are written back.
    stamp: u64,
    /// How many changes were acknowledged.
    count: u64,
    /// Which changes were.
    past: Past,
}

#[derive(Clone, Debug)]
struct Asked {
    op: Op,
    item: u32,
    known: Known,
}

struct Swarm {
    world: World<Role>,
    settings: QuorumSettings,
    chance: Stream,
    number: u64,
    asked: BTreeMap<u64, Asked>,
    known: BTreeMap<u32, Known>,
    /// How often each item was asked to change, and the last context of siblings read.
    tried: BTreeMap<u32, u64>,
    context: BTreeMap<u32, u64>,
    /// Of each item every change that a coordinator made.
    made: BTreeMap<u32, Vec<(Dot, Op)>>,
    reads: u64,
    changes: u64,
    /// Where clients only count, and read everything now and then: how much was acknowledged, and
    /// how much was tried.
    sums: Option<(i64, i64)>,
    /// Scans under way: what had been acknowledged when they began.
    scans: BTreeMap<u64, i64>,
    scanned: u64,
}

/// Homes, and how many must answer reads and have writes: any two quorums overlap.
fn sizes(chance: &mut Stream) -> (u32, u32, u32) {
    [(3, 2, 2), (3, 1, 3), (3, 3, 1), (4, 3, 2), (5, 3, 3)][chance.below(5) as usize]
}

fn settings(chance: &mut Stream, sloppy: bool) -> QuorumSettings {
    let (copies, read, write) = sizes(chance);
    let more = if sloppy { 1 + chance.below(2) } else { chance.below(3) };
    let merges =
        [Merge::LastWriterWins, Merge::LastWriterWins, Merge::Siblings, Merge::Counter, Merge::Set];
    let repairs = [ReadRepair::First, ReadRepair::First, ReadRepair::Later, ReadRepair::Never];
    QuorumSettings {
        station: StationSettings { workers: 8, ..StationSettings::default() },
        members: (0..copies + more).map(NodeId).collect(),
        copies,
        read,
        write,
        sloppy,
        read_repair: repairs[chance.below(4) as usize],
        anti_entropy: Some(COMPARE),
        merge: merges[chance.below(5) as usize],
        timeout: Span::millis(100),
        apply: Dist::Exponential { mean: [0.0, 3_000.0][chance.below(2) as usize] },
        sync: true,
        balance: 0,
        floor: None,
    }
}

impl Swarm {
    fn new(seed: u64, mutation: Option<Mutation>, sloppy: bool) -> Swarm {
        let mut chance = Stream::new(seed, "swarm", 0);
        let settings = settings(&mut chance, sloppy);
        let mut world = World::new(seed);
        let disk = [0.0, 1_000.0, 20_000.0][chance.below(3) as usize];
        let disk = DiskSettings { latency: Dist::Exponential { mean: disk }, ..Default::default() };
        let size = settings.members.len() as u32;
        for node in (0..size).map(NodeId) {
            let mut store = QuorumStore::new(settings.clone(), seed, node);
            store.mutation = mutation;
            world.add_node(Role::Quorum(Box::new(store)), disk.clone());
        }
        let asks = Settings::Ledger(LedgerSettings::default());
        world.add_node(Role::new(&asks, seed, NodeId(size)), DiskSettings::default());
        let latency = match chance.below(3) {
            0 => Dist::Constant(2_000.0),
            1 => Dist::Exponential { mean: 5_000.0 },
            _ => Dist::Uniform { low: 500.0, high: 60_000.0 },
        };
        let (loss, duplication) = (chance.below(3) * 50_000, chance.below(3) * 50_000);
        let link = LinkSettings { latency, loss: Chance(loss), duplication: Chance(duplication) };
        for source in 0..=size {
            for target in (0..=size).filter(|&target| target != source) {
                world.add_link(NodeId(source), NodeId(target), link.clone());
            }
        }
        world.shared.trace.level = Level::All;
        world.start();
        let (asked, known, tried) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let made = BTreeMap::new();
        let (context, number, reads, changes) = (BTreeMap::new(), 0, 0, 0);
        let (sums, scans, scanned) = (None, BTreeMap::new(), 0);
        Swarm {
            world,
            settings,
            chance,
            number,
            asked,
            known,
            tried,
            context,
            made,
            reads,
            changes,
            sums,
            scans,
            scanned,
        }
    }

    fn stores(&self) -> impl Iterator<Item = (NodeId, &QuorumStore)> {
        let roles = (0..).map(NodeId).zip(&self.world.processes);
        roles.filter_map(|(node, role)| match role {
            Role::Quorum(store) => Some((node, &**store)),
            _ => None,
        })
    }

    /// Runs to `until`, looking at every answer.
    fn run(&mut self, until: Time) -> Result<(), String> {
        loop {
            for record in std::mem::take(&mut self.world.shared.trace.fresh) {
                match record.what {
                    What::Sent { message: Message::Reply(reply), .. } => self.answered(&reply)?,
                    What::Note { note: Note::Stamped { intent, change, item }, .. } => {
                        if let Some(op) = self.asked.get(&intent).map(|asked| asked.op) {
                            self.made.entry(item).or_default().push((change.dot, op));
                        }
                        let Some(asked) = self.asked.get_mut(&intent) else { continue };
                        asked.known.past = Past::default();
                        asked.known.past.add(change.dot);
                    }
                    _ => {}
                }
            }
            if !self.world.step(until) {
                return Ok(());
            }
        }
    }

    /// Everything was read: all that had been acknowledged is in it, and nothing not asked for.
    fn summed(&mut self, least: i64, value: i64) -> Result<(), String> {
        let Some((_, most)) = self.sums else { return Ok(()) };
        self.scanned += 1;
        let right = (least..=most).contains(&value);
        right.then_some(()).ok_or(format!("a scan gave {value}, outside {least} to {most}"))
    }

    fn answered(&mut self, reply: &Reply) -> Result<(), String> {
        if let Some(before) = self.scans.remove(&reply.intent) {
            return match reply.answer {
                Answer::Done { value, .. } => self.summed(before, value),
                _ => Ok(()),
            };
        }
        let Some(asked) = self.asked.remove(&reply.intent) else { return Ok(()) };
        let Answer::Done { version, .. } = reply.answer else { return Ok(()) };
        let (merge, item, before) = (self.settings.merge, asked.item, asked.known);
        let known = self.known.entry(item).or_default();
        if asked.op.changes() {
            self.changes += 1;
            if let Some((acknowledged, _)) = &mut self.sums {
                *acknowledged += 1;
            }
            known.count += 1;
            known.past.join(&before.past);
            if merge == Merge::LastWriterWins {
                known.stamp = known.stamp.max(version);
            }
            return Ok(());
        }
        self.reads += 1;
        self.context.insert(item, version);
        let seen = Past::unpack(version, self.settings.members.len() as u32);
        let fresh = match merge {
            Merge::LastWriterWins => version >= before.stamp,
            Merge::Siblings | Merge::Set => includes(&seen, &before.past),
            Merge::Counter => version >= before.count,
        };
        if self.settings.read_repair == ReadRepair::First && merge == Merge::LastWriterWins {
            known.stamp = known.stamp.max(version);
        }
        if fresh || self.settings.sloppy {
            return Ok(());
        }
        Err(format!("a read of item {item} gave {version:?} and misses {before:?}"))
    }

    /// A client asks a replica that runs.
    fn ask(&mut self) {
        let node = NodeId(self.chance.below(self.settings.members.len() as u32));
        let place = &self.world.shared.places[node.index()];
        if place.down || place.paused {
            return;
        }
        let item = self.chance.below(ITEMS);
        let version = self.context.get(&item).copied().unwrap_or(0);
        let op = match (self.chance.below(4), self.settings.merge) {
            (0 | 1, _) => Op::Read,
            (2, Merge::Set) => Op::Insert { member: self.chance.below(3) as u8 },
            (_, Merge::Set) => Op::Remove { member: self.chance.below(3) as u8 },
            (2, Merge::LastWriterWins) | (2, Merge::Siblings) => Op::Write,
            (_, Merge::Siblings) => Op::CompareAndSet { version },
            (2, Merge::Counter) => Op::Charge { amount: 3 },
            _ => Op::Increment { by: 1 },
        };
        self.number += 1;
        let intent = self.number;
        if self.sums.is_some() && intent.is_multiple_of(8) {
            return self.send(node, intent, Op::Scan, item);
        }
        let op = if self.sums.is_some() { Op::Increment { by: 1 } } else { op };
        let mut known = self.known.entry(item).or_default().clone();
        if op.changes() {
            *self.tried.entry(item).or_default() += 1;
            known.past = Past::default();
        }
        self.asked.insert(intent, Asked { op, item, known });
        self.send(node, intent, op, item);
    }

    fn send(&mut self, node: NodeId, intent: u64, op: Op, item: u32) {
        match &mut self.sums {
            Some((acknowledged, _)) if op == Op::Scan => {
                self.scans.insert(intent, *acknowledged);
            }
            Some((_, tried)) => *tried += 1,
            None => {}
        }
        let call = Key { index: intent as u32, generation: 0 };
        let ticket = Ticket { call, stack: 0, attempt: 1 };
        let deadline = Time::NEVER;
        let request = Request { ticket, intent, op, item, key: 0, deadline, after: 0 };
        let source = NodeId(self.settings.members.len() as u32);
        let input = Input::Message { source, message: Message::Request(request) };
        self.world.with(node, |role, cx| role.handle(input, cx));
    }

    fn break_something(&mut self) {
        let size = self.settings.members.len() as u32;
        let node = NodeId(self.chance.below(size));
        let lasts = Some(Span::millis(u64::from(self.chance.below(500)) + 10));
        let fault = match self.chance.below(6) {
            0 | 1 => Fault::Crash { node },
            2 => Fault::Pause { node },
            3 => {
                let others = (0..size).map(NodeId).filter(|&other| other != node);
                let out = self.chance.below(2) == 0;
                let links = others.map(|o| if out { (node, o) } else { (o, node) }).collect();
                Fault::Cut { links, hold: self.chance.below(2) == 0 }
            }
            _ => {
                let side = |stream: &mut Stream| stream.below(2) == 0;
                let (left, right) = (0..size).map(NodeId).partition(|_| side(&mut self.chance));
                Fault::Partition { sides: vec![left, right] }
            }
        };
        self.world.begin(fault, lasts);
    }

    fn trouble(&mut self) -> Result<(), String> {
        let until = Time::ZERO + TROUBLE;
        while self.world.shared.now < until {
            let pause = Span::micros(u64::from(self.chance.below(12_000)) + 1);
            self.run(self.world.shared.now + pause)?;
            if self.chance.below(100) < 4 {
                self.break_something();
            } else {
                self.ask();
            }
        }
        Ok(())
    }

    /// All trouble ends; before long all homes hold the same, and nothing acknowledged is missing.
    fn recover(&mut self) -> Result<(), String> {
        for id in self.world.shared.active.iter().map(|a| a.id).collect::<Vec<_>>() {
            self.world.heal(id);
        }
        for link in 0..self.world.shared.network.links.len() as u32 {
            let latency = Dist::Constant(2_000.0);
            self.world.set_link(LinkId(link), LinkSettings { latency, ..Default::default() });
        }
        self.run(self.world.shared.now + Span(COMPARE.0 * RECOVERY))?;
        for item in 0..ITEMS {
            self.agree(item)?;
        }
        let hints: Vec<_> = self.stores().filter(|(_, s)| s.hints().count() > 0).collect();
        if hints.is_empty() { Ok(()) } else { Err("hints are left".to_owned()) }
    }

    /// No member is in a set that was taken out later where it was put in, unless a crash took
    /// that back; and one that nobody took out is in it.
    fn explains(&self, item: u32, cell: &Cell) -> bool {
        let made = self.made.get(&item).map_or(&[][..], Vec::as_slice);
        let takes_out = |member: u8| {
            let out = Op::Remove { member };
            made.iter().filter(move |(_, op)| *op == out).map(|(dot, _)| *dot)
        };
        let is_out = |(member, dot): &(u8, Dot)| {
            let later = |out: Dot| out.place == dot.place && out.count > dot.count;
            takes_out(*member).any(|out| later(out) && cell.seen.covers(out))
        };
        let there = |member: u8| cell.members.iter().any(|(known, _)| *known == member);
        let missing = made.iter().any(|(dot, op)| match op {
            Op::Insert { member } => {
                cell.seen.covers(*dot) && takes_out(*member).next().is_none() && !there(*member)
            }
            _ => false,
        });
        !cell.members.iter().any(is_out) && !missing
    }

    fn agree(&self, item: u32) -> Result<(), String> {
        let nothing = Default::default();
        let known = self.known.get(&item).cloned().unwrap_or_default();
        let tried = self.tried.get(&item).copied().unwrap_or(0);
        let mut cells = Vec::new();
        for (node, store) in self.stores().filter(|(node, s)| s.homes(item).contains(node)) {
            let cell = store.cell(item).unwrap_or(&nothing);
            let Answer::Done { version, .. } = store.read(cell) else { continue };
            let whole = match self.settings.merge {
                Merge::LastWriterWins => version >= known.stamp,
                Merge::Siblings => includes(&cell.past(), &known.past),
                Merge::Set => includes(&cell.past(), &known.past) && self.explains(item, cell),
                Merge::Counter => (known.count..=tried).contains(&version),
            };
            if !whole {
                return Err(format!("{node:?} has lost something of item {item}: {cell:?}"));
            }
            cells.push((cell.hash(item), node));
        }
        cells.sort_unstable();
        match (cells.first(), cells.last()) {
            (Some(one), Some(other)) if one.0 != other.0 => {
                Err(format!("{:?} and {:?} differ at item {item}", one.1, other.1))
            }
            _ => Ok(()),
        }
    }
}

fn includes(one: &Past, other: &Past) -> bool {
    let mut joined = one.clone();
    joined.join(other);
    joined.pack(9) == one.pack(9)
}

/// One run: reads and changes that were answered, or what went wrong.
fn swarm(seed: u64, mutation: Option<Mutation>, sloppy: bool) -> Result<(u64, u64), String> {
    let mut swarm = Swarm::new(seed, mutation, sloppy);
    swarm.trouble()?;
    swarm.recover()?;
    Ok((swarm.reads, swarm.changes))
}

#[test]
fn overlapping_quorums_see_what_was_acknowledged_and_all_agree_in_the_end() {
    let (mut reads, mut changes) = (0, 0);
    for seed in 0..RUNS {
        // Every fourth store is sloppy: there only what is left in the end is judged.
        match swarm(seed, None, seed % 4 == 3) {
            Ok(done) => (reads, changes) = (reads + done.0, changes + done.1),
            Err(how) => panic!("seed {seed}: {how}"),
        }
    }
    assert!(reads > RUNS * 50 && changes > RUNS * 50, "{reads} reads, {changes} changes");
}

#[test]
fn a_scan_adds_up_what_was_acknowledged_before_it() {
    let (mut sums, mut missed) = (0, 0);
    for seed in 0..RUNS {
        // Counts add up; where the first home to answer a read is believed, some are missing.
        for mutation in [None, Some(Mutation::ReadFirst)] {
            let mut swarm = Swarm::new(seed, mutation, false);
            if swarm.settings.merge != Merge::Counter {
                continue;
            }
            swarm.sums = Some((0, 0));
            match (swarm.trouble(), mutation) {
                (Ok(()), None) => sums += swarm.scanned,
                (Err(how), None) => panic!("seed {seed}: {how}"),
                (told, Some(_)) => missed += u32::from(told.is_err_and(|t| t.contains("scan"))),
            }
        }
    }
    assert!(sums > RUNS * 3 && missed > 0, "{sums} scans, {missed} times something was missing");
}

#[test]
fn every_mistake_is_found() {
    let mut missed = Vec::new();
    for mutation in Mutation::ALL {
        let sloppy = mutation == Mutation::DropUnconfirmed;
        let found =
            (0..SEEDS).find_map(|seed| Some((seed, swarm(seed, Some(mutation), sloppy).err()?)));
        match found {
            Some((seed, how)) => println!("{mutation:?}: {} seeds: {how}", seed + 1),
            None => missed.push(mutation),
        }
    }
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
