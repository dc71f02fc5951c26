use super::*;
use crate::check::State;
use crate::check::history::transaction::{Access, End, read};
use proptest::prelude::*;

/// A history of transactions, one a line: `ok`, `fail` or `info`, then their steps.
fn history(lines: &[(&str, &str)]) -> String {
    let event = |(n, (kind, steps)): (usize, &(&str, &str))| {
        let event = |kind| format!("{{:process {n}, :type :{kind}, :f :txn, :value [{steps}]}}\n");
        event("invoke") + &event(kind)
    };
    lines.iter().enumerate().map(event).collect()
}

fn judged(lines: &[(&str, &str)]) -> (Judgement, Vec<Anomaly>) {
    let (transactions, _) = read(&history(lines)).unwrap_or_else(|problems| panic!("{problems}"));
    check(&transactions)
}

fn proves(lines: &[(&str, &str)], anomaly: Anomaly, proof: &[u64]) {
    let (judgement, found) = judged(lines);
    let expected = (vec![anomaly], proof, State::Violated);
    assert_eq!((found, judgement.proof.as_slice(), judgement.state), expected, "{lines:?}");
}

fn holds(lines: &[(&str, &str)]) {
    let (judgement, found) = judged(lines);
    assert_eq!((found, judgement.state), (vec![], State::Holds), "{}", judgement.sentence);
}

#[test]
fn what_was_read_must_have_been_written() {
    holds(&[("ok", "[:append 1 1]"), ("ok", "[:r 1 [1]] [:append 1 2]")]);
    holds(&[("info", "[:w 1 5] [:w 2 5]"), ("ok", "[:r 1 5] [:r 2 5]")]);
    proves(&[("fail", "[:append 1 1]"), ("ok", "[:r 1 [1]]")], Anomaly::G1a, &[0, 1]);
    proves(&[("fail", "[:w 1 1]"), ("ok", "[:r 1 1]")], Anomaly::G1a, &[0, 1]);
    proves(&[("ok", "[:append 1 1] [:append 1 2]"), ("ok", "[:r 1 [1]]")], Anomaly::G1b, &[0, 1]);
    proves(&[("info", "[:w 1 1] [:w 1 2]"), ("ok", "[:r 1 1]")], Anomaly::G1b, &[0, 1]);
    proves(&[("ok", "[:r 1 [7]]")], Anomaly::Garbage, &[0]);
    proves(&[("ok", "[:w 1 1]"), ("ok", "[:r 1 99]")], Anomaly::Garbage, &[1]);
    proves(&[("ok", "[:append 1 1]"), ("ok", "[:r 1 [1 1]]")], Anomaly::Duplicate, &[1]);
    let two = [("ok", "[:append 1 1]"), ("ok", "[:append 1 2]")];
    let reads = [("ok", "[:r 1 [1]]"), ("ok", "[:r 1 [2]]")];
    proves(&[two, reads].concat(), Anomaly::Incompatible, &[2, 3]);
}

#[test]
fn a_transaction_sees_what_it_did_itself() {
    holds(&[("ok", "[:append 1 1] [:r 1 [1]] [:append 1 2] [:r 1 [1 2]]")]);
    holds(&[("ok", "[:append 1 1]"), ("ok", "[:append 1 2] [:r 1 [1 2]]")]);
    holds(&[("ok", "[:r 1 nil] [:w 1 5] [:r 1 5] [:w 1 6] [:r 1 6]")]);
    proves(&[("ok", "[:append 1 1] [:r 1 []]")], Anomaly::Internal, &[0]);
    proves(&[("ok", "[:w 1 5] [:r 1 4]"), ("ok", "[:w 1 4]")], Anomaly::Internal, &[0]);
    proves(&[("ok", "[:r 1 nil] [:r 1 4]"), ("ok", "[:w 1 4]")], Anomaly::Internal, &[0]);
    let after = [("ok", "[:append 1 1] [:r 1 [1 2]]"), ("ok", "[:append 1 2]")];
    proves(&after, Anomaly::Internal, &[0]);
    let (judgement, _) = judged(&[("ok", "[:w x 5] [:r x 4]"), ("ok", "[:w x 4]")]);
    let says = "Contradiction within a transaction (internal): of transactions, 0 left 5 in item \
                x, then read 4.";
    assert_eq!(judgement.sentence, says);
}

