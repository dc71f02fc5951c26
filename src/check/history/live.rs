//! Linearizability judged while a history grows, at a cost that does not grow with it.
//!
//! For each item all states are carried along that it can be in after what has returned: Lowe's
//! (2017) just-in-time linearization. An operation that returns must have taken effect by then,
//! perhaps after others that overlap it; what cannot be so is dropped, and when nothing is left,
//! the history is not linearizable. The past is forgotten but for these states.
//!
//! A return is looked at when everything that was called before it has ended, for then is known
//! what came of those; or when too many wait, and then what is still open counts as unknown. That
//! allows more than is so, never less: a violation is one.

use super::linearizable::sentence;
use super::model::{Cell, Model};
use super::operation::{Action, Operation, Outcome, Output};
use super::recorder::{Event, in_words};
use super::shrink::shrink;
use crate::base::time::Time;
use crate::check::PROOFS;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// So many items are watched, the first ones.
const ITEMS: usize = 16_384;
/// So many returns of an item wait for operations in flight.
const WAITING: usize = 32;
/// So many operations of an item are kept to prove a violation with.
const RECENT: usize = 24;
/// So many operations of unknown end are kept of an item; with more it is watched no longer.
const LOST: usize = 4_096;
/// So many states are carried along, and so many steps are made for one return. Beyond, anything
/// is held possible.
const STATES: usize = 256;
const STEPS: u32 = 5_000;
/// Steps to make a proof small.
const SHRINK: u64 = 200_000;

/// A violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The operations that prove it.
    pub proof: Vec<u64>,
    /// When it was complete.
    pub at: Time,
    /// What is wrong, in plain words.
    pub sentence: String,
}

/// What is known of every item.
#[derive(Clone, Debug, Default)]
pub struct Live {
    // Items share nothing, so a clone copies only what it goes on to change.
    items: BTreeMap<i64, Arc<Item>>,
    /// Returns that were looked at.
    pub judged: u64,
    /// Returns that no order explains.
    pub violated: u64,
    /// Returns for which there were too many orders to try.
    pub given_up: u64,
    /// The first violation.
    pub first: Option<Violation>,
}

#[derive(Clone, Debug, Default)]
struct Item {
    states: Vec<Possible>,
    /// Called and not ended.
    open: BTreeMap<u64, Operation>,
    /// Returned and not looked at, in the order of their returns.
    ready: VecDeque<Operation>,
    /// Ended, and nobody knows how: each may take effect at any time.
    lost: Vec<Operation>,
    /// Open when the item was last given up on: they may have taken effect already.
    excused: BTreeSet<u64>,
    abandoned: bool,
    /// Looked at.
    recent: VecDeque<Operation>,
}

/// A state that an item can be in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Possible {
    value: Option<i64>,
    /// Those that took effect in it, of those that others need not have seen take effect.
    done: Vec<u64>,
    /// Who changed it last.
    by: Option<u64>,
}

enum Judged {
    Fine,
    Violated(Violation),
    GaveUp,
}

impl Live {
    /// How many items are watched.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Takes in what happened.
    pub fn fold(&mut self, event: &Event) {
        let (Event::Called(op) | Event::Ended(op)) = event;
        if self.items.len() >= ITEMS && !self.items.contains_key(&op.item) {
            return;
        }
        let item = Arc::make_mut(self.items.entry(op.item).or_default());
        if item.abandoned {
            return;
        }
        if let Event::Called(_) = event {
            item.open.insert(op.id, *op);
            return;
        }
        item.end(op);
        self.given_up += u64::from(item.abandoned);
        while let Some(next) = item.next() {
            self.judged += 1;
            match item.judge(&next) {
                Judged::Fine => {}
                Judged::GaveUp => self.given_up += 1,
                Judged::Violated(violation) => {
                    self.violated += 1;
                    self.first.get_or_insert(violation);
                }
            }
        }
    }
}

