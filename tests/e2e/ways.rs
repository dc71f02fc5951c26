//! Ways through a run and to its settings: far instants while the page answers, commands by name.

use super::browser::{Browser, EMBED, key};
use super::lab::{clock, link};

#[test]
fn a_late_instant_is_gone_to_while_the_page_answers_and_can_be_stopped() {
    let browser = Browser::open("?preset=metastable#people.count=20000&t=60s");
    browser.wait_for_text(".way", "Going to 60 s");
    let longest = "const done = new Promise(resolve => {
           let [last, most, count] = [performance.now(), 0, 0];
           const look = now => {
             most = Math.max(most, now - last); last = now;
             ++count < 20 ? requestAnimationFrame(look) : resolve(most);
           };
           requestAnimationFrame(look);
         });
         return done;";
    let longest = browser.script(longest).as_f64().expect("milliseconds");
    assert!(longest < 1_000.0, "a frame took {longest} ms");
    browser.keys(key::ESCAPE);
    browser.until("the way given up", || browser.find_all(".way").is_empty().then_some(()));
    let here = clock(&browser);
    assert!(here > 0.0 && here < 60.0, "{here} s");
    assert!((clock(&browser) - here).abs() < 0.005, "it stays there");
    browser.assert_calm();
}

#[test]
fn commands_by_name_take_the_words_of_a_link() {
    let browser = Browser::open("?preset=retry-storm");
    browser.find("output.clock");
    let say = |text: &str| {
        browser.chord(key::CONTROL, "k");
        browser.until("the field", || {
            let focused = "return document.activeElement.getAttribute('role')";
            (browser.script(focused).as_str() == Some("combobox")).then_some(())
        });
        browser.keys(text);
        browser.keys(key::ENTER);
        browser.until("the dialog closed", || {
            browser.find_all("dialog[open]").is_empty().then_some(())
        });
    };
    say("go to 3 s");
    browser.until("three seconds", || (clock(&browser) > 2.99).then_some(()));
    say("people.retry.attempts=1");
    browser.until("the setting in the link", || {
        link(&browser).contains("3s:set:people.retry.attempts+1").then_some(())
    });
    say("charts as tables");
    browser.find(".chart.tabled table");
    browser.assert_calm();
}

#[test]
fn an_embed_is_a_poster_until_it_is_played() {
    let browser = Browser::open("?preset=retry-storm&embed=1&show=people.retry.attempts");
    browser.resize(EMBED);
    browser.find(".cover .poster");
    browser.find(".knobs input");
    browser.click(".cover");
    browser.until("the poster gone", || browser.find_all(".cover").is_empty().then_some(()));
    browser.until("time passes", || (clock(&browser) > 0.1).then_some(()));
    browser.assert_calm();
}

#[test]
fn two_runs_of_one_scenario_stand_side_by_side() {
    let browser = Browser::open("?preset=retry-storm#b.people.retry.attempts=1&t=20s");
    browser.wait_for_text(".compare-said", "people.retry.attempts = 1");
    browser.wait_for_text(".compare-apart", "the same until 1");
    browser.wait_for_text(".compare-table", "Attempts per intent");
    browser.wait_for_text(".chart-legend", "B: goodput");
    browser
        .until("its link", || link(&browser).contains("b.people.retry.attempts=1").then_some(()));
    browser.click(".compare-deeds .button-quiet");
    browser.until("one run again", || browser.find_all(".compare").is_empty().then_some(()));
    browser.until("a link to one run", || (!link(&browser).contains("b.people")).then_some(()));
    browser.assert_calm();
}

#[test]
fn a_scenario_from_elsewhere_is_fetched_and_the_link_goes_on_saying_where() {
    let browser = Browser::open("?preset=retry-storm&theme=dark#src=own%2Fgood.json&seed=5");
    browser.wait_for_text(".stage", "shop");
    browser.wait_for_text("h1", "An experiment of your own");
    let own = |browser: &Browser| link(browser).split('#').nth(1).unwrap_or_default().to_owned();
    let before = own(&browser);
    let kept = "src=%2Fsome%2Ffolder%2Fown%2Fgood.json";
    assert!(before.contains(kept) && before.contains("seed=5"), "{before}");
    let url = browser.url();
    assert!(url.contains("theme=dark") && url.contains("src=") && !url.contains("preset"), "{url}");
    // What is changed is said on top of it.
    browser.script("document.querySelectorAll('g.node')[1].focus()");
    browser.keys("x");
    browser.until("the deed", || own(&browser).contains(":kill:shop").then_some(()));
    browser.script("location.hash = '#src=own%2Fgood.json&shop.workers=9&seed=6'");
    browser.until("the setting", || own(&browser).contains("shop.workers=9").then_some(()));
    assert!(own(&browser).contains(kept));
    // What is no good leaves what is there.
    for (from, words) in [
        ("own%2Fwrong.json", "wrkers"),
        ("own%2Flong.json", "has more than 262144 bytes"),
        ("http:%2F%2Fexample.org%2Fa.json", "is not an https address"),
    ] {
        browser.script(&format!("location.hash = '#src={from}'"));
        browser.wait_for_text("[role=alert]", words);
        browser.wait_for_text("[role=alert]", "still there");
        browser.wait_for_text("[role=alert] code", from);
    }
    assert!(own(&browser).contains("shop.workers=9"));
    // From the page of a preset the address means something else, and the link goes on meaning it.
    browser.go("about:blank");
    browser.go("s/retry-storm/?edit=none#src=..%2F..%2Fown%2Fgood.json&seed=5");
    browser.wait_for_text(".stage", "shop");
    browser.find(".gauge, g.node");
    let there = link(&browser);
    assert!(there.contains(kept) && !there.contains("/s/"), "{there}");
    browser.go("about:blank");
    browser.go(&there);
    browser.wait_for_text(".stage", "shop");
    // Nothing is on screen yet, and nothing can be had: the preset that the link names.
    browser.go("about:blank");
    browser.go("?preset=retry-storm#src=own%2Fwrong.json");
    browser.wait_for_text("[role=alert]", "wrkers");
    browser.wait_for_text("h1", "Retry storm");
    browser.assert_calm();
    browser.script("location.hash = '#src=own%2Fnowhere.json'");
    browser.wait_for_text("[role=alert]", "is answered with 404");
}

#[test]
fn the_next_event_is_gone_to_and_told() {
    let browser = Browser::open("?preset=retry-storm#t=3s");
    browser.until("three seconds", || (clock(&browser) > 2.99).then_some(()));
    browser.script("document.querySelector('.stage').focus()");
    browser.keys(".");
    browser.until("an event later", || (clock(&browser) > 3.0).then_some(()));
    browser.until("it told", || {
        let told = browser.script("return document.querySelector('p.unseen').textContent");
        told.as_str().is_some_and(|told| !told.is_empty()).then_some(())
    });
    let here = clock(&browser);
    browser.keys(",");
    browser.until("the event before", || (clock(&browser) < here).then_some(()));
    browser.assert_calm();
}
