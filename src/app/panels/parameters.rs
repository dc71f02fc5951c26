//! Every parameter of every node and of the network, as a form generated from the format's schema.
//! An edit becomes a command at the instant on screen; a refused one leaves the old value in force
//! and says why beside its field.

use super::form::Form;
use super::form::fields::{Entry, Group};
use super::form::path::Path;
use super::form::schema::{Schema, Shape, chosen};
use super::seeds::Seed;
use crate::app::chrome;
use crate::app::dom::each::each;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::{Lab, Selection};
use crate::scenario::SCHEMA;
use leptos::prelude::*;
use std::sync::Arc;

const ABOUT: &str = "Changes apply at the instant on screen. Where a run cannot change on its way \
    (how many there are, the seed), it begins again with them, and the page says so.";

/// The form of parameters: one section per node, the selected one open, and the network.
pub fn Parameters() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let schema = Arc::new(Schema::read(SCHEMA));
    let form = Form::of(lab, schema.clone());
    let values = form.values;
    provide_context(form);
    let names = Memo::new(move |_| {
        let names = values.with(|v| {
            v.get("nodes")?.as_object().map(|nodes| nodes.keys().cloned().collect::<Vec<_>>())
        });
        names.unwrap_or_default()
    });
    let whole = move |part: &'static str, title: &'static str| {
        html("details").class("parameters").child(html("summary").child(title)).child(Entry(
            schema.below(&[part]),
            Path::default().key(part),
            title.to_owned(),
            String::new(),
        ))
    };
    let open = chrome::may_set();
    html("fieldset")
        .class("form")
        .attr("disabled", !open)
        .child(html("p").class("form-note").child(if open { ABOUT } else { chrome::LOCKED }))
        .child(html("div").class("row").child(Seed("tune-seed")))
        .child(each(
            move || names.get(),
            String::clone,
            move |name| Node(name, names.with_untracked(|n| n.len() < 3)),
        ))
        .child(whole("network", "Network"))
        .child(whole("distances", "Distances"))
        .child(whole("prices", "Prices"))
}

/// The section of a node (or of replicas, which share their settings).
fn Node(name: String, only: bool) -> impl Into<View> {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let node = form.schema.below(&["nodes", &name]);
    let path = Path::default().key("nodes").key(&name);
    let picked = name.clone();
    let open = Memo::new(move |_| match lab.selected.get() {
        Selection::Node(id) => {
            lab.with_frame(|f| f.nodes.get(id.index()).is_some_and(|n| n.group == picked))
        }
        _ => only,
    });
    let variants = match form.schema.shape(&node) {
        Shape::Choice(variants) => variants,
        _ => Vec::new(),
    };
    // What a node is does not change while it runs, so the choice itself is not offered.
    let now = chosen(&variants, &untrack(|| form.value(&path)));
    let variant = now.and_then(|n| variants.get(n).cloned());
    let kind = variant.as_ref().map(|v| v.label.to_lowercase());
    let body = variant.and_then(|variant| {
        let path = path.key(&variant.tag);
        match form.schema.shape(&variant.body?) {
            Shape::Group(parts) => Some(Group(parts, path)),
            _ => None,
        }
    });
    html("details")
        .class("parameters")
        .attr("open", open)
        .child(
            html("summary")
                .child(name)
                .child(" ")
                .child(html("span").class("inspector-kind").child(kind)),
        )
        .child(body)
}
