//! What a preset is about: its story, a bet to make before running it, what to watch, changes to
//! try, and how far to trust it.

use crate::app::state::Lab;
use crate::app::widgets::button::{Button, Look};
use crate::base::time::Time;
use crate::scenario::presets::{self, Fidelity, Preset, Question, Try};
use crate::session::command::Command;
use leptos::prelude::*;

/// The story of the preset on screen; without one, a line that says so.
#[component]
pub fn Story() -> impl IntoView {
    let lab = expect_context::<Lab>();
    move || match lab.preset.get().and_then(|id| presets::find(&id)) {
        Some(preset) => view! { <Told preset=preset /> }.into_any(),
        None => view! {
            <p class="empty">"A scenario of your own: it has no story yet. Break something."</p>
        }
        .into_any(),
    }
}

#[component]
fn Told(preset: &'static Preset) -> impl IntoView {
    let paragraphs = preset.story.iter().map(|text| view! { <p>{text.as_str()}</p> });
    let watch = preset.watch.iter().map(|text| view! { <li>{text.as_str()}</li> });
    let tries = preset.tries.iter().map(|attempt| view! { <Attempt attempt=attempt /> });
    view! {
        <article class="story">
            <h2>{preset.title.as_str()}</h2>
            <p class="story-summary">{preset.summary.as_str()}</p>
            {paragraphs.collect_view()}
            <Bet question=&preset.question />
            <section class="story-part">
                <h3>"What to watch"</h3>
                <ul>{watch.collect_view()}</ul>
            </section>
            <section class="story-part">
                <h3>"Things to try"</h3>
                <ul class="tries">{tries.collect_view()}</ul>
            </section>
            <Card card=&preset.card />
        </article>
    }
}

/// A prediction, made before the run and explained after it. Wrong bets are not scored.
#[component]
fn Bet(question: &'static Question) -> impl IntoView {
    let lab = expect_context::<Lab>();
    let bet = RwSignal::new(None::<usize>);
    let told = RwSignal::new(false);
    Effect::new(move |_| {
        lab.slow_tick.track();
        if bet.get().is_some() && lab.with_session(|s| s.newest() >= s.end()) {
            told.set(true);
        }
    });
    let choice = move |(n, text): (usize, &'static String)| {
        let right = move || told.get() && n == question.answer;
        let wrong = move || told.get() && n != question.answer && bet.get() == Some(n);
        let mark = move || match (right(), wrong(), bet.get() == Some(n)) {
            (true, _, _) => "✓",
            (_, true, _) => "✕",
            (_, _, true) => "●",
            _ => "○",
        };
        view! {
            <li>
                <button
                    type="button"
                    class="bet-choice"
                    class:bet-right=right
                    class:bet-wrong=wrong
                    aria-pressed=move || if bet.get() == Some(n) { "true" } else { "false" }
                    disabled=told
                    on:click=move |_| bet.set(Some(n))
                >
                    <span class="bet-mark" aria-hidden="true">{mark}</span>
                    {text.as_str()}
                </button>
            </li>
        }
    };
    let result = move || {
        let bet = bet.get().filter(|_| told.get())?;
        let verdict =
            if bet == question.answer { "Well predicted." } else { "It went differently." };
        Some(view! {
            <p class="bet-result" role="status">
                <strong>{verdict}</strong>
                " "
                {question.explain.as_str()}
            </p>
        })
    };
    let waiting = move || bet.get().is_some() && !told.get();
    view! {
        <section class="bet" aria-label="Your prediction">
            <h3>"Place your bet"</h3>
            <p>{question.text.as_str()}</p>
            <ol class="bet-choices">
                {question.choices.iter().enumerate().map(choice).collect_view()}
            </ol>
            <Show when=waiting>
                <div class="bet-next">
                    <Button look=Look::Main press=Callback::new(move |()| lab.play())>
                        {move || if lab.playing.get() { "Running…" } else { "Run it and see" }}
                    </Button>
                    <Button look=Look::Quiet press=Callback::new(move |()| told.set(true))>
                        "Tell me now"
                    </Button>
                </div>
            </Show>
            {result}
        </section>
    }
}

/// A change to try: applied from the start of the run, so that all of it shows the difference.
#[component]
fn Attempt(attempt: &'static Try) -> impl IntoView {
    let lab = expect_context::<Lab>();
    let tried = RwSignal::new(false);
    let press = Callback::new(move |()| {
        lab.pause();
        lab.update_session(|s| s.seek(Time::ZERO));
        let all = attempt.set.iter().all(|(path, value)| {
            lab.command(Command::Set { path: path.clone(), value: value.clone() })
        });
        tried.set(all);
        if all {
            lab.play();
        }
    });
    view! {
        <li>
            <Button press=press pressed=tried>{attempt.label.as_str()}</Button>
            <Show when=move || tried.get()>
                <p class="try-expect" role="status">
                    <b>"Expect: "</b>
                    {attempt.expect.as_str()}
                </p>
            </Show>
        </li>
    }
}

/// What the simulation models and what it leaves out.
#[component]
fn Card(card: &'static Fidelity) -> impl IntoView {
    let part = |title: &'static str, mark: &'static str, items: &'static [String]| {
        (!items.is_empty()).then(|| {
            let items = items.iter().map(|item| {
                view! { <li><span aria-hidden="true">{mark}</span>{item.as_str()}</li> }
            });
            view! { <div><h4>{title}</h4><ul>{items.collect_view()}</ul></div> }
        })
    };
    view! {
        <details class="trust">
            <summary>"How far to trust this"</summary>
            {part("Modelled", "✓", &card.modelled)}
            {part("Simplified", "≈", &card.simplified)}
            {part("Not modelled", "–", &card.not_modelled)}
        </details>
    }
}
