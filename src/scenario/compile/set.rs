//! What a path and a value mean.
//!
//! A path may leave out what goes without saying: `nodes.`, and the name of the chosen variant
//! (`api.queue` for `nodes.api.service.queue`). A value that is text may be a number, a word, a
//! quantity, a list with commas, `none`, or `default`. What is meant is what the format accepts. A
//! whole node under a new name (`nodes.cache`) is added.

use super::names;
use crate::base::diagnostics::Diagnostics;
use crate::scenario::read::{self, near};
use crate::scenario::v1::node::Node;
use crate::scenario::v1::wire::Wire;
use crate::scenario::v1::wire::named::Named;
use crate::scenario::v1::{Link, Scenario};
use serde_json::{Map, Value};

/// Longest path that is looked at, in steps.
const MOST_STEPS: usize = 12;

/// Changes `scenario` without asking whether it still makes sense.
pub fn change(scenario: &mut Scenario, path: &str, value: &Value) -> Result<(), Diagnostics> {
    let steps = steps(path)?;
    let leaves = leaves(value);
    let (first, rest) = (steps[0], &steps[1..]);
    if first.contains('~') {
        return link(scenario, first, rest, &leaves);
    }
    if scenario.nodes.names().any(|n| names::stands_for(first, n, n)) {
        return nodes(scenario, first, rest, &leaves);
    }
    match (first, rest) {
        ("nodes", [name, rest @ ..]) => nodes(scenario, name, rest, &leaves),
        ("links", [name, rest @ ..]) => link(scenario, name, rest, &leaves),
        _ => {
            *scenario = accepted(&scenario.full(), &steps, &leaves, "")
                .map_err(|problems| advise(scenario, first, problems))?;
            Ok(())
        }
    }
}

/// The name may have been meant for a node.
fn advise(scenario: &Scenario, first: &str, mut problems: Diagnostics) -> Diagnostics {
    let names: Vec<&str> = scenario.nodes.names().collect();
    let replica = first.rsplit_once('-').map_or(first, |(group, _)| group);
    if let Some(problem) = problems.problems.first_mut()
        && problem.message.starts_with("unknown field")
    {
        problem.message = format!("there is no node and no part of a scenario called `{first}`");
        if names.contains(&replica) {
            problem.remedy = format!("replicas share their settings: change `{replica}`");
        } else if let Some(near) = near(first, &names) {
            problem.remedy = format!("did you mean `{near}`?");
        } else {
            problem.remedy = format!("name one of: {}", names.join(", "));
        }
    }
    problems
}

fn nodes(
    scenario: &mut Scenario,
    name: &str,
    rest: &[&str],
    leaves: &[Leaf],
) -> Result<(), Diagnostics> {
    let mut found = false;
    for (group, node) in &mut scenario.nodes.0 {
        if !names::stands_for(name, group, group) {
            continue;
        }
        found = true;
        *node = accepted::<Node>(&node.full(), rest, leaves, &format!("nodes.{group}"))?;
    }
    if found {
        return Ok(());
    }
    // A whole node that is not there yet is added.
    if let [Leaf::Json(value @ Value::Object(_)), ..] = leaves
        && rest.is_empty()
    {
        let node = read::part(value, &format!("nodes.{name}"))?;
        scenario.nodes.0.push((name.to_owned(), node));
        return Ok(());
    }
    let mut problems = Diagnostics::default();
    let names: Vec<&str> = scenario.nodes.names().collect();
    let remedy = match near(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("name one of: {}", names.join(", ")),
    };
    problems.error(format!("nodes.{name}"), format!("there is no node `{name}`"), remedy);
    Err(problems)
}

fn link(
    scenario: &mut Scenario,
    name: &str,
    rest: &[&str],
    leaves: &[Leaf],
) -> Result<(), Diagnostics> {
    let path = format!("links.{name}");
    let Named(links) = &mut scenario.links;
    let place = links.iter().position(|(n, _)| n == name);
    let old = place.map_or(Link::default(), |place| links[place].1.clone());
    let new = accepted::<Link>(&old.full(), rest, leaves, &path)?;
    match place {
        Some(place) => links[place].1 = new,
        None => links.push((name.to_owned(), new)),
    }
    // A link that does not differ need not be listed.
    links.retain(|(_, link)| *link != Link::default());
    Ok(())
}

fn steps(path: &str) -> Result<Vec<&str>, Diagnostics> {
    let steps: Vec<&str> =
        path.split(['.', '[']).map(|step| step.strip_suffix(']').unwrap_or(step)).collect();
    if steps.len() > MOST_STEPS || steps.iter().any(|step| step.is_empty()) {
        let mut problems = Diagnostics::default();
        let message = format!("`{path}` is not a path");
        problems.error(path, message, "write names with dots, as in api.queue");
        return Err(problems);
    }
    Ok(steps)
}

