//! Random shards in random trouble. When it ends, every transfer is done on both sides or on
//! neither, nothing is locked, every key is where the map has it with everything that was
//! acknowledged. And every mistake that a node can be told to make is found.

use super::map::Placement;
use super::mutation::Mutation;
use super::transfer::Transfers;
use super::{Router, RouterSettings};
use crate::base::dist::Dist;
use crate::base::id::{LinkId, NodeId};
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::caller::CallSettings;
use crate::protocol::client::{ClientSettings, Population};
use crate::protocol::note::Note;
use crate::protocol::policy::idempotency::KeySettings;
use crate::protocol::policy::timeout::TimeoutSettings;
use crate::protocol::route::Reads;
use crate::protocol::rpc::{Ending, Op};
use crate::protocol::station::StationSettings;
use crate::protocol::store::Lead;
use crate::protocol::store::ledger::{Ledger, LedgerSettings};
use crate::protocol::store::raft::member::RaftSettings;
use crate::protocol::store::raft::node::{RaftStore, RaftStoreSettings};
use crate::protocol::worlds::{calls, clients};
use crate::protocol::{Role, Settings};
use crate::sim::disk::DiskSettings;
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::trace::{Level, What};
use crate::sim::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// How long there is trouble, and how long it takes to come to rest.
const TROUBLE: Span = Span::secs(4);
const REST: Span = Span::secs(20);
const ITEMS: u32 = 12;
const SHARDS: u32 = 3;
/// Runs of each kind in which nothing may be wrong, and within which a mistake must be found.
const RUNS: u64 = 150;
const SEEDS: u64 = 1_000;

const CLIENTS: NodeId = NodeId(0);
const ROUTER: NodeId = NodeId(1);
const FIRST: u32 = 2;

/// What clients do in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    TwoPhaseCommit,
    Saga,
    /// Increments, while the map changes.
    Moves,
}

struct Swarm {
    world: World<Role>,
    kind: Kind,
    chance: Stream,
    nodes: u32,
    seen: Seen,
}

/// What was said.
#[derive(Default)]
struct Seen {
    /// By intent: what its sides add up to, and how often it was paid for and not undone.
    sums: BTreeMap<u64, i64>,
    paid: BTreeMap<u64, i64>,
    wanted: BTreeMap<u64, (Op, u32)>,
    told: BTreeSet<u64>,
}

impl Seen {
    fn fold(&mut self, note: &Note) {
        let (intent, op, sign) = match *note {
            Note::Began { intent, op, item, .. } => {
                self.wanted.insert(intent, (op, item));
                return;
            }
            Note::Ended { intent, ending: Ending::Ok, .. } => {
                self.told.insert(intent);
                return;
            }
            Note::Applied { intent, op, .. } => (intent, op, 1),
            Note::Undone { intent, op, .. } => (intent, op, -1),
            _ => return,
        };
        match op {
            Op::Transfer { .. } => *self.paid.entry(intent).or_default() += sign,
            _ => {
                let Some(delta) = op.side() else { return };
                *self.sums.entry(intent).or_default() += sign * i64::from(delta);
                let wanted = self.wanted.get(&intent);
                let Some((Op::Transfer { .. }, from)) = wanted else { return };
                let (Note::Applied { item, .. } | Note::Undone { item, .. }) = *note else {
                    return;
                };
                if item == *from {
                    let way = if delta < 0 { sign } else { -sign };
                    *self.paid.entry(intent).or_default() += way;
                }
            }
        }
    }
}

fn shard_calls(targets: Vec<NodeId>, reads: Option<Reads>) -> CallSettings {
    let attempt = Some(Span::millis(200));
    let timeout = TimeoutSettings { attempt, deadline: None };
    CallSettings { targets, reads, timeout, idempotency: true, ..CallSettings::default() }
}

fn settings(kind: Kind, shards: Vec<CallSettings>, chance: &mut Stream) -> RouterSettings {
    RouterSettings {
        station: StationSettings { workers: 8, ..StationSettings::default() },
        active: SHARDS,
        placement: if chance.below(2) == 0 { Placement::Modulo } else { range() },
        items: ITEMS,
        moves: 1 + chance.below(4),
        transfers: if kind == Kind::Saga { Transfers::Saga } else { Transfers::TwoPhaseCommit },
        keyed: true,
        patience: Span::millis(300),
        again: Span::millis(50),
        tries: u32::MAX,
        shards,
    }
}

