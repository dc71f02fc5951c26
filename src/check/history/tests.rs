//! Verdicts over small histories by hand and at random, against a checker that tries every order.

use super::linearizable::{self, BUDGET, parts};
use super::model::{Account, KeyValue, Model, Named, Queue, Register};
use super::operation::{Action, Operation, Outcome, Output};
use super::search::{Found, search};
use super::shrink::{shrink, without};
use crate::base::time::Time;
use crate::check::State;
use proptest::prelude::*;

/// An operation of a process on item 1 from one instant to another.
pub fn op(id: u64, process: u64, times: (u64, u64), action: Action, output: Output) -> Operation {
    let outcome = Outcome::Ok { at: Time(times.1), output, version: 0 };
    Operation { id, process, item: 1, call: Time(times.0), action, outcome }
}

pub fn read(id: u64, process: u64, times: (u64, u64), value: i64) -> Operation {
    op(id, process, times, Action::Read, Output::Value(Some(value)))
}

pub fn write(id: u64, process: u64, times: (u64, u64), value: i64) -> Operation {
    op(id, process, times, Action::Write(value), Output::Nothing)
}

/// The same operation if nobody knows what came of it.
pub fn lost(op: Operation) -> Operation {
    Operation { outcome: Outcome::Unknown { at: None }, ..op }
}

fn judged(ops: &[Operation], model: Named) -> super::Judgement {
    linearizable::check(ops, model, BUDGET)
}

#[test]
fn a_stale_read_is_proved_by_the_writes_around_it() {
    let ops = [
        write(1, 1, (0, 10), 7),
        read(2, 2, (11, 20), 7),
        write(3, 1, (21, 30), 8),
        read(4, 2, (31, 40), 8),
        read(5, 3, (41, 50), 7),
        read(6, 2, (51, 60), 8),
    ];
    let verdict = judged(&ops, Named::Register);
    assert_eq!((verdict.state, verdict.at), (State::Violated, Some(Time(50))));
    assert_eq!(verdict.proof, [1, 3, 5], "the read needs the write of its value");
    let says = "Client 3 read 7 on item 1, asked at 0.000s, though client 1 wrote 8 by 0.000s.";
    assert_eq!(verdict.sentence, says);
    assert_eq!(judged(&ops[..4], Named::Register).state, State::Holds);
}

#[test]
fn an_order_is_a_proof_that_it_holds() {
    let ops = [
        write(1, 1, (0, 100), 7),
        read(2, 2, (10, 20), 7),
        lost(write(3, 3, (15, 0), 8)),
        read(4, 2, (30, 40), 8),
        lost(write(5, 4, (15, 0), 9)),
    ];
    let verdict = judged(&ops, Named::Register);
    assert_eq!(verdict.state, State::Holds);
    let points = [(1, Time(0)), (2, Time(10)), (3, Time(15)), (4, Time(30))];
    assert_eq!(verdict.order, points, "the other write is not needed");
}

#[test]
fn what_failed_did_not_happen_and_what_is_unknown_may_have() {
    let failed = Operation { outcome: Outcome::Failed { at: Time(10) }, ..write(1, 1, (0, 0), 7) };
    let seen = read(2, 2, (20, 30), 7);
    assert_eq!(judged(&[failed, seen], Named::Register).state, State::Violated);
    let verdict = judged(&[failed, seen], Named::Register);
    assert_eq!(verdict.sentence, "Client 2 read 7 on item 1, a value that nobody had written.");
    let unknown = lost(write(1, 1, (0, 0), 7));
    assert_eq!(judged(&[unknown, seen], Named::Register).state, State::Holds);
    let early = read(3, 2, (0, 1), 7);
    let late = lost(write(1, 1, (2, 0), 7));
    assert_eq!(judged(&[late, early], Named::Register).state, State::Violated);
}

#[test]
fn operations_that_touch_in_time_overlap() {
    let touching = [write(1, 1, (0, 10), 7), op(2, 2, (10, 20), Action::Read, Output::Value(None))];
    assert_eq!(judged(&touching, Named::Register).state, State::Holds);
    let apart = [write(1, 1, (0, 9), 7), touching[1]];
    assert_eq!(judged(&apart, Named::Register).state, State::Violated);
}

