//! Whether what should hold holds.

use super::parts::Instant;
use super::seeds::Seeds;
use crate::app::dom::each::{each, show};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::base::time::Time;
use crate::check::State;
use leptos::prelude::*;

/// The checks of the scenario, worst first.
pub fn Checks() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let verdicts = Memo::new(move |_| {
        lab.slow_tick.track();
        let mut found: Vec<_> = lab
            .with_session(|s| s.verdicts())
            .into_iter()
            .map(|v| (v.state, v.name, v.sentence, v.at))
            .collect();
        found.sort_by_key(|v| order(v.0));
        found
    });
    let row = |(state, name, sentence, at): (State, String, String, Option<Time>)| {
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
                    .child(at.map(Instant)),
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
