//! A walk through a scenario that collects what is wrong, each mistake with its path.

use super::{Wire, snake};
use crate::base::diagnostics::Diagnostics;
use crate::scenario::read::near;
use serde_json::{Map, Value};

/// More mistakes than this are not looked for.
const MOST_MISTAKES: usize = 50;

/// Where one is in a scenario, and what was wrong so far.
pub struct Walk<'a> {
    path: String,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Walk<'a> {
    /// Begins at `path`.
    pub fn new(path: impl Into<String>, diagnostics: &'a mut Diagnostics) -> Walk<'a> {
        Walk { path: path.into(), diagnostics }
    }

    /// Does something one step further in: a name, or `[n]`.
    fn step<R>(&mut self, name: &str, act: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.path.len();
        if length > 0 && !name.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(name);
        let result = act(self);
        self.path.truncate(length);
        result
    }

    /// Examines a named part.
    pub fn part(&mut self, name: &str, thing: &dyn Wire) {
        self.step(name, |walk| thing.examine(walk));
    }

    /// Examines an item of a list.
    pub fn item(&mut self, number: usize, thing: &dyn Wire) {
        self.part(&format!("[{number}]"), thing);
    }

    /// Notes a mistake here.
    pub fn error(&mut self, message: impl Into<String>, remedy: impl Into<String>) {
        if self.diagnostics.problems.len() < MOST_MISTAKES {
            self.diagnostics.error(self.path.clone(), message, remedy);
        }
    }

    /// Notes a mistake in a named part.
    pub fn error_in(&mut self, name: &str, message: String, remedy: String) {
        self.step(name, |walk| walk.error(message, remedy));
    }

    /// Checks a number in a named part.
    pub fn range(&mut self, name: &str, number: f64, low: f64, high: f64) {
        if !(low..=high).contains(&number) {
            let message = format!("{number} is outside its limits");
            self.error_in(name, message, format!("choose a number from {low} to {high}"));
        }
    }

    /// Notes that something else was expected here. None, for the caller to give on.
    pub fn expected<T>(&mut self, what: &str, found: &Value) -> Option<T> {
        self.error(format!("{} is not {what}", said(found)), format!("write {what}"));
        None
    }

    /// The fields of a part; those whose names are not known are noted.
    pub fn map<'v>(&mut self, json: &'v Value, known: &[&str]) -> Option<&'v Map<String, Value>> {
        let Value::Object(map) = json else {
            return self.expected("a group of settings, as in {}", json);
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            self.error_in(name, format!("unknown field `{name}`"), remedy(name, known));
        }
        Some(map)
    }

    /// Reads a field, if it is there.
    pub fn field<T: Wire>(&mut self, map: &Map<String, Value>, name: &str) -> Option<T> {
        self.within(name, map.get(name)?)
    }

    /// Reads a named part.
    pub fn within<T: Wire>(&mut self, name: &str, json: &Value) -> Option<T> {
        self.step(name, |walk| T::read(json, walk))
    }

    /// Which variant is meant, and what it holds.
    pub fn variant<'v>(
        &mut self,
        json: &'v Value,
        tags: &[&'static str],
    ) -> Option<(&'static str, &'v Value)> {
        let only = json.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let Some((name, inner)) = only else {
            let what = format!("one of {}, as in {{\"{}\": ...}}", list(tags), tags[0]);
            return self.expected(&what, json);
        };
        match tags.iter().find(|tag| *tag == name) {
            Some(tag) => Some((tag, inner)),
            None => {
                self.error_in(name, format!("unknown variant `{name}`"), remedy(name, tags));
                None
            }
        }
    }

    /// Which of some words is meant; each may have a second form.
    pub fn word(&mut self, json: &Value, words: &[(&str, Option<&str>)]) -> Option<usize> {
        let names: Vec<String> = words.iter().map(|(name, _)| snake(name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let Some(word) = json.as_str() else {
            return self.expected(&format!("one of {}", list(&names)), json);
        };
        let mut known = names.iter().zip(words);
        let found = known.position(|(name, (_, alias))| *name == word || *alias == Some(word));
        if found.is_none() {
            self.error(format!("unknown variant `{word}`"), remedy(word, &names));
        }
        found
    }
}

/// A value as people would write it, shortened.
fn said(json: &Value) -> String {
    match json {
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(_) => "a group".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        plain => format!("`{}`", plain.to_string().chars().take(60).collect::<String>()),
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn remedy(wrong: &str, known: &[&str]) -> String {
    match near(wrong, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "leave it out: there is nothing to set here".to_owned(),
        None => format!("expected one of {}", list(known)),
    }
}
