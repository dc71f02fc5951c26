//! What the shapes and colours mean. The shapes are those of the shader, in SVG.

use leptos::prelude::*;

/// A shape on a 14 by 14 grid around the origin: the class gives its colour.
fn shape(name: &str) -> AnyView {
    let diamond = "M0-5.6 5.600 0 0 5.600-5.600 0z";
    match name {
        "retry" => view! { <circle class="line" r="4.6" /><circle class="solid" r="2.2" /> }.into_any(),
        "reply" => view! { <path class="line" d=diamond /> }.into_any(),
        "error" => view! { <path class="solid" d=diamond /><path class="mark" d="M-1.800-1.800 1.800 1.800M1.800-1.800-1.800 1.800" /> }.into_any(),
        "degraded" | "client-degraded" => view! { <path class="line" d=diamond /><path class="solid" d="M0-5.600V5.600L-5.600 0z" /> }.into_any(),
        "orphan" | "client-backing-off" => view! { <circle class="line" r="4.2" /> }.into_any(),
        "lost" | "client-failed" => view! { <path class="cross" d="M-4-4 4 4M4-4-4 4" /> }.into_any(),
        _ => view! { <circle class="solid" r="4.6" /> }.into_any(),
    }
}

/// Messages, then clients: class, word, meaning.
const MESSAGES: [(&str, &str, &str); 7] = [
    ("request", "request", "a first attempt"),
    ("retry", "retry", "a later attempt at the same thing"),
    ("reply", "reply", "it worked"),
    ("degraded", "degraded", "it worked, with something missing"),
    ("error", "error", "it did not work"),
    ("orphan", "unwanted", "nobody waits for it any more"),
    ("lost", "lost", "it never arrived"),
];
const CLIENTS: [(&str, &str, &str); 4] = [
    ("client-waiting", "waiting", "a client waiting for its first answer"),
    ("client-backing-off", "backing off", "a client waiting before it tries again"),
    ("client-served", "served", "a client whose last request ended well"),
    ("client-failed", "failed", "a client whose last request failed"),
];

/// The legend.
#[component]
pub fn Legend() -> impl IntoView {
    let entry = |(class, word, meaning): (&'static str, &'static str, &'static str)| {
        view! {
            <li title=meaning>
                <svg class=format!("key {class}") viewBox="-7 -7 14 14" aria-hidden="true">
                    {shape(class)}
                </svg>
                {word}
            </li>
        }
    };
    view! {
        <details class="legend" open>
            <summary>"Legend"</summary>
            <ul aria-label="Messages">{MESSAGES.map(entry).collect_view()}</ul>
            <ul aria-label="Clients">{CLIENTS.map(entry).collect_view()}</ul>
        </details>
    }
}
