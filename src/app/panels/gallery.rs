//! The gallery: every experiment, by theme. The way in.

use crate::app::address;
use crate::app::stage::poster::Poster;
use crate::app::state::Lab;
use crate::scenario::presets::{self, Preset};
use leptos::prelude::*;

/// The gallery.
#[component]
pub fn Gallery() -> impl IntoView {
    let mut themes: Vec<String> = Vec::new();
    for preset in presets::all() {
        if !themes.iter().any(|t| *t == *preset.theme) {
            themes.push(preset.theme.to_string());
        }
    }
    let first = presets::all().iter().find(|p| p.id == "retry-storm").or(presets::all().first());
    let section = |theme: String| {
        let cards = presets::all()
            .iter()
            .filter(|p| *p.theme == *theme)
            .map(|preset| view! { <Card preset /> })
            .collect_view();
        view! {
            <section class="shelf">
                <h2>{theme}</h2>
                <ul class="cards">{cards}</ul>
            </section>
        }
    };
    view! {
        <main class="gallery">
            <header class="hero">
                <div>
                    <h1>"Break it here first."</h1>
                    <p>
                        "Every call in a distributed system can be slow, lost, doubled, or succeed without telling anyone. "
                        "netsplit simulates whole systems in this tab: cut a link, crash a node, change a timeout, and see who suffers and why."
                    </p>
                    {first.map(|preset| view! { <Start preset /> })}
                </div>
                {first.map(|preset| view! { <Poster id=preset.id /> })}
            </header>
            {themes.into_iter().map(section).collect_view()}
            <footer class="foot">
                "Deterministic: a link opens the same run everywhere. Nothing leaves this tab."
            </footer>
        </main>
    }
}

#[component]
fn Start(preset: &'static Preset) -> impl IntoView {
    let lab = expect_context::<Lab>();
    let id = preset.id;
    view! {
        <a
            class="button button-main start"
            href=address::of_preset(id)
            on:click=move |event| address::follow(lab, &event, Some(id))
        >
            {format!("Start with: {}", preset.title)}
        </a>
    }
}

#[component]
fn Card(preset: &'static Preset) -> impl IntoView {
    let lab = expect_context::<Lab>();
    let id = preset.id;
    view! {
        <li class="card">
            <a
                href=address::of_preset(id)
                on:click=move |event| address::follow(lab, &event, Some(id))
            >
                <Poster id />
                <h3>{preset.title.to_string()}</h3>
                <p>{preset.summary.to_string()}</p>
            </a>
        </li>
    }
}
