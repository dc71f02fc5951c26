//! Whether what should hold holds.

use super::parts::Instant;
use crate::app::state::Lab;
use crate::base::time::Time;
use crate::check::State;
use leptos::prelude::*;

/// The checks of the scenario, worst first.
#[component]
pub fn Checks() -> impl IntoView {
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
        view! {
            <li class="verdict">
                <span class=class aria-hidden="true">{shape}</span>
                <div>
                    <p class="verdict-name">
                        <strong>{name}</strong>
                        <span class="verdict-word">{word}</span>
                    </p>
                    <p class="verdict-says">{sentence}</p>
                    {at.map(|at| view! { <Instant at=at /> })}
                </div>
            </li>
        }
    };
    view! {
        <ul class="verdicts" aria-label="Checks">
            <For each=move || verdicts.get() key=|v| format!("{v:?}") children=row />
        </ul>
        <Show when=move || verdicts.with(Vec::is_empty)>
            <p class="empty">"This scenario checks nothing."</p>
        </Show>
    }
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
