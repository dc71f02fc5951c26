//! One object of a file of facts: each key is asked for by name, and what nobody asked for
//! fails, so that no fact goes unchecked.

use super::{Cases, Verdict, near};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Keys that tell people something and the model nothing.
const PROSE: [&str; 11] = [
    "about",
    "commit",
    "effect",
    "format",
    "licence",
    "note",
    "repository",
    "rule",
    "source",
    "switch",
    "verified",
];

pub(super) struct Section<'v> {
    path: String,
    facts: &'v Map<String, Value>,
    asked: BTreeSet<String>,
}

impl<'v> Section<'v> {
    /// The object at `path`; anything else fails.
    pub(super) fn new(path: &str, value: &'v Value, cases: &mut Cases<'_>) -> Option<Self> {
        let facts = value.as_object();
        if facts.is_none() {
            cases.check(path, Err("expected an object".into()));
        }
        facts.map(|facts| Section { path: path.into(), facts, asked: BTreeSet::new() })
    }

    /// The value of a key, if it is there.
    pub(super) fn value(&mut self, key: &str) -> Option<&'v Value> {
        self.asked.insert(key.into());
        self.facts.get(key)
    }

    /// An object inside this one.
    pub(super) fn inner(&mut self, key: &str, cases: &mut Cases<'_>) -> Option<Section<'v>> {
        let path = self.path_of(key);
        self.value(key).and_then(|value| Section::new(&path, value, cases))
    }

    /// Checks a fact, if it is there.
    pub(super) fn check(
        &mut self,
        key: &str,
        cases: &mut Cases<'_>,
        verdict: impl FnOnce(&Value) -> Verdict,
    ) {
        let path = self.path_of(key);
        if let Some(value) = self.value(key) {
            cases.check(&path, verdict(value));
        }
    }

    /// Checks that a number is what the model has.
    pub(super) fn number(&mut self, key: &str, got: f64, cases: &mut Cases<'_>) {
        self.check(key, cases, |value| near("value", number(value)?, got, 1e-9));
    }

    /// Checks that a yes or no is what the model has.
    pub(super) fn flag(&mut self, key: &str, got: bool, cases: &mut Cases<'_>) {
        self.check(key, cases, |value| match value.as_bool() {
            Some(expected) if expected == got => Ok(()),
            _ => Err(format!("expected {value}, got {got}")),
        });
    }

    /// Checks that a rule written for people is the one the model follows, then what follows
    /// from it.
    pub(super) fn told(
        &mut self,
        key: &str,
        known: &str,
        cases: &mut Cases<'_>,
        verdict: impl FnOnce() -> Verdict,
    ) {
        self.check(key, cases, |value| {
            told(value, known)?;
            verdict()
        });
    }

    /// Checks each element of a list.
    pub(super) fn list(
        &mut self,
        key: &str,
        cases: &mut Cases<'_>,
        verdict: impl Fn(&Value) -> Verdict,
    ) {
        let path = self.path_of(key);
        match self.value(key).map(Value::as_array) {
            None => {}
            Some(None) => cases.check(&path, Err("expected a list".into())),
            Some(Some(list)) => {
                for (n, item) in list.iter().enumerate() {
                    cases.check(&format!("{path}[{n}]"), verdict(item));
                }
            }
        }
    }

    /// Fails each key that nobody asked for.
    pub(super) fn close(self, cases: &mut Cases<'_>) {
        for key in self.facts.keys() {
            if !self.asked.contains(key) && !PROSE.contains(&key.as_str()) {
                cases.check(&self.path_of(key), Err("is not a fact known here".into()));
            }
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }
}

pub(super) fn number(value: &Value) -> Result<f64, String> {
    value.as_f64().ok_or(format!("`{value}` is not a number"))
}

pub(super) fn told(value: &Value, known: &str) -> Verdict {
    if value.as_str() == Some(known) {
        return Ok(());
    }
    Err(format!("{value} is not the rule known here, `{known}`"))
}
