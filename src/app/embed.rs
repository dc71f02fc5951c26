//! A run inside another page: a poster until it is played, then the stage, the time, the number
//! that matters, the settings its author chose, and a way to the whole laboratory.

use crate::app::address;
use crate::app::chrome;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::icon::icon;
use crate::app::panels::headline::{Tile, headline};
use crate::app::panels::knobs::Knobs;
use crate::app::panels::metrics::tone_class;
use crate::app::panels::parts::reading_pace;
use crate::app::panels::playback::Playback;
use crate::app::stage::Stage;
use crate::app::stage::poster::Poster;
use crate::app::state::{Lab, Place};
use crate::base::time::Time;
use crate::observe::line::Tone;
use crate::scenario::presets;
use crate::session::Session;
use leptos::ev;
use leptos::prelude::*;
use std::cell::Cell;

/// Numbers in the strip; the style sheet shows as many as fit.
const TILES: usize = 4;

/// The embedded view.
pub fn Embed() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let title = move || {
        let found = lab.preset.get();
        let found = found.as_deref().and_then(presets::find);
        found.map_or_else(|| "netsplit".to_owned(), |p| p.title.to_string())
    };
    let full = move || {
        lab.slow_tick.track();
        let base = lab.preset.get().map_or_else(address::home, |id| address::of_preset(&id));
        format!("{base}#{}", address::fragment(lab))
    };
    html("main")
        .class("embed")
        .child(
            html("header").class("embed-bar").child(html("h1").child(title)).child(
                html("a")
                    .attr("href", full)
                    .attr("target", "_blank")
                    .attr("rel", "noopener")
                    .class("button button-quiet")
                    .child(icon("open"))
                    .child(html("span").child("Open in netsplit")),
            ),
        )
        .child(html("div").class("embed-stage").child(Stage()).child(Cover(lab)))
        .child(Strip(lab))
        .child(move || {
            // Another scenario has other settings.
            lab.preset.track();
            Knobs(&chrome::knobs())
        })
        .child(Playback())
}

thread_local! {
    /// Whether the next cover stays away: what it would lie over has been seen.
    static SEEN: Cell<bool> = const { Cell::new(false) };
}

/// Shows the page anew, with the same run, after what stands where was changed.
pub fn lay_out(lab: Lab) {
    if lab.place.get_untracked() == Place::Embed {
        SEEN.set(document().query_selector(".cover").ok().flatten().is_none());
    }
    lab.place.update(|_| ());
}

/// What lies over the stage until the run is played, or moved by any other means: a picture of
/// the trouble it is about, or of the instant the link names.
fn Cover(lab: Lab) -> impl Into<View> {
    let on = RwSignal::new(!SEEN.take() && !lab.playing.get_untracked());
    Effect::new(move |before: Option<u64>| {
        let changes = lab.changed.get();
        if lab.playing.get() || before.is_some_and(|before| before != changes) {
            on.set(false);
        }
        changes
    });
    let cover = move || {
        let session = lab.with_session(Session::clone);
        let begins =
            session.now() == Time::ZERO && session.goal().is_none_or(|at| at == Time::ZERO);
        html("button")
            .class("cover")
            .class_when("cover-poster", begins)
            .attr("aria-label", "Play")
            .on(ev::click, move |_| {
                on.set(false);
                lab.play();
            })
            .child(begins.then(|| Poster(session)))
            .child(html("span").class("cover-play").child(icon("play")))
    };
    show(move || on.get(), cover)
}

/// The numbers that tell what is going on.
fn Strip(lab: Lab) -> impl Into<View> {
    let pace = reading_pace(lab);
    let tile = |tile: Tile| {
        let mark = match tile.tone {
            Tone::Bad => "▲ ",
            Tone::Warning => "△ ",
            Tone::Plain | Tone::Good => "",
        };
        html("span")
            .class(tone_class(tile.tone))
            .attr("title", tile.beside.clone())
            .child(html("span").child(tile.name).child(" "))
            .child(html("b").child(mark).child(tile.value))
            .child(" ")
            .child(html("small").child(tile.beside))
    };
    let now = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| headline(s.metrics()))
    });
    let tiles = move || {
        let tiles = now.get().tiles.into_iter().take(TILES);
        tiles.map(tile).collect::<View>()
    };
    html("p").class("embed-strip").attr("aria-label", "What is going on").child(tiles)
}
