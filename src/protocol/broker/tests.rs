//! Random brokers in random trouble. When it ends, every message that was acknowledged is done or
//! a dead letter, in every group; what carries a key is done once, and what carries none is done
//! twice now and then; and a broker that acknowledges too early is found to forget.

use super::group::GroupSettings;
use super::{Broker, BrokerSettings};
use crate::base::dist::Dist;
use crate::base::id::{LinkId, NodeId};
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::protocol::caller::CallSettings;
use crate::protocol::client::{ClientSettings, Population};
use crate::protocol::note::{Note, Post};
use crate::protocol::policy::idempotency::KeySettings;
use crate::protocol::rpc::{Ending, Op};
use crate::protocol::service::{Dependency, Service, ServiceSettings};
use crate::protocol::station::StationSettings;
use crate::protocol::store::ledger::{Collision, Ledger, LedgerSettings};
use crate::protocol::worlds::{calls, clients};
use crate::sim::disk::DiskSettings;
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::trace::{Change, Level, What};
use crate::sim::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// How long there is trouble, and how long it takes to come to rest.
const TROUBLE: Span = Span::secs(4);
const REST: Span = Span::secs(30);
const RUNS: u64 = 200;

const CLIENTS: NodeId = NodeId(0);
const BROKER: NodeId = NodeId(1);
const WORKERS: [NodeId; 2] = [NodeId(2), NodeId(3)];
const STORE: NodeId = NodeId(4);
const COPY: NodeId = NodeId(5);
const NODES: u32 = 6;

/// What was said.
#[derive(Default)]
struct Seen {
    items: BTreeMap<u64, u32>,
    believed: BTreeSet<u64>,
    kept: BTreeMap<(u8, u64), u64>,
    ends: BTreeMap<(u8, u64), Post>,
    /// By node and intent.
    applied: BTreeMap<(NodeId, u64), i64>,
    /// By group and item: messages that were begun and have not ended.
    begun: BTreeMap<(u8, u32), BTreeSet<u64>>,
    ordered: Vec<bool>,
    wrong: Option<String>,
}

impl Seen {
    fn fold(&mut self, node: NodeId, note: &Note) {
        match *note {
            Note::Began { intent, item, .. } => drop(self.items.insert(intent, item)),
            Note::Ended { intent, ending: Ending::Ok, .. } => drop(self.believed.insert(intent)),
            Note::Applied { intent, .. } => *self.applied.entry((node, intent)).or_default() += 1,
            Note::Undone { intent, .. } => *self.applied.entry((node, intent)).or_default() -= 1,
            Note::Letter { intent, number, group, step } => {
                self.letter(intent, number, group, step);
            }
            _ => {}
        }
    }

    fn letter(&mut self, intent: u64, number: u64, group: u8, step: Post) {
        let item = self.items.get(&intent).copied().unwrap_or(u32::MAX);
        let begun = self.begun.entry((group, item)).or_default();
        match step {
            Post::Kept => drop(self.kept.insert((group, number), intent)),
            Post::HandedOut { .. } => {
                begun.insert(number);
                let strict = self.ordered.get(usize::from(group)).copied().unwrap_or(false);
                if strict && begun.len() > 1 {
                    self.wrong.get_or_insert(format!("order: {number} is out with {begun:?}"));
                }
            }
            Post::Acknowledged { .. } | Post::Dead { .. } => {
                begun.remove(&number);
                self.ends.insert((group, number), step);
            }
            _ => {}
        }
    }
}

struct Swarm {
    world: World<Role>,
    chance: Stream,
    keyed: bool,
    seen: Seen,
}

fn group(targets: Vec<NodeId>, chance: &mut Stream) -> GroupSettings {
    GroupSettings {
        targets,
        in_flight: 1 + chance.below(6),
        visibility: Span::millis(u64::from(50 + chance.below(800))),
        attempts: [None, Some(3), Some(8)][chance.below(3) as usize],
        backoff: Span::millis(u64::from(chance.below(200))),
        factor: 2.0,
        cap: Span::secs(1),
        ordered: chance.below(2) == 0,
        redrive: None,
    }
}

