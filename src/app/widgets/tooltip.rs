//! A short explanation that appears beside what it explains, on hover and on focus, and goes with
//! Escape.

use leptos::prelude::*;

/// Wraps what is explained.
#[component]
pub fn Tooltip(
    /// The explanation.
    #[prop(into)]
    text: Signal<String>,
    /// What is explained.
    children: Children,
) -> impl IntoView {
    let away = RwSignal::new(false);
    view! {
        <span
            class="tip"
            class:tip-away=away
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    away.set(true);
                }
            }
            on:mouseenter=move |_| away.set(false)
            on:focusin=move |_| away.set(false)
        >
            {children()}
            <span class="tip-text" role="tooltip">{text}</span>
        </span>
    }
}

/// A question mark that unfolds an explanation below itself: works by touch as well.
#[component]
pub fn Help(
    /// What it explains, read out with the question mark.
    #[prop(into)]
    about: String,
    /// The explanation; nothing is drawn when it is empty.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let open = RwSignal::new(false);
    (!text.is_empty()).then(|| {
        view! {
            <button
                type="button"
                class="help"
                aria-expanded=move || if open.get() { "true" } else { "false" }
                aria-label=format!("About {about}")
                title=text.clone()
                on:click=move |_| open.update(|o| *o = !*o)
            >
                <span aria-hidden="true">"?"</span>
            </button>
            {move || open.get().then(|| view! { <p class="help-text">{text.clone()}</p> })}
        }
    })
}