impl Item {
    fn end(&mut self, op: &Operation) {
        self.open.remove(&op.id);
        let excused = self.excused.remove(&op.id);
        if op.returned().is_some() && !excused {
            self.ready.push_back(*op);
        } else if op.may_have_happened() {
            self.lose(*op);
        }
        if self.lost.len() > LOST {
            *self = Item { abandoned: true, ..Item::default() };
        }
    }

    /// From now on nobody knows whether and when it takes effect.
    fn lose(&mut self, op: Operation) {
        let at = op.returned().unwrap_or(op.call);
        let outcome = match op.outcome {
            Outcome::Ok { .. } => Outcome::Unknown { at: Some(at) },
            other => other,
        };
        if !op.observes() {
            self.lost.push(Operation { outcome, ..op });
        }
    }

    /// The next return to look at: nothing that was called before it is open, or too many wait.
    fn next(&mut self) -> Option<Operation> {
        let at = self.ready.front()?.returned()?;
        let waits = self.open.values().any(|op| op.call <= at);
        if waits && self.ready.len() <= WAITING { None } else { self.ready.pop_front() }
    }

    /// From here on anything is possible. What is under way may have taken effect already, or not.
    fn start_over(&mut self) {
        for op in std::mem::take(&mut self.ready) {
            self.lose(op);
        }
        self.excused = self.open.keys().copied().collect();
        self.states.clear();
        self.recent.clear();
    }

