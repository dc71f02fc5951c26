//! What people do to a run with their hands: forms, lines around nodes, going back and doing
//! something else; and on what: a phone, a page that must keep still.

use super::browser::{Browser, PHONE, key};
use super::lab::{link, pause, wait_past};

const ENTER: &str = "\u{E006}";

/// Clears the field that the selector names, types into it, and presses Enter.
fn fill(browser: &Browser, css: &str, text: &str) {
    browser.script(&format!("const e = document.querySelector({css:?}); e.focus(); e.select()"));
    browser.keys(text);
    browser.keys(ENTER);
}

#[test]
fn a_wrong_number_in_a_form_is_told_and_leaves_the_run_alone() {
    let browser = Browser::open("?preset=retry-storm#seed=5&t=2s");
    browser.click("#tab-parameters");
    let workers = ".form input[id$='service-workers']";
    browser.find(workers);
    let before = link(&browser);
    for wrong in ["none", "0", "1.5"] {
        fill(&browser, workers, wrong);
        browser.wait_for_text(".form .field-note", wrong);
    }
    assert_eq!(link(&browser), before, "a number that means nothing changes nothing");
    fill(&browser, workers, "7");
    browser.until("the link with the change", || {
        link(&browser).contains("2s:set:nodes.api.service.workers+7").then_some(())
    });
    assert!(browser.find_all(".form .field-note").is_empty());
    browser.assert_calm();
}

#[test]
fn a_line_around_a_node_tears_the_network() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("output.clock");
    browser.click("button.tool[aria-label='Tear in two']");
    browser.find(".pad");
    let place = browser.script(
        "const r = document.querySelectorAll('g.node')[1].getBoundingClientRect();
         return [r.left - 12, r.top - 12, r.right + 12, r.bottom + 12].map(Math.round)",
    );
    let at = |n: usize| place[n].as_i64().and_then(|n| i32::try_from(n).ok()).expect("a pixel");
    let (left, top, right, bottom) = (at(0), at(1), at(2), at(3));
    browser.drag(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top + 2)]);
    browser.until("a partition", || link(&browser).contains("part:").then_some(()));
    browser.assert_calm();
}

#[test]
fn the_keyboard_alone_tears_the_network_and_takes_it_back() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("output.clock");
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.keys("p ");
    browser.keys(ENTER);
    browser.until("a partition", || link(&browser).contains("part:").then_some(()));
    browser.chord("\u{E009}", "z");
    browser.until("no partition", || (!link(&browser).contains("part:")).then_some(()));
    browser.chord("\u{E009}\u{E008}", "z");
    browser.until("it again", || link(&browser).contains("part:").then_some(()));
    browser.assert_calm();
}

#[test]
fn a_future_that_was_left_can_be_gone_back_to() {
    let browser = Browser::open("?preset=retry-storm#t=3s");
    browser.find("output.clock");
    let on_node = |keys: &str| {
        browser.script("document.querySelectorAll('g.node')[1].focus()");
        browser.keys(keys);
    };
    on_node("x");
    browser.click("button.play");
    wait_past(&browser, 3.5);
    pause(&browser);
    // Earlier, something else: the crash is not part of this future.
    browser.chord("\u{E00A}", "r");
    browser.until("the start", || (super::lab::clock(&browser) < 0.01).then_some(()));
    on_node("g");
    browser.until("the other future", || {
        let script = link(&browser);
        (script.contains("slow:") && !script.contains("kill:")).then_some(())
    });
    browser.click("#tab-log");
    browser.click(".branches button");
    browser.until("the first future", || {
        let script = link(&browser);
        (script.contains("kill:") && !script.contains("slow:")).then_some(())
    });
    browser.assert_calm();
}

#[test]
fn on_a_phone_nothing_is_wider_than_the_screen() {
    let browser = Browser::open("");
    browser.resize(PHONE);
    for path in ["", "?preset=retry-storm#t=19s", "?preset=breaker-cascade"] {
        browser.go("about:blank");
        browser.go(path);
        browser.find("main");
        let over = browser.script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert_eq!(over.as_i64(), Some(0), "{path}");
    }
    browser.click("button.play");
    wait_past(&browser, 0.3);
    browser.assert_calm();
}

#[test]
fn who_wants_no_motion_gets_numbers() {
    let browser = Browser::open("");
    browser.prefer(&[("prefers-reduced-motion", "reduce")]);
    browser.go("about:blank");
    browser.go("?preset=retry-storm");
    let calm = "button[title^='Numbers instead of moving dots']";
    assert_eq!(browser.find(calm).attribute("aria-pressed"), Ok(Some("true".to_owned())));
    browser.go("about:blank");
    browser.go("?preset=retry-storm&motion=full");
    assert_eq!(browser.find(calm).attribute("aria-pressed"), Ok(Some("false".to_owned())));
    browser.assert_calm();
}