#[test]
fn queues_give_in_the_order_they_took() {
    let put = |id, times, value| op(id, 1, times, Action::Enqueue(value), Output::Nothing);
    let take = |id, times, value| op(id, 2, times, Action::Dequeue, Output::Value(value));
    let good = [put(1, (0, 1), 5), put(2, (2, 3), 6), take(3, (4, 5), Some(5))];
    assert_eq!(judged(&good, Named::Queue).state, State::Holds);
    let bad = [
        put(1, (0, 1), 4),
        take(2, (2, 3), Some(4)),
        put(3, (4, 5), 5),
        put(4, (6, 7), 6),
        take(5, (8, 9), Some(6)),
    ];
    let verdict = judged(&bad, Named::Queue);
    assert_eq!((verdict.state, verdict.proof), (State::Violated, vec![3, 4, 5]));
    let empty = [put(1, (0, 1), 5), take(2, (2, 3), None)];
    assert_eq!(judged(&empty, Named::Queue).state, State::Violated);
    let twice = [put(1, (0, 1), 5), take(2, (2, 3), Some(5)), take(3, (4, 5), Some(5))];
    assert_eq!(judged(&twice, Named::Queue).state, State::Violated);
}

#[test]
fn counters_and_accounts_add_up() {
    let add = |id, times| op(id, 1, times, Action::Add(2), Output::Nothing);
    let good = [add(1, (0, 1)), lost(add(2, (0, 0))), read(3, 2, (5, 6), 4)];
    assert_eq!(judged(&good, Named::Counter).state, State::Holds);
    let bad = [add(1, (0, 1)), lost(add(2, (0, 0))), read(3, 2, (5, 6), 6)];
    assert_eq!(judged(&bad, Named::Counter).proof, [1, 2, 3]);
    let charge = |id, times, ok| op(id, 1, times, Action::Charge(6), Output::Matched(ok));
    let account = Named::Account(Account { opening: 10, floor: Some(0) });
    let good = [charge(1, (0, 9), false), charge(2, (0, 9), true), read(3, 2, (10, 11), 4)];
    assert_eq!(judged(&good, account).state, State::Holds);
    let bad = [charge(1, (0, 9), true), charge(2, (0, 9), true)];
    assert_eq!(judged(&bad, account).proof, [1, 2], "it is not overdrawn");
}

#[test]
fn a_transfer_ties_items_together() {
    let on = |item, op: Operation| Operation { item, ..op };
    let start = op(1, 1, (0, 1), Action::Write(10), Output::Nothing);
    let moved = op(2, 1, (2, 9), Action::Transfer { to: 2, amount: 4 }, Output::Nothing);
    let half = [start, moved, on(2, read(3, 2, (3, 4), 4)), read(4, 2, (5, 6), 10)];
    assert_eq!(parts(&half).len(), 1);
    let verdict = judged(&half, Named::KeyValue);
    assert_eq!((verdict.state, verdict.proof), (State::Violated, vec![1, 2, 3, 4]));
    let whole = [start, moved, on(2, read(3, 2, (3, 4), 0)), read(4, 2, (5, 6), 6)];
    assert_eq!(judged(&whole, Named::KeyValue).state, State::Holds);
    assert_eq!(parts(&[start, on(2, read(3, 2, (3, 4), 4))]).len(), 2);
}

#[test]
fn steps_are_bounded_and_giving_up_is_said() {
    // Writes of the same value that nobody knows the end of, and a read that none explains.
    let mut ops: Vec<Operation> =
        (0..40).map(|n| lost(op(n, n, (0, 0), Action::Add(1 << n), Output::Nothing))).collect();
    ops.push(op(99, 99, (5, 6), Action::Read, Output::Value(Some(-1))));
    let verdict = linearizable::check(&ops, Named::Counter, 10_000);
    assert_eq!(verdict.state, State::Unknown);
}

/// Tries every order of every subset that leaves out what never returned.
fn brute<M: Model>(model: &M, state: &M::State, ops: &[Operation]) -> bool {
    if ops.iter().all(|op| op.returned().is_none()) {
        return true;
    }
    (0..ops.len()).any(|at| {
        let first = &ops[at];
        let rest: Vec<Operation> = [&ops[..at], &ops[at + 1..]].concat();
        first.may_have_happened()
            && !rest.iter().any(|other| other.precedes(first))
            && model.step(state, first).is_some_and(|next| brute(model, &next, &rest))
    })
}

