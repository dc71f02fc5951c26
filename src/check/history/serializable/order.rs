//! In which order registers were written. Reading a register tells who wrote it, and not who did
//! before or after: of another writer is only known that it does not come in between. Such a choice
//! of two is settled when one of the two would close a circle (Papadimitriou 1979 calls what is
//! left a polygraph); where both are possible, each is tried.

use super::{Because, Edge, Graph, path};
use std::collections::{BTreeMap, BTreeSet};

/// So many steps, of 64 pairs of transactions each, are taken before the answer is unknown.
pub const BUDGET: u64 = 100_000_000;

/// Somebody read what a writer wrote: another writer of the same register came before the writer,
/// or after the reader.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The register.
    pub item: String,
    /// Who wrote what was read.
    pub writer: u64,
    /// Who read it.
    pub reader: u64,
    /// Who wrote the same register.
    pub other: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// There is an order that explains everything.
    Found,
    /// There is none: the graph has a circle now.
    Circle,
    /// There is none: both sides of some choice lead to circles.
    None,
    /// Too many steps.
    Unknown,
}

/// Adds what must be to a graph without circles, up to a circle if there is no other way.
pub fn settle(graph: &mut Graph, choices: &[Choice], budget: u64) -> Order {
    if is_scheduled(graph, choices) {
        return Order::Found;
    }
    let numbers = numbers(graph, choices);
    let size = numbers.len() as u64;
    let mut left = budget;
    // What comes after what takes memory that grows with the square.
    if size * size / 64 > budget / 8 {
        return Order::Unknown;
    }
    let number = |id: &u64| numbers.get(id).copied().unwrap_or(0);
    let mut reach = Reach::of(graph, &numbers, &mut left);
    let numbered = |c: &Choice| Numbered {
        writer: number(&c.writer),
        reader: number(&c.reader),
        other: number(&c.other),
    };
    let mut open: Vec<(usize, Numbered)> = choices.iter().map(numbered).enumerate().collect();
    let mut forced = |n: usize, side: Side| {
        if let Some(choice) = choices.get(n) {
            force(graph, choice, side);
        }
    };
    let known = reach.clone();
    match propagate(&known, &mut reach, &mut open, &mut left, &mut forced) {
        Ok(()) => search(&known, reach, open, &mut left),
        Err(order) => order,
    }
}

fn numbers(graph: &Graph, choices: &[Choice]) -> BTreeMap<u64, usize> {
    let ends =
        graph.iter().flat_map(|(from, to)| std::iter::once(*from).chain(to.keys().map(|k| k.0)));
    let others = choices.iter().flat_map(|c| [c.writer, c.reader, c.other]);
    let ids: BTreeSet<u64> = ends.chain(others).collect();
    ids.into_iter().zip(0..).collect()
}

/// Which of the two it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The other wrote before the writer.
    Before,
    /// The other wrote after the reader.
    After,
}

/// Adds to the graph what a choice comes to, with those who show it.
fn force(graph: &mut Graph, choice: &Choice, side: Side) {
    let (from, because, to, shown_by, way) = match side {
        Side::Before => {
            let way = path(graph, choice.other, choice.reader, Because::Anti);
            (choice.other, Because::Write, choice.writer, choice.reader, way)
        }
        Side::After => {
            let way = path(graph, choice.writer, choice.other, Because::Anti);
            (choice.reader, Because::Anti, choice.other, choice.writer, way)
        }
    };
    let mut all = BTreeSet::from([shown_by]);
    for (id, _, edge, next) in way.into_iter().flatten() {
        all.extend([id, next]);
        all.extend(edge.shown_by);
    }
    all.retain(|id| *id != from && *id != to);
    let edge = Edge { item: choice.item.clone(), shown_by: all };
    graph.entry(from).or_default().entry((to, because)).or_insert(edge);
}

#[derive(Clone, Copy)]
struct Numbered {
    writer: usize,
    reader: usize,
    other: usize,
}

/// Who comes after whom, by whatever way: a row of bits for each.
#[derive(Clone)]
struct Reach {
    width: usize,
    rows: Vec<u64>,
}

impl Reach {
    fn of(graph: &Graph, numbers: &BTreeMap<u64, usize>, left: &mut u64) -> Reach {
        let width = numbers.len().div_ceil(64);
        let mut reach = Reach { width, rows: vec![0; width * numbers.len()] };
        for (from, next) in graph {
            for (to, _) in next.keys() {
                if let (Some(from), Some(to)) = (numbers.get(from), numbers.get(to)) {
                    reach.add(*from, *to, left);
                }
            }
        }
        reach
    }

    fn has(&self, from: usize, to: usize) -> bool {
        let word = self.rows.get(from * self.width + to / 64).copied().unwrap_or(0);
        word >> (to % 64) & 1 == 1
    }

