//! Tabs: one of several panels at a time, moved between with the arrow keys.

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
#[component]
pub fn Tabs(
    /// What the tabs are about, read out.
    #[prop(into)]
    name: String,
    /// The tabs, at least one.
    tabs: Vec<Tab>,
    /// The id of the chosen one.
    chosen: RwSignal<&'static str>,
    /// Draws the panel of a tab, given its id.
    #[prop(into)]
    panel: Callback<&'static str, AnyView>,
) -> impl IntoView {
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
        view! {
            <button
                type="button"
                role="tab"
                class="tab"
                id=format!("tab-{id}")
                aria-selected=move || if is_chosen() { "true" } else { "false" }
                aria-controls=format!("panel-{id}")
                tabindex=move || if is_chosen() { "0" } else { "-1" }
                on:click=move |_| chosen.set(id)
            >
                {label}
            </button>
        }
    });
    view! {
        <div class="tabs">
            <div class="tab-row" role="tablist" aria-label=name on:keydown=keys>
                {buttons.collect_view()}
            </div>
            {move || {
                let id = chosen.get();
                view! {
                    <div
                        class="tab-panel"
                        role="tabpanel"
                        id=format!("panel-{id}")
                        aria-labelledby=format!("tab-{id}")
                        tabindex="0"
                    >
                        {panel.run(id)}
                    </div>
                }
            }}
        </div>
    }
}

/// Moves the keyboard to the element of that id, if it is there.
pub fn focus(id: &str) {
    let found = document().get_element_by_id(id);
    if let Some(element) = found.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // A refused focus leaves the keyboard where it was, which is all that can be done.
        let _ = element.focus();
    }
}