#[test]
fn everything_that_is_wrong_with_reads_is_named() {
    let (judgement, found) = judged(&[
        ("fail", "[:append 1 1]"),
        ("ok", "[:r 1 [1]] [:r 2 [7]]"),
        ("ok", "[:append 3 1] [:r 3 []]"),
    ]);
    assert_eq!(found, [Anomaly::Internal, Anomaly::Garbage, Anomaly::G1a]);
    assert_eq!(judgement.proof, [2, 1, 0]);
}

#[test]
fn each_circle_is_named_and_proved() {
    let interleaved = [
        ("ok", "[:append 1 1] [:append 2 1]"),
        ("ok", "[:append 1 2] [:append 2 2]"),
        ("ok", "[:r 1 [1 2]] [:r 2 [2 1]]"),
    ];
    proves(&interleaved, Anomaly::G0, &[0, 1]);
    let flow = [("ok", "[:append 1 1] [:r 2 [1]]"), ("ok", "[:append 2 1] [:r 1 [1]]")];
    proves(&flow, Anomaly::G1c, &[0, 1]);
    let skew = [("ok", "[:append 1 1] [:append 2 1]"), ("ok", "[:r 1 [1]] [:r 2 []]")];
    proves(&skew, Anomaly::GSingle, &[1, 0]);
    let write_skew = [
        ("ok", "[:r 1 []] [:append 2 1]"),
        ("ok", "[:r 2 []] [:append 1 1]"),
        ("ok", "[:r 1 [1]] [:r 2 [1]]"),
    ];
    proves(&write_skew, Anomaly::G2, &[0, 1]);
    proves(&[("ok", "[:r 1 nil] [:w 1 1]"), ("ok", "[:r 1 nil] [:w 1 2]")], Anomaly::G2, &[0, 1]);
    let says = "Read skew (G-single): of transactions, 1 read item 2 before 0 changed it; \
                1 read what 0 wrote to item 1.";
    assert_eq!(judged(&skew).0.sentence, says);
}

#[test]
fn the_order_of_registers_is_inferred() {
    // Who saw one of each shows that neither of two was whole.
    let torn = [
        ("ok", "[:w 1 1] [:w 2 1]"),
        ("ok", "[:w 1 2] [:w 2 2]"),
        ("ok", "[:r 1 1] [:r 2 2]"),
        ("ok", "[:r 1 2] [:r 2 1]"),
    ];
    proves(&torn, Anomaly::G0, &[0, 1, 3, 2]);
    let says = "Dirty write (G0): of transactions, 0 wrote item 1 before 1 did, as 3 shows; 1 \
                wrote item 1 before 0 did, as 2 shows.";
    assert_eq!(judged(&torn).0.sentence, says);
    holds(&torn[..2]);
    holds(&[torn[0], torn[1], ("ok", "[:r 1 1] [:r 2 1]"), ("ok", "[:r 1 2] [:r 2 2]")]);
    // An update that got lost.
    let lost = [("ok", "[:w 1 1]"), ("ok", "[:r 1 1] [:w 1 2]"), ("ok", "[:r 1 1] [:w 1 3]")];
    proves(&lost, Anomaly::G2, &[1, 2, 0]);
}

/// Each value of x was read when both of y had been written, and the other way round. Nothing tells
/// which was the last of either; none can have been.
#[test]
fn no_order_at_all_is_noticed() {
    let lines = [
        ("ok", "[:w x 1] [:w m1 1]"),
        ("ok", "[:w x 2] [:w m2 1]"),
        ("ok", "[:w y 1] [:w m3 1]"),
        ("ok", "[:w y 2] [:w m4 1]"),
        ("ok", "[:r x 1] [:r m3 1] [:r m4 1]"),
        ("ok", "[:r x 2] [:r m3 1] [:r m4 1]"),
        ("ok", "[:r y 1] [:r m1 1] [:r m2 1]"),
        ("ok", "[:r y 2] [:r m1 1] [:r m2 1]"),
        ("ok", "[:w elsewhere 1]"),
    ];
    proves(&lines, Anomaly::Unordered, &[0, 1, 2, 3, 4, 5, 6, 7]);
    for gone in 4..8 {
        let mut some = lines.to_vec();
        some.remove(gone);
        holds(&some);
    }
}

