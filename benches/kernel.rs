//! How fast the core is, in draws and events per second: `make bench`.

mod model;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use model::{Hold, crowded, events, herd, links, simulate, ten_minutes, watched_million};
use netsplit::base::dist::{Dist, Zipf};
use netsplit::base::random::Stream;
use netsplit::base::time::{Span, Time};
use netsplit::check::{Checks, Property};
use netsplit::observe::cast::Cast;
use netsplit::observe::frame::Frame;
use netsplit::observe::metrics::BIN;
use netsplit::observe::watch::Watch;
use netsplit::scenario::compile::compile;
use netsplit::scenario::link::{self, Opened};
use netsplit::scenario::read;
use netsplit::sim::trace::Level;

const DRAWS: u64 = 100_000;
/// Microseconds simulated at a time.
const SLICE: u64 = 20_000;

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

/// The cost of an event must grow at most 1.6-fold from a thousand to a million pending.
#[divan::bench(args = [1_000, 100_000, 1_000_000])]
fn hold(bencher: Bencher, pending: u32) {
    let mut hold = Hold::new(pending);
    bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| hold.turn(DRAWS));
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

/// The same, followed by everything that a person can ask about: numbers, log, lives of intents.
#[divan::bench(args = ["load 0.9", "load 1.1", "load 1.1, recorded"])]
fn retry_model_watched(bencher: Bencher, case: &str) {
    let load = if case.starts_with("load 0.9") { 0.9 } else { 1.1 };
    let level = if case.ends_with("recorded") { Level::All } else { Level::Notes };
    let mut world = herd(1_000, load, level);
    let name = |name: &str| (name.to_owned(), name.to_owned());
    let cast = Cast::new(&[name("clients"), name("api")], &world);
    let mut watch = Watch::new(&cast, &world, BIN);
    let mut checks =
        Checks::new(&[Property::NoDoubleEffect], cast.group_numbers(), Default::default());
    let mut follow = |count| {
        for _ in 0..count {
            world.step(Time::NEVER);
            for record in world.shared.trace.fresh.drain(..) {
                watch.fold(&record, None);
                checks.fold(&record);
            }
        }
        watch.close(&world);
    };
    follow(1_000_000);
    bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| follow(DRAWS));
}

/// The same model with a million clients. Items are simulated microseconds, so a million of them
/// per second is real time.
#[divan::bench(args = ["load 0.9", "load 1.1"], sample_count = 20)]
fn times_real_time_of_a_million_clients(bencher: Bencher, case: &str) {
    let mut world = herd(1_000_000, if case == "load 0.9" { 0.9 } else { 1.1 }, Level::Off);
    world.run_until(Time(2_000_000));
    bencher.counter(ItemsCount::new(SLICE)).bench_local(|| simulate(&mut world, SLICE));
}

/// The same as a page runs it, with numbers, log and checks.
#[divan::bench(args = ["load 0.9", "load 1.1"], sample_count = 20)]
fn times_real_time_of_a_million_watched(bencher: Bencher, case: &str) {
    let mut session = watched_million(if case == "load 0.9" { 0.9 } else { 1.1 });
    session.seek(Time(2_000_000));
    bencher.counter(ItemsCount::new(SLICE)).bench_local(|| {
        let until = session.now() + Span(SLICE);
        while !session.advance(until, u32::MAX) {}
    });
}

/// Ten minutes from the beginning, as opening a link to their end does.
#[divan::bench(args = ["a storm that ends", "an endless storm"], sample_count = 5)]
fn ten_minutes_played(bencher: Bencher, case: &str) {
    bencher.with_inputs(|| ten_minutes(case == "an endless storm")).bench_local_values(|mut s| {
        s.seek(s.end());
        s
    });
}

/// Anywhere in ten minutes that have been played; the slowest is what the budget is about.
#[divan::bench(args = ["a storm that ends", "an endless storm"], sample_count = 200)]
fn seek(bencher: Bencher, case: &str) {
    let mut session = ten_minutes(case == "an endless storm");
    session.seek(session.end());
    let mut stream = Stream::new(1, "seek", 0);
    bencher.bench_local(|| session.seek(Time(u64::from(stream.below(600_000)) * 1_000)));
}

/// The picture of an instant with ten thousand messages in flight.
#[divan::bench]
fn frame(bencher: Bencher) {
    let session = crowded();
    let mut frame = Frame::default();
    session.frame(&mut frame);
    assert!(frame.packets.id.len() >= 9_000, "{} in flight", frame.packets.id.len());
    bencher.bench_local(|| session.frame(&mut frame));
}

/// Kernel events of a Raft cluster that a hundred clients write to and read from.
#[divan::bench(args = [3, 5])]
fn raft_cluster(bencher: Bencher, replicas: u32) {
    let text = format!(
        r#"{{
            "nodes": {{
                "people": {{ "clients": {{
                    "count": 100, "to": "db", "mix": {{ "write": 1, "read": 1 }},
                    "load": {{ "open": {{ "rate": "20/s" }} }}
                }} }},
                "db": {{ "raft": {{ "replicas": {replicas}, "time": "0s", "disk": {{ "latency": "250us" }} }} }}
            }},
            "network": {{ "latency": "500us" }}
        }}"#
    );
    let scenario = read::text(&text).expect("the scenario above can be read");
    let mut world = compile(&scenario).expect("and makes sense").world();
    events(&mut world, 200_000);
    bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| events(&mut world, DRAWS));
}

#[divan::bench(args = ["readable", "compressed"])]
fn link_written(bencher: Bencher, case: &str) {
    let opened = opened(case);
    bencher.bench_local(|| link::encode(&opened));
}

#[divan::bench(args = ["readable", "compressed"])]
fn link_opened(bencher: Bencher, case: &str) {
    let (preset, fragment) = link::encode(&opened(case));
    bencher.bench_local(|| link::open(Some(preset), &fragment));
}

fn opened(case: &str) -> Opened {
    links().into_iter().find(|(name, _)| *name == case).expect("the names are the keys").1
}

/// A snapshot of that world.
#[divan::bench(args = [1_000, 1_000_000], sample_count = 20)]
fn snapshot(bencher: Bencher, clients: u32) {
    let mut world = herd(clients, 0.9, Level::Off);
    world.run_until(Time(2_000_000));
    bencher.bench_local(|| black_box(world.clone()));
}

/// A snapshot of what is known of a long run.
#[divan::bench]
fn snapshot_of_what_is_known(bencher: Bencher) {
    let mut world = herd(1_000, 1.1, Level::Notes);
    let name = |name: &str| (name.to_owned(), name.to_owned());
    let cast = Cast::new(&[name("clients"), name("api")], &world);
    let mut watch = Watch::new(&cast, &world, BIN);
    while world.shared.now < Time(300_000_000) {
        world.step(Time::NEVER);
        world.shared.trace.fresh.drain(..).for_each(|record| {
            watch.fold(&record, None);
        });
    }
    bencher.bench_local(|| black_box(watch.clone()));
}
