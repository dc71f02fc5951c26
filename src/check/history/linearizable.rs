//! Linearizability (Herlihy and Wing 1990): every operation seems to take effect at one instant
//! between its call and its return.
//!
//! A history is linearizable exactly if what happened to each item is (their theorem of locality),
//! so items are judged one by one; those that a transfer ties together, together.

use super::Judgement;
use super::model::{Account, Cell, KeyValue, Model, Named, Queue, Register};
use super::operation::{Action, Operation, Outcome, Output};
use super::search::{Found, search};
use super::shrink::shrink;
use crate::base::order;
use crate::base::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Steps that are enough for histories people look at, and take less than a second.
pub const BUDGET: u64 = 4_000_000;

/// Judges a history. At most `budget` steps of the model are made, and as many again to make the
/// proof small.
pub fn check(ops: &[Operation], model: Named, budget: u64) -> Judgement {
    let mut left = budget;
    let mut order = Vec::new();
    let mut open = None;
    let unseen = unseen(ops);
    for mut part in parts(ops) {
        part.retain(|op| !unseen.contains(&op.id));
        let judged = match model {
            Named::Register | Named::CompareAndSet => judge(&Register::default(), &part, &mut left),
            Named::Counter => judge(&Account::default(), &part, &mut left),
            Named::Account(account) => judge(&account, &part, &mut left),
            Named::Queue => judge(&Queue, &part, &mut left),
            Named::Set | Named::KeyValue => key_value(&part, &mut left),
        };
        match judged {
            Judged::Order(part) => order.extend(part),
            Judged::Violated(proof, at) => return violated(&proof, at),
            Judged::GaveUp => open = open.or(part.first().map(|op| op.item)),
        }
    }
    if let Some(item) = open {
        let text = format!("More orders of what happened to item {item} than {budget} steps try.");
        return Judgement::unknown(text);
    }
    order::by_key(&mut order, |&(_, at)| at);
    let sentence = format!("{} operations, and an order that explains them all.", ops.len());
    Judgement { order, ..Judgement::holds(sentence) }
}

enum Judged {
    Order(Vec<(u64, Time)>),
    Violated(Vec<Operation>, Time),
    GaveUp,
}

fn judge<M: Model>(model: &M, ops: &[Operation], left: &mut u64) -> Judged {
    match search(model, &model.init(), ops, left) {
        Found::Order(order) => {
            let order: Vec<Operation> =
                order.iter().filter_map(|&at| ops.get(at)).copied().collect();
            Judged::Order(points(&order))
        }
        Found::Nothing => {
            let mut more = BUDGET;
            let all = || (ops.to_vec(), Time::NEVER);
            let (proof, at) = shrink(model, &[model.init()], ops, &mut more).unwrap_or_else(all);
            Judged::Violated(proof, at)
        }
        Found::GaveUp => Judged::GaveUp,
    }
}

/// An order that explains operations on one item of which it is not known what it held before.
/// Few operations: none where that would take long.
pub fn explain(ops: &[Operation]) -> Option<Vec<(u64, Time)>> {
    match search(&Cell, &None, ops, &mut 20_000) {
        Found::Order(order) => {
            let order: Vec<Operation> =
                order.iter().filter_map(|&at| ops.get(at)).copied().collect();
            Some(points(&order))
        }
        Found::Nothing | Found::GaveUp => None,
    }
}

/// Items with nothing but reads and writes have smaller proofs as what they are: registers.
fn key_value(ops: &[Operation], left: &mut u64) -> Judged {
    // Every item is zero at first, and one without a value counts as zero.
    let zero = |op: &Operation| {
        let mut op = *op;
        if let Outcome::Ok { output: Output::Value(value @ None), .. } = &mut op.outcome {
            *value = Some(0);
        }
        op
    };
    let ops: Vec<Operation> = ops.iter().map(zero).collect();
    let register = Register { init: Some(0) };
    if ops.iter().all(|op| register.knows(op.action)) {
        return judge(&register, &ops, left);
    }
    judge(&KeyValue, &ops, left)
}

/// Where in time each operation of an order can have taken effect: not before it was called, not
/// before the one in front of it.
fn points(order: &[Operation]) -> Vec<(u64, Time)> {
    let mut now = Time::ZERO;
    let point = |op: &Operation| {
        now = now.max(op.call);
        (op.id, now)
    };
    order.iter().map(point).collect()
}

