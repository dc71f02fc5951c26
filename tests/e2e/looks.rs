//! Looking closer at the stage, and nodes that were put elsewhere: both are in the link.

use super::browser::{Browser, PHONE};
use super::lab::link;

/// Where a node is seen, in pixels.
fn node(browser: &Browser, name: &str) -> (i32, i32) {
    let found = browser.script(&format!(
        "const node = [...document.querySelectorAll('g.node')]
           .find(n => n.getAttribute('aria-label').startsWith({name:?} + ','));
         const r = node.querySelector('.body').getBoundingClientRect();
         return [r.left + r.width / 2, r.top + r.height / 2].map(Math.round)",
    ));
    let at = |n: usize| found[n].as_i64().and_then(|n| i32::try_from(n).ok()).expect("a pixel");
    (at(0), at(1))
}

fn near(one: (i32, i32), other: (i32, i32)) -> bool {
    (one.0 - other.0).abs() <= 3 && (one.1 - other.1).abs() <= 3
}

/// Opens the link of what is seen in a fresh page.
fn again(browser: &Browser) -> String {
    let link = link(browser);
    browser.go("about:blank");
    browser.go(&link);
    browser.find("g.node");
    link
}

#[test]
fn a_part_of_the_stage_is_looked_at_and_is_in_the_link() {
    let browser = Browser::open("?preset=retry-storm#t=2s");
    browser.find("g.node");
    browser.script("document.querySelector('.stage').focus()");
    let before = node(&browser, "people");
    browser.keys("++");
    browser.wait_for_text(".fit", "2.0×");
    // The ground is dragged, and all that stands on it.
    let from = node(&browser, "api-2");
    let ground = browser.script(
        "const r = document.querySelector('.stage-room').getBoundingClientRect();
         return [r.left + 40, r.bottom - 12].map(Math.round)",
    );
    let at = |n: usize| ground[n].as_i64().and_then(|n| i32::try_from(n).ok()).expect("a pixel");
    browser.drag(&[(at(0), at(1)), (at(0) + 30, at(1)), (at(0) + 60, at(1) - 25)]);
    let moved = node(&browser, "api-2");
    assert!(near(moved, (from.0 + 60, from.1 - 25)), "{from:?} {moved:?}");
    let link = again(&browser);
    assert!(link.contains("&view=0."), "{link}");
    browser.wait_for_text(".fit", "2.0×");
    browser.until("the same part", || near(node(&browser, "api-2"), moved).then_some(()));
    // What has the focus comes into sight.
    browser.script("document.querySelectorAll('g.node')[0].focus()");
    browser.until("it in sight", || {
        let room = "const r = document.querySelector('.stage-room').getBoundingClientRect();
                    return [r.left, r.right].map(Math.round)";
        let room = browser.script(room);
        let x = i64::from(node(&browser, "people").0);
        (Some(x) > room[0].as_i64() && Some(x) < room[1].as_i64()).then_some(())
    });
    browser.click(".fit");
    browser.until("all of it", || browser.find_all(".fit").is_empty().then_some(()));
    assert!(near(node(&browser, "people"), before));
    assert!(!super::lab::link(&browser).contains("view="));
    browser.assert_calm();
}

