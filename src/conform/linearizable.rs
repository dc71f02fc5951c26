//! Histories of registers, each with the verdict of two other checkers.

use super::{Cases, Verdict, parse, same};
use crate::base::time::Time;
use crate::check::State;
use crate::check::history::linearizable::{BUDGET, check};
use crate::check::history::model::Named;
use crate::check::history::operation::{Action, Operation, Outcome, Output};
use serde::Deserialize;
use serde_json::Value;

pub(super) fn replay(file: &Value, cases: &mut Cases<'_>) {
    cases.each(file, "histories", replay_history);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    id: String,
    linearizable: bool,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "nclients")]
    _clients: u32,
    #[serde(rename = "nops")]
    _ops: u32,
    #[serde(rename = "keys")]
    _keys: u32,
    ops: Vec<Op>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Op {
    c: u64,
    k: i64,
    call: u64,
    ret: Option<u64>,
    f: F,
    a: Option<i64>,
    b: Option<i64>,
    ok: Option<bool>,
    out: Option<i64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum F {
    R,
    W,
    Cas,
}

impl Op {
    fn operation(&self, id: u64) -> Result<Operation, String> {
        let (action, output) = match (self.f, self.a, self.b, self.ok) {
            (F::R, None, None, None) => (Action::Read, Output::Value(self.out)),
            (F::W, Some(value), None, None) => (Action::Write(value), Output::Nothing),
            // Whether it matched is not known of one that never returned.
            (F::Cas, Some(from), Some(to), ok) if ok.is_some() == self.ret.is_some() => {
                let matched = Output::Matched(ok.unwrap_or_default());
                (Action::CompareAndSet { from, to }, matched)
            }
            _ => return Err("takes `a` to write, `a`, `b` and `ok` to compare and set".into()),
        };
        let outcome = match self.ret {
            Some(at) if at >= self.call => Outcome::Ok { at: Time(at), output, version: 0 },
            Some(_) => return Err("returns before it is called".into()),
            None => Outcome::Unknown { at: None },
        };
        let (process, item, call) = (self.c, self.k, Time(self.call));
        Ok(Operation { id, process, item, call, action, outcome })
    }
}

/// A recorded history and its verdict.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What it is called.
    pub id: String,
    /// What was done.
    pub ops: Vec<Operation>,
    /// Whether other checkers call it linearizable.
    pub linearizable: bool,
}

/// The histories of a file.
pub fn recorded(text: &str) -> Result<Vec<Recorded>, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let histories = file.get("histories").and_then(Value::as_array).into_iter().flatten();
    let read = |(n, history): (usize, &Value)| {
        let History { id, linearizable, ops, .. } = parse(history, &format!("histories[{n}]"))?;
        Ok(Recorded { id, ops: operations(&ops)?, linearizable })
    };
    histories.enumerate().map(read).collect()
}

fn operations(ops: &[Op]) -> Result<Vec<Operation>, String> {
    let op = |(n, op): (u64, &Op)| op.operation(n).map_err(|how| format!("ops[{n}] {how}"));
    (0..).zip(ops).map(op).collect()
}

fn replay_history(history: &History) -> Verdict {
    let judged = check(&operations(&history.ops)?, Named::CompareAndSet, BUDGET);
    let expected = if history.linearizable { State::Holds } else { State::Violated };
    same("verdict", format!("{expected:?}"), format!("{:?}", judged.state))
}
