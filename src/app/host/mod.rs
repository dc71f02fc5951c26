//! The page inside another page: what that page, the host, may say to it, and what it says back.
//!
//! It listens only where the address has `api=1`. Messages are structured objects, in an envelope
//! `{netsplit: 1, type, id?, …}`; an answer repeats the `id` as `re`. Times are in simulated
//! seconds. Who is heard: the parent of this frame and nobody else; with `origin=` in the address,
//! only when it comes from there. Without `origin=` only what is marked * is obeyed. What is said
//! goes to the host's origin; only `ready` and `resize`, which tell nothing, go to any.
//!
//! What goes to an instant is answered when the run is there, with the instant as `t`. A pause or a
//! deed on the way ends it: then it is answered with where the run has come to. `load` is answered
//! with an error if what was to be opened cannot be had. `ui` does all of what it says or nothing.
//!
//! | host to page | fields | does |
//! |---|---|---|
//! | `hello` * | | answers what `ready` says |
//! | `load` | `preset?`, `state?` (as after `#`) or `scenario` | opens another run |
//! | `set` | `path`, `value` | changes a setting, as one deed |
//! | `fault` | `step` (`kill:db-1`) | does it now |
//! | `undo`, `redo` | | |
//! | `play` * | `until?` | lets time pass, to an instant ahead; answered at once |
//! | `pause` * | | |
//! | `step` * | `by?` | goes to the next event, or on by so much; back where it is negative |
//! | `reset` * | | goes back to the start and waits there |
//! | `seek` * | `t` | goes to an instant |
//! | `speed` * | `x` | seconds of the run per second |
//! | `get` * | `what`, `n?` | answers one of [`facts::FACTS`], of `events` the newest `n` |
//! | `export` | `format` | answers a text: `json`, the scenario, or `csv`, what was measured |
//! | `subscribe` | `events`, `maxHz?` | says from now on these and no others |
//! | `ui` | `theme`, `motion`, `palette`, `ui`, `show`, `hide`, `edit` | as in the address |
//!
//! | page to host | fields | when |
//! |---|---|---|
//! | `ready` | `api`, `version`, `engine`, `preset`, `caps` | once, when the run is there |
//! | `reply` | `re`, `ok`, `value` or `error {code, message, path}` | to what has an `id` |
//! | `state` | `playing`, `t`, `end`, `speed`, `seed` | it changed |
//! | `change` | `url`, `overrides`, `by` | something was set or moved, by `host` or `user` |
//! | `metrics` | as `get` | subscribed to: at most `maxHz` times a second |
//! | `event` | `t`, `text`, `tone`, `node` | subscribed to: a line of the log |
//! | `check` | `id`, `pass`, `value`, `t` | a check says something else |
//! | `bet` | `choice`, `text`, `correct` | a bet is placed, and when it is known how it ended |
//! | `result` | see below | the run is at its end, or the bet is placed there |
//! | `resize` | `w`, `h` | the height in which all of it has room |
//! | `error` | `code`, `message`, `path` | something is wrong, and nobody asked |
//!
//! What is said unasked comes at most four times a second, every [`tells::PACE`] milliseconds.
//! Codes of errors: `unknown` (no such message), `unsupported` (known, and not here yet), `refused`
//! (not without `origin=`), `invalid` (a field means nothing), `problem` (of the page, as it shows
//! to people). Known and not here yet are `lesson`, `announce` and `focus-exit`.
//!
//! A result has `preset`, `seed`, `checks`, `score`, `passed`, `bet`, `complete`, `launched`, `ms`,
//! `url`. It is complete when the run was at its end and, where its preset asks a question, a bet
//! was placed. The bet is not scored: who bets wrong has learnt something. The score is the share
//! of the scenario's checks that hold at the end; all must, to pass. `launched` says whether it is
//! of the scenario that the page was opened with, whatever was set in it. `ms` is how long the page
//! has been open. `url` is the receipt: `netsplit run URL` runs it again, unless it starts from a
//! file elsewhere (`src=`), which only the page fetches.
//!
//! To add a message: a line in [`hears::MESSAGES`] or [`tells::TELLS`] and its function, a line
//! above, and one in the README.

mod facts;
mod fields;
mod hears;
mod looks;
mod outcome;
mod port;
mod tells;

use crate::app::state::{Lab, Place};
use crate::app::{address, source};
use leptos::ev;
use leptos::prelude::*;
use port::{Port, heard};
use std::cell::RefCell;
use std::rc::Rc;
use tells::Told;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

