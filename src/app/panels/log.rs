//! What happened, in sentences, newest first.

use super::parts::{EventLine, reading_pace};
use crate::app::chrome;
use crate::app::dom::each::{each, show};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::app::views::scale;
use crate::app::widgets::button::{Button, Look};
use crate::app::widgets::toggle::Toggle;
use crate::base::time::Time;
use crate::observe::line::{Line, Tone};
use leptos::prelude::*;

/// Sentences shown at most.
const SHOWN: usize = 200;
/// Milliseconds between two sentences that are read out.
const QUIET: f64 = 2_000.0;

/// The event log.
pub fn Log() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let only_trouble = RwSignal::new(false);
    let pace = reading_pace(lab);
    let lines = Memo::new(move |_| {
        pace.get();
        let trouble = only_trouble.get();
        let mut lines = lab.with_session(|s| s.log(SHOWN));
        lines.retain(|line| !trouble || matches!(line.tone, Tone::Warning | Tone::Bad));
        lines
    });
    html("div")
        .class("log")
        .child(Toggle("Only trouble", only_trouble, move |on| only_trouble.set(on)))
        .child(
            html("ol")
                .class("events")
                .attr("aria-label", "What happened, newest first")
                .child(each(move || lines.get(), |line| (line.at, line.seq), EventLine)),
        )
        .child(show(
            move || lines.with(Vec::is_empty),
            move || {
                html("p")
                    .class("empty")
                    .child("Nothing worth a sentence has happened yet. Press play.")
            },
        ))
        .child(Branches())
}

/// The futures that were left when something was done in the past, and the way back to each.
fn Branches() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let futures = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_session(|s| s.branches().iter().map(|b| (b.at, b.newest)).collect::<Vec<_>>())
    });
    let entry = move |(n, (at, newest)): (usize, (Time, Time))| {
        let name = format!(
            "From {} on another way, known to {}",
            scale::clock(at.as_secs()),
            scale::clock(newest.as_secs())
        );
        html("li").child(Button(Look::Plain, name, move || lab.switch(n)))
    };
    show(
        move || !futures.with(Vec::is_empty) && chrome::may_break(),
        move || {
            html("section")
                .class("branches")
                .attr("aria-label", "Futures left")
                .child(html("h3").child("Futures left"))
                .child(html("ul").class("tries").child(move || {
                    futures.get().into_iter().enumerate().map(entry).collect::<View>()
                }))
        },
    )
}

/// Reads events out for people who cannot see them: at most one sentence every two seconds, the
/// gravest of what happened since. Call once, at the root.
pub fn announce(lab: Lab) {
    let last = StoredValue::new((0.0_f64, None::<u64>));
    Effect::new(move |_| {
        lab.slow_tick.track();
        let clock = window().performance().map_or(0.0, |p| p.now());
        let (then, seen) = last.get_value();
        if clock - then < QUIET {
            return;
        }
        let lines = lab.with_session(|s| s.log(40));
        let newest = lines.first().map(|line| line.seq);
        let fresh = lines.into_iter().filter(|line| seen.is_some_and(|seen| line.seq > seen));
        // Of equals the last is kept, and the oldest of the gravest is the one that explains.
        if let Some(line) = fresh.max_by_key(gravity).filter(|_| lab.playing.get_untracked()) {
            lab.announced.set(line.text);
        }
        last.set_value((clock, newest));
    });
}

fn gravity(line: &Line) -> u8 {
    match line.tone {
        Tone::Plain => 0,
        Tone::Good => 1,
        Tone::Warning => 2,
        Tone::Bad => 3,
    }
}
