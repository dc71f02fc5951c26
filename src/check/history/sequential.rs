//! Sequential consistency (Lamport 1979): all operations can be put into one order in which every
//! process does its own in the order in which it did them. What the clock says between two
//! processes does not count, so a stale read may be right, as long as everybody sees the same past.
//!
//! Unlike linearizability this cannot be judged item by item: two items can each be fine and both
//! together not.

use super::Judgement;
use super::linearizable::{self, sentence, unseen};
use super::model::{Cell, KeyValue, Model, Named, Queue, Register};
use super::operation::{Action, Operation, Output};
use super::search::{self, search};
use super::shrink::without;
use super::transcript::lanes;
use crate::base::order;
use crate::base::time::Time;
use crate::check::State;
use std::collections::{BTreeMap, BTreeSet};

/// Judges a history; at most `budget` steps are made, and as many again to make the proof small.
pub fn check(ops: &[Operation], budget: u64) -> Judgement {
    // What is right by the clock is right without it, and quicker to see.
    if let Some(model) = Named::guess(ops.iter().map(|op| op.action)) {
        let by_clock = linearizable::check(ops, model, budget);
        if by_clock.state == State::Holds {
            return by_clock;
        }
    }
    let known = |model: &dyn Fn(Action) -> bool| ops.iter().all(|op| model(op.action));
    if known(&|action| Queue.knows(action)) {
        return judge(&Items(Queue), ops, budget);
    }
    // Reads before the first write find nothing there; counters begin at zero.
    if known(&|action| Register::default().knows(action)) {
        return judge(&Items(Register::default()), ops, budget);
    }
    judge(&KeyValue, ops, budget)
}

/// Judges what clients did in a run so far, where items hold any number at first. At most about
/// `budget` steps are made, and some more to make the proof small.
pub fn of_run(ops: &[Operation], budget: u64) -> Judgement {
    let items: BTreeSet<i64> = ops.iter().map(|op| op.item).collect();
    let of_item = |item: i64| ops.iter().filter(move |op| op.item == item).copied();
    let unseen = unseen(ops);
    let mut left = budget;
    // What is right by the clock is right without it, and quicker to see: item by item.
    let by_clock = items.iter().all(|&item| {
        let seen = |op: &Operation| op.may_have_happened() && !unseen.contains(&op.id);
        let own: Vec<Operation> = of_item(item).filter(seen).collect();
        matches!(search(&Cell, &Cell.init(), &own, &mut left), search::Found::Order(_))
    });
    if by_clock {
        return Judgement::holds(format!("{} operations, right by the clock.", ops.len()));
    }
    // What is wrong is mostly wrong with one item, and quicker to see there.
    let model = Items(Cell);
    for item in items {
        let own: Vec<Operation> = of_item(item).collect();
        if let Found::Nothing = order(&model, &own, &mut (budget / 8)) {
            return judge(&model, &own, budget);
        }
    }
    judge(&model, ops, budget)
}

/// Many items, each of a kind.
struct Items<M>(M);

impl<M: Model> Model for Items<M> {
    type State = BTreeMap<i64, M::State>;

    fn init(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, op: &Operation) -> Option<Self::State> {
        let own = state.get(&op.item).cloned().unwrap_or_else(|| self.0.init());
        let next = self.0.step(&own, op)?;
        let mut after = state.clone();
        if next == self.0.init() {
            after.remove(&op.item);
        } else {
            after.insert(op.item, next);
        }
        Some(after)
    }

    fn knows(&self, action: Action) -> bool {
        self.0.knows(action)
    }

    fn needs(&self, op: &Operation, other: &Operation) -> bool {
        op.item == other.item && self.0.needs(op, other)
    }
}

fn judge<M: Model>(model: &M, ops: &[Operation], budget: u64) -> Judgement {
    let mut left = budget;
    match order(model, ops, &mut left) {
        Found::Order(order) => {
            let text = format!("{} operations, and an order that explains them all.", ops.len());
            let order = order.into_iter().map(|op| (op.id, op.call)).collect();
            Judgement { order, ..Judgement::holds(text) }
        }
        Found::GaveUp => {
            Judgement::unknown(format!("There are more orders than {budget} steps try."))
        }
        Found::Nothing => {
            let proof = smallest(model, ops, budget);
            let ids = proof.iter().map(|op| op.id).collect();
            let at = proof.iter().filter_map(Operation::returned).max();
            Judgement::violated(said(&proof), ids, at)
        }
    }
}

