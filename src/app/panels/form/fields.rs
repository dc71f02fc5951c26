//! The fields of a generated form: one component per shape, each reading its value by path, so an
//! edit redraws only what it changed.

use super::Form;
use super::controls::{Complaint, Control, Items, Leaf, Named, Raw, Switch, Tuple};
use super::path::Path;
use super::schema::{Part, Shape, Variant, chosen};
use crate::app::state::Lab;
use crate::app::widgets::toggle::Toggle;
use crate::app::widgets::tooltip::Help;
use leptos::prelude::*;
use serde_json::Value;
use std::sync::Arc;

/// So many parts are shown at once; of more, only those that differ from the defaults.
const PARTS: usize = 9;

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
) -> impl IntoView {
    let form = expect_context::<Form>();
    match form.schema.shape(&node) {
        Shape::Group(parts) => view! { <Group parts path /> }.into_any(),
        Shape::Choice(variants) => view! { <Choice variants path label help /> }.into_any(),
        Shape::Switch => view! { <Switch path label help /> }.into_any(),
        Shape::Number { .. } | Shape::Text(_) => view! { <Leaf node path label help /> }.into_any(),
        Shape::Tuple(kinds) => view! { <Tuple kinds path label help /> }.into_any(),
        Shape::List(item) => view! { <Items item path label help /> }.into_any(),
        Shape::Table(item) => view! { <Named item path /> }.into_any(),
        Shape::Free => view! { <Raw path label /> }.into_any(),
    }
}

/// The parts of a group, one below the other. Of many parts those at their default fold away; the
/// fold names them.
#[component]
pub fn Group(
    /// The parts.
    parts: Vec<Part>,
    /// Where the group is.
    path: Path,
) -> impl IntoView {
    let form = expect_context::<Form>();
    let many = parts.len() > PARTS;
    let (shown, folded): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| !many || untrack(|| form.is_set(&path.key(&part.key))));
    let names: Vec<&str> = folded.iter().map(|part| part.label.as_str()).collect();
    let names = names.join(", ").to_lowercase();
    let fields = |parts: Vec<Part>| {
        let field = |part: Part| {
            let path = path.key(&part.key);
            view! { <Member part path /> }
        };
        parts.into_iter().map(field).collect_view()
    };
    let folded = (!folded.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary>"More: " <span>{names}</span></summary>
                <div class="group-parts">{fields(folded)}</div>
            </details>
        }
    });
    view! { <div class="group-parts">{fields(shown)} {folded}</div> }
}

/// A part of a group. One that may be absent has a switch.
#[component]
fn Member(part: Part, path: Path) -> impl IntoView {
    let form = expect_context::<Form>();
    let Part { label, help, node, optional, default, .. } = part;
    if optional && default.is_null() {
        return view! { <Optional node path label help /> }.into_any();
    }
    match form.schema.shape(&node) {
        Shape::Group(_) | Shape::List(_) | Shape::Table(_) => view! {
            <fieldset class="group">
                <legend>{label.clone()}<Help about=label.clone() text=help.clone() /></legend>
                <Entry node path label help />
            </fieldset>
        }
        .into_any(),
        _ => view! { <Entry node path label help /> }.into_any(),
    }
}

/// A part that may be absent: a switch, and the part beside or below it while it is on.
#[component]
fn Optional(node: Value, path: Path, label: String, help: String) -> impl IntoView {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let (read, at) = (form.clone(), path.clone());
    let on = Memo::new(move |_| !read.value(&at).is_null());
    let (write, at, blank) = (form.clone(), path.clone(), form.schema.blank(&node));
    let change = Callback::new(move |on: bool| {
        write.change(lab, &at, if on { blank.clone() } else { Value::Null });
    });
    let beside = matches!(form.schema.shape(&node), Shape::Number { .. } | Shape::Text(_));
    let name = label.clone();
    let inner = move || {
        let (node, path, label) = (node.clone(), path.clone(), name.clone());
        on.get().then(|| {
            if beside {
                let id = path.id();
                view! {
                    <label class="unseen" for=id>{label}</label>
                    <Control node path />
                }
                .into_any()
            } else {
                view! { <Entry node path label help=String::new() /> }.into_any()
            }
        })
    };
    let head = view! {
        <Toggle label=label.clone() on=on change=change />
        <Help about=label text=help />
    };
    if beside {
        view! { <div class="row">{head} {inner}</div> }.into_any()
    } else {
        let off = move || !on.get();
        view! {
            <fieldset class="group" class:group-off=off><legend>{head}</legend> {inner}</fieldset>
        }
        .into_any()
    }
}

/// One of several variants, with the fields of the chosen one below.
#[component]
fn Choice(variants: Vec<Variant>, path: Path, label: String, help: String) -> impl IntoView {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let id = path.id();
    let variants = Arc::new(variants);
    let (read, at, among) = (form.clone(), path.clone(), variants.clone());
    let now = Memo::new(move |_| chosen(&among, &read.value(&at)));
    let option = |(n, variant): (usize, &Variant)| {
        let (label, help) = (variant.label.clone(), variant.help.clone());
        view! { <option value=n title=help selected=move || now.get() == Some(n)>{label}</option> }
    };
    let options = variants.iter().enumerate().map(option).collect_view();
    let (write, at, among) = (form.clone(), path.clone(), variants.clone());
    let change = move |event| {
        let picked = event_target_value(&event).parse::<usize>().ok();
        if let Some(variant) = picked.and_then(|n| among.get(n)) {
            write.change(lab, &at, write.schema.chosen_blank(variant));
        }
    };
    let below = path.clone();
    let inner = move || {
        let variant = variants.get(now.get()?)?;
        let about = (!variant.help.is_empty())
            .then(|| view! { <p class="choice-says">{variant.help.clone()}</p> });
        let body = variant.body.clone().map(|node| {
            let (path, label) = (below.key(&variant.tag), variant.label.clone());
            view! { <Entry node path label help=String::new() /> }
        });
        Some(view! { <div class="choice-body">{about} {body}</div> })
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