fn range() -> Placement {
    Placement::Range { splits: Vec::new() }
}

fn population(kind: Kind, chance: &mut Stream) -> ClientSettings {
    let op = match kind {
        Kind::Moves => Op::Increment { by: 1 },
        Kind::TwoPhaseCommit | Kind::Saga => Op::Transfer { to: 0, amount: 7 },
    };
    let attempts = if kind == Kind::Moves { 1 } else { 3 };
    let calls = CallSettings { idempotency: true, ..calls(ROUTER, 600, attempts) };
    // As many as fit into the trouble.
    let intents = Some(1 + chance.below(4));
    ClientSettings { items: ITEMS, intents, ..clients(60.0, op, calls) }
}

impl Swarm {
    fn new(seed: u64, kind: Kind, raft: bool, mutation: Option<Mutation>) -> Swarm {
        let mut chance = Stream::new(seed, "swarm", 0);
        let mut world = World::new(seed);
        let people = population(kind, &mut chance);
        world.add_node(
            Role::Clients(Box::new(Population::new(people, seed, CLIENTS))),
            DiskSettings::default(),
        );
        let size = if raft { 3 } else { 1 };
        let members = |shard: u32| (0..size).map(move |n| NodeId(FIRST + shard * size + n));
        let reads = raft.then_some(Reads::Leader);
        let shards = (0..SHARDS).map(|s| shard_calls(members(s).collect(), reads)).collect();
        let mean = [0.0, 1_000.0, 20_000.0][chance.below(3) as usize];
        let disk = DiskSettings { latency: Dist::Exponential { mean }, ..Default::default() };
        let mut router = Router::new(settings(kind, shards, &mut chance), seed, ROUTER);
        router.mutation = mutation;
        world.add_node(Role::Router(Box::new(router)), disk.clone());
        let error = if kind == Kind::Saga { Chance(100_000) } else { Chance::NEVER };
        let time = Dist::Exponential { mean: 2_000.0 };
        let station = StationSettings { workers: 4, error, time, ..StationSettings::default() };
        let keys = Some(KeySettings::default());
        for shard in 0..SHARDS {
            for node in members(shard) {
                let station = station.clone();
                let role = if raft {
                    let settings = RaftStoreSettings {
                        upkeep: Default::default(),
                        station,
                        members: members(shard).collect(),
                        leader: None,
                        raft: RaftSettings::default(),
                        snapshot_every: 20,
                        keys,
                        balance: 0,
                        floor: None,
                    };
                    Role::Raft(Box::new(RaftStore::new(settings, seed, node)))
                } else {
                    let settings =
                        LedgerSettings { station, keys, balance: 0, ..LedgerSettings::default() };
                    let mut ledger = Ledger::new(settings, seed, node);
                    ledger.holds.mutation = mutation;
                    Role::Ledger(Box::new(ledger))
                };
                world.add_node(role, disk.clone());
            }
        }
        let nodes = FIRST + SHARDS * size;
        let latency = match chance.below(3) {
            0 => Dist::Constant(2_000.0),
            1 => Dist::Exponential { mean: 5_000.0 },
            _ => Dist::Uniform { low: 500.0, high: 120_000.0 },
        };
        let link = LinkSettings {
            latency,
            loss: Chance(chance.below(3) * 20_000),
            // A copy of a step that failed may be done later, and a saga that believes the failure
            // is wrong then: it needs a network that does not repeat what was sent once.
            duplication: Chance(chance.below(3) * if kind == Kind::Saga { 0 } else { 50_000 }),
        };
        for source in 0..nodes {
            for target in (0..nodes).filter(|&target| target != source) {
                world.add_link(NodeId(source), NodeId(target), link.clone());
            }
        }
        world.shared.trace.level = Level::Notes;
        world.start();
        Swarm { world, kind, chance, nodes, seen: Seen::default() }
    }

