//! The fields of a generated form: one component per shape, each reading its value by path, so an
//! edit redraws only what it changed.

use super::Form;
use super::controls::{Complaint, Control, Items, Leaf, Named, Raw, Switch, Tuple};
use super::path::Path;
use super::schema::{Part, Shape, Variant, chosen};
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::state::Lab;
use crate::app::widgets::explain::Help;
use crate::app::widgets::toggle::Toggle;
use leptos::ev;
use leptos::prelude::*;
use serde_json::Value;
use std::sync::Arc;

/// So many parts are shown at once; of more, only those that differ from the defaults.
const PARTS: usize = 9;

/// A field of any shape, with its label.
pub fn Entry(
    // Its schema.
    node: Value,
    // Where its value is.
    path: Path,
    // Its name.
    label: String,
    // What it means.
    help: String,
) -> impl Into<View> {
    let form = expect_context::<Form>();
    match form.schema.shape(&node) {
        Shape::Group(parts) => Group(parts, path).into_view(),
        Shape::Choice(variants) => Choice(variants, path, label, help).into_view(),
        Shape::Switch => Switch(path, label, help).into_view(),
        Shape::Number { .. } | Shape::Text(_) => Leaf(node, path, label, help).into_view(),
        Shape::Tuple(kinds) => Tuple(kinds, path, label, help).into_view(),
        Shape::List(item) => Items(item, path, label, help).into_view(),
        Shape::Table(item) => Named(item, path).into_view(),
        Shape::Free => Raw(path, label).into_view(),
    }
}

/// The parts of a group, one below the other. Of many parts those at their default fold away; the
/// fold names them.
pub fn Group(
    // The parts.
    parts: Vec<Part>,
    // Where the group is.
    path: Path,
) -> impl Into<View> {
    let form = expect_context::<Form>();
    let many = parts.len() > PARTS;
    let (shown, folded): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| !many || untrack(|| form.is_set(&path.key(&part.key))));
    let names: Vec<&str> = folded.iter().map(|part| part.label.as_str()).collect();
    let names = names.join(", ").to_lowercase();
    let fields = |parts: Vec<Part>| {
        let field = |part: Part| {
            let path = path.key(&part.key);
            Member(part, path)
        };
        parts.into_iter().map(field).collect::<View>()
    };
    let folded = (!folded.is_empty()).then(|| {
        html("details")
            .class("more")
            .child(html("summary").child("More: ").child(html("span").child(names)))
            .child(html("div").class("group-parts").child(fields(folded)))
    });
    html("div").class("group-parts").child(fields(shown)).child(folded)
}

/// A part of a group. One that may be absent has a switch.
fn Member(part: Part, path: Path) -> impl Into<View> {
    let form = expect_context::<Form>();
    let Part { label, help, node, optional, default, .. } = part;
    if optional && default.is_null() {
        return Optional(node, path, label, help).into_view();
    }
    match form.schema.shape(&node) {
        Shape::Group(_) | Shape::List(_) | Shape::Table(_) => html("fieldset")
            .class("group")
            .child(html("legend").child(label.clone()).child(Help(label.clone(), help.clone())))
            .child(Entry(node, path, label, help))
            .into_view(),
        _ => Entry(node, path, label, help).into_view(),
    }
}

/// A part that may be absent: a switch, and the part beside or below it while it is on.
fn Optional(node: Value, path: Path, label: String, help: String) -> impl Into<View> {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let (read, at) = (form.clone(), path.clone());
    let on = Memo::new(move |_| !read.value(&at).is_null());
    let (write, at, blank) = (form.clone(), path.clone(), form.schema.blank(&node));
    let change = move |on: bool| {
        write.change(lab, &at, if on { blank.clone() } else { Value::Null });
    };
    let beside = matches!(form.schema.shape(&node), Shape::Number { .. } | Shape::Text(_));
    let name = label.clone();
    let inner = move || {
        let (node, path, label) = (node.clone(), path.clone(), name.clone());
        on.get().then(|| {
            if beside {
                let id = path.id();
                (html("label").class("unseen").attr("for", id).child(label), Control(node, path))
                    .into_view()
            } else {
                Entry(node, path, label, String::new()).into_view()
            }
        })
    };
    let head = (Toggle(label.clone(), on, change), Help(label, help));
    if beside {
        html("div").class("row").child(head).child(inner).into_view()
    } else {
        let off = move || !on.get();
        html("fieldset")
            .class("group")
            .class_when("group-off", off)
            .child(html("legend").child(head))
            .child(inner)
            .into_view()
    }
}

/// One of several variants, with the fields of the chosen one below.
fn Choice(variants: Vec<Variant>, path: Path, label: String, help: String) -> impl Into<View> {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let id = path.id();
    let variants = Arc::new(variants);
    let (read, at, among) = (form.clone(), path.clone(), variants.clone());
    let now = Memo::new(move |_| chosen(&among, &read.value(&at)));
    let option = |(n, variant): (usize, &Variant)| {
        let (label, help) = (variant.label.clone(), variant.help.clone());
        html("option")
            .attr("value", n)
            .attr("title", help)
            .attr("selected", move || now.get() == Some(n))
            .child(label)
    };
    let options = variants.iter().enumerate().map(option).collect::<View>();
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
            .then(|| html("p").class("choice-says").child(variant.help.clone()));
        let body = variant.body.clone().map(|node| {
            let (path, label) = (below.key(&variant.tag), variant.label.clone());
            Entry(node, path, label, String::new())
        });
        Some(html("div").class("choice-body").child(about).child(body))
    };
    html("div")
        .class("row")
        .child(html("label").class("row-label").attr("for", id.clone()).child(label.clone()))
        .child(Help(label, help))
        .child(
            html("select")
                .class("field-input")
                .attr("id", id)
                .on(ev::change, change)
                .child(options),
        )
        .child(Complaint(path))
        .child(inner)
}
