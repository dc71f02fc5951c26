//! Things that break and are repaired again and again: drawn when a run is set up, each thing from
//! a stream of its own, so that one more of them moves none of the others.

use super::MOST_FAULTS;
use super::fault::Compiler;
use crate::base::id::NodeId;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::scenario::v1::{Breaks, Scenario};
use crate::sim::fault::{Fault, Planned, Trigger};

/// Every crash from `from` on, for `lasts` or to the end of the run.
pub(super) fn compile(
    breaks: &Breaks,
    number: usize,
    (from, lasts): (Span, Option<Span>),
    scenario: &Scenario,
    compiler: &mut Compiler<'_>,
) -> Vec<Planned> {
    let path = format!("{}.breaks", compiler.path);
    let (after, repair) = (breaks.after.compile(), breaks.repair.compile());
    if after.mean() < 1_000.0 {
        let message = "things break faster than anything could happen in between";
        compiler.problems.error(format!("{path}.after"), message, "choose at least 1ms");
        return Vec::new();
    }
    if breaks.of.is_empty() {
        let remedy = "name nodes or domains";
        compiler.problems.error(format!("{path}.of"), "nothing is named", remedy);
    }
    let end = Time::ZERO + lasts.map_or(scenario.duration, |lasts| from + lasts);
    let mut planned = Vec::new();
    for (unit, nodes) in units(breaks, &path, compiler).iter().enumerate() {
        let mut stream = Stream::new(scenario.seed, "breaks", (number << 16 | unit) as u64);
        let mut at = Time::ZERO + from + after.sample(&mut stream);
        while at < end && planned.len() <= MOST_FAULTS {
            let lasts = repair.sample(&mut stream);
            let crash = |node: &NodeId| Planned {
                trigger: Trigger::At(at),
                lasts: Some(lasts),
                fault: Fault::Crash { node: *node },
            };
            planned.extend(nodes.iter().map(crash));
            at = at + lasts + after.sample(&mut stream).max(Span::micros(1));
        }
    }
    planned
}

/// What breaks together: each node by itself, and all of a domain at once.
fn units(breaks: &Breaks, path: &str, compiler: &mut Compiler<'_>) -> Vec<Vec<NodeId>> {
    let mut units = Vec::new();
    for (n, name) in breaks.of.iter().enumerate().take(MOST_FAULTS) {
        compiler.cast.known_or_domain(name, &format!("{path}.of[{n}]"), compiler.problems);
        let nodes = compiler.cast.breakable(name);
        match compiler.cast.domains.find(name) {
            Some(_) => units.push(nodes),
            None => units.extend(nodes.into_iter().map(|node| vec![node])),
        }
    }
    units
}
