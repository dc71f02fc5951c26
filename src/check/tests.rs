//! Verdicts over records by hand, and over small worlds.

use super::effects::Shards;
use super::fresh::Bound;
use super::in_step::Side;
use super::{Checks, Property, State, Verdict};
use crate::base::id::{FaultId, NodeId};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::caller::CallSettings;
use crate::protocol::note::{Note, Post};
use crate::protocol::router::RouterSettings;
use crate::protocol::router::map::Placement;
use crate::protocol::router::transfer::Transfers;
use crate::protocol::rpc::{Answer, Ending, Op, Outcome, Refusal};
use crate::protocol::station::StationSettings;
use crate::protocol::worlds::{CLIENTS, SERVER, calls, clients, ledger, record, run, world};
use crate::protocol::{Role, Settings};
use crate::sim::fault::{Fault, Planned, Trigger};
use crate::sim::network::LinkSettings;
use crate::sim::trace::{Change, What};
use crate::sim::world::World;

const CHARGE: Op = Op::Charge { amount: 5 };

fn checks(property: Property) -> Checks {
    Checks::new(&[property], vec![0, 1], Shards::default())
}

fn fold(checks: &mut Checks, at_ms: u64, what: What<Role>) {
    checks.fold(&record(1, at_ms, what));
}

fn ended(intent: u64, ending: Ending, took_ms: u64) -> What<Role> {
    let (client, attempts, took) = (0, 1, Span::millis(took_ms));
    let note = Note::Ended { intent, client, op: CHARGE, ending, attempts, took };
    What::Note { node: CLIENTS, note }
}

fn only(checks: &Checks) -> Verdict {
    checks.verdicts().remove(0)
}

fn server(note: Note) -> What<Role> {
    What::Note { node: SERVER, note }
}

#[test]
fn doing_it_twice_is_proved_by_the_intents() {
    let mut checks = checks(Property::NoDoubleEffect);
    let applied = |intent| server(Note::Applied { intent, op: CHARGE, item: 1, position: 0 });
    assert_eq!(only(&checks).state, State::Unknown);
    fold(&mut checks, 1, applied(7));
    fold(&mut checks, 2, applied(8));
    assert_eq!(only(&checks).state, State::Holds);
    fold(&mut checks, 3, applied(7));
    let verdict = only(&checks);
    assert_eq!(
        (verdict.state, verdict.at, verdict.intents),
        (State::Violated, Some(Time(3_000)), vec![7])
    );
    assert_eq!(verdict.sentence, "1 of 3 changes were made again, the first at 0.003s.");
    fold(&mut checks, 4, server(Note::Undone { intent: 7, op: CHARGE, item: 1 }));
    assert_eq!(only(&checks).state, State::Holds, "a crash took one of them back");
}

#[test]
fn availability_and_latency_are_counted_exactly() {
    let mut available = checks(Property::Availability { at_least: Chance(900_000) });
    let mut fast = checks(Property::Latency { share: Chance(900_000), below: Span::millis(50) });
    for n in 0..10 {
        for checks in [&mut available, &mut fast] {
            fold(checks, n, ended(n, Ending::Ok, if n == 4 { 51 } else { 50 }));
        }
    }
    assert_eq!((only(&available).state, only(&fast).state), (State::Holds, State::Holds));
    fold(&mut available, 10, ended(10, Ending::Degraded, 1));
    fold(&mut available, 11, ended(11, Ending::Unknown, 1));
    assert_eq!(only(&available).state, State::Holds);
    fold(&mut available, 12, ended(12, Ending::Rejected, 1));
    let verdict = only(&available);
    assert_eq!((verdict.state, verdict.at), (State::Violated, Some(Time(12_000))));
    assert_eq!(verdict.intents, [11, 12]);
    assert_eq!(verdict.sentence, "84.61 % of intents ended well: 11 of 13.");
    fold(&mut fast, 13, ended(13, Ending::Ok, 200));
    assert_eq!((only(&fast).state, only(&fast).intents), (State::Violated, vec![4, 13]));
    fold(&mut fast, 14, ended(14, Ending::Failed, 200));
    assert!(only(&fast).sentence.ends_with("9 of 11."), "failures are not latencies");
}

