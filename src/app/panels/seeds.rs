//! The same scenario with other seeds: how what was measured spreads, and how often checks held.

use crate::app::dom::each::show;
use crate::app::dom::view::View;
use crate::app::dom::{html, svg};
use crate::app::state::Lab;
use crate::app::views::scale;
use crate::app::widgets::field::{Accepts, Field};
use crate::base::diagnostics::Diagnostics;
use crate::session::command::Command;
use crate::session::share::{LinkOptions, opened};
use crate::session::sweep::{Spread, Sweep, Sweeping, Tally};
use leptos::ev;
use leptos::prelude::*;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// So many seeds are tried.
const SEEDS: u64 = 20;
/// Milliseconds of work between two breaths of the page.
const BUDGET: f64 = 12.0;
/// Events between two looks at the clock.
const SLICE: u32 = 4_000;
/// The size of a picture of values, in pixels.
const STRIP: (f64, f64) = (260.0, 12.0);

const SEED: &str = "Chooses everything that is left to chance. The same seed gives the same run.";

/// A sweep from a panel.
#[derive(Clone, Copy)]
struct Work {
    sweeping: StoredValue<Option<Sweeping>, LocalStorage>,
    done: RwSignal<Option<u64>>,
    found: RwSignal<Option<Arc<Sweep>>>,
}

/// The seed of this run, to be read and to be changed: the run begins again with another one.
/// `id` names the field in the page.
pub fn Seed(id: &'static str) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let value = Memo::new(move |_| {
        lab.opened.track();
        lab.with_session(|s| s.origin().seed).to_string()
    });
    let problem = Memo::new(move |_| {
        let of_seed = |d: &Diagnostics| d.problems.iter().find(|p| p.path == "seed").cloned();
        lab.problems.with(of_seed).map(|p| p.message)
    });
    let change = move |text: String| {
        lab.problems.update(|found| found.problems.retain(|p| p.path != "seed"));
        lab.command(Command::Set { path: "seed".to_owned(), value: Value::from(text) });
    };
    let accepts = Accepts::Number { whole: true, low: Some(0.0), high: None };
    (
        html("label").class("row-label").attr("for", id).attr("title", SEED).child("Seed"),
        Field(id.to_owned(), accepts, value, problem, change),
    )
}

/// A button that tries other seeds, and what came of it.
pub fn Seeds() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let work = Work {
        sweeping: StoredValue::new_local(None),
        done: RwSignal::new(None),
        found: RwSignal::new(None),
    };
    // Of another scenario it says nothing.
    Effect::new(move |_| {
        lab.opened.track();
        work.sweeping.set_value(None);
        work.done.set(None);
        work.found.set(None);
    });
    let begin = move |_: web_sys::MouseEvent| {
        let opened = lab.with_session(|s| opened(s, LinkOptions { instant: false }));
        work.sweeping.set_value(Some(Sweeping::new(opened, 1, SEEDS)));
        work.found.set(None);
        work.done.set(Some(0));
        go_on(work);
    };
    let label = move || match work.done.get() {
        Some(done) => format!("{done} of {SEEDS} runs"),
        None => format!("Run it with {SEEDS} other seeds"),
    };
    html("section")
        .class("seeds")
        .child(html("h3").child("Chance"))
        .child(html("p").class("verdict-says").child(
            "One run shows what can happen. Many show how often: the same scenario, with all that \
             was done by hand, to its end.",
        ))
        .child(
            html("button")
                .attr("type", "button")
                .class("button")
                .attr("disabled", move || work.done.get().is_some())
                .on(ev::click, begin)
                .child(label),
        )
        .child(show(move || work.found.with(Option::is_some), move || Found(work)))
}

/// Works for a while, then lets the page breathe.
fn go_on(work: Work) {
    let clock = || window().performance().map_or(0.0, |p| p.now());
    let began = clock();
    let state = work.sweeping.try_update_value(|sweeping| {
        let sweeping = sweeping.as_mut()?;
        let mut more = true;
        while more && clock() - began < BUDGET {
            more = sweeping.step(SLICE);
        }
        Some((sweeping.done(), (!more).then(|| sweeping.result())))
    });
    match state.flatten() {
        Some((done, None)) => {
            work.done.set(Some(done));
            set_timeout(move || go_on(work), Duration::ZERO);
        }
        Some((_, Some(result))) => {
            work.sweeping.set_value(None);
            work.done.set(None);
            work.found.set(Some(Arc::new(result)));
        }
        // Another scenario, or no panel any more.
        None => {}
    }
}

fn Found(work: Work) -> impl Into<View> {
    let measures = move || {
        let found = work.found.get();
        found.iter().flat_map(|found| &found.measures).map(measure).collect::<View>()
    };
    let checks = move || {
        let found = work.found.get();
        found.iter().flat_map(|found| &found.checks).map(held).collect::<View>()
    };
    (html("ul").class("spreads").child(measures), html("ul").class("losses-left").child(checks))
}

/// A measure: numbers, and where the runs are between the least and the greatest.
fn measure(spread: &Spread) -> View {
    let Spread { name, min, median, p90, max, values, .. } = spread;
    // Of what is nearly all, the rest is what matters.
    let number = |value: &f64| match *value {
        share if name.ends_with('%') => format!("{share:.2}"),
        small if small < 100.0 && name.ends_with(" s") => format!("{small:.1}"),
        value => scale::short(value),
    };
    let (width, height) = STRIP;
    let at = |value: f64| {
        let share = if max > min { (value - min) / (max - min) } else { 0.5 };
        4.0 + share * (width - 8.0)
    };
    let dot =
        |value: &f64| svg("circle").attr("cx", at(*value)).attr("cy", height / 2.0).attr("r", "3");
    let middle = svg("rect")
        .attr("x", at(*median) - 0.75)
        .attr("y", "0")
        .attr("width", "1.5")
        .attr("height", height);
    let strip = svg("svg")
        .class("spread")
        .attr("viewBox", format!("0 0 {width} {height}"))
        .attr("aria-hidden", "true")
        .child(values.iter().map(dot).collect::<View>())
        .child(middle);
    let half = format!("half up to {}, 9 of 10 up to {}", number(median), number(p90));
    let pair = |left: String, right: String| {
        html("p").child(html("span").child(left)).child(html("span").child(right))
    };
    html("li")
        .child(pair((*name).to_owned(), half))
        .child(strip)
        .child(pair(number(min), number(max)).class("ends"))
        .into()
}

fn held(tally: &Tally) -> View {
    let Tally { name, held, violated, unknown } = tally;
    let unknown = if *unknown > 0 { format!(", {unknown} not known") } else { String::new() };
    let runs = held + violated + tally.unknown;
    html("li").child(format!("held in {held} of {runs}{unknown}: {name}")).into()
}
