//! What values are edited with: switches, fields, lists, and what is wrong with them.

use super::Form;
use super::fields::Entry;
use super::path::Path;
use super::schema::{Format, Shape};
use crate::app::dom::each::{each, show};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::app::widgets::explain::Help;
use crate::app::widgets::field::{Accepts, Field};
use crate::app::widgets::toggle::Toggle;
use crate::base::diagnostics::Problem;
use leptos::ev;
use leptos::prelude::*;
use serde_json::Value;

/// On or off.
pub fn Switch(path: Path, label: String, help: String) -> impl Into<View> {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let (read, at) = (form.clone(), path.clone());
    let on = Memo::new(move |_| read.value(&at).as_bool().unwrap_or_default());
    let at = path.clone();
    let change = move |on: bool| form.change(lab, &at, Value::from(on));
    html("div")
        .class("row")
        .child(Toggle(label.clone(), on, change))
        .child(Help(label, help))
        .child(Complaint(path))
}

/// A number, a text or a quantity, with its label.
pub fn Leaf(node: Value, path: Path, label: String, help: String) -> impl Into<View> {
    let form = expect_context::<Form>();
    let at = path.clone();
    let by_default = move || !form.is_set(&at);
    html("div")
        .class("row")
        .class_when("row-default", by_default)
        .child(html("label").class("row-label").attr("for", path.id()).child(label.clone()))
        .child(Help(label, help))
        .child(Control(node, path))
}

/// A few values side by side.
pub fn Tuple(kinds: Vec<Value>, path: Path, label: String, help: String) -> impl Into<View> {
    let control = |(n, node): (usize, Value)| {
        let path = path.index(n);
        let said = format!("{label}, {} of {}", n + 1, kinds.len());
        (html("label").class("unseen").attr("for", path.id()).child(said), Control(node, path))
    };
    let controls = kinds.iter().cloned().enumerate().map(control).collect::<View>();
    html("div")
        .class("row")
        .child(html("span").class("row-label").child(label.clone()))
        .child(Help(label.clone(), help))
        .child(html("span").class("row-tuple").child(controls))
}

/// The field of a number, a text or a quantity.
pub fn Control(node: Value, path: Path) -> impl Into<View> {
    let (form, lab) = (expect_context::<Form>(), expect_context::<Lab>());
    let accepts = match form.schema.shape(&node) {
        Shape::Number { whole, low, high } => Accepts::Number { whole, low, high },
        Shape::Text(format) => Accepts::Text(format),
        _ => Accepts::Text(Format::Plain),
    };
    let (read, at) = (form.clone(), path.clone());
    let value = Memo::new(move |_| text_of(&read.value(&at)));
    let at = path.clone();
    let problem = Memo::new(move |_| {
        let found = lab.problems.get();
        at.problem(&found.problems).map(said)
    });
    let id = path.id();
    let change = move |text: String| {
        let value = match accepts {
            Accepts::Text(_) => Value::from(text),
            // Text that is a number was let through by the field, so this reads it.
            Accepts::Number { .. } => serde_json::from_str(&text).unwrap_or(Value::from(text)),
        };
        form.change(lab, &path, value);
    };
    Field(id, accepts, value, problem, change)
}

/// Items in order, each removable, and a way to add one.
pub fn Items(item: Value, path: Path, label: String, help: String) -> impl Into<View> {
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
        html("li").child(Entry(node, path, label.clone(), String::new())).child(
            html("button")
                .attr("type", "button")
                .class("button button-quiet button-small")
                .attr("aria-label", format!("Remove {label}"))
                .on(ev::click, move |_| remove(&|items| without(items, n)))
                .child("remove"),
        )
    };
    (
        html("ol").class("items").child(each(move || 0..count.get(), |n| *n, row)),
        html("button")
            .attr("type", "button")
            .class("button button-small")
            .attr("title", help)
            .on(ev::click, move |_| add(&|items| items.push(blank.clone())))
            .child("Add one"),
    )
}

/// Takes the item away that stands at `n`, if there is one.
fn without(items: &mut Vec<Value>, n: usize) {
    if n < items.len() {
        items.remove(n);
    }
}

/// Entries by name.
pub fn Named(item: Value, path: Path) -> impl Into<View> {
    let form = expect_context::<Form>();
    let at = path.clone();
    let names = Memo::new(move |_| {
        let found = form.value(&at);
        let found = found.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        found.unwrap_or_default()
    });
    let entry = move |name: String| {
        let (node, path, label) = (item.clone(), path.key(&name), name.clone());
        html("fieldset").class("group").child(html("legend").child(name)).child(Entry(
            node,
            path,
            label,
            String::new(),
        ))
    };
    (
        each(move || names.get(), String::clone, entry),
        show(
            move || names.with(Vec::is_empty),
            move || html("p").class("choice-says").child("none"),
        ),
    )
}

/// A value no field fits: shown, not edited.
pub fn Raw(path: Path, label: String) -> impl Into<View> {
    let form = expect_context::<Form>();
    let text = move || text_of(&form.value(&path));
    html("p")
        .class("row")
        .child(html("span").class("row-label").child(label))
        .child(html("code").child(text))
}

/// What is wrong with the value at a path, beside a field that does not say so itself.
pub fn Complaint(path: Path) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    move || {
        let own = path.to_string();
        let found = lab.problems.get();
        let problem = found.problems.iter().find(|p| p.path == own)?;
        Some(html("span").class("field-note").child("✕ ").child(said(problem)))
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
