//! What was read, against what was written: what no order of transactions explains, and what
//! reading tells of their order.

use super::order::Choice;
use super::{Anomaly, Because, Edge, Found, Graph};
use crate::check::history::transaction::{Access, End, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// An item and a value of it.
type Version<'a> = (&'a str, i64);

/// Who wrote each value of each item, and who read it.
pub struct Written<'a> {
    /// The writer, and whether that was its last word on the item; without what was taken back.
    writer: BTreeMap<Version<'a>, (u64, bool)>,
    aborted: BTreeMap<Version<'a>, u64>,
    /// The longest list read of each item.
    lists: BTreeMap<&'a str, &'a [i64]>,
    /// Transactions that took effect: those that say so, and those of which somebody saw a value.
    certain: BTreeSet<u64>,
    /// By register: who wrote it, of those that took effect.
    writers: BTreeMap<&'a str, BTreeSet<u64>>,
    /// By register: who read it before writing it, if ever, and the value.
    readers: BTreeMap<&'a str, Vec<(u64, Option<i64>)>>,
}

impl<'a> Written<'a> {
    /// Of these.
    pub fn of(all: &'a [Transaction]) -> Written<'a> {
        let mut written = Written {
            writer: BTreeMap::new(),
            aborted: BTreeMap::new(),
            lists: BTreeMap::new(),
            certain: BTreeSet::new(),
            writers: BTreeMap::new(),
            readers: BTreeMap::new(),
        };
        for t in all {
            written.values_of(t);
        }
        for t in all.iter().filter(|t| t.end == End::Committed) {
            written.certain.insert(t.id);
            for (item, seen) in t.accesses.iter().filter_map(seen) {
                let writers = seen.iter().filter_map(|v| written.writer.get(&(item, *v)));
                written.certain.extend(writers.map(|(id, _)| *id));
            }
        }
        for t in all.iter().filter(|t| written.certain.contains(&t.id)) {
            let mut known = BTreeSet::new();
            for access in &t.accesses {
                match access {
                    Access::Write { item, .. } => {
                        known.insert(item);
                        written.writers.entry(item).or_default().insert(t.id);
                    }
                    Access::Read { item, value } if known.insert(item) => {
                        written.readers.entry(item).or_default().push((t.id, *value));
                    }
                    _ => {}
                }
            }
        }
        written
    }

    fn values_of(&mut self, t: &'a Transaction) {
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for access in &t.accesses {
            match access {
                Access::Append { item, value } | Access::Write { item, value } => {
                    if t.end == End::Aborted {
                        self.aborted.insert((item, *value), t.id);
                        continue;
                    }
                    if let Some(before) = last.insert(item, *value) {
                        self.writer.insert((item, before), (t.id, false));
                    }
                    self.writer.insert((item, *value), (t.id, true));
                }
                Access::List { item, values } => {
                    let longest = self.lists.entry(item).or_default();
                    if values.len() > longest.len() {
                        *longest = values;
                    }
                }
                Access::Read { .. } => {}
            }
        }
    }

    fn writer(&self, item: &str, value: i64) -> Option<u64> {
        self.writer.get(&(item, value)).map(|(id, _)| *id)
    }

    /// Which transactions come before which, as far as reading shows it without a doubt.
    pub fn graph(&self, all: &[Transaction]) -> Graph {
        let mut graph = Graph::new();
        let mut add = |from: u64, because, item: &str, to: u64| {
            if from != to {
                let edge = Edge { item: item.to_owned(), shown_by: BTreeSet::new() };
                graph.entry(from).or_default().entry((to, because)).or_insert(edge);
            }
        };
        // What comes right after each value of a list; none stands for the empty list.
        let mut after: BTreeMap<(&str, Option<i64>), BTreeSet<u64>> = BTreeMap::new();
        for (&item, &list) in &self.lists {
            let before = std::iter::once(None).chain(list.iter().copied().map(Some));
            for (before, next) in before.zip(list) {
                after.entry((item, before)).or_default().extend(self.writer(item, *next));
            }
        }
        // What was appended and is in no list that was read comes after all of them.
        for t in all.iter().filter(|t| self.certain.contains(&t.id)) {
            for access in &t.accesses {
                let Access::Append { item, value } = access else { continue };
                let list = self.lists.get(item.as_str()).copied().unwrap_or_default();
                if !list.contains(value) {
                    after.entry((item, list.last().copied())).or_default().insert(t.id);
                }
            }
        }
        for (&(item, before), next) in &after {
            let before = before.and_then(|before| self.writer(item, before));
            before
                .into_iter()
                .for_each(|b| next.iter().for_each(|n| add(b, Because::Write, item, *n)));
        }
        for t in all.iter().filter(|t| t.end == End::Committed) {
            for access in &t.accesses {
                let Access::List { item, values } = access else { continue };
                let last = values.last().copied();
                let from = last.and_then(|value| self.writer(item, value));
                from.into_iter().for_each(|from| add(from, Because::Read, item, t.id));
                let next = after.get(&(item.as_str(), last)).into_iter().flatten();
                next.for_each(|next| add(t.id, Because::Anti, item, *next));
            }
        }
        for (&item, readers) in &self.readers {
            let writers = self.writers.get(item);
            for &(reader, value) in readers {
                let Some(value) = value else {
                    // Whatever is written comes after the initial value.
                    let writers = writers.into_iter().flatten();
                    writers.for_each(|writer| add(reader, Because::Anti, item, *writer));
                    continue;
                };
                let Some(from) = self.writer(item, value) else { continue };
                add(from, Because::Read, item, reader);
                if writers.is_some_and(|writers| writers.contains(&reader)) {
                    add(from, Because::Write, item, reader);
                }
            }
        }
        graph
    }

    /// What is open about the order of those who wrote the same register.
    pub fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (&item, readers) in &self.readers {
            for &(reader, value) in readers {
                let Some(writer) = value.and_then(|value| self.writer(item, value)) else {
                    continue;
                };
                for &other in self.writers.get(item).into_iter().flatten() {
                    if writer != reader && other != writer && other != reader {
                        choices.push(Choice { item: item.to_owned(), writer, reader, other });
                    }
                }
            }
        }
        choices
    }
}

