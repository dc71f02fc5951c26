//! Whether what should hold holds.

use super::parts::Instant;
use super::seeds::Seeds;
use crate::app::dom::each::{each, show};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::{Lab, Selection};
use crate::base::order;
use crate::base::time::Time;
use crate::check::State;
use leptos::ev;
use leptos::prelude::*;

/// State, name, sentence, since when, and the intents that prove it.
type Row = (State, String, String, Option<Time>, Vec<u64>);

/// The checks of the scenario, worst first.
pub fn Checks() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let verdicts = Memo::new(move |_| {
        lab.slow_tick.track();
        let mut found: Vec<_> = lab
            .with_session(|s| s.verdicts())
            .into_iter()
            .map(|v| (v.state, v.name, v.sentence, v.at, v.intents))
            .collect();
        order::by_key(&mut found, |v| order(v.0));
        found
    });
    let row = move |(state, name, sentence, at, intents): Row| {
        let (class, shape, word) = look(state);
        html("li")
            .class("verdict")
            .child(html("span").class(class).attr("aria-hidden", "true").child(shape))
            .child(
                html("div")
                    .child(
                        html("p")
                            .class("verdict-name")
                            .child(html("strong").child(name))
                            .child(html("span").class("verdict-word").child(word)),
                    )
                    .child(html("p").class("verdict-says").child(sentence))
                    .child(at.map(Instant))
                    .child((!intents.is_empty()).then(|| Proof(lab, intents))),
            )
    };
    (
        html("ul").class("verdicts").attr("aria-label", "Checks").child(each(
            move || verdicts.get(),
            |v| format!("{v:?}"),
            row,
        )),
        show(
            move || verdicts.with(Vec::is_empty),
            move || html("p").class("empty").child("This scenario checks nothing."),
        ),
        Seeds(),
    )
}

/// The intents that prove a verdict, each of which leads to its story.
fn Proof(lab: Lab, intents: Vec<u64>) -> impl Into<View> {
    let title = match intents.len() {
        1 => "The one that proves it".to_owned(),
        n => format!("{n} that prove it, one by one"),
    };
    let each = intents.into_iter().map(move |intent| {
        let name = lab.with_session(|s| s.intent_name(intent));
        let button = html("button")
            .attr("type", "button")
            .class("instant")
            .on(ev::click, move |_| lab.selected.set(Selection::Intent(intent)))
            .child(name);
        html("li").child(button)
    });
    html("details")
        .child(html("summary").child(title))
        .child(html("ul").class("proof").child(each.collect::<View>()))
}

fn order(state: State) -> u8 {
    match state {
        State::Violated => 0,
        State::Unknown => 1,
        State::Holds => 2,
    }
}

fn look(state: State) -> (&'static str, &'static str, &'static str) {
    match state {
        State::Holds => ("tone tone-ok", "✓", "holds"),
        State::Violated => ("tone tone-bad", "✕", "violated"),
        State::Unknown => ("tone tone-plain", "?", "not known yet"),
    }
}