/// A proof in words.
pub(super) fn said(proof: &[Operation]) -> String {
    match proof {
        [_] => sentence(proof),
        _ => {
            let all: Vec<String> =
                proof.iter().map(|op| format!("client {} {op}", op.process)).collect();
            format!("No order of all that each client did explains it: {}.", all.join(", "))
        }
    }
}

enum Found {
    Order(Vec<Operation>),
    Nothing,
    GaveUp,
}

/// What each process has done so far.
type Places = Box<[u32]>;

/// Where the search stands, and what it has not tried there: whose next operation, and whether it
/// takes effect.
struct Branch<S> {
    length: usize,
    places: Places,
    state: S,
    choices: Vec<(usize, bool)>,
}

impl<S> Branch<S> {
    fn new(lines: &[Vec<Operation>], length: usize, places: Places, state: S) -> Branch<S> {
        let next = lines.iter().zip(&places).map(|(line, &place)| rest(line, place));
        let mut calls: Vec<(usize, &Operation)> =
            next.enumerate().filter_map(|(n, op)| Some((n, op?))).collect();
        // The earliest is tried first: most histories are nearly in the order of time.
        order::by_key(&mut calls, |(_, op)| std::cmp::Reverse(op.call));
        let choices = calls.into_iter().flat_map(|(n, op)| {
            // What nobody knows the end of may never have taken effect.
            let never = op.returned().is_none().then_some((n, false));
            never.into_iter().chain([(n, true)])
        });
        Branch { length, places, state, choices: choices.collect() }
    }
}

/// Depth first, remembering where it has been: how far each process is, and the state.
fn order<M: Model>(model: &M, ops: &[Operation], left: &mut u64) -> Found {
    let mut by_process: BTreeMap<(u64, (bool, u32)), Vec<Operation>> = BTreeMap::new();
    let unseen = unseen(ops);
    let seen = |op: &&Operation| op.may_have_happened() && !unseen.contains(&op.id);
    let mut own: Vec<Operation> = ops.iter().filter(seen).copied().collect();
    order::by_key(&mut own, |op| (op.call, op.returned().unwrap_or(Time::NEVER)));
    // What a process has under way at once has no order of its own, and what nobody knows the end
    // of may happen at any time after its call.
    for (n, (op, lane)) in (0..).zip(own.iter().zip(lanes(&own))) {
        let lane = op.returned().map_or((true, n), |_| (false, lane));
        by_process.entry((op.process, lane)).or_default().push(*op);
    }
    let lines: Vec<Vec<Operation>> = by_process.into_values().collect();
    let values = Values::of(&lines);
    let is_over = |places: &Places| {
        lines.iter().zip(places).all(|(line, &place)| rest(line, place).is_none())
    };
    let (mut places, state): (Places, _) = (lines.iter().map(|_| 0).collect(), model.init());
    let mut order: Vec<Operation> = Vec::new();
    observe(model, &lines, &mut places, &state, &mut order, left);
    if is_over(&places) {
        return Found::Order(order);
    }
    let mut seen: BTreeSet<(Places, M::State)> = BTreeSet::new();
    let mut branches = vec![Branch::new(&lines, order.len(), places, state)];
    while let Some(branch) = branches.last_mut() {
        let Some((n, happens)) = branch.choices.pop() else {
            branches.pop();
            continue;
        };
        if *left == 0 {
            return Found::GaveUp;
        }
        *left -= 1;
        order.truncate(branch.length);
        let mut places = branch.places.clone();
        let Some(op) = rest(&lines[n], places[n]).copied() else { continue };
        places[n] += 1;
        let mut state = branch.state.clone();
        if happens {
            let Some(after) = model.step(&state, &op) else { continue };
            state = after;
            order.push(op);
        }
        observe(model, &lines, &mut places, &state, &mut order, left);
        if is_over(&places) {
            return Found::Order(order);
        }
        let lost = happens && values.are_lost(&op, &places);
        if !lost && seen.insert((places.clone(), state.clone())) {
            branches.push(Branch::new(&lines, order.len(), places, state));
        }
    }
    Found::Nothing
}

/// A place in the lines of all processes.
type Place = (usize, u32);

/// Who expects to find a value, and who writes it.
#[derive(Default)]
struct Users {
    expected: Vec<Place>,
    written: Vec<Place>,
}

