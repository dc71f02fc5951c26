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
    (!text.is_empty()).then(|| {
        view! {
            <details class="help">
                <summary title="What is this?">
                    <span aria-hidden="true">"?"</span>
                    <span class="unseen">{format!("About {about}")}</span>
                </summary>
                <p>{text}</p>
            </details>
        }
    })
}
