//! What checks say of whole runs, where the truth is known.

use netsplit::base::time::Time;
use netsplit::check::{State, Verdict};
use netsplit::protocol::Role;
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
