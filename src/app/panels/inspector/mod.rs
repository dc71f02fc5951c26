//! What is picked out: a node, a link, a message or an intent, with what can be done to it. With
//! nothing picked, everything there is, as lists: the stage in words.

use crate::app::actions::{actions, perform};
use crate::app::icon::icon;
use crate::app::state::{Lab, Selection};
use crate::app::views::scale;
use crate::base::time::Span;
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
#[component]
pub fn Inspector() -> impl IntoView {
    let lab = expect_context::<Lab>();
    view! {
        <div class="inspector">
            <Show when=move || lab.selected.get() != Selection::None>
                <button
                    type="button"
                    class="button button-quiet button-small inspector-back"
                    on:click=move |_| lab.selected.set(Selection::None)
                >
                    "← Everything"
                </button>
            </Show>
            {move || match lab.selected.get() {
                Selection::None => view! { <Overview /> }.into_any(),
                Selection::Node(id) => view! { <NodeCard id=id /> }.into_any(),
                Selection::Link(id) => view! { <LinkCard id=id /> }.into_any(),
                Selection::Packet(id) => {
                    view! { <StoryCard read=move || lab.with_session(|s| s.packet_story(id)) /> }
                        .into_any()
                }
                Selection::Intent(id) => {
                    view! { <StoryCard read=move || lab.with_session(|s| s.intent_story(id)) /> }
                        .into_any()
                }
            }}
        </div>
    }
}

/// Buttons for what can be done to a node or a link. They stay the same elements as long as what
/// they do stays the same, so the keyboard is not thrown off by the passing of time.
#[component]
pub fn Actions(
    /// The node or link.
    of: Selection,
) -> impl IntoView {
    let lab = expect_context::<Lab>();
    let all = Memo::new(move |_| {
        lab.slow_tick.track();
        actions(lab, of)
    });
    view! {
        <div class="actions" role="group" aria-label="What you can do">
            <For each=move || all.get() key=|action| format!("{action:?}") let:action>
                <button
                    type="button"
                    class="button"
                    class:button-danger=action.harm
                    title=key_hint(action.key)
                    on:click={
                        let action = action.clone();
                        move |_| perform(lab, &action)
                    }
                >
                    {icon(action.icon)}
                    {action.label.clone()}
                </button>
            </For>
        </div>
    }
}

/// How to do it by keyboard, if there is a way.
fn key_hint(key: &str) -> Option<String> {
    (!key.is_empty()).then(|| format!("Key {key} on the stage"))
}

/// A length of time in a figure or three.
fn span(span: Span) -> String {
    scale::millis(span.as_millis())
}
