//! What a disaster costs, measured in small worlds and held against what can be computed.

use super::effects::Shards;
use super::{Checks, Property, State};
use crate::base::dist::Dist;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::unit::Rate;
use crate::protocol::backup::{BackupSettings, Plan};
use crate::protocol::rpc::Op;
use crate::protocol::store::image::Upkeep;
use crate::protocol::store::primary_replica::{FailoverSettings, Promote, ReplicaSettings};
use crate::protocol::worlds::{SERVER, calls, clients, ledger, run, world};
use crate::protocol::{Role, Settings};
use crate::sim::fault::{Fault, Planned, Trigger};
use crate::sim::network::LinkSettings;
use crate::sim::world::World;
use std::cell::RefCell;

const SPARE: NodeId = NodeId(2);
const EVERY: Span = Span::secs(4);
/// A copy of 50 items at 50 a second.
const TAKES: Span = Span::secs(1);

/// A store that is copied every four seconds, and lost at `at`.
fn stage(at: Time, logs: Option<Span>) -> World<Role> {
    let mut people = clients(200.0, Op::Write, calls(SERVER, 500, 1));
    people.items = 50;
    let with = |upkeep: Upkeep| {
        let Settings::Ledger(mut settings) = ledger(1_000.0) else { unreachable!() };
        settings.upkeep = upkeep;
        Settings::Ledger(settings)
    };
    let backup = BackupSettings {
        of: vec![SERVER],
        first: Span::secs(2),
        every: EVERY,
        full_every: 1,
        logs,
        throughput: Rate(50_000_000),
        restore_throughput: Rate(500_000_000),
        keep: 100,
        tests: None,
        repair: None,
        fails: None,
        restores: Vec::new(),
        plan: Some(Plan { decision: Span::secs(1), into: vec![SPARE], start_up: Span::ZERO }),
    };
    let nodes = [
        Settings::Clients(people),
        with(Upkeep { journal: logs.is_some(), closed: false }),
        with(Upkeep { journal: false, closed: true }),
        Settings::Backup(backup),
    ];
    let mut world = world(&nodes, &LinkSettings::default());
    let fault = Fault::Crash { node: SERVER };
    world.plan(Planned { trigger: Trigger::At(at), lasts: None, fault });
    world
}

fn judged(world: &mut World<Role>, until: Time, rpo: Option<Span>) -> Checks {
    let property = Property::Recovery { rpo, rto: None };
    let checks = RefCell::new(Checks::new(&[property], vec![0, 1, 2, 3], Shards::default()));
    let (fold, close) = (|r: &_| checks.borrow_mut().fold(r), |w: &_| checks.borrow_mut().close(w));
    run(world, until, Span::millis(100), fold, close);
    checks.into_inner()
}

/// The window of loss, in seconds, with the disaster at so many instants evenly over an interval.
fn windows(logs: Option<Span>) -> Vec<f64> {
    let steps = 20;
    let window = |n: u64| {
        let at = Time(12_000_000 + (2 * n + 1) * EVERY.0 / (2 * steps));
        let checks = judged(&mut stage(at, logs), at + Span::secs(4), None);
        let measured = checks.recovery().expect("a disaster");
        assert!(measured.lost > 0 && measured.lost < measured.acknowledged, "{measured:?}");
        measured.rpo.as_secs()
    };
    (0..steps).map(window).collect()
}

/// Copies every I that take d lose I/2 + d in the mean and I + d at worst: one that is not complete
/// is none. In tests/cases and the literature: mean and worst age of the newest complete copy.
#[test]
fn the_mean_and_the_worst_loss_are_those_of_the_closed_form() {
    let windows = windows(None);
    let mean = windows.iter().sum::<f64>() / windows.len() as f64;
    let worst = windows.iter().copied().fold(0.0, f64::max);
    let best = windows.iter().copied().fold(f64::MAX, f64::min);
    let (every, takes) = (EVERY.as_secs(), TAKES.as_secs());
    assert!((mean / (every / 2.0 + takes) - 1.0).abs() < 0.02, "{mean}: {windows:?}");
    assert!(worst <= every + takes + 0.1 && worst > every + takes - 0.3, "{worst}");
    assert!(best >= takes - 0.1 && best < takes + 0.3, "{best}");
}

