//! Runs a loss, and counts what still succeeds.

use super::needs::Need;
use super::{Element, Journey, Kind, journeys};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::{Span, Time};
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::protocol::rpc::Op;
use crate::scenario::compile::compile;
use crate::scenario::v1::Scenario;
use crate::sim::fault::Fault;
use crate::sim::trace::{Level, What};
use crate::sim::world::World;
use serde::Serialize;

/// Before the loss, a run has this long to get going.
const START: Span = Span::secs(20);
/// How long is counted.
const LOOK: Span = Span::secs(10);

/// What a loss did to a journey in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// Which, in words.
    pub journey: String,
    /// Requests of it that ended well in a second, in the same run without the loss.
    pub intact: f64,
    /// The same at the same time with the loss, when all that notices one had had time to.
    pub lost: f64,
}

/// Runs the scenario without its faults twice, loses `lost` for good in one of the two, and waits
/// for `patience` before it counts.
pub fn prove(
    scenario: &Scenario,
    lost: &[Element],
    patience: Span,
) -> Result<Vec<Proof>, Diagnostics> {
    let mut scenario = scenario.clone();
    scenario.faults.clear();
    let plan = compile(&scenario)?;
    let (mut world, journeys) = (plan.world(), journeys(&plan));
    world.shared.trace.level = Level::Notes;
    count(&mut world, Time::ZERO + START, &journeys);
    let settled = Time::ZERO + START + patience;
    let good = |world: &mut World<Role>| {
        count(world, settled, &journeys);
        count(world, settled + LOOK, &journeys)
    };
    let intact = good(&mut world.clone());
    for element in lost {
        match (element.kind, element.nodes.as_slice()) {
            (Kind::Link, &[one, other]) => {
                let links = vec![(one, other), (other, one)];
                world.begin(Fault::Cut { links, hold: false }, None);
            }
            (_, nodes) => nodes.iter().for_each(|node| {
                world.begin(Fault::Crash { node: *node }, None);
            }),
        }
    }
    let lost = good(&mut world);
    let rate = |good: u64| good as f64 / LOOK.as_secs();
    let proofs = journeys.iter().zip(intact.into_iter().zip(lost));
    let proof = |(journey, (intact, lost)): (&Journey, (u64, u64))| Proof {
        journey: journey.words(),
        intact: rate(intact),
        lost: rate(lost),
    };
    Ok(proofs.map(proof).collect())
}

/// Runs until then; says how many requests of each journey ended well.
fn count(world: &mut World<Role>, until: Time, journeys: &[Journey]) -> Vec<u64> {
    let mut good = vec![0; journeys.len()];
    loop {
        let more = world.step(until);
        for record in world.shared.trace.fresh.drain(..) {
            if let What::Note { node, note: Note::Ended { op, ending, .. } } = record.what
                && ending.is_good()
            {
                let need = need(op);
                let mine = journeys.iter().position(|j| j.node == node && j.need == need);
                if let Some(mine) = mine {
                    good[mine] += 1;
                }
            }
        }
        if !more {
            return good;
        }
    }
}

/// What an operation needs: an update reads before it changes.
pub fn need(op: Op) -> Need {
    if op.changes() || op == Op::Update { Need::Change } else { Need::Read }
}