#[test]
fn other_seeds_show_how_a_measure_spreads() {
    let browser = Browser::open("?preset=disaster");
    browser.wait_for_text("h1, h2", "Disaster");
    browser.click("#tab-checks");
    browser.click(".seeds button");
    browser.wait_for_text(".spreads", "RPO in s");
    let seen = |css: &str| browser.find_all(css).len();
    assert_eq!(seen(".spreads li:first-child circle"), 20, "one dot for each run");
    browser.wait_for_text(".seeds", "of 20: ");
    browser.assert_calm();
}

/// Whether the button that the selector names is pressed in.
fn is_pressed(browser: &Browser, css: &str) -> bool {
    browser.find(css).attribute("aria-pressed") == Ok(Some("true".to_owned()))
}

#[test]
fn one_undo_takes_back_a_cut_in_both_directions() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("output.clock");
    let state = || {
        let script = "return document.querySelector('g.link').getAttribute('aria-label')";
        browser.script(script).as_str().unwrap_or_default().to_owned()
    };
    browser.script("document.querySelector('g.link').focus()");
    browser.keys("c");
    browser.until("a cut link", || state().ends_with(", cut").then_some(()));
    browser.chord("\u{E009}", "z");
    browser.until("a working link", || state().ends_with(", working").then_some(()));
    assert!(!link(&browser).contains("cut:"));
    // What slows a link lets it run again.
    for (key, want) in [("g", ", 200ms slower"), ("g", ", working")] {
        browser.script("document.querySelector('g.link').focus()");
        browser.keys(key);
        browser.until(want, || state().ends_with(want).then_some(()));
    }
    browser.assert_calm();
}

#[test]
fn one_thing_is_tried_at_a_time_and_can_be_taken_away() {
    let browser = Browser::open("?preset=retry-storm#seed=5");
    let button = |n: u32| format!(".story .tries li:nth-child({n}) button");
    let pressed = |which: &[u32]| {
        let is = |n: u32| is_pressed(&browser, &button(n)) == which.contains(&n);
        browser.until(&format!("{which:?} pressed"), || (1..=3).all(is).then_some(()));
    };
    pressed(&[]);
    browser.click(&button(1));
    pressed(&[1]);
    browser.click(&button(3));
    pressed(&[3]);
    pause(&browser);
    // The link says so as well.
    let tried = link(&browser);
    browser.go("about:blank");
    browser.go(&tried);
    pressed(&[3]);
    browser.click(&button(3));
    pressed(&[]);
    assert!(!link(&browser).contains("set:"));
    browser.click("button[aria-label='Undo']");
    pressed(&[3]);
    browser.assert_calm();
}

#[test]
fn another_seed_is_another_run_and_can_be_taken_back() {
    let browser = Browser::open("?preset=retry-storm#seed=5&t=2s");
    browser.find("output.clock");
    fill(&browser, "#seed", "soon");
    browser.wait_for_text(".bar-seed .field-note", "write a whole number");
    fill(&browser, "#seed", "42");
    browser.wait_for_text(".notice", "from its beginning");
    assert!(link(&browser).contains("seed=42"));
    browser.click("button[aria-label='Undo']");
    browser.until("the seed of before", || link(&browser).contains("seed=5").then_some(()));
    // F6 leads on from a field as from anywhere.
    browser.script("document.querySelector('#seed').focus()");
    browser.keys("\u{E036}");
    let region = "return document.activeElement.hasAttribute('data-region')";
    browser.until("the next part of the page", || {
        browser.script(region).as_bool().filter(|&there| there)
    });
    browser.assert_calm();
}

#[test]
fn everything_is_healed_at_a_click_nodes_too() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("output.clock");
    let heal = "button[aria-label='Heal everything']";
    assert_eq!(browser.find(heal).attribute("disabled"), Ok(Some("true".to_owned())));
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.keys("x");
    browser.wait_for_text(".stage", "down");
    browser.click(heal);
    browser.until("nothing to heal", || {
        let state = browser.find(heal).attribute("disabled");
        (state == Ok(Some("true".to_owned()))).then_some(())
    });
    assert!(link(&browser).contains(":heal"));
    browser.assert_calm();
}

