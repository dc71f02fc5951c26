//! Every parameter of every node, as a form generated from the format's schema. An edit becomes a
//! command at the instant on screen; a refused one leaves the old value in force and says why
//! beside its field.

use super::form::Form;
use super::form::fields::Entry;
use super::form::path::Path;
use super::form::schema::Schema;
use crate::app::state::{Lab, Selection};
use crate::scenario::SCHEMA;
use leptos::prelude::*;
use serde_json::Value;
use std::sync::Arc;

/// Where in the scenario the form begins.
const ROOT: &str = "nodes";

/// The form of parameters: one section per node, the selected one open.
#[component]
pub fn Parameters() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let schema = Arc::new(Schema::read(SCHEMA));
    let document = Memo::new(move |_| {
        lab.opened.track();
        let whole = lab.with_session(|s| serde_json::to_value(s.scenario()));
        whole.ok().and_then(|v| v.get(ROOT).cloned()).unwrap_or_default()
    });
    provide_context(Form { schema: schema.clone(), document, root: ROOT });
    let names = Memo::new(move |_| {
        document
            .with(|d| d.as_object().map(|d| d.keys().cloned().collect::<Vec<_>>()))
            .unwrap_or_default()
    });
    let chosen = move |name: &str| match lab.selected.get() {
        Selection::Node(id) => {
            lab.with_frame(|f| f.nodes.get(id.index()).is_some_and(|n| n.group == name))
        }
        _ => false,
    };
    let section = move |name: String| {
        let node = schema.below(&[ROOT, &name]);
        let path = Path::default().key(&name);
        let picked = name.clone();
        let body = view! {
            <Entry node path label="Role".to_owned() help=String::new() default=Value::Null />
        };
        view! {
            <details class="parameters" open=move || chosen(&picked) || names.with(|n| n.len() < 3)>
                <summary>{name.clone()}</summary>
                {body}
            </details>
        }
    };
    view! {
        <form class="form" on:submit=|event| event.prevent_default()>
            <p class="form-note">"Changes apply at once, at the instant on screen."</p>
            <For each=move || names.get() key=String::clone children=section />
            <Show when=move || names.with(Vec::is_empty)>
                <p class="empty">"This scenario has no nodes."</p>
            </Show>
        </form>
    }
}
