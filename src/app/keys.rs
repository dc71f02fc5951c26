//! The keyboard: one table binds the keys and is what the sheet of keys shows.
//!
//! Single letters act only while the stage has the focus; pairs with Alt work everywhere. Keys are
//! told by their place on the keyboard, since Option with a letter types a character on a Mac.

use crate::app::actions::perform_key;
use crate::app::panels::compare;
use crate::app::stage::hand::{fit, zoom};
use crate::app::stage::lens::STEP;
use crate::app::stage::{self, lasso, walk};
use crate::app::state::{Lab, Selection, Theme, Tool};
use crate::base::time::Time;
use crate::scenario::presets;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;

/// One way to press: a key by its place, with what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    code: &'static str,
    shift: bool,
    alt: bool,
    ctrl: bool,
}

const fn key(code: &'static str) -> Press {
    Press { code, shift: false, alt: false, ctrl: false }
}
const fn shift(code: &'static str) -> Press {
    Press { shift: true, ..key(code) }
}
const fn alt(code: &'static str) -> Press {
    Press { alt: true, ..key(code) }
}
const fn ctrl(code: &'static str) -> Press {
    Press { ctrl: true, ..key(code) }
}
const fn with_shift(press: Press) -> Press {
    Press { shift: true, ..press }
}

/// One thing keys can do.
pub struct Binding {
    /// While the stage has the focus.
    pub stage: Option<Press>,
    /// Wherever the focus is.
    pub anywhere: Option<Press>,
    /// What it does, for the sheet.
    pub does: &'static str,
    /// Does it.
    pub run: fn(Lab),
}

/// How far a key moves a node, as a share of the stage.
const PUSH: f64 = 0.02;
/// Stands for the keys 1 to 9.
const DIGITS: &str = "1–9";

/// Every key, in the order of the sheet.
pub const BINDINGS: &[Binding] = &[
    bind(Some(key("Space")), Some(alt("KeyK")), "Play or pause", play_or_pick),
    bind(Some(key("Period")), Some(alt("Period")), "Next event", |lab| lab.step()),
    bind(Some(key("Comma")), Some(alt("Comma")), "Previous event", |lab| lab.step_back()),
    bind(Some(shift("Period")), Some(with_shift(alt("Period"))), "One second later", |lab| {
        lab.nudge(1.0);
    }),
    bind(Some(shift("Comma")), Some(with_shift(alt("Comma"))), "One second earlier", |lab| {
        lab.nudge(-1.0);
    }),
    bind(Some(key("BracketLeft")), None, "Slower", |lab| lab.change_speed(-1)),
    bind(Some(key("BracketRight")), None, "Faster", |lab| lab.change_speed(1)),
    bind(Some(key("Home")), Some(alt("KeyR")), "Back to the start", |lab| lab.seek(Time::ZERO)),
    bind(Some(key("End")), None, "To the newest instant", |lab| {
        lab.seek(lab.with_session(|s| s.newest()));
    }),
    bind(Some(key("ArrowLeft")), None, "To the node or link on the left", |_| walk(-1.0, 0.0)),
    bind(Some(key("ArrowRight")), None, "To the node or link on the right", |_| walk(1.0, 0.0)),
    bind(Some(key("ArrowUp")), None, "To the node or link above", |_| walk(0.0, -1.0)),
    bind(Some(key("ArrowDown")), None, "To the node or link below", |_| walk(0.0, 1.0)),
    bind(Some(shift("ArrowLeft")), None, "Move the node to the left", |lab| push(lab, -1.0, 0.0)),
    bind(Some(shift("ArrowRight")), None, "Move the node to the right", |lab| push(lab, 1.0, 0.0)),
    bind(Some(shift("ArrowUp")), None, "Move the node up", |lab| push(lab, 0.0, -1.0)),
    bind(Some(shift("ArrowDown")), None, "Move the node down", |lab| push(lab, 0.0, 1.0)),
    bind(Some(key("Equal")), None, "Look closer", |lab| zoom(lab, STEP)),
    bind(Some(key("Minus")), None, "Look from farther away", |lab| zoom(lab, 1.0 / STEP)),
    bind(Some(key("Digit0")), None, "Show the whole stage", fit),
    bind(Some(key("Enter")), None, "What can be done to it", enter),
    bind(Some(shift("F10")), None, "The same, as in other programs", enter),
    bind(Some(key("KeyC")), None, "Cut or heal the link", |lab| on_selected(lab, "C", Tool::Cut)),
    bind(Some(key("KeyX")), None, "Crash or restart the node; clients: triple their load", |lab| {
        on_selected(lab, "X", Tool::Crash);
    }),
    bind(Some(key("KeyG")), None, "Slow the node or link, or let it run", |lab| {
        on_selected(lab, "G", Tool::Slow);
    }),
    bind(Some(key("KeyP")), None, "Tear the nodes in two: Space picks, Enter divides", |lab| {
        lab.take(Tool::Partition);
    }),
    bind(Some(key("KeyV")), None, "Back to selecting", |lab| lab.tool.set(Tool::Select)),
    bind(Some(key("Escape")), None, "Let go; on the way to an instant, stop there", let_go),
    bind(Some(key(DIGITS)), None, "Place the bet of the story on this answer", |_| ()),
    bind(Some(ctrl("KeyZ")), Some(ctrl("KeyZ")), "Undo", |lab| lab.undo()),
    bind(Some(ctrl("KeyY")), Some(with_shift(ctrl("KeyZ"))), "Redo", |lab| lab.do_again()),
    bind(Some(key("KeyA")), None, "Compare with the preset as it is, and back", compare::toggle),
    bind(None, Some(alt("KeyO")), "Outline: the stage as a table", |lab| {
        lab.outline.update(|o| *o = !*o);
    }),
    bind(None, Some(alt("KeyT")), "Charts as tables, and back", |lab| {
        lab.tables.update(|t| *t = !*t)
    }),
    bind(None, Some(alt("KeyS")), "Share this run", |lab| lab.sharing.set(true)),
    bind(None, Some(alt("KeyM")), "Calm: numbers instead of moving dots", |lab| {
        lab.calm.update(|c| *c = !*c);
    }),
    bind(None, Some(alt("KeyD")), "Light, dark or as the system", next_theme),
    bind(Some(ctrl("KeyK")), Some(ctrl("KeyK")), "Commands by name", |lab| lab.commands.set(true)),
    bind(None, Some(key("F6")), "Next part of the page", |_| next_region(1)),
    bind(None, Some(shift("F6")), "Previous part of the page", |_| next_region(-1)),
    bind(Some(shift("Slash")), Some(alt("Slash")), "This sheet", |lab| lab.help.set(true)),
];

