//! The few settings that the author of a page chose to show beside an embedded run.

use super::form::Form;
use super::form::fields::Entry;
use super::form::path::Path;
use super::form::schema::{Part, Schema, Shape, chosen};
use crate::app::chrome;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::scenario::SCHEMA;
use leptos::prelude::*;
use serde_json::Value;
use std::sync::Arc;

/// The settings with these paths, as links write them; others are left out.
pub fn Knobs(paths: &[String]) -> impl Into<View> + use<> {
    let lab = expect_context::<Lab>();
    let form = Form::of(lab, Arc::new(Schema::read(SCHEMA)));
    let known = untrack(|| form.values.get());
    let found: Vec<(Part, Path)> =
        paths.iter().filter_map(|path| find(&form.schema, &known, path)).collect();
    provide_context(form);
    (!found.is_empty()).then(|| {
        let knobs =
            found.into_iter().map(|(part, path)| Entry(part.node, path, part.label, part.help));
        html("fieldset")
            .class("form knobs")
            .attr("disabled", !chrome::may_set())
            .attr("aria-label", "Settings")
            .child(knobs.collect::<View>())
    })
}

/// The part of the schema that a path of a link names: `people.retry.attempts`, without the kind
/// of the node, which the values tell.
fn find(schema: &Schema, values: &Value, path: &str) -> Option<(Part, Path)> {
    let mut keys = path.split('.');
    let name = keys.next()?;
    let at = Path::default().key("nodes").key(name);
    let (mut node, mut at) = variant(schema, values, schema.below(&["nodes", name]), at)?;
    let mut found = None;
    for key in keys {
        // Who backs off exponentially is asked for its base without saying so again.
        if let Shape::Choice(_) = schema.shape(&node) {
            (node, at) = variant(schema, values, node, at)?;
        }
        let Shape::Group(parts) = schema.shape(&node) else { return None };
        let part = parts.into_iter().find(|part| part.key == key)?;
        (node, at) = (part.node.clone(), at.key(key));
        let label = format!("{name}: {}", part.label.to_lowercase());
        found = Some((Part { label, ..part }, at.clone()));
    }
    found
}

/// What a choice is set to.
fn variant(schema: &Schema, values: &Value, node: Value, at: Path) -> Option<(Value, Path)> {
    let Shape::Choice(variants) = schema.shape(&node) else { return None };
    let now = chosen(&variants, at.find(values)?)?;
    let variant = variants.into_iter().nth(now)?;
    Some((variant.body?, at.key(&variant.tag)))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::scenario::link;
    use crate::scenario::v1::wire::Wire;

    #[wasm_bindgen_test]
    fn a_path_of_a_link_leads_to_its_field() {
        let schema = Schema::read(SCHEMA);
        let values = link::open(Some("retry-storm"), "").0.scenario.full();
        let at = |path: &str| find(&schema, &values, path).map(|(_, at)| at.to_string());
        assert_eq!(
            at("people.retry.attempts").as_deref(),
            Some("nodes.people.clients.retry.attempts")
        );
        assert_eq!(at("api.queue").as_deref(), Some("nodes.api.service.queue"));
        for wrong in ["api", "nobody.queue", "api.nothing", "api.queue.more", ""] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
