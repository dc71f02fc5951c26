//! The measures of a run: a few big numbers, then the charts. The sentence that goes with them
//! stands above the stage.

use super::headline::{Headline, OUTCOMES, headline, percent};
use super::parts::reading_pace;
use crate::app::state::Lab;
use crate::app::views::VIEWS;
use crate::app::views::chart::{ChartCard, Pointed};
use crate::observe::line::Tone;
use leptos::prelude::*;

/// The headline and every chart.
#[component]
pub fn Metrics() -> impl IntoView {
    provide_context(Pointed(RwSignal::new(None)));
    let charts = VIEWS.iter().map(|chart| view! { <ChartCard chart=chart /> });
    view! {
        <div class="metrics">
            <HeadlineStrip />
            <div class="charts">{charts.collect_view()}</div>
        </div>
    }
}

/// What is going on, in ten seconds.
#[component]
pub fn HeadlineStrip() -> impl IntoView {
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
        view! {
            <div class=move || format!("tile {}", tone_class(tone()))>
                <dt>{move || read(|t| t.name.to_owned())}</dt>
                <dd>
                    <span class="tile-value">{move || read(|t| t.value.clone())}</span>
                    <span class="tile-beside">{move || read(|t| t.beside.clone())}</span>
                </dd>
            </div>
        }
    };
    view! {
        <section class="headline" aria-label="What is going on">
            <dl class="tiles">{(0..count).map(tile).collect_view()}</dl>
            <Mix now=now />
        </section>
    }
}

/// How recent intents ended, as one bar.
#[component]
fn Mix(now: Memo<Headline>) -> impl IntoView {
    let share = move |n: usize| now.with(|h| h.mix.map_or(0.0, |mix| mix[n]));
    let part = move |(n, (id, _, colour)): (usize, (&'static str, _, &'static str))| {
        let style = move || match share(n) {
            share if share > 0.0 => format!("flex-grow: {share:.4}; background: var({colour})"),
            _ => "display: none".to_owned(),
        };
        view! { <span class=format!("mix-part mix-{id}") style=style></span> }
    };
    let word =
        move |(n, (id, word, colour)): (usize, (&'static str, &'static str, &'static str))| {
            view! {
                <li class:mix-none=move || share(n) <= 0.0>
                    <span
                        class=format!("mix-key mix-{id}")
                        style=format!("background: var({colour})")
                    ></span>
                    {word}
                    " "
                    <b>{move || percent(share(n))}</b>
                </li>
            }
        };
    view! {
        <div class="mix">
            <div class="mix-bar" aria-hidden="true">
                {OUTCOMES.into_iter().enumerate().map(part).collect_view()}
            </div>
            <ul class="mix-words" aria-label="How intents of the last two seconds ended">
                {OUTCOMES.into_iter().enumerate().map(word).collect_view()}
            </ul>
        </div>
    }
}

fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "mood-plain",
        Tone::Good => "mood-ok",
        Tone::Warning => "mood-warn",
        Tone::Bad => "mood-bad",
    }
}