/// A run of a model one operation after the other, with intervals around the instants at which
/// they took effect: it is linearizable. Each draw is an action, how far the interval reaches to
/// either side, and whether the answer was lost.
fn sequential<M: Model>(
    model: &M,
    draws: &[(Action, u64, u64, u8)],
    answer: impl Fn(&M::State, Action) -> Output,
) -> Vec<Operation> {
    let mut state = model.init();
    let mut ops = Vec::new();
    for (n, &(action, before, after, fate)) in (0u64..).zip(draws) {
        let now = 100 + 10 * n;
        let whole = op(n, n, (now - before, now + after), action, answer(&state, action));
        let Some(next) = model.step(&state, &whole) else { panic!("{whole:?} in {state:?}") };
        state = next;
        ops.push(if fate == 0 { lost(whole) } else { whole });
    }
    ops
}

fn cell(state: &Option<i64>, action: Action) -> Output {
    match action {
        Action::Read => Output::Value(*state),
        Action::CompareAndSet { from, .. } => Output::Matched(*state == Some(from)),
        _ => Output::Nothing,
    }
}

fn front(state: &std::collections::VecDeque<i64>, action: Action) -> Output {
    match action {
        Action::Dequeue => Output::Value(state.front().copied()),
        _ => Output::Nothing,
    }
}

fn balance(state: &i64, action: Action) -> Output {
    match action {
        Action::Charge(amount) => Output::Matched(state - amount >= 0),
        Action::Read => Output::Value(Some(*state)),
        _ => Output::Nothing,
    }
}

fn members(state: &std::collections::BTreeMap<i64, i64>, action: Action) -> Output {
    match action {
        Action::Read => Output::Value(Some(state.get(&1).copied().unwrap_or(0))),
        _ => Output::Nothing,
    }
}

fn draws(actions: Vec<Action>, most: usize) -> impl Strategy<Value = Vec<(Action, u64, u64, u8)>> {
    let one = (proptest::sample::select(actions), 0..60u64, 0..60u64, 0..6u8);
    proptest::collection::vec(one, 1..most)
}

fn cells() -> Vec<Action> {
    let set = |from, to| Action::CompareAndSet { from, to };
    vec![Action::Read, Action::Read, Action::Write(1), Action::Write(2), set(1, 2), set(2, 3)]
}

fn queues() -> Vec<Action> {
    vec![Action::Enqueue(1), Action::Enqueue(2), Action::Dequeue, Action::Dequeue]
}

fn accounts() -> Vec<Action> {
    vec![Action::Read, Action::Add(2), Action::Charge(1), Action::Charge(3)]
}

fn sets() -> Vec<Action> {
    vec![Action::Read, Action::Insert(0), Action::Insert(1), Action::Remove(0)]
}

/// Holds the search against the checker that tries every order, and a proof against what it says
/// of itself.
fn agree<M: Model>(model: &M, ops: &[Operation]) {
    let found = search(model, &model.init(), ops, &mut BUDGET.clone());
    let expected = brute(model, &model.init(), ops);
    assert_eq!(matches!(found, Found::Order(_)), expected, "{ops:?}");
    if let Found::Order(order) = found {
        let order: Vec<Operation> = order.iter().map(|&at| ops[at]).collect();
        explains(model, &order, ops);
        return;
    }
    let shrunk = shrink(model, &[model.init()], ops, &mut BUDGET.clone());
    let Some((proof, at)) = shrunk else { panic!("no proof for {ops:?}") };
    assert!(!brute(model, &model.init(), &proof), "{proof:?}");
    assert!(proof.iter().all(|op| op.call <= at));
    for (n, op) in proof.iter().enumerate() {
        let rest = without(model, &proof, n, 1);
        assert!(brute(model, &model.init(), &rest), "{op:?} is not needed in {proof:?}");
    }
    // What is left out was left out soundly: with it the whole was wrong, too.
    let known: Vec<Operation> = ops.iter().map(|op| op.as_known_at(at)).collect();
    assert!(proof.iter().all(|op| known.contains(op)));
}

/// Every operation that returned is in the order, none before one that preceded it, and the model
/// can do them in that order.
fn explains<M: Model>(model: &M, order: &[Operation], ops: &[Operation]) {
    let mut state = model.init();
    for (n, op) in order.iter().enumerate() {
        assert!(!order[n..].iter().any(|later| later.precedes(op)), "{order:?}");
        state = model.step(&state, op).expect("the model can do it");
    }
    assert!(ops.iter().filter(|op| op.returned().is_some()).all(|op| order.contains(op)));
}

