//! The logs of a store's replicas side by side: who leads, how far each has come, and what of it
//! will be thrown away.

use super::parts::{Framed, reading_pace};
use crate::app::dom::each::each;
use crate::app::dom::view::View;
use crate::app::dom::{html, svg};
use crate::app::state::Lab;
use crate::observe::picture::stands;
use crate::observe::replicas::{Cell, SHOWN, Stage, Store, Strip, sentence};
use leptos::prelude::*;

/// Width and height of one entry, in units of the picture.
const CELL: (u64, u64) = (10, 14);

/// Every store with replicas; nothing where there is none.
pub fn Replicas() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let stores = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.stores())
    });
    each(
        move || 0..stores.with(Vec::len),
        |n| *n,
        move |n| {
            Card(Memo::new(move |_| stores.with(|s| s.get(n).cloned())), move || {
                lab.with_session(|s| s.now())
            })
        },
    )
}

fn Card(
    store: Memo<Option<Store>>,
    now: impl Fn() -> crate::base::time::Time + Send + Sync + 'static,
) -> impl Into<View> {
    let name = store.with_untracked(|s| s.as_ref().map_or(String::new(), |s| s.name.clone()));
    let says = move || store.with(|s| s.as_ref().map(|s| sentence(s, now())));
    let count = store.with_untracked(|s| s.as_ref().map_or(0, |s| s.replicas.len()));
    let row = move |n: usize| {
        let strip =
            Memo::new(move |_| store.with(|s| s.as_ref().and_then(|s| s.replicas.get(n).cloned())));
        Row(strip)
    };
    Framed(format!("The logs of {name}"), format!("Replicas of {name}"), says)
        .child(html("ul").child((0..count).map(row).collect::<View>()))
        .child(Legend(store))
}

fn Row(strip: Memo<Option<Strip>>) -> impl Into<View> {
    let part = move |read: fn(&Strip) -> String| strip.with(|s| s.as_ref().map(read));
    let picture = move |wanted: fn(&Cell) -> bool| {
        move || strip.with(|s| s.as_ref().map(|s| boxes(s, wanted)).unwrap_or_default())
    };
    let layer = |class: &'static str, wanted: fn(&Cell) -> bool| {
        svg("path").class(class).attr("d", picture(wanted))
    };
    html("li")
        .class_when("down", move || strip.with(|s| s.as_ref().is_some_and(|s| s.down)))
        .child(html("span").class("replica-name").child(move || part(|s| s.name.clone())))
        .child(
            svg("svg")
                .class("log-strip")
                .attr("viewBox", format!("0 0 {} {}", SHOWN * CELL.0, CELL.1))
                .attr("aria-hidden", "true")
                .child(layer("log-had", |c| c.stage == Stage::Had && !c.diverges))
                .child(layer("log-durable", |c| c.stage == Stage::Durable && !c.diverges))
                .child(layer("log-committed", |c| c.stage == Stage::Committed && !c.diverges))
                .child(layer("log-applied", |c| c.stage == Stage::Applied && !c.diverges))
                .child(layer("log-differs", |c| c.diverges))
                .child(
                    svg("path").class("log-told").attr("d", move || {
                        strip.with(|s| s.as_ref().map(told).unwrap_or_default())
                    }),
                )
                .child(
                    svg("path").class("log-term").attr("d", move || {
                        strip.with(|s| s.as_ref().map(terms).unwrap_or_default())
                    }),
                ),
        )
        .child(
            html("span").class("replica-says").child(move || {
                part(|s| if s.down { "down".to_owned() } else { stands(&s.standing) })
            }),
        )
}

/// A box for each entry that is wanted.
fn boxes(strip: &Strip, wanted: fn(&Cell) -> bool) -> String {
    let (w, h) = CELL;
    let places = (0..).zip(&strip.cells).filter(|(_, cell)| wanted(cell));
    places
        .map(|(n, _): (u64, _)| format!("M{} 1h{}v{}h-{}z", n * w + 1, w - 2, h - 2, w - 2))
        .collect()
}

/// A bar in each entry that a client was told of.
fn told(strip: &Strip) -> String {
    let (w, h) = CELL;
    let told = (0..).zip(&strip.cells).filter(|(_, cell)| cell.acknowledged);
    told.map(|(n, _): (u64, _)| format!("M{} {}h{}", n * w + 3, h - 4, w - 6)).collect()
}

/// A line where one term ends and the next begins.
fn terms(strip: &Strip) -> String {
    let pairs = (1..).zip(strip.cells.windows(2)).filter(|(_, pair)| pair[0].term != pair[1].term);
    pairs.map(|(n, _): (u64, _)| format!("M{} 0v{}", n * CELL.0, CELL.1)).collect()
}

fn Legend(store: Memo<Option<Store>>) -> impl Into<View> {
    let step = Memo::new(move |_| store.with(|s| s.as_ref().map_or(1, |s| s.step)));
    let wide = move || match step.get() {
        1 => String::new(),
        n => format!("each box is {n} entries"),
    };
    let key = |class: &'static str, word: &'static str| {
        let shape = if class == "log-told" { "M3 10h4" } else { "M1 1h8v12h-8z" };
        html("li")
            .child(
                svg("svg")
                    .attr("viewBox", "0 0 10 14")
                    .attr("aria-hidden", "true")
                    .child(svg("path").class(class).attr("d", shape)),
            )
            .child(word)
    };
    html("ul")
        .class("replicas-key")
        .child(key("log-applied", "applied: reads see it"))
        .child(key("log-committed", "committed"))
        .child(key("log-durable", "on disk"))
        .child(key("log-had", "in memory only"))
        .child(key("log-told", "a client was told that it is done"))
        .child(key("log-differs", "differs from the leader: will be lost"))
        .child(html("li").child(wide))
}
