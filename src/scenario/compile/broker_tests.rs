use super::tests::{plan, problems, shop};
use crate::protocol::Settings;
use serde_json::{Value, json};

fn post(broker: Value, ledger: Value) -> Value {
    json!({
        "nodes": {
            "people": { "clients": { "count": 10, "to": "queue" } },
            "queue": { "broker": broker },
            "worker": { "service": { "replicas": 2, "calls": { "db": {} } } },
            "db": { "ledger": ledger },
        }
    })
}

#[test]
fn a_broker_has_its_consumers_by_group() {
    let groups = json!({ "groups": { "worker": { "ordered": true }, "db": { "attempts": null } } });
    let plan = plan(post(groups, json!({})));
    let Settings::Broker(broker) = &plan.nodes[1].settings else { panic!("a broker") };
    let of = |n: usize| (broker.groups[n].targets.len(), broker.groups[n].attempts);
    assert_eq!((of(0), of(1)), ((2, Some(5)), (1, None)));
    assert!(broker.groups[0].ordered && !broker.groups[1].ordered);
    assert_eq!(plan.find_links("queue~worker").len(), 4);
}

#[test]
fn mistakes_around_brokers_are_told() {
    let groups = |groups: Value| post(json!({ "groups": groups }), json!({}));
    let first = |json: Value| problems(json).first().cloned().unwrap_or_default();
    let expect = |json: Value, text: &str| assert_eq!(first(json), text);
    expect(
        groups(json!({})),
        "nodes.queue.broker.groups: nobody gets the messages (name a consumer: a service, a \
         balancer or a store)",
    );
    let nobody = first(groups(json!({ "nobody": {} })));
    assert!(nobody.starts_with("nodes.queue.broker.groups.nobody: "), "{nobody}");
    expect(
        groups(json!({ "people": {} })),
        "nodes.queue.broker.groups.people: `people` are clients: they ask and never answer (name \
         a service, a balancer or a store)",
    );
    expect(
        groups(json!({ "worker": { "attempts": 0 } })),
        "nodes.queue.broker.groups.worker.attempts: 0 is outside its limits (choose a number from \
         1 to 1000000)",
    );
    expect(
        groups(json!({ "worker": { "visibility": "0s" } })),
        "nodes.queue.broker.groups.worker.visibility: is no time at all: nobody could finish \
         before others get the message (choose longer than the work for a message takes)",
    );
    expect(
        groups(json!({ "worker": { "redrive": "0s" } })),
        "nodes.queue.broker.groups.worker.redrive: dead letters would be back in the queue at \
         once (choose at least 1ms, or none)",
    );
    let outbox = |to: &str| {
        let outbox = json!({ "outbox": { "to": to, "every": "0s" } });
        problems(post(json!({ "groups": { "people": {} } }), outbox))
    };
    let found = outbox("worker");
    let says = |found: &[String], text: &str| found.iter().any(|problem| problem == text);
    let wrong = "nodes.db.ledger.outbox.to: `worker` is no broker (name a broker)";
    assert!(says(&found, wrong), "{found:?}");
    let short = "nodes.db.ledger.outbox.every: is too short (choose at least 1ms)";
    assert!(says(&found, short), "{found:?}");
    let circle = json!({ "outbox": { "to": "queue" } });
    let found = problems(post(json!({ "groups": { "worker": {} } }), circle));
    assert!(found.iter().any(|p| p.contains("calls go in a circle")), "{found:?}");
}

#[test]
fn checks_of_messages_need_brokers_and_stores() {
    let mut json = shop();
    json["checks"] = json!([
        { "processed": {} },
        { "in_step": { "of": "db", "with": "db" } },
        { "in_step": { "of": "api", "with": "nowhere" } },
    ]);
    let found = problems(json);
    let paths: Vec<&str> = found.iter().filter_map(|p| p.split_once(": ")).map(|p| p.0).collect();
    assert_eq!(
        paths,
        [
            "checks.0.processed",
            "checks.1.in_step.with",
            "checks.2.in_step.of",
            "checks.2.in_step.with"
        ]
    );
}