    fn run(&mut self, until: Time) {
        self.world.run_until(until);
        for record in self.world.shared.trace.fresh.drain(..) {
            if let What::Note { note, .. } = &record.what {
                self.seen.fold(note);
            }
        }
    }

    fn trouble(&mut self) {
        let until = Time::ZERO + TROUBLE;
        while self.world.shared.now < until {
            let pause = Span::millis(u64::from(self.chance.below(120)) + 1);
            self.run(self.world.shared.now + pause);
            match self.chance.below(if self.kind == Kind::Moves { 6 } else { 4 }) {
                0 | 1 => self.break_something(),
                4 => self.remap(),
                _ => {}
            }
        }
    }

    fn break_something(&mut self) {
        let node = NodeId(1 + self.chance.below(self.nodes - 1));
        // As often as not, the one that everything hangs on.
        let node = if self.chance.below(2) == 0 { ROUTER } else { node };
        let longest = [30, 700][self.chance.below(2) as usize];
        let lasts = Some(Span::millis(u64::from(self.chance.below(longest)) + 5));
        let fault = match self.chance.below(6) {
            0..=2 => Fault::Crash { node },
            3 => Fault::Pause { node },
            4 => Fault::SlowDisk { node, extra: Span::millis(60) },
            _ => {
                let others = (0..self.nodes).map(NodeId).filter(|&other| other != node);
                let out = self.chance.below(2) == 0;
                let links = others.map(|o| if out { (node, o) } else { (o, node) }).collect();
                Fault::Cut { links, hold: self.chance.below(2) == 0 }
            }
        };
        self.world.begin(fault, lasts);
    }

    /// Another map, while the router runs.
    fn remap(&mut self) {
        let place = &self.world.shared.places[ROUTER.index()];
        if place.down || place.paused {
            return;
        }
        let active = 1 + self.chance.below(SHARDS);
        let placement = match self.chance.below(3) {
            0 => range(),
            1 => Placement::Modulo,
            _ => Placement::Ring { points: 20, slack: None },
        };
        let Role::Router(router) = &self.world.processes[ROUTER.index()] else { return };
        let settings = RouterSettings { active, placement, ..router.settings.clone() };
        let settings = Settings::Router(settings);
        self.world.with(ROUTER, |role, cx| role.configure(&settings, cx));
    }

    /// All trouble ends, and everything comes to rest.
    fn rest(&mut self) {
        for id in self.world.shared.active.iter().map(|a| a.id).collect::<Vec<_>>() {
            self.world.heal(id);
        }
        for link in 0..self.world.shared.network.links.len() as u32 {
            let latency = Dist::Constant(2_000.0);
            self.world.set_link(LinkId(link), LinkSettings { latency, ..Default::default() });
        }
        self.run(self.world.shared.now + REST);
    }

    fn router(&self) -> &Router {
        match &self.world.processes[ROUTER.index()] {
            Role::Router(router) => router,
            other => panic!("{other:?}"),
        }
    }

    /// The one that speaks for a shard.
    fn speaker(&self, shard: u32) -> Result<&Role, String> {
        let targets = &self.router().settings.shards[shard as usize].targets;
        let mut roles = targets.iter().map(|node| &self.world.processes[node.index()]);
        let leads = |role: &&Role| role.standing().is_none_or(|s| s.lead == Lead::Leader);
        roles.find(leads).ok_or(format!("liveness: shard {shard} has no leader"))
    }

