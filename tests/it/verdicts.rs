//! What checks say of whole runs, where the truth is known.

use netsplit::base::time::Time;
use netsplit::check::history::operation::{Action, Operation};
use netsplit::check::witness::{Act, Proof};
use netsplit::check::{State, Verdict};
use netsplit::observe::operations::BarState;
use netsplit::protocol::Role;
use netsplit::protocol::note::{Hold, Note, Post};
use netsplit::protocol::rpc::Op;
use netsplit::protocol::store::Lead;
use netsplit::scenario::{link, read};
use netsplit::session::Session;
use serde_json::{Value, json};

/// A run to its end, with deeds as a link has them.
fn ran(scenario: &Value, deeds: &str) -> Session {
    let scenario =
        read::text(&scenario.to_string()).unwrap_or_else(|problems| panic!("{problems}"));
    let (preset, fragment) = link::encode(&link::Opened::new(scenario));
    let at = if deeds.is_empty() { String::new() } else { format!("&at={deeds}") };
    let (opened, problems) = link::open(Some(preset), &format!("{fragment}{at}"));
    assert!(problems.is_empty(), "{problems}");
    let mut session = Session::open(opened);
    session.seek(session.end());
    session
}

fn verdict(session: &Session, words: &str) -> Verdict {
    let found = session.verdicts().into_iter().find(|v| v.name.contains(words));
    found.unwrap_or_else(|| panic!("no check of {words}"))
}

fn people(to: &str, mix: &Value) -> Value {
    json!({ "clients": {
        "count": 20, "to": to, "load": { "open": { "rate": "5/s" } }, "items": 60, "mix": mix,
        "timeout": "1s", "idempotency": true,
        "retry": { "attempts": 3, "backoff": "fixed", "base": "300ms" },
    } })
}

/// Three shards behind a router, two of which have keys.
fn shards(mix: &Value, store: &Value, router: &Value, checks: &Value) -> Value {
    let mut front = json!({ "shards": ["s1", "s2", "s3"], "active": 2 });
    for (key, value) in router.as_object().expect("settings") {
        front[key] = value.clone();
    }
    json!({
        "duration": "15s", "checks": checks,
        "nodes": {
            "people": people("front", mix), "front": { "router": front },
            "s1": store, "s2": store, "s3": store,
        },
    })
}

#[test]
fn a_key_that_moves_takes_what_was_acknowledged_with_it() {
    let checks = json!([{ "no_lost_write": {} }, { "fresh_reads": {} }, { "linearizable": {} }]);
    let mix = json!({ "read": 1, "write": 1 });
    let router = json!({ "placement": { "range": { "splits": [30] } } });
    let stores = [json!({ "raft": { "keys": {} } }), json!({ "primary_replica": { "keys": {} } })];
    for store in stores {
        let scenario = shards(&mix, &store, &router, &checks);
        // {"range":{"splits":[10]}}
        let session = ran(&scenario, "5s:set:front.placement+j.eyJyYW5nZSI6eyJzcGxpdHMiOlsxMF19fQ");
        let keys: Vec<u32> = session.shardings()[0].shards.iter().map(|s| s.keys.0).collect();
        assert!(keys[0] <= 10 && keys[1] > 40, "{keys:?}");
        for name in ["is lost", "reads are", "linearizable"] {
            let found = verdict(&session, name);
            assert_eq!(found.state, State::Holds, "{store}: {found:?}");
        }
        let (lost, all) = verdict(&session, "is lost").count.expect("changes");
        assert!(lost == 0 && all > 500, "{lost} of {all}");
    }
}

#[test]
fn what_is_asked_again_after_its_key_has_moved_is_done_twice_and_counted() {
    let checks = json!([{ "no_double_effect": {} }]);
    let router = json!({ "placement": { "range": { "splits": [30] } } });
    let store = json!({ "raft": { "keys": {} } });
    let mut scenario = shards(&json!({ "increment": 1 }), &store, &router, &checks);
    scenario["network"] = json!({ "loss": "5%" });
    // {"range":{"splits":[10]}}: the memory of idempotency keys stays where it is.
    let moves = "5s:set:front.placement+j.eyJyYW5nZSI6eyJzcGxpdHMiOlsxMF19fQ";
    let twice = |deeds: &str| {
        let session = ran(&scenario, deeds);
        let found = verdict(&session, "done twice");
        let counted = session.metrics().totals.double_effects;
        let (twice, _) = found.count.expect("changes");
        assert_eq!((counted, found.state == State::Violated), (twice, twice > 0), "{found:?}");
        twice
    };
    assert_eq!(twice(""), 0);
    assert!(twice(moves) > 0);
}

