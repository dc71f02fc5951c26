//! A switch: on or off, applied at once.

use leptos::prelude::*;

/// A switch with its label.
#[component]
pub fn Toggle(
    /// What it switches.
    #[prop(into)]
    label: String,
    /// Whether it is on.
    #[prop(into)]
    on: Signal<bool>,
    /// What a change does.
    #[prop(into)]
    change: Callback<bool>,
    /// The id of the text that explains it.
    #[prop(optional, into)]
    described_by: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <label class="toggle">
            <input
                type="checkbox"
                role="switch"
                prop:checked=on
                aria-describedby=move || described_by.get()
                on:change=move |event| change.run(event_target_checked(&event))
            />
            <span class="toggle-track" aria-hidden="true"></span>
            <span class="toggle-label">{label}</span>
        </label>
    }
}
