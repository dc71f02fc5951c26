//! The same programs in a browser, to compare with `benches/kernel.rs`: `make bench`.
#![cfg(target_arch = "wasm32")]

mod model;

use model::{Hold, crowded, events, herd, links, simulate, ten_minutes, watched_million};
use netsplit::base::random::Stream;
use netsplit::base::time::{Span, Time};
use netsplit::observe::frame::Frame;
use netsplit::scenario::link;
use netsplit::sim::trace::Level;
use std::hint::black_box;
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
fn a_million_clients() {
    for load in [0.9, 1.1] {
        let mut world = herd(1_000_000, load, Level::Off);
        world.run_until(Time(2_000_000));
        real_time(&format!("a million clients, load {load}"), |micros| {
            simulate(&mut world, micros)
        });
        let size = format!("snapshot of a million clients, load {load}");
        duration(&size, 1, || drop(black_box(world.clone())));
    }
}

#[wasm_bindgen_test]
fn a_million_clients_watched() {
    for load in [0.9, 1.1] {
        let mut session = watched_million(load);
        session.seek(Time(2_000_000));
        real_time(&format!("a million clients watched, load {load}"), |micros| {
            let until = session.now() + Span(micros);
            while !session.advance(until, u32::MAX) {}
        });
    }
}

#[wasm_bindgen_test]
fn seek_in_ten_minutes() {
    for endless in [false, true] {
        let mut session = ten_minutes(endless);
        let start = milliseconds();
        session.seek(session.end());
        let name = if endless { "an endless storm" } else { "a storm that ends" };
        console_log!("ten minutes of {name} played: {:.0} ms", milliseconds() - start);
        let mut stream = Stream::new(1, "seek", 0);
        let mut times: Vec<f64> = (0..100)
            .map(|_| {
                let start = milliseconds();
                session.seek(Time(u64::from(stream.below(600_000)) * 1_000));
                milliseconds() - start
            })
            .collect();
        times.sort_by(f64::total_cmp);
        console_log!("seek in {name}: median {:.0} ms, slowest {:.0} ms", times[50], times[99]);
    }
}

#[wasm_bindgen_test]
fn frame_with_ten_thousand_messages() {
    let session = crowded();
    let mut frame = Frame::default();
    duration("frame with 10,000 messages in flight", 500, || session.frame(&mut frame));
}

#[wasm_bindgen_test]
fn link_codec() {
    for (name, opened) in links() {
        let (preset, fragment) = link::encode(&opened);
        duration(&format!("link written, {name}"), 500, || drop(black_box(link::encode(&opened))));
        duration(&format!("link opened, {name}"), 500, || {
            drop(black_box(link::open(Some(preset), &fragment)));
        });
    }
}

/// Runs `work` of so many items for several rounds and prints the median rate.
fn rate(name: &str, items: u64, work: impl FnMut(u64)) {
    let median = median(items, work);
    let (millions, nanos) = (items as f64 / median / 1e3, median * 1e6 / items as f64);
    console_log!("{name}: {millions:.1} million a second, {nanos:.0} ns each");
}

/// Simulates for several rounds and prints how much faster than real time that was.
fn real_time(name: &str, simulate: impl FnMut(u64)) {
    const SLICE: u64 = 200_000;
    let median = median(SLICE, simulate);
    console_log!("{name}: {:.2} times real time", SLICE as f64 / 1e3 / median);
}

/// Prints how long `work` takes, the median of rounds of so many.
fn duration(name: &str, times: u64, mut work: impl FnMut()) {
    let median = median(times, |times| (0..times).for_each(|_| work()));
    console_log!("{name}: {:.0} µs", median * 1e3 / times as f64);
}

/// The median of several rounds, in milliseconds.
fn median(items: u64, mut work: impl FnMut(u64)) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = milliseconds();
            work(items);
            milliseconds() - start
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn milliseconds() -> f64 {
    js_sys::Date::now()
}
