//! What can be asked of a run that has ended, by name:
//!
//! - a count, as in `observe::totals` (`offered`, `good`, `refused.0`), or `p50` and its like in
//!   milliseconds; `api.arrived` is a count of one node;
//! - `highest queue api-*`, `mean in_flight`: a series, or the sum of all whose names begin so;
//! - `back after`: seconds from the end of the last fault to the beginning of the first two
//!   seconds from which on goodput stays at 80 % of what it was before the first fault;
//! - `violations of <check>` and `cases of <check>`: how many things violate it, of how many;
//! - `recovery rpo`, `rto` (seconds), `lost`, `acknowledged`: what the disaster cost;
//! - `intents believes unknown, done 1`: intents of which all of this is true;
//! - `cost`, `cost of traffic`: by the hour, in servers;
//! - `things`: what can be lost; `single losses`, `pair losses`: what stops something, alone and
//!   only together;
//! - `a / b` of two of these, and `a per second`.

use netsplit::base::id::NodeId;
use netsplit::base::time::{Span, Time};
use netsplit::observe::account::Account;
use netsplit::observe::series::Series;
use netsplit::protocol::rpc::Ending;
use netsplit::session::Session;
use serde_json::Value;

/// From when until when something is measured.
pub type Window = (Time, Time);

/// The value of `name`; not a number when nothing was measured.
pub fn measure(session: &Session, name: &str, window: Window) -> f64 {
    if let Some((left, right)) = name.split_once(" / ") {
        return measure(session, left, window) / measure(session, right, window);
    }
    if let Some(count) = name.strip_suffix(" per second") {
        return measure(session, count, window) / window.1.since(window.0).as_secs();
    }
    if let Some(value) = whole(session, name) {
        return value;
    }
    if name == "back after" {
        return back_after(session);
    }
    if let Some(what) = name.strip_prefix("recovery ") {
        let measured = session.recovery().expect("a check of recovery, and a disaster");
        return match what {
            "rpo" => measured.rpo.as_secs(),
            "rto" => measured.rto.map_or(f64::INFINITY, Span::as_secs),
            "lost" => measured.lost as f64,
            "acknowledged" => measured.acknowledged as f64,
            _ => panic!("`{name}` is not understood"),
        };
    }
    if let Some((what, check)) = name.split_once(" of ") {
        let verdicts = session.verdicts();
        let verdict = verdicts.iter().find(|v| v.name.starts_with(check));
        let count = verdict.unwrap_or_else(|| panic!("no check is called {check}")).count;
        let (violations, cases) = count.unwrap_or_else(|| panic!("{check} does not count"));
        return match what {
            "violations" => violations as f64,
            "cases" => cases as f64,
            _ => panic!("`{name}` is not understood"),
        };
    }
    if let Some(conditions) = name.strip_prefix("intents ") {
        return intents(session, conditions);
    }
    match name.split_once(' ') {
        Some((how, series)) => over_time(session, how, series, window),
        None => count(session, name, window),
    }
}

/// What is so of a whole run or of its topology.
fn whole(session: &Session, name: &str) -> Option<f64> {
    Some(match name {
        "cost" => session.cost().per_hour,
        "cost of traffic" => session.cost().traffic,
        "things" => session.redundancy().elements as f64,
        "single losses" => session.redundancy().single.len() as f64,
        "pair losses" => session.redundancy().pairs.map_or(f64::NAN, |pairs| pairs.len() as f64),
        _ => return None,
    })
}

fn count(session: &Session, name: &str, (from, until): Window) -> f64 {
    if let Some((node, what)) = name.split_once('.')
        && let Some(node) = session.run().course.cast.find(node)
    {
        let at = |at: Time| of_node(session, node, what, at);
        return at(until) - at(from);
    }
    let totals = session.metrics().between(from, until);
    if name == "good" {
        return totals.good() as f64;
    }
    if name == "bad" {
        return totals.bad() as f64;
    }
    let json = serde_json::to_value(&totals).expect("counts are JSON");
    match json.pointer(&format!("/{}", name.replace('.', "/"))) {
        Some(Value::Null) => f64::NAN,
        Some(value) => value.as_f64().expect("a count is a number"),
        None => panic!("nothing is called `{name}`"),
    }
}