/// The users of each value of each item that is only read and overwritten.
#[derive(Default)]
struct Values(BTreeMap<(i64, Option<i64>), Users>);

impl Values {
    fn of(lines: &[Vec<Operation>]) -> Values {
        let mut values = Values::default();
        let mut mixed: BTreeSet<i64> = BTreeSet::new();
        for (n, line) in lines.iter().enumerate() {
            for (op, place) in line.iter().zip(0u32..) {
                let found = match (op.action, op.output()) {
                    (_, None | Some(Output::Matched(false))) => None,
                    (Action::Read, Some(Output::Value(value))) => Some(value),
                    (Action::CompareAndSet { from, .. }, _) => Some(Some(from)),
                    _ => None,
                };
                if let Some(found) = found {
                    values.0.entry((op.item, found)).or_default().expected.push((n, place));
                }
                if let Some(written) = op.value_written() {
                    values.0.entry((op.item, Some(written))).or_default().written.push((n, place));
                }
                if let Action::Transfer { to, .. } = op.action {
                    mixed.insert(to);
                }
                if !Register::default().knows(op.action) {
                    mixed.insert(op.item);
                }
            }
        }
        values.0.retain(|(item, _), _| !mixed.contains(item));
        values
    }

    /// True if somebody expects a value that `op` has just replaced, and nobody writes it again.
    fn are_lost(&self, op: &Operation, places: &Places) -> bool {
        // What became of a condition that nobody heard of is not known.
        let is_sure = op.returned().is_some() || matches!(op.action, Action::Write(_));
        let written = op.value_written().filter(|_| is_sure);
        let Some(written) = written else { return false };
        let waits = |list: &[Place]| list.iter().any(|&(n, place)| places[n] <= place);
        let own = (op.item, None)..=(op.item, Some(i64::MAX));
        self.0.range(own).any(|((_, value), users)| {
            *value != Some(written) && waits(&users.expected) && !waits(&users.written)
        })
    }
}

fn rest(line: &[Operation], place: u32) -> Option<&Operation> {
    line.get(place as usize)
}

/// What fits and changes nothing is as well done now as ever.
fn observe<M: Model>(
    model: &M,
    lines: &[Vec<Operation>],
    places: &mut Places,
    state: &M::State,
    order: &mut Vec<Operation>,
    left: &mut u64,
) {
    for (line, place) in lines.iter().zip(places.iter_mut()) {
        while let Some(op) = rest(line, *place).filter(|op| op.observes()) {
            *left = left.saturating_sub(1);
            if model.step(state, op).as_ref() != Some(state) {
                break;
            }
            order.push(*op);
            *place += 1;
        }
    }
}

/// Takes away what is not needed for the proof.
fn smallest<M: Model>(model: &M, ops: &[Operation], mut left: u64) -> Vec<Operation> {
    let mut kept = ops.to_vec();
    let mut size = kept.len() / 2;
    while size > 0 {
        let (mut any, mut from) = (false, 0);
        while from < kept.len() {
            let rest = without(model, &kept, from, size);
            let fails = matches!(order(model, &rest, &mut left), Found::Nothing);
            if rest.len() < kept.len() && fails {
                (kept, any) = (rest, true);
            } else {
                from += size;
            }
        }
        if size > 1 || !any {
            size /= 2;
        }
    }
    order::by_key(&mut kept, |op| (op.call, op.id));
    kept
}

#[cfg(test)]
mod tests {
    use super::super::operation::Output;
    use super::super::tests::{lost, op, read, write};
    use super::*;
    use proptest::prelude::*;

    const BUDGET: u64 = 1_000_000;

    fn on(item: i64, op: Operation) -> Operation {
        Operation { item, ..op }
    }

    #[test]
    fn a_stale_read_is_fine_and_two_pasts_are_not() {
        let stale = [write(1, 1, (0, 10), 7), write(2, 1, (20, 30), 8), read(3, 2, (40, 50), 7)];
        assert_eq!(check(&stale, BUDGET).state, State::Holds);
        let by_time = linearizable::check(&stale, Named::Register, BUDGET);
        assert_eq!(by_time.state, State::Violated);
        let back = [stale[0], stale[1], read(3, 2, (40, 50), 8), read(4, 2, (60, 70), 7)];
        let verdict = check(&back, BUDGET);
        assert_eq!((verdict.state, verdict.at), (State::Violated, Some(Time(70))));
        assert_eq!(verdict.proof, [1, 2, 3, 4]);
        let says = "No order of all that each client did explains it: client 1 wrote 7, client 1 \
                    wrote 8, client 2 read 8, client 2 read 7.";
        assert_eq!(verdict.sentence, says);
    }

