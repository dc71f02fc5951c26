//! Why a message or an intent ended as it did.

use crate::app::panels::parts::{EventLine, Rows};
use crate::app::state::Lab;
use crate::observe::line::Story;
use leptos::prelude::*;

/// A message or an intent: its fate, its cause, its whole life.
#[component]
pub fn StoryCard(
    /// Looks it up in the run; none when the run no longer remembers.
    read: impl Fn() -> Option<Story> + Send + Sync + 'static,
) -> impl IntoView {
    let lab = expect_context::<Lab>();
    let story = Memo::new_with_compare(
        move |_| {
            lab.slow_tick.track();
            read()
        },
        |a, b| match (a, b) {
            (Some(Some(a)), Some(Some(b))) => {
                a.title != b.title || a.rows != b.rows || a.life != b.life
            }
            (Some(None), Some(None)) => false,
            _ => true,
        },
    );
    let rows =
        Memo::new(move |_| story.with(|s| s.as_ref().map(|s| s.rows.clone())).unwrap_or_default());
    let life = move || story.with(|s| s.as_ref().map(|s| s.life.clone())).unwrap_or_default();
    view! {
        <Show
            when=move || story.with(Option::is_some)
            fallback=|| view! { <p class="empty">"The run no longer remembers this one."</p> }
        >
            <header class="inspector-head">
                <h3>{move || story.with(|s| s.as_ref().map(|s| s.title.clone()))}</h3>
            </header>
            <Rows rows=rows />
            <h4>"Its whole life"</h4>
            <ol class="events">
                <For
                    each=life
                    key=|line| (line.at, line.seq)
                    let:line
                >
                    <EventLine line=line />
                </For>
            </ol>
        </Show>
    }
}
