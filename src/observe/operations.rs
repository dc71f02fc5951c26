//! What clients did as bars, a row for each client, time to the right: the operations that prove a
//! violation, or an order that explains what happened. Below them what nodes did about it, and
//! above them what happened meanwhile. Plain data, and a drawing.
//!
//! Between two instants at which something begins or ends the picture is at least so wide that a
//! bar can be read, and never so wide that a long silence fills it: order in time is true to the
//! run, distance is not.

use super::cast::Cast;
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::Time;
use crate::check::Checks;
use crate::check::history::linearizable;
use crate::check::history::operation::{Action, Operation, Outcome, Output};
use crate::check::history::recorder::in_words;
use crate::check::history::transcript::lanes;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many bars are shown, besides those that prove something.
const BARS: usize = 12;

/// Operations on one item, or those that prove something.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Operations {
    /// What they show, in a sentence.
    pub sentence: String,
    /// Whether the property holds that they are shown for.
    pub holds: bool,
    /// Names of the clients and nodes, a row for each.
    pub rows: Vec<String>,
    /// In the order of their calls.
    pub bars: Vec<Bar>,
}

/// One operation, or something that a node did or that happened to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// The number of the operation; none if it is no operation of a client.
    pub id: Option<u64>,
    /// Which row.
    pub row: usize,
    /// When it was called.
    pub from: Time,
    /// When its client knew more; none if it does not yet, or never will.
    pub until: Option<Time>,
    /// What it was, as the literature writes it: `w 17`, `r 17`.
    pub sign: String,
    /// The same in words.
    pub text: String,
    /// Whether it took effect; unknown is neither.
    pub state: BarState,
    /// True if it is part of the proof of a violation.
    pub proves: bool,
    /// An instant at which it can have taken effect, in an order that explains everything.
    pub point: Option<Time>,
}

/// What is known of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum BarState {
    /// It took effect.
    Done,
    /// It did not.
    Failed,
    /// Nobody can say.
    Unknown,
    /// It is no operation of a client: something at a node.
    Act,
    /// Something that happened to the whole: everything before it is before, and after it after.
    Meanwhile,
}

/// Of a run: the first violation of what clients should see, or else the newest operations on an
/// item and an order that explains them. None where nothing is judged.
pub fn of_run(checks: &Checks, cast: &Cast) -> Option<Operations> {
    checks.consistent().next()?;
    let name = |process: u64| called(cast, process);
    let violated = checks.consistent().find(|check| !check.proof().is_empty());
    if let Some(check) = violated {
        let proof = check.proof();
        return Some(Operations::new(check.scene(), &proof, &name, check.verdict().sentence));
    }
    let ops = newest(&checks.operations());
    let mut shown = Operations::new(&ops, &BTreeSet::new(), &name, String::new());
    let item = ops.first().map_or(0, |op| in_words(op).item);
    // Other checks than linearizability hold where no order explains everything.
    shown.sentence = match (shown.bars.is_empty(), shown.bars.iter().any(|b| b.point.is_some())) {
        (true, _) => "Nothing was read or changed yet.".to_owned(),
        (false, false) => format!("What clients did to item {item}."),
        (false, true) => {
            format!("What clients did to item {item}; each dot is an instant that explains it.")
        }
    };
    Some(shown)
}

/// What a client is called.
pub(super) fn called(cast: &Cast, process: u64) -> String {
    let client = process & u64::from(u32::MAX);
    format!("{} {client}", cast.name(NodeId((process >> 32) as u32)))
}

/// Of a history from elsewhere; `proof` are the numbers of operations that prove a violation.
pub fn of_history(ops: &[Operation], proof: &BTreeSet<u64>, sentence: String) -> Operations {
    let proving = |op: &&Operation| proof.contains(&op.id);
    let item = ops.iter().find(proving).or(ops.first()).map_or(0, |op| op.item);
    let own: Vec<Operation> = ops.iter().filter(|op| op.item == item).copied().collect();
    Operations::new(&own, proof, &|process| format!("client {process}"), sentence)
}

/// The newest operations on the first of those items on which there were about the most.
fn newest(ops: &[Operation]) -> Vec<Operation> {
    let mut count: BTreeMap<i64, u32> = BTreeMap::new();
    ops.iter().for_each(|op| *count.entry(op.item).or_default() += 1);
    let most = count.values().copied().max().unwrap_or(0);
    let item = count.iter().find(|(_, n)| **n * 2 >= most).map(|(item, _)| *item);
    let mut own: Vec<Operation> = ops.iter().filter(|op| Some(op.item) == item).copied().collect();
    order::by_key(&mut own, |op| (op.call, op.id));
    own.drain(..own.len().saturating_sub(BARS));
    own
}

