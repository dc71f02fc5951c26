//! A dialog over the page: the native element, so focus is kept inside, Escape closes it, and
//! focus returns to where it was.

use crate::app::dom::each::show;
use crate::app::dom::view::View;
use crate::app::dom::{El, html};
use leptos::ev;
use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A dialog. Its content is drawn anew each time it opens.
pub fn Dialog<V: Into<View>>(
    title: &'static str,
    open: RwSignal<bool>,
    content: impl Fn() -> V + 'static,
) -> El {
    let element = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = element.get() else { return };
        match (open.get(), dialog.open()) {
            // Refused only when the element is not in the page; then it stays closed.
            (true, false) if dialog.show_modal().is_err() => open.set(false),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let on_backdrop = move |event: MouseEvent| {
        let target = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|t| t.tag_name() == "DIALOG") {
            open.set(false);
        }
    };
    html("dialog")
        .class("dialog")
        .found_by(element)
        .attr("aria-label", title)
        .on(ev::close, move |_| open.set(false))
        .on(ev::click, on_backdrop)
        .child(
            html("div")
                .class("dialog-sheet")
                .child(
                    html("header").class("dialog-head").child(html("h2").child(title)).child(
                        html("button")
                            .attr("type", "button")
                            .class("button button-quiet button-close")
                            .attr("aria-label", "Close")
                            .on(ev::click, move |_| open.set(false))
                            .child(html("span").attr("aria-hidden", "true").child("✕")),
                    ),
                )
                .child(show(move || open.get(), content)),
        )
}
