//! How the format is written down: one table per type, with a default and limits beside each
//! field. From the table come reading (absent fields take the default, every mistake is noted at
//! its place), writing (fields at their default are left out), the JSON Schema, and the check of
//! the limits.
//!
//! A derived reader would stop at the first mistake, and its code for every type was a quarter of
//! the page; here the work is done once, over tables.

pub mod named;
pub mod plain;
pub mod walk;

use serde_json::{Map, Value};
use walk::Walk;

/// A part of the format.
pub trait Wire {
    /// Reads it; what is wrong is noted. None when nothing can be made of it.
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Self>
    where
        Self: Sized;

    /// As JSON, without what is at its default.
    fn write(&self) -> Value;

    /// As JSON with every default written out.
    fn full(&self) -> Value {
        self.write()
    }

    /// Notes what is outside its limits.
    fn examine(&self, walk: &mut Walk<'_>);

    /// The number it is, if it is one.
    fn number(&self) -> Option<f64> {
        None
    }
}

/// A field of a part.
pub struct Field<'a> {
    /// What it is called.
    pub name: &'static str,
    /// What it holds.
    pub value: &'a dyn Wire,
    /// Whether that is the default.
    pub usual: bool,
    /// The least and the greatest number it may be.
    pub limits: Option<(f64, f64)>,
}

/// The fields that are not at their default.
pub fn write_fields(fields: &[Field<'_>]) -> Value {
    let said = fields.iter().filter(|field| !field.usual);
    Value::Object(said.map(|field| (field.name.to_owned(), field.value.write())).collect())
}

/// Every field.
pub fn full_fields(fields: &[Field<'_>]) -> Value {
    let all = fields.iter().map(|field| (field.name.to_owned(), field.value.full()));
    Value::Object(all.collect())
}

/// Notes what is outside its limits in any field.
pub fn examine_fields(fields: &[Field<'_>], walk: &mut Walk<'_>) {
    for field in fields {
        if let (Some((low, high)), Some(number)) = (field.limits, field.value.number()) {
            walk.range(field.name, number, low, high);
        }
        walk.part(field.name, field.value);
    }
}

/// A variant with what it holds: `{"name": ...}`.
pub fn tagged(tag: &str, inner: Value) -> Value {
    Value::Object(Map::from_iter([(tag.to_owned(), inner)]))
}

/// The name of a variant in the format: `PlusMinus` is `plus_minus`.
pub fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// What is read and written by [`Wire`], for reports and for the defaults in the schema.
macro_rules! written {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&$crate::scenario::v1::wire::Wire::write(self), s)
            }
        }
    };
}

/// A type of the format: for each field its default and, after a comma, its limits.
macro_rules! wire {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $(
                $(#[$fdoc:meta])*
                $field:ident : $kind:ty = $default:expr $(, $low:literal ..= $high:literal)? ;
            )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "cli", schemars(default, deny_unknown_fields))]
        pub struct $name {
            $(
                $(#[$fdoc])*
                $( #[cfg_attr(feature = "cli", schemars(range(min = $low, max = $high)))] )?
                pub $field: $kind,
            )*
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $( $field: $default, )* }
            }
        }

        impl $name {
            #[allow(clippy::float_cmp, reason = "a default is stored, never computed")]
            #[allow(unused, reason = "a type may have no fields")]
            fn fields(&self) -> Vec<$crate::scenario::v1::wire::Field<'_>> {
                let usual = $name::default();
                vec![ $( $crate::scenario::v1::wire::Field {
                    name: stringify!($field).trim_start_matches("r#"),
                    value: &self.$field,
                    usual: self.$field == usual.$field,
                    limits: None $( .or(Some((f64::from($low), f64::from($high)))) )?,
                }, )* ]
            }
        }

        impl $crate::scenario::v1::wire::Wire for $name {
            #[allow(unused, reason = "a type may have no fields")]
            fn read(
                json: &serde_json::Value,
                walk: &mut $crate::scenario::v1::wire::walk::Walk<'_>,
            ) -> Option<$name> {
                let known: &[&'static str] =
                    &[ $( stringify!($field).trim_start_matches("r#"), )* ];
                let map = walk.map(json, known)?;
                let usual = $name::default();
                let mut names = known.iter();
                Some($name { $(
                    $field: names
                        .next()
                        .and_then(|name| walk.field(map, name))
                        .unwrap_or(usual.$field),
                )* })
            }

            fn write(&self) -> serde_json::Value {
                $crate::scenario::v1::wire::write_fields(&self.fields())
            }

            fn full(&self) -> serde_json::Value {
                $crate::scenario::v1::wire::full_fields(&self.fields())
            }

            fn examine(&self, walk: &mut $crate::scenario::v1::wire::walk::Walk<'_>) {
                $crate::scenario::v1::wire::examine_fields(&self.fields(), walk);
            }
        }

        written!($name);
    };
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $( $(#[$vdoc:meta])* $variant:ident ( $kind:ty ) = $tag:literal ; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
        pub enum $name {
            $(
                $(#[$vdoc])*
                #[cfg_attr(feature = "cli", schemars(rename = $tag))]
                $variant($kind),
            )*
        }

        impl $name {
            fn inner(&self) -> (&'static str, &dyn $crate::scenario::v1::wire::Wire) {
                match self {
                    $( $name::$variant(inner) => ($tag, inner), )*
                }
            }
        }

        impl $crate::scenario::v1::wire::Wire for $name {
            fn read(
                json: &serde_json::Value,
                walk: &mut $crate::scenario::v1::wire::walk::Walk<'_>,
            ) -> Option<$name> {
                let (tag, inner) = walk.variant(json, &[$($tag),*])?;
                match tag {
                    $( $tag => walk.within(tag, inner).map($name::$variant), )*
                    _ => None,
                }
            }

            fn write(&self) -> serde_json::Value {
                let (tag, inner) = self.inner();
                $crate::scenario::v1::wire::tagged(tag, inner.write())
            }

            fn full(&self) -> serde_json::Value {
                let (tag, inner) = self.inner();
                $crate::scenario::v1::wire::tagged(tag, inner.full())
            }

            fn examine(&self, walk: &mut $crate::scenario::v1::wire::walk::Walk<'_>) {
                let (tag, inner) = self.inner();
                walk.part(tag, inner);
            }
        }

        written!($name);
    };
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $( $(#[$vdoc:meta])* $variant:ident $(or $alias:literal)? ; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "cli", schemars(rename_all = "snake_case"))]
        pub enum $name {
            $( $(#[$vdoc])* $variant, )*
        }

        impl $crate::scenario::v1::wire::Wire for $name {
            fn read(
                json: &serde_json::Value,
                walk: &mut $crate::scenario::v1::wire::walk::Walk<'_>,
            ) -> Option<$name> {
                let all = [ $(
                    ($name::$variant, stringify!($variant), None $( .or(Some($alias)) )?),
                )* ];
                let names = all.map(|(_, name, alias)| (name, alias));
                walk.word(json, &names).map(|n| all[n].0)
            }

            fn write(&self) -> serde_json::Value {
                let name = match self {
                    $( $name::$variant => stringify!($variant), )*
                };
                $crate::scenario::v1::wire::snake(name).into()
            }

            fn examine(&self, _: &mut $crate::scenario::v1::wire::walk::Walk<'_>) {}
        }

        written!($name);
    };
}
