//! Why a message or an intent ended as it did.

use crate::app::dom::each::{each, show};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::panels::parts::{EventLine, Rows};
use crate::app::state::Lab;
use crate::observe::line::Story;
use leptos::prelude::*;

/// A message or an intent: its fate, its cause, its whole life.
pub fn StoryCard(
    // Looks it up in the run; none when the run no longer remembers.
    read: impl Fn() -> Option<Story> + Send + Sync + 'static,
) -> impl Into<View> {
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
    show(
        move || story.with(Option::is_some),
        move || {
            (
                html("header").class("inspector-head").child(
                    html("h3").child(move || story.with(|s| s.as_ref().map(|s| s.title.clone()))),
                ),
                Rows(rows.into()),
                html("h4").child("Its whole life"),
                html("ol").class("events").child(each(life, |line| (line.at, line.seq), EventLine)),
            )
        },
    )
}
