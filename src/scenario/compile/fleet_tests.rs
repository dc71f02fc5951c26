use super::tests::{plan, problems, shop};
use crate::protocol::Settings;
use crate::scenario::read;
use serde_json::{Value, json};

fn fleet(of: &str, more: Value) -> Value {
    let mut json = shop();
    json["nodes"]["boss"] = json!({ "fleet": { "of": of } });
    if let Value::Object(more) = more {
        for (name, value) in more {
            json["nodes"]["boss"]["fleet"][name] = value;
        }
    }
    json
}

#[test]
fn a_fleet_is_of_a_service_behind_balancers() {
    assert_eq!(problems(fleet("api", json!({}))), [""; 0]);
    let told = problems(fleet("db", json!({})));
    assert_eq!(
        told[0],
        "nodes.boss.fleet.of: `db` is no service as a whole (name a service: all its replicas)"
    );
    assert!(problems(fleet("api-1", json!({})))[0].contains("no service as a whole"));
    assert!(problems(fleet("nobody", json!({})))[0].contains("there is no node `nobody`"));

    let mut two = fleet("api", json!({}));
    two["nodes"]["chief"] = json!({ "fleet": { "of": "api" } });
    assert_eq!(
        problems(two),
        [
            "nodes.chief.fleet.of: `boss` decides how many replicas of `api` run already (leave one of the two out)"
        ]
    );

    let mut direct = fleet("api", json!({}));
    direct["nodes"]["people"]["clients"]["to"] = json!("api");
    assert_eq!(
        problems(direct),
        [
            "nodes.people.clients.to: `people` would ask replicas of `api` that are off (put a balancer before it: a fleet tells balancers who serves)"
        ]
    );

    let mut part = fleet("api", json!({}));
    part["nodes"]["lb"]["balancer"]["to"] = json!("api-2");
    let told = problems(part);
    assert_eq!(
        told,
        [
            "nodes.lb.balancer.to: `api-2` is not all of `api`, of which a fleet decides (name `api`)",
            "nodes.boss.fleet.of: nobody hands requests to `api` (put a balancer before it and clients before that)"
        ]
    );

    let mut spare = fleet("api", json!({}));
    spare["nodes"]["other"] = json!({ "service": {} });
    spare["nodes"]["side"] =
        json!({ "balancer": { "to": "other", "fallback": "api", "health": {} } });
    let told = problems(spare);
    assert!(told[0].starts_with("nodes.side.balancer.fallback"), "{told:?}");
    assert!(told[0].contains("a fleet does not tell those who fall back"), "{told:?}");

    let mut asked = fleet("api", json!({}));
    asked["nodes"]["lb"]["balancer"]["to"] = json!("boss");
    assert!(problems(asked)[0].contains("`boss` is a fleet: it answers no requests"));
}

#[test]
fn a_fleet_has_a_size_and_a_target_it_can_reach() {
    let told = problems(fleet("api", json!({ "start": 4, "scale": { "min": 5, "target": "0%" } })));
    assert_eq!(
        told,
        [
            "nodes.boss.fleet.start: 4 replicas of 3 cannot run (choose 1 to 3, or more replicas of `api`)",
            "nodes.boss.fleet.scale.min: 5 replicas of 3 cannot run (choose 1 to 3, or more replicas of `api`)",
            "nodes.boss.fleet.scale.target: no number of replicas keeps their workers idle (choose more than 0%, up to 100%)"
        ]
    );
    let told = problems(fleet("api", json!({ "every": "100ms" })));
    assert_eq!(
        told,
        [
            "nodes.boss.fleet.patience: it would look again before it has decided (choose less than 100ms)"
        ]
    );
    let told = problems(fleet("api", json!({ "every": "1s", "scale": { "settle_down": "5h" } })));
    assert!(told[0].starts_with("nodes.boss.fleet.scale.settle_down:"), "{told:?}");
    let told = problems(fleet("api", json!({ "deploy": { "gate": { "interval": "1ms" } } })));
    assert!(told[0].starts_with("nodes.boss.fleet.deploy.gate.interval:"), "{told:?}");
    let told = problems(fleet("api", json!({ "deploy": { "batch": 0 } })));
    assert!(told[0].starts_with("nodes.boss.fleet.deploy.batch:"), "{told:?}");
    let over = read::value(fleet("api", json!({ "scale": { "target": "101%" } })));
    assert!(over.is_err_and(|told| told.to_string().contains("nodes.boss.fleet.scale.target")));
}

#[test]
fn replicas_and_balancers_know_their_fleet() {
    let plan = plan(fleet("api", json!({ "start": 2, "start_up": "5s" })));
    let boss = plan.find("boss")[0];
    let mut serves = Vec::new();
    for node in &plan.nodes {
        match &node.settings {
            Settings::Service(s) => {
                let duty = s.duty.as_ref().expect("a duty");
                assert_eq!(duty.fleet, boss);
                serves.push(duty.serves);
            }
            Settings::Balancer(b) => assert_eq!(b.first, Some(2)),
            Settings::Fleet(f) => assert_eq!((f.replicas.len(), f.balancers.len()), (3, 1)),
            _ => {}
        }
    }
    assert_eq!(serves, [true, true, false]);
    assert_eq!(plan.find_links("boss~lb").len(), 2);
    assert_eq!(plan.find_links("boss~api").len(), 6);
}
