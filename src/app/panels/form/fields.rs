//! The fields of a generated form: one component per shape, each reading its value by path, so an
//! edit redraws only what it changed.

use super::Form;
use super::controls::{Complaint, Control, Items, Leaf, Named, Raw, Switch};
use super::path::Path;
use super::schema::{Part, Shape, Variant, chosen};
use crate::app::state::Lab;
use crate::app::widgets::field::Accepts;
use crate::app::widgets::toggle::Toggle;
use crate::app::widgets::tooltip::Help;
use leptos::prelude::*;
use serde_json::Value;
use std::sync::Arc;

/// A field of any shape, with its label.
#[component]
pub fn Entry(
    /// Its schema.
    node: Value,
    /// Where its value is.
    path: Path,
    /// Its name.
    label: String,
    /// What it means.
    help: String,
    /// What an absent value stands for.
    default: Value,
) -> impl IntoView {
    let form = expect_context::<Form>();
    let id = path.id();
    match form.schema.shape(&node) {
        Shape::Group(parts) => view! { <Group parts=parts path=path default=default /> }.into_any(),
        Shape::Choice(variants) => {
            view! { <Choice id variants path label help default /> }.into_any()
        }
        Shape::Switch => view! { <Switch id path label help default /> }.into_any(),
        Shape::Number { whole, low, high } => {
            let accepts = Accepts::Number { whole, low, high };
            view! { <Leaf id accepts path label help default /> }.into_any()
        }
        Shape::Text(format) => {
            view! { <Leaf id accepts=Accepts::Text(format) path label help default /> }.into_any()
        }
        Shape::List(item) => view! { <Items item path label help /> }.into_any(),
        Shape::Table(item) => view! { <Named item path label help /> }.into_any(),
        Shape::Free => view! { <Raw path label /> }.into_any(),
    }
}

/// The parts of a group, one below the other; a part that may be absent has a switch for it.
#[component]
fn Group(parts: Vec<Part>, path: Path, default: Value) -> impl IntoView {
    let form = expect_context::<Form>();
    let field = move |part: Part| {
        let own = path.key(&part.key);
        let fallback = default.get(&part.key).cloned().unwrap_or_else(|| part.default.clone());
        let Part { label, help, node, optional, .. } = part;
        let nullable = optional && fallback.is_null();
        let simple = matches!(
            form.schema.shape(&node),
            Shape::Number { .. } | Shape::Text(_) | Shape::Switch | Shape::Choice(_)
        );
        match (nullable, simple) {
            (true, _) => view! { <Optional node path=own label help /> }.into_any(),
            (false, true) => {
                view! { <Entry node path=own label help default=fallback /> }.into_any()
            }
            (false, false) => view! {
                <fieldset class="group">
                    <legend>{label.clone()}<Help about=label.clone() text=help.clone() /></legend>
                    <Entry node path=own label help default=fallback />
                </fieldset>
            }
            .into_any(),
        }
    };
    view! { <div class="group-parts">{parts.into_iter().map(field).collect_view()}</div> }
}

/// A part that may be absent: a switch, and the part below it while it is on.
#[component]
fn Optional(node: Value, path: Path, label: String, help: String) -> impl IntoView {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let (read, at) = (form.clone(), path.clone());
    let on = Memo::new(move |_| !read.value(&at, &Value::Null).is_null());
    let (write, at, blank) = (form.clone(), path.clone(), form.schema.blank(&node));
    let change = Callback::new(move |on: bool| {
        write.set(lab, &at, if on { blank.clone() } else { Value::Null });
    });
    let inner = label.clone();
    let accepts = match form.schema.shape(&node) {
        Shape::Number { whole, low, high } => Some(Accepts::Number { whole, low, high }),
        Shape::Text(format) => Some(Accepts::Text(format)),
        _ => None,
    };
    if let Some(accepts) = accepts {
        let id = path.id();
        return view! {
            <div class="row">
                <Toggle label=label.clone() on=on change=change />
                <Help about=label.clone() text=help />
                <Show when=move || on.get()>
                    <label class="unseen" for=id.clone()>{label.clone()}</label>
                    <Control id=id.clone() accepts path=path.clone() default=Value::Null />
                </Show>
            </div>
        }
        .into_any();
    }
    view! {
        <fieldset class="group" class:group-off=move || !on.get()>
            <legend>
                <Toggle label=label.clone() on=on change=change />
                <Help about=label text=help />
            </legend>
            <Show when=move || on.get()>
                <Entry
                    node=node.clone()
                    path=path.clone()
                    label=inner.clone()
                    help=String::new()
                    default=Value::Null
                />
            </Show>
        </fieldset>
    }
    .into_any()
}

/// One of several variants, with the fields of the chosen one below.
#[component]
fn Choice(
    id: String,
    variants: Vec<Variant>,
    path: Path,
    label: String,
    help: String,
    default: Value,
) -> impl IntoView {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let variants = Arc::new(variants);
    let (read, at, among, otherwise) =
        (form.clone(), path.clone(), variants.clone(), default.clone());
    let now = Memo::new(move |_| chosen(&among, &read.value(&at, &otherwise)));
    let options = variants.iter().enumerate().map(|(n, variant)| {
        let (label, help) = (variant.label.clone(), variant.help.clone());
        view! { <option value=n title=help selected=move || now.get() == Some(n)>{label}</option> }
    });
    let options = options.collect_view();
    let (write, at, among) = (form.clone(), path.clone(), variants.clone());
    let change = move |event| {
        let picked = event_target_value(&event).parse::<usize>().ok();
        if let Some(variant) = picked.and_then(|n| among.get(n)) {
            write.set(lab, &at, write.schema.chosen_blank(variant));
        }
    };
    let (among, below) = (variants.clone(), path.clone());
    let inner = move || {
        let variant = among.get(now.get()?)?;
        let about = (!variant.help.is_empty())
            .then(|| view! { <p class="choice-says">{variant.help.clone()}</p> });
        let body = variant.body.clone().map(|node| {
            let path = below.key(&variant.tag);
            let default = default.get(&variant.tag).cloned().unwrap_or_default();
            let label = variant.label.clone();
            view! { <Entry node path label help=String::new() default /> }
        });
        Some(view! { <div class="choice-body">{about}{body}</div> })
    };
    view! {
        <div class="row">
            <label class="row-label" for=id.clone()>{label.clone()}</label>
            <Help about=label text=help />
            <select class="field-input" id=id on:change=change>{options}</select>
            <Complaint path=path />
            {inner}
        </div>
    }
}