#[test]
fn the_wheel_with_ctrl_looks_closer_where_it_points_and_alone_scrolls_the_page() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("g.node");
    let (x, y) = node(&browser, "api-2");
    let wheel = |ctrl: bool| {
        let script = format!(
            "const e = new WheelEvent('wheel', {{bubbles: true, cancelable: true, clientX: {x},
               clientY: {y}, deltaY: -120, ctrlKey: {ctrl}}});
             document.querySelector('.stage-room svg').dispatchEvent(e);
             return e.defaultPrevented"
        );
        browser.script(&script).as_bool()
    };
    assert_eq!(wheel(false), Some(false));
    assert!(browser.find_all(".fit").is_empty());
    (0..3).for_each(|_| assert_eq!(wheel(true), Some(true)));
    browser.wait_for_text(".fit", "2.5×");
    assert!(near(node(&browser, "api-2"), (x, y)));
    // A click is where it is seen.
    browser.drag(&[(x, y)]);
    let chosen = "return document.querySelector('.node.chosen')?.getAttribute('aria-label')";
    let chosen =
        browser.until("it picked out", || browser.script(chosen).as_str().map(str::to_owned));
    assert!(chosen.starts_with("api-2,"), "{chosen}");
    browser.find(".menu");
    // So is a line around it.
    browser.click("button.tool[aria-label='Tear in two']");
    browser.find(".pad");
    let (w, h) = (120, 60);
    browser.drag(&[(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h), (x - w, y)]);
    browser.until("a partition", || {
        let link = link(&browser);
        let sides = link.split("part:").nth(1)?.split('&').next()?;
        sides.split('~').any(|side| side == "api-2").then_some(())
    });
    browser.assert_calm();
}

#[test]
fn a_node_that_was_moved_stands_there_in_the_link_too() {
    let browser = Browser::open("?preset=retry-storm#t=3s");
    browser.find("g.node");
    let from = node(&browser, "people");
    let to = (from.0 + 50, from.1 + 20);
    browser.drag(&[from, (from.0 + 20, from.1 + 10), to]);
    browser.until("it moved", || near(node(&browser, "people"), to).then_some(()));
    let digest = |link: &str| {
        let pairs = link.split('#').nth(1).unwrap_or_default();
        pairs.split('&').find(|pair| pair.starts_with("d=")).map(str::to_owned)
    };
    let link = again(&browser);
    assert!(link.contains("view.moved.people=0."), "{link}");
    browser.until("it there again", || near(node(&browser, "people"), to).then_some(()));
    assert!(browser.find_all("[role=alert]").is_empty(), "the run is the same");
    // Keys do the same, and undo takes it back.
    browser.script("document.querySelectorAll('g.node')[0].focus()");
    browser.chord("\u{E008}", "\u{E015}");
    browser.until("it moved by a key", || (node(&browser, "people").1 > to.1 + 4).then_some(()));
    let keyed = super::lab::link(&browser);
    assert_eq!(digest(&keyed), digest(&link));
    browser.chord("\u{E009}", "z");
    browser.until("it back", || near(node(&browser, "people"), to).then_some(()));
    // Narrow, the picture stands on its side, and so does the way it was moved.
    browser.resize(PHONE);
    browser.go("about:blank");
    browser.go(&link);
    browser.find("g.node");
    let moved = node(&browser, "people");
    browser.go("about:blank");
    browser.go(&link.replace("view.moved.people", "view.moved.nobody"));
    browser.find("g.node");
    let unmoved = node(&browser, "people");
    assert!(moved.1 > unmoved.1 + 5, "{moved:?} {unmoved:?}");
    browser.assert_calm();
}

#[test]
fn two_fingers_look_closer_and_then_one_moves_what_is_seen() {
    let browser = Browser::open("?preset=retry-storm");
    browser.resize(PHONE);
    browser.find("g.node");
    let (x, y) = node(&browser, "people");
    // While all is seen, one finger is the page's.
    browser.touch("touchStart", &[(x, y)]);
    browser.touch("touchMove", &[(x + 30, y)]);
    browser.touch("touchEnd", &[]);
    assert!(near(node(&browser, "people"), (x, y)));
    let apart = |by: i32| [(x - by, y), (x + by, y)];
    browser.touch("touchStart", &apart(30)[..1]);
    browser.touch("touchStart", &apart(30));
    for by in [35, 45, 60] {
        browser.touch("touchMove", &apart(by));
    }
    browser.touch("touchEnd", &[]);
    browser.wait_for_text(".fit", "2.0×");
    assert!(near(node(&browser, "people"), (x, y)), "what is between them stays there");
    browser.touch("touchStart", &[(x, y)]);
    for by in [10, 20, 40] {
        browser.touch("touchMove", &[(x + by, y + by)]);
    }
    browser.touch("touchEnd", &[]);
    browser
        .until("it moved along", || near(node(&browser, "people"), (x + 40, y + 40)).then_some(()));
    assert!(!link(&browser).contains("view.moved"), "the node itself was not moved");
    browser.assert_calm();
}

