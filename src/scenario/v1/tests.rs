use super::*;
use crate::scenario::read;
use serde_json::{Value, json};
use wire::Wire;

/// Everything that can stand in a scenario, each part with nothing said about it.
fn bare() -> Value {
    let budgets = ["token_bucket", "ratio", "aws", "grpc", "envoy", "finagle", "throttle"];
    let breakers = ["consecutive", "resilience4j", "gobreaker", "failsafe", "polly", "hystrix"];
    let mut nodes = json!({
        "people": { "clients": {
            "limiter": {}, "hedge": {}, "load": { "closed": {} }
        } },
        "open": { "clients": {} },
        "lb": { "balancer": { "health": {}, "outlier": { "failing": {} } } },
        "api": { "service": { "shed": {}, "limit": {}, "calls": { "db": {} } } },
        "odd": { "service": { "time": { "log_normal": {} } } },
        "rare": { "service": { "time": { "pareto": {} } } },
        "ratio": { "clients": { "breaker": { "gobreaker": { "trip": { "ratio": {} } } } } },
        "db": { "ledger": { "keys": {}, "outbox": {} } },
        "copies": { "primary_replica": { "keys": {}, "failover": {} } },
        "agreed": { "raft": { "keys": {} } },
        "any": { "quorum": {} },
        "names": { "dns": { "health": {} } },
        "near": { "cache": {} },
        "post": { "broker": { "groups": { "api": {} } } },
        "keeper": { "backup": { "tests": {}, "fails": {}, "plan": {}, "restores": [{}] } },
        "crew": { "fleet": { "scale": {}, "deploy": { "gate": {} } } },
        "front": { "router": {} },
        "ranges": { "router": { "placement": { "range": {} } } },
        "ring": { "router": { "placement": { "consistent": {} } } },
    });
    for name in budgets {
        nodes[format!("budget-{name}")] = json!({ "clients": { "budget": { name: {} } } });
    }
    for name in breakers {
        nodes[format!("breaker-{name}")] = json!({ "clients": { "breaker": { name: {} } } });
    }
    let checks = [
        "no_double_effect",
        "no_lost_write",
        "conserved",
        "converged",
        "recovery",
        "processed",
        "in_step",
        "locks_released",
        "fresh_reads",
        "linearizable",
        "sequential",
        "read_your_writes",
        "monotonic_reads",
        "monotonic_writes",
        "writes_follow_reads",
        "availability",
        "latency",
        "recovers_within",
        "conservation",
    ];
    json!({
        "nodes": nodes,
        "links": { "a~b": {} },
        "faults": [{
            "when": {}, "cut": {}, "gray": {}, "flap": {}, "slow": {}, "clock": {},
            "slow_disk": {}, "surge": {}, "breaks": {}
        }],
        "checks": checks.map(|name| json!({ name: {} })),
        "domains": { "place": {} },
    })
}

/// The defaults are part of the version: old files and links rely on them for ever. One that has
/// to change needs a second version of the format, and a conversion that writes this one out.
#[test]
fn the_defaults_never_change() {
    let scenario = read::value(bare()).unwrap_or_else(|problems| panic!("{problems}"));
    let frozen: Value = serde_json::from_str(include_str!("defaults.json")).expect("JSON");
    let now = scenario.full();
    if std::env::var_os("UPDATE").is_some() {
        // For what is new; what has been there may not differ.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenario/v1/defaults.json");
        let text = serde_json::to_string_pretty(&now).expect("JSON") + "\n";
        std::fs::write(path, text).expect("the defaults to be written");
        return;
    }
    assert!(now == frozen, "{}", serde_json::to_string_pretty(&now).expect("JSON"));
}

#[test]
fn what_is_at_its_default_is_not_written() {
    let empty = |scenario: &Scenario| serde_json::to_value(scenario).expect("JSON");
    assert_eq!(empty(&Scenario::default()), json!({}));
    let scenario = read::value(bare()).unwrap_or_else(|problems| panic!("{problems}"));
    let full = read::value(scenario.full()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(full, scenario);
    assert_eq!(empty(&full), empty(&scenario));
    assert_eq!(read::value(empty(&scenario)), Ok(scenario));
}

#[test]
fn a_distribution_may_be_plain_text() {
    let dist = |json: Value| read::part::<Dist>(&json, "time").map_err(|e| e.to_string());
    assert_eq!(dist(json!("10ms")), Ok(Dist::Constant(Span::millis(10))));
    assert_eq!(dist(json!({"constant": "10ms"})), Ok(Dist::Constant(Span::millis(10))));
    let both = dist(json!({"mixture": [[1, "1ms"], [2, {"exponential": "9ms"}]]}));
    assert!(matches!(both, Ok(Dist::Mixture(parts)) if parts.len() == 2));
    assert!(dist(json!("fast")).is_err_and(|e| e.contains("`fast` is not a duration")));
    assert!(dist(json!({"constant": "1ms", "uniform": ["1ms", "2ms"]})).is_err());
}
