//! Four fates that look the same to a client, told apart; and a log that stays calm in a storm.

use super::account::Account;
use super::cast::Cast;
use super::event::Event;
use super::lanes::lanes;
use super::line::{Story, Tone};
use super::log::Log;
use super::scene::Scene;
use super::watch::Watch;
use crate::base::dist::Dist;
use crate::base::id::{FaultId, NodeId};
use crate::base::time::{Span, Time};
use crate::base::unit::{Chance, Rate};
use crate::protocol::client::Load;
use crate::protocol::load::{Arrivals, Profile};
use crate::protocol::note::Note;
use crate::protocol::rpc::{Answer, Ending, Op, Outcome};
use crate::protocol::worlds::{CLIENTS, SERVER, calls, clients, ledger, record, run, world};
use crate::protocol::{Role, Settings};
use crate::sim::fault::Fault;
use crate::sim::network::LinkSettings;
use crate::sim::trace::{Change, Fate, Record, What};
use crate::sim::world::World;

const CHARGE: Op = Op::Charge { amount: 5 };

/// One client, one intent, two attempts of 100 ms; `harm` comes before it.
fn one_intent(link: &LinkSettings, harm: impl FnOnce(&mut World<Role>)) -> (Account, Story, Watch) {
    let mut settings = clients(10.0, CHARGE, calls(SERVER, 100, 2));
    settings.clients = 1;
    settings.load = Load::Open {
        rate: Rate::per_second(10.0),
        arrivals: Arrivals::Even,
        profile: Profile::default(),
    };
    settings.intents = Some(1);
    let nodes = [Settings::Clients(settings), ledger(1_000.0)];
    let mut world = world(&nodes, link);
    let cast = cast(&world);
    let mut watch = Watch::new(&cast, &world, Span::millis(100));
    harm(&mut world);
    let mut fold = |record: &Record<Role>| {
        watch.fold(record, None);
    };
    run(&mut world, Time(60_000_000), Span::secs(1), &mut fold, |_| ());
    let intent = 1;
    let account = watch.ledger.account(intent).expect("the intent is remembered");
    let story = watch.story(intent).expect("the intent is remembered");
    (account, story, watch)
}

fn cast(world: &World<Role>) -> Cast {
    let name = |name: &str| (name.to_owned(), name.to_owned());
    Cast::new(&[name("shop"), name("bank")], world)
}

fn link(latency_ms: u64) -> LinkSettings {
    LinkSettings { latency: Dist::constant(Span::millis(latency_ms)), ..Default::default() }
}

/// Cuts one direction until the first attempt, sent at 100 ms, has died there.
fn cut(world: &mut World<Role>, source: NodeId, target: NodeId) {
    let fault = Fault::Cut { links: vec![(source, target)], hold: false };
    world.begin(fault, Some(Span::millis(180)));
}

#[test]
fn a_lost_request_is_not_done_and_done_by_the_second_attempt() {
    let (account, story, watch) = one_intent(&link(5), |world| cut(world, CLIENTS, SERVER));
    assert_eq!(account.attempts.len(), 2);
    assert_eq!(account.attempts[0].request_lost, Some(Fate::LinkCut));
    assert_eq!((account.times_done(), account.believes.map(|b| b.0)), (1, Some(Ending::Ok)));
    assert!(
        account.attempts[0]
            .words()
            .starts_with("timed out after 100 ms: the request was lost (link cut)")
    );
    assert!(story.title.ends_with("knows that it is done; it was done once"), "{}", story.title);
    let lost = story.life.iter().find(|l| l.text.contains("the link to bank is cut"));
    assert_eq!(lost.map(|l| l.tone), Some(Tone::Warning));
    assert!(watch.notable().is_empty());
}

#[test]
fn a_lost_answer_is_done_twice() {
    let (account, story, watch) = one_intent(&link(5), |world| cut(world, SERVER, CLIENTS));
    assert_eq!(account.attempts[0].reply_lost, Some(Fate::LinkCut));
    assert_eq!((account.times_done(), account.believes.map(|b| b.0)), (2, Some(Ending::Ok)));
    assert!(
        account.attempts[0]
            .words()
            .starts_with("timed out after 100 ms: the answer was lost (link cut)")
    );
    assert!(story.title.ends_with("it was done twice"), "{}", story.title);
    let again = story.life.iter().find(|l| l.tone == Tone::Bad).map(|l| l.text.as_str());
    assert!(again.is_some_and(|text| text.starts_with("bank does it: charge 5 to account")));
    assert_eq!(watch.notable().first().map(|n| n.0), Some(1));
}

