use super::*;
use crate::base::time::Time;
use crate::scenario::read;
use serde_json::{Value, json};

pub(super) fn plan(json: Value) -> Plan {
    let scenario = read::value(json).unwrap_or_else(|problems| panic!("{problems}"));
    compile(&scenario).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(super) fn problems(json: Value) -> Vec<String> {
    let scenario = read::value(json).unwrap_or_else(|problems| panic!("{problems}"));
    let problems = compile(&scenario).err().unwrap_or_default();
    problems.problems.iter().map(|p| format!("{}: {} ({})", p.path, p.message, p.remedy)).collect()
}

pub(super) fn shop() -> Value {
    json!({
        "nodes": {
            "people": { "clients": { "count": 10, "to": "lb", "timeout": "1s" } },
            "lb": { "balancer": { "to": "api" } },
            "api": { "service": { "replicas": 3, "calls": { "db": { "timeout": "1s" } } } },
            "db": { "ledger": {} },
        }
    })
}

#[test]
fn replicas_stand_apart_around_the_place_of_their_group() {
    let mut json = shop();
    json["view"] = json!({ "places": { "api": [0.5, 0.4], "api-3": [0.9, 0.9] } });
    let plan = plan(json);
    let place = |name: &str| plan.nodes.iter().find(|n| n.name == name).and_then(|n| n.place);
    let (Some(first), Some(second)) = (place("api-1"), place("api-2")) else { panic!("placed") };
    assert!((first.0 - 0.5).abs() < 1e-9 && first.1 < second.1, "{first:?} {second:?}");
    assert!((second.1 - 0.4).abs() < 1e-9, "the middle one stands where the group does");
    assert_eq!((place("api-3"), place("db")), (Some((0.9, 0.9)), None));
}

#[test]
fn callers_and_their_targets_have_links_both_ways() {
    let plan = plan(shop());
    let names: Vec<&str> = plan.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["people", "lb", "api-1", "api-2", "api-3", "db"]);
    let links: Vec<String> = plan
        .links
        .iter()
        .map(|l| format!("{}>{}", plan.name(l.source), plan.name(l.target)))
        .collect();
    assert_eq!(links.len(), 2 * (1 + 3 + 3));
    for link in ["people>lb", "lb>people", "lb>api-2", "api-2>lb", "api-3>db", "db>api-3"] {
        assert!(links.iter().any(|l| l == link), "{link} of {links:?}");
    }
    assert_eq!(plan.find("api").len(), 3);
    assert_eq!(plan.find("api-2").len(), 1);
    assert_eq!(plan.find("a*").len(), 3);
    assert_eq!(plan.find_links("lb~api").len(), 6);
    assert_eq!(plan.find_links("lb~~api-1").len(), 1);
}

#[test]
fn a_world_serves_its_clients() {
    let mut world = plan(shop()).world();
    world.run_until(Time(20_000_000));
    let Role::Clients(people) = &world.processes[0] else { panic!("clients come first") };
    // Ten clients, one request a second each.
    assert!((150..250).contains(&people.intents()), "{}", people.intents());
    let counts = world.shared.trace.counts;
    assert_eq!(
        counts.ended.iter().sum::<u64>() + u64::from(world.shared.packets.len()),
        counts.sent
    );
}

