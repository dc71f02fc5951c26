//! Tabs: one of several panels at a time, moved between with the arrow keys.

use crate::app::dom::html;
use crate::app::dom::view::View;
use leptos::ev;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A tab: its id and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// Names the tab and its panel in the page.
    pub id: &'static str,
    /// What it says.
    pub label: &'static str,
}

/// A row of tabs and the panel of the chosen one.
/// `panel` draws the one of that id.
pub fn Tabs(
    name: &'static str,
    tabs: Vec<Tab>,
    chosen: RwSignal<&'static str>,
    panel: fn(&'static str) -> View,
) -> impl Into<View> {
    let ids: Vec<&'static str> = tabs.iter().map(|tab| tab.id).collect();
    let keys = move |event: KeyboardEvent| {
        let Some(now) = ids.iter().position(|id| *id == chosen.get_untracked()) else {
            return;
        };
        let next = match event.key().as_str() {
            "ArrowRight" => (now + 1) % ids.len(),
            "ArrowLeft" => (now + ids.len() - 1) % ids.len(),
            "Home" => 0,
            "End" => ids.len() - 1,
            _ => return,
        };
        event.prevent_default();
        chosen.set(ids[next]);
        focus(&format!("tab-{}", ids[next]));
    };
    let buttons = tabs.into_iter().map(|Tab { id, label }| {
        let is_chosen = move || chosen.get() == id;
        html("button")
            .attr("type", "button")
            .attr("role", "tab")
            .class("tab")
            .attr("id", format!("tab-{id}"))
            .attr("aria-selected", move || if is_chosen() { "true" } else { "false" })
            .attr("aria-controls", format!("panel-{id}"))
            .attr("tabindex", move || if is_chosen() { "0" } else { "-1" })
            .on(ev::click, move |_| chosen.set(id))
            .child(label)
    });
    html("div")
        .class("tabs")
        .child(
            html("div")
                .class("tab-row")
                .attr("role", "tablist")
                .attr("aria-label", name)
                .on(ev::keydown, keys)
                .child(buttons.collect::<View>()),
        )
        .child(move || {
            let id = chosen.get();
            html("div")
                .class("tab-panel")
                .attr("role", "tabpanel")
                .attr("id", format!("panel-{id}"))
                .attr("aria-labelledby", format!("tab-{id}"))
                .attr("tabindex", "0")
                .child(untrack(|| panel(id)))
        })
}

/// Moves the keyboard to the element of that id, if it is there.
pub fn focus(id: &str) {
    let found = document().get_element_by_id(id);
    if let Some(element) = found.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // A refused focus leaves the keyboard where it was, which is all that can be done.
        let _ = element.focus();
    }
}
