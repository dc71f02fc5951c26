//! The main job: open a preset, watch it, break it by hand, share it, and see the same run again.

use super::browser::Browser;
use netsplit::scenario::link::{self, Opened};
use netsplit::scenario::read;

pub fn clock(browser: &Browser) -> f64 {
    let text = browser.text("output.clock");
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(-1.0)
}

pub fn wait_past(browser: &Browser, seconds: f64) {
    browser
        .until(&format!("the clock past {seconds} s"), || (clock(browser) > seconds).then_some(()));
}

fn value(browser: &Browser, css: &str) -> String {
    browser.find(css);
    let script = format!("return document.querySelector({css:?}).value");
    browser.script(&script).as_str().unwrap_or_default().to_owned()
}

/// Opens the share dialog, reads the link, closes it.
pub fn link(browser: &Browser) -> String {
    browser.chord("\u{E00A}", "s");
    let link = value(browser, "textarea.copy-text");
    browser.keys("\u{E00C}");
    browser
        .until("the dialog closed", || browser.find_all("dialog[open]").is_empty().then_some(()));
    link
}

fn part<'a>(link: &'a str, key: &str) -> &'a str {
    let fragment = link.split_once('#').map_or("", |(_, f)| f);
    let pair = fragment.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    pair.unwrap_or_else(|| panic!("no {key} in {link}"))
}

/// Pauses, if it plays, and waits until the clock stands still.
pub fn pause(browser: &Browser) {
    if browser.text("button.play").contains("Pause") {
        browser.click("button.play");
    }
    browser.wait_for_text("button.play", "Play");
}

#[test]
fn a_run_is_watched_broken_shared_and_seen_again() {
    let browser = Browser::open("?preset=retry-storm#seed=5");
    browser.wait_for_text("h1, h2", "Retry storm");
    assert!(clock(&browser) < 0.01, "it waits until somebody presses play");
    browser.click("button.play");
    wait_past(&browser, 1.0);
    pause(&browser);
    let before = link(&browser);
    assert_eq!(part(&before, "seed"), "5");

    // Cut every link by hand, as the scissors do; what follows is seen in the numbers.
    let handles = browser.find_all("g.link").len();
    assert!(handles > 0, "links can be pointed at");
    for n in 0..handles {
        let focus = format!("document.querySelectorAll('g.link')[{n}].focus()");
        browser.script(&focus);
        browser.keys("c");
    }
    browser.click("button.play");
    // Four attempts of a second each come first.
    wait_past(&browser, 8.0);
    pause(&browser);
    let body = browser.text("body");
    assert!(body.contains("cut"), "the page says that links are cut");
    let after = link(&browser);
    assert!(part(&after, "at").contains("cut"), "what was done is part of the link: {after}");
    assert_ne!(part(&before, "d"), part(&after, "d"));
    let lost =
        browser.script("return document.body.innerText.match(/timed out\\s+(\\d+)\\s?%/)?.[1]");
    let share: f64 = lost.as_str().and_then(|n| n.parse().ok()).unwrap_or(0.0);
    assert!(share > 5.0, "requests time out when every link is cut: {share} %");

    // The same run, somewhere else.
    browser.go("about:blank");
    browser.go(&after);
    browser.find("output.clock");
    let again = link(&browser);
    assert_eq!(part(&again, "t"), part(&after, "t"));
    assert_eq!(part(&again, "d"), part(&after, "d"), "the same run, message for message");
    browser.assert_calm();
}

/// Links as strangers write them: cut off, mistyped, too large, hostile.
const BROKEN: [&str; 20] = [
    "?preset=no-such-preset",
    "?preset=retry-storm#seed=many",
    "?preset=retry-storm#seed=-4",
    "?preset=retry-storm#nonsense",
    "?preset=retry-storm#=5",
    "?preset=retry-storm#nobody.queue=5",
    "?preset=retry-storm#api.quue=5",
    "?preset=retry-storm#api.workers=0",
    "?preset=retry-storm#api.workers=1e99",
    "?preset=retry-storm#people.count=999999999",
    "?preset=retry-storm#people.timeout=soon",
    "?preset=retry-storm#duration=1000000h",
    "?preset=retry-storm#t=yesterday",
    "?preset=retry-storm#speed=fast",
    "?preset=retry-storm#at=12s:explode:api",
    "?preset=retry-storm#at=12s:kill:nobody",
    "?preset=retry-storm#at=kill",
    "?preset=retry-storm#z=1.0000.AAAA",
    "?preset=retry-storm#z=9.abcd.AAAA",
    "?preset=retry-storm#z=%00%ff<script>alert(1)</script>",
];

#[test]
fn a_broken_link_is_told_and_leaves_something_to_look_at() {
    let browser = Browser::open("");
    for path in BROKEN {
        browser.go("about:blank");
        browser.go(path);
        let said = browser.text("[role=alert]");
        assert!(said.len() > 20, "{path}: {said}");
        assert!(clock(&browser) >= 0.0, "{path}: there is a run on screen");
        browser.assert_calm();
    }
}