/// Writes of unknown end that nobody ever found: each may as well never have happened, and of
/// orders in which they did there are very many. Only where values are not counted with, and where
/// nobody was told that the value was another than expected: any write explains that.
pub fn unseen(ops: &[Operation]) -> BTreeSet<u64> {
    let plain = |op: &Operation| {
        let other = op.output() == Some(Output::Matched(false));
        Register::default().knows(op.action) && !other
    };
    let mixed: BTreeSet<i64> = ops.iter().filter(|op| !plain(op)).map(|op| op.item).collect();
    let ties = |op: &Operation| matches!(op.action, Action::Transfer { .. });
    if ops.iter().any(ties) {
        return BTreeSet::new();
    }
    let found = |op: &Operation| match op.action {
        Action::Read => op.value_read().flatten().map(|value| (op.item, value)),
        Action::CompareAndSet { from, .. } => Some((op.item, from)),
        _ => None,
    };
    let found: BTreeSet<(i64, i64)> = ops.iter().filter_map(found).collect();
    let is_unseen = |op: &&Operation| match op.action {
        Action::Write(value) if matches!(op.outcome, Outcome::Unknown { .. }) => {
            !found.contains(&(op.item, value)) && !mixed.contains(&op.item)
        }
        _ => false,
    };
    ops.iter().filter(is_unseen).map(|op| op.id).collect()
}

/// The history in parts that have nothing to do with each other.
pub fn parts(ops: &[Operation]) -> Vec<Vec<Operation>> {
    let mut root: BTreeMap<i64, i64> = BTreeMap::new();
    for op in ops {
        if let Action::Transfer { to, .. } = op.action {
            let (a, b) = (find(&root, op.item), find(&root, to));
            root.insert(a.max(b), a.min(b));
        }
    }
    let mut parts: BTreeMap<i64, Vec<Operation>> = BTreeMap::new();
    for op in ops {
        parts.entry(find(&root, op.item)).or_default().push(*op);
    }
    parts.into_values().collect()
}

fn find(root: &BTreeMap<i64, i64>, item: i64) -> i64 {
    match root.get(&item) {
        Some(&next) if next != item => find(root, next),
        _ => item,
    }
}

fn violated(proof: &[Operation], at: Time) -> Judgement {
    let ids = proof.iter().map(|op| op.id).collect();
    Judgement::violated(sentence(proof), ids, Some(at).filter(|&at| at != Time::NEVER))
}

/// What is wrong with operations that no order explains. The last to return made it so.
pub fn sentence(proof: &[Operation]) -> String {
    let Some(last) = proof.iter().max_by_key(|op| op.returned()) else {
        return "No order explains it.".to_owned();
    };
    let (process, item) = (last.process, last.item);
    let head = format!("Client {process} {last} on item {item}");
    let others: Vec<&Operation> = proof.iter().filter(|op| op.id != last.id).collect();
    let expected = match (last.action, last.output()) {
        (Action::Read, Some(Output::Value(value))) => Some(value),
        (Action::CompareAndSet { from, .. }, Some(Output::Matched(true) | Output::Nothing)) => {
            Some(Some(from))
        }
        _ => None,
    };
    let plain = proof.iter().all(|op| Register::default().knows(op.action));
    let Some(value) = expected.filter(|_| plain) else {
        return format!("{head}, and no order of it and {} others explains that.", others.len());
    };
    let writers: Vec<&&Operation> =
        others.iter().filter(|op| value.is_some() && op.value_written() == value).collect();
    if value.is_some() && others.is_empty() {
        return format!("{head}, a value that nobody had written.");
    }
    let newer = others.iter().find(|op| {
        let replaced = op.value_written().is_some_and(|written| Some(written) != value);
        replaced && op.precedes(last) && writers.iter().all(|writer| writer.precedes(op))
    });
    match newer {
        Some(op) => {
            let by = op.process;
            let (done, asked) = (op.returned().unwrap_or(op.call), last.call);
            format!("{head}, asked at {asked}, though client {by} {op} by {done}.")
        }
        None => format!("{head}, and no order of it and {} others explains that.", others.len()),
    }
}
