//! A switch: on or off, applied at once.

use crate::app::dom::attr::Attr;
use crate::app::dom::view::View;
use crate::app::dom::{El, html};
use leptos::ev;
use leptos::prelude::event_target_checked;

/// A switch with its label.
pub fn Toggle(label: impl Into<View>, on: impl Into<Attr>, change: impl Fn(bool) + 'static) -> El {
    html("label")
        .class("toggle")
        .child(
            html("input")
                .attr("type", "checkbox")
                .attr("role", "switch")
                .checked(on)
                .on(ev::change, move |event| change(event_target_checked(&event))),
        )
        .child(html("span").class("toggle-track").attr("aria-hidden", "true"))
        .child(html("span").class("toggle-label").child(label))
}
