//! Transactions: several reads and writes that should be as one.

use super::form::{Form, Value, at, in_order, maps};
use super::jepsen::{Completion, pairs};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Time;

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its number in the history.
    pub id: u64,
    /// Whether it took effect.
    pub end: End,
    /// When that was known.
    pub at: Option<Time>,
    /// What it did, in its order.
    pub accesses: Vec<Access>,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It took effect.
    Committed,
    /// It did not.
    Aborted,
    /// Nobody knows; if somebody read what it wrote, it did.
    Unknown,
}

/// One step of a transaction. Values written to an item differ from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Put a value at the end of the list that an item holds.
    Append {
        /// The item.
        item: i64,
        /// The value.
        value: i64,
    },
    /// Read the list that an item holds; none if what was read is not known.
    List {
        /// The item.
        item: i64,
        /// The values, the first one first.
        values: Option<Vec<i64>>,
    },
    /// Replace what an item holds.
    Write {
        /// The item.
        item: i64,
        /// The value.
        value: i64,
    },
    /// Read what an item holds.
    Read {
        /// The item.
        item: i64,
        /// The value; none where nothing was there.
        value: Option<i64>,
    },
}

/// True if a history has transactions in it, rather than operations.
pub fn is_of(text: &str) -> bool {
    let is_one = |form: &Form| form.get("f").and_then(Form::word) == Some("txn");
    maps(text, &mut Diagnostics::default()).iter().any(is_one)
}

/// Reads transactions as Jepsen writes them: `:f :txn, :value [[:append 1 2] [:r 1 [2]]]`, or with
/// `:w` for registers. Every problem has the number of its line.
pub fn read(text: &str) -> Result<(Vec<Transaction>, Vec<u32>), Diagnostics> {
    let mut problems = Diagnostics::default();
    let (mut found, mut lines) = (Vec::new(), Vec::new());
    for (id, pair) in (0..).zip(pairs(text, &mut problems)) {
        let (end, form, at) = match &pair.completed {
            Some((Completion::Ok, form, at)) => (End::Committed, form, Some(*at)),
            Some((Completion::Fail, _, at)) => (End::Aborted, &pair.invoked, Some(*at)),
            Some((Completion::Info, _, at)) => (End::Unknown, &pair.invoked, Some(*at)),
            None => (End::Unknown, &pair.invoked, None),
        };
        lines.push(pair.invoked.line);
        let accesses = steps(form, end == End::Committed, &mut problems);
        found.push(Transaction { id, end, at, accesses });
    }
    if found.is_empty() && problems.is_empty() {
        problems.error("", "there is no transaction in it", "write a line for each event");
    }
    if problems.has_errors() { Err(in_order(problems)) } else { Ok((found, lines)) }
}

fn steps(form: &Form, is_known: bool, problems: &mut Diagnostics) -> Vec<Access> {
    let steps = form.get("value").and_then(Form::list).unwrap_or_default();
    let mut accesses = Vec::new();
    for step in steps {
        match access(step, is_known) {
            Some(access) => accesses.extend(access),
            None => {
                let remedy = "write [:append item value], [:w item value] or [:r item value]";
                problems.error(at(step.line), "is no step of a transaction", remedy);
            }
        }
    }
    if steps.is_empty() {
        let remedy = "give :value [[:r item value] ...]";
        problems.error(at(form.line), "has no steps", remedy);
    }
    accesses
}

/// A step; nothing for a read of which is not known what came of it.
fn access(step: &Form, is_known: bool) -> Option<Option<Access>> {
    let [what, item, value] = step.list()? else { return None };
    let item = item.int()?;
    Some(match (what.word()?, &value.value) {
        ("append", Value::Int(value)) => Some(Access::Append { item, value: *value }),
        ("w", Value::Int(value)) => Some(Access::Write { item, value: *value }),
        ("r", _) if !is_known => None,
        ("r", Value::List(list)) => {
            let values = list.iter().map(Form::int).collect::<Option<Vec<i64>>>()?;
            Some(Access::List { item, values: Some(values) })
        }
        ("r", Value::Int(value)) => Some(Access::Read { item, value: Some(*value) }),
        ("r", Value::Nil) => Some(Access::Read { item, value: None }),
        _ => return None,
    })
}