#[test]
fn a_shipped_log_loses_no_more_than_its_interval() {
    let windows = windows(Some(Span::millis(500)));
    let mean = windows.iter().sum::<f64>() / windows.len() as f64;
    assert!(windows.iter().all(|window| *window < 0.51), "{windows:?}");
    assert!((mean - 0.25).abs() < 0.1, "{mean}");
}

#[test]
fn no_objective_is_a_finding_and_one_that_is_missed_is_a_violation() {
    let at = Time(13_000_000);
    let verdict = |rpo| judged(&mut stage(at, None), at + Span::secs(5), rpo).verdicts().remove(0);
    let none = verdict(None);
    assert_eq!(none.state, State::Unknown);
    assert!(none.sentence.starts_with("No objective is defined. "), "{}", none.sentence);
    // The copy of 10 s was complete at 11 s. Clients only ask what is dead: nothing is back.
    let missed = verdict(Some(Span::secs(2)));
    assert!(missed.sentence.contains("the oldest 3."), "{}", missed.sentence);
    assert_eq!(missed.state, State::Unknown, "what is lost is settled when something is back");
    let (lost, all) = missed.count.expect("it counts");
    assert!((550..650).contains(&lost) && all > 2_000, "{lost} of {all}");
}

/// A replica that is half a second away follows a stream in which the next part leaves when the
/// last has been confirmed, so every second. When the primary dies, what has left arrives: lost is
/// what was written since, in the mean half of what is written in a second, the rate times the lag.
#[test]
fn an_asynchronous_replica_loses_the_rate_of_writes_times_its_lag() {
    let store = || {
        let Settings::Ledger(settings) = ledger(1_000.0) else { unreachable!() };
        Settings::Replica(ReplicaSettings {
            station: settings.station,
            members: vec![SERVER, SPARE],
            primary: SERVER,
            acks: 0,
            apply: Dist::ZERO,
            heartbeat: Span::millis(100),
            failover: Some(FailoverSettings {
                after: Span::secs(2),
                promote: Promote::MostAdvanced,
            }),
            fencing: false,
            sync: true,
            keys: None,
            balance: 0,
            upkeep: Upkeep::default(),
        })
    };
    let far = LinkSettings { latency: Dist::Constant(500_000.0), ..LinkSettings::default() };
    let steps = 20;
    let lost = |n: u64| {
        let people = Settings::Clients(clients(200.0, Op::Write, calls(SERVER, 500, 1)));
        let mut world = world(&[people, store(), store()], &LinkSettings::default());
        for (source, target) in [(SERVER, SPARE), (SPARE, SERVER)] {
            let link = world.shared.network.route(source, target).expect("all are linked");
            world.set_link(link, far.clone());
        }
        // At another part of a second each, and in a second of its own, so that not all of them
        // see the same arrivals.
        let at = Time(10_000_000 + n * 1_000_000 + (2 * n + 1) * 1_000_000 / (2 * steps));
        let fault = Fault::Crash { node: SERVER };
        world.plan(Planned { trigger: Trigger::At(at), lasts: None, fault });
        let property = Property::Recovery { rpo: None, rto: None };
        let checks = RefCell::new(Checks::new(&[property], vec![0, 1, 1], Shards::default()));
        let fold = |r: &_| checks.borrow_mut().fold(r);
        let close = |w: &_| checks.borrow_mut().close(w);
        run(&mut world, at + Span::secs(6), Span::millis(100), fold, close);
        let measured = checks.into_inner().recovery().expect("a disaster");
        (measured.lost as f64, measured.rpo.as_secs())
    };
    let all: Vec<(f64, f64)> = (0..steps).map(lost).collect();
    let (lost, lag) = all.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    // Seconds of lag at the failover, at 200 writes a second.
    assert!(lag > 5.0 && (lost / lag - 200.0).abs() < 20.0, "{lost} in {lag}");
}