#[test]
fn a_queue_that_does_not_add_up_is_noticed() {
    let mut checks = Checks::new(&[], vec![0, 1], Shards::default());
    let queues = |checks: &Checks| checks.self_checks().remove(1);
    let worked = |stayed_ms| {
        let (span, stayed) = (Span::millis(1), Span::millis(stayed_ms));
        server(Note::Worked { intent: 1, span, stayed })
    };
    let arrived = || server(Note::Arrived { intent: 1 });
    assert_eq!(queues(&checks).state, State::Unknown);
    fold(&mut checks, 10, arrived());
    fold(&mut checks, 20, arrived());
    fold(&mut checks, 50, worked(40));
    assert_eq!(queues(&checks).state, State::Unknown, "one is still inside");
    let refused = Note::Refused { intent: 1, why: Refusal::Shed, stayed: Span::millis(40) };
    fold(&mut checks, 60, server(refused));
    assert_eq!(queues(&checks).state, State::Holds);
    let why = Refusal::NoLeader;
    fold(&mut checks, 65, server(Note::Refused { intent: 1, why, stayed: Span::ZERO }));
    assert_eq!(queues(&checks).state, State::Holds, "it never came in");
    fold(&mut checks, 70, arrived());
    fold(&mut checks, 75, What::Node { node: SERVER, change: Change::Crashed });
    fold(&mut checks, 80, arrived());
    fold(&mut checks, 90, worked(10));
    assert_eq!(queues(&checks).state, State::Holds, "a crash empties the house");
    fold(&mut checks, 100, arrived());
    fold(&mut checks, 110, worked(9));
    let verdict = queues(&checks);
    assert_eq!((verdict.state, verdict.at), (State::Violated, Some(Time(110_000))));
}

/// `offered` intents a second all the time; from 10 s to 20 s there is a fault, and of the intents
/// of the second that begins at `s`, `good(s)` end well.
fn outage(good: impl Fn(u64) -> u64, seconds: u64) -> Vec<(u64, Verdict)> {
    let span = Span::secs(5);
    let mut checks = checks(Property::RecoversWithin { span, share: Chance(900_000) });
    let mut verdicts = Vec::new();
    for second in 0..seconds {
        if second == 10 || second == 20 {
            let began = second == 10;
            fold(&mut checks, second * 1_000, What::Fault { fault: FaultId(0), began });
        }
        for n in 0..1_000 {
            let at = second * 1_000 + n;
            let began = Note::Began { intent: at, client: 0, op: CHARGE, item: 1 };
            fold(&mut checks, at, What::Note { node: CLIENTS, note: began });
            let ending = if n < good(second) { Ending::Ok } else { Ending::Failed };
            fold(&mut checks, at, ended(at, ending, 1));
        }
        checks.refresh(Time((second + 1) * 1_000_000));
        verdicts.push((second + 1, only(&checks)));
    }
    verdicts
}

#[test]
fn recovery_is_judged_from_the_end_of_the_trouble() {
    let state = |all: &[(u64, Verdict)], at: u64| all[at as usize - 1].1.state;
    let soon = outage(|s| if (10..23).contains(&s) { 100 } else { 1_000 }, 40);
    let states = [5, 15, 22, 24, 40].map(|at| state(&soon, at));
    use State::{Holds, Unknown, Violated};
    assert_eq!(states, [Unknown, Unknown, Unknown, Holds, Holds]);
    assert_eq!(soon[39].1.sentence, "Back after 3s: 1000.0/s of 1000.0/s.");
    let late = outage(|s| if (10..28).contains(&s) { 100 } else { 1_000 }, 40);
    assert_eq!(
        [24, 26, 27, 40].map(|at| state(&late, at)),
        [Unknown, Violated, Violated, Violated]
    );
    assert_eq!(late[39].1.sentence, "Back only after 8s: 1000.0/s of 1000.0/s.");
    assert_eq!(late[39].1.at, Some(Time(25_000_000)));
    // Good enough is 90 %, less what chance gives a count of 900: 840.
    let low = outage(|s| if s < 10 { 1_000 } else { 835 }, 40);
    assert_eq!(state(&low, 40), Violated);
    let fell = outage(|s| if (10..21).contains(&s) || s > 30 { 100 } else { 1_000 }, 40);
    assert_eq!([25, 32, 33].map(|at| state(&fell, at)), [Holds, Holds, Violated]);
    assert!(fell[39].1.sentence.starts_with("It came back and fell again"));
    let never = outage(|s| if s < 10 { 1_000 } else { 0 }, 40);
    assert_eq!((state(&never, 40), never[39].1.at), (Violated, Some(Time(25_000_000))));
}

