//! How quantities are described in the JSON Schema of scenarios: text with a unit.

use super::time::Span;
use super::unit::{Chance, Rate};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

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
