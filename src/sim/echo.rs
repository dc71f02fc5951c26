//! A toy protocol that exercises the kernel: every node answers every number with the next one.

use super::fault::{Fault, Planned, Trigger};
use super::network::LinkSettings;
use super::process::{Context, Input, Process};
use super::trace::{Change, Fate, Level, What};
use super::world::World;
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Echo {
    begins: bool,
    volatile: Vec<u32>,
    durable: Vec<u32>,
    told: u64,
    restarts: u32,
}

impl Process for Echo {
    type Message = u32;
    type Timer = u8;
    type Note = u32;

    fn handle(&mut self, input: Input<Self>, cx: &mut Context<'_, Self>) {
        match input {
            Input::Start if self.begins => {
                cx.set_timer(Span::millis(10), 0);
            }
            Input::Start => {}
            Input::Restart => self.restarts += 1,
            Input::Timer(_) => {
                cx.send(NodeId(1 - cx.node().0), 0);
                cx.set_timer(Span::millis(10), 0);
            }
            Input::Message { source, message } => {
                self.volatile.push(message);
                cx.persist(true);
                cx.note(message);
                if message < 3 {
                    cx.send(source, message + 1);
                }
            }
            Input::Persisted(write) => self.told = write,
        }
    }

    fn crash(&mut self, durable: u64) {
        self.volatile.truncate(durable as usize);
        self.durable.clone_from(&self.volatile);
    }

    fn mark(note: &u32) -> Option<u16> {
        (*note == 0).then_some(7)
    }
}

fn world(seed: u64, settings: LinkSettings) -> World<Echo> {
    let mut world = World::new(seed);
    let disk = super::disk::DiskSettings { latency: Dist::Constant(500.0), ..Default::default() };
    let a = world.add_node(Echo { begins: true, ..Echo::default() }, disk.clone());
    let b = world.add_node(Echo::default(), disk);
    world.add_link(a, b, settings.clone());
    world.add_link(b, a, settings);
    world.start();
    world
}

fn steady() -> LinkSettings {
    LinkSettings { latency: Dist::Constant(1_000.0), ..LinkSettings::default() }
}

fn rough() -> LinkSettings {
    LinkSettings {
        latency: Dist::Exponential { mean: 3_000.0 },
        loss: Chance(100_000),
        duplication: Chance(100_000),
    }
}

fn both() -> Vec<(NodeId, NodeId)> {
    vec![(NodeId(0), NodeId(1)), (NodeId(1), NodeId(0))]
}

