//! A store without a leader asks for no more replicas than it has, and for nothing that its way of
//! merging cannot do.

use super::names::Cast;
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Span;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::node::{Clients, Node};
use crate::scenario::v1::store::{Merge, Quorum};

/// Says what is impossible.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        match node {
            Node::Quorum(store) => sizes(name, store, problems),
            Node::Clients(clients) => wishes(name, clients, cast, problems),
            _ => {}
        }
    }
}

fn sizes(name: &str, store: &Quorum, problems: &mut Diagnostics) {
    let path = |field: &str| format!("nodes.{name}.quorum.{field}");
    let (replicas, copies) = (store.replicas, store.copies);
    if copies > replicas {
        let message = format!("there are no {copies} copies on {replicas} replicas");
        let remedy = format!("choose 1 to {replicas}, or more replicas");
        problems.error(path("copies"), message, remedy);
    }
    for (field, number) in [("read", store.read), ("write", store.write)] {
        if number > copies {
            let message = format!("{number} answers are needed of {copies} copies");
            let remedy = format!("choose 1 to {copies}, or more copies");
            problems.error(path(field), message, remedy);
        }
    }
    if store.sloppy && copies >= replicas {
        let message = "every replica holds every item, so nobody is left to stand in";
        let remedy = format!("choose false, or more than {copies} replicas");
        problems.error(path("sloppy"), message, remedy);
    }
    if store.timeout < Span::millis(1) {
        problems.error(path("timeout"), "is too short", "choose at least 1ms");
    }
    if store.anti_entropy.is_some_and(|every| every < Span::millis(10)) {
        problems.error(path("anti_entropy"), "is too often", "choose at least 10ms");
    }
}

/// Clients want only what the way of merging can do.
fn wishes(name: &str, clients: &Clients, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let merges = cast.find(&clients.to).into_iter().find_map(|id| match cast.node(id).node {
        Node::Quorum(store) => Some(store.merge),
        _ => None,
    });
    let mix = &clients.mix;
    let counts = [("charge", mix.charge), ("increment", mix.increment)];
    let writes = [("write", mix.write), ("update", mix.update)];
    let sets = [("insert", mix.insert), ("remove", mix.remove)];
    let (cannot, why) = match merges {
        Some(Merge::Siblings) => ([counts, sets], "siblings"),
        Some(Merge::Counter) => ([writes, sets], "counter"),
        Some(Merge::Set) => ([writes, counts], "set"),
        Some(Merge::LastWriterWins) | None => return,
    };
    for (field, _) in cannot.into_iter().flatten().filter(|(_, weight)| *weight > 0) {
        let message = format!("`{}` merges as `{why}`, which cannot do this", clients.to);
        let remedy = "leave it out, or merge in another way";
        problems.error(format!("nodes.{name}.clients.mix.{field}"), message, remedy);
    }
}

#[cfg(test)]
mod tests {
    use super::super::compile;
    use crate::scenario::read;
    use serde_json::{Value, json};

    fn problems(store: Value, mix: Value) -> Vec<String> {
        let scenario = json!({ "nodes": {
            "people": { "clients": { "count": 1, "to": "db", "mix": mix } },
            "db": { "quorum": store },
        } });
        let scenario = read::value(scenario).unwrap_or_else(|problems| panic!("{problems}"));
        let problems = compile(&scenario).err().unwrap_or_default().problems;
        problems.iter().map(|p| format!("{}: {} ({})", p.path, p.message, p.remedy)).collect()
    }

    #[test]
    fn no_quorum_is_larger_than_what_it_is_of() {
        let reads = json!({ "read": 1 });
        assert_eq!(problems(json!({}), reads.clone()), [""; 0]);
        let sizes = json!({ "copies": 2, "read": 3, "write": 4, "replicas": 4 });
        let says = [
            "nodes.db.quorum.read: 3 answers are needed of 2 copies \
             (choose 1 to 2, or more copies)",
            "nodes.db.quorum.write: 4 answers are needed of 2 copies \
             (choose 1 to 2, or more copies)",
        ];
        assert_eq!(problems(sizes, reads.clone()), says);
        let copies = json!({ "copies": 5 });
        let says = "nodes.db.quorum.copies: there are no 5 copies on 3 replicas \
                    (choose 1 to 3, or more replicas)";
        assert_eq!(problems(copies, reads.clone()), [says]);
        let sloppy = json!({ "sloppy": true });
        let says = "nodes.db.quorum.sloppy: every replica holds every item, so nobody is left to \
                    stand in (choose false, or more than 3 replicas)";
        assert_eq!(problems(sloppy, reads.clone()), [says]);
        let hasty = json!({ "timeout": "0s", "anti_entropy": "1ms" });
        let says = [
            "nodes.db.quorum.timeout: is too short (choose at least 1ms)",
            "nodes.db.quorum.anti_entropy: is too often (choose at least 10ms)",
        ];
        assert_eq!(problems(hasty, reads), says);
    }

    #[test]
    fn nobody_wants_what_a_merge_cannot_do() {
        let says = |merge: &str, field: &str| {
            format!(
                "nodes.people.clients.mix.{field}: `db` merges as `{merge}`, which cannot do this \
                 (leave it out, or merge in another way)"
            )
        };
        let mix = json!({
            "read": 1, "write": 1, "charge": 1, "update": 1, "increment": 1, "insert": 1,
            "remove": 1,
        });
        let found = |merge: &str| problems(json!({ "merge": merge }), mix.clone());
        let all = |merge: &str, fields: [&str; 4]| fields.map(|field| says(merge, field));
        let siblings = all("siblings", ["charge", "increment", "insert", "remove"]);
        assert_eq!(found("siblings"), siblings);
        assert_eq!(found("counter"), all("counter", ["write", "update", "insert", "remove"]));
        assert_eq!(found("set"), all("set", ["write", "update", "charge", "increment"]));
        assert_eq!(found("last_writer_wins"), [""; 0]);
    }
}
