use super::availability::expected;
use super::*;
use crate::scenario::compile::compile;
use crate::scenario::read;
use crate::scenario::v1::Scenario;
use serde_json::{Value, json};

fn scenario(json: Value) -> Scenario {
    read::value(json).unwrap_or_else(|problems| panic!("{problems}"))
}

fn plan(json: Value) -> Plan {
    compile(&scenario(json)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn names(findings: &[Finding]) -> Vec<String> {
    let name = |f: &Finding| f.lost.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(" + ");
    findings.iter().map(name).collect()
}

fn shop(db: Value) -> Value {
    json!({
        "nodes": {
            "people": { "clients": { "to": "lb", "mix": { "read": 1, "write": 1 } } },
            "lb": { "balancer": { "to": "api" } },
            "api": { "service": { "replicas": 2, "calls": {
                "db": {}, "ads": { "optional": true }, "mail": { "only": "write" },
            } } },
            "ads": { "service": {} },
            "mail": { "service": {} },
            "db": db,
        },
        "domains": { "eu": {}, "a-1": { "in": "eu" }, "a-2": { "in": "eu" } },
        "placement": { "api": ["a-1", "a-2"], "db": ["a-1", "a-2"], "lb": ["a-1"] },
    })
}

#[test]
fn what_there_is_only_one_of_stops_what_needs_it() {
    let found = analyse(&plan(shop(json!({ "ledger": {} }))));
    assert_eq!(found.journeys, ["people read", "people change data"]);
    assert_eq!(found.broken, []);
    // What is optional stops nothing, and of two services one is enough.
    assert_eq!(names(&found.single), ["eu", "a-1", "lb", "mail", "db", "people~lb"]);
    let mail = &found.single[3];
    assert_eq!(mail.stops, ["people change data"]);
    assert_eq!(mail.reason, "none of api-1, api-2 can do it: mail is lost");
    let pairs = names(&found.pairs.expect("few enough"));
    for pair in ["api-1 + api-2", "a-2 + api-1", "api-1 + api-2~db", "lb~api-1 + lb~api-2"] {
        assert!(pairs.iter().any(|p| p == pair), "{pair} of {pairs:?}");
    }
}

#[test]
fn a_cluster_needs_a_majority_and_a_primary_somebody_who_takes_over() {
    let single = |db: Value| {
        let found = analyse(&plan(shop(db)));
        let about_db = |f: &&Finding| f.lost[0].name.starts_with("db");
        found.single.iter().filter(about_db).cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&single(json!({ "raft": { "replicas": 3 } }))), [""; 0]);
    let one = single(json!({ "raft": { "replicas": 3, "members": 1 } }));
    assert_eq!(names(&one), ["db-1"]);
    assert!(one[0].reason.contains("0 of 1 replicas are left, and a majority is 1"), "{one:?}");
    let alone = single(json!({ "primary_replica": {} }));
    assert_eq!(names(&alone), ["db-1"]);
    assert!(alone[0].reason.contains("nobody takes over"), "{alone:?}");
    assert_eq!(names(&single(json!({ "primary_replica": { "failover": {} } }))), [""; 0]);
    let quorum = |read, write| json!({ "quorum": { "read": read, "write": write } });
    assert_eq!(names(&single(quorum(2, 2))), [""; 0]);
    assert_eq!(names(&single(quorum(1, 3))), ["db-1", "db-2", "db-3"]);
}

#[test]
fn what_shares_a_box_is_less_available_than_it_looks() {
    let mut shop = json!({
        "nodes": {
            "people": { "clients": { "to": "api" } },
            "api": { "service": { "replicas": 2 } },
        },
        "domains": { "one": {}, "two": {} },
        "placement": { "api": ["one"] },
        "faults": [{ "breaks": { "of": ["one", "two"], "after": "90s", "repair": "10s" } }],
    });
    let of = |shop: &Value| {
        let scenario = scenario(shop.clone());
        let plan = compile(&scenario).unwrap_or_else(|problems| panic!("{problems}"));
        expected(&scenario, &plan).remove(0)
    };
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    // 1 - (1 - 0.9)², and 0.9 for what goes down together.
    let together = of(&shop);
    assert!(close(together.independent, 0.99) && close(together.shared, 0.9), "{together:?}");
    shop["placement"]["api"] = json!(["one", "two"]);
    let apart = of(&shop);
    assert!(close(apart.independent, 0.99) && close(apart.shared, 0.99), "{apart:?}");
}
