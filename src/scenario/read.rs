//! From text to a scenario, or to everything that is wrong with the text. A mistake is noted with
//! its path and taken out, and reading goes on, so that one look shows them all.

use super::v1::Scenario;
use crate::base::diagnostics::Diagnostics;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};
use std::fmt;

/// Text of a scenario may have this many bytes.
pub const MOST_TEXT: usize = 256 * 1024;
/// More mistakes than this are not looked for.
const MOST_MISTAKES: usize = 50;

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
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    let read = Strict.deserialize(tracked).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let path = describe("", &track.path());
        problems.error(path, error.to_string(), "correct the text at this place");
        problems
    })
}

/// A scenario from JSON.
pub fn value(json: Value) -> Result<Scenario, Diagnostics> {
    part(json, "")
}

/// A part of a scenario from JSON; `at` is where it stands.
pub fn part<T: DeserializeOwned>(mut json: Value, at: &str) -> Result<T, Diagnostics> {
    let mut problems = Diagnostics::default();
    while problems.problems.len() < MOST_MISTAKES {
        let error = match serde_path_to_error::deserialize::<_, T>(json.clone()) {
            Ok(part) if problems.is_empty() => return Ok(part),
            Ok(_) => break,
            Err(error) => error,
        };
        let path = error.path().clone();
        let (message, remedy) = explain(&error.into_inner().to_string());
        problems.error(describe(at, &path), message, remedy);
        if !take_out(&mut json, &path) {
            break;
        }
    }
    Err(problems)
}

/// A path as people write it: `nodes.api.service.queue`, `faults[2].at`.
fn describe(at: &str, path: &Path) -> String {
    let mut text = at.to_owned();
    for segment in path {
        let dot = if text.is_empty() { "" } else { "." };
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                text.push_str(dot);
                text.push_str(key);
            }
            Segment::Unknown => {}
        }
    }
    text
}

/// Removes what `path` names, or the nearest thing around it; false when that is everything.
fn take_out(json: &mut Value, path: &Path) -> bool {
    let mut steps: Vec<&Segment> = path.iter().collect();
    while let Some(last) = steps.pop() {
        let parent = steps.iter().try_fold(&mut *json, |value, step| inside(value, step));
        let taken = match (parent, last) {
            (Some(Value::Object(map)), Segment::Map { key } | Segment::Enum { variant: key }) => {
                map.shift_remove(key).is_some()
            }
            (Some(Value::Array(list)), Segment::Seq { index }) if *index < list.len() => {
                list.remove(*index);
                true
            }
            _ => false,
        };
        if taken {
            return true;
        }
    }
    false
}

fn inside<'a>(value: &'a mut Value, step: &Segment) -> Option<&'a mut Value> {
    match step {
        Segment::Map { key } | Segment::Enum { variant: key } => value.get_mut(key),
        Segment::Seq { index } => value.get_mut(index),
        Segment::Unknown => None,
    }
}

/// What is wrong and what to do, from what the reader says.
fn explain(error: &str) -> (String, String) {
    let (message, expected) = match error.split_once(", expected ") {
        Some((message, expected)) => (message.to_owned(), expected),
        None => match error.split_once("; write ") {
            Some((message, advice)) => return (message.to_owned(), format!("write {advice}")),
            None => return (error.to_owned(), "correct this value".to_owned()),
        },
    };
    let quoted = |text: &str| -> Vec<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let (wrong, known) = (quoted(&message), quoted(expected));
    let remedy = match wrong.first().and_then(|wrong| near(wrong, &known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected {expected}"),
    };
    (message, remedy)
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
            "nodes.api.service.qeue: unknown field `qeue` (did you mean `queue`?)",
            "nodes.api.service.time: `fast` is not a duration",
            "nodes.api.service.workers: invalid value: integer `-1` (expected u32)",
            "nodes.api.service.calls.db.retry.backoff: unknown variant `expnential`",
            "faults[0].at: invalid type: integer `3` (expected a string)",
            "sede: unknown field `sede` (did you mean `seed`?)",
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
        assert!(problems("5")[0].contains("expected struct Scenario") || !problems("5").is_empty());
        assert!(problems(&" ".repeat(MOST_TEXT + 1))[0].contains("limit"));
    }

    #[test]
    fn near_names_are_near() {
        assert_eq!(near("aip", &["api", "db"]), Some("api"));
        assert_eq!(near("payments", &["payment", "db"]), Some("payment"));
        assert_eq!(near("zebra", &["api", "db"]), None);
    }
}
