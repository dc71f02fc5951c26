//! Exact numbers from records by hand, and identities and closed forms from small worlds.

use super::cast::Cast;
use super::metrics::Metrics;
use crate::base::id::FaultId;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::note::{Note, Phase};
use crate::protocol::rpc::{Answer, Ending, Op, Outcome, Refusal, Reply, Ticket};
use crate::protocol::worlds::{
    CLIENTS, SERVER, calls, clients, ledger, record, run, service, world,
};
use crate::protocol::{Message, Role, Settings};
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::trace::{Change, Fate, What};
use crate::sim::world::World;

const CHARGE: Op = Op::Charge { amount: 5 };

fn empty() -> Metrics {
    let client = Settings::Clients(clients(1.0, CHARGE, calls(SERVER, 100, 3)));
    let world = world(&[client, ledger(1_000.0)], &LinkSettings::default());
    Metrics::new(&cast(&world), &world, Span::millis(100))
}

/// The cast of a world of two.
fn cast(world: &World<Role>) -> Cast {
    let name = |name: &str| (name.to_owned(), name.to_owned());
    Cast::new(&[name("shop"), name("bank")], world)
}

/// The numbers of a world run to `until`.
fn measured(world: &mut World<Role>, until: Time) -> Metrics {
    let bin = Span::millis(100);
    let mut metrics = Metrics::new(&cast(world), world, bin);
    let metrics = std::cell::RefCell::new(&mut metrics);
    run(
        world,
        until,
        bin,
        |record| {
            metrics.borrow_mut().fold(record);
        },
        |world| metrics.borrow_mut().close(world),
    );
    metrics.into_inner().clone()
}

fn client(note: Note) -> What<Role> {
    What::Note { node: CLIENTS, note }
}

fn server(note: Note) -> What<Role> {
    What::Note { node: SERVER, note }
}

fn began(intent: u64) -> What<Role> {
    client(Note::Began { intent, client: 0, op: CHARGE, item: 1 })
}

fn sent(intent: u64, attempt: u8) -> What<Role> {
    client(Note::Sent { intent, attempt, target: SERVER, hedge: false })
}

fn ended(intent: u64, ending: Ending, took_ms: u64) -> What<Role> {
    let (client, attempts) = (0, 1);
    let took = Span::millis(took_ms);
    self::client(Note::Ended { intent, client, op: CHARGE, ending, attempts, took })
}

fn fold(metrics: &mut Metrics, records: &[(u64, What<Role>)]) -> Vec<u32> {
    let numbered = (1..).zip(records.iter().cloned());
    numbered.map(|(seq, (at, what))| metrics.fold(&record(seq, at, what))).collect()
}

