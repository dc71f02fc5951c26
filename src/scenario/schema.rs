//! The JSON Schema of the format, generated from the types. The page's forms, the editor's
//! completion and the published schema are all the checked-in text of it.

use super::v1::Scenario;
use super::v1::wire::Named;
use crate::base::time::Span;
use crate::base::unit::{Chance, Rate};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// The schema as text.
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Scenario>();
    let text = serde_json::to_string_pretty(&schema);
    text.expect("a schema is plain JSON") + "\n"
}

macro_rules! text {
    ($kind:ty, $name:literal, $help:literal) => {
        impl JsonSchema for $kind {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $name, "description": $help })
            }
        }
    };
}
text!(Span, "span", "A length of time: a number and us, ms, s, m or h.");
text!(Rate, "rate", "A rate: a number and /s, /m or /h.");
text!(Chance, "chance", "A chance: a percentage from 0% to 100%.");

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
    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let same = super::schema() == crate::scenario::SCHEMA;
        assert!(same, "run `cargo run -- schema >src/scenario/schema.json`");
    }
}
