//! How fast the core is, in draws and events per second: `make bench`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use netsplit::base::dist::{Dist, Zipf};
use netsplit::base::random::Stream;

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
