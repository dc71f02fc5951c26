//! Settings and trouble by chance, all from one stream of the seed.

use super::Subject;
use crate::base::diagnostics::Diagnostics;
use crate::base::order;
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::scenario::compile::{Plan, change, compile};
use crate::scenario::link::Opened;
use crate::scenario::link::script::{Act, Step};
use crate::scenario::v1::node::Node;
use crate::scenario::v1::{Clock, Cut, Fault, Flap, Gray, Scenario, Slow, SlowDisk};
use serde_json::Value;

/// Trouble begins after this time, and is over by that.
const CALM: u64 = 1_000;
const OVER: u64 = 7_000;
/// Faults at most.
const MOST: u32 = 6;

pub fn draw(subject: &Subject, seed: u64, sets: &[(String, Value)]) -> Result<Opened, Diagnostics> {
    let mut chance = Stream::new(seed, "swarm", 0);
    let mut scenario = subject.scenario.clone();
    scenario.seed = seed;
    for choice in &subject.draw {
        let drawn = choice.get(chance.below(choice.len() as u32) as usize);
        for (path, value) in drawn.into_iter().flatten() {
            change(&mut scenario, path, value)?;
        }
    }
    for (path, value) in sets {
        change(&mut scenario, path, value)?;
    }
    let plan = compile(&scenario)?;
    let stage = Stage::new(&plan, &scenario);
    for _ in 0..=chance.below(MOST) {
        let mut fault = stage.fault(&mut chance);
        if let (Some(gray), false) = (&mut fault.gray, subject.copies) {
            gray.duplication = Chance(0);
        }
        scenario.faults.push(fault);
    }
    scenario.faults.sort_by_key(|fault| fault.at);
    compile(&scenario)?;
    let mut opened = Opened::new(scenario);
    opened.script = deeds(subject, seed);
    Ok(opened)
}

/// What is set by hand while it runs. It has a stream of its own.
fn deeds(subject: &Subject, seed: u64) -> Vec<Step> {
    let mut chance = Stream::new(seed, "swarm/later", 0);
    let mut script = Vec::new();
    for choice in &subject.later {
        let at = Time(u64::from(chance.below((OVER - CALM) as u32)) * 1_000 + CALM * 1_000);
        let drawn = choice.get(chance.below(choice.len() as u32) as usize);
        for (path, value) in drawn.into_iter().flatten().cloned() {
            script.push(Step { at, act: Act::Set { path, value } });
        }
    }
    order::by_key(&mut script, |step| step.at);
    script
}

/// What can break.
struct Stage {
    /// All nodes, and those that are no clients.
    all: Vec<String>,
    servers: Vec<String>,
    /// Directions between two nodes.
    links: Vec<String>,
}

impl Stage {
    fn new(plan: &Plan, scenario: &Scenario) -> Stage {
        let is_client = |group: &str| matches!(scenario.nodes.get(group), Some(Node::Clients(_)));
        let servers = plan.nodes.iter().filter(|n| !is_client(&n.group));
        let (name, link) = (|id| plan.name(id), |a, b| format!("{a}~~{b}"));
        Stage {
            servers: servers.map(|n| n.name.clone()).collect(),
            all: plan.nodes.iter().map(|n| n.name.clone()).collect(),
            links: plan.links.iter().map(|l| link(name(l.source), name(l.target))).collect(),
        }
    }

    fn fault(&self, chance: &mut Stream) -> Fault {
        let mut between = |low: u64, high: u64| low + u64::from(chance.below((high - low) as u32));
        let at = between(CALM, OVER - 500);
        let longest = [300, 3_000][between(0, 2) as usize];
        let lasts = between(50, longest).min(OVER - at);
        let fault = Fault {
            at: Some(Span::millis(at)),
            r#for: Some(Span::millis(lasts)),
            ..Fault::default()
        };
        self.kind(fault, chance)
    }

    fn kind(&self, fault: Fault, chance: &mut Stream) -> Fault {
        let server = pick(&self.servers, chance);
        match chance.below(10) {
            0 | 1 => Fault { crash: Some(server), ..fault },
            2 => Fault { pause: Some(server), ..fault },
            3 | 4 => Fault { partition: Some(self.sides(chance)), ..fault },
            5 => {
                let hold = chance.below(2) == 0;
                let links = self.some_links(chance);
                Fault { cut: Some(Cut { links, hold }), ..fault }
            }
            6 => {
                let latency = Span::millis(u64::from(chance.below(400)));
                let (loss, duplication) =
                    (Chance(chance.below(500_000)), Chance(chance.below(200_000)));
                let links = self.some_links(chance);
                Fault { gray: Some(Gray { links, latency, loss, duplication }), ..fault }
            }
            7 => {
                let mut span = || Span::millis(u64::from(chance.below(300)) + 20);
                let (down, up) = (span(), span());
                let links = self.some_links(chance);
                Fault { flap: Some(Flap { links, down, up }), ..fault }
            }
            8 => {
                let (ahead, behind) = (chance.below(1_000), chance.below(1_000));
                let (ahead, behind) = (Span::millis(ahead.into()), Span::millis(behind.into()));
                let drift_ppm = i64::from(chance.below(2_000)) - 1_000;
                Fault { clock: Some(Clock { node: server, ahead, behind, drift_ppm }), ..fault }
            }
            _ if chance.below(2) == 0 => {
                let factor = f64::from(chance.below(20) + 2);
                Fault { slow: Some(Slow { node: server, factor }), ..fault }
            }
            _ => {
                let extra = Span::millis(u64::from(chance.below(200)));
                Fault { slow_disk: Some(SlowDisk { node: server, extra }), ..fault }
            }
        }
    }

    fn sides(&self, chance: &mut Stream) -> Vec<Vec<String>> {
        let (left, right) = self.all.iter().cloned().partition(|_| chance.below(2) == 0);
        vec![left, right]
    }

    fn some_links(&self, chance: &mut Stream) -> Vec<String> {
        (0..=chance.below(3)).map(|_| pick(&self.links, chance)).collect()
    }
}

fn pick(names: &[String], chance: &mut Stream) -> String {
    names.get(chance.below(names.len() as u32) as usize).cloned().unwrap_or_default()
}
