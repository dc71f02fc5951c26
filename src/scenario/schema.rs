//! The JSON Schema of the format, generated from the types. The page's forms, the editor's
//! completion and the published schema are all the checked-in text of it.

use super::v1::Scenario;
use super::v1::wire::named::Named;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// The schema as text.
pub fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy));
    let schema = settings.into_generator().into_root_schema_for::<Scenario>();
    let text = serde_json::to_string_pretty(&schema);
    text.expect("a schema is plain JSON") + "\n"
}

/// Takes out what says how numbers are held in memory.
fn tidy(schema: &mut Schema) {
    let format = schema.get("format").and_then(|format| format.as_str());
    if format.is_some_and(|format| !["span", "rate", "chance"].contains(&format)) {
        schema.remove("format");
    }
}

/// Adds plain text to the forms of a distribution.
pub fn or_span(schema: &mut Schema) {
    let help = "The same as constant.";
    let text = serde_json::json!({ "type": "string", "format": "span", "description": help });
    if let Some(serde_json::Value::Array(options)) = schema.get_mut("oneOf") {
        options.push(text);
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Named{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": item })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCHEMA;

    /// `UPDATE=1 cargo test schema` writes it anew.
    #[test]
    fn the_checked_in_schema_is_that_of_the_types() {
        let now = schema();
        if std::env::var_os("UPDATE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenario/v1.schema.json");
            std::fs::write(path, &now).expect("the source folder can be written to");
            return;
        }
        assert!(now == SCHEMA, "run `UPDATE=1 cargo test schema` and look at the difference");
    }
}
