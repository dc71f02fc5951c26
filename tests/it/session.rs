//! A run can be left and come back to: what is seen at an instant never depends on the way there.

use netsplit::base::id::NodeId;
use netsplit::base::time::{Span, Time};
use netsplit::protocol::Role;
use netsplit::scenario::v1::Scenario;
use netsplit::scenario::{link, read};
use netsplit::session::Session;
use netsplit::session::command::Command;
use netsplit::session::run::Run;
use netsplit::session::share::LinkOptions;
use serde_json::{Value, json};

fn scenario() -> Scenario {
    let text = json!({
        "duration": "40s",
        "nodes": {
            "clients": {"clients": {
                "count": 100, "to": "api", "timeout": "300ms", "load": {"open": {"rate": "3/s"}},
                "retry": {"attempts": 3}
            }},
            "api": {"service": {"replicas": 2, "workers": 2, "calls": {"db": {"timeout": "200ms"}}}},
            "db": {"ledger": {"workers": 4}}
        },
        "faults": [{"at": "10s", "for": "5s", "slow": {"node": "db", "factor": 8}}]
    });
    read::text(&text.to_string()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn session() -> Session {
    Session::start(scenario()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn at(ms: u64) -> Time {
    Time(ms * 1_000)
}

/// Plays as a page does: a little at a time.
fn play(session: &mut Session, until: Time) {
    while session.now() < until {
        let next = until.min(session.now() + Span::millis(16));
        while !session.advance(next, 700) {}
    }
}

#[test]
fn seeking_gives_what_playing_gave() {
    let mut played = session();
    let mut digests = Vec::new();
    for ms in [1, 999, 9_999, 10_000, 14_321, 25_000, 40_000] {
        play(&mut played, at(ms));
        let metrics = played.metrics();
        digests.push((ms, played.digest(), format!("{:?}", metrics.totals)));
    }
    for &(ms, digest, ref totals) in digests.iter().rev().chain(&digests) {
        played.seek(at(ms));
        assert_eq!(played.now(), at(ms));
        let seen = format!("{:?}", played.metrics().totals);
        assert_eq!((played.digest(), &seen), (digest, totals), "at {ms} ms");
        let mut fresh = session();
        fresh.seek(at(ms));
        assert_eq!(fresh.digest(), digest);
    }
}

#[test]
fn a_command_in_the_past_forks_and_both_futures_stay() {
    let mut session = session();
    session.seek(at(30_000));
    let first = session.digest();
    session.seek(at(5_000));
    session.command(Command::Kill(NodeId(1))).expect("api-1 is there");
    assert_eq!(session.newest(), at(5_000));
    play(&mut session, at(30_000));
    let second = session.digest();
    assert_ne!(first, second);
    assert_eq!(session.branches().len(), 1);
    assert!(session.switch(0));
    assert_eq!((session.now(), session.digest()), (at(30_000), first));
    assert!(session.switch(0));
    assert_eq!(session.digest(), second);
}

#[test]
fn commands_can_be_taken_back_and_done_again() {
    let mut session = session();
    play(&mut session, at(2_000));
    let set = |path: &str, value| Command::Set { path: path.to_owned(), value };
    session.command(set("db.workers", json!(1))).expect("a service has workers");
    play(&mut session, at(3_000));
    session.command(Command::Cut { source: NodeId(0), target: NodeId(1) }).expect("a link");
    play(&mut session, at(6_000));
    let (both, faults) = (session.digest(), session.run().course.faults.len());
    assert_eq!(faults, 1);
    assert!(session.undo() && session.undo() && !session.undo());
    let mut plain = self::session();
    plain.seek(at(6_000));
    assert_eq!(session.digest(), plain.digest());
    assert!(session.redo() && session.redo() && !session.redo());
    assert_eq!(session.digest(), both);
}

#[test]
fn a_wrong_setting_changes_nothing_and_says_why() {
    let mut session = session();
    play(&mut session, at(1_000));
    let before = (session.digest(), session.scenario().clone());
    for (path, value) in [
        ("db.workers", json!("many")),
        ("db.wrkers", json!(3)),
        ("nobody.workers", json!(3)),
        ("db.workers", json!(0)),
        ("clients.retry.attempts", json!(-1)),
    ] {
        let command = Command::Set { path: path.to_owned(), value };
        let problems = session.command(command).expect_err(path);
        assert!(problems.has_errors());
        assert!(problems.problems.iter().all(|p| !p.path.is_empty() && !p.message.is_empty()));
    }
    assert_eq!((session.digest(), session.scenario().clone()), before);
}

#[test]
fn a_change_of_the_cast_starts_again_and_comes_back() {
    let mut session = session();
    play(&mut session, at(4_000));
    let value = json!(3);
    session.command(Command::Set { path: "api.replicas".to_owned(), value }).expect("replicas");
    assert_eq!(session.now(), at(4_000));
    assert_eq!(session.run().course.cast.group("api").len(), 3);
}

#[test]
fn stepping_gives_what_playing_gave() {
    let mut stepped = session();
    for _ in 0..2_000 {
        stepped.seek_event();
    }
    let mut played = session();
    played.seek(stepped.now());
    assert_eq!(stepped.digest(), played.digest());
    // A few events at a time: the same, and meanwhile it is known what it does.
    let mut slowly = session().in_steps();
    for _ in 0..2_000 {
        slowly.seek_event();
        assert!(slowly.is_looking());
        while !slowly.approach(3) {}
        assert!(slowly.goal().is_none() && !slowly.is_looking());
    }
    assert_eq!((slowly.now(), slowly.digest()), (stepped.now(), stepped.digest()));
    assert_eq!(slowly.noticed(), stepped.noticed());
    assert!(slowly.noticed().is_some());
    // A deed on the way is done where it has come to, not at the end.
    slowly.seek_event();
    let here = slowly.now();
    slowly.command(Command::HealAll).expect("a deed");
    assert!(slowly.goal().is_none() && slowly.now() == here);
    let seen = |s: &Session| format!("{:?}", s.metrics().totals);
    assert_eq!(seen(&stepped), seen(&played));
}

#[test]
fn a_link_opens_the_same_run_at_the_same_instant() {
    let (opened, _) = link::open(Some("retry-storm"), "seed=9");
    let mut session = Session::open(opened);
    let nodes = session.run().course.cast.members.len() as u32;
    play(&mut session, at(1_500));
    let last = NodeId(nodes - 1);
    session.command(Command::Kill(last)).expect("a node");
    play(&mut session, at(2_750));
    session.command(Command::Cut { source: NodeId(0), target: NodeId(1) }).expect("a link");
    session.command(Command::Start(last)).expect("a node");
    play(&mut session, at(4_000));
    let set = Command::Set { path: "people.retry.attempts".to_owned(), value: json!(2) };
    session.command(set).expect("a setting");
    play(&mut session, at(6_123));
    let fragment = session.link(LinkOptions::default());
    let (opened, problems) = link::open(Some("retry-storm"), &fragment);
    assert!(problems.is_empty(), "{fragment}: {problems}");
    let again = Session::open(opened);
    assert_eq!((again.now(), again.digest()), (session.now(), session.digest()), "{fragment}");
    assert_eq!(again.is_as_linked(), Some(true));
    assert_eq!(again.commands(), session.commands());
    assert_eq!(again.link(LinkOptions::default()), fragment);
    let other = fragment.replace("seed=9", "seed=8");
    let (opened, _) = link::open(Some("retry-storm"), &other);
    assert_eq!(Session::open(opened).is_as_linked(), Some(false));
}

#[test]
fn a_map_stays_while_a_shard_has_no_leader_to_hand_keys_over() {
    let with = |store: Value| {
        let text = json!({
            "duration": "2s",
            "nodes": {
                "ann": {"clients": {"to": "front", "mix": {"write": 1}, "items": 10}},
                "front": {"router": {"shards": ["one", "two"], "active": 1}},
                "one": {"ledger": {}},
                "two": store,
            },
        });
        read::text(&text.to_string()).unwrap_or_else(|problems| panic!("{problems}"))
    };
    for (path, value) in [("front.active", json!(2)), ("front.placement", json!({"range": {}}))] {
        let set = Command::Set { path: path.to_owned(), value };
        let mut run = Run::new(with(json!({"ledger": {}}))).expect("a run");
        run.apply(&set).expect("keys that move");
        let mut run = Run::new(with(json!({"quorum": {}}))).expect("a run");
        let says = format!(
            "error: {path}: keys would have to move, and nobody leads `two` who could hand over all that \
             was written (start again)"
        );
        assert_eq!(run.apply(&set).expect_err(path).to_string(), says);
        let patience = Command::Set { path: "front.patience".to_owned(), value: json!("2s") };
        run.apply(&patience).expect("anything else may change");
        // A session begins again with the new map: nothing moves.
        let mut session = Session::start(with(json!({"quorum": {}}))).expect("a session");
        session.seek(at(1_000));
        session.command(set).expect("a new beginning");
        session.seek(at(2_000));
        let Role::Router(router) = &session.run().course.world.processes[1] else {
            panic!("a router")
        };
        assert_eq!((router.book.version, router.book.change.as_ref()), (0, None));
        let active = if path == "front.active" { 2 } else { 1 };
        assert_eq!(router.book.map.shards, active);
    }
}

#[test]
fn a_way_in_steps_comes_to_what_a_way_in_one_comes_to() {
    let open = |t| link::open(Some("metastable"), t).0;
    let whole = Session::open(open("t=30s&at=12s:kill:db"));
    let mut stepped = Session::opening(open("t=30s&at=12s:kill:db"));
    assert_eq!((stepped.now(), stepped.goal()), (at(0), Some(at(30_000))));
    let mut steps = 0;
    while !stepped.approach(1_000) {
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
    assert_eq!((stepped.now(), stepped.goal()), (at(30_000), None));
    assert_eq!(stepped.digest(), whole.digest());
    // Back and forth, also by what begins the run again.
    for to in [9_000, 31_000] {
        stepped.seek(at(to));
        assert_eq!(stepped.goal(), Some(at(to)));
        while !stepped.approach(1_000) {}
        let mut fresh = Session::open(open("at=12s:kill:db"));
        fresh.seek(at(to));
        assert_eq!(stepped.digest(), fresh.digest(), "at {to} ms");
    }
    assert!(stepped.undo());
    assert_eq!((stepped.now(), stepped.goal()), (at(0), Some(at(31_000))));
    stepped.arrive();
    let mut fresh = Session::open(open(""));
    fresh.seek(at(31_000));
    assert_eq!(stepped.digest(), fresh.digest());
}

#[test]
fn what_is_done_on_the_way_is_done_where_the_run_is() {
    let mut session = session().in_steps();
    session.seek(at(30_000));
    assert!(!session.approach(3_000));
    let here = session.now();
    session.command(Command::Kill(NodeId(1))).expect("api-1 is there");
    assert_eq!((session.now(), session.goal(), session.commands()[0].at), (here, None, here));
    // A change of who there is begins again and goes on to where it was bound for.
    session.seek(at(30_000));
    assert!(!session.approach(10));
    let set = |path: &str, value| Command::Set { path: path.to_owned(), value };
    session.command(set("clients.count", json!(50))).expect("a number of clients");
    assert_eq!((session.now(), session.goal()), (at(0), Some(at(30_000))));
    assert!(!session.approach(10));
    session.halt();
    assert!(session.approach(10) && session.now() < at(30_000));
    // Several at once are done at the same instant, the one it is bound for.
    session.seek(at(5_000));
    session.arrive();
    let both = [set("clients.count", json!(60)), Command::Kill(NodeId(2))];
    session.deed(both).expect("a deed");
    assert_eq!((session.now(), session.commands()[1].at), (at(5_000), at(5_000)));
}