impl Swarm {
    fn new(seed: u64, keyed: bool, sync: bool) -> Swarm {
        let mut chance = Stream::new(seed, "swarm", 0);
        let mut world = World::new(seed);
        let idempotency = keyed;
        let publish = CallSettings { idempotency, ..calls(BROKER, 400, 3) };
        let (items, intents) = (8, Some(1));
        let people =
            ClientSettings { items, intents, ..clients(60.0, Op::Charge { amount: 5 }, publish) };
        let people = Population::new(people, seed, CLIENTS);
        world.add_node(Role::Clients(Box::new(people)), DiskSettings::default());
        let groups = vec![group(WORKERS.to_vec(), &mut chance), group(vec![COPY], &mut chance)];
        let ordered = groups.iter().map(|group| group.ordered).collect();
        let settings = BrokerSettings { groups, sync, idempotency, ..BrokerSettings::default() };
        let mean = [0.0, 1_000.0, 20_000.0][chance.below(3) as usize];
        let disk = DiskSettings { latency: Dist::Exponential { mean }, ..Default::default() };
        let broker = Role::Broker(Box::new(Broker::new(settings, seed, BROKER)));
        world.add_node(broker, disk.clone());
        let station = |mean: f64, error: u32| StationSettings {
            workers: 4,
            time: Dist::Exponential { mean },
            error: Chance(error),
            ..StationSettings::default()
        };
        for worker in WORKERS {
            let calls = CallSettings { idempotency, ..calls(STORE, 300, 1) };
            let (op, only, optional, fan_out, needs) = (None, None, false, 1, 1);
            let call = Dependency { calls, op, only, optional, fan_out, needs };
            let (station, dependencies) = (station(60_000.0, 50_000), vec![call]);
            let settings = ServiceSettings { station, dependencies, ..Default::default() };
            let service = Service::new(settings, seed, worker);
            world.add_node(Role::Service(Box::new(service)), DiskSettings::default());
        }
        for store in [STORE, COPY] {
            let keys = keyed.then(KeySettings::default);
            let (station, collision) = (station(10_000.0, 0), Collision::Wait);
            let settings = LedgerSettings { station, keys, collision, ..Default::default() };
            let ledger = Role::Ledger(Box::new(Ledger::new(settings, seed, store)));
            world.add_node(ledger, disk.clone());
        }
        let link = LinkSettings {
            latency: Dist::Exponential { mean: 5_000.0 },
            loss: Chance(chance.below(3) * 20_000),
            duplication: Chance(chance.below(3) * 20_000),
        };
        for source in 0..NODES {
            for target in (0..NODES).filter(|&target| target != source) {
                world.add_link(NodeId(source), NodeId(target), link.clone());
            }
        }
        world.shared.trace.level = Level::Notes;
        world.start();
        Swarm { world, chance, keyed, seen: Seen { ordered, ..Seen::default() } }
    }

    fn run(&mut self, until: Time) {
        self.world.run_until(until);
        for record in self.world.shared.trace.fresh.drain(..) {
            match &record.what {
                What::Note { node, note } => self.seen.fold(*node, note),
                // It may have forgotten an acknowledgement, and hands out once more what came
                // before something that a consumer still has.
                What::Node { node: BROKER, change: Change::Crashed } => self.seen.begun.clear(),
                _ => {}
            }
        }
    }

    fn trouble(&mut self) {
        while self.world.shared.now < Time::ZERO + TROUBLE {
            let pause = Span::millis(u64::from(self.chance.below(120)) + 1);
            self.run(self.world.shared.now + pause);
            let node = NodeId(1 + self.chance.below(NODES - 1));
            let node = if self.chance.below(3) == 0 { BROKER } else { node };
            let lasts = Some(Span::millis(u64::from(self.chance.below(500)) + 5));
            let fault = match self.chance.below(8) {
                0 | 1 => Fault::Crash { node },
                2 => Fault::Pause { node },
                3 => Fault::SlowDisk { node, extra: Span::millis(60) },
                4 => {
                    let others = (0..NODES).map(NodeId).filter(|&other| other != node);
                    let links = others.map(|other| (node, other)).collect();
                    Fault::Cut { links, hold: self.chance.below(2) == 0 }
                }
                _ => continue,
            };
            self.world.begin(fault, lasts);
        }
        for id in self.world.shared.active.iter().map(|a| a.id).collect::<Vec<_>>() {
            self.world.heal(id);
        }
        for link in 0..self.world.shared.network.links.len() as u32 {
            let latency = Dist::Constant(2_000.0);
            self.world.set_link(LinkId(link), LinkSettings { latency, ..Default::default() });
        }
        self.give_time();
        self.run(self.world.shared.now + REST);
    }

    /// Time to work on a message, for every group: with less than work and waiting take, messages
    /// are handed out again and again for ever.
    fn give_time(&mut self) {
        let Role::Broker(broker) = &self.world.processes[BROKER.index()] else { return };
        let mut settings = broker.settings.clone();
        settings.groups.iter_mut().for_each(|group| group.visibility = Span::secs(5));
        let settings = crate::protocol::Settings::Broker(settings);
        self.world.with(BROKER, |role, cx| role.configure(&settings, cx));
    }

