//! What can be run and is hardly meant.

use super::Scenario;
use crate::base::diagnostics::Diagnostics;

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
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::compile::whole;
    use serde_json::{Value, json};

    fn said(faults: Value) -> String {
        let json = json!({
            "duration": "60s",
            "nodes": {
                "people": { "clients": { "to": "db" } },
                "db": { "ledger": {} },
            },
            "faults": faults,
        });
        let scenario = whole::value(&json).unwrap_or_else(|problems| panic!("{problems}"));
        remarks(&scenario).to_string()
    }

    #[test]
    fn a_fault_after_the_end_is_told() {
        let crash = |at: &str| json!({ "at": at, "crash": "db" });
        let late = said(json!([crash("59s"), crash("75500ms")]));
        let says = "warning: faults[1].at: 75.5s is after the end of the run: it never happens";
        assert!(late.starts_with(says), "{late}");
        assert_eq!(late.lines().count(), 1, "{late}");
    }
}