    fn judge(&mut self, op: &Operation) -> Judged {
        if self.states.is_empty() {
            self.states.push(Possible::default());
        }
        let others = self.others(op);
        let mut steps = STEPS;
        let mut found: BTreeMap<(Option<i64>, Vec<u64>), Option<u64>> = BTreeMap::new();
        for state in &self.states {
            if !explain(state, op, &others, &mut steps, &mut found) {
                self.start_over();
                return Judged::GaveUp;
            }
        }
        if found.is_empty() {
            let violation = self.violation(op, &others);
            self.start_over();
            return Judged::Violated(violation);
        }
        let possible = |((value, done), by)| Possible { value, done, by };
        self.states = found.into_iter().map(possible).collect();
        self.settle();
        if self.states.len() > STATES {
            self.start_over();
            return Judged::GaveUp;
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(*op);
        Judged::Fine
    }

    /// Who else may have taken effect before `op` returned, and makes a difference by that: writes
    /// of unknown end that nobody expects to find do not.
    fn others(&self, op: &Operation) -> Vec<Operation> {
        let open = self.open.values().filter(|other| !other.observes());
        let all = self.ready.iter().chain(&self.lost).chain(open);
        let until = op.returned().unwrap_or(op.call);
        let mut others: Vec<Operation> = all.filter(|o| o.call <= until).copied().collect();
        let steps = Steps::of(op, &others);
        let expected: Vec<i64> = others.iter().chain([op]).filter_map(before).collect();
        // Whoever changes a set can make what is expected of what is not.
        let of_sets = others.iter().chain([op]).any(|other| other.action.on_set(0).is_some());
        others.retain(|other| match other.action {
            Action::Write(value) if other.returned().is_none() && !of_sets => {
                expected.iter().any(|&before| steps.lead(value, before))
            }
            _ => true,
        });
        others
    }

    /// Drops states that allow nothing which another does not, and forgets what all agree on.
    fn settle(&mut self) {
        let lost: BTreeSet<u64> = self.lost.iter().map(|op| op.id).collect();
        let all = std::mem::take(&mut self.states);
        let covers = |a: &Possible, b: &Possible| {
            a.value == b.value
                && a.done.len() < b.done.len()
                && a.done.iter().all(|id| b.done.contains(id))
                && b.done.iter().all(|id| a.done.contains(id) || lost.contains(id))
        };
        let kept = |state: &&Possible| !all.iter().any(|other| covers(other, state));
        self.states = all.iter().filter(kept).cloned().collect();
        let Some(first) = self.states.first() else { return };
        let mut agreed = first.done.clone();
        agreed.retain(|id| {
            lost.contains(id) && self.states.iter().all(|state| state.done.contains(id))
        });
        self.lost.retain(|op| !agreed.contains(&op.id));
        self.states.iter_mut().for_each(|state| state.done.retain(|id| !agreed.contains(id)));
    }

    fn violation(&self, op: &Operation, others: &[Operation]) -> Violation {
        let at = op.returned().unwrap_or(op.call);
        let known = others.iter().map(|other| other.as_known_at(at));
        let all: Vec<Operation> =
            self.recent.iter().copied().chain(known).chain(std::iter::once(*op)).collect();
        if let Some((proof, at)) = shrink(&Cell, &[None], &all, &mut SHRINK.clone()) {
            let ids = proof.iter().map(|op| op.id).collect();
            let proof: Vec<Operation> = proof.iter().map(in_words).collect();
            return Violation { proof: ids, at, sentence: sentence(&proof) };
        }
        // What came before is forgotten but for who changed the item last.
        let before: BTreeSet<u64> = self.states.iter().filter_map(|state| state.by).collect();
        let proof = before.into_iter().take(PROOFS - 1).chain([op.id]).collect();
        let (op, since) = (in_words(op), op.call);
        let (client, item) = (op.process, op.item);
        let sentence = format!(
            "Client {client} {op} on item {item}, asked at {since}: none of the values that it can \
             have held."
        );
        Violation { proof, at, sentence }
    }
}

/// All states in which `op` has taken effect, from one in which it may not have. False if there
/// are too many ways to get there.
fn explain(
    from: &Possible,
    op: &Operation,
    others: &[Operation],
    steps: &mut u32,
    found: &mut BTreeMap<(Option<i64>, Vec<u64>), Option<u64>>,
) -> bool {
    let mut seen: BTreeSet<(Option<i64>, Vec<u64>)> = BTreeSet::new();
    let mut todo = vec![from.clone()];
    let (expected, steps_of) = (before(op), Steps::of(op, others));
    // What overwrites, or changes a set, can lead anywhere.
    let leads_anywhere =
        |other: &Operation| other.value_written().is_some() || other.action.on_set(0).is_some();
    let overwritten = others.iter().any(leads_anywhere);
    while let Some(state) = todo.pop() {
        if !seen.insert((state.value, state.done.clone())) {
            continue;
        }
        if let Ok(place) = state.done.binary_search(&op.id) {
            let mut done = state.done;
            done.remove(place);
            found.entry((state.value, done)).or_insert(state.by);
            continue;
        }
        let is_out_of_reach = |(before, value)| !overwritten && !steps_of.lead(value, before);
        if expected.zip(state.value).is_some_and(is_out_of_reach) {
            continue;
        }
        let candidates = others.iter().chain([op]).filter(|other| !state.has(other.id));
        let mut next = Vec::new();
        for other in candidates.clone() {
            let Some(left) = steps.checked_sub(1) else { return false };
            *steps = left;
            let Some(value) = Cell.step(&state.value, other) else { continue };
            let is_lost = other.returned().is_none();
            let mut rest = candidates.clone();
            if is_lost && (value == state.value || rest.any(|earlier| is_the_same(earlier, other)))
            {
                continue;
            }
            let after = state.with(other, value);
            // What only observes and fits goes first, and nothing in its stead.
            if other.observes() && value == state.value {
                next = vec![after];
                break;
            }
            next.push(after);
        }
        todo.append(&mut next);
    }
    true
}

/// Of two lost operations that do the same it is the earlier one that took effect: whatever
/// explains a history with the later one does with the earlier one in its place.
fn is_the_same(earlier: &Operation, op: &Operation) -> bool {
    let are_lost =
        [earlier, op].iter().all(|o| matches!(o.outcome, Outcome::Unknown { at: Some(_) }));
    are_lost && earlier.action == op.action && (earlier.call, earlier.id) < (op.call, op.id)
}

/// The value that an operation must have found, if what it gave back tells.
fn before(op: &Operation) -> Option<i64> {
    match (op.action, op.output()) {
        (Action::Read, Some(Output::Value(value))) => value,
        (Action::Add(amount), Some(Output::Value(Some(v)))) => Some(v.saturating_sub(amount)),
        (Action::Charge(amount), Some(Output::Value(Some(v)))) => Some(v.saturating_add(amount)),
        (Action::CompareAndSet { from, .. }, Some(_)) => Some(from),
        _ => None,
    }
}

/// How far additions and charges can move a value.
struct Steps {
    up: i64,
    down: i64,
}

impl Steps {
    fn of(op: &Operation, others: &[Operation]) -> Steps {
        let mut steps = Steps { up: 0, down: 0 };
        for other in others.iter().chain([op]) {
            let by = match other.action {
                Action::Add(amount) => amount,
                Action::Charge(amount) => amount.saturating_neg(),
                _ => 0,
            };
            steps.up = steps.up.saturating_add(by.max(0));
            steps.down = steps.down.saturating_add(by.min(0));
        }
        steps
    }