    /// What is wrong when all is at rest.
    fn judge(&self) -> Result<(), String> {
        let router = self.router();
        if !router.transfers.is_empty() || !router.book.open.is_empty() {
            return Err(format!("liveness: transfers are left: {:?}", router.transfers));
        }
        if router.book.change.is_some() {
            return Err(format!("liveness: {} keys are left to move", router.book.to_move()));
        }
        let mut holds: BTreeMap<u32, i64> = BTreeMap::new();
        for shard in 0..SHARDS {
            let role = self.speaker(shard)?;
            if let Some(locks) = role.holds()
                && let Some((item, lock)) = locks.locks().next()
            {
                return Err(format!("liveness: item {item} is locked: {lock:?}"));
            }
            let gains = role.gains().into_iter();
            holds.extend(gains.filter(|(item, _)| router.book.shard(*item) == shard));
        }
        if self.kind == Kind::Moves {
            return self.counts(&holds);
        }
        let sum: i64 = holds.values().sum();
        if sum != 0 {
            return Err(format!("money: {sum} more than there was"));
        }
        // Of a change that was applied by followers alone nobody speaks.
        let ledgers = matches!(self.speaker(0)?, Role::Ledger(_));
        if let Some((intent, half)) = self.seen.sums.iter().find(|(_, half)| **half != 0)
            && ledgers
        {
            return Err(format!("half done: {half} of {intent:x}"));
        }
        let twice = self.seen.paid.iter().find(|(_, times)| !(0..=1).contains(*times));
        if let Some((intent, times)) = twice.filter(|_| ledgers) {
            return Err(format!("twice: {intent:x} is done {times} times"));
        }
        let lost = self.seen.told.iter().find(|intent| self.seen.paid.get(intent) != Some(&1));
        lost.filter(|_| ledgers).map_or(Ok(()), |intent| {
            let times = self.seen.paid.get(intent);
            Err(format!("lost: {intent:x} is told, and done {times:?} times"))
        })
    }

    /// Every increment that was acknowledged is there, and none that nobody asked for.
    fn counts(&self, holds: &BTreeMap<u32, i64>) -> Result<(), String> {
        for item in 0..ITEMS {
            let wanted = self.seen.wanted.iter().filter(|(_, (_, of))| *of == item);
            let all: Vec<u64> = wanted.map(|(intent, _)| *intent).collect();
            let told = all.iter().filter(|intent| self.seen.told.contains(intent)).count() as i64;
            let there = holds.get(&item).copied().unwrap_or(0);
            if there < told || there > all.len() as i64 {
                let all = all.len();
                return Err(format!("lost: item {item} has {there}, {told} told, {all} asked"));
            }
        }
        Ok(())
    }
}

/// One run: what went wrong, or how many intents were told to be done.
fn swarm(seed: u64, kind: Kind, raft: bool, mutation: Option<Mutation>) -> Result<usize, String> {
    let mut swarm = Swarm::new(seed, kind, raft, mutation);
    swarm.trouble();
    swarm.rest();
    swarm.judge()?;
    Ok(swarm.seen.told.len())
}

fn holds(kind: Kind, raft: bool, runs: u64) {
    let mut told = 0;
    for seed in 0..runs {
        match swarm(seed, kind, raft, None) {
            Ok(count) => told += count,
            Err(how) => panic!("{kind:?}, seed {seed}: {how}"),
        }
    }
    println!("{kind:?}: {told} intents in {runs} runs");
    assert!(told > runs as usize * 20, "too little happened: {told}");
}

#[test]
fn two_phase_commit_is_all_or_nothing() {
    holds(Kind::TwoPhaseCommit, false, RUNS);
    holds(Kind::TwoPhaseCommit, true, RUNS / 5);
}

#[test]
fn a_saga_comes_to_its_end() {
    holds(Kind::Saga, false, RUNS);
    holds(Kind::Saga, true, RUNS / 5);
}

#[test]
fn keys_move_with_everything_that_was_acknowledged() {
    holds(Kind::Moves, false, RUNS);
    holds(Kind::Moves, true, RUNS / 5);
}

#[test]
fn every_mistake_is_found() {
    let mut missed = Vec::new();
    for mutation in Mutation::ALL {
        let kind = match mutation {
            Mutation::ForgetTurning => Kind::Saga,
            Mutation::MapWithoutCopy | Mutation::SwitchTooEarly | Mutation::PutAgain => Kind::Moves,
            _ => Kind::TwoPhaseCommit,
        };
        let mut seeds = 0..SEEDS;
        let found =
            seeds.find_map(|seed| Some((seed, swarm(seed, kind, false, Some(mutation)).err()?)));
        match found {
            Some((seed, how)) => println!("{mutation:?}: {} seeds: {how}", seed + 1),
            None => missed.push(mutation),
        }
    }
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
