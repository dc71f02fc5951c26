//! Whether what should hold holds.

use super::parts::Instant;
use super::seeds::Seeds;
use crate::app::dom::each::{each, show};
use crate::app::dom::view::View;
use crate::app::dom::{El, html};
use crate::app::state::{Lab, Selection};
use crate::base::order;
use crate::check::{State, Verdict};
use crate::observe::operations::{Bar, Operations};
use leptos::ev;
use leptos::prelude::*;

/// What is known of a check, and the operations that prove it, if some do.
type Row = (Verdict, Option<Operations>);

/// The checks of the scenario, worst first.
pub fn Checks() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let verdicts = Memo::new(move |_| {
        lab.slow_tick.track();
        let (verdicts, proofs) = lab.with_session(|s| (s.verdicts(), s.proofs()));
        let proofs = proofs.into_iter().chain(std::iter::repeat(None));
        let mut found: Vec<Row> = verdicts.into_iter().zip(proofs).collect();
        order::by_key(&mut found, |(v, _)| rank(v.state));
        found
    });
    let row = move |(verdict, proof): Row| {
        let Verdict { name, state, at, intents, .. } = verdict;
        let (class, shape, word) = look(state);
        let own = name.clone();
        // Its numbers change while it stays the same: a list that was opened stays open.
        let says = move || {
            let found = verdicts.get().into_iter().find(|(v, _)| v.name == own);
            found.map(|(v, _)| v.sentence)
        };
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
                    .child(html("p").class("verdict-says").child(says))
                    .child(at.map(Instant))
                    .child(proof.map(|proof| Shown(&proof)))
                    .child((!intents.is_empty()).then(|| Intents(lab, intents))),
            )
    };
    (
        html("ul").class("verdicts").attr("aria-label", "Checks").child(each(
            move || verdicts.get(),
            |(v, proof)| {
                let shown = proof.as_ref().map(|proof| (proof.sentence.clone(), proof.bars.len()));
                (v.name.clone(), rank(v.state), v.at.map(|at| at.0), v.intents.clone(), shown)
            },
            row,
        )),
        show(
            move || verdicts.with(Vec::is_empty),
            move || html("p").class("empty").child("This scenario checks nothing."),
        ),
        Seeds(),
    )
}

/// The operations that prove a verdict: in a sentence, as a picture, and as a list of instants.
fn Shown(proof: &Operations) -> El {
    let picture = html("div").class("figure");
    picture.node().set_inner_html(&proof.narrow());
    let line = |bar: &Bar| {
        let text = html("span").class("event-text").child(bar.in_words());
        html("li").class("step").child(Instant(bar.from)).child(text)
    };
    html("div")
        .child(html("p").class("verdict-says").child(proof.sentence.clone()))
        .child(picture)
        .child(
            html("details").child(html("summary").child("Step by step")).child(
                html("ol").class("events").child(proof.bars.iter().map(line).collect::<View>()),
            ),
        )
}

/// The intents that prove a verdict, each of which leads to its story.
fn Intents(lab: Lab, intents: Vec<u64>) -> impl Into<View> {
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

fn rank(state: State) -> u8 {
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
