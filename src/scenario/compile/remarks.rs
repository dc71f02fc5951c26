//! What can be run and is hardly meant.

use super::Scenario;
use crate::base::diagnostics::Diagnostics;
use crate::scenario::v1::node::Node;

/// Warnings about a scenario that compiles.
pub fn remarks(scenario: &Scenario) -> Diagnostics {
    let mut remarks = Diagnostics::default();
    let end = scenario.duration;
    for (number, fault) in scenario.faults.iter().enumerate() {
        let Some(at) = fault.at.filter(|at| *at >= end) else { continue };
        let message = format!("{at} is after the end of the run: it never happens");
        let remedy = format!("choose less than {end}, or a longer duration");
        remarks.warn(format!("faults[{number}].at"), message, remedy);
    }
    for (name, node) in scenario.nodes.iter() {
        let Node::PrimaryReplica(store) = node else { continue };
        if store.replicas == 2 && store.fencing && store.failover.is_some() {
            let message = "of 2 replicas, the one that is left is no majority: it never takes over";
            let remedy = "choose 3 replicas or more, or set fencing to false";
            remarks.warn(format!("nodes.{name}.primary_replica.replicas"), message, remedy);
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::compile::whole;
    use serde_json::{Value, json};

    fn said(faults: Value, store: Value) -> String {
        let json = json!({
            "duration": "60s",
            "nodes": {
                "people": { "clients": { "to": "db" } },
                "db": { "primary_replica": store },
            },
            "faults": faults,
        });
        let scenario = whole::value(&json).unwrap_or_else(|problems| panic!("{problems}"));
        remarks(&scenario).to_string()
    }

    #[test]
    fn a_fault_after_the_end_is_told() {
        let crash = |at: &str| json!({ "at": at, "crash": "db-1" });
        let late = said(json!([crash("59s"), crash("75500ms")]), json!({}));
        let says = "warning: faults[1].at: 75.5s is after the end of the run: it never happens";
        assert!(late.starts_with(says), "{late}");
        assert_eq!(late.lines().count(), 1, "{late}");
    }

    #[test]
    fn two_replicas_that_need_a_majority_are_told() {
        let two = said(json!([]), json!({ "replicas": 2, "failover": {} }));
        assert!(two.starts_with("warning: nodes.db.primary_replica.replicas: of 2"), "{two}");
        for fine in [
            json!({ "replicas": 2 }),
            json!({ "replicas": 3, "failover": {} }),
            json!({ "replicas": 2, "failover": {}, "fencing": false }),
        ] {
            assert_eq!(said(json!([]), fine), "");
        }
    }
}