    /// What is wrong when all is at rest.
    fn judge(&self) -> Result<(), String> {
        if let Some(wrong) = &self.seen.wrong {
            return Err(wrong.clone());
        }
        for ((group, number), intent) in &self.seen.kept {
            if !self.seen.ends.contains_key(&(*group, *number)) {
                return Err(format!("forgotten: {number} of intent {intent} for group {group}"));
            }
        }
        let kept: BTreeSet<u64> = self.seen.kept.values().copied().collect();
        if let Some(intent) = self.seen.believed.iter().find(|intent| !kept.contains(intent)) {
            return Err(format!("believed: the broker never had {intent}"));
        }
        for (place, store) in [(0, STORE), (1, COPY)] {
            let times = |intent: &u64| self.seen.applied.get(&(store, *intent)).copied();
            for ((group, number), intent) in &self.seen.kept {
                let end = self.seen.ends.get(&(*group, *number));
                let done = matches!(end, Some(Post::Acknowledged { .. }));
                if *group == place && done && times(intent).unwrap_or(0) < 1 {
                    return Err(format!("acknowledged and not done: {number} of intent {intent}"));
                }
            }
            let twice = kept.iter().find(|intent| times(intent).unwrap_or(0) > 1);
            if let Some(intent) = twice.filter(|_| self.keyed) {
                return Err(format!("twice: intent {intent}, though it carries a key"));
            }
        }
        Ok(())
    }

    fn doubles(&self) -> usize {
        self.seen.applied.values().filter(|times| **times > 1).count()
    }
}

fn played(seed: u64, keyed: bool, sync: bool) -> Swarm {
    let mut swarm = Swarm::new(seed, keyed, sync);
    swarm.trouble();
    swarm
}

#[test]
fn no_acknowledged_message_is_forgotten_and_keys_make_copies_harmless() {
    let (mut kept, mut dead) = (0, 0);
    for seed in 0..RUNS {
        let swarm = played(seed, true, true);
        if let Err(wrong) = swarm.judge() {
            panic!("seed {seed}: {wrong}");
        }
        kept += swarm.seen.kept.len();
        dead += swarm.seen.ends.values().filter(|end| matches!(end, Post::Dead { .. })).count();
    }
    assert!(kept > 20_000 && dead > 100, "{kept} messages, {dead} dead letters");
}

#[test]
fn mistake_without_keys_work_is_done_twice_and_nothing_is_forgotten() {
    let mut doubles = 0;
    for seed in 0..RUNS / 4 {
        let swarm = played(seed, false, true);
        if let Err(wrong) = swarm.judge() {
            panic!("seed {seed}: {wrong}");
        }
        doubles += swarm.doubles();
    }
    assert!(doubles > 100, "{doubles}");
}

#[test]
fn mistake_a_message_that_is_not_on_disk_is_acknowledged() {
    let forgets = |seed: &u64| {
        played(*seed, true, false).judge().is_err_and(|wrong| wrong.starts_with("forgotten"))
    };
    let runs = (0..RUNS).find(forgets).expect("a message that is forgotten") + 1;
    println!("acknowledged before it is on disk: {runs} runs");
}

/// A message is kept as long as it may be, dead or alive, and no longer.
#[test]
fn old_messages_are_dropped_and_dead_letters_come_back() {
    let mut swarm = Swarm::new(3, true, true);
    for worker in WORKERS {
        swarm.world.begin(Fault::Crash { node: worker }, None);
    }
    let Role::Broker(broker) = &swarm.world.processes[BROKER.index()] else { panic!("a broker") };
    let mut settings = broker.settings.clone();
    settings.groups[0].attempts = Some(2);
    settings.groups[0].visibility = Span::millis(200);
    settings.groups[0].redrive = Some(Span::secs(1));
    settings.keep = Some(Span::secs(3));
    let settings = crate::protocol::Settings::Broker(settings);
    swarm.world.with(BROKER, |role, cx| role.configure(&settings, cx));
    let (mut redriven, mut dropped, mut dead) = (0, 0, 0);
    swarm.world.run_until(Time(12_000_000));
    for record in swarm.world.shared.trace.fresh.drain(..) {
        if let What::Note { note: Note::Letter { group: 0, step, .. }, .. } = record.what {
            redriven += u64::from(step == Post::Redriven);
            dropped += u64::from(step == Post::Dropped);
            dead += u64::from(matches!(step, Post::Dead { .. }));
        }
    }
    assert!(redriven > 20 && dropped > 20 && dead > 20, "{redriven} {dropped} {dead}");
    let Role::Broker(broker) = &swarm.world.processes[BROKER.index()] else { panic!("a broker") };
    assert_eq!((broker.groups[0].left(), broker.groups[0].dead().count()), (0, 0));
}
