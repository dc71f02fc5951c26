//! What surrounds the stage. To add one: a file here with a component without properties, and a
//! line in [`PANELS`].

pub mod checks;
pub mod compare;
mod copies;
mod cost;
mod figures;
pub mod form;
pub mod gallery;
pub mod headline;
pub mod help;
pub mod inspector;
pub mod knobs;
pub mod log;
mod losses;
pub mod metrics;
pub mod outline;
pub mod palette;
pub mod parameters;
pub mod parts;
pub mod playback;
pub mod replicas;
pub mod seeds;
pub mod shards;
pub mod share;
mod share_embed;
pub mod story;
pub mod toolbar;

use crate::app::dom::view::{IntoView, View};

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
    pub view: fn() -> View,
}

/// Every panel, in the order of the tabs.
pub const PANELS: &[Panel] = &[
    Panel { id: "story", title: "Story", slot: Slot::Story, view: || story::Story().into_view() },
    Panel {
        id: "inspector",
        title: "Inspect",
        slot: Slot::Side,
        view: || inspector::Inspector().into_view(),
    },
    Panel {
        id: "parameters",
        title: "Tune",
        slot: Slot::Side,
        view: || parameters::Parameters().into_view(),
    },
    Panel { id: "log", title: "Log", slot: Slot::Side, view: || log::Log().into_view() },
    Panel {
        id: "checks",
        title: "Checks",
        slot: Slot::Side,
        view: || checks::Checks().into_view(),
    },
    Panel {
        id: "losses",
        title: "Losses",
        slot: Slot::Side,
        view: || losses::Losses().into_view(),
    },
    Panel {
        id: "metrics",
        title: "Metrics",
        slot: Slot::Charts,
        view: || metrics::Metrics().into_view(),
    },
];