#[test]
fn records_by_hand_give_exact_numbers() {
    let mut metrics = empty();
    let applied = server(Note::Applied { intent: 1, op: CHARGE, item: 1, position: 0 });
    let ticket =
        Ticket { call: crate::base::slab::Key { index: 0, generation: 0 }, stack: 0, attempt: 1 };
    let reply = Reply { ticket, intent: 1, answer: Answer::Done { version: 1, value: 0 } };
    let lost = What::Ended {
        packet: 2,
        source: SERVER,
        target: CLIENTS,
        fate: Fate::LostInFlight,
        way: 300,
        message: Message::Reply(reply),
    };
    let worked = |stayed| {
        let (span, stayed) = (Span::millis(2), Span::millis(stayed));
        server(Note::Worked { intent: 1, span, stayed })
    };
    let timed_out = Note::Answered {
        intent: 1,
        attempt: 1,
        outcome: Outcome::TimedOut,
        took: Span::millis(100),
    };
    let refused = Note::Refused { intent: 2, why: Refusal::QueueFull, stayed: Span::ZERO };
    let times = fold(
        &mut metrics,
        &[
            (0, began(1)),
            (0, sent(1, 1)),
            (5, server(Note::Arrived { intent: 1 })),
            (7, applied.clone()),
            (7, worked(2)),
            (8, lost),
            (50, began(2)),
            (50, sent(2, 1)),
            (55, server(refused)),
            (60, ended(2, Ending::Rejected, 10)),
            (100, client(timed_out)),
            (150, sent(1, 2)),
            (155, server(Note::Arrived { intent: 1 })),
            (157, applied),
            (158, worked(3)),
            (160, ended(1, Ending::Ok, 160)),
            (161, client(Note::Late { intent: 1, attempt: 1, answer: Answer::Error })),
        ],
    );
    assert_eq!(times.iter().filter(|&&t| t > 0).collect::<Vec<_>>(), [&1, &2]);
    metrics.refresh(Time(200_000));
    let t = &metrics.totals;
    assert_eq!((t.offered, t.ok, t.rejected, t.ended()), (2, 1, 1, 2));
    assert_eq!((t.attempts, t.inner_attempts, t.attempt_timeouts), (3, 0, 1));
    assert_eq!((t.arrived, t.worked, t.work), (2, 2, 4_000));
    assert_eq!((t.wasted, t.late, t.lost_replies[Fate::LostInFlight as usize]), (2, 1, 1));
    assert_eq!((t.applied, t.repeated, t.double_effects), (2, 1, 1));
    assert_eq!((t.refused[Refusal::QueueFull as usize], t.refused.iter().sum::<u64>()), (1, 1));
    assert_eq!((t.amplification, t.mean), (1.5, 160.0));
    assert!((t.p99 / 160.0 - 1.0).abs() < 0.01);
    let node = metrics.nodes[SERVER.index()];
    assert_eq!((node.stayed, node.answers_lost, node.refused), (5_000, 1, 1));
    let values = |name: &str| metrics.series(name).map(|s| s.values.clone()).unwrap_or_default();
    assert_eq!(values("offered"), [20.0, 0.0]);
    assert_eq!(values("goodput"), [0.0, 10.0]);
    assert_eq!(values("errors"), [10.0, 0.0]);
    assert_eq!(values("attempts"), [20.0, 10.0]);
    assert_eq!(values("in_flight"), [1.0, 0.0]);
    assert!(values("p50")[0].is_nan() && (values("p50")[1] / 160.0 - 1.0).abs() < 0.01);
    let first = metrics.between(Time::ZERO, Time(100_000));
    assert_eq!((first.offered, first.attempts, first.rejected, first.good()), (2, 2, 1, 0));
}

#[test]
fn a_change_that_a_crash_undid_is_not_made_twice() {
    let mut metrics = empty();
    let note = |undone| match undone {
        false => server(Note::Applied { intent: 9, op: CHARGE, item: 1, position: 0 }),
        true => server(Note::Undone { intent: 9, op: CHARGE, item: 1 }),
    };
    assert_eq!(
        fold(&mut metrics, &[(1, note(false)), (2, note(true)), (3, note(false))]),
        [1, 0, 1]
    );
    metrics.refresh(Time(4_000));
    assert_eq!((metrics.totals.applied, metrics.totals.double_effects), (2, 0));
    fold(&mut metrics, &[(5, note(false)), (6, note(true))]);
    metrics.refresh(Time(7_000));
    assert_eq!((metrics.totals.repeated, metrics.totals.double_effects), (1, 0));
}

