//! What is promised holds in any trouble, and mistakes are found.

use super::shrink::shrink;
use super::{judge, subjects};
use crate::scenario::link::{self, Opened};
use serde_json::{Value, json};

/// Runs of each subject in which nothing may be wrong.
const RUNS: u64 = 60;
/// Runs within which a mistake must be found.
const SEEDS: u64 = 300;

/// Settings that break a promise of a subject.
const MISTAKES: [(&str, &str, &str); 15] = [
    ("semi_sync", "db.acks", "0"),
    ("semi_sync", "db.fencing", "false"),
    ("semi_sync", "db.failover.promote", "\"first\""),
    ("raft", "db.reads", "\"local\""),
    ("raft", "people.reads", "\"any\""),
    ("ledger", "accounts.keys", "null"),
    ("counter", "db.merge", "\"last_writer_wins\""),
    ("set", "db.merge", "\"last_writer_wins\""),
    ("sharded_counter", "right.merge", "\"last_writer_wins\""),
    ("moving_keys", "front.calls.retry.attempts", "3"),
    ("transfers", "bank.transfers", "\"unprotected\""),
    ("cache", "cache.leases", "false"),
    ("cache", "cache.replicas", "2"),
    ("cache", "cache.writes", "\"around\""),
    ("cache", "cache.writes", "\"behind\""),
];

fn first_found(name: &str, sets: &[(String, Value)]) -> Option<(u64, Opened)> {
    let subject = subjects().into_iter().find(|s| s.name == name).expect("a subject");
    (0..SEEDS).find_map(|seed| {
        let opened = subject.draw(seed, sets).unwrap_or_else(|p| panic!("{name}: {p}"));
        (!judge(&opened).broken.is_empty()).then_some((seed, opened))
    })
}

#[test]
fn promises_hold_in_any_trouble() {
    for subject in subjects() {
        let mut judged = 0;
        for seed in 0..RUNS {
            let opened =
                subject.draw(seed, &[]).unwrap_or_else(|p| panic!("{}: {p}", subject.name));
            let outcome = judge(&opened);
            judged += outcome.judged;
            if let Some(verdict) = outcome.broken.first() {
                let (_, fragment) = link::encode(&opened);
                panic!(
                    "{}, seed {seed}: {}: {}\n#{fragment}",
                    subject.name, verdict.name, verdict.sentence
                );
            }
        }
        assert!(judged > RUNS * 200, "{}: too little happened: {judged}", subject.name);
    }
}

#[test]
fn mistakes_are_found() {
    let mut missed = Vec::new();
    for (name, path, value) in MISTAKES {
        let value: Value = serde_json::from_str(value).expect("a value");
        match first_found(name, &[(path.to_owned(), value.clone())]) {
            Some((seed, _)) => println!("{name}, {path}={value}: {} seeds", seed + 1),
            None => missed.push((name, path)),
        }
    }
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}

#[test]
fn what_is_left_is_small_and_still_fails() {
    let sets = [("db.acks".to_owned(), json!(0))];
    let (_, opened) = first_found("semi_sync", &sets).expect("a lost write");
    let left = shrink(&opened, 300).expect("something is broken");
    let (before, after) = (&opened.scenario, &left.opened.scenario);
    assert!(after.faults.len() < before.faults.len() || before.faults.len() == 1);
    assert!(after.duration < before.duration, "{}", after.duration);
    let (_, fragment) = link::encode(&left.opened);
    let (again, problems) = link::open(None, &fragment);
    assert!(problems.is_empty(), "{problems}");
    let names: Vec<String> = judge(&again).broken.into_iter().map(|v| v.name).collect();
    assert!(names.contains(&left.broken.name), "the link shows it: {names:?}");
    let calm = Opened::new(link::open(Some("stale-read"), "").0.scenario);
    let fine = Opened {
        scenario: crate::scenario::v1::Scenario { checks: Vec::new(), ..calm.scenario },
        ..calm
    };
    assert!(shrink(&fine, 10).is_none(), "nothing to make smaller");
}