/// The page begins with another run: its way back must not be taken for that of this one.
#[test]
fn roads_lead_from_node_to_node() {
    let browser = Browser::open("?preset=thundering-herd");
    browser.wait_for_text("h1, h2", "Thundering herd");
    browser.until("a straight road", || {
        let script = "return document.querySelector('.road-bed')?.getAttribute('d') ?? ''";
        let path = browser.script(script).as_str().unwrap_or_default().to_owned();
        let numbers: Vec<f64> =
            path.split(['M', 'Q', ' ']).filter_map(|n| n.parse().ok()).collect();
        let [_, y0, x, y, _, y1] = numbers[..] else { return None };
        (x > 1.0 && (y - (y0 + y1) / 2.0).abs() < 1.0).then_some(())
    });
}

/// The built page is a release build in WebAssembly; the digests are those of native debug builds.
#[test]
fn the_built_page_runs_every_preset_as_written_down() {
    let browser = Browser::open("");
    for line in include_str!("../golden/digests.txt").lines() {
        let (preset, digest) = line.split_once(' ').expect("a preset and its digest");
        browser.go("about:blank");
        // Beyond its end: the end is shown.
        browser.go(&format!("?preset={preset}#t=1h"));
        browser.find("output.clock");
        // It goes there over many frames; before it is there, it is another instant.
        let there = "const said = document.querySelector('.scrub').getAttribute('aria-valuetext');
             const [now, end] = said.split(' of ').map(parseFloat); return now >= end";
        browser.until(&format!("the end of {preset}"), || {
            (browser.script(there) == true).then_some(())
        });
        let digest = u64::from_str_radix(digest, 16).expect("a digest");
        browser.until(&format!("{preset} with the digest {digest:x}"), || {
            (u64::from_str_radix(part(&link(&browser), "d"), 16) == Ok(digest)).then_some(())
        });
    }
    browser.assert_calm();
}

#[test]
fn every_control_is_reached_by_keyboard() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("output.clock");
    // Everything that can be pressed, typed into or followed, and is on show. Of a group of radio
    // buttons, and of tabs, one is a stop and arrows do the rest.
    let mark = r#"
        const seen = e => e.checkVisibility({visibilityProperty: true}) && !e.disabled
            && e.getClientRects().length > 0 && !e.closest('[inert], dialog:not([open])');
        const stops = [...document.querySelectorAll(
            'button, a[href], input, select, textarea, summary, [role=button], [role=slider]')]
            .filter(e => seen(e) && e.type !== 'radio' && e.getAttribute('role') !== 'tab'
                && e.getAttribute('aria-hidden') !== 'true');
        stops.forEach((e, n) => e.dataset.stop = n);
        document.body.tabIndex = -1; document.body.focus();
        return stops.length;"#;
    let stops = browser.script(mark).as_u64().unwrap_or(0);
    assert!(stops > 20, "{stops} controls");
    for _ in 0..stops * 2 + 40 {
        browser.keys("\u{E004}");
        browser.script("document.activeElement?.removeAttribute('data-stop')");
    }
    let left = browser.script(
        "return [...document.querySelectorAll('[data-stop]')].map(e => e.outerHTML.slice(0, 160))",
    );
    assert_eq!(left.as_array().map(Vec::len), Some(0), "not reached by Tab: {left:#}");
    browser.assert_calm();
}

#[test]
fn the_keyboard_alone_breaks_and_repairs_a_node() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("output.clock");
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.keys("x");
    browser.wait_for_text("body", "down");
    browser.keys(" ");
    wait_past(&browser, 0.5);
    pause(&browser);
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.keys("x");
    let link = link(&browser);
    assert!(part(&link, "at").contains("kill") && part(&link, "at").contains("start"), "{link}");
    browser.assert_calm();
}

#[test]
fn an_embed_shows_the_run_without_the_rest() {
    let browser = Browser::open("?preset=retry-storm&embed=1");
    browser.resize(super::browser::EMBED);
    browser.find(".stage");
    assert!(browser.find_all("aside").is_empty());
    assert!(browser.text("body").contains("Retry storm"));
    browser.assert_calm();
}

#[test]
fn every_preset_has_a_page_of_its_own() {
    let browser = Browser::open("s/retry-storm/");
    browser.find("output.clock");
    let title = browser.script("return document.title");
    assert!(title.as_str().is_some_and(|t| t.contains("Retry storm")), "{title}");
    // What `netsplit link FILE` prints leads to a page, too.
    let text = r#"{"nodes": {"ann": {"clients": {"to": "shop"}}, "shop": {"service": {}}}}"#;
    let (preset, fragment) = link::encode(&Opened::new(read::text(text).expect("a scenario")));
    browser.go(&format!("s/{preset}/#{fragment}"));
    browser.wait_for_text(".stage", "shop");
    browser.assert_calm();
}
