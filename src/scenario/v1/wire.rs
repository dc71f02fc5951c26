//! How wire types are written down: one table per type, with a default and limits beside each
//! field. From the table come reading (absent fields take the default, unknown ones are errors),
//! writing (fields at their default are left out), the JSON Schema, and the check of the limits.

use crate::base::diagnostics::Diagnostics;
use crate::base::time::Span;
use crate::base::unit::{Chance, Rate};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

/// The longest length of time a scenario may name, but for lifetimes of keys.
pub const LONGEST: Span = Span::secs(24 * 3600);

/// Named things in the order in which they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    /// The thing called `name`.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, thing)| thing)
    }

    /// Names and things.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, thing)| (name.as_str(), thing))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// True when there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(Some(self.0.len()))?;
        for (name, thing) in &self.0 {
            map.serialize_entry(name, thing)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Named<T>, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with what they stand for")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }
        d.deserialize_map(Entries(PhantomData))
    }
}

/// A walk through a scenario that collects what is outside its limits.
pub struct Walk<'a> {
    path: String,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Walk<'a> {
    /// Begins at `path`.
    pub fn new(path: impl Into<String>, diagnostics: &'a mut Diagnostics) -> Walk<'a> {
        Walk { path: path.into(), diagnostics }
    }

    /// Goes on into a named part.
    pub fn part(&mut self, name: &str, thing: &impl Examine) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        thing.examine(self);
        self.path.truncate(length);
    }

    /// Goes on into an item of a list.
    pub fn item(&mut self, number: usize, thing: &impl Examine) {
        let length = self.path.len();
        self.path.push_str(&format!("[{number}]"));
        thing.examine(self);
        self.path.truncate(length);
    }

    /// Notes a mistake here.
    pub fn error(&mut self, message: impl Into<String>, remedy: impl Into<String>) {
        self.diagnostics.error(self.path.clone(), message, remedy);
    }

    /// Notes a mistake in a named part.
    pub fn error_in(&mut self, name: &str, message: String, remedy: String) {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.diagnostics.error(format!("{}{dot}{name}", self.path), message, remedy);
    }

    /// Checks a number in a named part.
    pub fn range(&mut self, name: &str, number: &impl Number, low: f64, high: f64) {
        if let Some(value) = number.number().filter(|v| !(low..=high).contains(v)) {
            let message = format!("{value} is outside its limits");
            self.error_in(name, message, format!("choose a number from {low} to {high}"));
        }
    }
}

/// Something with limits of its own or of its parts.
pub trait Examine: Serialize {
    /// Notes what is outside its limits.
    fn examine(&self, walk: &mut Walk<'_>);

    /// As JSON with every default written out.
    fn full(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Something that is a number, or may be absent.
pub trait Number {
    /// The number.
    fn number(&self) -> Option<f64>;
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            fn number(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )*};
}
numbers!(u32, u64, i64, f64);

impl<T: Number> Number for Option<T> {
    fn number(&self) -> Option<f64> {
        self.as_ref().and_then(Number::number)
    }
}

macro_rules! unlimited {
    ($($kind:ty),* $(,)?) => {$(
        impl $crate::scenario::v1::wire::Examine for $kind {
            fn examine(&self, _: &mut $crate::scenario::v1::wire::Walk<'_>) {}
        }
    )*};
}
unlimited!(u8, u32, u64, i64, bool, Chance, Rate);

impl Examine for f64 {
    fn examine(&self, walk: &mut Walk<'_>) {
        if !self.is_finite() {
            walk.error(format!("{self} is not a number to work with"), "write a finite number");
        }
    }
}

impl Examine for String {
    fn examine(&self, walk: &mut Walk<'_>) {
        if self.len() > 200 {
            walk.error("this text is too long", "use at most 200 characters");
        }
    }
}

impl Examine for Span {
    fn examine(&self, walk: &mut Walk<'_>) {
        if *self > LONGEST {
            walk.error(format!("{self} is too long"), format!("choose at most {LONGEST}"));
        }
    }
}

impl<T: Examine> Examine for Option<T> {
    fn examine(&self, walk: &mut Walk<'_>) {
        if let Some(thing) = self {
            thing.examine(walk);
        }
    }
    fn full(&self) -> Value {
        self.as_ref().map_or(Value::Null, Examine::full)
    }
}

impl<T: Examine> Examine for Vec<T> {
    fn examine(&self, walk: &mut Walk<'_>) {
        for (number, thing) in self.iter().enumerate() {
            walk.item(number, thing);
        }
    }
    fn full(&self) -> Value {
        Value::Array(self.iter().map(Examine::full).collect())
    }
}

impl<T: Examine> Examine for Named<T> {
    fn examine(&self, walk: &mut Walk<'_>) {
        for (name, thing) in self.iter() {
            walk.part(name, thing);
        }
    }
    fn full(&self) -> Value {
        Value::Object(self.iter().map(|(name, thing)| (name.to_owned(), thing.full())).collect())
    }
}

impl<A: Examine, B: Examine> Examine for (A, B) {
    fn examine(&self, walk: &mut Walk<'_>) {
        walk.item(0, &self.0);
        walk.item(1, &self.1);
    }
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
        #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
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

        impl serde::Serialize for $name {
            #[allow(clippy::float_cmp, reason = "a default is stored, never computed")]
            #[allow(unused, reason = "a type may have no fields")]
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let usual = $name::default();
                let mut map = s.serialize_map(None)?;
                $(
                    if self.$field != usual.$field {
                        let name = stringify!($field).trim_start_matches("r#");
                        map.serialize_entry(name, &self.$field)?;
                    }
                )*
                map.end()
            }
        }

        impl $crate::scenario::v1::wire::Examine for $name {
            #[allow(unused, reason = "a type may have no fields")]
            fn examine(&self, walk: &mut $crate::scenario::v1::wire::Walk<'_>) {
                $(
                    let name = stringify!($field).trim_start_matches("r#");
                    $( walk.range(name, &self.$field, f64::from($low), f64::from($high)); )?
                    walk.part(name, &self.$field);
                )*
            }

            fn full(&self) -> serde_json::Value {
                let fields = [$(
                    (stringify!($field).trim_start_matches("r#").to_owned(), self.$field.full()),
                )*];
                serde_json::Value::Object(fields.into_iter().collect())
            }
        }
    };
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $( $(#[$vdoc:meta])* $variant:ident ( $kind:ty ) = $tag:literal ; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
        pub enum $name {
            $( $(#[$vdoc])* #[serde(rename = $tag)] $variant($kind), )*
        }

        impl $crate::scenario::v1::wire::Examine for $name {
            fn examine(&self, walk: &mut $crate::scenario::v1::wire::Walk<'_>) {
                match self {
                    $( $name::$variant(inner) => walk.part($tag, inner), )*
                }
            }

            fn full(&self) -> serde_json::Value {
                let (tag, inner) = match self {
                    $( $name::$variant(inner) => ($tag, inner.full()), )*
                };
                serde_json::Value::Object([(tag.to_owned(), inner)].into_iter().collect())
            }
        }
    };
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $( $(#[$vdoc:meta])* $variant:ident ; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
        pub enum $name {
            $( $(#[$vdoc])* $variant, )*
        }

        unlimited!($name);
    };
}
