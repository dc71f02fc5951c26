//! Small pieces several panels share: an instant to go to, the mark of a tone, rows of facts.

use crate::app::state::Lab;
use crate::app::views::scale;
use crate::base::time::Time;
use crate::observe::line::{Line, Tone};
use leptos::prelude::*;

/// Ticks twice a second while time passes, and at once when something was done: numbers and
/// sentences that change faster cannot be read. Read it, not only track it: a memo that nobody has
/// read follows nothing.
pub fn reading_pace(lab: Lab) -> Memo<(u64, bool)> {
    const EVERY: u64 = 5;
    Memo::new(move |_| {
        let (tick, playing) = (lab.slow_tick.get(), lab.playing.get());
        (if playing { tick / EVERY } else { tick }, playing)
    })
}

/// A fact of more letters stands below its name, not beside it.
const LONG: usize = 26;

/// An instant as a button that goes there.
#[component]
pub fn Instant(
    /// When.
    at: Time,
) -> impl IntoView {
    let lab = expect_context::<Lab>();
    let said = scale::instant(at.as_secs());
    view! {
        <button
            type="button"
            class="instant"
            title=format!("Go to {said}")
            on:click=move |_| {
                lab.pause();
                lab.seek(at);
            }
        >
            {said.clone()}
        </button>
    }
}

/// How an event is to be taken, as a shape, a colour and a word.
#[component]
pub fn ToneMark(
    /// How.
    tone: Tone,
) -> impl IntoView {
    let (class, shape, word) = match tone {
        Tone::Plain => ("tone tone-plain", "●", ""),
        Tone::Good => ("tone tone-ok", "✓", "good: "),
        Tone::Warning => ("tone tone-warn", "▲", "warning: "),
        Tone::Bad => ("tone tone-bad", "✕", "bad: "),
    };
    view! {
        <span class=class>
            <span aria-hidden="true">{shape}</span>
            <span class="unseen">{word}</span>
        </span>
    }
}

/// An event: when, how, what.
#[component]
pub fn EventLine(
    /// The event.
    line: Line,
) -> impl IntoView {
    view! {
        <li class="event">
            <Instant at=line.at />
            <ToneMark tone=line.tone />
            <span class="event-text">{line.text}</span>
        </li>
    }
}

/// Facts, each with its name.
#[component]
pub fn Rows(
    /// Names and facts.
    #[prop(into)]
    rows: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let row = |(name, fact): (String, String)| {
        let long = fact.chars().count() > LONG;
        view! { <div class:rows-long=long><dt>{name}</dt><dd>{fact}</dd></div> }
    };
    view! { <dl class="rows">{move || rows.get().into_iter().map(row).collect_view()}</dl> }
}
