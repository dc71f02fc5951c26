//! What surrounds the stage. To add one: a file here with a component without properties, and a line
//! in [`PANELS`].

use leptos::prelude::*;

/// Where a panel stands when there is room; on a phone all of them are tabs of one sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Left of the stage: what this is about.
    Story,
    /// Right of the stage: one tab each.
    Side,
    /// Below the stage.
    Charts,
}

/// A part of the page beside the stage.
pub struct Panel {
    /// Short name for the tab and the address of the element.
    pub id: &'static str,
    /// What people read on the tab.
    pub title: &'static str,
    /// Where it stands.
    pub slot: Slot,
    /// Makes it. It finds the run by `expect_context::<Lab>()`.
    pub view: fn() -> AnyView,
}

/// Every panel, in the order of the tabs.
pub const PANELS: &[Panel] = &[];
