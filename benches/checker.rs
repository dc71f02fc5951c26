//! How fast histories are judged: `cargo bench --bench checker`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use netsplit::base::random::Stream;
use netsplit::base::time::Time;
use netsplit::check::State;
use netsplit::check::history::linearizable::{BUDGET, check};
use netsplit::check::history::live::Live;
use netsplit::check::history::model::Named;
use netsplit::check::history::operation::{Action, Operation, Outcome, Output};
use netsplit::check::history::recorder::Event;
use netsplit::conform;
use netsplit::conform::linearizable::{Recorded, recorded};
use std::fmt;

fn main() {
    divan::main();
}

/// So many operations by so many clients on one item, half of them reads, each at an instant
/// between its call and its return: linearizable.
fn history(length: u64, clients: u64) -> Vec<Operation> {
    let mut stream = Stream::new(1, "bench", 0);
    let mut draw = |most: u64| (stream.unit() * most as f64) as u64;
    let mut free = vec![0; clients as usize];
    let mut points = Vec::new();
    for id in 0..length {
        let process = id % clients;
        let free = &mut free[process as usize];
        let call = *free + draw(50);
        let point = call + draw(100);
        let at = point + draw(100);
        *free = at + 1;
        points.push((point, id, process, call, at, draw(2) == 0));
    }
    points.sort_unstable();
    let mut value = 0;
    let operation = |&(_, id, process, call, at, writes): &(u64, u64, u64, u64, u64, bool)| {
        if writes {
            value = id as i64;
        }
        let (action, output) = match writes {
            true => (Action::Write(value), Output::Nothing),
            false => (Action::Read, Output::Value(Some(value))),
        };
        let outcome = Outcome::Ok { at: Time(at), output, version: 0 };
        Operation { id, process, item: 1, call: Time(call), action, outcome }
    };
    let mut ops: Vec<Operation> = points.iter().map(operation).collect();
    ops.sort_by_key(|op| op.call);
    // The value that was there before the first write is nothing.
    ops.insert(0, Operation { id: length, process: clients, call: Time(0), ..initial() });
    ops
}

/// What makes the item zero before anybody asks.
fn initial() -> Operation {
    let outcome = Outcome::Ok { at: Time(0), output: Output::Nothing, version: 0 };
    let (action, call) = (Action::Write(0), Time(0));
    Operation { id: 0, process: 0, item: 1, call, action, outcome }
}

const SIZES: [(u64, u64); 7] =
    [(100, 5), (1_000, 2), (1_000, 5), (1_000, 10), (1_000, 20), (10_000, 2), (10_000, 10)];

/// Operations per second of the search, by length and clients. Of 10,000 operations by 20 clients
/// on one item there are more orders than the usual number of steps tries.
#[divan::bench(args = SIZES, sample_count = 20)]
fn search(bencher: Bencher, (length, clients): (u64, u64)) {
    let ops = history(length, clients);
    bencher.counter(ItemsCount::new(length)).bench(|| {
        let verdict = check(black_box(&ops), Named::Register, BUDGET);
        assert_eq!(verdict.state, State::Holds, "{}", verdict.sentence);
    });
}

/// The same when the last read is stale, with the smallest proof.
#[divan::bench(args = [(100, 5), (1_000, 2), (1_000, 5)])]
fn prove(bencher: Bencher, (length, clients): (u64, u64)) {
    let mut ops = history(length, clients);
    let after = ops.iter().filter_map(Operation::returned).max().unwrap_or_default();
    let (call, at) = (Time(after.0 + 10), Time(after.0 + 20));
    let outcome = Outcome::Ok { at, output: Output::Value(Some(0)), version: 0 };
    ops.push(Operation { id: length + 1, call, action: Action::Read, outcome, ..initial() });
    bencher.counter(ItemsCount::new(length)).bench(|| {
        let verdict = check(black_box(&ops), Named::Register, BUDGET);
        assert_eq!(verdict.state, State::Violated, "{}", verdict.sentence);
    });
}

/// Operations per second of the verdict that is kept up as a run goes.
#[divan::bench(args = [(10_000, 2), (10_000, 5), (10_000, 10), (10_000, 20)], sample_count = 20)]
fn live(bencher: Bencher, (length, clients): (u64, u64)) {
    let mut events: Vec<(Time, bool, Event)> = Vec::new();
    for op in history(length, clients) {
        let called = Operation { outcome: Outcome::Unknown { at: None }, ..op };
        events.push((op.call, false, Event::Called(called)));
        events.extend(op.returned().map(|at| (at, true, Event::Ended(op))));
    }
    events.sort_by_key(|&(at, ended, _)| (at, ended));
    bencher.counter(ItemsCount::new(length)).bench(|| {
        let mut live = Live::default();
        events.iter().for_each(|(_, _, event)| live.fold(black_box(event)));
        assert_eq!(live.violated, 0);
    });
}

/// The histories with known verdicts.
const KNOWN: &str = include_str!("../tests/cases/linearizability_histories.json");

/// All 80 of them and reading their file.
#[divan::bench]
fn known_verdicts(bencher: Bencher) {
    let files = [("histories".to_owned(), KNOWN.to_owned())];
    bencher.counter(ItemsCount::new(80_u32)).bench(|| {
        let report = conform::run(black_box(&files));
        assert_eq!((report.passed, report.failed), (80, 0), "{report}");
    });
}

/// A history with its name.
struct History(Recorded);

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.id)
    }
}

fn known() -> Vec<History> {
    let known = recorded(KNOWN).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(known.len(), 80);
    known.into_iter().map(History).collect()
}

/// Each of them: operations per second of the search alone.
#[divan::bench(args = known(), sample_count = 20)]
fn known_verdict(bencher: Bencher, known: &History) {
    let History(history) = known;
    let expected = if history.linearizable { State::Holds } else { State::Violated };
    bencher.counter(ItemsCount::new(history.ops.len())).bench(|| {
        let verdict = check(black_box(&history.ops), Named::CompareAndSet, BUDGET);
        assert_eq!(verdict.state, expected, "{}: {}", history.id, verdict.sentence);
    });
}