    /// Whoever comes before `from` comes before `to` and all after it.
    fn add(&mut self, from: usize, to: usize, left: &mut u64) {
        if self.has(from, to) {
            return;
        }
        let row = |n: usize| n * self.width..(n + 1) * self.width;
        let mut after = self.rows.get(row(to)).unwrap_or_default().to_vec();
        if let Some(word) = after.get_mut(to / 64) {
            *word |= 1 << (to % 64);
        }
        for n in 0..self.rows.len() / self.width.max(1) {
            if n == from || self.has(n, from) {
                *left = left.saturating_sub(self.width as u64);
                let words = self.rows.get_mut(row(n)).unwrap_or_default();
                words.iter_mut().zip(&after).for_each(|(word, more)| *word |= more);
            }
        }
        *left = left.saturating_sub(1);
    }
}

/// On which side the other must have been.
fn side(reach: &Reach, c: &Numbered) -> Option<Side> {
    if reach.has(c.writer, c.other) {
        Some(Side::After)
    } else {
        reach.has(c.other, c.reader).then_some(Side::Before)
    }
}

/// Settles what is settled by the rest, until nothing changes.
fn propagate(
    known: &Reach,
    reach: &mut Reach,
    open: &mut Vec<(usize, Numbered)>,
    left: &mut u64,
    forced: &mut dyn FnMut(usize, Side),
) -> Result<(), Order> {
    let mut circle = false;
    loop {
        let before = open.len();
        *left = left.saturating_sub(before as u64 / 8 + 1);
        if *left == 0 {
            return Err(Order::Unknown);
        }
        open.retain(|(n, c)| {
            if circle || reach.has(c.other, c.writer) || reach.has(c.reader, c.other) {
                return false;
            }
            // What was known from the beginning names a circle best.
            let Some(side) = side(known, c).or_else(|| side(reach, c)) else { return true };
            forced(*n, side);
            let (from, to) = match side {
                Side::Before => (c.other, c.writer),
                Side::After => (c.reader, c.other),
            };
            circle = reach.has(to, from);
            reach.add(from, to, left);
            false
        });
        if circle {
            return Err(Order::Circle);
        }
        if open.len() == before {
            return Ok(());
        }
    }
}

/// Tries both sides of what is still open.
fn search(known: &Reach, reach: Reach, open: Vec<(usize, Numbered)>, left: &mut u64) -> Order {
    let mut todo = vec![(reach, open)];
    while let Some((mut reach, mut open)) = todo.pop() {
        match propagate(known, &mut reach, &mut open, left, &mut |_, _| {}) {
            Err(Order::Unknown) => return Order::Unknown,
            Err(_) => continue,
            Ok(()) => {}
        }
        let Some((_, c)) = open.pop() else { return Order::Found };
        *left = left.saturating_sub(2 * reach.rows.len() as u64);
        let mut after = (reach.clone(), open.clone());
        after.0.add(c.reader, c.other, left);
        todo.push(after);
        reach.add(c.other, c.writer, left);
        todo.push((reach, open));
    }
    Order::None
}

/// Looks for an order without trying twice: true if one was found. A transaction may come next when
/// all before it have been, and nobody has yet to read what it overwrites.
fn is_scheduled(graph: &Graph, choices: &[Choice]) -> bool {
    let numbers = numbers(graph, choices);
    let mut before: BTreeMap<u64, u32> = numbers.keys().map(|id| (*id, 0)).collect();
    for (to, _) in graph.values().flat_map(BTreeMap::keys) {
        *before.entry(*to).or_default() += 1;
    }
    // Who has yet to read what somebody wrote, and who may not write until they have.
    let mut awaits: BTreeMap<u64, BTreeSet<(u64, u64)>> = BTreeMap::new();
    for c in choices {
        awaits.entry(c.other).or_default().insert((c.writer, c.reader));
    }
    let read: BTreeSet<u64> = choices.iter().map(|c| c.writer).collect();
    let mut done = BTreeSet::new();
    let mut ready: BTreeSet<(bool, u64)> = BTreeSet::new();
    let free = before.iter().filter(|(_, n)| **n == 0).map(|(id, _)| (read.contains(id), *id));
    ready.extend(free);
    loop {
        let may = |id: &u64| {
            let mut pairs = awaits.get(id).into_iter().flatten();
            !pairs.any(|(writer, reader)| done.contains(writer) && !done.contains(reader))
        };
        // What nobody reads stands in nobody's way: it comes first.
        let Some(&next) = ready.iter().find(|(_, id)| may(id)) else { break };
        ready.remove(&next);
        done.insert(next.1);
        for (to, _) in graph.get(&next.1).into_iter().flat_map(BTreeMap::keys) {
            let count = before.entry(*to).or_default();
            *count -= 1;
            if *count == 0 {
                ready.insert((read.contains(to), *to));
            }
        }
    }
    done.len() == numbers.len()
}