/// What a value may mean.
enum Leaf {
    Json(Value),
    /// Whatever is there when nothing is said.
    Default,
}

fn leaves(value: &Value) -> Vec<Leaf> {
    let Value::String(text) = value else { return vec![Leaf::Json(value.clone())] };
    let mut leaves = Vec::new();
    if let Some(number) = scalar(text).filter(|v| !v.is_string()) {
        leaves.push(Leaf::Json(number));
    }
    leaves.push(Leaf::Json(value.clone()));
    match text.as_str() {
        "default" => leaves.push(Leaf::Default),
        "none" | "off" => leaves.extend([Leaf::Json(Value::Null), Leaf::Json(false.into())]),
        "on" | "yes" => leaves.push(Leaf::Json(true.into())),
        "no" => leaves.push(Leaf::Json(false.into())),
        _ => {}
    }
    if text.contains(',') {
        let items = text.split(',').filter_map(scalar).collect();
        leaves.push(Leaf::Json(Value::Array(items)));
    } else {
        let variant = Map::from_iter([(text.clone(), Value::Object(Map::new()))]);
        leaves.push(Leaf::Json(Value::Object(variant)));
        leaves.push(Leaf::Json(Value::Array(vec![value.clone()])));
    }
    leaves
}

fn scalar(text: &str) -> Option<Value> {
    let plain = |value: &Value| value.is_number() || value.is_boolean();
    let json = serde_json::from_str(text).ok().filter(plain);
    json.or_else(|| Some(Value::from(text)))
}

/// The first way to put one of `leaves` at the end of `steps` that the format accepts.
fn accepted<T: Wire>(
    old: &Value,
    steps: &[&str],
    leaves: &[Leaf],
    path: &str,
) -> Result<T, Diagnostics> {
    let mut first = None;
    for leaf in leaves {
        let mut ways = Vec::new();
        insert(old, steps, leaf, &mut |value| ways.push(value));
        for json in ways {
            match read::part(&json, path) {
                Ok(thing) => return Ok(thing),
                // A field that is not known tells more than a type that does not fit.
                Err(problems) => match &first {
                    Some(first) if knows(first) || !knows(&problems) => {}
                    _ => first = Some(problems),
                },
            }
        }
    }
    Err(first.unwrap_or_else(|| {
        let mut problems = Diagnostics::default();
        let message = format!("`{}` leads nowhere", steps.join("."));
        problems.error(path, message, "look up the names of the parameters");
        problems
    }))
}

fn knows(problems: &Diagnostics) -> bool {
    problems.problems.iter().any(|p| p.message.starts_with("unknown field"))
}

