//! A run inside another page: the stage, the time, and a way to the whole laboratory.

use crate::app::address;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::icon::icon;
use crate::app::panels::playback::Playback;
use crate::app::stage::Stage;
use crate::app::state::Lab;
use crate::scenario::presets;
use leptos::prelude::*;

/// The embedded view.
pub fn Embed() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let title = move || {
        let found = lab.preset.get();
        let found = found.as_deref().and_then(presets::find);
        found.map_or_else(|| "netsplit".to_owned(), |p| p.title.to_string())
    };
    let full = move || {
        lab.slow_tick.track();
        let base = lab.preset.get().map_or_else(address::home, |id| address::of_preset(&id));
        format!("{base}#{}", address::fragment(lab))
    };
    html("main")
        .class("embed")
        .child(
            html("header").class("embed-bar").child(html("h1").child(title)).child(
                html("a")
                    .attr("href", full)
                    .attr("target", "_blank")
                    .attr("rel", "noopener")
                    .class("button button-quiet")
                    .child(icon("open"))
                    .child(html("span").child("Open in netsplit")),
            ),
        )
        .child(Stage())
        .child(Playback())
}
