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

/// How long frames take: what the page itself does in one, and all until the browser is free for
/// something else, its drawing included (in software, where there is no graphics processor).
#[expect(clippy::disallowed_methods, reason = "frames are counted over some real time")]
fn frames(browser: &Browser, name: &str, path: &str) {
    browser.go("about:blank");
    browser.go(path);
    browser.find(".stage");
    std::thread::sleep(Duration::from_secs(2));
    browser.script(
        "const ask = window.requestAnimationFrame.bind(window);
         window.own = [];
         window.all = [];
         window.requestAnimationFrame = draw => ask(now => {
           const began = performance.now(), until = list => list.push(performance.now() - began);
           const after = new MessageChannel();
           after.port1.onmessage = () => until(window.all);
           after.port2.postMessage(null);
           draw(now);
           queueMicrotask(() => until(window.own));
         });",
    );
    std::thread::sleep(Duration::from_secs(5));
    let times = |list: &str| {
        let times = browser.script(&format!("return window.{list}"));
        let times = times.as_array().into_iter().flatten();
        let mut times: Vec<f64> = times.filter_map(|time| time.as_f64()).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (own, all) = (times("own"), times("all"));
    assert!(!own.is_empty() && !all.is_empty(), "{name}: nothing was drawn");
    let rare = |times: &[f64]| times[times.len() * 99 / 100];
    println!("{name}: {:.0} frames per second", all.len() as f64 / 5.0);
    println!("  the page itself: {:.1} ms, 99 of 100 {:.1} ms", middle(&own), rare(&own));
    println!("  with all drawing: {:.1} ms, 99 of 100 {:.1} ms", middle(&all), rare(&all));
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
