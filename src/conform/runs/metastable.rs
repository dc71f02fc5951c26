//! The file of overload and metastable states: each section has its own file of replays.

use super::{collapse, only, outages, strategies};
use crate::conform::Cases;
use serde_json::Value;

const SECTIONS: [&str; 5] =
    ["simple_collapse", "retry_strategies", "hotos21", "osdi22_retry", "stability_sim"];

/// True if a file has any of the sections.
pub(in crate::conform) fn has(file: &Value) -> bool {
    SECTIONS.iter().any(|&section| file.get(section).is_some())
}

pub(in crate::conform) fn replay(file: &Value, cases: &mut Cases<'_>) {
    let known: Vec<&str> = ["about", "format"].into_iter().chain(SECTIONS).collect();
    only(file, "", &known, cases);
    let sections: [fn(&Value, &mut Cases<'_>); 5] = [
        collapse::replay,
        strategies::replay,
        outages::hotos21,
        outages::osdi22,
        outages::stability_sim,
    ];
    for (name, replay) in SECTIONS.iter().zip(sections) {
        if let Some(section) = file.get(*name) {
            replay(section, cases);
        }
    }
}
