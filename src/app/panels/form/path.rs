//! Where a value stands in a document, as a text people and commands use. Pure.

use crate::base::diagnostics::Problem;
use serde_json::Value;
use std::fmt;

/// Where a value stands in the scenario: `nodes.api.service.queue`, `faults[2].at`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// The path of a member of what this path names.
    pub fn key(&self, key: &str) -> Path {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Path(steps)
    }

    /// The path of an item of the list this path names.
    pub fn index(&self, index: usize) -> Path {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Path(steps)
    }

    /// The value this path names, if it is there.
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }

    /// This path as the id of an element.
    pub fn id(&self) -> String {
        format!("set-{}", self.to_string().replace(['.', '[', ']'], "-"))
    }

    /// The problem that concerns the value at this path or something in it.
    pub fn problem<'a>(&self, problems: &'a [Problem]) -> Option<&'a Problem> {
        let own = self.to_string();
        problems.iter().find(|problem| {
            let rest = problem.path.strip_prefix(own.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if n == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use serde_json::json;

    #[wasm_bindgen_test]
    fn paths_find_values_and_their_problems() {
        let path = Path::default().key("api").key("steps").index(1).key("at");
        assert_eq!(
            (path.to_string(), path.id()),
            ("api.steps[1].at".into(), "set-api-steps-1--at".into())
        );
        let document = json!({ "api": { "steps": [{}, { "at": "5s" }] } });
        assert_eq!(path.find(&document), Some(&json!("5s")));
        assert_eq!(path.key("more").find(&document), None);

        let mut found = crate::base::diagnostics::Diagnostics::default();
        found.error("api.steps[1].at", "`x` is not a duration", "write `5s`");
        assert!(path.problem(&found.problems).is_some());
        assert!(Path::default().key("api").key("ste").problem(&found.problems).is_none());
        assert!(Path::default().key("api").key("steps").problem(&found.problems).is_some());
    }
}