#[test]
fn trouble_that_no_record_tells_of_counts_too() {
    let mut checks =
        checks(Property::RecoversWithin { span: Span::secs(5), share: Chance(900_000) });
    checks.trouble(Time(10_000_000), Time(20_000_000));
    for at in 0..30_000 {
        let began = Note::Began { intent: at, client: 0, op: CHARGE, item: 1 };
        fold(&mut checks, at, What::Note { node: CLIENTS, note: began });
        if !(10_000..22_000).contains(&at) {
            fold(&mut checks, at, ended(at, Ending::Ok, 1));
        }
        match at {
            15_000 => assert_eq!(only(&checks).sentence, "The trouble is not over."),
            29_999 => assert_eq!(only(&checks).sentence, "Back after 2s: 1000.0/s of 1000.0/s."),
            _ => {}
        }
    }
}

fn judged(world: &mut World<Role>, properties: &[Property], until: Time) -> Checks {
    let checks = std::cell::RefCell::new(Checks::new(properties, vec![0, 1], Shards::default()));
    let (fold, close) = (|r: &_| checks.borrow_mut().fold(r), |w: &_| checks.borrow_mut().close(w));
    run(world, until, Span::secs(1), fold, close);
    checks.into_inner()
}

#[test]
fn worlds_keep_their_books_through_every_kind_of_trouble() {
    let shop = Settings::Clients(clients(50.0, CHARGE, calls(SERVER, 100, 3)));
    let link =
        LinkSettings { loss: Chance(10_000), duplication: Chance(10_000), ..Default::default() };
    let mut world = world(&[shop, ledger(20_000.0)], &link);
    let cut = Fault::Cut { links: vec![(CLIENTS, SERVER)], hold: true };
    let faults = [
        (5, Fault::Slow { node: SERVER, factor: 10_000 }),
        (12, Fault::Crash { node: SERVER }),
        (20, Fault::Pause { node: SERVER }),
        (30, cut),
    ];
    for (at, fault) in faults {
        let trigger = Trigger::At(Time(at * 1_000_000));
        world.plan(Planned { trigger, lasts: Some(Span::secs(3)), fault });
    }
    let properties = [
        Property::NoDoubleEffect,
        Property::RecoversWithin { span: Span::secs(20), share: Chance(800_000) },
    ];
    let checks = judged(&mut world, &properties, Time(90_000_000));
    for verdict in checks.self_checks() {
        assert_eq!(verdict.state, State::Holds, "{verdict:?}");
    }
    let verdicts = checks.verdicts();
    assert_eq!(verdicts[0].state, State::Violated);
    assert_eq!(verdicts[1].state, State::Holds, "{}", verdicts[1].sentence);
    assert!(!verdicts[0].intents.is_empty());
}

const HISTORY: [Property; 5] = [
    Property::Linearizable,
    Property::ReadYourWrites,
    Property::MonotonicReads,
    Property::MonotonicWrites,
    Property::WritesFollowReads,
];

/// Reads and changes of a single store over a link that loses messages.
fn shop(attempts: u32) -> World<Role> {
    let mut shop = clients(200.0, CHARGE, calls(SERVER, 100, attempts));
    shop.mix = vec![(3, Op::Read), (2, CHARGE), (1, Op::Write), (1, Op::Update)];
    let link = LinkSettings { loss: Chance(10_000), ..Default::default() };
    world(&[Settings::Clients(shop), ledger(5_000.0)], &link)
}

#[test]
fn a_single_store_is_consistent_until_something_is_done_twice() {
    let verdicts = judged(&mut shop(1), &HISTORY, Time(60_000_000)).verdicts();
    for verdict in &verdicts {
        assert_eq!(verdict.state, State::Holds, "{verdict:?}");
        assert!(verdict.count.is_some_and(|(_, judged)| judged > 1_000), "{verdict:?}");
    }
    let verdicts = judged(&mut shop(3), &HISTORY, Time(60_000_000)).verdicts();
    assert_eq!(verdicts[0].state, State::Violated, "a charge was made again");
    assert!(!verdicts[0].intents.is_empty() && verdicts[0].at.is_some());
}

#[test]
fn a_single_store_is_sequentially_consistent() {
    let until = |secs: u64| judged(&mut shop(1), &[Property::Sequential], Time(secs * 1_000_000));
    let verdicts = until(15).verdicts();
    assert_eq!(verdicts[0].state, State::Holds, "{:?}", verdicts[0]);
    assert!(!verdicts[0].sentence.starts_with("The first 1 "), "{:?}", verdicts[0]);
    // So many are not kept.
    assert_eq!(until(60).verdicts()[0].state, State::Unknown);
}

