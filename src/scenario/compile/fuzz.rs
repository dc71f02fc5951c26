//! Scenarios nobody in their right mind would write: they are refused or they run, and nothing
//! takes long or fills memory.

use super::compile;
use crate::base::time::Time;
use crate::scenario::read;
use proptest::prelude::*;
use serde_json::{Value, json};

fn sane() -> Value {
    json!({
        "duration": "20s",
        "nodes": {
            "people": { "clients": {
                "to": "lb", "timeout": "1s", "deadline": "3s", "tell_deadline": true,
                "load": { "open": { "rate": "2/s", "profile": [["1s", 1.0], ["2s", 3.0]] } },
                "retry": { "attempts": 3, "backoff": "exponential", "jitter": "full" },
                "budget": { "token_bucket": {} }, "breaker": { "resilience4j": { "probes": 2 } },
                "limiter": { "rate": "10/s" }, "bulkhead": 3, "hedge": { "after": "50ms" },
                "mix": { "read": 1, "charge": 2, "update": 1 }, "skew": 1.1, "idempotency": true,
            } },
            "robots": { "clients": {
                "to": "api", "count": 5, "requests": 7, "timeout": "1s",
                "load": { "closed": { "think": "100ms" } }, "breaker": { "hystrix": {} },
            } },
            "lb": { "balancer": {
                "to": "api", "policy": "two_choices", "health": { "interval": "1s" },
                "outlier": { "failing": {} },
            } },
            "api": { "service": {
                "replicas": 2, "queue": 5, "order": "lifo", "shed": {}, "limit": {},
                "time": { "mixture": [[1.0, "1ms"], [1.0, { "table": [[0, "1ms"], [1, "9ms"]] }]] },
                "calls": { "db": { "timeout": "1s", "breaker": { "gobreaker": {} } } },
            } },
            "db": { "ledger": {
                "keys": { "lifetime": "2s", "capacity": 10 }, "disk": { "latency": "2ms" },
                "time": { "pareto": {} }, "collision": "wait", "sync": false,
            } },
        },
        "links": {
            "lb~api": { "loss": "1%", "duplication": "1%", "latency": { "log_normal": {} } },
        },
        "faults": [
            { "at": "1s", "for": "2s", "flap": { "links": ["lb~api"], "down": "50ms" } },
            { "when": { "mark": "applied", "nth": 3 }, "for": "1s", "crash": "db" },
            { "at": "4s", "for": "1s", "partition": [["people"], ["lb", "api"]] },
            { "at": "5s", "for": "1s", "surge": { "node": "people", "factor": 4 } },
            { "at": "6s", "slow": { "node": "a*" } },
            { "at": "7s", "clock": { "node": "db", "behind": "3s", "drift_ppm": -100 } },
        ],
        "checks": [{ "conservation": {} }],
    })
}

/// Replaces what stands at the `place`-th position, counted through everything.
fn replace(json: &mut Value, place: &mut usize, with: &Value) -> bool {
    if *place == 0 {
        *json = with.clone();
        return true;
    }
    *place -= 1;
    match json {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, place, with)),
        Value::Object(map) => map.values_mut().any(|item| replace(item, place, with)),
        _ => false,
    }
}

fn count(json: &Value) -> usize {
    1 + match json {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    let words = &[
        "",
        "none",
        "api",
        "api-1",
        "people",
        "db",
        "*",
        "0s",
        "1us",
        "24h",
        "999999h",
        "0%",
        "100%",
        "5000000/s",
        "0/s",
        "exponential",
        "together",
        "a~b",
        "lb~api",
        "\u{0}",
        "💥",
    ][..];
    prop_oneof![
        proptest::sample::select(words).prop_map(Value::from),
        prop_oneof![Just(0u64), Just(1), Just(u64::from(u32::MAX)), Just(u64::MAX)]
            .prop_map(Value::from),
        (0u64..2_000).prop_map(Value::from),
        proptest::num::f64::ANY.prop_map(Value::from),
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        Just(json!({ "clients": {} })),
        Just(json!({ "service": { "replicas": 3 } })),
        Just(json!([["0s", 0.0], ["0s", 1e9]])),
        any::<bool>().prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_compiles_runs(changes in proptest::collection::vec((any::<u16>(), odd_value()), 0..4)) {
        let mut json = sane();
        for (place, value) in &changes {
            let mut place = usize::from(*place) % count(&json);
            replace(&mut json, &mut place, value);
        }
        let Ok(scenario) = read::value(json) else { return Ok(()) };
        let again = serde_json::to_value(&scenario).map(read::value);
        prop_assert_eq!(again.ok(), Some(Ok(scenario.clone())));
        let Ok(plan) = compile(&scenario) else { return Ok(()) };
        let mut world = plan.world();
        let end = Time(plan.duration.0);
        for _ in 0..5_000 {
            if !world.step(end) {
                break;
            }
        }
        prop_assert!(world.shared.now <= end);
    }
}

#[test]
fn the_sane_one_runs() {
    let scenario = read::value(sane()).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = compile(&scenario).unwrap_or_else(|problems| panic!("{problems}"));
    let mut world = plan.world();
    world.run_until(Time(20_000_000));
    assert!(world.shared.trace.counts.events > 10_000);
}

/// As much of everything as the text of a scenario can hold, in the most expensive order.
#[test]
fn the_worst_is_refused_before_it_takes_long() {
    let names = |text: &'static str, count: usize| vec![text; count];
    let people = json!({ "clients": { "to": "api" } });
    let api = |replicas: u32| json!({ "service": { "replicas": replicas } });
    let cut = |count: usize| json!({ "at": "1s", "cut": { "links": names("people~api", count) } });
    let of = |faults: Value| json!({ "nodes": { "people": people.clone(), "api": api(490) }, "faults": faults });
    let sides = json!({ "at": "1s", "partition": [names("people", 12_000), names("api", 12_000)] });
    let split = json!({ "at": "1s", "partition": [["people"], ["api"]] });
    let mut many = json!({ "nodes": { "people": people.clone() } });
    for number in 0..8_000 {
        many["nodes"][format!("n{number}")] = json!({ "service": {} });
    }
    let mut listed = json!({ "nodes": { "people": people.clone(), "api": api(490) } });
    for number in 0..10_000 {
        listed["links"][format!("{}~api-{}", ["people", "p*"][number % 2], number % 490)] =
            json!({});
    }
    for (json, limit) in [
        (of(json!([cut(18_000)])), "100000 links in all"),
        (of(json!(vec![cut(1); 999])), "100000 links in all"),
        (of(json!([sides])), "500 names in all is the limit"),
        (of(json!(vec![split; 999])), "100000 links in all"),
        (of(json!([{ "at": "1s", "cut": { "links": names("x~y", 30_000) } }])), "no node `x`"),
        (many, "500 nodes is the limit"),
        (listed, ""),
    ] {
        assert!(json.to_string().len() < read::MOST_TEXT);
        let scenario = read::value(json).unwrap_or_else(|problems| panic!("{problems}"));
        let problems = compile(&scenario).err().unwrap_or_default();
        assert!(problems.to_string().contains(limit), "{limit}: {problems}");
        assert!(problems.problems.len() <= super::MOST_PROBLEMS);
    }
}
