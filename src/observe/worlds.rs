//! Small worlds for the tests of observers and checks, built from plain settings.

use super::cast::Cast;
use super::metrics::Metrics;
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::{Chance, Rate};
use crate::protocol::caller::CallSettings;
use crate::protocol::client::{ClientSettings, Load};
use crate::protocol::load::{Arrivals, Profile};
use crate::protocol::policy::retry::{Backoff, RetryOn, RetrySettings};
use crate::protocol::policy::timeout::TimeoutSettings;
use crate::protocol::rpc::Op;
use crate::protocol::service::ServiceSettings;
use crate::protocol::station::StationSettings;
use crate::protocol::store::ledger::LedgerSettings;
use crate::protocol::{Role, Settings};
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
        skew: 0.0,
        key_reuse: Chance::NEVER,
        intents: None,
        own_policies: false,
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
pub(crate) fn world(nodes: &[(&str, Settings)], link: &LinkSettings) -> (World<Role>, Cast) {
    let mut world = World::new(7);
    let count = nodes.len() as u32;
    for (number, (_, settings)) in (0..).zip(nodes) {
        world.add_node(Role::new(settings, 7, NodeId(number)), Default::default());
    }
    for source in 0..count {
        for target in (0..count).filter(|&t| t != source) {
            world.add_link(NodeId(source), NodeId(target), link.clone());
        }
    }
    world.shared.trace.level = Level::Notes;
    let names: Vec<_> = nodes.iter().map(|(n, _)| ((*n).to_owned(), (*n).to_owned())).collect();
    let cast = Cast::new(&names, &world);
    (world, cast)
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

/// The numbers of a world run to `until`.
pub(crate) fn measured(world: &mut World<Role>, cast: &Cast, until: Time) -> Metrics {
    let bin = Span::millis(100);
    let mut metrics = Metrics::new(cast, world, bin);
    let metrics = std::cell::RefCell::new(&mut metrics);
    run(
        world,
        until,
        bin,
        |record| {
            metrics.borrow_mut().fold(record);
        },
        |world| metrics.borrow_mut().close(world),
    );
    metrics.into_inner().clone()
}

/// A record by hand.
pub(crate) fn record(seq: u64, at_ms: u64, what: What<Role>) -> Record<Role> {
    Record { seq, cause: seq.saturating_sub(1), at: Time(at_ms * 1_000), what }
}