/// A router between two ledgers, and clients who transfer; the router crashes for a while.
fn bank(transfers: Transfers) -> World<Role> {
    let transfer = Op::Transfer { to: 0, amount: 7 };
    let mut people = clients(200.0, transfer, calls(NodeId(1), 300, 1));
    people.items = 40;
    let shard = |node| CallSettings { idempotency: true, ..calls(NodeId(node), 200, 1) };
    let router = RouterSettings {
        station: StationSettings { workers: 8, ..StationSettings::default() },
        shards: vec![shard(2), shard(3)],
        active: 2,
        placement: Placement::Modulo,
        items: 40,
        moves: 4,
        transfers,
        keyed: true,
        patience: Span::millis(300),
        again: Span::millis(100),
        tries: 100,
    };
    let store = || {
        let Settings::Ledger(mut settings) = ledger(1_000.0) else { unreachable!() };
        settings.keys = Some(Default::default());
        Settings::Ledger(settings)
    };
    let nodes = [Settings::Clients(people), Settings::Router(router), store(), store()];
    let latency = crate::base::dist::Dist::Constant(3_000.0);
    let mut world = world(&nodes, &LinkSettings { latency, ..Default::default() });
    let fault = Fault::Crash { node: NodeId(1) };
    let (trigger, lasts) = (Trigger::At(Time(5_000_000)), Some(Span::secs(8)));
    world.plan(Planned { trigger, lasts, fault });
    world
}

fn banked(transfers: Transfers, until: u64) -> Vec<Verdict> {
    let properties = [
        Property::Conserved { settle: Span::secs(2) },
        Property::LocksReleased { within: Span::secs(2) },
    ];
    let checks =
        std::cell::RefCell::new(Checks::new(&properties, vec![0, 1, 2, 3], Shards::default()));
    let (fold, close) = (|r: &_| checks.borrow_mut().fold(r), |w: &_| checks.borrow_mut().close(w));
    run(&mut bank(transfers), Time(until * 1_000_000), Span::millis(500), fold, close);
    checks.into_inner().verdicts()
}

#[test]
fn a_dead_coordinator_costs_locks_a_saga_time_and_neither_of_both_money() {
    let locked = banked(Transfers::TwoPhaseCommit, 25);
    let states = |all: &[Verdict]| [all[0].state, all[1].state];
    assert_eq!(states(&locked), [State::Holds, State::Violated], "{locked:?}");
    assert!(locked[1].sentence.ends_with("0 are now."), "{}", locked[1].sentence);
    let halfway = banked(Transfers::Saga, 12);
    assert_eq!(states(&halfway), [State::Holds, State::Unknown], "{halfway:?}");
    assert!(halfway[0].sentence.contains("half done"), "{}", halfway[0].sentence);
    let done = banked(Transfers::Saga, 25);
    assert_eq!(states(&done), [State::Holds, State::Unknown], "{done:?}");
    let lost = banked(Transfers::Unprotected, 25);
    assert_eq!(states(&lost), [State::Violated, State::Unknown], "{lost:?}");
    let (count, intents) = (lost[0].count.map_or(0, |c| c.0), lost[0].intents.len() as u64);
    assert!(count > 0 && intents == count.min(8), "{:?}", lost[0]);
    assert!(lost[0].sentence.contains(&format!("{} is missing: {count} of", 7 * count)));
    assert!(lost[0].at.is_some_and(|at| at >= Time(5_000_000) && at < Time(6_000_000)));
}

/// Four writes to one item, then reads that saw the first of them.
#[test]
fn staleness_may_be_bounded_in_time_and_in_versions() {
    let bound = |within_ms, versions| Bound { within: Span::millis(within_ms), versions };
    let judge = |bound: Bound, read_at_ms: u64| {
        let mut checks = checks(Property::FreshReads { at_least: Chance::ALWAYS, bound });
        let mut op = |intent: u64, op: Op, at_ms: u64, version: u64| {
            let client = |note| What::Note { node: CLIENTS, note };
            let attempt = 1;
            fold(&mut checks, at_ms, client(Note::Began { intent, client: 0, op, item: 1 }));
            let sent = Note::Sent { intent, attempt, target: SERVER, hedge: false };
            fold(&mut checks, at_ms, client(sent));
            let outcome = Outcome::Answered(Answer::Done { version, value: 0 });
            let took = Span::ZERO;
            let answered = Note::Answered { intent, attempt, outcome, took };
            fold(&mut checks, at_ms, client(answered));
            let (ending, attempts) = (Ending::Ok, 1);
            let ended = Note::Ended { intent, client: 0, op, ending, attempts, took };
            fold(&mut checks, at_ms, client(ended));
        };
        for n in 1..=4 {
            op(n, Op::Write, n * 1_000, n);
        }
        op(9, Op::Read, read_at_ms, 1);
        (only(&checks), checks.visibility().map(|v| v.missed().to_vec()))
    };
    let violated = |bound, at_ms| judge(bound, at_ms).0.state == State::Violated;
    assert!(violated(bound(0, 0), 4_500) && violated(bound(0, 2), 4_500));
    assert!(!violated(bound(0, 3), 4_500), "it misses three versions");
    assert!(violated(bound(2_500, 0), 4_500), "the second was acknowledged 2.5 s ago");
    assert!(!violated(bound(2_501, 0), 4_500));
    assert!(!violated(bound(1_000, 2), 4_500) && violated(bound(1_000, 2), 5_000));
    let (verdict, missed) = judge(bound(2_000, 1), 6_000);
    assert_eq!(verdict.name, "reads are at most 2s and 1 version stale");
    assert_eq!(verdict.sentence, "1 of 1 reads were staler, the oldest for 4s.");
    assert_eq!(missed, Some(vec![0, 0, 0, 1, 0, 0]));
}

