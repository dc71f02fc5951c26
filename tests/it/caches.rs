//! What caches do to what is read: the checks see through them to the store behind.

use netsplit::base::time::Time;
use netsplit::check::State;
use netsplit::observe::totals::Totals;
use netsplit::scenario::read;
use netsplit::session::Session;
use serde_json::{Value, json};

/// Ten seconds with readers and writers, a cache, and a store with a log behind it.
fn session(change: impl Fn(&mut Value)) -> Session {
    let mut text = json!({
        "duration": "10s",
        "network": { "latency": { "uniform": ["1ms", "20ms"] } },
        "nodes": {
            "people": { "clients": {
                "count": 10, "to": "cache", "mix": { "read": 4, "write": 1 }, "items": 5,
                "timeout": "800ms", "load": { "open": { "rate": "5/s" } },
            } },
            "cache": { "cache": {
                "to": "db", "ttl": "2s", "coalesce": true, "leases": true, "timeout": "500ms",
            } },
            "db": { "raft": { "workers": 100, "time": "1ms" } },
        },
        "checks": [
            { "fresh_reads": {} },
            { "linearizable": {} },
            { "read_your_writes": {} },
            { "monotonic_reads": {} },
            { "monotonic_writes": {} },
            { "no_lost_write": {} },
        ],
    });
    change(&mut text);
    let scenario = read::text(&text.to_string()).unwrap_or_else(|problems| panic!("{problems}"));
    let mut session = Session::start(scenario).unwrap_or_else(|problems| panic!("{problems}"));
    session.seek(session.end());
    session
}

fn totals(session: &Session) -> Totals {
    session.metrics().between(Time::ZERO, session.end())
}

/// Which of these checks are violated.
fn violated(session: &Session) -> Vec<&'static str> {
    let all = ["reads are", "linearizable", "own writes", "go back", "their order", "is lost"];
    let verdicts = session.verdicts();
    let broken = |name: &&str| {
        let found = verdicts.iter().find(|v| v.name.contains(name));
        let found = found.unwrap_or_else(|| panic!("{name}: {verdicts:?}"));
        assert_ne!(found.state, State::Unknown, "{found:?}");
        found.state == State::Violated
    };
    all.into_iter().filter(broken).collect()
}

#[test]
fn what_is_dropped_when_it_changes_is_never_stale() {
    let session = session(|_| {});
    assert_eq!(violated(&session), [""; 0]);
    let Totals { lookups, hits, misses, joined, .. } = totals(&session);
    assert!(hits * 3 > lookups && lookups == hits + misses + joined, "{hits} of {lookups}");
}

#[test]
fn staleness_counts_whatever_stands_before_the_cache() {
    let stale = ["reads are", "linearizable", "own writes", "go back"];
    let around = |text: &mut Value| text["nodes"]["cache"]["cache"]["writes"] = json!("around");
    let found = violated(&session(around));
    assert!(["reads are", "linearizable", "own writes"].iter().all(|n| found.contains(n)));
    let found = violated(&session(|text| {
        around(text);
        text["nodes"]["people"]["clients"]["to"] = json!("web");
        text["nodes"]["web"] = json!({ "service": {
            "workers": 100, "time": "1ms", "calls": { "cache": {} },
        } });
    }));
    assert!(found.contains(&"reads are"), "{found:?}");
    // Each cache drops what it hears of, and there are two.
    let two = violated(&session(|text| text["nodes"]["cache"]["cache"]["replicas"] = json!(2)));
    assert!(stale.iter().all(|name| two.contains(name)), "{two:?}");
}

#[test]
fn a_write_that_goes_past_the_cache_is_missed() {
    let session = session(|text| {
        text["nodes"]["people"]["clients"]["mix"] = json!({ "read": 1 });
        text["nodes"]["editors"] = json!({ "clients": {
            "count": 2, "to": "db", "mix": { "write": 1 }, "items": 5,
            "load": { "open": { "rate": "2/s" } },
        } });
        text["checks"] = json!([{ "fresh_reads": {} }, { "fresh_reads": { "within": "3s" } }]);
    });
    let states: Vec<State> = session.verdicts().iter().take(2).map(|v| v.state).collect();
    assert_eq!(states, [State::Violated, State::Holds], "old, and no older than the ttl");
}

#[test]
fn a_session_is_not_shown_less_than_it_has_seen() {
    let two = |reads: &str| {
        violated(&session(|text| {
            text["nodes"]["people"]["clients"]["reads"] = json!(reads);
            text["nodes"]["cache"]["cache"]["replicas"] = json!(2);
            text["nodes"]["cache"]["cache"]["writes"] = json!("around");
        }))
    };
    let (any, own) = (two("any"), two("session"));
    assert!(any.contains(&"own writes") && any.contains(&"go back"), "{any:?}");
    assert_eq!(own, ["reads are", "linearizable"], "others are still missed");
}

#[test]
fn what_is_written_later_is_lost_in_a_crash_and_not_otherwise() {
    let behind = |text: &mut Value| {
        text["nodes"]["cache"]["cache"]["writes"] = json!("behind");
        text["nodes"]["people"]["clients"]["mix"] =
            json!({ "read": 4, "write": 3, "increment": 1, "update": 1 });
    };
    let calm = session(behind);
    assert_eq!(violated(&calm), [""; 0]);
    assert!(totals(&calm).deferred > 50, "{}", totals(&calm).deferred);
    let crashed = session(|text| {
        behind(text);
        // Nothing that would have what is kept back written at once.
        text["nodes"]["people"]["clients"]["mix"] = json!({ "read": 4, "write": 3 });
        text["faults"] = json!([{ "at": "5s", "for": "500ms", "crash": "cache" }]);
    });
    let found = violated(&crashed);
    assert!(found.contains(&"is lost") && found.contains(&"linearizable"), "{found:?}");
    let verdicts = crashed.verdicts();
    let lost = verdicts.iter().find(|v| v.name.contains("is lost")).and_then(|v| v.count);
    assert!(lost.is_some_and(|(lost, all)| lost <= 5 && all > 50), "{lost:?}: one an item at most");
}

#[test]
fn what_is_served_for_want_of_better_is_degraded_and_judged() {
    let session = session(|text| {
        text["nodes"]["cache"]["cache"]["stale_while_error"] = json!("1m");
        text["nodes"]["cache"]["cache"]["writes"] = json!("around");
        text["faults"] = json!([{ "at": "3s", "crash": "db-*" }]);
        text["checks"] = json!([{ "fresh_reads": { "within": "4s" } }]);
    });
    let Totals { degraded, stale_served, .. } =
        session.metrics().between(Time(6_000_000), session.end());
    assert!(degraded > 100 && stale_served >= degraded, "{degraded} {stale_served}");
    assert_eq!(session.verdicts()[0].state, State::Violated, "older than the ttl");
    let (judged, ok) = (session.verdicts()[0].count, totals(&session).ok);
    assert!(judged.is_some_and(|(_, all)| all > ok / 2 + degraded), "{judged:?} of {ok}");
}
