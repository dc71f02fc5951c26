use super::tests::{plan, problems};
use crate::protocol::Settings;
use crate::scenario::read;
use serde_json::{Value, json};

/// A shop whose database is copied.
fn copied(backup: &Value) -> Value {
    json!({
        "nodes": {
            "people": { "clients": { "count": 10, "to": "lb", "timeout": "1s" } },
            "lb": { "balancer": { "to": "db", "fallback": "spare", "health": {} } },
            "db": { "primary_replica": { "replicas": 2 } },
            "spare": { "ledger": {} },
            "many": { "quorum": {} },
            "archive": { "backup": backup },
        }
    })
}

#[test]
fn a_backup_reaches_what_it_copies_and_where_it_brings_it_back() {
    let plan = plan(copied(&json!({ "of": "db", "logs": "1s", "plan": { "into": "spare" } })));
    assert_eq!(plan.find_links("archive~db").len(), 4);
    assert_eq!(plan.find_links("archive~spare").len(), 2);
    let upkeep = |name: &str| {
        let node = plan.nodes.iter().find(|node| node.name == name);
        match node.map(|node| &node.settings) {
            Some(Settings::Replica(store)) => (store.upkeep.journal, store.upkeep.closed),
            Some(Settings::Ledger(store)) => (store.upkeep.journal, store.upkeep.closed),
            _ => panic!("{name} is a store"),
        }
    };
    assert_eq!(upkeep("db-1"), (true, false), "its log is shipped");
    assert_eq!(upkeep("spare"), (false, true), "it waits for its data");
    let Some(Settings::Balancer(lb)) = plan.nodes.get(1).map(|node| &node.settings) else {
        panic!("a balancer")
    };
    assert_eq!((lb.backends.len(), lb.spares), (3, 1));
}

#[test]
fn what_cannot_be_copied_or_restored_is_refused_with_a_remedy() {
    let one = |backup: Value, field: &str, says: &str| {
        let all = problems(copied(&backup));
        let path = format!("nodes.archive.backup.{field}: ");
        let meant = all.iter().any(|p| p.starts_with(&path) && p.contains(says));
        assert!(meant && all.iter().all(|p| p.ends_with(')')), "{path}: {all:?}");
    };
    assert_eq!(problems(copied(&json!({ "of": "db" }))), [""; 0]);
    one(json!({}), "of", "no node is named");
    one(json!({ "of": "lb" }), "of", "`lb` is no store and cannot be copied");
    one(json!({ "of": "db-1" }), "of", "is no store");
    one(json!({ "of": "many" }), "of", "has no leader");
    one(json!({ "of": "db", "every": "0s" }), "every", "too short");
    one(json!({ "of": "db", "logs": "1ms" }), "logs", "too short");
    one(json!({ "of": "db", "tests": { "every": "0s" } }), "tests.every", "too short");
    one(json!({ "of": "db", "throughput": "0/s" }), "throughput", "too slow");
    one(json!({ "of": "db", "restore_throughput": "0.5/s" }), "restore_throughput", "too slow");
    let restores = |into: &str| json!({ "of": "db", "restores": [{ "into": into }] });
    one(restores("people"), "restores.0.into", "`people` is no store and cannot be restored");
    one(restores("many"), "restores.0.into", "has no leader");
    one(restores("nobody"), "restores.0.into", "no node");
    let plan = |into: &str| json!({ "of": "db", "plan": { "into": into } });
    one(plan("db"), "plan.into", "is what is gone");
    one(plan("lb"), "plan.into", "cannot be restored");
    assert_eq!(problems(copied(&restores("db"))), [""; 0]);
    let mut direct = copied(&plan("spare"));
    direct["nodes"]["people"]["clients"]["to"] = json!("spare");
    assert!(problems(direct).iter().any(|p| p.contains("serves nothing until it is restored")));
    let mut asked = copied(&json!({ "of": "db" }));
    asked["nodes"]["people"]["clients"]["to"] = json!("archive");
    assert!(problems(asked).iter().any(|p| p.contains("`archive` is a backup")));
    let none = read::value(copied(&json!({ "of": "db", "keep": 0 })));
    let refused = none.is_err() || !problems(copied(&json!({ "of": "db", "keep": 0 }))).is_empty();
    assert!(refused, "at least one copy is kept");
}

#[test]
fn a_fallback_needs_somebody_who_tells_when_it_is_needed() {
    let mut blind = copied(&json!({ "of": "db" }));
    blind["nodes"]["lb"]["balancer"] = json!({ "to": "db", "fallback": "spare" });
    let all = problems(blind.clone());
    assert!(all[0].starts_with("nodes.lb.balancer.fallback: nothing tells"), "{all:?}");
    blind["nodes"]["lb"]["balancer"] = json!({ "to": "db", "fallback": "db", "health": {} });
    assert!(problems(blind)[0].contains("`db` is `to` already"));
}

#[test]
fn everything_is_deleted_only_where_that_is_understood() {
    let mut json = copied(&json!({ "of": "db" }));
    json["nodes"]["people"]["clients"]["mix"] = json!({ "erase": 1 });
    assert_eq!(problems(json.clone()), [""; 0]);
    json["checks"] = json!([{ "recovery": {} }, { "linearizable": {} }]);
    let all = problems(json.clone());
    assert!(all[0].starts_with("checks.1.linearizable: clients delete everything"), "{all:?}");
    json["checks"] = json!([{ "conserved": {} }]);
    assert!(problems(json.clone())[0].starts_with("checks.0.conserved"));
    json["checks"] = json!([]);
    json["nodes"]["lb"]["balancer"]["to"] = json!("many");
    let all = problems(json.clone());
    let path = "nodes.people.clients.mix.erase: these requests come to `many`";
    assert!(all.iter().any(|p| p.starts_with(path)), "{all:?}");
    json["nodes"]["people"]["clients"]["mix"] = json!({ "corrupt": 1 });
    let path = "nodes.people.clients.mix.corrupt: ";
    assert!(problems(json).iter().any(|p| p.starts_with(path)));
}
