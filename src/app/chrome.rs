//! How much of the page is shown: what an address asks for with `ui=`, `hide=` and `show=`. It
//! changes nothing of the run.

use crate::app::panels::PANELS;
use leptos::prelude::document;

/// What an address may ask for.
pub const SIZES: &[&str] = &["full", "min", "none"];
/// What can be hidden besides the panels.
const PARTS: [&str; 6] = ["title", "caption", "legend", "tools", "headline", "time"];

/// How much is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chrome {
    /// `full`, `min` for the stage and the time, `none` for the stage.
    pub ui: String,
    /// Panels and parts that are not shown.
    pub hide: Vec<String>,
    /// Settings to show beside an embedded run, by path.
    pub show: Vec<String>,
}

/// Everything that can be hidden.
pub fn parts() -> Vec<&'static str> {
    PANELS.iter().map(|panel| panel.id).chain(PARTS).collect()
}

/// The parts of a list with commas.
pub fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

impl Chrome {
    /// Whether a panel is shown.
    pub fn shows(&self, id: &str) -> bool {
        !self.hide.iter().any(|hidden| hidden == id)
    }

    /// Tells the style sheet: the parts that are no panels are hidden by it.
    pub fn apply(&self) {
        let Some(root) = document().document_element() else { return };
        for (name, value) in [("data-ui", self.ui.clone()), ("data-hide", self.hide.join(" "))] {
            // Both names are legal attributes, so it cannot be refused.
            let _ = root.set_attribute(name, &value);
        }
    }
}
