//! From text to a scenario, or to everything that is wrong with the text. A mistake is noted with
//! its path and reading goes on, so that one look shows them all.

use super::v1::Scenario;
use super::v1::wire::Wire;
use super::v1::wire::walk::Walk;
use crate::base::diagnostics::Diagnostics;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Text of a scenario may have this many bytes.
pub const MOST_TEXT: usize = 256 * 1024;

/// A scenario from its JSON text.
pub fn text(text: &str) -> Result<Scenario, Diagnostics> {
    value(json(text)?)
}

/// JSON from text; names that appear twice are a mistake.
pub fn json(text: &str) -> Result<Value, Diagnostics> {
    let mut problems = Diagnostics::default();
    if text.len() > MOST_TEXT {
        let message = format!("the scenario has {} bytes", text.len());
        problems.error("", message, format!("{MOST_TEXT} bytes (256 kB) is the limit"));
        return Err(problems);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        problems.error("", error.to_string(), "correct the text at this place");
        problems
    })
}

/// A scenario from JSON.
pub fn value(json: Value) -> Result<Scenario, Diagnostics> {
    part(&json, "")
}

/// A part of a scenario from JSON; `at` is where it stands.
pub fn part<T: Wire>(json: &Value, at: &str) -> Result<T, Diagnostics> {
    let mut problems = Diagnostics::default();
    match T::read(json, &mut Walk::new(at, &mut problems)) {
        Some(part) if problems.is_empty() => Ok(part),
        _ => Err(problems),
    }
}

/// The known name that is most like `wrong`, if any is like it.
pub fn near<'a, S: AsRef<str>>(wrong: &str, known: &'a [S]) -> Option<&'a str> {
    let best = known.iter().map(|k| (distance(wrong, k.as_ref()), k.as_ref())).min()?;
    let near = best.0 <= wrong.chars().count().div_ceil(3).max(1);
    near.then_some(best.1)
}

/// How many letters have to be changed, added, removed or swapped to get from one to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut least =
                (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Reads JSON and refuses names that appear twice, of which a plain reader silently takes the last.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: de::Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(b.into())
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!("`{key}` appears twice")));
            }
            map.insert(key, entries.next_value_seed(Strict)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(json: &str) -> Vec<String> {
        match text(json) {
            Ok(_) => Vec::new(),
            Err(d) => d
                .problems
                .iter()
                .map(|p| format!("{}: {} ({})", p.path, p.message, p.remedy))
                .collect(),
        }
    }

    #[test]
    fn every_mistake_is_found_at_its_place() {
        let found = problems(
            r#"{ "nodes": { "api": { "service": { "qeue": 5, "time": "fast", "workers": -1,
                 "calls": { "db": { "retry": { "backoff": "expnential" } } } } } },
                 "faults": [ { "at": 3 } ], "sede": 4 }"#,
        );
        let expected = [
            "sede: unknown field `sede` (did you mean `seed`?)",
            "nodes.api.service.qeue: unknown field `qeue` (did you mean `queue`?)",
            "nodes.api.service.workers: `-1` is not a whole number from 0",
            "nodes.api.service.time: `fast` is not a duration",
            "nodes.api.service.calls.db.retry.backoff: unknown variant `expnential`",
            "faults[0].at: `3` is not a duration in quotes",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}\n{expected}");
        }
    }

    #[test]
    fn names_that_appear_twice_and_torn_text_are_told() {
        assert!(problems(r#"{ "seed": 1, "seed": 2 }"#)[0].contains("`seed` appears twice"));
        assert!(problems(r#"{ "nodes": { "#)[0].contains("line 1"));
        assert!(problems("{} {}")[0].contains("trailing"));
        assert!(problems("5")[0].contains("`5` is not a group of settings"));
        assert!(problems(&" ".repeat(MOST_TEXT + 1))[0].contains("limit"));
    }

    #[test]
    fn near_names_are_near() {
        assert_eq!(near("aip", &["api", "db"]), Some("api"));
        assert_eq!(near("payments", &["payment", "db"]), Some("payment"));
        assert_eq!(near("zebra", &["api", "db"]), None);
    }
}
