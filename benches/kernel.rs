//! How fast the core is, in draws and events per second: `make bench`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use netsplit::base::dist::{Dist, Zipf};
use netsplit::base::id::NodeId;
use netsplit::base::random::Stream;
use netsplit::base::time::{Span, Time};
use netsplit::base::unit::{Chance, Rate};
use netsplit::protocol::caller::CallSettings;
use netsplit::protocol::client::{ClientSettings, Load};
use netsplit::protocol::load::{Arrivals, Profile};
use netsplit::protocol::policy::retry::{Backoff, Jitter, RetryOn, RetrySettings};
use netsplit::protocol::policy::timeout::TimeoutSettings;
use netsplit::protocol::rpc::Op;
use netsplit::protocol::service::ServiceSettings;
use netsplit::protocol::station::StationSettings;
use netsplit::protocol::{Role, Settings};
use netsplit::sim::network::LinkSettings;
use netsplit::sim::queue::Queue;
use netsplit::sim::trace::Level;
use netsplit::sim::world::World;

const DRAWS: u64 = 100_000;

fn main() {
    divan::main();
}

/// The distributions every simulation draws from, in microseconds.
const LATENCIES: [(&str, Dist); 5] = [
    ("constant", Dist::Constant(1_000.0)),
    ("uniform", Dist::Uniform { low: 500.0, high: 1_500.0 }),
    ("exponential", Dist::Exponential { mean: 1_000.0 }),
    ("lognormal", Dist::LogNormal { median: 1_000.0, sigma: 0.5 }),
    ("pareto", Dist::Pareto { scale: 500.0, shape: 2.0 }),
];

#[divan::bench(args = LATENCIES.iter().map(|(name, _)| name))]
fn latency_draw(bencher: Bencher, name: &str) {
    let (_, dist) = LATENCIES.iter().find(|(n, _)| *n == name).expect("the names are the keys");
    bencher
        .counter(ItemsCount::new(DRAWS))
        .with_inputs(|| Stream::new(1, "bench", 0))
        .bench_values(|mut stream| {
            (0..DRAWS).map(|_| black_box(dist.sample(&mut stream)).0).sum::<u64>()
        });
}

#[divan::bench(args = [100, 1_000_000])]
fn zipf_key(bencher: Bencher, keys: u32) {
    let zipf = Zipf::new(keys, 1.0);
    bencher
        .counter(ItemsCount::new(DRAWS))
        .with_inputs(|| Stream::new(1, "bench", 0))
        .bench_values(|mut stream| {
            (0..DRAWS).map(|_| u64::from(zipf.sample(&mut stream))).sum::<u64>()
        });
}

/// The hold model (Jones 1986): take the earliest entry, put one back at a random distance. The
/// cost of an event must grow at most 1.6-fold from a thousand to a million pending.
#[divan::bench(args = [1_000, 100_000, 1_000_000])]
fn hold(bencher: Bencher, pending: u32) {
    let distance = Dist::Exponential { mean: 1e6 };
    let mut stream = Stream::new(1, "hold", 0);
    let mut queue = Queue::default();
    for n in 0..pending {
        queue.push(Time(0) + distance.sample(&mut stream), n);
    }
    // Distances are drawn beforehand: the queue is measured, not the logarithm.
    let draws: Vec<Span> = (0..1 << 16).map(|_| distance.sample(&mut stream)).collect();
    let mut at = 0;
    bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| {
        for _ in 0..DRAWS {
            let (time, n) = queue.pop(Time::NEVER).expect("one goes in for each that comes out");
            at = (at + 1) % draws.len();
            queue.push(time + draws[at], n);
        }
    });
}

/// Clients with timeouts and retries before one server: the model that every peer was measured in.
fn herd(clients: u32, load: f64, level: Level) -> World<Role> {
    // A million clients need a thousand workers, so that one of them is not a thousandth of a
    // microsecond's work.
    let workers = clients.div_ceil(1_000);
    let mean = 1e6 * load * f64::from(workers) / f64::from(clients);
    let mut world = World::new(1);
    let calls = CallSettings {
        targets: vec![NodeId(1)],
        timeout: TimeoutSettings { attempt: Some(Span::secs(1)), deadline: None },
        retry: RetrySettings {
            attempts: 4,
            backoff: Backoff::Exponential {
                base: Span::millis(100),
                factor: 2.0,
                cap: Span::secs(10),
                jitter: Jitter::Full,
            },
            on: RetryOn::PASSING,
        },
        ..CallSettings::default()
    };
    let clients = Settings::Clients(ClientSettings {
        clients,
        load: Load::Open {
            rate: Rate::per_second(1.0),
            arrivals: Arrivals::Poisson,
            profile: Profile::default(),
        },
        mix: vec![(1, Op::Read)],
        items: 1,
        skew: 0.0,
        key_reuse: Chance::NEVER,
        intents: None,
        own_policies: false,
        calls,
    });
    let time = Dist::Exponential { mean };
    let station = StationSettings { workers, queue: 10_000, time, ..StationSettings::default() };
    let server = Settings::Service(ServiceSettings { station, ..ServiceSettings::default() });
    for (node, settings) in [clients, server].iter().enumerate() {
        let role = Role::new(settings, 1, NodeId(node as u32));
        world.add_node(role, netsplit::sim::disk::DiskSettings::default());
    }
    let link = LinkSettings { latency: Dist::Constant(1_000.0), ..LinkSettings::default() };
    world.add_link(NodeId(0), NodeId(1), link.clone());
    world.add_link(NodeId(1), NodeId(0), link);
    world.shared.trace.level = level;
    world.start();
    world
}

fn events(world: &mut World<Role>, count: u64) {
    for _ in 0..count {
        world.step(Time::NEVER);
        world.shared.trace.fresh.clear();
    }
}

/// Kernel events of the retry model: healthy, in a storm, and in a storm with everything recorded.
#[divan::bench(args = ["load 0.9", "load 1.1", "load 1.1, recorded"])]
fn retry_model_of_1000_clients(bencher: Bencher, case: &str) {
    let load = if case.starts_with("load 0.9") { 0.9 } else { 1.1 };
    let level = if case.ends_with("recorded") { Level::All } else { Level::Off };
    let mut world = herd(1_000, load, level);
    events(&mut world, 1_000_000);
    bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| events(&mut world, DRAWS));
}

/// Kernel events of the same model with a million clients.
#[divan::bench(args = ["load 0.9", "load 1.1"], sample_count = 20)]
fn retry_model_of_a_million_clients(bencher: Bencher, case: &str) {
    let mut world = herd(1_000_000, if case == "load 0.9" { 0.9 } else { 1.1 }, Level::Off);
    world.run_until(Time(2_000_000));
    bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| events(&mut world, DRAWS));
}

/// A snapshot of that world.
#[divan::bench(args = [1_000, 1_000_000], sample_count = 20)]
fn snapshot(bencher: Bencher, clients: u32) {
    let mut world = herd(clients, 0.9, Level::Off);
    world.run_until(Time(2_000_000));
    bencher.bench_local(|| black_box(world.clone()));
}