const fn bind(
    stage: Option<Press>,
    anywhere: Option<Press>,
    does: &'static str,
    run: fn(Lab),
) -> Binding {
    Binding { stage, anywhere, does, run }
}

impl Binding {
    /// Whether it makes sense without the key at hand.
    pub fn is_a_command(&self) -> bool {
        !self.stage.is_some_and(|p| p.code == DIGITS || p.code.starts_with("Arrow"))
    }
}

impl Press {
    /// What is written on the keys.
    pub fn caps(&self) -> String {
        let cap = match self.code {
            "Period" => ".",
            "Comma" => ",",
            "BracketLeft" => "[",
            "BracketRight" => "]",
            "Equal" => "+",
            "Minus" => "-",
            "Digit0" => "0",
            "Slash" if self.shift => "?",
            "Slash" => "/",
            "ArrowLeft" => "←",
            "ArrowRight" => "→",
            "ArrowUp" => "↑",
            "ArrowDown" => "↓",
            "Escape" => "Esc",
            code => code.strip_prefix("Key").unwrap_or(code),
        };
        let shift = self.shift && self.code != "Slash";
        let held = [(self.ctrl, "Ctrl+"), (self.alt, "Alt+"), (shift, "Shift+")];
        held.iter().filter(|h| h.0).map(|h| h.1).chain([cap]).collect()
    }

    fn is(&self, event: &KeyboardEvent) -> bool {
        let code = event.code();
        let code = match code.as_str() {
            "NumpadAdd" => "Equal",
            "NumpadSubtract" => "Minus",
            "Numpad0" => "Digit0",
            code => code,
        };
        // On many keyboards + is = with Shift.
        code == self.code
            && (event.shift_key() == self.shift || code == "Equal")
            && event.alt_key() == self.alt
            && (event.ctrl_key() || event.meta_key()) == self.ctrl
    }
}

/// Answers a key pressed while the stage has the focus.
pub fn on_stage(lab: Lab, event: &KeyboardEvent) {
    // A button on the stage answers its own Space and Enter.
    let target = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
    let on_control = target.is_some_and(|t| matches!(t.tag_name().as_str(), "BUTTON" | "SUMMARY"));
    if on_control && matches!(event.code().as_str(), "Space" | "Enter") {
        return;
    }
    let plain = !(event.shift_key() || event.alt_key() || event.ctrl_key() || event.meta_key());
    if let Some(n) = digit(&event.code()).filter(|_| plain) {
        event.prevent_default();
        return place_bet(lab, n);
    }
    answer(lab, event, |b| b.stage);
}

/// Which of the keys 1 to 9 it is, counted from none.
fn digit(code: &str) -> Option<usize> {
    let digit = code.strip_prefix("Digit").or(code.strip_prefix("Numpad"))?;
    digit.parse::<usize>().ok()?.checked_sub(1)
}

/// Bets on an answer to the question of the story, while nobody knows it.
fn place_bet(lab: Lab, n: usize) {
    let preset = lab.preset.get_untracked();
    let Some(preset) = preset.as_deref().and_then(presets::find) else { return };
    if let Some(choice) = preset.question.choices.get(n)
        && lab.with_session(|s| s.newest() < s.end())
    {
        lab.bet.set(Some(n));
        lab.announced.set(format!("Your bet: {choice}"));
    }
}

