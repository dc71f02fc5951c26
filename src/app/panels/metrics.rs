//! The measures of a run: a few big numbers, then the charts. The sentence that goes with them
//! stands above the stage.

use super::compare::Compare;
use super::copies::CopiesOfStores;
use super::cost::CostMeter;
use super::figures::Figures;
use super::headline::{Headline, OUTCOMES, headline, percent};
use super::parts::reading_pace;
use super::replicas::Replicas;
use super::shards::Shards;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::app::views::VIEWS;
use crate::app::views::chart::{ChartCard, Pointed};
use crate::observe::line::Tone;
use leptos::prelude::*;

/// The headline and every chart.
pub fn Metrics() -> impl Into<View> {
    provide_context(Pointed(RwSignal::new(None)));
    let charts = VIEWS.iter().map(ChartCard);
    html("div")
        .class("metrics")
        .child(HeadlineStrip())
        .child(Compare())
        .child(Replicas())
        .child(Shards())
        .child(CopiesOfStores())
        .child(Figures())
        .child(CostMeter())
        .child(html("div").class("charts").child(charts.collect::<View>()))
}

/// What is going on, in ten seconds.
pub fn HeadlineStrip() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let now = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| headline(s.metrics()))
    });
    let count = now.with_untracked(|h: &Headline| h.tiles.len());
    let tile = move |n: usize| {
        let part = Memo::new(move |_| now.with(|h| h.tiles.get(n).cloned()));
        let tone = move || part.with(|t| t.as_ref().map_or(Tone::Plain, |t| t.tone));
        let read = move |pick: fn(&super::headline::Tile) -> String| {
            part.with(|t| t.as_ref().map(pick)).unwrap_or_default()
        };
        html("div")
            .class(move || format!("tile {}", tone_class(tone())))
            .child(html("dt").child(move || read(|t| t.name.to_owned())))
            .child(
                html("dd")
                    .child(
                        html("span").class("tile-value").child(move || read(|t| t.value.clone())),
                    )
                    .child(
                        html("span").class("tile-beside").child(move || read(|t| t.beside.clone())),
                    ),
            )
    };
    html("section")
        .class("headline")
        .attr("aria-label", "What is going on")
        .child(html("dl").class("tiles").child((0..count).map(tile).collect::<View>()))
        .child(Mix(now))
}

/// How recent intents ended, as one bar.
fn Mix(now: Memo<Headline>) -> impl Into<View> {
    let share = move |n: usize| now.with(|h| h.mix.map_or(0.0, |mix| mix[n]));
    let part = move |(n, (id, _, colour)): (usize, (&'static str, _, &'static str))| {
        let style = move || match share(n) {
            share if share > 0.0 => format!("flex-grow: {share:.4}; background: var({colour})"),
            _ => "display: none".to_owned(),
        };
        html("span").class(format!("mix-part mix-{id}")).attr("style", style)
    };
    let word =
        move |(n, (id, word, colour)): (usize, (&'static str, &'static str, &'static str))| {
            html("li")
                .class_when("mix-none", move || share(n) <= 0.0)
                .child(
                    html("span")
                        .class(format!("mix-key mix-{id}"))
                        .attr("style", format!("background: var({colour})")),
                )
                .child(word)
                .child(" ")
                .child(html("b").child(move || percent(share(n))))
        };
    html("div")
        .class("mix")
        .child(
            html("div")
                .class("mix-bar")
                .attr("aria-hidden", "true")
                .child(OUTCOMES.into_iter().enumerate().map(part).collect::<View>()),
        )
        .child(
            html("ul")
                .class("mix-words")
                .attr("aria-label", "How intents of the last two seconds ended")
                .child(OUTCOMES.into_iter().enumerate().map(word).collect::<View>()),
        )
}

/// The class of a number by how it is to be taken.
pub fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "mood-plain",
        Tone::Good => "mood-ok",
        Tone::Warning => "mood-warn",
        Tone::Bad => "mood-bad",
    }
}