#[test]
fn a_transfer_between_shards_that_was_done_is_done_in_the_history() {
    let checks = json!([{ "linearizable": {} }, { "no_double_effect": {} }]);
    let mix = json!({ "read": 1, "transfer": 1 });
    let router = json!({ "transfers": "two_phase_commit" });
    let mut scenario = shards(&mix, &json!({ "ledger": { "keys": {} } }), &router, &checks);
    scenario["nodes"]["people"]["clients"]["load"] = json!({ "closed": { "think": "50ms" } });
    scenario["nodes"]["people"]["clients"]["count"] = json!(1);
    let session = ran(&scenario, "");
    for name in ["linearizable", "done twice"] {
        let found = verdict(&session, name);
        assert_eq!(found.state, State::Holds, "{found:?}");
    }
}

#[test]
fn a_transfer_that_was_given_back_and_done_again_was_done_once() {
    let checks = json!([{ "no_double_effect": {} }, { "conserved": {} }]);
    let mix = json!({ "transfer": 1 });
    let router = json!({ "transfers": "saga", "tries": 3, "calls": { "timeout": "500ms" } });
    let mut scenario = shards(&mix, &json!({ "ledger": { "keys": {} } }), &router, &checks);
    scenario["nodes"]["s2"]["ledger"]["error"] = json!("30%");
    let session = ran(&scenario, "");
    let given_back = session.run().course.watch.lines(10_000);
    assert!(given_back.iter().any(|line| line.text.contains("turns back")));
    for name in ["done twice", "money"] {
        let found = verdict(&session, name);
        assert_eq!(found.state, State::Holds, "{found:?}");
    }
}

#[test]
fn whoever_is_no_member_of_a_cluster_need_not_agree_with_it() {
    let scenario = json!({
        "duration": "15s", "checks": [{ "converged": {} }],
        "nodes": {
            "people": people("db", &json!({ "write": 1, "read": 1 })),
            "db": { "raft": { "replicas": 5, "members": 3 } },
        },
    });
    let found = verdict(&ran(&scenario, ""), "replicas agree");
    assert_eq!(found.state, State::Holds, "{found:?}");
}

#[test]
fn a_ledger_that_does_not_sync_loses_what_it_acknowledged() {
    let scenario = |sync: bool| {
        json!({
            "duration": "15s", "checks": [{ "no_lost_write": {} }],
            "faults": [{ "at": "8s", "for": "2s", "crash": "db" }],
            "nodes": {
                "people": people("db", &json!({ "charge": 1 })),
                "db": { "ledger": { "sync": sync, "keys": {} } },
            },
        })
    };
    let found = verdict(&ran(&scenario(false), ""), "is lost");
    assert_eq!(found.state, State::Violated, "{found:?}");
    let (lost, all) = found.count.expect("changes");
    assert!(lost > 50 && all > 800, "{lost} of {all}");
    let found = verdict(&ran(&scenario(true), ""), "is lost");
    assert_eq!(found.state, State::Holds, "{found:?}");
}

/// A primary that fails while its replicas lag, comes back after its successor has dropped the
/// beginning of its log, and takes a state from it.
#[test]
fn what_the_new_primary_has_as_well_is_not_lost_and_what_was_paid_twice_is_counted() {
    for seed in 1..=5 {
        let scenario = json!({
            "seed": seed, "duration": "40s",
            "network": { "latency": { "uniform": ["2ms", "6ms"] } },
            "links": { "db~db": { "latency": { "uniform": ["20ms", "40ms"] } } },
            "nodes": {
                "people": { "clients": {
                    "count": 100, "to": "db", "load": { "open": { "rate": "4/s" } },
                    "mix": { "charge": 1 }, "items": 50, "timeout": "1s", "idempotency": false,
                    "retry": { "attempts": 6, "backoff": "exponential", "base": "250ms" },
                } },
                "db": { "primary_replica": {
                    "replicas": 3, "workers": 4, "time": { "exponential": "2ms" }, "acks": 1,
                    "apply": "1ms", "failover": { "after": "2s" }, "keys": null,
                } },
            },
            "faults": [
                { "at": "8s", "for": "3s", "gray": { "links": ["db-1~db"], "latency": "400ms" } },
                { "at": "10s", "for": "15s", "crash": "db-1" },
            ],
            "checks": [{ "no_double_effect": {} }, { "no_lost_write": {} }],
        });
        let session = ran(&scenario, "");
        let lost = verdict(&session, "is lost");
        assert_eq!(lost.state, State::Holds, "{lost:?}");
        let lines = session.run().course.watch.lines(10_000);
        let thrown = lines.iter().filter(|line| line.text.contains("throws away")).count();
        assert!(thrown < 3, "{thrown} lines of what was thrown away");
        let (twice, _) = verdict(&session, "done twice").count.expect("changes");
        let charged = charged_by_leader(&session);
        let totals = session.metrics().between(Time::ZERO, session.end());
        let once = charged - twice;
        assert!(twice > 50, "{twice}");
        assert!(totals.ok <= once && once <= totals.offered, "{} {once} {totals:?}", totals.ok);
    }
}

