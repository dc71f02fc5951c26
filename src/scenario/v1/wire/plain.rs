//! What parts are made of in the end: numbers, texts, quantities, and lists of them.

use super::Wire;
use super::walk::Walk;
use crate::base::time::Span;
use crate::base::unit::{Chance, Rate};
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;

/// The longest length of time a scenario may name, but for lifetimes of keys.
pub const LONGEST: Span = Span::secs(24 * 3600);

macro_rules! whole {
    ($($kind:ty, $what:literal;)*) => {$(
        impl Wire for $kind {
            fn read(json: &Value, walk: &mut Walk<'_>) -> Option<$kind> {
                let whole = json.as_i64().map(i128::from).or(json.as_u64().map(i128::from));
                let read = whole.and_then(|n| <$kind>::try_from(n).ok());
                read.or_else(|| walk.expected($what, json))
            }
            fn write(&self) -> Value {
                (*self).into()
            }
            fn examine(&self, _: &mut Walk<'_>) {}
            fn number(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )*};
}
whole! {
    u8, "a whole number from 0 to 255";
    u32, "a whole number from 0 to 4294967295";
    u64, "a whole number, 0 or more";
    i64, "a whole number";
}

impl Wire for f64 {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<f64> {
        json.as_f64().or_else(|| walk.expected("a number", json))
    }
    fn write(&self) -> Value {
        (*self).into()
    }
    fn examine(&self, walk: &mut Walk<'_>) {
        if !self.is_finite() {
            walk.error(format!("{self} is not a number to work with"), "write a finite number");
        }
    }
    fn number(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Wire for bool {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<bool> {
        json.as_bool().or_else(|| walk.expected("true or false", json))
    }
    fn write(&self) -> Value {
        (*self).into()
    }
    fn examine(&self, _: &mut Walk<'_>) {}
}

impl Wire for String {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<String> {
        json.as_str().map(str::to_owned).or_else(|| walk.expected("a text", json))
    }
    fn write(&self) -> Value {
        self.as_str().into()
    }
    fn examine(&self, walk: &mut Walk<'_>) {
        if self.len() > 200 {
            walk.error("this text is too long", "use at most 200 characters");
        }
    }
}

/// Reads a quantity. Its error says what is wrong and, after "; write", what to do.
fn quantity<T: FromStr<Err = String>>(json: &Value, walk: &mut Walk<'_>, what: &str) -> Option<T> {
    let Some(text) = json.as_str() else { return walk.expected(what, json) };
    match text.parse() {
        Ok(quantity) => Some(quantity),
        Err(error) => {
            let (message, advice) = error.split_once("; write ").unwrap_or((&error, what));
            walk.error(message, format!("write {advice}"));
            None
        }
    }
}

fn text(quantity: &impl Display) -> Value {
    quantity.to_string().into()
}

impl Wire for Span {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Span> {
        quantity(json, walk, "a duration in quotes, as in \"250ms\"")
    }
    fn write(&self) -> Value {
        text(self)
    }
    fn examine(&self, walk: &mut Walk<'_>) {
        if *self > LONGEST {
            walk.error(format!("{self} is too long"), format!("choose at most {LONGEST}"));
        }
    }
}

impl Wire for Chance {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Chance> {
        quantity(json, walk, "a percentage in quotes, as in \"1%\"")
    }
    fn write(&self) -> Value {
        text(self)
    }
    fn examine(&self, _: &mut Walk<'_>) {}
}

impl Wire for Rate {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Rate> {
        quantity(json, walk, "a rate in quotes, as in \"20/s\"")
    }
    fn write(&self) -> Value {
        text(self)
    }
    fn examine(&self, _: &mut Walk<'_>) {}
}

/// Whatever it is.
impl Wire for Value {
    fn read(json: &Value, _: &mut Walk<'_>) -> Option<Value> {
        Some(json.clone())
    }
    fn write(&self) -> Value {
        self.clone()
    }
    fn examine(&self, _: &mut Walk<'_>) {}
}

impl<T: Wire> Wire for Option<T> {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Option<T>> {
        if json.is_null() { Some(None) } else { T::read(json, walk).map(Some) }
    }
    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, Wire::write)
    }
    fn full(&self) -> Value {
        self.as_ref().map_or(Value::Null, Wire::full)
    }
    fn examine(&self, walk: &mut Walk<'_>) {
        if let Some(thing) = self {
            thing.examine(walk);
        }
    }
    fn number(&self) -> Option<f64> {
        self.as_ref().and_then(Wire::number)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Vec<T>> {
        let Value::Array(items) = json else { return walk.expected("a list, as in []", json) };
        let read = |(n, json): (usize, &Value)| walk.within(&format!("[{n}]"), json);
        Some(items.iter().enumerate().filter_map(read).collect())
    }
    fn write(&self) -> Value {
        Value::Array(self.iter().map(Wire::write).collect())
    }
    fn full(&self) -> Value {
        Value::Array(self.iter().map(Wire::full).collect())
    }
    fn examine(&self, walk: &mut Walk<'_>) {
        for (number, thing) in self.iter().enumerate() {
            walk.item(number, thing);
        }
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<(A, B)> {
        let Some([a, b]) = json.as_array().map(Vec::as_slice) else {
            return walk.expected("a list of two", json);
        };
        Some((walk.within("[0]", a)?, walk.within("[1]", b)?))
    }
    fn write(&self) -> Value {
        Value::Array(vec![self.0.write(), self.1.write()])
    }
    fn examine(&self, walk: &mut Walk<'_>) {
        walk.item(0, &self.0);
        walk.item(1, &self.1);
    }
}