#[test]
fn a_message_that_is_late_or_dead_is_not_worked_on() {
    let mut checks = checks(Property::Processed { within: Span::secs(1) });
    let letter = |number, step| server(Note::Letter { intent: number, number, group: 0, step });
    let done = || Post::Acknowledged { after: Span::ZERO };
    (1..=4).for_each(|number| fold(&mut checks, 10, letter(number, Post::Kept)));
    assert_eq!(only(&checks).state, State::Unknown);
    fold(&mut checks, 500, letter(1, done()));
    assert_eq!(only(&checks).state, State::Holds);
    fold(&mut checks, 600, letter(2, Post::Dead { attempts: 5 }));
    fold(&mut checks, 650, letter(3, Post::Dead { attempts: 5 }));
    let verdict = only(&checks);
    assert_eq!((verdict.state, verdict.count), (State::Violated, Some((2, 3))));
    assert_eq!((verdict.at, verdict.intents), (Some(Time(600_000)), vec![2, 3]));
    fold(&mut checks, 700, letter(2, Post::Redriven));
    fold(&mut checks, 800, letter(2, done()));
    assert_eq!(only(&checks).count, Some((1, 3)), "put back, and done in time after all");
    fold(&mut checks, 1_100, letter(4, done()));
    let verdict = only(&checks);
    assert_eq!(
        verdict.sentence,
        "2 of 4 messages were not worked on within 1s: 1 late or forgotten, 1 dead letters."
    );
}

#[test]
fn stores_out_of_step_are_told_by_what_is_lost_and_what_never_was() {
    let side = |name: &str, node| Side { name: name.to_owned(), nodes: vec![node] };
    let (of, with) = (side("orders", CLIENTS), side("shipping", SERVER));
    let mut checks = checks(Property::InStep { of, with, within: Span::secs(1) });
    let on = |node, intent, done: bool| {
        let (op, item, position) = (CHARGE, 1, 0);
        let note = match done {
            true => Note::Applied { intent, op, item, position },
            false => Note::Undone { intent, op, item },
        };
        What::Note { node, note }
    };
    fold(&mut checks, 10, on(CLIENTS, 1, true));
    fold(&mut checks, 20, on(SERVER, 1, true));
    fold(&mut checks, 30, on(CLIENTS, 2, true));
    fold(&mut checks, 40, on(SERVER, 3, true));
    fold(&mut checks, 50, on(SERVER, 4, true));
    fold(&mut checks, 60, on(SERVER, 4, false));
    assert_eq!(only(&checks).state, State::Unknown);
    // Done once more, and late: neither is another violation.
    fold(&mut checks, 2_000, on(SERVER, 1, true));
    fold(&mut checks, 2_000, on(SERVER, 2, true));
    fold(&mut checks, 4_000, on(SERVER, 5, true));
    let verdict = only(&checks);
    assert_eq!((verdict.state, verdict.count), (State::Violated, Some((2, 4))));
    assert_eq!(verdict.intents, [2, 3]);
    let text = "1 are in orders and not in shipping, 1 are in shipping and not in orders";
    assert!(verdict.sentence.contains(text), "{}", verdict.sentence);
    // What both had is undone in one of them.
    fold(&mut checks, 4_000, on(CLIENTS, 1, false));
    fold(&mut checks, 6_000, on(SERVER, 6, true));
    assert_eq!(only(&checks).count, Some((4, 6)));
}