/// How many charges the accounts of the leader show.
fn charged_by_leader(session: &Session) -> u64 {
    let world = &session.run().course.world;
    let leader = world.processes.iter().find_map(|role| match role {
        Role::Replica(replica) if replica.standing().lead == Lead::Leader => Some(replica),
        _ => None,
    });
    let leader = leader.expect("somebody leads");
    let balance = leader.settings.balance;
    let charged: i64 = leader.machine.items().map(|(_, item)| balance - item.value).sum();
    (charged / 50).unsigned_abs()
}

#[test]
fn a_replica_that_is_down_cannot_be_made_the_primary() {
    let scenario = json!({
        "duration": "15s", "checks": [{ "no_lost_write": {} }],
        "faults": [{ "at": "4s", "for": "3s", "crash": "db-2" }],
        "nodes": {
            "people": people("db", &json!({ "read": 1, "write": 1 })),
            "db": { "primary_replica": { "replicas": 3, "failover": null } },
        },
    });
    let session = ran(&scenario, "5s:set:db.primary+2");
    let lines = session.run().course.watch.lines(10_000);
    let leads: Vec<Time> =
        lines.iter().filter(|l| l.text.contains("db-2 leads")).map(|l| l.at).collect();
    assert!(leads.iter().all(|at| *at >= Time(7_000_000)), "{leads:?}");
    // One that stands still takes the order when it goes on.
    let mut scenario = scenario;
    scenario["faults"] = json!([{ "at": "4s", "for": "3s", "pause": "db-2" }]);
    let session = ran(&scenario, "5s:set:db.primary+2");
    let lines = session.run().course.watch.lines(10_000);
    let leads: Vec<Time> =
        lines.iter().filter(|l| l.text.contains("db-2 leads")).map(|l| l.at).collect();
    assert_eq!(leads, [Time(7_000_000)]);
}

/// A preset at an instant.
fn preset(name: &str, seconds: u64) -> Session {
    let mut session = Session::open(link::open(Some(name), "").0);
    session.seek(Time(seconds * 1_000_000));
    session
}

/// What proves that a property is violated.
fn proof(session: &Session, words: &str) -> Proof {
    let place = session.verdicts().iter().position(|v| v.name.contains(words));
    let found = session.run().course.checks.proofs().nth(place.expect("a check"));
    found.flatten().unwrap_or_else(|| panic!("no proof of {words}")).clone()
}

/// What nodes did about the operations of a proof: how often a test is true of it.
fn acts(proof: &Proof, test: impl Fn(&Note) -> bool) -> usize {
    proof.acts.iter().filter(|act| test(&act.note)).count()
}

#[test]
fn a_stale_read_is_shown_with_the_changes_it_missed() {
    for (versions, missed) in [(0, 1), (2, 3)] {
        let scenario = json!({
            "duration": "10s", "checks": [{ "fresh_reads": { "versions": versions } }],
            "links": { "db~db": { "latency": "600ms" } },
            "nodes": {
                "people": { "clients": {
                    "count": 30, "to": "db", "load": { "open": { "rate": "5/s" } }, "items": 5,
                    "mix": { "read": 1, "write": 1 }, "reads": "any",
                } },
                "db": { "primary_replica": { "replicas": 2, "acks": 0 } },
            },
        });
        let session = ran(&scenario, "");
        let proof = proof(&session, "reads are");
        let (reads, writes): (Vec<Operation>, Vec<Operation>) =
            proof.ops.iter().partition(|op| op.action == Action::Read);
        assert_eq!((reads.len(), writes.len()), (1, missed), "{proof:?}");
        for write in writes {
            assert!(write.item == reads[0].item && write.precedes(&reads[0]), "{proof:?}");
            assert!(write.version() > reads[0].version(), "{proof:?}");
        }
        let shown = session.proofs().into_iter().flatten().next().expect("a picture");
        assert_eq!(shown.bars.iter().filter(|bar| bar.proves).count(), missed + 1);
        let told = [" wrote ", ", asked db-1", " read ", ", asked db-2"];
        assert!(told.iter().all(|words| shown.sentence.contains(words)), "{}", shown.sentence);
    }
}

