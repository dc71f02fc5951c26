//! Serializability of transactions by the cycles of their dependencies (Adya 1999), found from what
//! was read as Elle does (Kingsbury and Alvaro 2020): lists tell the order of what was appended to
//! them, and a transaction that reads a value before it writes one tells the order of the two.
//!
//! What cannot be inferred is not held against a history: it holds if nothing proves the contrary.

use super::Judgement;
use super::transaction::{Access, End, Transaction};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// What can be wrong, the worst first. Names after Adya.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// Writes of two transactions are interleaved.
    G0,
    /// Something was read that was never committed.
    G1a,
    /// Something was read that its transaction had not finished.
    G1b,
    /// Two transactions each depend on what the other wrote.
    G1c,
    /// One of them read something before another changed it, and depends on the other all the same.
    GSingle,
    /// Several read before others changed what they had read.
    G2,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anomaly::G0 => "dirty write (G0)",
            Anomaly::G1a => "aborted read (G1a)",
            Anomaly::G1b => "intermediate read (G1b)",
            Anomaly::G1c => "circular information flow (G1c)",
            Anomaly::GSingle => "read skew (G-single)",
            Anomaly::G2 => "write skew (G2)",
        })
    }
}

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Because {
    /// It wrote what the other then overwrote.
    Write,
    /// It wrote what the other read.
    Read,
    /// It read what the other then overwrote.
    Anti,
}

/// By transaction, who comes after it, why, and of which item.
type Graph = BTreeMap<u64, BTreeMap<(u64, Because), i64>>;

/// Judges transactions; the worst anomaly first.
pub fn check(transactions: &[Transaction]) -> (Judgement, Option<Anomaly>) {
    let values = Values::of(transactions);
    if let Some((anomaly, proof, sentence)) = values.strange_read(transactions) {
        // Dirty writes are worse, but without sound reads nothing is known of them.
        return (violated(transactions, anomaly, proof, &sentence), Some(anomaly));
    }
    let graph = values.graph(transactions);
    let Some((anomaly, cycle)) = cycle(&graph) else {
        let text = format!("{} transactions, and nothing goes in a circle.", transactions.len());
        return (Judgement::holds(text), None);
    };
    let says = |&(from, because, item, to): &Step| match because {
        Because::Write => format!("{from} wrote item {item} before {to} did"),
        Because::Read => format!("{to} read what {from} wrote to item {item}"),
        Because::Anti => format!("{from} read item {item} before {to} changed it"),
    };
    let sentence = cycle.iter().map(says).collect::<Vec<_>>().join("; ");
    let proof = cycle.iter().map(|step| step.0).collect();
    (violated(transactions, anomaly, proof, &sentence), Some(anomaly))
}

fn violated(all: &[Transaction], anomaly: Anomaly, proof: Vec<u64>, how: &str) -> Judgement {
    let mut text = anomaly.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let at = all.iter().filter(|t| proof.contains(&t.id)).filter_map(|t| t.at).max();
    Judgement::violated(format!("{text}: of transactions, {how}."), proof, at)
}

/// Who wrote each value of each item, and in which order.
struct Values {
    /// The writer, and whether that was its last word on the item.
    writer: BTreeMap<(i64, i64), (u64, bool)>,
    aborted: BTreeMap<(i64, i64), u64>,
    /// The longest list read of each item.
    lists: BTreeMap<i64, Vec<i64>>,
}

impl Values {
    fn of(transactions: &[Transaction]) -> Values {
        let mut values =
            Values { writer: BTreeMap::new(), aborted: BTreeMap::new(), lists: BTreeMap::new() };
        for t in transactions {
            let mut last: BTreeMap<i64, i64> = BTreeMap::new();
            for access in &t.accesses {
                match *access {
                    Access::Append { item, value } | Access::Write { item, value } => {
                        if t.end == End::Aborted {
                            values.aborted.insert((item, value), t.id);
                            continue;
                        }
                        if let Some(before) = last.insert(item, value) {
                            values.writer.insert((item, before), (t.id, false));
                        }
                        values.writer.insert((item, value), (t.id, true));
                    }
                    Access::List { item, values: Some(ref list) } => {
                        let longest = values.lists.entry(item).or_default();
                        if list.len() > longest.len() {
                            longest.clone_from(list);
                        }
                    }
                    Access::List { .. } | Access::Read { .. } => {}
                }
            }
        }
        values
    }