/// The values that an access saw.
fn seen(access: &Access) -> Option<(&str, &[i64])> {
    match access {
        Access::List { item, values } => Some((item, values)),
        Access::Read { item, value: Some(value) } => Some((item, std::slice::from_ref(value))),
        _ => None,
    }
}

/// Reads that nothing explains, one of each kind, the worst first.
pub fn strange(all: &[Transaction], written: &Written<'_>) -> Vec<Found> {
    let mut found: BTreeMap<Anomaly, Found> = BTreeMap::new();
    let mut add = |anomaly, proof, how| {
        found.entry(anomaly).or_insert(Found { anomaly, proof, how });
    };
    for t in all.iter().filter(|t| t.end == End::Committed) {
        let id = t.id;
        if let Some(how) = contradiction(t) {
            add(Anomaly::Internal, vec![id], how);
        }
        for (item, seen) in t.accesses.iter().filter_map(seen) {
            for (n, value) in seen.iter().enumerate() {
                let key = (item, *value);
                if seen[..n].contains(value) {
                    let how = format!("{id} read {value} twice in item {item}");
                    add(Anomaly::Duplicate, vec![id], how);
                }
                match (written.writer.get(&key), written.aborted.get(&key)) {
                    (Some(_), _) => {}
                    (None, Some(writer)) => {
                        let how =
                            format!("{id} read what {writer} wrote to item {item} and took back");
                        add(Anomaly::G1a, vec![*writer, id], how);
                    }
                    (None, None) => {
                        let how = format!("{id} read {value} in item {item}, which nobody wrote");
                        add(Anomaly::Garbage, vec![id], how);
                    }
                }
            }
            let last = seen.last().and_then(|value| written.writer.get(&(item, *value)));
            if let Some(&(writer, false)) = last.filter(|(writer, _)| *writer != id) {
                let how = format!("{id} read item {item} in the midst of {writer}");
                add(Anomaly::G1b, vec![writer, id], how);
            }
            let longest = written.lists.get(item).copied();
            if let Some(longest) = longest.filter(|longest| !longest.starts_with(seen)) {
                let other = reader_of(all, item, longest).unwrap_or(id);
                let how = format!("{id} and {other} read item {item} in different orders");
                add(Anomaly::Incompatible, vec![other, id], how);
            }
        }
    }
    found.into_values().collect()
}

fn reader_of(all: &[Transaction], item: &str, list: &[i64]) -> Option<u64> {
    let read = |access: &Access| match access {
        Access::List { item: other, values } => other == item && values == list,
        _ => false,
    };
    all.iter().find(|t| t.accesses.iter().any(read)).map(|t| t.id)
}

/// What a transaction knows of a list: how it ends, and whether that is all of it.
#[derive(Default)]
struct Known {
    end: Vec<i64>,
    is_whole: bool,
}

/// How a transaction contradicts itself: it reads other things than it read or wrote before.
fn contradiction(t: &Transaction) -> Option<String> {
    let id = t.id;
    let mut registers: BTreeMap<&str, Option<i64>> = BTreeMap::new();
    let mut lists: BTreeMap<&str, Known> = BTreeMap::new();
    for (n, access) in t.accesses.iter().enumerate() {
        if let Some((item, seen)) = seen(access) {
            let later = t.accesses[n..].iter().find_map(|later| match later {
                Access::Write { item: of, value } | Access::Append { item: of, value } => {
                    (of == item && seen.contains(value)).then_some(value)
                }
                _ => None,
            });
            if let Some(value) = later {
                return Some(format!("{id} read {value} in item {item} before it wrote it"));
            }
        }
        match access {
            Access::Write { item, value } => drop(registers.insert(item, Some(*value))),
            Access::Append { item, value } => lists.entry(item).or_default().end.push(*value),
            Access::Read { item, value } => {
                let before = *registers.entry(item).or_insert(*value);
                if before != *value {
                    let say = |v: Option<i64>| v.map_or("nothing".to_owned(), |v| v.to_string());
                    let (before, now) = (say(before), say(*value));
                    return Some(format!("{id} left {before} in item {item}, then read {now}"));
                }
            }
            Access::List { item, values } => {
                let known = lists.entry(item).or_default();
                let same = match known.is_whole {
                    true => *values == known.end,
                    false => values.ends_with(&known.end),
                };
                if !same {
                    let (before, now) = (&known.end, values);
                    let at_end = if known.is_whole { "in" } else { "at the end of" };
                    let left = format!("{id} left {before:?} {at_end} item {item}");
                    return Some(format!("{left}, then read {now:?}"));
                }
                *known = Known { end: values.clone(), is_whole: true };
            }
        }
    }
    None
}
