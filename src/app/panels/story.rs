//! What a preset is about: its story, a bet to make before running it, what to watch, changes to
//! try, and how far to trust it.

use super::compare::compare;
use crate::app::chrome;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::state::Lab;
use crate::app::widgets::button::{Button, Look};
use crate::scenario::compile::change;
use crate::scenario::presets::{self, Fidelity, Preset, Question, Try};
use crate::scenario::v1::Scenario;
use leptos::ev;
use leptos::prelude::*;

const TRIES: &str = "Each starts the run again, with this one change and nothing else of what you \
    set or did. Press it again, or undo, to take it back.";

/// The story of the preset on screen; without one, a line that says so.
pub fn Story() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    move || match lab.preset.get().and_then(|id| presets::find(&id)) {
        Some(preset) => Told(preset).into_view(),
        None => html("p")
            .class("empty")
            .child("A scenario of your own: it has no story yet. Break something.")
            .into_view(),
    }
}

fn Told(preset: &'static Preset) -> impl Into<View> {
    let paragraphs = preset.story.iter().map(|text| html("p").child(text.as_str()));
    let watch = preset.watch.iter().map(|text| html("li").child(text.as_str()));
    let lab = expect_context::<Lab>();
    let tries = preset.tries.iter().map(|attempt| Attempt(lab, &preset.scenario, attempt));
    html("article")
        .class("story")
        .child(html("h2").child(preset.title.as_str()))
        .child(html("p").class("story-summary").child(preset.summary.as_str()))
        .child(paragraphs.collect::<View>())
        .child(Bet(&preset.question))
        .child(
            html("section")
                .class("story-part")
                .child(html("h3").child("What to watch"))
                .child(html("ul").child(watch.collect::<View>())),
        )
        .child(
            html("section")
                .class("story-part")
                .child(html("h3").child("Things to try"))
                .child(html("p").class("try-expect").child(TRIES))
                .child(html("ul").class("tries").child(tries.collect::<View>())),
        )
        .child(Card(&preset.card))
}

/// A prediction, made before the run and explained after it. Wrong bets are not scored.
fn Bet(question: &'static Question) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let bet = lab.bet;
    let told = RwSignal::new(false);
    Effect::new(move |_| {
        lab.slow_tick.track();
        if bet.get().is_some() && lab.with_session(|s| s.newest() >= s.end()) {
            told.set(true);
        }
    });
    let choice = move |(n, text): (usize, &'static String)| {
        let right = move || told.get() && n == question.answer as usize;
        let wrong = move || told.get() && n != question.answer as usize && bet.get() == Some(n);
        let mark = move || match (right(), wrong(), bet.get() == Some(n)) {
            (true, _, _) => "✓",
            (_, true, _) => "✕",
            (_, _, true) => "●",
            _ => "○",
        };
        html("li").child(
            html("button")
                .attr("type", "button")
                .class("bet-choice")
                .class_when("bet-right", right)
                .class_when("bet-wrong", wrong)
                .attr("aria-pressed", move || if bet.get() == Some(n) { "true" } else { "false" })
                .attr("disabled", told)
                .on(ev::click, move |_| bet.set(Some(n)))
                .attr("title", format!("{} on the stage", n + 1))
                .child(html("span").class("bet-mark").attr("aria-hidden", "true").child(mark))
                .child(text.as_str()),
        )
    };
    let result = move || {
        let bet = bet.get().filter(|_| told.get())?;
        let verdict = if bet == question.answer as usize {
            "Well predicted."
        } else {
            "It went differently."
        };
        Some(
            html("p")
                .class("bet-result")
                .attr("role", "status")
                .child(html("strong").child(verdict))
                .child(" ")
                .child(question.explain.as_str()),
        )
    };
    let waiting = move || bet.get().is_some() && !told.get();
    html("section")
        .class("bet")
        .attr("aria-label", "Your prediction")
        .child(html("h3").child("Place your bet"))
        .child(html("p").child(question.text.as_str()))
        .child(
            html("ol")
                .class("bet-choices")
                .child(question.choices.iter().enumerate().map(choice).collect::<View>()),
        )
        .child(show(waiting, move || {
            html("div")
                .class("bet-next")
                .child(Button(
                    Look::Main,
                    move || if lab.playing.get() { "Running…" } else { "Run it and see" },
                    move || lab.play(),
                ))
                .child(Button(Look::Quiet, "Tell me now", move || told.set(true)))
        }))
        .child(result)
}