#[test]
fn without_steps_it_is_unknown() {
    let steps = |n: u64| [format!("[:w 1 {n}]"), format!("[:r 1 {n}]")];
    let steps: Vec<String> = (0..200).flat_map(steps).collect();
    let lines: Vec<(&str, &str)> = steps.iter().map(|steps| ("ok", steps.as_str())).collect();
    // Written many times in the dark, and one order is soon found.
    holds(&lines);
    let torn = [
        ("ok", "[:w 1 1] [:w 2 1]"),
        ("ok", "[:w 1 2] [:w 2 2]"),
        ("ok", "[:r 1 1] [:r 2 2]"),
        ("ok", "[:r 1 2] [:r 2 1]"),
    ];
    let (transactions, _) = read(&history(&torn)).unwrap_or_else(|p| panic!("{p}"));
    let (found, is_known) = find(&transactions, 0);
    assert!(found.is_empty() && !is_known);
}

#[test]
fn items_are_numbers_or_words() {
    let lines = [("ok", "[:append :x 1]"), ("ok", "[:r \"x\" [1]] [:r :y nil] [:append :y 2]")];
    holds(&lines);
    let skew = [("ok", "[:append :x 1] [:append :y 1]"), ("ok", "[:r :x [1]] [:r :y nil]")];
    let says = "1 read item y before 0 changed it; 1 read what 0 wrote to item x.";
    assert!(judged(&skew).0.sentence.ends_with(says), "{}", judged(&skew).0.sentence);
}

#[test]
fn what_cannot_be_judged_has_its_line() {
    let refused = |text: &str, words: &str| {
        let problems = read(text).expect_err(text).to_string();
        assert!(problems.contains(words), "{problems}\nshould say: {words}");
    };
    let bad = "{:process 0, :type :invoke, :f :txn, :value [[:append 1]\n [:x 1 2]]}";
    refused(bad, "line 1: is no step");
    refused(bad, "line 2: is no step");
    let twice = [("ok", "[:append 1 1]"), ("ok", "[:append 1 1]"), ("fail", "[:append 1 1]")];
    refused(&history(&twice), "line 3: 1 is written to item 1 again, as on line 1");
    let mixed = [("ok", "[:append 1 1]"), ("ok", "[:w 1 2]")];
    refused(&history(&mixed), "line 3: item 1 is a list elsewhere");
    let began = "{:process 0, :type :invoke, :f :txn, :value [[:w 1 2] [:r 2 nil]]}\n";
    for ended in ["[[:w 1 3] [:r 2 5]]", "[[:w 1 2] [:r 3 5]]", "[[:w 1 2]]"] {
        let text = format!("{began}{{:process 0, :type :ok, :f :txn, :value {ended}}}");
        refused(&text, "line 2: these are other steps than were begun");
    }
}

/// Whether some order of what took effect explains every read: all of them are tried.
fn has_order(all: &[Transaction], state: &BTreeMap<String, Vec<i64>>) -> bool {
    if all.iter().all(|t| t.end != End::Committed) {
        return true;
    }
    all.iter().enumerate().any(|(n, t)| {
        let mut state = state.clone();
        let explained = t.accesses.iter().all(|access| match access {
            Access::Append { item, value } => {
                state.entry(item.clone()).or_default().push(*value);
                true
            }
            Access::Write { item, value } => {
                state.insert(item.clone(), vec![*value]);
                true
            }
            Access::List { item, values } => {
                state.get(item).map_or(&[][..], Vec::as_slice) == values
            }
            Access::Read { item, value } => {
                state.get(item).and_then(|held| held.last()) == value.as_ref()
            }
        });
        let rest: Vec<Transaction> = [&all[..n], &all[n + 1..]].concat();
        t.end != End::Aborted && explained && has_order(&rest, &state)
    })
}

/// Items a and b are registers, the others lists.
fn access(item: usize, kind: usize, value: i64, seen: &[i64]) -> Access {
    let name = ["a", "b", "c", "d"][item % 4].to_owned();
    match (item % 4 < 2, kind) {
        (true, 0) => Access::Write { item: name, value },
        (true, _) => Access::Read { item: name, value: seen.first().copied() },
        (false, 0) => Access::Append { item: name, value },
        (false, _) => Access::List { item: name, values: seen.to_vec() },
    }
}

