//! Small worlds for tests, built from plain settings.

use super::caller::CallSettings;
use super::client::{ClientSettings, Load};
use super::load::{Arrivals, Profile};
use super::policy::retry::{Backoff, RetryOn, RetrySettings};
use super::policy::timeout::TimeoutSettings;
use super::rpc::Op;
use super::service::ServiceSettings;
use super::station::StationSettings;
use super::store::ledger::LedgerSettings;
use super::{Role, Settings};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::{Chance, Rate};
use crate::sim::network::LinkSettings;
use crate::sim::trace::{Level, Record, What};
use crate::sim::world::World;

/// The population is the first node, what it calls the second.
pub(crate) const CLIENTS: NodeId = NodeId(0);
pub(crate) const SERVER: NodeId = NodeId(1);

/// Calls to a node.
pub(crate) fn calls(target: NodeId, timeout_ms: u64, attempts: u32) -> CallSettings {
    let wait = Span::millis(100);
    let on =
        RetryOn { timeout: true, refused: true, error: true, conflict: true, breaker_open: false };
    CallSettings {
        targets: vec![target],
        timeout: TimeoutSettings {
            attempt: (timeout_ms > 0).then(|| Span::millis(timeout_ms)),
            deadline: None,
        },
        retry: RetrySettings { attempts, backoff: Backoff::Fixed { wait }, on },
        ..CallSettings::default()
    }
}

/// A hundred clients that together want `rate` things a second.
pub(crate) fn clients(rate: f64, op: Op, calls: CallSettings) -> ClientSettings {
    ClientSettings {
        clients: 100,
        load: Load::Open {
            rate: Rate::per_second(rate / 100.0),
            arrivals: Arrivals::Poisson,
            profile: Profile::default(),
        },
        mix: vec![(1, op)],
        items: 10,
        members: 8,
        skew: 0.0,
        key_reuse: Chance::NEVER,
        intents: None,
        own_policies: false,
        sessions: false,
        calls,
    }
}

/// A server whose work takes exponentially long, with this mean.
pub(crate) fn service(mean_us: f64, workers: u32, queue: u32) -> Settings {
    Settings::Service(ServiceSettings {
        station: station(mean_us, workers, queue),
        ..Default::default()
    })
}

/// Its queue and workers.
pub(crate) fn station(mean_us: f64, workers: u32, queue: u32) -> StationSettings {
    let time = Dist::Exponential { mean: mean_us };
    StationSettings { workers, queue, time, ..StationSettings::default() }
}

/// A store whose work takes exponentially long.
pub(crate) fn ledger(mean_us: f64) -> Settings {
    Settings::Ledger(LedgerSettings { station: station(mean_us, 4, 1_000), ..Default::default() })
}

/// A world of these nodes, all linked to each other.
pub(crate) fn world(nodes: &[Settings], link: &LinkSettings) -> World<Role> {
    let mut world = World::new(7);
    let count = nodes.len() as u32;
    for (number, settings) in (0..).zip(nodes) {
        world.add_node(Role::new(settings, 7, NodeId(number)), Default::default());
    }
    for source in 0..count {
        for target in (0..count).filter(|&t| t != source) {
            world.add_link(NodeId(source), NodeId(target), link.clone());
        }
    }
    world.shared.trace.level = Level::Notes;
    world
}

/// Runs to `until` and gives every record, in order, to `see`; `close` once a bin.
pub(crate) fn run(
    world: &mut World<Role>,
    until: Time,
    bin: Span,
    mut see: impl FnMut(&Record<Role>),
    mut close: impl FnMut(&World<Role>),
) {
    if world.shared.now == Time::ZERO {
        world.start();
    }
    while world.shared.now < until {
        let stop = (world.shared.now + bin).min(until);
        world.run_until(stop);
        world.shared.trace.fresh.drain(..).for_each(|record| see(&record));
        close(world);
    }
}

/// A record by hand.
pub(crate) fn record(seq: u64, at_ms: u64, what: What<Role>) -> Record<Role> {
    Record { seq, cause: seq.saturating_sub(1), at: Time(at_ms * 1_000), what }
}

/// Everything a world is can be written down: read again it goes on as if nothing had happened.
#[test]
fn a_world_written_down_goes_on_as_the_original() {
    let mut settings = calls(SERVER, 300, 4);
    settings.budget = Some(Default::default());
    let after = Span::millis(80);
    settings.hedge = Some(super::policy::hedge::HedgeSettings { after, max_extra: 1 });
    let people = Settings::Clients(clients(300.0, Op::Charge { amount: 5 }, settings));
    let link = LinkSettings {
        latency: Dist::Exponential { mean: 20_000.0 },
        loss: Chance(50_000),
        ..LinkSettings::default()
    };
    let mut world = world(&[people, ledger(15_000.0)], &link);
    world.start();
    world.run_until(Time(3_000_000));
    let bytes = postcard::to_allocvec(&world).expect("a world to be written");
    let mut read: World<Role> = postcard::from_bytes(&bytes).expect("what was written");
    for world in [&mut world, &mut read] {
        world.run_until(Time(6_000_000));
    }
    assert_eq!(read.shared.trace.digest(), world.shared.trace.digest());
    assert!(world.shared.trace.counts.events > 5_000);
}
