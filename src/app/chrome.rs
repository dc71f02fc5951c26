//! How much of the page is shown, and what a reader may change: what an address asks for with
//! `ui=`, `hide=`, `show=`, `palette=` and `edit=`. It changes nothing of the run.

use crate::app::panels::PANELS;
use crate::session::command::Command;
use leptos::prelude::document;

/// What an address may ask for.
pub const SIZES: &[&str] = &["full", "min", "none"];
/// The colours it may ask for besides light or dark: as they are, or with stronger lines.
pub const PALETTES: &[&str] = &["auto", "contrast"];
/// What a reader may change, in words of the address.
pub const EDITS: &[&str] = &["all", "faults", "none"];
/// What an address says of all this, by name.
pub const ASKS: [&str; 5] = ["ui", "hide", "show", "palette", "edit"];
/// What can be hidden besides the panels.
const PARTS: [&str; 6] = ["title", "caption", "legend", "tools", "headline", "time"];

/// What is said of a change that the address rules out.
pub const LOCKED: &str = "The address of this page keeps it as it is (edit=). Without that, \
    everything can be changed.";

/// Everything that can be hidden.
pub fn parts() -> Vec<&'static str> {
    PANELS.iter().map(|panel| panel.id).chain(PARTS).collect()
}

/// Notes what is asked for, in the order of [`ASKS`], at the root of the page, where the style
/// sheet finds it.
pub fn apply(asked: &[String; ASKS.len()]) {
    ASKS.iter().zip(asked).for_each(|(name, value)| note(name, value));
}

/// Notes one of these. What is made by what was asked for is not made anew.
pub fn note(name: &str, value: &str) {
    let Some(root) = document().document_element() else { return };
    // All of them are legal attributes, so it cannot be refused.
    let _ = root.set_attribute(&format!("data-{name}"), &value.replace(',', " "));
}

/// What was asked for: the parts of `data-hide` or `data-show`.
fn asked(name: &str) -> Vec<String> {
    let text = document().document_element().and_then(|root| root.get_attribute(name));
    text.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Whether a panel is shown.
pub fn shows(id: &str) -> bool {
    !asked("data-hide").iter().any(|hidden| hidden == id)
}

/// The settings to show beside an embedded run, by path.
pub fn knobs() -> Vec<String> {
    asked("data-show")
}

/// Whether a reader may break and mend things.
pub fn may_break() -> bool {
    !asked("data-edit").iter().any(|edit| edit == "none")
}

/// Whether a reader may change settings as well.
pub fn may_set() -> bool {
    may_break() && !asked("data-edit").iter().any(|edit| edit == "faults")
}

/// Whether a reader may do all of this.
pub fn may(commands: &[Command]) -> bool {
    let sets = commands.iter().any(|command| matches!(command, Command::Set { .. }));
    if sets { may_set() } else { may_break() }
}
