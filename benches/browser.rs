//! The same programs in a browser, to compare with `benches/kernel.rs`: `make bench`.
#![cfg(target_arch = "wasm32")]

mod model;

use model::{Hold, events, herd};
use netsplit::base::time::Time;
use netsplit::sim::trace::Level;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const ROUNDS: usize = 9;

#[wasm_bindgen_test]
fn hold() {
    for pending in [1_000, 100_000, 1_000_000] {
        let mut hold = Hold::new(pending);
        rate(&format!("hold, {pending} pending"), 1_000_000, |count| hold.turn(count));
    }
}

#[wasm_bindgen_test]
fn retry_model_of_1000_clients() {
    for (name, load, level) in [
        ("load 0.9", 0.9, Level::Off),
        ("load 1.1", 1.1, Level::Off),
        ("load 1.1, recorded", 1.1, Level::All),
    ] {
        let mut world = herd(1_000, load, level);
        events(&mut world, 1_000_000);
        rate(&format!("retry model of 1000 clients, {name}"), 1_000_000, |count| {
            events(&mut world, count);
        });
    }
}

#[wasm_bindgen_test]
fn retry_model_of_a_million_clients() {
    for load in [0.9, 1.1] {
        let mut world = herd(1_000_000, load, Level::Off);
        world.run_until(Time(2_000_000));
        let start = world.shared.now;
        let seconds =
            rate(&format!("retry model of a million clients, load {load}"), 500_000, |n| {
                events(&mut world, n);
            });
        let simulated = (world.shared.now.0 - start.0) as f64 / 1e6;
        console_log!("    {:.2} times real time", simulated / seconds);
    }
}

/// Runs `work` of so many items for several rounds and prints the median rate; the seconds taken.
fn rate(name: &str, items: u64, mut work: impl FnMut(u64)) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = milliseconds();
            work(items);
            (milliseconds() - start) / 1e3
        })
        .collect();
    let total = rounds.iter().sum();
    rounds.sort_by(f64::total_cmp);
    let median = rounds[ROUNDS / 2];
    console_log!("{name}: {:.1} million events per second", items as f64 / median / 1e6);
    total
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn milliseconds() -> f64 {
    js_sys::Date::now()
}
