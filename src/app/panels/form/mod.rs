//! Forms that write themselves: a schema says what there is to edit, and each edit becomes a
//! command. [`schema`] and [`path`] are pure; [`fields`] and [`controls`] draw what they say.

use crate::app::state::Lab;
use crate::session::Command;
use leptos::prelude::*;
use path::Path;
use schema::Schema;
use serde_json::Value;
use std::sync::Arc;

mod controls;
pub mod fields;
pub mod path;
pub mod schema;

/// What every field of a form shares, by context.
#[derive(Clone)]
pub struct Form {
    /// The format.
    pub schema: Arc<Schema>,
    /// The values in force.
    pub document: Memo<Value>,
    /// What problems' paths begin with.
    pub root: &'static str,
}

impl Form {
    /// The value in force at a path.
    pub fn value(&self, path: &Path, default: &Value) -> Value {
        let set = self.document.with(|d| path.find(d).cloned());
        set.filter(|v| !v.is_null()).unwrap_or_else(|| default.clone())
    }

    /// Sends an edit; what was wrong with the value before is forgotten.
    pub fn set(&self, lab: Lab, path: &Path, value: Value) {
        lab.problems.update(|found| {
            let mine = path.problem(self.root, &found.problems).cloned();
            found.problems.retain(|p| Some(p) != mine.as_ref());
        });
        lab.command(Command::Set { path: path.to_string(), value });
    }
}