/// A few transactions that read what they like of what is written anywhere, or of nothing.
fn few(lists: bool) -> impl Strategy<Value = Vec<Transaction>> {
    let items: usize = if lists { 4 } else { 2 };
    let step = (0..items, 0..2usize, any::<prop::sample::Index>(), 0..3usize);
    let steps = proptest::collection::vec(step, 1..4);
    proptest::collection::vec((steps, 0..8u32), 2..6).prop_map(|drawn| {
        let mut written: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        let mut fresh = 0;
        for (item, kind, _, _) in drawn.iter().flat_map(|(steps, _)| steps) {
            fresh += 1;
            if *kind == 0 {
                written.entry(*item).or_default().push(fresh);
            }
        }
        let mut fresh = 0;
        let mut transaction = |(id, (steps, end)): (u64, &(Vec<_>, u32))| {
            let steps: &Vec<(usize, usize, prop::sample::Index, usize)> = steps;
            let mut accesses = Vec::new();
            let end = match end {
                0 => End::Unknown,
                1 => End::Aborted,
                _ => End::Committed,
            };
            for &(item, kind, index, length) in steps {
                fresh += 1;
                let known = written.get(&item).map_or(&[][..], Vec::as_slice);
                let start = index.index(known.len() + 1);
                let seen: Vec<i64> = match item < 2 {
                    true => known.get(start).copied().into_iter().collect(),
                    false => known.iter().take(length.max(start)).copied().collect(),
                };
                if kind == 0 || end == End::Committed {
                    accesses.push(access(item, kind, fresh, &seen));
                }
            }
            Transaction { id, end, at: None, accesses }
        };
        (0..).zip(&drawn).map(&mut transaction).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_verdict_on_registers_is_that_of_all_orders(all in few(false)) {
        let (judgement, _) = check(&all);
        let explained = has_order(&all, &BTreeMap::new());
        let expected = if explained { State::Holds } else { State::Violated };
        prop_assert!(judgement.state == expected, "{:?} {}", expected, judgement.sentence);
    }

    #[test]
    fn the_verdict_on_lists_too_is_that_of_all_orders(all in few(true)) {
        let (judgement, _) = check(&all);
        let explained = has_order(&all, &BTreeMap::new());
        let expected = if explained { State::Holds } else { State::Violated };
        prop_assert!(judgement.state == expected, "{:?} {}", expected, judgement.sentence);
    }

    /// What proves a verdict proves it on its own, but for what was read from others.
    #[test]
    fn a_circle_needs_no_others(all in few(false)) {
        let (judgement, found) = check(&all);
        if found.iter().any(|found| *found >= Anomaly::G0) {
            let mut kept = all.clone();
            for t in kept.iter_mut().filter(|t| !judgement.proof.contains(&t.id)) {
                t.accesses.retain(|a| matches!(a, Access::Append { .. } | Access::Write { .. }));
                t.end = End::Unknown;
            }
            prop_assert_eq!(check(&kept).0.state, State::Violated, "{}", judgement.sentence);
        }
    }
}

proptest! {
    /// Transactions that ran one after the other are serializable.
    #[test]
    fn what_ran_one_by_one_is_serializable(
        draws in proptest::collection::vec(
            proptest::collection::vec((0..3i64, any::<bool>()), 1..4), 1..40),
    ) {
        let mut lists: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        let mut registers: BTreeMap<i64, i64> = BTreeMap::new();
        let mut all = Vec::new();
        let mut fresh = 0;
        for (id, steps) in (0..).zip(&draws) {
            let mut accesses = Vec::new();
            for &(n, writes) in steps {
                fresh += 1;
                let (list, item, register) =
                    (lists.entry(n).or_default(), n.to_string(), format!("r{n}"));
                if writes {
                    list.push(fresh);
                    registers.insert(n, fresh);
                    accesses.push(Access::Append { item, value: fresh });
                    accesses.push(Access::Write { item: register, value: fresh });
                } else {
                    let value = registers.get(&n).copied();
                    accesses.push(Access::List { item, values: list.clone() });
                    accesses.push(Access::Read { item: register, value });
                }
            }
            all.push(Transaction { id, end: End::Committed, at: None, accesses });
        }
        let (judgement, anomalies) = check(&all);
        prop_assert!(judgement.state == State::Holds, "{:?} {}", anomalies, judgement.sentence);
    }
}