    /// A read of what was aborted or not finished, or lists of an item that contradict each other.
    fn strange_read(&self, all: &[Transaction]) -> Option<(Anomaly, Vec<u64>, String)> {
        for t in all.iter().filter(|t| t.end == End::Committed) {
            for access in &t.accesses {
                let (item, seen): (i64, &[i64]) = match access {
                    Access::List { item, values: Some(list) } => (*item, list),
                    Access::Read { item, value: Some(value) } => {
                        (*item, std::slice::from_ref(value))
                    }
                    _ => continue,
                };
                let id = t.id;
                let aborted = seen.iter().find_map(|v| self.aborted.get(&(item, *v)));
                if let Some(writer) = aborted {
                    let how = format!("{id} read what {writer} wrote to item {item} and took back");
                    return Some((Anomaly::G1a, vec![*writer, id], how));
                }
                let last = seen.last().and_then(|value| self.writer.get(&(item, *value)));
                if let Some(&(writer, false)) = last.filter(|(writer, _)| *writer != id) {
                    let how = format!("{id} read item {item} in the midst of {writer}");
                    return Some((Anomaly::G1b, vec![writer, id], how));
                }
                let longest = self.lists.get(&item).map_or(&[][..], Vec::as_slice);
                let is_list = matches!(access, Access::List { .. });
                if is_list && !longest.starts_with(seen) {
                    let other = self.reader_of(all, item, longest).unwrap_or(id);
                    let how = format!("{id} and {other} read item {item} in different orders");
                    return Some((Anomaly::G0, vec![other, id], how));
                }
            }
        }
        None
    }

    fn reader_of(&self, all: &[Transaction], item: i64, list: &[i64]) -> Option<u64> {
        let read = |access: &Access| match access {
            Access::List { item: other, values: Some(values) } => *other == item && values == list,
            _ => false,
        };
        all.iter().find(|t| t.accesses.iter().any(read)).map(|t| t.id)
    }

    fn graph(&self, all: &[Transaction]) -> Graph {
        let mut graph = Graph::new();
        let writer = |item, value| self.writer.get(&(item, value)).map(|(id, _)| *id);
        let mut add = |from: u64, because, item, to: u64| {
            if from != to {
                graph.entry(from).or_default().entry((to, because)).or_insert(item);
            }
        };
        // What comes right after each value of an item; none stands for the initial one.
        let mut after: BTreeMap<(i64, Option<i64>), BTreeSet<i64>> = BTreeMap::new();
        for (&item, list) in &self.lists {
            let mut before = None;
            for &value in list {
                after.entry((item, before)).or_default().insert(value);
                before = Some(value);
            }
        }
        // What was appended and is in no list that was read comes after all of them.
        for t in all.iter().filter(|t| t.end == End::Committed) {
            for access in &t.accesses {
                let Access::Append { item, value } = *access else { continue };
                let list = self.lists.get(&item).map_or(&[][..], Vec::as_slice);
                if !list.contains(&value) {
                    after.entry((item, list.last().copied())).or_default().insert(value);
                }
            }
        }
        for t in all.iter().filter(|t| t.end != End::Aborted) {
            let mut held: BTreeMap<i64, Option<i64>> = BTreeMap::new();
            for access in &t.accesses {
                match *access {
                    Access::Read { item, value } => drop(held.insert(item, value)),
                    Access::Write { item, value } => {
                        if let Some(before) = held.insert(item, Some(value)) {
                            after.entry((item, before)).or_default().insert(value);
                        }
                        // Whatever is written comes after the initial value.
                        if t.end == End::Committed {
                            after.entry((item, None)).or_default().insert(value);
                        }
                    }
                    Access::Append { .. } | Access::List { .. } => {}
                }
            }
        }
        for (&(item, before), next) in &after {
            let before = before.and_then(|before| writer(item, before));
            for next in next.iter().filter_map(|&next| writer(item, next)) {
                before.into_iter().for_each(|before| add(before, Because::Write, item, next));
            }
        }
        for t in all.iter().filter(|t| t.end == End::Committed) {
            for access in &t.accesses {
                let (item, seen) = match access {
                    Access::Read { item, value } => (*item, *value),
                    Access::List { item, values: Some(list) } => (*item, list.last().copied()),
                    _ => continue,
                };
                let from = seen.and_then(|value| writer(item, value));
                from.into_iter().for_each(|from| add(from, Because::Read, item, t.id));
                for &next in after.get(&(item, seen)).into_iter().flatten() {
                    writer(item, next).into_iter().for_each(|n| add(t.id, Because::Anti, item, n));
                }
            }
        }
        graph
    }
}