#[test]
fn the_keyboard_stays_where_there_is_nothing_left_to_do() {
    let browser = Browser::open("?preset=retry-storm#t=2s&view=0.5,0.5,2");
    browser.wait_for_text(".fit", "2.0×");
    let focus = "const e = document.activeElement;
         return [e.className, e.getAttribute('aria-label') ?? '', e.getAttribute('aria-disabled') ?? '']
           .join('|')";
    let focus = || browser.script(focus).as_str().unwrap_or_default().to_owned();
    // What is read on the button is in its name.
    let name = "return document.querySelector('.fit').hasAttribute('aria-label')";
    assert_eq!(browser.script(name).as_bool(), Some(false));
    browser.script("document.querySelector('.fit').focus()");
    browser.keys(super::browser::key::ENTER);
    browser.until("all of it", || browser.find_all(".fit").is_empty().then_some(()));
    assert!(focus().starts_with("stage|"), "{}", focus());
    browser.script("document.querySelector('.tool.farther').focus()");
    assert!(focus().ends_with("|Look from farther away|true"), "{}", focus());
    browser.script("document.querySelector(\".tool[aria-label='Look closer']\").focus()");
    (0..9).for_each(|_| browser.keys(super::browser::key::ENTER));
    browser.wait_for_text(".fit", "8.0×");
    assert!(focus().ends_with("|Look closer|true"), "{}", focus());
    browser.assert_calm();
}

#[test]
fn in_another_page_a_finger_scrolls_that_page_until_a_hand_has_looked_closer() {
    let browser = Browser::open("?preset=retry-storm&embed=1#t=2s&view=0.5,0.5,2");
    browser.find(".stage-room.part");
    let scrolls = || {
        let style = "return getComputedStyle(document.querySelector('.stage-room')).touchAction";
        browser.script(style).as_str() != Some("none")
    };
    assert!(scrolls());
    browser.script("document.querySelector('.stage').focus()");
    browser.keys("+");
    browser.wait_for_text(".fit", "2.8×");
    assert!(!scrolls());
    browser.assert_calm();
}

#[test]
fn a_link_says_how_fast_if_that_is_not_how_the_scenario_begins() {
    let browser = Browser::open("?preset=retry-storm#t=2s");
    browser.find("g.node");
    assert!(!link(&browser).contains("speed="));
    browser.script("document.querySelector('.stage').focus()");
    browser.keys("]]");
    let said = "return document.querySelector('.speed output').textContent";
    let fast = browser.script(said);
    let link = again(&browser);
    assert!(link.contains("&speed="), "{link}");
    assert_eq!(browser.script(said), fast);
    browser.assert_calm();
}

#[test]
fn the_code_for_a_page_carries_what_a_reader_sees_and_may_change() {
    let browser = Browser::open("?preset=retry-storm#people.retry.attempts=2&seed=5");
    browser.find("g.node");
    browser.chord("\u{E00A}", "s");
    browser.click(".share-embed > summary");
    browser.click(".share-embed .sizes > button");
    browser.script(
        "const e = document.querySelector('.share-embed select'); e.value = '1';
         e.dispatchEvent(new Event('change', {bubbles: true}))",
    );
    let code = "return document.querySelector('.share-embed textarea').value";
    let says = |text: &str| {
        browser.until(text, || {
            browser.script(code).as_str().is_some_and(|code| code.contains(text)).then_some(())
        });
    };
    says("embed=1&amp;show=people.retry.attempts&amp;edit=faults#");
    browser.script("document.querySelectorAll('.share-embed [role=switch]')[1].click()");
    says("show=\"people.retry.attempts\" edit=\"faults\"");
    browser.assert_calm();
}
