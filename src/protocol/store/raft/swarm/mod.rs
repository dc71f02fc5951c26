//! Random clusters in random trouble. Safety holds at every event; when the trouble ends, the
//! cluster goes on. And every mistake that a member can be told to make is found.

mod invariants;
mod member;

use super::core::{Raft, RaftSettings, Reads};
use super::message::{Machine, Position, Snapshot};
use super::mutation::Mutation;
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::sim::disk::DiskSettings;
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::world::World;
use invariants::Watch;
use member::Member;

/// How long there is trouble.
const TROUBLE: Span = Span::secs(4);
/// Election timeouts within which a healed cluster commits again.
const RECOVERY: u64 = 20;
/// Runs within which a mistake must be found.
const SEEDS: u64 = 2_000;

struct Swarm {
    world: World<Member>,
    watch: Watch,
    chance: Stream,
    number: u64,
    /// Whether clocks may be wrong.
    clocks: bool,
    /// Of a hundred things that happen, how many are faults, and how many changes of members.
    faults: u32,
    changes: u32,
}

impl Swarm {
    fn new(seed: u64, mutation: Option<Mutation>, reads: Option<Reads>, clocks: bool) -> Swarm {
        let mut chance = Stream::new(seed, "swarm", 0);
        let drawn = if chance.below(3) == 0 { Reads::Lease } else { Reads::Index };
        let reads = reads.unwrap_or(drawn);
        let settings = RaftSettings {
            pre_vote: chance.below(2) == 0,
            check_quorum: reads == Reads::Lease || chance.below(2) == 0,
            reads,
            batch: [1, 3, 64][chance.below(3) as usize],
            ..RaftSettings::default()
        };
        let (faults, changes) = [(2, 2), (4, 0), (2, 12)][chance.below(3) as usize];
        let snapshot_every = [0, 5, 20][chance.below(3) as usize];
        let size = [3, 3, 5, 4][chance.below(4) as usize];
        let disk = [0.0, 1_000.0, 10_000.0][chance.below(3) as usize];
        let disk = DiskSettings { latency: Dist::Exponential { mean: disk }, ..Default::default() };
        let mut world = World::new(seed);
        // One more node than members: it may be added.
        for node in 0..=size {
            let members = (0..size).map(NodeId).collect();
            let snapshot =
                Snapshot { last: Position::default(), members, machine: Machine::default() };
            let mut raft = Raft::new(settings.clone(), NodeId(node), snapshot, seed);
            raft.mutation = mutation;
            world.add_node(Member::new(raft, snapshot_every), disk.clone());
        }
        let latency = match chance.below(3) {
            0 => Dist::Constant(2_000.0),
            1 => Dist::Exponential { mean: 5_000.0 },
            _ => Dist::Uniform { low: 500.0, high: 30_000.0 },
        };
        let loss = Chance(chance.below(3) * 50_000);
        let duplication = Chance(chance.below(3) * 50_000);
        let link = LinkSettings { latency, loss, duplication };
        for source in 0..=size {
            for target in (0..=size).filter(|&target| target != source) {
                world.add_link(NodeId(source), NodeId(target), link.clone());
            }
        }
        world.start();
        Swarm { world, watch: Watch::default(), chance, number: 0, clocks, faults, changes }
    }

    fn node(&mut self) -> NodeId {
        NodeId(self.chance.below(self.world.processes.len() as u32))
    }

    /// Runs to `until`, looking at every event.
    fn run(&mut self, until: Time) -> Result<(), String> {
        loop {
            self.watch.look(&mut self.world.processes)?;
            if !self.world.step(until) {
                return Ok(());
            }
        }
    }

    fn trouble(&mut self) -> Result<(), String> {
        let until = Time::ZERO + TROUBLE;
        while self.world.shared.now < until {
            let pause = Span::micros(u64::from(self.chance.below(12_000)) + 1);
            self.run(self.world.shared.now + pause)?;
            let (what, write) = (self.chance.below(100), self.chance.below(2) == 0);
            if what < self.faults {
                self.break_something();
            } else if what < self.faults + self.changes {
                self.reorganise();
            } else {
                self.ask(write);
            }
        }
        Ok(())
    }

    /// A node that runs, more often than not one that believes to lead.
    fn spokesman(&mut self) -> Option<NodeId> {
        let mut node = self.node();
        if self.chance.below(4) > 0 {
            let members = (0..).map(NodeId).zip(&self.world.processes);
            let leaders: Vec<NodeId> =
                members.filter(|(_, m)| m.raft.leads()).map(|(node, _)| node).collect();
            let pick = self.chance.below(leaders.len() as u32) as usize;
            node = leaders.get(pick).copied().unwrap_or(node);
        }
        let place = &self.world.shared.places[node.index()];
        (!place.down && !place.paused).then_some(node)
    }

    /// A client asks a node.
    fn ask(&mut self, write: bool) {
        let Some(node) = self.spokesman() else { return };
        self.number += 1;
        let number = self.number;
        self.watch.asked.insert(number, self.watch.floor);
        self.world.with(node, |member, cx| {
            if write { member.write(number, cx) } else { member.read(number, cx) }
        });
    }