#[test]
fn what_an_address_says_in_vain_is_told() {
    let browser = Browser::open("?preset=retry-storm&theme=purple&foo=1#seed=9");
    browser.wait_for_text("[role=alert]", "theme=purple");
    browser.wait_for_text("[role=alert]", "foo=1");
    browser.go("about:blank");
    browser.go("?preset=retry-storm#seed=9");
    browser.find("output.clock");
    browser.script("location.hash = '#z=1.77b1.LY5B'");
    browser.wait_for_text("[role=alert]", "still there");
    browser.wait_for_text("[role=alert] code", "z=1.77b1.LY5B");
    assert!(link(&browser).contains("seed=9"), "the run stays");
    browser.assert_calm();
}

#[test]
fn a_scenario_is_opened_from_a_file() {
    let folder = std::env::temp_dir().join(format!("netsplit-e2e-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for files");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("room for a file");
        path.to_string_lossy().into_owned()
    };
    let good = r#"{"seed": 77, "nodes": {"ann": {"clients": {"to": "shop"}},
        "shop": {"service": {"workers": 3}}}}"#;
    let browser = Browser::open("");
    let choose = |path: &str| {
        browser.find(".opener input").type_text(path).expect("a field for a file");
    };
    choose(&file("good.json", good));
    browser.wait_for_text("h1", "An experiment of your own");
    browser.wait_for_text(".stage", "shop");
    assert!(browser.url().contains("#"), "it has an address: {}", browser.url());
    let before = link(&browser);
    browser.chord("\u{E00A}", "s");
    choose(&file("wrong.json", &good.replace("\"workers\"", "\"wrkers\"")));
    browser.wait_for_text("[role=alert]", "wrkers");
    browser.wait_for_text("[role=alert]", "still there");
    assert_eq!(link(&browser), before);
    // The file that is offered is the one that was opened.
    browser.chord("\u{E00A}", "s");
    browser.click(".share-file .button");
    browser.wait_for_text(".share-file", "Saved");
    browser.assert_calm();
    std::fs::remove_dir_all(&folder).expect("files of its own");
}

#[test]
fn a_reader_changes_no_more_than_the_address_allows() {
    let browser = Browser::open("?preset=retry-storm&edit=none&lang=de#seed=5&t=3s");
    browser.wait_for_text("[role=status]", "no translation");
    browser.find("g.node");
    let before = link(&browser);
    assert!(browser.find_all(".tool[aria-label='Crash']").is_empty());
    // By keys, by a click on a link, by words, by a thing to try, in the form.
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.keys("xgp");
    assert!(browser.find_all(".pad, .menu").is_empty());
    browser.wait_for_text("[role=status]", "edit=");
    browser.script("document.querySelector('g.link').focus()");
    browser.keys("c");
    browser.script(
        "document.querySelector('g.link').dispatchEvent(new MouseEvent('click', {bubbles: true}))",
    );
    for words in ["people.retry.attempts=1", "kill:api-1", "undo"] {
        browser.chord(key::CONTROL, "k");
        browser.find("[role=combobox]");
        browser.keys(words);
        browser.keys(ENTER);
        browser.until("the dialog closed", || {
            browser.find_all("dialog[open]").is_empty().then_some(())
        });
    }
    browser.script("document.querySelectorAll('.tries button').forEach(b => b.click())");
    browser.chord(key::CONTROL, "z");
    let free = "return document.querySelectorAll('.form :enabled:not(fieldset)').length";
    assert_eq!(browser.script(free).as_i64(), Some(0));
    // Nodes stay where they are; what the host did is not theirs to take back.
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.chord("\u{E008}", "\u{E014}");
    browser.chord(key::CONTROL, "y");
    assert!(browser.find_all(".history button").is_empty());
    browser.chord("\u{E00A}", "o");
    browser.find(".outline table");
    assert!(browser.find_all(".outline .acts button").is_empty());
    assert_eq!(link(&browser), before);
    // Neither does another run unlock the page.
    browser.click(".brand");
    browser.click(".start");
    browser.find("g.node");
    assert!(browser.url().contains("edit=none"), "{}", browser.url());

    browser.go("about:blank");
    browser.go("?preset=retry-storm&edit=faults#seed=5&at=1s:set:people.retry.attempts+2&t=3s");
    browser.find("g.node");
    let before = link(&browser);
    browser.chord(key::CONTROL, "z");
    assert_eq!(link(&browser), before, "what the link did is not theirs to take back");
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.keys("x");
    browser.until("a fault", || link(&browser).contains("3s:kill:").then_some(()));
    browser.chord(key::CONTROL, "z");
    browser.until("none", || (link(&browser) == before).then_some(()));
    browser.assert_calm();
}
