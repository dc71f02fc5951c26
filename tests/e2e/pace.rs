//! How fast the built page is in a real browser: `make bench` prints it.

use super::browser::{Browser, DESKTOP};
use netsplit::scenario::link::{self, Opened};
use netsplit::scenario::read;
use std::time::Duration;

const LOADS: usize = 9;

#[test]
#[ignore = "measures instead of asserting something; run: make bench"]
fn measure() {
    let browser = Browser::open("");
    browser.resize(DESKTOP);
    loads(&browser);
    frames(&browser, "retry-storm in its storm", "s/retry-storm/?play=1#t=19s");
    frames(&browser, "10,000 messages in flight", &crowded());
}

/// Milliseconds from asking for the page to its being there to be used.
fn loads(browser: &Browser) {
    let load = |_| {
        browser.go("about:blank");
        browser.go("s/retry-storm/");
        browser.until("the page, ready", || {
            browser.script("return performance.getEntriesByName('ready')[0]?.startTime").as_f64()
        })
    };
    let cold = load(0);
    let mut warm: Vec<f64> = (1..LOADS).map(load).collect();
    warm.sort_by(f64::total_cmp);
    println!("page ready: {cold:.0} ms at first, {:.0} ms from a warm cache", middle(&warm));
}

/// How long frames keep the page busy: from the beginning of one to whatever comes after it.
#[expect(clippy::disallowed_methods, reason = "frames are counted over some real time")]
fn frames(browser: &Browser, name: &str, path: &str) {
    browser.go("about:blank");
    browser.go(path);
    browser.find(".stage");
    std::thread::sleep(Duration::from_secs(2));
    browser.script(
        "const ask = window.requestAnimationFrame.bind(window);
         window.busy = [];
         window.requestAnimationFrame = draw => ask(now => {
           const began = performance.now();
           const after = new MessageChannel();
           after.port1.onmessage = () => window.busy.push(performance.now() - began);
           after.port2.postMessage(null);
           draw(now);
         });",
    );
    std::thread::sleep(Duration::from_secs(5));
    let busy = browser.script("return window.busy");
    let mut busy: Vec<f64> =
        busy.as_array().into_iter().flatten().filter_map(|time| time.as_f64()).collect();
    busy.sort_by(f64::total_cmp);
    let (Some(longest), rare) = (busy.last(), busy.len() * 99 / 100) else {
        panic!("{name}: nothing was drawn");
    };
    println!(
        "{name}: {:.0} frames per second; a frame takes {:.1} ms (99 of 100: {:.1} ms, all: {:.1} ms)",
        busy.len() as f64 / 5.0,
        middle(&busy),
        busy[rare],
        longest
    );
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// The link of a run with 10,000 clients whose requests are half a second on their way.
fn crowded() -> String {
    let text = r#"{"network": {"latency": "500ms"}, "nodes": {
        "people": {"clients": {"count": 10000, "to": "api", "timeout": "5s",
            "load": {"open": {"rate": "1/s"}}}},
        "api": {"service": {"replicas": 4, "workers": 100, "time": {"exponential": "10ms"}}}}}"#;
    let (preset, fragment) = link::encode(&Opened::new(read::text(text).expect("a scenario")));
    format!("s/{preset}/?play=1#{fragment}&t=3s")
}
