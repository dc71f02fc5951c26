//! Verdicts over small stores without a leader: what is lost is named, what is not is not, and
//! replicas that stay apart are found.

use super::effects::Shards;
use super::{Checks, Property, State, Verdict};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::Settings;
use crate::protocol::rpc::Op;
use crate::protocol::store::quorum::{Merge, QuorumSettings, ReadRepair};
use crate::protocol::worlds::{calls, clients, run, station, world};
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;

const SECOND: u64 = 1_000_000;

/// Three replicas of which one answer is enough, if nothing else is said.
fn store(merge: Merge) -> QuorumSettings {
    QuorumSettings {
        station: station(0.0, 100, 1_000),
        members: (1..4).map(NodeId).collect(),
        copies: 3,
        read: 1,
        write: 1,
        sloppy: false,
        read_repair: ReadRepair::Never,
        anti_entropy: None,
        merge,
        timeout: Span::millis(200),
        apply: Dist::ZERO,
        sync: true,
        balance: 0,
        floor: None,
    }
}

/// Ten seconds of clients who ask every replica, with a fault from the third to the sixth.
fn judged(store: &QuorumSettings, ops: &[Op], property: Property, fault: Fault) -> Verdict {
    let mut calls = calls(NodeId(1), 500, 1);
    calls.targets.clone_from(&store.members);
    let mut people = clients(200.0, Op::Read, calls);
    // So many that some are not written for a while.
    people.items = if matches!(property, Property::Converged { .. }) { 100 } else { 10 };
    people.mix = ops.iter().map(|op| (1, *op)).collect();
    let replica = Settings::Quorum(store.clone());
    let nodes = [Settings::Clients(people), replica.clone(), replica.clone(), replica];
    let latency = Dist::Constant(2_000.0);
    let mut world = world(&nodes, &LinkSettings { latency, ..LinkSettings::default() });
    let checks =
        std::cell::RefCell::new(Checks::new(&[property], vec![0, 1, 1, 1], Shards::default()));
    for until in [3, 6, 10].map(|second| Time(second * SECOND)) {
        let fold = |record: &_| checks.borrow_mut().fold(record);
        run(&mut world, until, Span::millis(100), fold, |w| checks.borrow_mut().close(w));
        if until == Time(3 * SECOND) {
            world.begin(fault.clone(), Some(Span::secs(3)));
        }
    }
    checks.into_inner().verdicts().remove(0)
}

fn cut() -> Fault {
    let (one, others) = (vec![NodeId(1)], vec![NodeId(2), NodeId(3)]);
    Fault::Partition { sides: vec![one, others] }
}

const ADD: Op = Op::Increment { by: 1 };

#[test]
fn a_write_that_a_wrong_clock_puts_in_the_past_is_lost() {
    let behind = Fault::Clock { node: NodeId(2), offset_us: -500_000, drift_ppm: 0 };
    let majority = QuorumSettings { read: 2, write: 2, ..store(Merge::LastWriterWins) };
    let ops = [Op::Read, Op::Write];
    let verdict = judged(&majority, &ops, Property::NoLostWrite, behind.clone());
    let (lost, all) = verdict.count.expect("it counts");
    assert_eq!(verdict.state, State::Violated, "{verdict:?}");
    // A third of 300 writes came to the wrong clock; nearly all ten items are written again
    // within half a second.
    assert!((60..=105).contains(&lost) && all > 900, "{verdict:?}");
    assert_eq!(verdict.intents.len() as u64, lost, "each is named");
    assert_eq!(
        verdict.sentence,
        format!("{lost} of {all} acknowledged changes are in no replica any more.")
    );
    let siblings = QuorumSettings { merge: Merge::Siblings, ..majority.clone() };
    let verdict = judged(&siblings, &[Op::Update], Property::NoLostWrite, behind.clone());
    assert_eq!(verdict.state, State::Holds, "{verdict:?}");
    let right = Fault::Slow { node: NodeId(2), factor: 1_000 };
    let verdict = judged(&majority, &ops, Property::NoLostWrite, right);
    assert_eq!(verdict.state, State::Holds, "{verdict:?}");
    let verdict = judged(&majority, &ops, Property::Linearizable, behind);
    assert_eq!(verdict.state, State::Violated, "{verdict:?}");
}

#[test]
fn counts_of_both_sides_are_lost_or_added_up() {
    let compares = |merge| QuorumSettings {
        anti_entropy: Some(Span::millis(200)),
        read_repair: ReadRepair::Later,
        ..store(merge)
    };
    let overwritten = compares(Merge::LastWriterWins);
    let verdict = judged(&overwritten, &[ADD], Property::NoLostWrite, cut());
    let (lost, all) = verdict.count.expect("it counts");
    // One side of the cut counts a third of 600: mostly that is what is overwritten.
    assert!(verdict.state == State::Violated && lost > 150 && lost < all / 2, "{verdict:?}");
    let added = compares(Merge::Counter);
    let verdict = judged(&added, &[ADD], Property::NoLostWrite, cut());
    assert_eq!(verdict.state, State::Holds, "{verdict:?}");
    let verdict = judged(&added, &[ADD], Property::NoDoubleEffect, cut());
    assert_eq!(verdict.state, State::Holds, "{verdict:?}");
}

#[test]
fn replicas_that_stay_apart_are_found() {
    let soon = Property::Converged { within: Span::secs(1) };
    let apart = QuorumSettings { timeout: Span::millis(100), ..store(Merge::Counter) };
    let fault = cut();
    let verdict = judged(&apart, &[Op::Read], soon.clone(), fault.clone());
    assert_eq!(verdict.state, State::Unknown, "nothing was written: {verdict:?}");
    let mended = QuorumSettings { anti_entropy: Some(Span::millis(100)), ..apart.clone() };
    let verdict = judged(&mended, &[ADD], soon.clone(), fault.clone());
    assert_eq!(verdict.state, State::Holds, "{verdict:?}");
    let one_way = Fault::Cut { links: vec![(NodeId(1), NodeId(2))], hold: false };
    let for_ever = Property::Converged { within: Span::millis(200) };
    let verdict = judged(&apart, &[Op::Charge { amount: 1 }], for_ever, one_way);
    assert_eq!(verdict.state, State::Violated, "{verdict:?}");
    assert!(verdict.sentence.contains("is behind on replica"), "{verdict:?}");
}