/// From whom, why, of which item, to whom.
type Step = (u64, Because, i64, u64);

/// The worst cycle, and of those the shortest.
fn cycle(graph: &Graph) -> Option<(Anomaly, Vec<Step>)> {
    let kinds: [(Anomaly, Because, Because); 4] = [
        (Anomaly::G0, Because::Write, Because::Write),
        (Anomaly::G1c, Because::Read, Because::Read),
        (Anomaly::GSingle, Because::Anti, Because::Read),
        (Anomaly::G2, Because::Anti, Because::Anti),
    ];
    for (anomaly, first, rest) in kinds {
        let mut best: Option<Vec<Step>> = None;
        for (&from, next) in graph {
            for (&(to, because), &item) in next.iter().filter(|((_, b), _)| *b == first) {
                let Some(mut path) = path(graph, to, from, rest) else { continue };
                path.insert(0, (from, because, item, to));
                if best.as_ref().is_none_or(|best| path.len() < best.len()) {
                    best = Some(path);
                }
            }
        }
        if let Some(best) = best {
            return Some((anomaly, best));
        }
    }
    None
}

/// The shortest way from one transaction to another by reasons up to `most`.
fn path(graph: &Graph, from: u64, to: u64, most: Because) -> Option<Vec<Step>> {
    let mut came: BTreeMap<u64, Step> = BTreeMap::new();
    let mut todo = VecDeque::from([from]);
    while let Some(here) = todo.pop_front() {
        if here == to {
            let mut path = Vec::new();
            let mut at = to;
            while at != from {
                let step = came.get(&at)?;
                path.push(*step);
                at = step.0;
            }
            path.reverse();
            return Some(path);
        }
        let next = graph.get(&here).into_iter().flatten();
        for (&(next, because), &item) in next.filter(|((_, because), _)| *because <= most) {
            if next != from && !came.contains_key(&next) {
                came.insert(next, (here, because, item, next));
                todo.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::transaction::read;
    use super::*;
    use crate::check::State;
    use proptest::prelude::*;

    /// Transactions, one a line: `ok`, `fail` or `info`, then their steps.
    fn judged(lines: &[(&str, &str)]) -> (Judgement, Option<Anomaly>) {
        let event = |(n, (kind, steps)): (usize, &(&str, &str))| {
            let event =
                |kind| format!("{{:process {n}, :type :{kind}, :f :txn, :value [{steps}]}}\n");
            event("invoke") + &event(kind)
        };
        let text: String = lines.iter().enumerate().map(event).collect();
        let (transactions, _) = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
        check(&transactions)
    }

    #[test]
    fn each_anomaly_is_named_and_proved() {
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<Anomaly>, &'a [u64]);
        let cases: [Case<'_>; 9] = [
            (&[("ok", "[:append 1 1]"), ("ok", "[:r 1 [1]] [:append 1 2]")], None, &[]),
            (
                &[
                    ("ok", "[:append 1 1] [:append 2 1]"),
                    ("ok", "[:append 1 2] [:append 2 2]"),
                    ("ok", "[:r 1 [1 2]] [:r 2 [2 1]]"),
                ],
                Some(Anomaly::G0),
                &[0, 1],
            ),
            (&[("fail", "[:append 1 1]"), ("ok", "[:r 1 [1]]")], Some(Anomaly::G1a), &[0, 1]),
            (
                &[("ok", "[:append 1 1] [:append 1 2]"), ("ok", "[:r 1 [1]]")],
                Some(Anomaly::G1b),
                &[0, 1],
            ),
            (
                &[("ok", "[:append 1 1] [:r 2 [1]]"), ("ok", "[:append 2 1] [:r 1 [1]]")],
                Some(Anomaly::G1c),
                &[0, 1],
            ),
            (
                &[("ok", "[:append 1 1] [:append 2 1]"), ("ok", "[:r 1 [1]] [:r 2 []]")],
                Some(Anomaly::GSingle),
                &[1, 0],
            ),
            (
                &[
                    ("ok", "[:r 1 []] [:append 2 1]"),
                    ("ok", "[:r 2 []] [:append 1 1]"),
                    ("ok", "[:r 1 [1]] [:r 2 [1]]"),
                ],
                Some(Anomaly::G2),
                &[0, 1],
            ),
            (
                &[("ok", "[:r 1 nil] [:w 1 1]"), ("ok", "[:r 1 nil] [:w 1 2]")],
                Some(Anomaly::G2),
                &[0, 1],
            ),
            (&[("info", "[:w 1 5] [:w 2 5]"), ("ok", "[:r 1 5] [:r 2 5]")], None, &[]),
        ];
        for (lines, anomaly, proof) in cases {
            let (judgement, found) = judged(lines);
            assert_eq!((found, judgement.proof.as_slice()), (anomaly, proof), "{lines:?}");
        }
        let skew = judged(&[("ok", "[:append 1 1] [:append 2 1]"), ("ok", "[:r 1 [1]] [:r 2 []]")]);
        let says = "Read skew (G-single): of transactions, 1 read item 2 before 0 changed it; \
                    1 read what 0 wrote to item 1.";
        assert_eq!(skew.0.sentence, says);
    }

    #[test]
    fn steps_that_are_none_have_their_line() {
        let bad = "{:process 0, :type :invoke, :f :txn, :value [[:append 1]\n [:x 1 2]]}";
        let problems = read(bad).expect_err("no steps").to_string();
        assert!(problems.contains("line 1: is no step") && problems.contains("line 2: is no step"));
    }

    proptest! {
        /// Transactions that ran one after the other are serializable, and reading one list short
        /// is noticed when somebody else depends on the difference.
        #[test]
        fn what_ran_one_by_one_is_serializable(
            draws in proptest::collection::vec(
                proptest::collection::vec((0..3i64, any::<bool>()), 1..4), 1..20),
        ) {
            let mut lists: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
            let mut registers: BTreeMap<i64, i64> = BTreeMap::new();
            let mut all = Vec::new();
            let mut fresh = 0;
            for (id, steps) in (0..).zip(&draws) {
                let mut accesses = Vec::new();
                for &(item, writes) in steps {
                    fresh += 1;
                    let (list, register) = (lists.entry(item).or_default(), item + 10);
                    if writes {
                        list.push(fresh);
                        registers.insert(register, fresh);
                        accesses.push(Access::Append { item, value: fresh });
                        accesses.push(Access::Write { item: register, value: fresh });
                    } else {
                        let value = registers.get(&register).copied();
                        accesses.push(Access::List { item, values: Some(list.clone()) });
                        accesses.push(Access::Read { item: register, value });
                    }
                }
                all.push(Transaction { id, end: End::Committed, at: None, accesses });
            }
            let (judgement, anomaly) = check(&all);
            prop_assert!(judgement.state == State::Holds, "{:?} {}", anomaly, judgement.sentence);
        }
    }
}