#[test]
fn a_late_answer_is_told_from_a_lost_one() {
    let (account, story, _) = one_intent(&link(70), |_| ());
    let words = account.attempts[0].words();
    assert!(
        words.starts_with("timed out after 100 ms: its answer (done) came too late, at "),
        "{words}"
    );
    assert!(matches!(account.attempts[1].late, Some((_, Answer::Done { .. }))));
    assert_eq!((account.times_done(), account.believes.map(|b| b.0)), (2, Some(Ending::Unknown)));
    assert!(story.title.contains("does not know whether it was done; it was done twice"));
}

#[test]
fn a_duplicate_is_told_from_a_retry() {
    let twice = LinkSettings { duplication: Chance::ALWAYS, ..link(5) };
    let (account, story, _) = one_intent(&twice, |_| ());
    assert_eq!((account.attempts.len(), account.times_done()), (1, 2));
    // One of the request, one of each answer.
    assert_eq!(account.copies, 3);
    assert!(story.rows.contains(&("Copies made by the network".to_owned(), "3".to_owned())));
}

#[test]
fn a_storm_is_told_ever_less_often() {
    let nodes = [Settings::Clients(clients(1.0, CHARGE, calls(SERVER, 100, 2))), ledger(1_000.0)];
    let world = world(&nodes, &LinkSettings::default());
    let cast = cast(&world);
    let scene = Scene::new(&cast, &world);
    let mut log = Log::default();
    let timeout = |seq: u64, at| {
        let (outcome, took) = (Outcome::TimedOut, Span::millis(100));
        let note = Note::Answered { intent: seq, attempt: 1, outcome, took };
        Event::of(&record(seq, at, What::Note { node: CLIENTS, note }), 0).expect("a note")
    };
    let crash = What::Node { node: SERVER, change: Change::Crashed };
    log.fold(&Event::of(&record(1, 5, crash), 0).expect("a change"), None);
    for n in 0..3_000 {
        log.fold(&timeout(n + 2, 10 + n), None);
    }
    log.fold(&timeout(9_000, 8_000), None);
    log.flush(Time(20_000_000));
    let lines = log.lines(100, &scene);
    let texts: Vec<_> = lines.iter().rev().map(|l| l.text.as_str()).collect();
    let first = "attempt 1 of a client of shop to bank timed out after 100 ms";
    assert_eq!(
        texts,
        [
            "bank crashes: what it held only in memory is gone",
            first,
            "999 more attempts of shop timed out in the last second",
            "2000 more attempts of shop timed out in the last 2s",
            first,
        ]
    );
    assert!(lines.is_sorted_by(|a, b| a.at >= b.at));
}

#[test]
fn rare_lines_survive_a_storm_and_memory_is_bounded() {
    let nodes = [Settings::Clients(clients(1.0, CHARGE, calls(SERVER, 100, 2))), ledger(1_000.0)];
    let world = world(&nodes, &LinkSettings::default());
    let cast = cast(&world);
    let mut watch = Watch::new(&cast, &world, Span::millis(100));
    let fault = What::Fault { fault: FaultId(0), began: true };
    watch.fold(&record(1, 1, fault), Some("bank is down"));
    let fail = |intent: u64| Note::Ended {
        intent,
        client: 0,
        op: CHARGE,
        ending: Ending::Failed,
        attempts: 1,
        took: Span::millis(1),
    };
    for n in 1..200_000u64 {
        watch.fold(&record(n, n * 10, What::Note { node: CLIENTS, note: fail(n) }), None);
    }
    let lines = watch.lines(10_000);
    assert_eq!(lines.last().map(|l| l.text.as_str()), Some("trouble: bank is down"));
    assert!(lines.len() <= 801);
    assert!(watch.notable().len() <= 96 && watch.notable().len() > 50);
    // The failures asked about are remembered though their pages are gone.
    let oldest = watch.notable().last().map(|n| n.0);
    assert!(oldest.and_then(|n| watch.story(n)).is_some());
    assert!(watch.story(1).is_none());
    assert!(size_of::<Event>() <= 88, "{}", size_of::<Event>());
}

