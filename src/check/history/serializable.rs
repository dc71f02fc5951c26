//! Serializability of transactions by the cycles of their dependencies (Adya 1999), found from what
//! was read as Elle does (Kingsbury and Alvaro 2020): lists tell the order of what was appended to
//! them. In which order a register was written is not told by reading it: see [`order`].

mod order;
mod reads;
#[cfg(test)]
mod tests;

use super::Judgement;
use super::transaction::Transaction;
use order::Order;
use reads::Written;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// What can be wrong: what was read first, then what goes in a circle, the worst first. Names after
/// Adya where he has one, else after Elle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A transaction did not see what it had itself read or written before.
    Internal,
    /// Something was read that nobody wrote.
    Garbage,
    /// Something was read twice that was appended once.
    Duplicate,
    /// Lists were read that no order of appends makes.
    Incompatible,
    /// Something was read that was never committed.
    G1a,
    /// Something was read that its transaction had not finished.
    G1b,
    /// Writes of two transactions are interleaved.
    G0,
    /// Two transactions each depend on what the other wrote.
    G1c,
    /// One of them read something before another changed it, and depends on the other all the same.
    GSingle,
    /// Several read before others changed what they had read.
    G2,
    /// Each order of writes makes one of these circles.
    Unordered,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anomaly::Internal => "contradiction within a transaction (internal)",
            Anomaly::Garbage => "read of what nobody wrote (garbage)",
            Anomaly::Duplicate => "one value twice (duplicate)",
            Anomaly::Incompatible => "lists in different orders (incompatible order)",
            Anomaly::G0 => "dirty write (G0)",
            Anomaly::G1a => "aborted read (G1a)",
            Anomaly::G1b => "intermediate read (G1b)",
            Anomaly::G1c => "circular information flow (G1c)",
            Anomaly::GSingle => "read skew (G-single)",
            Anomaly::G2 => "write skew (G2)",
            Anomaly::Unordered => "a circle in every order of writes",
        })
    }
}

/// An anomaly, the transactions that prove it, and how they do.
struct Found {
    anomaly: Anomaly,
    proof: Vec<u64>,
    how: String,
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

/// Of which item, and who else shows that it must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge {
    item: String,
    shown_by: BTreeSet<u64>,
}

/// By transaction, who comes after it, and why.
type Graph = BTreeMap<u64, BTreeMap<(u64, Because), Edge>>;

/// Judges transactions, and names what is wrong with them: everything that is wrong with what was
/// read, or, since without sound reads nothing is known of it, the worst circle.
pub fn check(transactions: &[Transaction]) -> (Judgement, Vec<Anomaly>) {
    let (found, is_known) = find(transactions, order::BUDGET);
    if found.is_empty() && !is_known {
        let text = "in which order registers were written can be explained in too many ways.";
        return (Judgement::unknown(text), Vec::new());
    }
    if found.is_empty() {
        let text = format!("{} transactions, and nothing goes in a circle.", transactions.len());
        return (Judgement::holds(text), Vec::new());
    }
    let sentence = found.iter().map(said).collect::<Vec<_>>().join(" ");
    let mut proof: Vec<u64> = Vec::new();
    for id in found.iter().flat_map(|found| &found.proof) {
        if !proof.contains(id) {
            proof.push(*id);
        }
    }
    let at = transactions.iter().filter(|t| proof.contains(&t.id)).filter_map(|t| t.at).max();
    let anomalies = found.iter().map(|found| found.anomaly).collect();
    (Judgement::violated(sentence, proof, at), anomalies)
}

fn said(found: &Found) -> String {
    let mut text = found.anomaly.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{text}: of transactions, {}.", found.how)
}

/// What is wrong; and, if nothing was found, whether that is certain.
fn find(transactions: &[Transaction], budget: u64) -> (Vec<Found>, bool) {
    let written = Written::of(transactions);
    let strange = reads::strange(transactions, &written);
    if !strange.is_empty() {
        return (strange, true);
    }
    let mut graph = written.graph(transactions);
    let choices = written.choices();
    let order = match cycle(&graph) {
        Some(_) => Order::Circle,
        None => order::settle(&mut graph, &choices, budget),
    };
    match order {
        Order::Found => (Vec::new(), true),
        Order::Unknown => (Vec::new(), false),
        Order::Circle => (cycle(&graph).map(circle).into_iter().collect(), true),
        Order::None => (vec![unordered(transactions, budget)], true),
    }
}

