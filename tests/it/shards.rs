//! Shards without a leader behind a router: every way of merging serves what it can, and the checks
//! see through the router.

use netsplit::base::time::Time;
use netsplit::check::{State, Verdict};
use netsplit::scenario::read;
use netsplit::session::Session;
use serde_json::{Value, json};

/// Ten seconds with two leaderless shards, of which one loses a replica for a while.
fn session(store: &Value, mix: &Value) -> Session {
    let text = json!({
        "duration": "10s",
        "network": { "latency": { "uniform": ["1ms", "20ms"] } },
        "nodes": {
            "people": { "clients": {
                "count": 10, "to": "front", "mix": mix, "items": 20, "timeout": "800ms",
                "load": { "open": { "rate": "10/s" } },
            } },
            "front": { "router": { "shards": ["left", "right"], "workers": 100 } },
            "left": { "quorum": store },
            "right": { "quorum": store },
        },
        "faults": [{ "at": "3s", "for": "2s", "crash": "right-3" }],
        "checks": [
            { "no_lost_write": {} },
            { "converged": { "within": "3s" } },
            { "fresh_reads": {} },
            { "linearizable": {} },
        ],
    });
    let scenario = read::text(&text.to_string()).unwrap_or_else(|problems| panic!("{problems}"));
    let mut session = Session::start(scenario).unwrap_or_else(|problems| panic!("{problems}"));
    session.seek(session.end());
    session
}

#[test]
fn checks_see_through_the_router() {
    let overlapping = |merge: &str| json!({ "merge": merge, "read_repair": "first" });
    let apart = json!({ "read": 1, "write": 1, "apply": { "exponential": "60ms" } });
    let (holds, broken, silent) = (State::Holds, State::Violated, State::Unknown);
    // What the checks say of lost writes, replicas that differ, stale reads, linearizability.
    for (store, mix, says) in [
        (overlapping("last_writer_wins"), json!({ "read": 1, "write": 1 }), [holds; 4]),
        // Two who add at the same time may both be told of both.
        (
            overlapping("counter"),
            json!({ "read": 4, "increment": 4, "scan": 1 }),
            [holds, holds, holds, broken],
        ),
        (apart, json!({ "read": 3, "write": 1 }), [holds, holds, broken, broken]),
        (overlapping("siblings"), json!({ "read": 1, "scan": 1 }), [silent, silent, holds, holds]),
    ] {
        let session = session(&store, &mix);
        let verdicts = session.verdicts();
        let of = |words: &str| -> &Verdict {
            let found = verdicts.iter().find(|v| v.name.contains(words));
            found.unwrap_or_else(|| panic!("{words}: {verdicts:?}"))
        };
        let names = ["is lost", "replicas agree", "reads are", "linearizable"];
        for (name, state) in names.into_iter().zip(says) {
            assert_eq!(of(name).state, state, "{store} {mix}: {:?}", of(name));
        }
    }
}

#[test]
fn siblings_are_updated_through_a_router() {
    // What an update saw of three coordinators takes all bits of a version.
    let store = json!({ "merge": "siblings" });
    let session = session(&store, &json!({ "update": 1 }));
    let totals = session.metrics().between(Time::ZERO, session.end());
    assert!(totals.ok * 10 > totals.offered * 8, "{totals:?}");
    let lost = session.verdicts().into_iter().find(|v| v.name.contains("is lost"));
    assert_eq!(lost.map(|v| v.state), Some(State::Holds));
    let shards = session.shardings().remove(0).shards;
    assert_eq!(shards.iter().map(|s| s.keys.0).sum::<u32>(), 20);
    assert!(shards.iter().all(|s| s.sent > 100 && s.locks == 0), "{shards:?}");
}