/// The run on screen and who is told of it.
struct Host {
    lab: Lab,
    port: Port,
    told: RefCell<Told>,
}

impl Host {
    /// Whether the address names who may do everything.
    fn is_named(&self) -> bool {
        self.port.origin.is_some()
    }
}

/// Listens and tells, if the address asks for it: `api=`, `origin=`, `lms=`. Call once, at the
/// root, when the run is on screen.
pub fn start(lab: Lab, [api, origin, lms]: &[String; 3]) {
    let port = Port::new(api == "1", origin, lms == "cmi5");
    if port.is_deaf() {
        return;
    }
    let host = Rc::new(Host { lab, port, told: RefCell::default() });
    let ear = host.clone();
    window_event_listener(ev::message, move |event| {
        if let Some(heard) = heard(&ear.port, &event) {
            hears::hear(&ear, &heard);
        }
    });
    // What there is first is what changes are changes of.
    tells::look(&host);
    let eye = host.clone();
    let look = Closure::<dyn FnMut()>::new(move || tells::look(&eye)).into_js_value();
    // For as long as the page lives: what is to be told is no matter of one signal.
    let _ = window()
        .set_interval_with_callback_and_timeout_and_arguments_0(look.unchecked_ref(), tells::PACE);
    if lms == "cmi5" {
        load_cmi5(host);
    }
}

/// Loads the part that reports to a learning management system. It is the only one that sends
/// anything to another host, so nobody else gets it. What it has missed until it is there is said
/// again.
fn load_cmi5(host: Rc<Host>) {
    let Ok(script) = document().create_element("script") else { return };
    let lab = host.lab;
    let warn = move |message: &str, remedy: &str| {
        lab.problems.update(|found| found.warn("lms", message, remedy));
    };
    if lab.place.get_untracked() == Place::Gallery && !source::is_fetching() {
        warn("the launch names no run, so none is recorded", "the unit is a page of a preset");
    }
    let again = move || host.told.borrow_mut().say_result_again();
    let loaded = Closure::<dyn FnMut()>::new(again).into_js_value();
    let lost = Closure::<dyn FnMut()>::new(move || {
        warn("what reports to your course cannot be loaded: nothing is recorded", "load it again");
    });
    let lost = lost.into_js_value();
    // Legal names and values, and a body that takes a script: none of it is refused.
    let _ = script.set_attribute("type", "module");
    let _ = script.set_attribute("src", &format!("{}cmi5.js", address::home()));
    let _ = script.add_event_listener_with_callback("load", loaded.unchecked_ref());
    let _ = script.add_event_listener_with_callback("error", lost.unchecked_ref());
    if let Some(body) = document().body() {
        let _ = body.append_child(&script);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn every_message_is_described() {
        let (here, readme) = (include_str!("mod.rs"), include_str!("../../../README.md"));
        let readme = readme.split_once("## In a course page").expect("its section").1;
        let readme = readme.split("\n## ").next().unwrap_or_default();
        let heard = hears::MESSAGES.iter().map(|message| message.name);
        let told = tells::TELLS.iter().map(|tell| tell.name).chain(["ready", "reply", "resize"]);
        let (heard, told): (Vec<_>, Vec<_>) = (heard.collect(), told.collect());
        // Here a row begins with what it is about; there it has one of each direction.
        let here = |column: usize| named(here, "//! |", column);
        let readme = |column: usize| named(readme, "|", column);
        for name in heard.iter().chain(&told) {
            assert!(here(1).contains(&(*name).to_owned()), "{name} in mod.rs");
        }
        for (names, column) in [(heard, 1), (told, 4)] {
            for name in names {
                assert!(readme(column).contains(&name.to_owned()), "{name} in the README");
            }
        }
        for (name, _) in facts::FACTS.iter().chain(&facts::EXPORTS) {
            assert!(readme(2).contains(&(*name).to_owned()), "{name} in the README");
        }
    }

    /// What a column of a text's tables names.
    fn named(text: &str, row: &str, column: usize) -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with(row));
        let cells = rows.filter_map(|line| line.split('|').nth(column));
        let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        words.map(str::to_owned).collect()
    }

    #[wasm_bindgen_test]
    fn only_a_row_of_a_table_describes() {
        let text = "`load` in a sentence\n| `play` * | `until` |\n| `a` `b` | | `c` | `d`, `e` |";
        assert_eq!(named(text, "|", 1), ["play", "a", "b"]);
        assert_eq!(named(text, "|", 2), ["until"]);
        assert_eq!(named(text, "|", 4), ["d", "e"]);
    }
}