    #[test]
    fn what_a_process_has_under_way_at_once_has_no_order_of_its_own() {
        // Not right by the clock, for the last read is stale.
        let (first, stale) = (write(1, 1, (0, 10), 7), read(9, 2, (70, 80), 7));
        let overlapping = [first, write(2, 1, (20, 60), 8), read(3, 1, (30, 40), 7), stale];
        assert_eq!(of_run(&overlapping, BUDGET).state, State::Holds);
        let unknown = lost(write(2, 1, (20, 25), 8));
        let late = [first, unknown, read(3, 1, (30, 40), 7), read(4, 1, (50, 60), 8), stale];
        assert_eq!(of_run(&late, BUDGET).state, State::Holds);
        let known = [first, write(2, 1, (20, 25), 8), read(3, 1, (30, 40), 7), stale];
        assert_eq!(of_run(&known, BUDGET).state, State::Violated);
    }

    /// Herlihy and Wing, section 3.3: each item is sequentially consistent, both together are not.
    #[test]
    fn items_cannot_be_judged_one_by_one() {
        let (x, y) = (1, 2);
        let ops = [
            on(x, write(1, 1, (0, 1), 5)),
            on(y, write(2, 2, (0, 1), 6)),
            on(y, op(3, 1, (2, 3), Action::Read, Output::Value(None))),
            on(x, op(4, 2, (2, 3), Action::Read, Output::Value(None))),
        ];
        assert_eq!(check(&ops, BUDGET).state, State::Violated);
        for item in [x, y] {
            let own: Vec<_> = ops.iter().filter(|op| op.item == item).copied().collect();
            assert_eq!(check(&own, BUDGET).state, State::Holds);
        }
    }

    #[test]
    fn what_is_unknown_may_have_happened_or_not() {
        let perhaps = lost(write(1, 1, (0, 0), 7));
        assert_eq!(check(&[perhaps, read(2, 2, (5, 6), 7)], BUDGET).state, State::Holds);
        let nothing = op(2, 2, (5, 6), Action::Read, Output::Value(None));
        assert_eq!(check(&[perhaps, nothing], BUDGET).state, State::Holds);
        assert_eq!(check(&[read(2, 2, (5, 6), 7)], BUDGET).state, State::Violated);
        assert_eq!(check(&[read(2, 2, (5, 6), 7), perhaps], 0).state, State::Unknown);
    }

    /// Every order that keeps those of the processes.
    fn tries_all(lines: &[Vec<Operation>], places: &[usize], held: &BTreeMap<i64, i64>) -> bool {
        let over = |(line, &place): (&Vec<Operation>, &usize)| place == line.len();
        lines.iter().zip(places).all(over)
            || (0..lines.len()).any(|n| {
                let Some(op) = lines[n].get(places[n]) else { return false };
                let mut held = held.clone();
                let fits = match op.value_written() {
                    Some(value) => {
                        held.insert(op.item, value);
                        true
                    }
                    None => op.value_read() == Some(held.get(&op.item).copied()),
                };
                let mut places = places.to_vec();
                places[n] += 1;
                fits && tries_all(lines, &places, &held)
            })
    }

    proptest! {
        #[test]
        fn agrees_with_every_order(
            drawn in prop::collection::vec((0..3_u64, 0..2_i64, 0..5_i64), 1..9),
        ) {
            let one = |(n, (process, item, what)): (u64, (u64, i64, i64))| {
                let times = (n * 2, n * 2 + 1);
                on(item, match what {
                    0 => op(n, process, times, Action::Read, Output::Value(None)),
                    1 | 2 => read(n, process, times, what),
                    _ => write(n, process, times, what - 2),
                })
            };
            let ops: Vec<Operation> = (0..).zip(drawn).map(one).collect();
            let own = |process| ops.iter().filter(|op| op.process == process).copied().collect();
            let lines: Vec<Vec<Operation>> = (0..3).map(own).collect();
            let all = tries_all(&lines, &[0; 3], &BTreeMap::new());
            let expected = if all { State::Holds } else { State::Violated };
            prop_assert_eq!(check(&ops, BUDGET).state, expected);
        }
    }
}