impl Operations {
    pub(super) fn new(
        ops: &[Operation],
        proof: &BTreeSet<u64>,
        name: &dyn Fn(u64) -> String,
        sentence: String,
    ) -> Operations {
        let mut own = around(ops, proof);
        order::by_key(&mut own, |op| (op.call, op.id));
        let order = linearizable::explain(&own).filter(|_| proof.is_empty());
        let points: BTreeMap<u64, Time> = order.unwrap_or_default().into_iter().collect();
        let keys = || own.iter().map(|op| op.process).zip(lanes(&own));
        let mut rows: Vec<(u64, u32)> = keys().collect();
        order::up(&mut rows);
        rows.dedup();
        let bar = |(op, key): (&Operation, (u64, u32))| {
            let process = name(op.process);
            Bar {
                id: Some(op.id),
                row: rows.binary_search(&key).unwrap_or(0),
                from: op.call,
                until: op.ended(),
                sign: sign(&in_words(op)),
                text: format!("{process} {}", in_words(op)),
                state: match op.outcome {
                    Outcome::Ok { .. } => BarState::Done,
                    Outcome::Failed { .. } => BarState::Failed,
                    Outcome::Unknown { .. } => BarState::Unknown,
                },
                proves: proof.contains(&op.id),
                point: points.get(&op.id).copied(),
            }
        };
        let bars = own.iter().zip(keys()).map(bar).collect();
        let rows = rows.iter().map(|&(process, _)| name(process)).collect();
        Operations { sentence, holds: proof.is_empty(), rows, bars }
    }
}

/// The operations that prove something, and those that overlap them or come close before.
fn around(ops: &[Operation], proof: &BTreeSet<u64>) -> Vec<Operation> {
    let proves = |op: &&Operation| proof.contains(&op.id);
    let mut shown: Vec<Operation> = ops.iter().filter(proves).copied().collect();
    let last = shown.iter().filter_map(Operation::ended).max().unwrap_or(Time::NEVER);
    let others = ops.iter().rev().filter(|op| !proof.contains(&op.id) && op.call <= last);
    shown.extend(others.take(BARS));
    shown
}

/// An operation as short as it can be read.
fn sign(op: &Operation) -> String {
    let value = match op.output() {
        Some(Output::Value(Some(value))) => value.to_string(),
        Some(Output::Value(None)) => "–".to_owned(),
        _ => "?".to_owned(),
    };
    let then = |what: String| match op.output() {
        Some(Output::Value(Some(value))) => format!("{what} = {value}"),
        _ => what,
    };
    match op.action {
        Action::Read => format!("r {value}"),
        Action::Write(to) => format!("w {to}"),
        Action::CompareAndSet { from, to } => format!("{from} → {to}"),
        Action::Add(amount) => then(format!("+{amount}")),
        Action::Charge(amount) => then(format!("−{amount}")),
        Action::Insert(member) => then(format!("put {member}")),
        Action::Remove(member) => then(format!("out {member}")),
        Action::Transfer { to, amount } => format!("{amount} to {to}"),
        Action::Enqueue(value) => format!("put {value}"),
        Action::Dequeue => format!("take {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(id: u64, process: u64, times: (u64, u64), action: Action, value: i64) -> Operation {
        let output =
            if action == Action::Read { Output::Value(Some(value)) } else { Output::Nothing };
        let outcome = Outcome::Ok { at: Time(times.1), output, version: 0 };
        Operation { id, process, item: 1, call: Time(times.0), action, outcome }
    }

    fn history() -> Vec<Operation> {
        vec![
            op(1, 7, (0, 10), Action::Write(3), 0),
            op(2, 7, (5, 30), Action::Write(4), 0),
            op(3, 9, (20, 25), Action::Read, 4),
            op(4, 9, (40, 50), Action::Read, 3),
            Operation { item: 2, ..op(5, 9, (60, 70), Action::Write(8), 0) },
            Operation {
                outcome: Outcome::Unknown { at: None },
                ..op(6, 8, (60, 0), Action::Write(9), 0)
            },
        ]
    }

    #[test]
    fn a_proof_stands_out_among_what_came_close() {
        let shown = of_history(&history(), &BTreeSet::from([2, 3, 4]), "<stale>".to_owned());
        assert!(!shown.holds);
        assert_eq!(shown.rows, ["client 7", "client 7", "client 9"], "two at once have two rows");
        let seen: Vec<_> = shown.bars.iter().map(|b| (b.row, b.sign.as_str(), b.proves)).collect();
        assert_eq!(
            seen,
            [(0, "w 3", false), (1, "w 4", true), (2, "r 4", true), (2, "r 3", true)],
            "another item, and what came later, is left out"
        );
        let drawing = shown.figure().svg;
        assert_eq!(drawing.matches("<rect").count(), 4);
        assert_eq!(drawing.matches("op-proves").count(), 3);
        assert!(drawing.contains("&lt;stale&gt;") && !drawing.contains("<style>"));
        assert!(shown.svg_file().contains("<style>"));
    }

    #[test]
    fn an_order_has_an_instant_in_every_bar_that_counts() {
        let good: Vec<Operation> = history().into_iter().filter(|op| op.id != 4).collect();
        let shown = of_history(&good, &BTreeSet::new(), String::new());
        let points: Vec<Option<u64>> = shown.bars.iter().map(|b| b.point.map(|at| at.0)).collect();
        assert_eq!(points, [Some(0), Some(5), Some(20), None], "nobody found what is unknown");
        let stale = of_history(&history(), &BTreeSet::new(), String::new());
        assert!(stale.bars.iter().all(|b| b.point.is_none()), "no order explains a stale read");
        for bar in &shown.bars {
            let until = bar.until.unwrap_or(Time::NEVER);
            assert!(bar.point.is_none_or(|at| bar.from <= at && at <= until));
        }
    }
}
