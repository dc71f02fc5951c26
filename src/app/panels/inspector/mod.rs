//! What is picked out: a node, a link, a message or an intent, with what can be done to it. With
//! nothing picked, everything there is, as lists: the stage in words.

use crate::app::actions::{actions, perform};
use crate::app::dom::each::{each, show};
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::icon::icon;
use crate::app::state::{Lab, Selection};
use crate::app::views::scale;
use crate::base::time::Span;
use leptos::ev;
use leptos::prelude::*;
use link::LinkCard;
use lists::Overview;
use node::NodeCard;
use story::StoryCard;

mod link;
mod lists;
mod node;
mod story;

/// The inspector.
pub fn Inspector() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    html("div")
        .class("inspector")
        .child(show(
            move || lab.selected.get() != Selection::None,
            move || {
                html("button")
                    .attr("type", "button")
                    .class("button button-quiet button-small inspector-back")
                    .on(ev::click, move |_| lab.selected.set(Selection::None))
                    .child("← Everything")
            },
        ))
        .child(move || match lab.selected.get() {
            Selection::None => Overview().into_view(),
            Selection::Node(id) => NodeCard(id).into_view(),
            Selection::Link(id) => LinkCard(id).into_view(),
            Selection::Packet(id) => {
                StoryCard(move || lab.with_session(|s| s.packet_story(id))).into_view()
            }
            Selection::Intent(id) => {
                StoryCard(move || lab.with_session(|s| s.intent_story(id))).into_view()
            }
        })
}

/// Buttons for what can be done to a node or a link. They stay the same elements as long as what
/// they do stays the same, so the keyboard is not thrown off by the passing of time.
pub fn Actions(
    // The node or link.
    of: Selection,
) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let all = Memo::new(move |_| {
        lab.slow_tick.track();
        actions(lab, of)
    });
    html("div").class("actions").attr("role", "group").attr("aria-label", "What you can do").child(
        each(
            move || all.get(),
            |action| format!("{action:?}"),
            move |action| {
                html("button")
                    .attr("type", "button")
                    .class("button")
                    .class_when("button-danger", action.harm)
                    .attr("title", key_hint(action.key))
                    .on(ev::click, {
                        let action = action.clone();
                        move |_| perform(lab, &action)
                    })
                    .child(icon(action.icon))
                    .child(action.label.clone())
            },
        ),
    )
}

/// How to do it by keyboard, if there is a way.
fn key_hint(key: &str) -> Option<String> {
    (!key.is_empty()).then(|| format!("Key {key} on the stage"))
}

/// A length of time in a figure or three.
fn span(span: Span) -> String {
    scale::millis(span.as_millis())
}