#[test]
fn a_space_time_diagram_has_every_message_once_and_follows_causes() {
    let mut settings = clients(50.0, CHARGE, calls(SERVER, 100, 2));
    settings.clients = 5;
    let lossy = LinkSettings { loss: Chance(100_000), duplication: Chance(50_000), ..link(5) };
    let mut world = world(&[Settings::Clients(settings), ledger(1_000.0)], &lossy);
    world.shared.trace.level = crate::sim::trace::Level::All;
    let scene = Scene::new(&cast(&world), &world);
    world.start();
    world.run_until(Time(10_000_000));
    let records = std::mem::take(&mut world.shared.trace.fresh);
    let all = lanes(&records, &scene, Time::ZERO, Time::NEVER, None);
    assert_eq!(all.rows.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["shop", "bank"]);
    let counts = &world.shared.trace.counts;
    let ended = |fate| all.arrows.iter().filter(|a| a.fate == Some(fate)).count() as u64;
    assert_eq!(all.arrows.len() as u64, counts.sent);
    assert_eq!(ended(Fate::Delivered), counts.ended[0]);
    assert_eq!(ended(Fate::LostInFlight), counts.ended[1]);
    assert_eq!(all.arrows.iter().filter(|a| a.copy).count() as u64, counts.copies);
    assert!(counts.copies > 0 && counts.ended[1] > 0);
    assert!(all.arrows.iter().all(|a| a.ended.is_none() || a.sent <= a.ended));
    // Every answer was caused by something that happened in its row.
    let causes: std::collections::BTreeSet<u64> = records.iter().map(|r| r.seq).collect();
    assert!(all.arrows.iter().all(|a| a.cause < a.seq && causes.contains(&a.cause)));
    let window = lanes(&records, &scene, Time(2_000_000), Time(2_200_000), None);
    let begun = window.arrows.iter().filter(|a| a.sent.is_none()).count();
    assert!(window.arrows.len() < 100 && begun <= 4, "{begun} of {}", window.arrows.len());
    let one = lanes(&records, &scene, Time::ZERO, Time::NEVER, Some(7));
    assert!(one.arrows.iter().all(|a| a.intent == Some(7)) && one.arrows.len() >= 2);
}

#[test]
fn of_too_many_intents_some_are_followed_from_beginning_to_end() {
    let nodes = [Settings::Clients(clients(1.0, CHARGE, calls(SERVER, 100, 2))), ledger(1_000.0)];
    let world = world(&nodes, &LinkSettings::default());
    let mut watch = Watch::new(&cast(&world), &world, Span::millis(100));
    let began = |intent| Note::Began { intent, client: 0, op: CHARGE, item: 1 };
    let (outcome, took) = (Outcome::TimedOut, Span::secs(1));
    let times_out = |intent| Note::Answered { intent, attempt: 1, outcome, took };
    let sent = |intent| Note::Sent { intent, attempt: 1, target: SERVER, hedge: false };
    let ended = |intent| {
        let (client, ending, attempts) = (0, Ending::Unknown, 1);
        Note::Ended { intent, client, op: CHARGE, ending, attempts, took }
    };
    // A hundred intents each millisecond, each of which ends a second later.
    for at in 0..6_000u64 {
        for n in 0..100 {
            let new = at * 100 + n;
            let old = new.saturating_sub(100_000);
            // In the first second none has ended.
            let count = if new < 100_000 { 2 } else { 4 };
            for note in [began(new), sent(new), times_out(old), ended(old)].into_iter().take(count)
            {
                watch.fold(&record(new + 1, at, What::Note { node: CLIENTS, note }), None);
            }
        }
    }
    assert!((1.0 / 64.0..=1.0 / 8.0).contains(&watch.ledger.followed()));
    let latest = watch.notable().first().map_or(0, |n| n.0);
    let account = watch.ledger.account(latest).expect("it is followed");
    assert_eq!((account.attempts.len(), account.believes.map(|b| b.0)), (1, Some(Ending::Unknown)));
    assert!(account.wanted.is_some(), "its beginning is known");
}