#[test]
fn what_is_lost_is_shown_with_what_lost_it_and_a_read_that_misses_it() {
    let scenario = json!({
        "duration": "15s", "checks": [{ "no_lost_write": {} }],
        "faults": [{ "at": "8s", "for": "2s", "crash": "db" }],
        "nodes": {
            "people": people("db", &json!({ "charge": 1, "read": 9 })),
            "db": { "ledger": { "sync": false, "keys": {} } },
        },
    });
    let session = ran(&scenario, "");
    let proof = proof(&session, "is lost");
    let [lost, read] = proof.ops.as_slice() else { panic!("{proof:?}") };
    assert!(matches!(lost.action, Action::Charge(_)) && lost.returned() < Some(Time(8_000_000)));
    assert!(read.action == Action::Read && read.item == lost.item && lost.precedes(read));
    assert!(read.version() < lost.version(), "{proof:?}");
    assert_eq!(acts(&proof, |note| matches!(note, Note::Undone { .. })), 1, "{proof:?}");
    let shown = session.proofs().into_iter().flatten().next().expect("a picture");
    let meanwhile = shown.bars.iter().filter(|bar| bar.state == BarState::Meanwhile);
    let meanwhile: Vec<&str> = meanwhile.map(|bar| bar.text.as_str()).collect();
    assert_eq!(meanwhile, ["db is down", "over: db is down"]);
}

#[test]
fn what_another_write_took_the_place_of_is_shown_with_it() {
    let proof = proof(&preset("like-count", 5), "is lost");
    let [lost, winner] = proof.ops.as_slice() else { panic!("{proof:?}") };
    assert!(lost.item == winner.item && lost.process != winner.process, "{proof:?}");
    assert!(!lost.precedes(winner) || !winner.precedes(lost), "{proof:?}");
}

#[test]
fn what_was_done_twice_or_by_halves_is_shown_where_it_was_done() {
    let twice = proof(&preset("double-charge", 20), "done twice");
    assert_eq!((twice.ops.len(), twice.proving.len()), (1, 1));
    let applied = twice.acts.iter().filter(|act| matches!(act.note, Note::Applied { .. }));
    let again: Vec<bool> = applied.map(|act| act.again).collect();
    assert_eq!(again, [false, true], "{twice:?}");

    let locked = proof(&preset("cross-shard", 20), "stays locked");
    let locks = |note: &Note| matches!(note, Note::Held { hold: Hold::Locks, .. });
    assert!(locked.proving.len() == 1 && acts(&locked, locks) > 0, "{locked:?}");

    let checks = json!([{ "conserved": { "settle": "1s" } }]);
    let router = json!({ "transfers": "unprotected", "calls": { "timeout": "500ms" } });
    let store = json!({ "ledger": { "error": "20%" } });
    let half = shards(&json!({ "transfer": 1 }), &store, &router, &checks);
    let half = proof(&ran(&half, ""), "money");
    assert_eq!(half.proving.len(), 1);
    let gain = |act: &Act| match act.note {
        Note::Applied { op: Op::Leg { delta }, .. } => delta,
        _ => 0,
    };
    let gained: i32 = half.acts.iter().map(gain).sum();
    assert!(gained < 0, "{half:?}");
}

#[test]
fn replicas_that_stay_apart_are_shown_with_the_write_that_one_lacks() {
    let scenario = json!({
        "duration": "12s", "checks": [{ "converged": { "within": "2s" } }],
        "faults": [{ "at": "2s", "for": "3s", "crash": "db-3" }],
        "nodes": {
            "people": people("db", &json!({ "write": 1 })),
            "db": { "quorum": { "read_repair": "never", "anti_entropy": null } },
        },
    });
    let mut scenario = scenario;
    scenario["nodes"]["people"]["clients"]["items"] = json!(2_000);
    let proof = proof(&ran(&scenario, ""), "replicas agree");
    let [write] = proof.ops.as_slice() else { panic!("{proof:?}") };
    assert!(matches!(write.action, Action::Write(_)), "{proof:?}");
    assert!((Time(1_900_000)..Time(5_100_000)).contains(&write.call), "{proof:?}");
    let wrote = format!("holds {}", write.id & 0xff_ffff_ffff);
    let held: Vec<bool> = proof.case.held.iter().map(|(_, said, _)| *said == wrote).collect();
    assert_eq!(held, [true, true, false], "{proof:?}");
}

