//! The gallery: every experiment, by theme. The way in.

use crate::app::address;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::file::Opener;
use crate::app::stage::poster::Poster;
use crate::app::state::Lab;
use crate::scenario::link;
use crate::scenario::presets::{self, Preset};
use crate::session::Session;
use leptos::ev;
use leptos::prelude::*;

const PITCH: &str = "Every call in a distributed system can be slow, lost, doubled, or succeed \
    without telling anyone. netsplit simulates whole systems in this tab: cut a link, crash a \
    node, change a timeout, and see who suffers and why.";

const FOOT: &str = "Deterministic: a link opens the same run everywhere. Nothing leaves this tab.";

/// The gallery.
pub fn Gallery() -> impl Into<View> {
    let mut themes: Vec<String> = Vec::new();
    for preset in presets::all() {
        if !themes.iter().any(|t| *t == *preset.theme) {
            themes.push(preset.theme.to_string());
        }
    }
    let first = presets::all().iter().find(|p| p.id == "retry-storm").or(presets::all().first());
    let section = |theme: String| {
        let cards =
            presets::all().iter().filter(|p| *p.theme == *theme).map(Card).collect::<View>();
        html("section")
            .class("shelf")
            .child(html("h2").child(theme))
            .child(html("ul").class("cards").child(cards))
    };
    let pitch = html("div")
        .child(html("h1").child("Break it here first."))
        .child(html("p").child(PITCH))
        .child(first.map(Start))
        .child(Opener(|| ()));
    let hero =
        html("header").class("hero").child(pitch).child(first.map(|preset| Poster(of(&preset.id))));
    html("main")
        .class("gallery")
        .child(hero)
        .child(themes.into_iter().map(section).collect::<View>())
        .child(html("footer").class("foot").child(FOOT))
}

fn Start(preset: &'static Preset) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let id = preset.id.as_str();
    html("a")
        .class("button button-main start")
        .attr("href", address::of_preset(id))
        .on(ev::click, move |event| address::follow(lab, &event, Some(id)))
        .child(format!("Start with: {}", preset.title))
}

fn Card(preset: &'static Preset) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let id = preset.id.as_str();
    html("li").class("card").child(
        html("a")
            .attr("href", address::of_preset(id))
            .on(ev::click, move |event| address::follow(lab, &event, Some(id)))
            .child(Poster(of(id)))
            .child(html("h3").child(preset.title.as_str()))
            .child(html("p").child(preset.summary.as_str())),
    )
}

/// The run of a preset, at its beginning.
fn of(id: &str) -> Session {
    Session::open(link::open(Some(id), "").0)
}