#[test]
fn what_is_said_of_one_link_wins_over_what_is_said_of_many() {
    let mut json = shop();
    json["network"] = json!({ "loss": "1%" });
    json["links"] = json!({
        "lb~~api-2": { "loss": "4%" },
        "lb~api-2": { "loss": "3%" },
        "lb~api": { "loss": "2%", "latency": "5ms" },
    });
    let plan = plan(json);
    let loss = |name: &str| {
        let (source, target) = plan.find_links(name)[0];
        let link = plan.links.iter().find(|l| (l.source, l.target) == (source, target));
        link.map(|l| l.settings.loss.0 / 10_000)
    };
    assert_eq!(loss("people~~lb"), Some(1));
    assert_eq!(loss("lb~~api-1"), Some(2));
    assert_eq!(loss("lb~~api-2"), Some(4));
    assert_eq!(loss("api-2~~lb"), Some(3));
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_remedy() {
    let found = problems(json!({
        "duration": "48h",
        "nodes": {
            "people": { "clients": { "to": "apy", "count": 0 } },
            "more": { "clients": { "to": "people" } },
            "Api": { "service": {} },
            "seed": { "service": {} },
            "api": { "service": { "calls": { "api": {}, "nobody": {} } } },
        },
        "links": { "api": {}, "api~api": {}, "api~moon": {} },
        "faults": [
            { "at": "1s", "crash": "ledger" },
            { "crash": "api" },
            { "at": "1s" },
            { "at": "1s", "crash": "api", "pause": "api" },
            { "at": "1s", "partition": [["api"], ["api", "people"]] },
            { "at": "1s", "cut": { "links": ["more~seed", "x"] } },
            { "at": "1s", "surge": { "node": "api" } },
        ],
    }));
    let expected = [
        "duration: 48h is too long (choose at most 24h)",
        "nodes.people.clients.count: 0 is outside its limits (choose a number from 1 to 2000000)",
        "nodes.Api: `Api` cannot be the name of one of the nodes",
        "nodes.seed: `seed` means something else in links",
        "nodes.people.clients.to: there is no node `apy` (did you mean `api`?)",
        "nodes.more.clients.to: `people` are clients: they ask and never answer",
        "nodes.api.service.calls.nobody: there is no node `nobody` (name one of:",
        "nodes.api: calls go in a circle: api → api",
        "links.api: `api` does not name a link (write a~b for both ways, a~~b for one)",
        "links.api~api: `api~api` leads from a node to itself",
        "links.api~moon: there is no node `moon`",
        "faults[0].crash: there is no node `ledger`",
        "faults[1]: nothing says when it begins",
        "faults[2]: nothing says what goes wrong",
        "faults[3]: 2 things go wrong in one fault",
        "faults[4].partition[1][0]: `api` is on two sides",
        "faults[5].cut.links[0]: there is no link `more~seed`: nobody calls along it",
        "faults[5].cut.links[1]: `x` does not name a link",
        "faults[6]: a surge begins and ends by the clock",
    ];
    for expected in expected {
        assert!(found.iter().any(|f| f.starts_with(expected)), "{expected}\n{found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn limits_are_named() {
    let of = |change: &dyn Fn(&mut Value)| {
        let mut json = shop();
        change(&mut json);
        problems(json).join("\n")
    };
    let nodes = of(&|j| {
        j["nodes"]["api"]["service"]["replicas"] = 500.into();
    });
    assert!(nodes.contains("500 nodes is the limit"), "{nodes}");
    let clients = of(&|j| {
        for name in ["people", "others"] {
            j["nodes"][name] = json!({ "clients": { "to": "lb", "count": 2_000_000 } });
        }
    });
    assert!(clients.contains("2000000 clients in all is the limit"), "{clients}");
    let rate =
        of(&|j| j["nodes"]["people"]["clients"]["load"] = json!({"open": {"rate": "1000000/s"}}));
    assert!(rate.contains("5000000 per second in all is the limit"), "{rate}");
    let think = of(&|j| {
        j["nodes"]["people"]["clients"] =
            json!({ "to": "lb", "count": 2_000_000, "load": { "closed": { "think": "10ms" } } });
    });
    assert!(think.contains("5000000 per second in all is the limit"), "{think}");
    let guarded = of(&|j| {
        j["nodes"]["people"]["clients"] =
            json!({ "to": "lb", "count": 300_000, "breaker": { "consecutive": {} } });
    });
    assert!(guarded.contains("200000 is the limit"), "{guarded}");
    let memory = of(&|j| {
        j["nodes"]["people"]["clients"]["count"] = 100_000.into();
        j["nodes"]["people"]["clients"]["breaker"] = json!({ "resilience4j": {} });
    });
    assert!(memory.contains("5000000 is the limit"), "{memory}");
    let links = of(&|j| {
        for n in 0..40 {
            j["nodes"][format!("c{n}")] = json!({ "clients": { "to": "api" } });
        }
        j["nodes"]["api"]["service"]["replicas"] = 400.into();
    });
    assert!(links.contains("20000 links is the limit"), "{links}");
    let faults = of(&|j| {
        j["nodes"]["api"]["service"]["replicas"] = 400.into();
        j["faults"] = json!(vec![json!({ "at": "1s", "for": "1s", "crash": "api" }); 3]);
    });
    assert!(faults.contains("1000 faults, one for each node, is the limit"), "{faults}");
}

#[test]
fn surges_multiply_the_load() {
    let mut json = shop();
    json["faults"] =
        json!([{ "at": "5s", "for": "5s", "surge": { "node": "people", "factor": 10.0 } }]);
    let mut world = plan(json).world();
    let mut intents = |until| {
        world.run_until(Time(until));
        let Role::Clients(people) = &world.processes[0] else { panic!("clients come first") };
        people.intents()
    };
    let (before, during, after) = (intents(5_000_000), intents(10_000_000), intents(15_000_000));
    assert!((30..75).contains(&before), "{before}");
    assert!((430..570).contains(&(during - before)), "{during}");
    assert!((30..75).contains(&(after - during)), "{after}");
}

/// A front that sends each request to three stores, of which one is down.
fn quorum(needs: Value) -> Value {
    json!({
        "nodes": {
            "people": { "clients": {
                "count": 10, "to": "front", "requests": 1, "load": { "closed": { "think": "0s" } }
            } },
            "front": { "service": {
                "workers": 10, "calls": { "part": { "fan_out": 3, "needs": needs, "timeout": "1s" } }
            } },
            "part": { "service": { "replicas": 3, "workers": 10 } },
        },
        "faults": [{ "at": "0s", "crash": "part-2" }],
    })
}

#[test]
fn a_quorum_goes_on_without_a_part_that_is_down() {
    for (needs, served, failed) in [(json!(2), 10, 0), (json!(null), 0, 10), (json!(3), 0, 10)] {
        let mut world = plan(quorum(needs.clone())).world();
        world.run_until(Time(900_000));
        let outstanding = |world: &World<Role>| match &world.processes[0] {
            Role::Clients(people) => people.caller.outstanding(),
            _ => u32::MAX,
        };
        // Those who need all three wait for the one that is down.
        assert_eq!(outstanding(&world), failed, "needs {needs}");
        world.run_until(Time(3_000_000));
        let Role::Clients(people) = &world.processes[0] else { panic!("clients come first") };
        let doing = |what: u8| people.doing.iter().filter(|&&doing| doing == what).count() as u32;
        assert_eq!((doing(4), doing(6)), (served, failed), "needs {needs}");
        assert_eq!(outstanding(&world), 0);
    }
}

#[test]
fn a_fan_out_has_limits() {
    let needs = problems(quorum(json!(4)));
    assert_eq!(needs.len(), 1, "{needs:?}");
    assert!(needs[0].starts_with("nodes.front.service.calls.part.needs: 4 answers"), "{needs:?}");
    let mut deep = quorum(json!(null));
    deep["nodes"]["front"]["service"]["calls"]["part"]["fan_out"] = json!(200);
    deep["nodes"]["part"]["service"]["calls"] = json!({ "last": { "fan_out": 100 } });
    deep["nodes"]["last"] = json!({ "service": {} });
    let found = problems(deep);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("nodes.part.service.calls.last.fan_out: one request becomes"));
}

/// A store of a kind with these settings, and somebody to ask it.
fn store(kind: &str, settings: Value) -> Value {
    json!({
        "nodes": {
            "people": { "clients": { "to": "db" } },
            "db": { kind: settings },
        }
    })
}

#[test]
fn a_primary_asks_for_no_more_replicas_than_there_are() {
    let impossible = json!({
        "replicas": 3, "acks": 3, "primary": 4, "heartbeat": "1s", "failover": { "after": "1s" }
    });
    let found = problems(store("primary_replica", impossible));
    assert_eq!(
        found,
        [
            "nodes.db.primary_replica.acks: 3 acks are needed of 2 other replicas (choose 0 to 2, \
             or more replicas)",
            "nodes.db.primary_replica.primary: there is no replica 4 among 3 (choose 1 to 3)",
            "nodes.db.primary_replica.failover.after: a primary is missed before it can be heard \
             again (choose more than a heartbeat of 1s)",
        ]
    );
    let two = |more: Value| {
        let mut settings = json!({ "replicas": 2, "failover": {} });
        more.as_object().into_iter().flatten().for_each(|(k, v)| settings[k] = v.clone());
        problems(store("primary_replica", settings))
    };
    let found = two(json!({}));
    assert!(found[0].starts_with("nodes.db.primary_replica.replicas: of 2"), "{found:?}");
    for fine in [json!({ "fencing": false }), json!({ "replicas": 3 }), json!({ "failover": null })]
    {
        assert_eq!(two(fine), [""; 0]);
    }
    let mut empty = v1::Scenario::default();
    let none = v1::store::PrimaryReplica { replicas: 0, ..Default::default() };
    empty.nodes.0.push(("db".to_owned(), Node::PrimaryReplica(none)));
    let found = compile(&empty).expect_err("nobody is there").to_string();
    assert!(found.contains("nodes.db.primary_replica.replicas"), "{found}");
}

#[test]
fn a_cluster_can_elect_a_leader_and_keep_it() {
    let impossible = json!({
        "replicas": 3, "members": 5, "leader": 4, "election_min": "50ms", "election_max": "40ms",
        "heartbeat": "50ms", "reads": "lease", "check_quorum": false
    });
    let found = problems(store("raft", impossible));
    let raft = |what: &str| format!("nodes.db.raft.{what}");
    assert_eq!(
        found,
        [
            raft("members: there are no more than 3 replicas (choose 1 to 3)"),
            raft("leader: there are no more than 3 replicas (choose 1 to 3)"),
            raft("election_max: is less than `election_min`, 50ms (choose no less)"),
            raft(
                "heartbeat: followers stand for election before they can hear of their leader \
                 (choose less than 50ms)"
            ),
            raft(
                "check_quorum: a lease needs followers that ignore candidates while it lasts \
                 (choose true, or other reads)"
            ),
        ]
    );
    let even = json!({ "replicas": 4 });
    assert_eq!(
        problems(store("raft", even)),
        [raft(
            "replicas: of 4 members, 3 are a majority: as many may be lost as of 3, 1, and one more \
             can break (choose 3 or 5)"
        )]
    );
    let fine = json!({ "replicas": 4, "members": 3 });
    assert_eq!(problems(store("raft", fine)), [""; 0]);
    let found = problems(store("raft", json!({ "replicas": 5, "members": 2 })));
    assert!(found[0].starts_with(&raft("members: of 2 members, 2 are a majority")), "{found:?}");
    let mut empty = v1::Scenario::default();
    let none = v1::store::Raft { replicas: 0, ..Default::default() };
    empty.nodes.0.push(("db".to_owned(), Node::Raft(none)));
    let found = compile(&empty).expect_err("nobody is there").to_string();
    assert!(found.contains("nodes.db.raft.replicas"), "{found}");
}

fn bank(router: Value) -> Value {
    json!({
        "nodes": {
            "people": { "clients": { "to": "bank", "items": 100, "mix": { "transfer": 1 } } },
            "bank": { "router": router },
            "left": { "ledger": {} },
            "right": { "primary_replica": {} },
            "third": { "raft": {} },
            "fourth": { "quorum": {} },
            "web": { "service": { "calls": { "bank": {} } } },
        }
    })
}

#[test]
fn every_kind_of_store_can_be_a_shard() {
    let mut bank = bank(json!({ "shards": ["left", "right", "third", "fourth"] }));
    bank["nodes"]["people"]["clients"]["mix"] = json!({ "read": 1, "write": 1, "scan": 1 });
    let plan = plan(bank);
    for store in ["bank~right", "bank~fourth"] {
        assert_eq!(plan.find_links(store).len(), 6, "every replica is reached");
    }
    let Settings::Router(router) = &plan.nodes[1].settings else { panic!("a router") };
    let reads: Vec<bool> = router.shards.iter().map(|calls| calls.reads.is_some()).collect();
    let leaders = vec![false, true, true, false];
    assert_eq!((reads, router.items, router.active), (leaders, 100, 4));
}

#[test]
fn what_cannot_be_sharded_is_refused_with_a_remedy() {
    let found = |router: Value| problems(bank(router));
    let one = |router: Value, path: &str, says: &str| {
        let all = found(router);
        let meant = all.iter().any(|p| p.starts_with(path) && p.contains(says));
        assert!(meant && all.iter().all(|p| p.ends_with(')')), "{path}: {all:?}");
    };
    one(json!({}), "nodes.bank.router.shards: ", "there are no shards");
    one(json!({ "shards": ["left", "web"] }), "nodes.bank.router.shards.1: ", "`web` is no store");
    one(json!({ "shards": ["right-1"] }), "nodes.bank.router.shards.0: ", "is no store");
    one(json!({ "shards": ["left", "left"] }), "nodes.bank.router.shards.1: ", "already");
    one(json!({ "shards": ["nobody"] }), "nodes.bank.router.shards.0: ", "no node");
    one(json!({ "shards": ["left"], "active": 2 }), "nodes.bank.router.active: ", "only 1");
    let splits = |splits: Value| json!({ "shards": ["left", "right"], "placement": { "range": { "splits": splits } } });
    let path = "nodes.bank.router.placement.range.splits: ";
    one(splits(json!([10, 20])), path, "more ranges than the 2 shards");
    one(splits(json!([20, 10])), path, "not in order");
    one(splits(json!([10, 10])), path, "comes twice");
    one(splits(json!([100])), path, "without keys");
    one(splits(json!([0])), path, "without keys");
    assert_eq!(found(splits(json!([50]))), [""; 0]);
    let mut two = bank(json!({ "shards": ["left"] }));
    two["nodes"]["other"] = json!({ "router": { "shards": ["left"] } });
    assert!(problems(two).iter().any(|p| p.contains("is a shard of `bank` already")));
    let mut circle = bank(json!({ "shards": ["web"] }));
    circle["nodes"]["web"] = json!({ "service": { "calls": { "bank": {} } } });
    assert!(problems(circle).iter().any(|p| p.contains("calls go in a circle")));
    let mut many = bank(json!({ "shards": ["left"] }));
    many["nodes"]["people"]["clients"]["items"] = json!(2_000_000);
    assert!(problems(many).iter().any(|p| p.contains("more than 1000000 different items")));
}

#[test]
fn money_is_added_up_only_where_it_changes_hands() {
    let mut json = bank(json!({ "shards": ["left"] }));
    json["checks"] = json!([{ "conserved": {} }]);
    assert_eq!(problems(json.clone()), [""; 0]);
    json["nodes"]["people"]["clients"]["mix"] = json!({ "charge": 1 });
    let all = problems(json);
    assert!(all.iter().any(|p| p.starts_with("checks.0.conserved: `people` change")), "{all:?}");
}

fn cached(cache: Value) -> Value {
    json!({
        "nodes": {
            "people": { "clients": { "to": "cache" } },
            "cache": { "cache": cache },
            "web": { "service": { "calls": { "db": {}, "books": {} } } },
            "db": { "primary_replica": {} },
            "books": { "ledger": {} },
        }
    })
}

#[test]
fn what_makes_no_sense_of_a_cache_is_refused_with_a_remedy() {
    let one = |cache: Value, path: &str, says: &str| {
        let all = problems(cached(cache));
        let path = format!("nodes.cache.cache.{path}: ");
        let meant = all.iter().any(|p| p.starts_with(&path) && p.contains(says));
        assert!(meant && all.iter().all(|p| p.ends_with(')')), "{path}: {all:?}");
    };
    one(json!({}), "to", "no node is named");
    one(json!({ "to": "bd" }), "to", "did you mean `db`?");
    one(json!({ "to": "people" }), "to", "they ask and never answer");
    one(json!({ "to": "db", "ttl": "0s" }), "ttl", "no time at all");
    let late =
        json!({ "to": "db", "ttl": null, "refresh_early": "10%", "stale_while_error": "1s" });
    one(late.clone(), "refresh_early", "kept for ever");
    one(late, "stale_while_error", "set `ttl`");
    one(json!({ "to": "db", "writes": "behind", "delay": "0s" }), "delay", "at least 1ms");
    one(json!({ "to": "web", "writes": "behind" }), "writes", "`books` holds accounts");
    for fine in [
        json!({ "to": "db", "writes": "behind" }),
        json!({ "to": "web", "ttl": null, "capacity": 1 }),
        json!({ "to": "db", "jitter": "100%", "refresh_early": "100%", "replicas": 3 }),
    ] {
        assert_eq!(problems(cached(fine)), [""; 0]);
    }
    let mut none = v1::Scenario::default();
    let cache = v1::cache::Cache { capacity: 0, ..Default::default() };
    none.nodes.0.push(("cache".to_owned(), Node::Cache(cache)));
    let found = compile(&none).expect_err("no room").to_string();
    assert!(found.contains("nodes.cache.cache.capacity"), "{found}");
    let mut circle = cached(json!({ "to": "web" }));
    circle["nodes"]["web"] = json!({ "service": { "calls": { "cache": {} } } });
    assert!(problems(circle).iter().any(|p| p.contains("calls go in a circle")));
}

#[test]
fn clients_keep_a_session_through_a_cache() {
    let sessions = |to: &str, reads: &str| {
        let mut json = cached(json!({ "to": "db" }));
        json["nodes"]["people"] = json!({ "clients": { "to": to, "reads": reads } });
        json["nodes"]["web"] = json!({ "service": { "calls": { "cache": {} } } });
        let Settings::Clients(people) = &plan(json).nodes[0].settings else { panic!("people") };
        people.sessions
    };
    assert!(sessions("cache", "session") && sessions("web", "session"));
    assert!(
        sessions("db", "session") && !sessions("cache", "any") && !sessions("books", "session")
    );
}

#[test]
fn the_first_leader_is_a_member() {
    let mut json = json!({ "nodes": {
        "people": { "clients": { "to": "db" } },
        "db": { "raft": { "replicas": 5, "members": 3, "leader": 5 } },
    } });
    let says =
        "nodes.db.raft.leader: replica 5 is none of the first 3, the members (choose 1 to 3)";
    assert_eq!(problems(json.clone()), [says]);
    json["nodes"]["db"]["raft"]["leader"] = json!(3);
    assert_eq!(plan(json).nodes.len(), 6);
}
