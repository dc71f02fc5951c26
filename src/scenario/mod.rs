//! What a run is: the wire format of scenarios, its compiler, links, presets.
//!
//! [`v1`] is what people write and links carry; [`compile`] turns it into a [`compile::Plan`], or
//! says everything that is wrong with it; [`link`] is the grammar of links, both ways;
//! [`presets`] are scenarios with a story.

pub mod compile;
pub mod link;
pub mod presets;
pub mod read;
#[cfg(feature = "cli")]
pub mod schema;
pub mod v1;

/// The JSON Schema of the format, as published: `netsplit schema` prints the one of the types, and
/// a test holds them together.
pub const SCHEMA: &str = include_str!("schema.json");