#[test]
fn a_crash_ends_intents_and_breaker_states() {
    let mut breaking = calls(SERVER, 100, 1);
    breaking.breaker = Some(Default::default());
    let client_settings = Settings::Clients(clients(1.0, CHARGE, breaking));
    let nodes = [client_settings, ledger(1.0)];
    let world = world(&nodes, &LinkSettings::default());
    let mut metrics = Metrics::new(&cast(&world), &world, Span::millis(100));
    let moved = Note::Breaker { stack: 0, from: Phase::Closed, to: Phase::Open };
    let crashed = What::Node { node: CLIENTS, change: Change::Crashed };
    let fault = What::Fault { fault: FaultId(0), began: true };
    fold(&mut metrics, &[(1, began(1)), (2, client(moved)), (3, fault), (3, crashed)]);
    metrics.refresh(Time(3_000));
    let t = &metrics.totals;
    assert_eq!((t.offered, t.abandoned, t.breaker_openings), (1, 1, 1));
    let strip = &metrics.breakers[0];
    assert_eq!(strip.name, "shop → bank");
    let phases = [(0, Phase::Closed), (2_000, Phase::Open), (3_000, Phase::Closed)];
    assert_eq!(strip.phases, phases.map(|(at, phase)| (Time(at), phase)));
}

#[test]
fn nothing_is_lost_between_intents_and_endings() {
    let link =
        LinkSettings { loss: Chance(30_000), duplication: Chance(20_000), ..Default::default() };
    let shop = Settings::Clients(clients(200.0, CHARGE, calls(SERVER, 60, 4)));
    let mut world = world(&[shop, ledger(15_000.0)], &link);
    world.plan(crate::sim::fault::Planned {
        trigger: crate::sim::fault::Trigger::At(Time(10_000_000)),
        lasts: Some(Span::secs(5)),
        fault: Fault::Slow { node: SERVER, factor: 5_000 },
    });
    let metrics = measured(&mut world, Time(30_000_000));
    let t = &metrics.totals;
    let Role::Clients(population) = &world.processes[0] else { panic!("clients") };
    assert_eq!(t.offered, population.intents());
    assert_eq!(metrics.nodes[0].outstanding, u64::from(population.caller.outstanding()));
    assert_eq!(t.offered, t.ended() + metrics.nodes[0].outstanding);
    assert!(t.attempts >= t.offered && t.amplification > 1.05, "{}", t.amplification);
    let Role::Ledger(bank) = &world.processes[1] else { panic!("a ledger") };
    assert_eq!(bank.charged(), 5 * t.applied as i64);
    assert!(t.double_effects > 0);
    let in_house = u64::from(bank.station.in_house());
    assert_eq!(t.arrived, t.worked + t.refused.iter().sum::<u64>() + in_house);
    assert!(t.wasted > t.lost_replies.iter().sum::<u64>() && t.wasted < t.worked);
    let window = metrics.between(Time::ZERO, Time::NEVER);
    assert_eq!((window.offered, window.ok, window.wasted), (t.offered, t.ok, t.wasted));
    let halves = [(0, 15_000_000), (15_000_000, u64::MAX)];
    let parts = halves.map(|(a, b)| metrics.between(Time(a), Time(b)).offered);
    assert_eq!(parts.iter().sum::<u64>(), t.offered);
    assert_eq!(metrics.messages.sent, world.shared.trace.counts.sent);
}

#[test]
fn a_single_worker_keeps_the_closed_form_of_its_queue() {
    // M/M/1: at 80 arrivals a second and 10 ms of work, 50 ms from arrival to answer.
    let shop = Settings::Clients(clients(80.0, Op::Read, calls(SERVER, 0, 1)));
    let nodes = [shop, service(10_000.0, 1, u32::MAX)];
    let mut world = world(&nodes, &LinkSettings::default());
    let metrics = measured(&mut world, Time(12_500 * 1_000_000));
    let t = &metrics.totals;
    assert!(t.ended() > 990_000, "{}", t.ended());
    assert!((t.mean / 50.0 - 1.0).abs() < 0.02, "{}", t.mean);
    // The time in the house is exponential too.
    for (got, share) in [(t.p50, 0.5), (t.p90, 0.1), (t.p99, 0.01)] {
        let want = -50.0 * libm::log(share);
        assert!((got / want - 1.0).abs() < 0.04, "{got} {want}");
    }
    // The link takes no time, so servers and clients measure the same.
    let node = metrics.nodes[SERVER.index()];
    assert_eq!((node.stayed, node.worked), (t.latency_sum, t.ok));
}