fn circle((anomaly, cycle): (Anomaly, Vec<Step>)) -> Found {
    let says = |(from, because, edge, to): &Step| {
        let item = &edge.item;
        let what = match because {
            Because::Write => format!("{from} wrote item {item} before {to} did"),
            Because::Read => format!("{to} read what {from} wrote to item {item}"),
            Because::Anti => format!("{from} read item {item} before {to} changed it"),
        };
        let shown_by: Vec<String> = edge.shown_by.iter().map(u64::to_string).collect();
        match shown_by.as_slice() {
            [] => what,
            [one] => format!("{what}, as {one} shows"),
            [all @ .., last] => format!("{what}, as {} and {last} show", all.join(", ")),
        }
    };
    let how = cycle.iter().map(says).collect::<Vec<_>>().join("; ");
    let ends = cycle.iter().map(|step| step.0);
    let others = cycle.iter().flat_map(|step| step.2.shown_by.iter().copied());
    Found { anomaly, proof: ends.chain(others).collect(), how }
}

/// Transactions of which none can be left out without an order being found.
fn unordered(transactions: &[Transaction], budget: u64) -> Found {
    /// Of more, leaving out each in turn takes too long.
    const MOST: usize = 100;
    let anomaly = Anomaly::Unordered;
    let mut left = transactions.to_vec();
    for id in transactions.iter().map(|t| t.id).filter(|_| transactions.len() <= MOST) {
        let without: Vec<Transaction> = left.iter().filter(|t| t.id != id).cloned().collect();
        if find(&without, budget).0.iter().any(|found| found.anomaly == anomaly) {
            left = without;
        }
    }
    let proof: Vec<u64> = left.iter().map(|t| t.id).collect();
    let all = proof.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    Found { anomaly, proof, how: format!("{all} have no order that explains what they read") }
}

/// From whom, why, of which item, to whom.
type Step = (u64, Because, Edge, u64);

/// The worst cycle, and of those the shortest.
fn cycle(graph: &Graph) -> Option<(Anomaly, Vec<Step>)> {
    let graph = &tangle(graph);
    let kinds: [(Anomaly, Because, Because); 4] = [
        (Anomaly::G0, Because::Write, Because::Write),
        (Anomaly::G1c, Because::Read, Because::Read),
        (Anomaly::GSingle, Because::Anti, Because::Read),
        (Anomaly::G2, Because::Anti, Because::Anti),
    ];
    for (anomaly, first, rest) in kinds {
        let mut best: Option<Vec<Step>> = None;
        for (&from, next) in graph {
            for (&(to, because), edge) in next.iter().filter(|((_, b), _)| *b == first) {
                let Some(mut path) = path(graph, to, from, rest) else { continue };
                path.insert(0, (from, because, edge.clone(), to));
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

/// What is left of a graph without what nobody comes before, again and again: nothing, if there is
/// no circle.
fn tangle(graph: &Graph) -> Graph {
    let mut before: BTreeMap<u64, u32> = graph.keys().map(|id| (*id, 0)).collect();
    for (to, _) in graph.values().flat_map(BTreeMap::keys) {
        *before.entry(*to).or_default() += 1;
    }
    let mut free: Vec<u64> = before.iter().filter(|(_, n)| **n == 0).map(|(id, _)| *id).collect();
    let mut left = graph.clone();
    while let Some(id) = free.pop() {
        for (to, _) in left.remove(&id).unwrap_or_default().into_keys() {
            let count = before.entry(to).or_default();
            *count -= 1;
            if *count == 0 {
                free.push(to);
            }
        }
    }
    left
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
                path.push(step.clone());
                at = step.0;
            }
            path.reverse();
            return Some(path);
        }
        let next = graph.get(&here).into_iter().flatten();
        for (&(next, because), edge) in next.filter(|((_, because), _)| *because <= most) {
            if next != from && !came.contains_key(&next) {
                came.insert(next, (here, because, edge.clone(), next));
                todo.push_back(next);
            }
        }
    }
    None
}