/// What a node has counted up to an instant.
fn of_node(session: &Session, node: NodeId, what: &str, at: Time) -> f64 {
    if at == Time::ZERO {
        return 0.0;
    }
    let of = |session: &Session| serde_json::to_value(session.metrics().nodes[node.index()]);
    let json = if at == session.now() {
        of(session)
    } else {
        let mut then = session.clone();
        then.seek(at);
        of(&then)
    };
    let json = json.expect("counts are JSON");
    let count = json.get(what).unwrap_or_else(|| panic!("a node has no `{what}`"));
    count.as_f64().expect("a count is a number")
}

fn over_time(session: &Session, how: &str, name: &str, (from, until): Window) -> f64 {
    let all = &session.metrics().series;
    let named = |known: &str| match name.strip_suffix('*') {
        Some(start) => known.starts_with(start),
        None => known == name,
    };
    let series: Vec<&Series> = all.iter().filter(|s| named(&s.name)).collect();
    let first = series.first().unwrap_or_else(|| panic!("no series is called `{name}`"));
    let place = |at: Time| ((at.0 / first.bin.0) as usize).min(first.values.len());
    let sum = |bin: usize| series.iter().map(|s| f64::from(s.values[bin])).sum::<f64>();
    let values = (place(from)..place(until)).map(sum);
    match how {
        "highest" => values.fold(f64::NAN, f64::max),
        "lowest" => values.fold(f64::NAN, f64::min),
        "mean" => values.clone().sum::<f64>() / values.len() as f64,
        _ => panic!("`{how} {name}` is not understood"),
    }
}

/// Infinite if it never comes back.
fn back_after(session: &Session) -> f64 {
    const STEP: Span = Span::millis(500);
    const LOOK: Span = Span::secs(2);
    let faults = &session.run().course.faults;
    let begins = faults.iter().map(|f| f.since).min().expect("there is a fault");
    let ended = faults.iter().filter_map(|f| f.until).max().expect("it ends");
    let good = |from: Time, until: Time| session.metrics().between(from, until).good() as f64;
    let before = good(Time::ZERO, begins) / begins.as_secs();
    let (mut at, mut back) = (ended, None);
    while at + LOOK <= session.end() {
        if good(at, at + LOOK) < 0.8 * before * LOOK.as_secs() {
            back = None;
        } else {
            back = back.or(Some(at));
        }
        at += STEP;
    }
    back.map_or(f64::INFINITY, |at| at.since(ended).as_secs())
}

/// How many intents meet all conditions.
fn intents(session: &Session, conditions: &str) -> f64 {
    let conditions: Vec<&str> = conditions.split(", ").collect();
    let ledger = &session.run().course.watch.ledger;
    assert!(ledger.followed() > 0.99, "there are too many intents to look at each");
    let nodes = (0..).map(NodeId).zip(&session.metrics().nodes);
    let mut found = 0;
    for (node, _) in nodes {
        let numbers = (1..).map(|n| (u64::from(node.0) << 40) | n);
        let accounts = numbers.map_while(|intent| ledger.account(intent));
        found += accounts.filter(|a| conditions.iter().all(|c| holds(a, c))).count();
    }
    found as f64
}

fn holds(account: &Account, condition: &str) -> bool {
    let any =
        |is: fn(&netsplit::observe::account::Attempt) -> bool| account.attempts.iter().any(is);
    match condition {
        "ended" => account.believes.is_some(),
        "believes ok" => matches!(account.believes, Some((Ending::Ok, ..))),
        "believes failed" => matches!(account.believes, Some((Ending::Failed, ..))),
        "believes unknown" => matches!(account.believes, Some((Ending::Unknown, ..))),
        "done" => account.times_done() > 0,
        "done 0" => account.times_done() == 0,
        "done 1" => account.times_done() == 1,
        "done more" => account.times_done() > 1,
        "request lost" => any(|a| a.request_lost.is_some()),
        "answer lost" => any(|a| a.reply_lost.is_some()),
        "late" => any(|a| a.late.is_some()),
        "copied" => account.copies > 0,
        "one attempt" => account.attempts.len() == 1,
        "more attempts" => account.attempts.len() > 1,
        _ => panic!("`{condition}` is not understood"),
    }
}
