//! Transactions: several reads and writes that should be as one.

use super::form::{Form, Value, at, in_order, maps};
use super::jepsen::{Completion, pairs};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Time;
use std::collections::{BTreeMap, BTreeSet};

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

/// One step of a transaction. Items go by their names, be they numbers or words; values written to
/// an item differ from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Put a value at the end of the list that an item holds.
    Append {
        /// The item.
        item: String,
        /// The value.
        value: i64,
    },
    /// Read the list that an item holds.
    List {
        /// The item.
        item: String,
        /// The values, the first one first.
        values: Vec<i64>,
    },
    /// Replace what an item holds.
    Write {
        /// The item.
        item: String,
        /// The value.
        value: i64,
    },
    /// Read what an item holds.
    Read {
        /// The item.
        item: String,
        /// The value; none where nothing was there.
        value: Option<i64>,
    },
}

impl Access {
    /// What it is about.
    fn item(&self) -> &str {
        match self {
            Access::Append { item, .. }
            | Access::List { item, .. }
            | Access::Write { item, .. }
            | Access::Read { item, .. } => item,
        }
    }
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
        if end == End::Committed && shape(form) != shape(&pair.invoked) {
            let remedy = format!("compare with line {}", pair.invoked.line);
            problems.error(self::at(form.line), "these are other steps than were begun", remedy);
        }
        let accesses = steps(form, end == End::Committed, &mut problems);
        found.push(Transaction { id, end, at, accesses });
    }
    if found.is_empty() && problems.is_empty() {
        problems.error("", "there is no transaction in it", "write a line for each event");
    }
    as_lists(&mut found, &lines, &mut problems);
    differ(&found, &lines, &mut problems);
    if problems.has_errors() { Err(in_order(problems)) } else { Ok((found, lines)) }
}

/// An item that is a list anywhere is one everywhere; nothing in it is a list of nothing.
fn as_lists(found: &mut [Transaction], lines: &[u32], problems: &mut Diagnostics) {
    let is_list = |access: &&Access| matches!(access, Access::Append { .. } | Access::List { .. });
    let all = found.iter().flat_map(|t| &t.accesses);
    let lists: BTreeSet<String> = all.filter(is_list).map(|a| a.item().to_owned()).collect();
    for (t, line) in found.iter_mut().zip(lines) {
        for access in t.accesses.iter_mut().filter(|access| lists.contains(access.item())) {
            let item = access.item().to_owned();
            match access {
                Access::Append { .. } | Access::List { .. } => {}
                Access::Read { value: None, .. } => {
                    *access = Access::List { item, values: Vec::new() };
                }
                Access::Write { .. } | Access::Read { .. } => {
                    let text = format!("item {item} is a list elsewhere, and here it is none");
                    problems.error(at(*line), text, "append to an item or write it, not both");
                }
            }
        }
    }
}

/// Of a value that was written twice nobody can say which of the two was read.
fn differ(found: &[Transaction], lines: &[u32], problems: &mut Diagnostics) {
    let mut known: BTreeMap<(&str, i64), u32> = BTreeMap::new();
    for (t, line) in found.iter().zip(lines).filter(|(t, _)| t.end != End::Aborted) {
        for access in &t.accesses {
            let (Access::Append { item, value } | Access::Write { item, value }) = access else {
                continue;
            };
            if let Some(first) = known.insert((item, *value), *line) {
                let text = format!("{value} is written to item {item} again, as on line {first}");
                problems.error(at(*line), text, "write another value each time: reads tell by it");
            }
        }
    }
}

/// What a transaction wants, whatever its reads say.
fn shape(form: &Form) -> Vec<(Option<&str>, Option<&Value>, Option<&Value>)> {
    let steps = form.get("value").and_then(Form::list).unwrap_or_default();
    let mut shapes = Vec::new();
    for step in steps {
        let part = step.list().unwrap_or_default();
        let what = part.first().and_then(Form::word);
        let value = part.get(2).filter(|_| what != Some("r"));
        shapes.push((what, part.get(1).map(|item| &item.value), value.map(|v| &v.value)));
    }
    shapes
}

fn steps(form: &Form, is_known: bool, problems: &mut Diagnostics) -> Vec<Access> {
    let steps = form.get("value").and_then(Form::list).unwrap_or_default();
    let mut accesses = Vec::new();
    for step in steps {
        match access(step, is_known) {
            Some(access) => accesses.extend(access),
            None => {
                let remedy = "write [:append item value], [:w item value] or [:r item value]; an \
                              item is a number or a word, a value a number, a list of them, or nil";
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
    let item = match &item.value {
        Value::Int(item) => item.to_string(),
        Value::Word(item) => item.clone(),
        Value::Nil | Value::List(_) | Value::Map(_) => return None,
    };
    Some(match (what.word()?, &value.value) {
        ("append", Value::Int(value)) => Some(Access::Append { item, value: *value }),
        ("w", Value::Int(value)) => Some(Access::Write { item, value: *value }),
        ("r", _) if !is_known => None,
        ("r", Value::List(list)) => {
            let values = list.iter().map(Form::int).collect::<Option<Vec<i64>>>()?;
            Some(Access::List { item, values })
        }
        ("r", Value::Int(value)) => Some(Access::Read { item, value: Some(*value) }),
        ("r", Value::Nil) => Some(Access::Read { item, value: None }),
        _ => return None,
    })
}