/// Every way to put `leaf` at the end of `steps`: names of variants may have been left out, or
/// another variant may be meant.
fn insert(old: &Value, steps: &[&str], leaf: &Leaf, found: &mut dyn FnMut(Value)) {
    let Some((step, rest)) = steps.split_first() else {
        if let Leaf::Json(value) = leaf {
            found(value.clone());
        }
        return;
    };
    if let Value::Array(list) = old {
        let place = step.parse::<usize>().ok().filter(|place| *place <= list.len());
        let Some(place) = place else { return };
        let old = list.get(place).unwrap_or(&Value::Null);
        return insert(old, rest, leaf, &mut |value| {
            let mut list = list.clone();
            if place < list.len() {
                list[place] = value;
            } else {
                list.push(value);
            }
            found(Value::Array(list));
        });
    }
    let none = Map::new();
    let map = old.as_object().unwrap_or(&none);
    let is_default = rest.is_empty() && matches!(leaf, Leaf::Default);
    if map.len() == 1
        && let Some((only, inner)) = map.iter().next()
        && only != step
    {
        insert(inner, steps, leaf, &mut |value| {
            found(Value::Object(Map::from_iter([(only.clone(), value)])));
        });
    }
    if is_default {
        let mut map = map.clone();
        map.shift_remove(*step);
        return found(Value::Object(map));
    }
    let inner = map.get(*step).unwrap_or(&Value::Null);
    insert(inner, rest, leaf, &mut |value| {
        let mut map = map.clone();
        map.insert((*step).to_owned(), value);
        found(Value::Object(map));
    });
    if !map.is_empty() && !map.contains_key(*step) {
        insert(&Value::Null, rest, leaf, &mut |value| {
            found(Value::Object(Map::from_iter([((*step).to_owned(), value)])));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::compile::set;
    use serde_json::json;

    fn scenario() -> Scenario {
        read::value(json!({
            "nodes": {
                "people": { "clients": { "to": "lb", "timeout": "1s" } },
                "lb": { "balancer": { "to": "api" } },
                "api": { "service": { "replicas": 2, "calls": { "db": {} } } },
                "db": { "ledger": {} },
            }
        }))
        .expect("a scenario without mistakes")
    }

    fn changed(path: &str, value: impl Into<Value>) -> Value {
        let mut scenario = scenario();
        let plan = set(&mut scenario, path, &value.into());
        plan.unwrap_or_else(|d| panic!("{path}: {d}"));
        serde_json::to_value(&scenario).expect("a scenario is JSON")
    }

    #[test]
    fn a_whole_node_under_a_new_name_is_added() {
        let cache = json!({ "cache": { "to": "db" } });
        let nodes = changed("nodes.cache", cache.clone())["nodes"].clone();
        assert_eq!((&nodes["cache"], &nodes["db"]), (&cache, &json!({ "ledger": {} })));
        let wrong = |path: &str, value: Value| {
            let problems = set(&mut scenario(), path, &value).expect_err(path);
            problems.problems[0].to_string()
        };
        assert!(wrong("nodes.cach", json!(5)).contains("there is no node `cach`"));
        assert!(wrong("nodes.cache.ttl", cache).contains("there is no node `cache`"));
        let bad = wrong("nodes.cache", json!({ "cache": { "two": "db" } }));
        assert!(bad.contains("nodes.cache.cache"), "{bad}");
    }

    #[test]
    fn paths_may_leave_out_what_goes_without_saying() {
        for path in ["api.queue", "api.service.queue", "nodes.api.service.queue", "ap*.queue"] {
            assert_eq!(changed(path, "50")["nodes"]["api"]["service"]["queue"], 50, "{path}");
        }
        let call = |json: Value| json["nodes"]["api"]["service"]["calls"]["db"].clone();
        assert_eq!(
            call(changed("api.calls.db.retry.attempts", 3)),
            json!({"retry": {"attempts": 3}})
        );
        assert_eq!(
            changed("people.load.rate", "20ps")["nodes"]["people"]["clients"]["load"],
            json!({"open": {"rate": "20/s"}})
        );
        assert_eq!(changed("lb~api.loss", "2pct")["links"], json!({"lb~api": {"loss": "2%"}}));
        assert_eq!(changed("seed", "7")["seed"], 7);
        assert_eq!(changed("duration", "2m")["duration"], "2m");
        assert_eq!(
            changed("network.latency", "5ms")["network"]["latency"],
            json!({"constant": "5ms"})
        );
    }

    #[test]
    fn words_choose_variants() {
        let people = |json: Value| json["nodes"]["people"]["clients"].clone();
        let api = |json: Value| json["nodes"]["api"]["service"].clone();
        assert_eq!(
            people(changed("people.retry.backoff", "exp"))["retry"],
            json!({"backoff": "exponential"})
        );
        assert_eq!(
            people(changed("people.breaker", "consecutive"))["breaker"],
            json!({"consecutive": {}})
        );
        assert_eq!(
            people(changed("people.load.closed.think", "2s"))["load"],
            json!({"closed": {"think": {"constant": "2s"}}})
        );
        assert_eq!(people(changed("people.timeout", "none")).get("timeout"), None);
        assert_eq!(people(changed("people.timeout", "default")).get("timeout"), None);
        assert_eq!(people(changed("people.own_policies", "off"))["own_policies"], false);
        assert_eq!(
            changed("api.time.uniform", "5ms,10ms")["nodes"]["api"]["service"]["time"],
            json!({"uniform": ["5ms", "10ms"]})
        );
        assert_eq!(
            api(changed("api.time", json!({"log_normal": {"sigma": 1.0}})))["time"],
            json!({"log_normal": {"sigma": 1.0}})
        );
    }

    #[test]
    fn a_refused_change_says_why_and_changes_nothing() {
        for (path, value, words) in [
            ("api.queue", "many", "nodes.api.service.queue: `\"many\"` is not a whole number"),
            ("api.qeue", "5", "did you mean `queue`?"),
            ("aip.queue", "5", "did you mean `api`?"),
            ("api-1.queue", "5", "replicas share their settings: change `api`"),
            ("api.workers", "0", "nodes.api.service.workers: 0 is outside its limits"),
            ("people.to", "api-7", "there is no node `api-7`"),
            ("people.retry.backoff", "exponent", "nodes.people.clients.retry.backoff"),
            ("lb~api.loss", "200pct", "links.lb~api.loss"),
            ("api..queue", "5", "is not a path"),
            ("", "5", "is not a path"),
        ] {
            let mut scenario = scenario();
            let problems = set(&mut scenario, path, &value.into()).expect_err(path);
            assert!(problems.to_string().contains(words), "{path}: {problems}");
            assert_eq!(scenario, self::scenario());
        }
    }
}
