//! What clients did to one item, as bars: the proof of a violation, or an order that explains it.

use super::parts::reading_pace;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::observe::operations::{Bar, Operations};
use leptos::prelude::*;

/// Bars for each client; nothing where no check asks what clients saw.
pub fn History() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let shown = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.operations())
    });
    show(move || shown.with(Option::is_some), move || Card(shown))
}

fn Card(shown: Memo<Option<Operations>>) -> impl Into<View> {
    let picture = html("div").class("history-picture");
    let node = picture.node().clone();
    Effect::new(move |_| {
        let drawing = shown.with(|s| s.as_ref().map(|s| s.svg()).unwrap_or_default());
        node.set_inner_html(&drawing);
    });
    let row = move || {
        let lines = shown.with(|s| {
            let bars = s.iter().flat_map(|s| &s.bars);
            let proof = |proves| if proves { ": part of the proof" } else { "" };
            let line = |bar: &Bar| {
                let until = bar.until.map_or("on".to_owned(), |at| format!("to {at}"));
                format!("{}, from {} {until}{}", bar.text, bar.from, proof(bar.proves))
            };
            bars.map(line).collect::<Vec<_>>()
        });
        lines.into_iter().map(|line| html("li").child(line)).collect::<View>()
    };
    html("section")
        .class("replicas history")
        .attr("aria-label", "What clients saw")
        .child(html("header").child(html("h3").child("What clients saw")).child(
            html("p").class("replicas-says").child(move || {
                shown.with(|s| s.as_ref().map_or(String::new(), |s| s.sentence.clone()))
            }),
        ))
        .child(picture)
        .child(html("p").class("replicas-key").child(
            "A bar is an operation from its call to its answer: w wrote, r read. Dashed: \
                 nobody knows whether it happened. Time goes to the right, long waits are \
                 shortened.",
        ))
        .child(
            html("details").child(html("summary").child("As a list")).child(html("ul").child(row)),
        )
}
