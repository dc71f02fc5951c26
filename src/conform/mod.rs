//! Conformance: replays files of recorded behaviour against our models, through the same
//! interfaces that the simulation uses, and says where they differ.
//!
//! A file says by its own keys what it is ([`replay`] decides); its cases are in
//! `tests/cases`, each with its source. A key or an operation that is not understood fails its
//! case: nothing in a file is passed over in silence.
//!
//! Recorded behaviour is replayed event by event. Published results are statistics of whole
//! scenarios, which are run (`runs`).
//!
//! To add a format: a file here with `pub(super) fn replay(&Value, &mut Cases)`, a `mod` line,
//! and an arm in [`replay`].

mod failsafe;
mod gobreaker;
pub mod linearizable;
mod policies;
mod polly_hystrix;
mod raft;
mod resilience4j;
mod runs;
mod section;
mod statistics;

use crate::base::time::{Span, Time};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// What came of replaying files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One line for each case that differs: file, case, step, expected, got.
    pub lines: Vec<String>,
    /// Cases that agree.
    pub passed: u32,
    /// Cases that differ, and files that could not be used.
    pub failed: u32,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// How long the scenarios of statistical cases are run. It changes how sure a run is, which counts
/// on top of the tolerance of a case, and never the tolerance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// As long as the sources of the cases ask for: some minutes a file.
    #[default]
    Full,
    /// So long that a model which is off by a few percent is noticed: seconds a file.
    Brief,
}

/// Replays files in full, each given by its name and its text.
pub fn run(files: &[(String, String)]) -> Report {
    run_with(files, Effort::Full, &|_| {})
}

/// Replays files; `tell` hears of each case that takes long, before it begins.
pub fn run_with(files: &[(String, String)], effort: Effort, tell: &dyn Fn(&str)) -> Report {
    replay_all(files, effort, tell, false)
}

/// The same; `tell` hears of each case of a list, too, however short it takes.
pub fn run_telling(files: &[(String, String)], effort: Effort, tell: &dyn Fn(&str)) -> Report {
    replay_all(files, effort, tell, true)
}

fn replay_all(
    files: &[(String, String)],
    effort: Effort,
    tell: &dyn Fn(&str),
    tells_each: bool,
) -> Report {
    let mut report = Report::default();
    for (file, text) in files {
        let mut cases = Cases { file, report: &mut report, effort, tell, tells_each };
        match serde_json::from_str(text) {
            Ok(value) => replay(&value, &mut cases),
            Err(error) => cases.check("the file", Err(format!("is not JSON: {error}"))),
        }
    }
    report
}

fn replay(value: &Value, cases: &mut Cases<'_>) {
    let has = |key: &str| value.get(key).is_some();
    match value.get("library").and_then(Value::as_str) {
        Some("resilience4j") => resilience4j::replay(value, cases),
        Some("gobreaker") => gobreaker::replay(value, cases),
        Some("failsafe") => failsafe::replay(value, cases),
        Some(other) => {
            let known = "resilience4j, gobreaker, failsafe";
            cases.check("library", Err(format!("`{other}` is not one of {known}")));
        }
        None if has("histories") => linearizable::replay(value, cases),
        None if has("polly") || has("hystrix") => polly_hystrix::replay(value, cases),
        None if policies::SECTIONS.iter().any(|&section| has(section)) => {
            policies::replay(value, cases);
        }
        None if has("election_counting") => raft::replay(value, cases),
        None if has("sharding") => runs::sharding::replay(value, cases),
        None if has("data") && has("mean_field") => runs::balancing::replay(value, cases),
        None if has("rows") && has("model") => runs::contention::replay(value, cases),
        None if runs::metastable::has(value) => runs::metastable::replay(value, cases),
        None if runs::staleness::has(value) => runs::staleness::replay(value, cases),
        None if value.pointer("/cases/0/model").is_some() => runs::queueing::replay(value, cases),
        None => cases.check("the file", Err("is of no format known here".into())),
    }
}

/// Where the cases of one file report.
struct Cases<'a> {
    file: &'a str,
    report: &'a mut Report,
    effort: Effort,
    tell: &'a dyn Fn(&str),
    tells_each: bool,
}

/// A case agrees, or this is how it differs.
type Verdict = Result<(), String>;

impl Cases<'_> {
    fn check(&mut self, case: &str, verdict: Verdict) {
        match verdict {
            Ok(()) => self.report.passed += 1,
            Err(how) => {
                self.report.failed += 1;
                self.report.lines.push(format!("{}: {case}: {how}", self.file));
            }
        }
    }

    /// Replays each element of the list `key`; an element that cannot be read fails alone.
    fn each<T: DeserializeOwned>(
        &mut self,
        file: &Value,
        key: &str,
        replay: impl Fn(&T) -> Verdict,
    ) {
        let Some(list) = file.get(key).and_then(Value::as_array).filter(|list| !list.is_empty())
        else {
            return self.check(key, Err("expected a list with at least one case".into()));
        };
        for (n, item) in list.iter().enumerate() {
            let path = format!("{key}[{n}]");
            let id = item.get("id").and_then(Value::as_str);
            if self.tells_each {
                (self.tell)(&format!("{}: {}", self.file, id.unwrap_or(&path)));
            }
            self.check(id.unwrap_or(&path), parse(item, &path).and_then(|case| replay(&case)));
        }
    }
}

/// Reads a value; an error carries the path of what is wrong in it.
fn parse<T: DeserializeOwned>(value: &Value, path: &str) -> Result<T, String> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| format!("{path}.{}: {}", error.path(), error.inner()))
}

fn same<T: PartialEq + fmt::Display>(what: &str, expected: T, got: T) -> Verdict {
    if expected == got {
        return Ok(());
    }
    Err(format!("{what}: expected {expected}, got {got}"))
}

fn near(what: &str, expected: f64, got: f64, tolerance: f64) -> Verdict {
    // Written so that NaN is never near anything.
    if (expected - got).abs() <= tolerance {
        return Ok(());
    }
    Err(format!("{what}: expected {expected}, got {got}"))
}

/// Names the step in which something differs.
fn step(n: usize, op: &str, now: Time) -> impl Fn(String) -> String {
    move |how| format!("event {n} ({op} at {} ms): {how}", now.0 as f64 / 1e3)
}

fn at_ms(ms: f64) -> Time {
    Time(span_ms(ms).0)
}

fn span_ms(ms: f64) -> Span {
    Span::from_micros_f64(ms * 1e3)
}
