//! Published results that are whole scenarios. Each row of a file becomes a scenario in the wire
//! format, which is compiled and run like any other; its numbers are those that people see.
//!
//! A number agrees if it is within the tolerance of its file, on top of the 99 % confidence
//! interval of the run itself. [`Effort`] decides how long runs are, and never changes a
//! tolerance: a short run has a wider interval of its own, and is refused if that is too wide to
//! say anything.
//!
//! To add one: a file here with `pub(super) fn replay(&Value, &mut Cases)`, and an arm in
//! `conform::replay`.

pub(super) mod balancing;
pub(super) mod collapse;
pub(super) mod contention;
pub(super) mod elections;
mod estimate;
mod lab;
pub(super) mod metastable;
pub(super) mod outages;
pub(super) mod queueing;
pub(super) mod sharding;
pub(super) mod staleness;
pub(super) mod strategies;

use super::{Cases, Effort, Verdict};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Checks that prose which describes a model, or derives something from it, is what the scenarios
/// here were built from.
fn told(value: Option<&Value>, known: &[(&str, &str)]) -> Verdict {
    let facts = value.and_then(Value::as_object).ok_or("expected an object")?;
    for (key, fact) in facts {
        match known.iter().find(|(name, _)| name == key) {
            None => return Err(format!("`{key}` is not a fact known here")),
            Some((_, known)) if fact.as_str() != Some(known) => {
                return Err(format!("`{key}`: {fact} is not what is known here, `{known}`"));
            }
            Some(_) => {}
        }
    }
    match known.iter().find(|(key, _)| !facts.contains_key(*key)) {
        Some((key, _)) => Err(format!("`{key}` is missing")),
        None => Ok(()),
    }
}

/// Fails each key of an object that is not among the known ones.
fn only(value: &Value, path: &str, known: &[&str], cases: &mut Cases<'_>) {
    for key in value.as_object().into_iter().flat_map(|object| object.keys()) {
        if !known.contains(&key.as_str()) {
            cases.check(&format!("{path}{key}"), Err("is not a fact known here".into()));
        }
    }
}

/// Replays each element of the list `key`, one run after the other, saying which.
fn each<T: DeserializeOwned>(
    file: &Value,
    key: &str,
    cases: &mut Cases<'_>,
    name: impl Fn(&T) -> String,
    replay: impl Fn(&T, Effort) -> Verdict,
) {
    let (effort, tell) = (cases.effort, cases.tell);
    let what = format!("{}: {key}", cases.file);
    let count = file.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    let done = std::cell::Cell::new(0);
    cases.each(file, key, |case: &T| {
        done.set(done.get() + 1);
        tell(&format!("{what} {} of {count}: {}", done.get(), name(case)));
        replay(case, effort).map_err(|how| format!("{}: {how}", name(case)))
    });
}

/// Every verdict must be good; the first that is not says why.
fn all(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    verdicts.into_iter().collect()
}

/// One client population that asks `api`, over a network that takes no time. `people` and `api`
/// are the settings of the two in the wire format.
fn pair(people: Value, api: Value) -> Value {
    let mut people = people;
    people["to"] = "api".into();
    json!({
        "nodes": { "people": { "clients": people }, "api": { "service": api } },
        "network": { "latency": "0s" },
    })
}

/// Open Poisson load of so many requests per second in all.
fn open(rate: f64) -> Value {
    json!({ "count": 1, "load": { "open": { "rate": format!("{rate}/s") } } })
}