/// Moves the selected node a little.
fn push(lab: Lab, dx: f64, dy: f64) {
    if let Selection::Node(id) = lab.selected.get_untracked() {
        stage::shift(lab, id, (dx * PUSH, dy * PUSH));
        stage::put(lab, id);
    }
}

/// Answers a key pressed anywhere on the page.
pub fn anywhere(lab: Lab, event: &KeyboardEvent) {
    if event.default_prevented() {
        return;
    }
    // A dialog is left first.
    let open = document().query_selector("dialog[open]").is_ok_and(|d| d.is_some());
    if event.code() == "Escape" && !open && lab.going.get_untracked().is_some() {
        event.prevent_default();
        return lab.pause();
    }
    let target = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
    let typing =
        target.is_some_and(|t| matches!(t.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"));
    let ctrl = event.ctrl_key() || event.meta_key();
    if typing && !leaves_fields(&event.code(), event.alt_key(), ctrl) {
        return;
    }
    answer(lab, event, |b| b.anywhere);
}

/// Whether a key says nothing to a field that has the focus, so that the page may have it.
fn leaves_fields(code: &str, alt: bool, ctrl: bool) -> bool {
    alt || code == "F6" || (ctrl && code == "KeyK")
}

fn answer(lab: Lab, event: &KeyboardEvent, way: fn(&Binding) -> Option<Press>) {
    if let Some(binding) = BINDINGS.iter().find(|b| way(b).is_some_and(|p| p.is(event))) {
        event.prevent_default();
        (binding.run)(lab);
    }
}

/// Does it to what is selected; with nothing selected, takes the tool in hand.
fn on_selected(lab: Lab, letter: &str, tool: Tool) {
    match lab.selected.get_untracked() {
        Selection::Node(_) | Selection::Link(_) => {
            perform_key(lab, lab.selected.get_untracked(), letter);
        }
        _ => lab.take(tool),
    }
}

/// Plays or pauses; while a partition is drawn, puts the node in focus on the other side.
fn play_or_pick(lab: Lab) {
    match (lab.tool.get_untracked(), lab.selected.get_untracked()) {
        (Tool::Partition, Selection::Node(id)) => lasso::toggle(lab, id),
        _ => lab.toggle(),
    }
}

fn enter(lab: Lab) {
    if lab.tool.get_untracked() == Tool::Partition {
        lasso::apply(lab);
    } else {
        focus_first(".menu button");
    }
}

fn let_go(lab: Lab) {
    if lab.going.get_untracked().is_some() {
        return lab.pause();
    }
    lab.tool.set(Tool::Select);
    lab.selected.set(Selection::None);
    focus_first(".stage");
}

fn next_theme(lab: Lab) {
    lab.theme.update(|theme| {
        *theme = match theme {
            Theme::Auto => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Auto,
        };
    });
}

/// Moves the keyboard to the first element of a kind, if there is one.
pub fn focus_first(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // A refused focus leaves the keyboard where it was.
        let _ = element.focus();
    }
}

fn next_region(step: i32) {
    let Ok(list) = document().query_selector_all("[data-region]") else { return };
    let here = document().active_element();
    let count = list.length() as i32;
    let holds = |n: i32| {
        let region = list.item(n as u32);
        region.is_some_and(|r| here.as_ref().is_some_and(|h| r.contains(Some(h))))
    };
    let now = (0..count).find(|n| holds(*n)).unwrap_or(if step > 0 { -1 } else { 0 });
    let next = (now + step).rem_euclid(count.max(1)) as u32;
    let region = list.item(next).and_then(|n| n.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(region) = region {
        let _ = region.focus();
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn what_is_typed_into_a_field_stays_there() {
        for (code, alt, ctrl, leaves) in [
            ("F6", false, false, true),
            ("KeyK", true, false, true),
            ("KeyK", false, true, true),
            ("KeyK", false, false, false),
            ("KeyF", false, false, false),
            ("KeyZ", false, true, false),
            ("Space", false, false, false),
        ] {
            assert_eq!(leaves_fields(code, alt, ctrl), leaves, "{code}");
        }
    }

    #[wasm_bindgen_test]
    fn digits_count_answers_from_the_first() {
        assert_eq!((digit("Digit1"), digit("Numpad9"), digit("Digit0")), (Some(0), Some(8), None));
        assert_eq!(digit("KeyD"), None);
    }

    #[wasm_bindgen_test]
    fn no_two_bindings_share_a_key() {
        for way in [|b: &Binding| b.stage, |b: &Binding| b.anywhere] {
            let all: Vec<Press> = BINDINGS.iter().filter_map(way).collect();
            for (n, press) in all.iter().enumerate() {
                assert!(!all[..n].contains(press), "{}", press.caps());
            }
        }
    }
}