    /// True if they can lead from one value to another.
    fn lead(&self, from: i64, to: i64) -> bool {
        (from.saturating_add(self.down)..=from.saturating_add(self.up)).contains(&to)
    }
}

impl Possible {
    fn has(&self, id: u64) -> bool {
        self.done.binary_search(&id).is_ok()
    }

    fn with(&self, op: &Operation, value: Option<i64>) -> Possible {
        let mut done = self.done.clone();
        if let Err(place) = done.binary_search(&op.id) {
            done.insert(place, op.id);
        }
        let by = if op.observes() { self.by } else { Some(op.id) };
        Possible { value, done, by }
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::{Found, search};
    use super::super::tests::{lost, read, write};
    use super::*;
    use proptest::prelude::*;

    /// What a recorder would tell of a history, in order.
    fn events(ops: &[Operation]) -> Vec<Event> {
        let mut events: Vec<(Time, bool, Event)> = Vec::new();
        for op in ops {
            let called = Operation { outcome: Outcome::Unknown { at: None }, ..*op };
            events.push((op.call, false, Event::Called(called)));
            let end = match op.outcome {
                Outcome::Ok { at, .. } | Outcome::Failed { at } => at,
                Outcome::Unknown { at } => at.unwrap_or(op.call),
            };
            events.push((end, true, Event::Ended(*op)));
        }
        events.sort_by_key(|&(at, ended, _)| (at, ended));
        events.into_iter().map(|(_, _, event)| event).collect()
    }

    fn judged(ops: &[Operation]) -> Live {
        let mut live = Live::default();
        events(ops).iter().for_each(|event| live.fold(event));
        live
    }

    #[test]
    fn a_stale_read_is_proved() {
        let mut ops: Vec<Operation> =
            (0..100).map(|n| write(n, n % 3, (n * 10, n * 10 + 9), n as i64)).collect();
        assert_eq!(judged(&ops).violated, 0);
        ops.push(read(100, 7, (1_000, 1_005), 98));
        let live = judged(&ops);
        let first = live.first.expect("a violation");
        assert_eq!((live.violated, first.at), (1, Time(1_005)));
        assert_eq!(first.proof, [98, 99, 100]);
        ops.pop();
        ops.push(read(100, 7, (1_000, 1_005), 3));
        let first = judged(&ops).first.expect("a violation");
        assert_eq!(first.proof, [99, 100], "the write is long forgotten");
    }

    #[test]
    fn what_nobody_knows_may_happen_later() {
        let unknown = lost(write(1, 1, (0, 0), 7));
        let before = write(2, 2, (1, 2), 8);
        let ops = [unknown, before, read(3, 2, (3, 4), 8), read(4, 2, (5, 6), 7)];
        assert_eq!(judged(&ops).violated, 0);
        let again = [&ops[..], &[read(5, 2, (7, 8), 8)]].concat();
        assert_eq!(judged(&again).violated, 1, "but once");
    }

    /// A run in which `processes` do one thing after the other to an item, each at some instant
    /// between its call and its return.
    fn run(draws: &[(u8, u64, u64, u64, u8)], processes: usize) -> Vec<Operation> {
        let mut free = vec![0; processes];
        let mut ops = Vec::new();
        for (n, &(what, wait, before, after, fate)) in (1u64..).zip(draws) {
            let process = n as usize % processes;
            let call = free[process] + wait;
            let (point, at) = (call + before, call + before + after);
            free[process] = at + 1;
            ops.push((point, what, fate, process as u64, n, (call, at)));
        }
        ops.sort_unstable();
        let mut value = 0;
        let mut whole = Vec::new();
        for (_, what, fate, process, n, times) in ops {
            let (action, output) = match what {
                0..4 => (Action::Read, Output::Value(Some(value))),
                4..6 => (Action::Write(n as i64), Output::Nothing),
                6 => (Action::Insert(0), Output::Value(Some(value | 1))),
                7 => (Action::Remove(0), Output::Nothing),
                _ => (Action::Add(2), Output::Value(Some(value + 2))),
            };
            value = match action {
                Action::Write(value) => value,
                Action::Add(_) => value + 2,
                action => action.on_set(value).unwrap_or(value),
            };
            let op = super::super::tests::op(n, process, times, action, output);
            let given_up = Outcome::Unknown { at: Some(Time(times.1)) };
            whole.push(if fate == 0 { Operation { outcome: given_up, ..op } } else { op });
        }
        whole
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn it_agrees_with_the_search(
            kinds in 4..10u8,
            draws in proptest::collection::vec(
                (0..10u8, 0..20u64, 0..20u64, 0..20u64, 0..12u8), 1..60),
            processes in 1..6usize,
            bend in (0..60usize, 0..6i64),
        ) {
            let draws: Vec<_> = draws.iter().map(|d| (d.0 % kinds, d.1, d.2, d.3, d.4)).collect();
            let mut ops = run(&draws, processes);
            let agrees = |ops: &[Operation]| {
                let live = judged(ops);
                let found = search(&Cell, &None, ops, &mut 1_000_000);
                let expected = match found {
                    Found::Order(_) => 0,
                    Found::Nothing => 1,
                    Found::GaveUp => return,
                };
                if live.given_up == 0 {
                    assert_eq!(live.violated.min(1), expected, "{ops:?}");
                } else {
                    assert!(live.violated.min(1) <= expected, "{ops:?}");
                }
            };
            agrees(&ops);
            let place = bend.0 % ops.len();
            let bent = &mut ops[place].outcome;
            if let Outcome::Ok { output: Output::Value(Some(value)), .. } = bent {
                *value += bend.1;
            }
            agrees(&ops);
        }

        /// Nobody is accused wrongly, however often it is given up.
        #[test]
        fn a_crowd_is_never_accused(
            kinds in 4..10u8,
            draws in proptest::collection::vec(
                (0..10u8, 0..20u64, 0..20u64, 0..20u64, 0..12u8), 300..301),
            processes in 8..24usize,
        ) {
            let draws: Vec<_> = draws.iter().map(|d| (d.0 % kinds, d.1, d.2, d.3, d.4)).collect();
            prop_assert_eq!(judged(&run(&draws, processes)).violated, 0);
        }

        #[test]
        fn five_at_a_time_are_no_trouble(
            draws in proptest::collection::vec(
                (0..6u8, 0..20u64, 0..20u64, 0..20u64, 1..2u8), 400..401),
            processes in 1..6usize,
        ) {
            let live = judged(&run(&draws, processes));
            prop_assert_eq!((live.judged, live.violated, live.given_up), (400, 0, 0));
        }
    }
}