fn conserved(world: &World<Echo>) {
    let counts = world.shared.trace.counts;
    let ended: u64 = counts.ended.iter().sum();
    assert_eq!(counts.sent, ended + u64::from(world.shared.packets.len()));
    let on_links: u32 = world.shared.network.links.iter().map(|l| l.in_flight).sum();
    assert_eq!(on_links, world.shared.packets.len());
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_a_different_one() {
    let digest = |seed, level| {
        let mut world = world(seed, rough());
        world.shared.trace.level = level;
        world.run_until(Time(5_000_000));
        world.shared.trace.digest()
    };
    assert_eq!(digest(1, Level::Off), digest(1, Level::Off));
    assert_eq!(digest(1, Level::Off), digest(1, Level::All), "watching must not change the run");
    assert_ne!(digest(1, Level::Off), digest(2, Level::Off));
}

#[test]
fn a_clone_goes_on_as_the_original() {
    let mut original = world(4, rough());
    original.run_until(Time(1_000_000));
    let mut copy = original.clone();
    original.run_until(Time(3_000_000));
    copy.run_until(Time(3_000_000));
    assert_eq!(original.shared.trace.digest(), copy.shared.trace.digest());
    assert_eq!(original.processes[1].volatile, copy.processes[1].volatile);
}

#[test]
fn every_message_has_one_fate_under_any_faults() {
    for seed in 0..50 {
        let mut world = world(seed, rough());
        let mut chance = crate::base::random::Stream::new(seed, "faults", 0);
        for round in 1..=60 {
            let node = NodeId(chance.below(2));
            let lasts = Some(Span::millis(u64::from(chance.below(80)) + 1));
            let fault = match chance.below(8) {
                0 => Fault::Crash { node },
                1 => Fault::Pause { node },
                2 => Fault::Slow { node, factor: 3_000 },
                3 => Fault::Cut { links: both(), hold: chance.below(2) == 0 },
                4 => Fault::Partition { sides: vec![vec![NodeId(0)], vec![NodeId(1)]] },
                5 => Fault::Flap { links: both(), down: Span::millis(3), up: Span::millis(2) },
                6 => Fault::Clock { node, offset_us: -50_000, drift_ppm: 300 },
                _ => Fault::Gray {
                    links: both(),
                    latency: Span::millis(5),
                    loss: Chance(300_000),
                    duplication: Chance(200_000),
                },
            };
            world.begin(fault, lasts);
            world.run_until(Time(round * 20_000));
            conserved(&world);
        }
        world.run_until(Time(2_000_000));
        // Healing restores everything that a fault had changed.
        assert!(world.shared.active.is_empty());
        for link in &world.shared.network.links {
            assert_eq!(link.trouble, super::network::Trouble::default());
        }
        for place in &world.shared.places {
            assert!(!place.down && !place.paused && place.slowness == 1_000);
            assert!(place.clock.skews.is_empty());
        }
    }
}

#[test]
fn a_cut_loses_or_holds_what_is_on_the_link() {
    for (hold, fates) in [(false, [0, 1]), (true, [1, 0])] {
        let mut world = world(0, steady());
        world.run_until(Time(10_500));
        let cut = world.begin(Fault::Cut { links: both(), hold }, None);
        world.run_until(Time(15_000));
        assert!(world.processes[1].volatile.is_empty());
        world.heal(cut);
        world.run_until(Time(15_001));
        let ended = world.shared.trace.counts.ended;
        assert_eq!([ended[Fate::Delivered as usize], ended[Fate::LinkCut as usize]], fates);
    }
}

#[test]
fn one_direction_can_be_cut() {
    let mut world = world(0, steady());
    world.begin(Fault::Cut { links: vec![(NodeId(1), NodeId(0))], hold: false }, None);
    world.run_until(Time(25_000));
    assert_eq!(world.processes[1].volatile, [0, 0]);
    assert!(world.processes[0].volatile.is_empty());
}

#[test]
fn a_paused_node_hears_everything_later_and_in_order() {
    let mut world = world(0, steady());
    world.shared.trace.level = Level::All;
    world.begin(Fault::Pause { node: NodeId(1) }, Some(Span::millis(35)));
    world.run_until(Time(34_999));
    assert_eq!(world.shared.trace.counts.deferred, 3);
    assert!(world.processes[1].volatile.is_empty());
    world.run_until(Time(35_000));
    assert_eq!(world.processes[1].volatile, [0, 0, 0]);
    let resumed = |w: &What<Echo>| matches!(w, What::Node { change: Change::Resumed, .. });
    assert_eq!(world.shared.trace.fresh.iter().filter(|r| resumed(&r.what)).count(), 1);
}

#[test]
fn a_crash_loses_unsynced_writes_and_timers_and_restarts() {
    let mut world = world(0, steady());
    world.run_until(Time(11_400));
    assert_eq!((world.processes[1].volatile.len(), world.processes[1].told), (1, 0));
    world.begin(Fault::Crash { node: NodeId(1) }, Some(Span::millis(20)));
    assert!(world.processes[1].durable.is_empty());
    world.run_until(Time(60_000));
    assert_eq!(world.processes[1].restarts, 1);
    assert!(world.shared.trace.counts.ended[Fate::TargetDown as usize] > 0);
    world.begin(Fault::Crash { node: NodeId(1) }, None);
    assert!(!world.processes[1].durable.is_empty(), "what was synced survives");
}

#[test]
fn overlapping_faults_end_one_by_one() {
    let mut world = world(0, steady());
    let first = world.begin(Fault::Cut { links: both(), hold: false }, None);
    world.begin(Fault::Cut { links: both(), hold: false }, Some(Span::millis(30)));
    world.heal(first);
    assert!(world.shared.network.links[0].trouble.cut);
    world.run_until(Time(30_000));
    assert!(!world.shared.network.links[0].trouble.cut);
    world.begin(Fault::Partition { sides: vec![vec![NodeId(0)], vec![NodeId(1)]] }, None);
    world.mend(crate::base::id::LinkId(0));
    assert!(!world.shared.network.links[0].trouble.cut);
    assert!(world.shared.network.links[1].trouble.cut);
    world.mend(crate::base::id::LinkId(1));
    assert!(world.shared.active.is_empty());
}

#[test]
fn a_fault_can_wait_for_what_processes_do() {
    let mut world = world(0, steady());
    let fault = Fault::Crash { node: NodeId(1) };
    world.plan(Planned { trigger: Trigger::Mark { mark: 7, nth: 3 }, lasts: None, fault });
    world.run_until(Time(31_000));
    assert!(world.shared.places[1].down);
    assert_eq!(world.shared.active[0].since, Time(31_000));
}

#[test]
fn a_lossy_link_has_the_latencies_of_a_reliable_one() {
    let deliveries = |loss| {
        let settings = LinkSettings { loss, ..rough() };
        let mut world = world(9, LinkSettings { duplication: Chance::NEVER, ..settings });
        world.shared.trace.level = Level::All;
        // The second node only listens, so both runs send the same messages on the first link.
        world.begin(Fault::Cut { links: vec![(NodeId(1), NodeId(0))], hold: false }, None);
        world.run_until(Time(2_000_000));
        let arrived = world.shared.trace.fresh.iter().filter_map(|r| match r.what {
            What::Ended { target: NodeId(1), fate: Fate::Delivered, .. } => Some(r.at),
            _ => None,
        });
        arrived.collect::<Vec<_>>()
    };
    let (all, some) = (deliveries(Chance::NEVER), deliveries(Chance(300_000)));
    assert!(some.len() < all.len() && some.len() > all.len() / 2);
    assert!(some.iter().all(|at| all.contains(at)));
}

#[test]
fn causes_lead_back_to_the_beginning() {
    let mut world = world(0, steady());
    world.shared.trace.level = Level::All;
    world.run_until(Time(14_000));
    let records = &world.shared.trace.fresh;
    let mut chain = vec![records.last().expect("something happened")];
    while let Some(cause) = records.iter().find(|r| r.seq == chain[chain.len() - 1].cause) {
        chain.push(cause);
    }
    assert!(matches!(chain[chain.len() - 1].what, What::Timer { node: NodeId(0), .. }));
    assert!(chain.len() > 6, "{chain:#?}");
}

/// However it ended: the cause of an end is that the message was sent.
#[test]
fn the_end_of_a_message_was_caused_by_its_beginning() {
    let mut world = world(3, rough());
    world.shared.trace.level = Level::All;
    world.run_until(Time(1_000_000));
    world.begin(Fault::Crash { node: NodeId(1) }, Some(Span::secs(1)));
    world.run_until(Time(3_000_000));
    let links = vec![(NodeId(0), NodeId(1))];
    world.begin(Fault::Cut { links, hold: false }, Some(Span::secs(1)));
    world.run_until(Time(5_000_000));
    let (mut sent, mut fates) = (BTreeMap::new(), BTreeSet::new());
    for record in &world.shared.trace.fresh {
        match record.what {
            What::Sent { packet, .. } => {
                sent.insert(packet, record.seq);
            }
            What::Ended { packet, fate, .. } => {
                assert_eq!(record.cause, sent[&packet], "{record:?}");
                fates.insert(fate);
            }
            _ => {}
        }
    }
    assert_eq!(fates.len(), 4, "{fates:?}");
}
