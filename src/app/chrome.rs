//! How much of the page is shown: what an address asks for with `ui=`, `hide=` and `show=`. It
//! changes nothing of the run.

use crate::app::panels::PANELS;
use leptos::prelude::document;

/// What an address may ask for.
pub const SIZES: &[&str] = &["full", "min", "none"];
/// What can be hidden besides the panels.
const PARTS: [&str; 6] = ["title", "caption", "legend", "tools", "headline", "time"];

/// Everything that can be hidden.
pub fn parts() -> Vec<&'static str> {
    PANELS.iter().map(|panel| panel.id).chain(PARTS).collect()
}

/// Notes what is asked for at the root of the page, where the style sheet finds it.
pub fn apply(ui: &str, hide: &str, show: &str) {
    for (name, value) in [("ui", ui), ("hide", hide), ("show", show)] {
        note(name, value);
    }
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
