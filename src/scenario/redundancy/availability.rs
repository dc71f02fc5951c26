//! How available a journey should be, if things break as often as the scenario says: computed as if
//! everything failed independently of everything else, and again with what shares a fate failing
//! together. The gap between the two is what boxes that hold several copies cost.

use super::Journey;
use super::needs::{self, Lost};
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::random::Stream;
use crate::scenario::compile::Plan;
use crate::scenario::v1::Scenario;
use serde::Serialize;

/// With more units than this, states are drawn instead of tried one by one.
const MOST_TRIED: usize = 14;
/// States drawn.
const DRAWS: u32 = 40_000;

/// What is expected of a journey.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expected {
    /// Which, in words.
    pub journey: String,
    /// If every node failed by itself, as often as it does with the boxes it is in.
    pub independent: f64,
    /// If what shares a box fails together.
    pub shared: f64,
}

/// Something that breaks, with all that goes with it.
struct Unit {
    nodes: Vec<NodeId>,
    available: f64,
}

/// What is expected of each journey; nothing where nothing is said to break.
pub fn expected(scenario: &Scenario, plan: &Plan) -> Vec<Expected> {
    let shared = units(scenario, plan);
    if shared.is_empty() {
        return Vec::new();
    }
    let mut alone: Vec<Unit> = Vec::new();
    for node in &plan.nodes {
        let own = shared.iter().filter(|unit| unit.nodes.contains(&node.id));
        let available: f64 = own.map(|unit| unit.available).product();
        if available < 1.0 {
            alone.push(Unit { nodes: vec![node.id], available });
        }
    }
    let expect = |journey: Journey| Expected {
        independent: available(plan, &journey, &alone, scenario.seed),
        shared: available(plan, &journey, &shared, scenario.seed),
        journey: journey.words(),
    };
    super::journeys(plan).into_iter().map(expect).collect()
}

/// What is said to break, and how much of the time it works: MTTF / (MTTF + MTTR).
fn units(scenario: &Scenario, plan: &Plan) -> Vec<Unit> {
    let mut units = Vec::new();
    for breaks in scenario.faults.iter().filter_map(|fault| fault.breaks.as_ref()) {
        let (up, down) = (breaks.after.compile().mean(), breaks.repair.compile().mean());
        let available = up / (up + down);
        for name in &breaks.of {
            let nodes = plan.find_breakable(name);
            if plan.domains.find(name).is_some() {
                units.push(Unit { nodes, available });
            } else {
                let one = |node| Unit { nodes: vec![node], available };
                units.extend(nodes.into_iter().map(one));
            }
        }
    }
    units
}

/// The share of time in which a journey works.
fn available(plan: &Plan, journey: &Journey, units: &[Unit], seed: u64) -> f64 {
    let works = |broken: &dyn Fn(usize) -> bool| {
        let lost = (0..units.len()).filter(|n| broken(*n)).flat_map(|n| units[n].nodes.clone());
        let mut lost = Lost { nodes: lost.collect(), ..Lost::default() };
        order::up(&mut lost.nodes);
        lost.nodes.dedup();
        needs::works(plan, journey.node, journey.need, &lost).is_ok()
    };
    if units.len() <= MOST_TRIED {
        let weight = |state: u32| -> f64 {
            let of = |(n, unit): (usize, &Unit)| match state >> n & 1 {
                0 => unit.available,
                _ => 1.0 - unit.available,
            };
            units.iter().enumerate().map(of).product()
        };
        let states = 0..1u32 << units.len();
        return states.filter(|s| works(&|n| s >> n & 1 == 1)).map(weight).sum();
    }
    let mut stream = Stream::new(seed, "availability", 0);
    let mut good = 0;
    for _ in 0..DRAWS {
        let broken: Vec<bool> = units.iter().map(|u| stream.unit() >= u.available).collect();
        good += u32::from(works(&|n| broken[n]));
    }
    f64::from(good) / f64::from(DRAWS)
}
