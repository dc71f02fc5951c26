//! The whole page: which place is shown, and what stands where in it.

use crate::app::address::{self, Asked};
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::embed::Embed;
use crate::app::panels::gallery::Gallery;
use crate::app::panels::help::Help;
use crate::app::panels::log::announce;
use crate::app::panels::outline::Outline;
use crate::app::panels::palette::Palette;
use crate::app::panels::playback::Playback;
use crate::app::panels::share::Share;
use crate::app::panels::toolbar::Toolbar;
use crate::app::panels::{PANELS, Panel, Slot};
use crate::app::stage::Stage;
use crate::app::state::{Lab, Place, Selection, Theme};
use crate::app::trouble::{Announcer, Notice};
use crate::app::{chrome, driver, file, host, in_step, keys};
use crate::scenario::link;
use crate::session::Session;
use leptos::prelude::*;

/// Widths in pixels under which the page changes its plan.
const NARROW: f64 = 1_080.0;

/// Puts the page into the document. The view given to Leptos is empty: see [`crate::app::dom`].
pub fn mount() {
    App().into_view().append_to(&document().body().expect("a page has a body"));
}

/// The page.
fn App() -> impl Into<View> {
    let asked = address::read();
    let (opened, _) = link::open(None, "");
    let lab = Lab::new(Session::open(opened));
    provide_context(lab);
    driver::start(lab);
    announce(lab);
    look(lab, &asked);
    if address::open(lab, &asked) && asked.play {
        lab.play();
    }
    if asked.foreign && lab.told.with_untracked(|told| told.is_empty()) {
        lab.told.set("There is no translation of this page yet: it is in English.");
    }
    in_step::keep(lab);
    file::take_dropped(lab);
    host::start(lab, &asked.host);
    window_event_listener(leptos::ev::keydown, move |event| keys::anywhere(lab, &event));
    pause_when_hidden(lab);
    (
        move || match lab.place.get() {
            Place::Gallery if lab.waiting.get() => ().into_view(),
            Place::Gallery => (Toolbar(), Gallery()).into_view(),
            Place::Lab => Laboratory().into_view(),
            Place::Embed => Embed().into_view(),
        },
        Notice(),
        Help(),
        Palette(),
        Share(),
        Announcer(),
    )
}

/// Takes away what stood there before the page, and marks in the browser's own records that it is
/// there now.
pub fn clear() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
    if let Some(performance) = window().performance() {
        // Only for whoever measures.
        let _ = performance.mark("ready");
    }
}

/// Applies what the address says about looks, and follows the theme.
fn look(lab: Lab, asked: &Asked) {
    lab.calm.set(is_calm(asked.calm));
    lab.theme.set(asked.theme);
    chrome::apply(&asked.chrome);
    // An effect on the root element: the tokens hang on it.
    Effect::new(move |_| {
        let Some(root) = document().document_element() else { return };
        let set = match lab.theme.get() {
            Theme::Auto => root.remove_attribute("data-theme"),
            Theme::Light => root.set_attribute("data-theme", "light"),
            Theme::Dark => root.set_attribute("data-theme", "dark"),
        };
        // Both names are legal attributes, so it cannot be refused.
        let _ = set;
    });
}

/// Whether motion is calm: as was asked for, otherwise as the system says.
pub fn is_calm(asked: Option<bool>) -> bool {
    asked.unwrap_or_else(|| {
        let reduced = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
        reduced.is_some_and(|query| query.matches())
    })
}

/// A hidden tab does not play on.
fn pause_when_hidden(lab: Lab) {
    let handle = window_event_listener(leptos::ev::visibilitychange, move |_| {
        if document().hidden() && lab.playing.try_get_untracked() == Some(true) {
            lab.pause();
        }
    });
    on_cleanup(move || handle.remove());
}

/// A run with everything around it.
fn Laboratory() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let width = RwSignal::new(inner_width());
    let handle = window_event_listener(leptos::ev::resize, move |_| width.set(inner_width()));
    on_cleanup(move || handle.remove());
    let narrow = Memo::new(move |_| width.get() < NARROW);
    let outline = move || {
        lab.outline.get().then(|| {
            html("section")
                .class("outline-sheet")
                .attr("data-region", "")
                .attr("tabindex", "-1")
                .attr("aria-label", "Outline")
                .child(Outline())
        })
    };
    html("div")
        .class("lab")
        .class_when("narrow", narrow)
        .child(Toolbar())
        .child(html("main").class("lab-main").child(Stage()).child(Playback()))
        .child(outline)
        .child(move || if narrow.get() { sheet().into_view() } else { columns().into_view() })
}

fn inner_width() -> f64 {
    window().inner_width().ok().and_then(|w| w.as_f64()).unwrap_or(1_280.0)
}

/// The panels that are to be shown, of a slot or of all.
fn shown(slot: Option<Slot>) -> Vec<&'static Panel> {
    let here = |p: &&Panel| slot.is_none_or(|slot| p.slot == slot) && chrome::shows(p.id);
    PANELS.iter().filter(here).collect()
}

/// Room for everything: the story left, tabs right, charts below.
fn columns() -> impl Into<View> {
    let story = shown(Some(Slot::Story)).into_iter().map(|p| (p.view)()).collect::<View>();
    let charts = shown(Some(Slot::Charts)).into_iter().map(|p| (p.view)()).collect::<View>();
    (
        html("aside")
            .class("lab-story")
            .attr("data-region", "")
            .attr("tabindex", "-1")
            .attr("aria-label", "Story")
            .child(story),
        html("aside")
            .class("lab-side")
            .attr("data-region", "")
            .attr("tabindex", "-1")
            .attr("aria-label", "Details")
            .child(Tabbed(shown(Some(Slot::Side)))),
        html("section")
            .class("lab-charts")
            .attr("data-region", "")
            .attr("tabindex", "-1")
            .attr("aria-label", "Charts")
            .child(charts),
    )
}

/// Little room: one sheet with a tab for each panel.
fn sheet() -> impl Into<View> {
    html("section")
        .class("lab-sheet")
        .attr("data-region", "")
        .attr("tabindex", "-1")
        .attr("aria-label", "Details")
        .child(Tabbed(shown(None)))
}

/// Panels, one at a time.
fn Tabbed(panels: Vec<&'static Panel>) -> impl Into<View> {
    use crate::app::widgets::tabs::{Tab, Tabs};
    let lab = expect_context::<Lab>();
    let Some(first) = panels.first() else { return ().into_view() };
    let chosen = RwSignal::new(first.id);
    follow_selection(lab, chosen);
    let tabs = panels.iter().map(|p| Tab { id: p.id, label: p.title }).collect();
    let show = |id: &'static str| {
        let found = PANELS.iter().find(|p| p.id == id);
        found.map_or_else(|| ().into_view(), |p| (p.view)())
    };
    Tabs("Details", tabs, chosen, show).into_view()
}

/// What is picked out is explained at once, unless its parameters are being looked at.
fn follow_selection(lab: Lab, chosen: RwSignal<&'static str>) {
    Effect::new(move |before: Option<Selection>| {
        let now = lab.selected.get();
        let picked = now != Selection::None && before.is_some_and(|before| before != now);
        let tuned = matches!(now, Selection::Node(_)) && chosen.get_untracked() == "parameters";
        if picked && !tuned {
            chosen.set("inspector");
        }
        now
    });
}
