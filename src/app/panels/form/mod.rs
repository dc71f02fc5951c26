//! Forms that write themselves: a schema says what there is to edit, and each edit becomes a
//! command. [`schema`] and [`path`] are pure; [`fields`] and [`controls`] draw what they say.

use crate::app::state::Lab;
use crate::scenario::v1::wire::Wire;
use crate::session::command::Command;
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
    /// The values in force, every default written out.
    pub values: Memo<Value>,
    /// Only what differs from the defaults.
    pub set: Memo<Value>,
}

impl Form {
    /// The form of the run on screen.
    pub fn of(lab: Lab, schema: Arc<Schema>) -> Form {
        let values = Memo::new(move |_| {
            lab.opened.track();
            lab.with_session(|s| s.scenario().full())
        });
        let set = Memo::new(move |_| {
            lab.opened.track();
            lab.with_session(|s| s.scenario().write())
        });
        Form { schema, values, set }
    }

    /// The value in force at a path; null for none.
    pub fn value(&self, path: &Path) -> Value {
        self.values.with(|values| path.find(values).cloned()).unwrap_or_default()
    }

    /// Whether the value at a path differs from the default.
    pub fn is_set(&self, path: &Path) -> bool {
        self.set.with(|set| path.find(set).is_some())
    }

    /// Sends an edit; what was wrong with the value before is forgotten.
    pub fn change(&self, lab: Lab, path: &Path, value: Value) {
        lab.problems.update(|found| {
            let mine = path.problem(&found.problems).cloned();
            found.problems.retain(|p| Some(p) != mine.as_ref());
        });
        lab.command(Command::Set { path: path.to_string(), value });
    }
}