/// A change to try: the preset with this change and no other, from the start of the run, so that
/// all of it shows the difference. Pressed again it is taken away.
fn Attempt(lab: Lab, base: &'static Scenario, attempt: &'static Try) -> impl Into<View> {
    let settings = || attempt.set.iter().map(|(path, value)| (path.to_owned(), value.clone()));
    let tried = Memo::new(move |_| {
        lab.opened.track();
        lab.with_session(|s| s.set_throughout().is_some_and(|now| is_tried(base, attempt, &now)))
    });
    let press = move || {
        let (seed, view) = lab.with_session(|s| (s.origin().seed, s.origin().view.clone()));
        let scenario = Scenario { seed, view, ..base.clone() };
        let on = !tried.get_untracked();
        let settings = if on { settings().collect() } else { Vec::new() };
        if lab.begin_with(scenario, settings) && on {
            lab.play();
        }
    };
    html("li")
        .child(
            Button(Look::Plain, attempt.label.as_str(), press)
                .attr("aria-pressed", move || tried.get().to_string())
                .attr("disabled", !chrome::may_set()),
        )
        .child(
            Button(Look::Quiet, "Compare", move || compare(lab, settings().collect()))
                .attr("title", "The same run with this change, beside the one on stage")
                .attr("disabled", !chrome::may_set()),
        )
        .child(show(
            move || tried.get(),
            move || {
                html("p")
                    .class("try-expect")
                    .attr("role", "status")
                    .child(html("b").child("Expect: "))
                    .child(attempt.expect.as_str())
            },
        ))
}

/// Whether `now` is the preset's scenario with this change and no other. The seed may be any, and
/// nodes may stand anywhere.
fn is_tried(base: &Scenario, attempt: &Try, now: &Scenario) -> bool {
    let (seed, view) = (now.seed, now.view.clone());
    let mut tried = Scenario { seed, view, ..base.clone() };
    let done = attempt.set.iter().all(|(path, value)| change(&mut tried, path, value).is_ok());
    done && tried == *now
}

/// What the simulation models and what it leaves out.
fn Card(card: &'static Fidelity) -> impl Into<View> {
    let part = |title: &'static str, mark: &'static str, items: &'static [String]| {
        (!items.is_empty()).then(|| {
            let items = items.iter().map(|item| {
                html("li")
                    .child(html("span").attr("aria-hidden", "true").child(mark))
                    .child(item.as_str())
            });
            html("div")
                .child(html("h4").child(title))
                .child(html("ul").child(items.collect::<View>()))
        })
    };
    html("details")
        .class("trust")
        .child(html("summary").child("How far to trust this"))
        .child(part("Modelled", "✓", &card.modelled))
        .child(part("Simplified", "≈", &card.simplified))
        .child(part("Not modelled", "–", &card.not_modelled))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn a_change_is_tried_while_it_is_the_only_one() {
        for preset in presets::all() {
            let base = &preset.scenario;
            for attempt in &preset.tries {
                let mut now = Scenario { seed: base.seed + 1, ..base.clone() };
                assert!(!is_tried(base, attempt, &now), "{}: {}", preset.id, attempt.label);
                for (path, value) in attempt.set.iter() {
                    change(&mut now, path, value).expect("a change that presets are tested with");
                }
                let on = preset.tries.iter().filter(|other| is_tried(base, other, &now)).count();
                assert_eq!(on, 1, "{}: {}", preset.id, attempt.label);
                now.title = "another".to_owned();
                assert!(!is_tried(base, attempt, &now));
            }
        }
    }
}
