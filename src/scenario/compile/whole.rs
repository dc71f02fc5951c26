//! A scenario as it is written, with all that is wrong with it at once: what cannot be read, and
//! what makes no sense in the rest.

use super::{MOST_PROBLEMS, compile};
use crate::base::diagnostics::{Diagnostics, Problem};
use crate::scenario::read;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::node::Node;
use crate::scenario::v1::wire::Wire;
use crate::scenario::v1::wire::walk::Walk;
use serde_json::Value;

/// A scenario from its JSON text; it compiles.
pub fn text(text: &str) -> Result<Scenario, Diagnostics> {
    value(&read::json(text)?)
}

/// The same from JSON.
pub fn value(json: &Value) -> Result<Scenario, Diagnostics> {
    let mut problems = Diagnostics::default();
    let read = Scenario::read(json, &mut Walk::new("", &mut problems));
    let Some(mut scenario) = read else { return Err(problems) };
    let unread = stand_in(json, &mut scenario);
    let more = compile(&scenario).err().unwrap_or_default();
    if problems.is_empty() {
        return if more.is_empty() { Ok(scenario) } else { Err(more) };
    }
    let misread = Misread { json, scenario: &scenario, unread, mistakes: problems.problems };
    let more: Vec<Problem> =
        more.problems.into_iter().filter(|problem| !misread.explains(problem)).collect();
    let mut problems = Diagnostics { problems: misread.mistakes };
    problems.problems.extend(more);
    problems.problems.truncate(MOST_PROBLEMS);
    Err(problems)
}

/// Puts a service in the place of each node that could not be read, so that whoever calls it calls
/// somebody. Gives their names.
fn stand_in(json: &Value, scenario: &mut Scenario) -> Vec<String> {
    let named = json.get("nodes").and_then(Value::as_object);
    let names = named.into_iter().flat_map(|nodes| nodes.keys().cloned());
    let unread: Vec<String> = names.filter(|name| scenario.nodes.get(name).is_none()).collect();
    let service = |name: &String| (name.clone(), Node::Service(Default::default()));
    scenario.nodes.0.extend(unread.iter().map(service));
    unread
}

/// What could not be read, and what was put in its place.
struct Misread<'a> {
    json: &'a Value,
    scenario: &'a Scenario,
    unread: Vec<String>,
    mistakes: Vec<Problem>,
}

impl Misread<'_> {
    /// Whether a problem may be there only because something else was not read.
    fn explains(&self, problem: &Problem) -> bool {
        let path = problem.path.as_str();
        let words = || problem.message.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let names = |name: &str| {
            let is_replica = |word: &str| {
                word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            };
            !name.is_empty() && words().any(is_replica)
        };
        let misses = problem.message.starts_with("there is no ");
        self.mistakes.iter().any(|mistake| {
            let place = mistake.path.as_str();
            within(path, place)
                || parent(place) == path
                || (path.starts_with("faults[") && within(place, path))
                || (parent(place) == parent(path) && at(self.json, path).is_none())
                || (misses && place.split(['.', '[']).any(names))
        }) || self.unread.iter().any(|name| within(path, &format!("nodes.{name}")) || names(name))
            || self.is_shifted(path)
    }

    /// Items of a list have other numbers when one of them could not be read.
    fn is_shifted(&self, path: &str) -> bool {
        let Some((list, _)) = path.split_once('[') else { return false };
        let read = match list {
            "faults" => self.scenario.faults.len(),
            "checks" => self.scenario.checks.len(),
            _ => return self.mistakes.iter().any(|mistake| mistake.path.starts_with(list)),
        };
        at(self.json, list).and_then(Value::as_array).map(Vec::len) != Some(read)
    }
}

/// Whether a path is another, or leads on from there.
fn within(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn parent(path: &str) -> &str {
    path.rfind(['.', '[']).and_then(|end| path.get(..end)).unwrap_or_default()
}

/// What stands at a path.
fn at<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    path.split(['.', '[']).try_fold(json, |here, step| match step.strip_suffix(']') {
        Some(number) => here.get(number.parse::<usize>().ok()?),
        None => here.get(step),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(json: &Value) -> Vec<String> {
        let found = value(json).err().unwrap_or_default().problems;
        found.iter().map(|p| format!("{}: {} ({})", p.path, p.message, p.remedy)).collect()
    }

    #[test]
    fn a_field_that_cannot_be_read_hides_no_other_mistake() {
        let json = json!({
            "duration": "60s",
            "nodes": {
                "people": { "clients": {
                    "count": 0, "to": "nobody", "retry": { "attempts": 1000 } } },
                "api": { "service": {
                    "replicas": 0, "workers": 0, "queu": 4, "calls": { "ghost": {} } } },
            },
            "network": { "latency": { "uniform": ["40ms", "20ms"] } },
            "faults": [
                { "at": "10s", "for": "5s", "slow": { "node": "nope", "factor": 0 } },
                { "at": "20s", "cut": { "links": ["people~zzz"] } },
            ],
        });
        let found = problems(&json);
        for start in [
            "nodes.api.service.queu: unknown field",
            "nodes.people.clients.count: 0 is outside",
            "nodes.people.clients.to: there is no node `nobody`",
            "nodes.people.clients.retry.attempts: 1000 is outside",
            "nodes.api.service.replicas: 0 is outside",
            "nodes.api.service.workers: 0 is outside",
            "nodes.api.service.calls.ghost: there is no node `ghost`",
            "network.latency",
            "faults[0].slow.node: there is no node `nope`",
            "faults[0].slow.factor: 0 is outside",
            "faults[1].cut.links[0]: there is no node `zzz`",
        ] {
            assert!(found.iter().any(|f| f.starts_with(start)), "{start}\n{found:#?}");
        }
        assert_eq!(found.len(), 11, "{found:#?}");
    }

    #[test]
    fn what_follows_from_a_mistake_is_not_told() {
        let shop = json!({
            "nodes": {
                "people": { "clients": { "to": "api" } },
                "api": { "service": { "replicas": 3, "calls": { "db": {} } } },
                "db": { "ledger": {} },
            },
            "faults": [
                { "at": "10s", "crash": "api-2" },
                { "at": "70s", "cut": { "links": ["api~db"] } },
            ],
            "duration": "90s",
        });
        assert_eq!(problems(&shop), [""; 0]);
        let wrong: [(&str, Value); 8] = [
            ("/nodes/api", json!({ "servce": { "replicas": 3 } })),
            ("/nodes/api/service/replicas", json!("three")),
            ("/nodes/api/service/calls", json!({ "db": 5 })),
            ("/nodes/db", json!("ledger")),
            ("/nodes/people/clients", json!({ "too": "api" })),
            ("/faults/0", json!({ "att": "10s", "crash": "api-2" })),
            ("/faults/0", json!("crash")),
            ("/duration", json!("long")),
        ];
        for (place, other) in wrong {
            let mut json = shop.clone();
            if let Some(part) = json.pointer_mut(place) {
                *part = other;
            }
            assert_eq!(problems(&json).len(), 1, "{place}: {:#?}", problems(&json));
            // And what is wrong elsewhere is still told, with every name in its remedy.
            json["nodes"]["more"] = json!({ "clients": { "to": "nobody" } });
            let found = problems(&json);
            assert_eq!(found.len(), 2, "{place}: {found:#?}");
            assert!(found[1].contains("there is no node `nobody`"), "{found:#?}");
            assert!(found[1].contains("api") && found[1].contains("db"), "{found:#?}");
        }
    }
}