#[test]
fn a_message_and_a_change_that_went_missing_are_shown() {
    let dead = proof(&preset("dead-letter", 25), "is worked on");
    let handed = |note: &Note| matches!(note, Note::Letter { step: Post::HandedOut { .. }, .. });
    assert!(dead.proving.len() == 1 && acts(&dead, handed) > 1, "{dead:?}");
    let apart = proof(&preset("outbox", 30), "in step");
    assert_eq!(acts(&apart, |note| matches!(note, Note::Applied { .. })), 1, "{apart:?}");
}

/// Two who write to the primary, and two who read where they are told to.
fn lagging(read_at: &str, reads: &str) -> Value {
    let clients = |to: &str, mix: Value, rate: &str| {
        json!({ "clients": {
            "count": 2, "to": to, "load": { "open": { "rate": rate } }, "items": 3, "mix": mix,
            "reads": reads, "timeout": "2s",
        } })
    };
    json!({
        "duration": "10s", "checks": [{ "sequential": {} }, { "linearizable": {} }],
        "links": { "db~db": { "latency": "300ms" } },
        "nodes": {
            "writers": clients("db", json!({ "write": 1 }), "4/s"),
            "readers": clients(read_at, json!({ "read": 1 }), "8/s"),
            "db": { "primary_replica": { "replicas": 3, "acks": 0 } },
        },
    })
}

#[test]
fn who_reads_at_one_replica_that_lags_sees_one_order_and_who_goes_from_one_to_another_does_not() {
    let one = ran(&lagging("db-2", "any"), "");
    let sequential = verdict(&one, "sequentially");
    assert_eq!(sequential.state, State::Holds, "{sequential:?}");
    assert_eq!(verdict(&one, "linearizable").state, State::Violated);

    let many = ran(&lagging("db", "any"), "");
    let sequential = verdict(&many, "sequentially");
    assert_eq!(sequential.state, State::Violated, "{sequential:?}");
    let proof = proof(&many, "sequentially");
    let (reads, writes): (Vec<Operation>, Vec<Operation>) =
        proof.ops.iter().partition(|op| op.action == Action::Read);
    assert!(reads.len() == 2 && writes.len() <= 2, "{proof:?}");
    assert!(reads[0].process == reads[1].process && reads[1].version() < reads[0].version());

    let leader = ran(&lagging("db", "leader"), "");
    for words in ["sequentially", "linearizable"] {
        assert_eq!(verdict(&leader, words).state, State::Holds);
    }
}

#[test]
fn a_run_of_more_operations_than_are_judged_is_not_called_right() {
    let scenario = json!({
        "duration": "30s", "checks": [{ "sequential": {} }],
        "nodes": {
            "people": { "clients": {
                "count": 20, "to": "db", "load": { "open": { "rate": "10/s" } }, "items": 10,
                "mix": { "read": 1, "write": 1 },
            } },
            "db": { "ledger": {} },
        },
    });
    let found = verdict(&ran(&scenario, ""), "sequentially");
    assert_eq!(found.state, State::Unknown, "{found:?}");
    assert!(found.sentence.contains("too many"), "{found:?}");
}

#[test]
fn what_is_written_to_a_ledger_is_what_is_read_there() {
    let scenario = |crash: bool| {
        let faults =
            if crash { json!([{ "at": "8s", "for": "2s", "crash": "db" }]) } else { json!([]) };
        json!({
            "duration": "15s", "checks": [{ "linearizable": {} }], "faults": faults,
            "nodes": {
                "people": people("db", &json!({ "write": 1, "update": 1, "read": 2 })),
                "db": { "ledger": { "sync": false, "keys": {} } },
            },
        })
    };
    let mut session = Session::start(
        read::text(&scenario(false).to_string()).unwrap_or_else(|problems| panic!("{problems}")),
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    session.keep_history();
    session.seek(session.end());
    let ops = session.history();
    let wrote = |op: &&Operation| op.value_written().is_some() && op.returned().is_some();
    let written = ops.iter().filter(wrote).count();
    assert!(written > 300, "{written}");
    let found = verdict(&session, "linearizable");
    assert_eq!(found.state, State::Holds, "{found:?}");
    // A crash undoes what was not on disk: whoever reads finds an older value.
    let found = verdict(&ran(&scenario(true), ""), "linearizable");
    assert_eq!(found.state, State::Violated, "{found:?}");
}
