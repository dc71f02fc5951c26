//! Takes away faults, deeds, nodes, load and time for as long as the same property stays broken:
//! what is left is what it takes.

use super::judge;
use crate::base::time::Span;
use crate::check::Verdict;
use crate::scenario::compile::{change, compile};
use crate::scenario::link::Opened;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::node::Node;
use serde_json::{Value, json};

/// Faults are not made shorter than that.
const SHORTEST: Span = Span::millis(20);

/// What is left of a run in which something does not hold.
#[derive(Clone, Debug)]
pub struct Smaller {
    /// What is left.
    pub opened: Opened,
    /// What does not hold, in the run that is left.
    pub broken: Verdict,
    /// What was taken away, in words.
    pub gone: Vec<String>,
    /// How many runs were tried.
    pub runs: u32,
}

/// Makes a run smaller in which something does not hold; `most` runs are tried. None if everything
/// holds.
pub fn shrink(opened: &Opened, most: u32) -> Option<Smaller> {
    let broken = judge(opened).broken.into_iter().next()?;
    let mut left = Smaller { opened: opened.clone(), broken, gone: Vec::new(), runs: 1 };
    // A link says what its run was; this will be another one.
    (left.opened.preset, left.opened.digest, left.opened.t) = (None, None, None);
    let mut any = true;
    while std::mem::take(&mut any) {
        let mut place = 0;
        // Something gone makes the list shorter: the same place holds the next candidate then.
        while let Some((what, candidate)) = candidates(&left).into_iter().nth(place) {
            if left.runs >= most {
                return Some(left);
            }
            match fails(&candidate, &left.broken.name, &mut left.runs) {
                Some(broken) => {
                    left = Smaller { opened: candidate, broken, ..left };
                    left.gone.push(what);
                    any = true;
                }
                None => place += 1,
            }
        }
    }
    Some(left)
}

/// The verdict of that name, if the run is possible and breaks it.
fn fails(opened: &Opened, name: &str, runs: &mut u32) -> Option<Verdict> {
    compile(&opened.scenario).ok()?;
    *runs += 1;
    judge(opened).broken.into_iter().find(|verdict| verdict.name == name)
}

/// Everything that may be taken away next, the most first.
fn candidates(left: &Smaller) -> Vec<(String, Opened)> {
    let (opened, scenario) = (&left.opened, &left.opened.scenario);
    let mut found = Vec::new();
    for place in 0..opened.script.len() {
        let mut smaller = opened.clone();
        smaller.script.remove(place);
        found.push((format!("what was done by hand, number {}", place + 1), smaller));
    }
    let mut with = |what: String, change: &dyn Fn(&mut Scenario)| {
        let mut smaller = opened.clone();
        change(&mut smaller.scenario);
        found.push((what, smaller));
    };
    for (place, fault) in scenario.faults.iter().enumerate() {
        let at = fault.at.map_or(String::new(), |at| format!(" at {at}"));
        with(format!("fault {}{at}", place + 1), &|s| drop(s.faults.remove(place)));
    }
    for place in 0..scenario.links.0.len() {
        let name = scenario.links.0[place].0.clone();
        with(format!("link {name}"), &|s| drop(s.links.0.remove(place)));
    }
    if let Some(at) = left.broken.at {
        // Verdicts are looked at now and then, so a little after it.
        let end = Span((at.0 / 100_000 + 2) * 100_000);
        if end < scenario.duration {
            with(format!("all after {end}"), &|s| s.duration = end);
        }
    }
    for (place, fault) in scenario.faults.iter().enumerate() {
        let half = fault.r#for.map(|lasts| Span(lasts.0 / 2)).filter(|half| *half >= SHORTEST);
        if let Some(half) = half {
            let what = format!("half of fault {}, which lasts {half} now", place + 1);
            with(what, &|s| s.faults[place].r#for = Some(half));
        }
    }
    found.extend(settings(opened));
    found
}

/// Fewer replicas, clients and items; no retries; a calm network.
fn settings(opened: &Opened) -> Vec<(String, Opened)> {
    let mut wanted: Vec<(String, Value)> = vec![
        ("network.loss".to_owned(), json!("0%")),
        ("network.duplication".to_owned(), json!("0%")),
        ("network.latency".to_owned(), json!("1ms")),
    ];
    for (name, node) in opened.scenario.nodes.iter() {
        let mut set = |path: &str, value: Value| wanted.push((format!("{name}.{path}"), value));
        if let Node::Clients(clients) = node {
            set("count", json!((clients.count / 2).max(1)));
            set("items", json!((clients.items / 2).max(1)));
            set("retry.attempts", json!(1));
            for kind in ["read", "write", "charge", "increment", "update"] {
                set(&format!("mix.{kind}"), json!(0));
            }
        }
        if let Some(replicas) = replicas(&opened.scenario, name).filter(|n| *n > 1) {
            set("replicas", json!(replicas - 1));
            // A cluster that decides by majority has an odd number.
            set("replicas", json!(replicas.saturating_sub(2).max(1)));
        }
    }
    let smaller = |(path, value): (String, Value)| {
        let mut smaller = opened.clone();
        change(&mut smaller.scenario, &path, &value).ok()?;
        let differs = smaller.scenario != opened.scenario;
        differs.then(|| (format!("{path} is {value} now"), smaller))
    };
    wanted.into_iter().filter_map(smaller).collect()
}

/// How many replicas a node has, where it has any.
fn replicas(scenario: &Scenario, name: &str) -> Option<u64> {
    let plan = compile(scenario).ok()?;
    let own = plan.nodes.iter().filter(|node| node.group == name).count();
    u64::try_from(own).ok()
}
