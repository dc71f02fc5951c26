//! What values are edited with: switches, fields, lists, and what is wrong with them.

use super::Form;
use super::fields::Entry;
use super::path::Path;
use super::schema::{Format, Shape};
use crate::app::state::Lab;
use crate::app::widgets::field::{Accepts, Field};
use crate::app::widgets::toggle::Toggle;
use crate::app::widgets::tooltip::Help;
use crate::base::diagnostics::Problem;
use leptos::prelude::*;
use serde_json::Value;

/// On or off.
#[component]
pub fn Switch(path: Path, label: String, help: String) -> impl IntoView {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let (read, at) = (form.clone(), path.clone());
    let on = Memo::new(move |_| read.value(&at).as_bool().unwrap_or_default());
    let at = path.clone();
    let change = Callback::new(move |on: bool| form.change(lab, &at, Value::from(on)));
    view! {
        <div class="row">
            <Toggle label=label.clone() on=on change=change />
            <Help about=label text=help />
            <Complaint path=path />
        </div>
    }
}

/// A number, a text or a quantity, with its label.
#[component]
pub fn Leaf(node: Value, path: Path, label: String, help: String) -> impl IntoView {
    let form = expect_context::<Form>();
    let at = path.clone();
    let by_default = move || !form.is_set(&at);
    view! {
        <div class="row" class:row-default=by_default>
            <label class="row-label" for=path.id()>{label.clone()}</label>
            <Help about=label text=help />
            <Control node path />
        </div>
    }
}

/// A few values side by side.
#[component]
pub fn Tuple(kinds: Vec<Value>, path: Path, label: String, help: String) -> impl IntoView {
    let control = |(n, node): (usize, Value)| {
        let path = path.index(n);
        let said = format!("{label}, {} of {}", n + 1, kinds.len());
        view! {
            <label class="unseen" for=path.id()>{said}</label>
            <Control node path />
        }
    };
    let controls = kinds.iter().cloned().enumerate().map(control).collect_view();
    view! {
        <div class="row">
            <span class="row-label">{label.clone()}</span>
            <Help about=label.clone() text=help />
            <span class="row-tuple">{controls}</span>
        </div>
    }
}

/// The field of a number, a text or a quantity.
#[component]
pub fn Control(node: Value, path: Path) -> impl IntoView {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let accepts = match form.schema.shape(&node) {
        Shape::Number { whole, low, high } => Accepts::Number { whole, low, high },
        Shape::Text(format) => Accepts::Text(format),
        _ => Accepts::Text(Format::Plain),
    };
    let (read, at) = (form.clone(), path.clone());
    let value = Memo::new(move |_| text_of(&read.value(&at)));
    let at = path.clone();
    let problem = Signal::derive(move || {
        let found = lab.problems.get();
        at.problem(&found.problems).map(said)
    });
    let id = path.id();
    let change = Callback::new(move |text: String| {
        let value = match accepts {
            Accepts::Text(_) => Value::from(text),
            // Text that is a number was let through by the field, so this reads it.
            Accepts::Number { .. } => serde_json::from_str(&text).unwrap_or(Value::from(text)),
        };
        form.change(lab, &path, value);
    });
    view! { <Field id accepts value problem=problem change=change /> }
}

/// Items in order, each removable, and a way to add one.
#[component]
pub fn Items(item: Value, path: Path, label: String, help: String) -> impl IntoView {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let (read, at) = (form.clone(), path.clone());
    let count = Memo::new(move |_| read.value(&at).as_array().map_or(0, Vec::len));
    let (write, at) = (form.clone(), path.clone());
    let edit = move |change: &dyn Fn(&mut Vec<Value>)| {
        let mut items = untrack(|| write.value(&at)).as_array().cloned().unwrap_or_default();
        change(&mut items);
        write.change(lab, &at, Value::Array(items));
    };
    let (blank, add) = (form.schema.blank(&item), edit.clone());
    let one = label.trim_end_matches('s').to_owned();
    let row = move |n: usize| {
        let (node, path, remove) = (item.clone(), path.index(n), edit.clone());
        let label = format!("{one} {}", n + 1);
        view! {
            <li>
                <Entry node path label=label.clone() help=String::new() />
                <button
                    type="button"
                    class="button button-quiet button-small"
                    aria-label=format!("Remove {label}")
                    on:click=move |_| remove(&|items| without(items, n))
                >
                    "remove"
                </button>
            </li>
        }
    };
    view! {
        <ol class="items"><For each=move || 0..count.get() key=|n| *n children=row /></ol>
        <button
            type="button"
            class="button button-small"
            title=help
            on:click=move |_| add(&|items| items.push(blank.clone()))
        >
            "Add one"
        </button>
    }
}

/// Takes the item away that stands at `n`, if there is one.
fn without(items: &mut Vec<Value>, n: usize) {
    if n < items.len() {
        items.remove(n);
    }
}

/// Entries by name.
#[component]
pub fn Named(item: Value, path: Path) -> impl IntoView {
    let form = expect_context::<Form>();
    let at = path.clone();
    let names = Memo::new(move |_| {
        let found = form.value(&at);
        let found = found.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        found.unwrap_or_default()
    });
    let entry = move |name: String| {
        let (node, path, label) = (item.clone(), path.key(&name), name.clone());
        view! {
            <fieldset class="group">
                <legend>{name}</legend>
                <Entry node path label help=String::new() />
            </fieldset>
        }
    };
    view! {
        <For each=move || names.get() key=String::clone children=entry />
        <Show when=move || names.with(Vec::is_empty)><p class="choice-says">"none"</p></Show>
    }
}

/// A value no field fits: shown, not edited.
#[component]
pub fn Raw(path: Path, label: String) -> impl IntoView {
    let form = expect_context::<Form>();
    let text = move || text_of(&form.value(&path));
    view! { <p class="row"><span class="row-label">{label}</span><code>{text}</code></p> }
}

/// What is wrong with the value at a path, beside a field that does not say so itself.
#[component]
pub fn Complaint(path: Path) -> impl IntoView {
    let lab = expect_context::<Lab>();
    move || {
        let own = path.to_string();
        let found = lab.problems.get();
        let problem = found.problems.iter().find(|p| p.path == own)?;
        Some(view! { <span class="field-note">"✕ "{said(problem)}</span> })
    }
}

/// A problem without its path, which the field stands for.
fn said(problem: &Problem) -> String {
    match problem.remedy.as_str() {
        "" => problem.message.clone(),
        remedy => format!("{} ({remedy})", problem.message),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
