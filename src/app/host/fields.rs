//! The fields of a message, and what is wrong with them.

use crate::base::diagnostics::Diagnostics;
use crate::base::time::{Span, Time};
use crate::session::facts::object;
use serde_json::Value;

/// What is wrong with a message, for people and for programs.
pub struct Refusal {
    code: &'static str,
    message: String,
    path: String,
}

impl Refusal {
    /// With a code, in words, and which field it is about.
    pub fn new(code: &'static str, message: impl Into<String>, path: &str) -> Refusal {
        Refusal { code, message: message.into(), path: path.to_owned() }
    }

    /// As it is answered.
    pub fn json(&self) -> Value {
        object(vec![
            ("code", self.code.into()),
            ("message", self.message.as_str().into()),
            ("path", self.path.as_str().into()),
        ])
    }
}

/// A field that is a text.
pub fn text<'a>(message: &'a Value, path: &str) -> Result<&'a str, Refusal> {
    let text = message.get(path).and_then(Value::as_str);
    text.ok_or_else(|| Refusal::new("invalid", format!("`{path}` must be a text"), path))
}

/// A field that is a number within limits.
pub fn number(message: &Value, path: &str, low: f64, high: f64) -> Result<f64, Refusal> {
    let number = message.get(path).and_then(Value::as_f64).filter(|n| (low..=high).contains(n));
    let says = || format!("`{path}` must be a number from {low} to {high}");
    number.ok_or_else(|| Refusal::new("invalid", says(), path))
}

/// A field that is an instant: seconds, or a text as in links.
pub fn instant(message: &Value, path: &str) -> Result<Time, Refusal> {
    if let Some(text) = message.get(path).and_then(Value::as_str) {
        let read = text.parse().map(|Span(at)| Time(at));
        return read.map_err(|says: String| Refusal::new("invalid", says, path));
    }
    // A year; the end of the run is nearer.
    let seconds = number(message, path, 0.0, 31_557_600.0)?;
    Ok(Time((seconds * 1e6) as u64))
}

/// The first of several problems.
pub fn first(found: &Diagnostics) -> Refusal {
    let Some(problem) = found.problems.first() else {
        return Refusal::new("invalid", "it means nothing", "");
    };
    let message = format!("{}: {}", problem.message, problem.remedy);
    Refusal::new("invalid", message, &problem.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn an_instant_is_a_number_of_seconds_or_as_in_links() {
        for (t, at) in [(json!(12.5), 12_500_000), (json!("12.5s"), 12_500_000), (json!(0), 0)] {
            assert_eq!(instant(&json!({"t": t}), "t").ok(), Some(Time(at)));
        }
        for wrong in [json!(-1), json!(1e300), json!("soon"), json!(null), json!([1])] {
            let refused = instant(&json!({"t": wrong}), "t").err().map(|r| r.json());
            let refused = refused.expect("no instant");
            assert_eq!((&refused["code"], &refused["path"]), (&json!("invalid"), &json!("t")));
        }
        assert!(instant(&json!({}), "t").is_err());
    }
}
