//! What the analysis says stops, stops when it is run, and nothing else does.

use netsplit::base::time::Span;
use netsplit::scenario::redundancy::proof::prove;
use netsplit::scenario::redundancy::report::called;
use netsplit::scenario::redundancy::{Element, analyse, elements};
use netsplit::scenario::v1::Scenario;
use netsplit::scenario::{compile, read};
use serde_json::{Value, json};

/// Health checks, failovers and times to live below are over within this.
const PATIENCE: Span = Span::secs(15);

fn scenario(json: Value) -> Scenario {
    read::value(json).unwrap_or_else(|problems| panic!("{problems}"))
}

fn people(to: &str) -> Value {
    let load = json!({ "open": { "rate": "1/s" } });
    let mix = json!({ "read": 1, "write": 1 });
    json!({ "clients": { "count": 20, "to": to, "timeout": "2s", "mix": mix, "load": load } })
}

fn zones(db: Value) -> Value {
    json!({
        "nodes": {
            "people": people("lb"),
            "lb": { "balancer": { "to": "api", "health": { "interval": "1s", "timeout": "500ms" } } },
            // With few workers, waiting for mail that is lost would stop reading, too.
            "api": { "service": { "replicas": 2, "workers": 100, "calls": {
                "db": { "timeout": "1s" },
                "ads": { "timeout": "200ms", "optional": true },
                "mail": { "timeout": "500ms", "only": "write" },
            } } },
            "ads": { "service": {} },
            "mail": { "service": {} },
            "db": db,
        },
        "domains": { "eu": {}, "a-1": { "in": "eu" }, "a-2": { "in": "eu" }, "a-3": { "in": "eu" } },
        "placement": { "api": ["a-1", "a-2"], "db": ["a-1", "a-2", "a-3"], "mail": ["a-1"] },
    })
}

fn regions(health: Value) -> Value {
    json!({
        "nodes": {
            "people": people("site"),
            "site": { "dns": { "to": ["here", "there"], "ttl": "2s", "health": health } },
            "here": { "balancer": { "to": "api-1" } },
            "there": { "balancer": { "to": "api-2" } },
            "api": { "service": { "replicas": 2, "workers": 100, "calls": { "db": { "timeout": "1s" } } } },
            "db": { "quorum": {} },
        },
        "domains": { "eu": {}, "us": {} },
        "placement": { "api": ["eu", "us"], "here": ["eu"], "there": ["us"], "db": ["eu", "us"] },
    })
}

/// What the analysis says of a loss, and what a run of it shows, by journey.
fn compare(scenario: &Scenario, lost: &[Element], stops: &[String]) -> Vec<String> {
    let proofs = prove(scenario, lost, PATIENCE).unwrap_or_else(|problems| panic!("{problems}"));
    let wrong = proofs.iter().filter(|proof| {
        assert!(proof.intact > 0.0, "{} works while nothing is lost", proof.journey);
        stops.contains(&proof.journey) != (proof.lost <= 0.0)
    });
    let name = lost.iter().map(called).collect::<Vec<_>>().join(" and ");
    wrong.map(|p| format!("without {name}, {}: {} → {}", p.journey, p.intact, p.lost)).collect()
}

fn agrees(json: Value) {
    let scenario = scenario(json);
    let plan = compile::compile(&scenario).unwrap_or_else(|problems| panic!("{problems}"));
    let found = analyse(&plan);
    let mut wrong = Vec::new();
    for element in elements(&plan) {
        let lost = vec![element];
        let finding = found.single.iter().find(|finding| finding.lost == lost);
        let stops = finding.map(|finding| finding.stops.clone()).unwrap_or_default();
        wrong.extend(compare(&scenario, &lost, &stops));
    }
    for finding in found.pairs.expect("few enough to try in pairs").iter().step_by(5) {
        // What one of the two stops alone is told with that one.
        let alone = found.single.iter().filter(|single| finding.lost.contains(&single.lost[0]));
        let alone: Vec<String> = alone.flat_map(|single| single.stops.clone()).collect();
        let stops = [finding.stops.clone(), alone].concat();
        wrong.extend(compare(&scenario, &finding.lost, &stops));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

pub fn runs_agree_with_the_analysis() {
    agrees(zones(json!({ "ledger": {} })));
    agrees(zones(json!({ "raft": {} })));
    agrees(zones(json!({ "primary_replica": {} })));
    agrees(zones(json!({ "primary_replica": { "failover": {}, "acks": 1 } })));
    agrees(zones(json!({ "quorum": { "read": 1, "write": 3 } })));
    agrees(regions(json!({ "interval": "1s", "timeout": "500ms", "fall": 2 })));
    agrees(regions(Value::Null));
}