/// The same history with what one operation gave back changed.
fn bend(ops: &mut [Operation], which: usize, value: i64) {
    let at = which % ops.len();
    if let Outcome::Ok { output, .. } = &mut ops[at].outcome {
        *output = match *output {
            Output::Value(_) => Output::Value(Some(value)),
            Output::Matched(yes) => Output::Matched(!yes),
            Output::Nothing => Output::Nothing,
        };
    }
}

/// A write that nobody found explains why a compare-and-set found something else.
#[test]
fn a_write_that_nobody_read_can_be_seen_by_what_did_not_match() {
    let set = Action::CompareAndSet { from: 2, to: 3 };
    let ops = [
        write(1, 1, (0, 1), 2),
        read(2, 2, (2, 3), 2),
        lost(write(3, 3, (4, 5), 1)),
        op(4, 2, (6, 7), set, Output::Matched(false)),
    ];
    assert_eq!(judged(&ops, Named::CompareAndSet).state, State::Holds);
    assert_eq!(judged(&[ops[0], ops[1], ops[3]], Named::CompareAndSet).state, State::Violated);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_done_one_by_one_is_linearizable(
        cells in draws(cells(), 60),
        queues in draws(queues(), 30),
        accounts in draws(accounts(), 24),
        sets in draws(sets(), 30),
    ) {
        // The search may give up on one of very many; it may not say that there is no order.
        let wrong = |ops: &[Operation], model| judged(ops, model).state == State::Violated;
        let register = Register::default();
        let ops = sequential(&register, &cells, cell);
        prop_assert!(!wrong(&ops, Named::CompareAndSet));
        prop_assert!(!wrong(&sequential(&Queue, &queues, front), Named::Queue));
        let account = Account { opening: 3, floor: Some(0) };
        let ops = sequential(&account, &accounts, balance);
        prop_assert!(!wrong(&ops, Named::Account(account)));
        prop_assert!(!wrong(&sequential(&KeyValue, &sets, members), Named::Set));
    }

    #[test]
    fn it_agrees_with_trying_every_order(
        cells in draws(cells(), 8),
        queues in draws(queues(), 8),
        accounts in draws(accounts(), 8),
        sets in draws(sets(), 8),
        which in 0..7usize,
        value in 0..4i64,
    ) {
        let register = Register::default();
        let mut ops = sequential(&register, &cells, cell);
        agree(&register, &ops);
        bend(&mut ops, which, value);
        agree(&register, &ops);
        agree(&KeyValue, &ops.iter().map(|op| match op.value_read() {
            Some(None) => read(op.id, op.process, (op.call.0, op.returned().map_or(0, |t| t.0)), 0),
            _ => *op,
        }).collect::<Vec<_>>());
        let mut ops = sequential(&Queue, &queues, front);
        bend(&mut ops, which, value);
        agree(&Queue, &ops);
        let account = Account { opening: 3, floor: Some(0) };
        let mut ops = sequential(&account, &accounts, balance);
        bend(&mut ops, which, value);
        agree(&account, &ops);
        let mut ops = sequential(&KeyValue, &sets, members);
        bend(&mut ops, which, value);
        agree(&KeyValue, &ops);
    }

    /// If the whole can be explained, so can what is left when something goes with all that needs
    /// it: else a proof could be made by forgetting.
    #[test]
    fn forgetting_proves_nothing(
        cells in draws(cells(), 8),
        queues in draws(queues(), 8),
        accounts in draws(accounts(), 8),
        sets in draws(sets(), 8),
        from in 0..7usize,
        size in 1..3usize,
    ) {
        let register = Register::default();
        let ops = sequential(&register, &cells, cell);
        prop_assert!(brute(&register, &None, &without(&register, &ops, from, size)), "{:?}", ops);
        let ops = sequential(&Queue, &queues, front);
        prop_assert!(brute(&Queue, &Queue.init(), &without(&Queue, &ops, from, size)), "{:?}", ops);
        let account = Account { opening: 3, floor: Some(0) };
        let ops = sequential(&account, &accounts, balance);
        prop_assert!(brute(&account, &3, &without(&account, &ops, from, size)), "{:?}", ops);
        let ops = sequential(&KeyValue, &sets, members);
        let left = without(&KeyValue, &ops, from, size);
        prop_assert!(brute(&KeyValue, &KeyValue.init(), &left), "{:?}", ops);
    }
}