    fn break_something(&mut self) {
        let node = self.spokesman().unwrap_or_else(|| self.node());
        let nodes = self.world.processes.len() as u32;
        let longest = [100, 900][self.chance.below(2) as usize];
        let lasts = Some(Span::millis(u64::from(self.chance.below(longest)) + 10));
        let fault = match self.chance.below(if self.clocks { 9 } else { 6 }) {
            0 | 1 => Fault::Crash { node },
            2 => Fault::Pause { node },
            3 => Fault::SlowDisk { node, extra: Span::millis(40) },
            4 => {
                let side = |stream: &mut Stream| stream.below(2) == 0;
                let (left, right) = (0..nodes).map(NodeId).partition(|_| side(&mut self.chance));
                Fault::Partition { sides: vec![left, right] }
            }
            5 => {
                let others = (0..nodes).map(NodeId).filter(|&other| other != node);
                let out = self.chance.below(2) == 0;
                let links = others.map(|o| if out { (node, o) } else { (o, node) }).collect();
                Fault::Cut { links, hold: self.chance.below(2) == 0 }
            }
            _ => {
                let offset_us = i64::from(self.chance.below(2_000_000)) - 1_000_000;
                Fault::Clock { node, offset_us, drift_ppm: 0 }
            }
        };
        self.world.begin(fault, lasts);
    }

    /// Members come and go, and leaders give up their office.
    fn reorganise(&mut self) {
        let (target, what) = (self.node(), self.chance.below(5));
        let Some(node) = self.spokesman() else { return };
        self.world.with(node, |member, cx| {
            member.act(cx, |raft, step| {
                let _ = match what {
                    0 => raft.transfer(target, step),
                    1 | 2 => raft.add_member(target, step),
                    _ if raft.members().len() > 2 => raft.remove_member(target, step),
                    _ => Ok(()),
                };
            });
        });
    }

    /// The trouble ends; a new command is committed before long.
    fn recover(&mut self) -> Result<(), String> {
        for id in self.world.shared.active.iter().map(|a| a.id).collect::<Vec<_>>() {
            self.world.heal(id);
        }
        let healed = self.world.shared.now;
        let patience = Span(RaftSettings::default().election_high.0 * RECOVERY);
        let done = self.watch.written.len();
        while self.watch.written.len() == done {
            if self.world.shared.now > healed + patience {
                let states: String = self.world.processes.iter().map(told).collect();
                return Err(format!("liveness: nothing is committed{states}"));
            }
            self.run(self.world.shared.now + Span::millis(20))?;
            self.ask(true);
        }
        self.watch.acknowledged()
    }
}

/// The state of a member on a line.
fn told(member: &Member) -> String {
    let Raft { me, hard, state, leader, commit, log, .. } = &member.raft;
    let (last, members) = (log.last(), log.members());
    format!("\n{me:?} {hard:?} {leader:?} {commit} {last:?} {members:?} {state:?}")
}

/// One run; what went wrong.
fn swarm(
    seed: u64,
    mutation: Option<Mutation>,
    reads: Option<Reads>,
    clocks: bool,
) -> Result<Watch, String> {
    let mut swarm = Swarm::new(seed, mutation, reads, clocks);
    swarm.trouble()?;
    swarm.recover()?;
    Ok(swarm.watch)
}

#[test]
fn safety_always_and_liveness_when_healed() {
    let (mut writes, mut reads) = (0, 0);
    for seed in 0..SEEDS {
        match swarm(seed, None, None, false) {
            Ok(watch) => {
                writes += watch.written.len();
                reads += watch.reads;
            }
            Err(how) => panic!("seed {seed}: {how}"),
        }
    }
    let least = SEEDS as usize * 20;
    assert!(writes > least && reads > least as u64, "too little happened: {writes}, {reads}");
}

/// The first of these seeds in which something is wrong, and what.
fn first_found(
    seeds: u64,
    mutation: Option<Mutation>,
    reads: Option<Reads>,
    clocks: bool,
) -> Option<(u64, String)> {
    (0..seeds).find_map(|seed| Some((seed, swarm(seed, mutation, reads, clocks).err()?)))
}

#[test]
fn every_mistake_is_found() {
    let mut missed = Vec::new();
    for mutation in Mutation::ALL {
        match first_found(SEEDS, Some(mutation), None, false) {
            Some((seed, how)) => {
                let how = how.lines().next().unwrap_or_default();
                println!("{mutation:?}: {} seeds: {how}", seed + 1);
            }
            None => missed.push(mutation),
        }
    }
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}

#[test]
fn a_wrong_clock_breaks_leases_and_nothing_else() {
    assert_eq!(first_found(100, None, Some(Reads::Index), true), None);
    let (_, how) = first_found(SEEDS, None, Some(Reads::Lease), true).expect("a stale read");
    assert!(how.contains("read"), "{how}");
    let (_, how) = first_found(SEEDS, None, Some(Reads::Local), false).expect("a stale read");
    assert!(how.contains("read"), "{how}");
}
