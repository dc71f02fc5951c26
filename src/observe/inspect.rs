//! What there is to say about one node or one message: rows of a name and a value.

use super::cast::Cast;
use super::frame::Condition;
use super::shards::Sharding;
use super::{picture, shards};
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::backup::{Backup, Test};
use crate::protocol::balancer::Balancer;
use crate::protocol::broker::Broker;
use crate::protocol::cache::{Cache, Writes};
use crate::protocol::caller::Caller;
use crate::protocol::dns::Dns;
use crate::protocol::fleet::Fleet;
use crate::protocol::fleet::duty::State;
use crate::protocol::rpc::{Answer, Reply, Request};
use crate::protocol::store::Standing;
use crate::protocol::store::quorum::QuorumStore;
use crate::protocol::{Message, Role};
use crate::sim::world::{Place, World};

/// So many dead letters are listed.
const DEAD_SHOWN: usize = 8;

/// Rows about a node, from what it is to what it does.
pub fn node(world: &World<Role>, cast: &Cast, id: NodeId) -> Vec<(String, String)> {
    let (Some(role), Some(place)) =
        (world.processes.get(id.index()), world.shared.places.get(id.index()))
    else {
        return Vec::new();
    };
    let now = world.shared.now;
    let mut rows = state(role, place, now);
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    match role {
        Role::Clients(population) => {
            row("clients", population.settings.clients.to_string());
            row("requests begun", population.intents().to_string());
        }
        Role::Balancer(balancer) => backends(balancer, cast, &mut rows),
        Role::Dns(dns) => places(dns, cast, &mut rows),
        Role::Broker(broker) => queues(broker, cast, now, &mut rows),
        Role::Ledger(ledger) => {
            row("accounts changed", ledger.items.len().to_string());
            row("money charged", ledger.charged().to_string());
            if ledger.settings.keys.is_some() {
                row("keys remembered", ledger.keys().to_string());
            }
            if let Some(outbox) = &ledger.outbox {
                row("messages in the outbox", outbox.len().to_string());
            }
        }
        Role::Router(router) => {
            sharded(&shards::sharding(world, cast, cast.name(id), router), &mut rows);
        }
        Role::Cache(cache) => cached(cache, &mut rows),
        Role::Quorum(store) => leaderless(store, cast, &mut rows),
        Role::Backup(backup) => kept(backup, now, &mut rows),
        Role::Fleet(fleet) => sizes(fleet, cast, &mut rows),
        Role::Service(service) => {
            if let Some(duty) = &service.duty {
                row("duty", duty.state.word().to_owned());
                row("version", duty.version.to_string());
            }
        }
        Role::Replica(_) | Role::Raft(_) => {}
    }
    locks(role, now, &mut rows);
    if let Some(standing) = role.standing() {
        replica(&standing, cast, &mut rows);
    }
    for caller in role.callers() {
        calls(caller, cast, now, &mut rows);
        for (place, count) in caller.resolvers.shares() {
            let says = format!("{count} of 16 resolvers");
            rows.push((format!("told {}", cast.name(place)), says));
        }
    }
    rows
}

/// Rows about any node: whether it is up, its clock, its station.
fn state(role: &Role, place: &Place<Role>, now: Time) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    let since = now.since(place.since);
    let for_so_long = |word: &str| format!("{word} for {:.1} s", since.as_secs());
    row(
        "state",
        match picture::condition(place) {
            Condition::Up => "up".to_owned(),
            Condition::Slow(factor) => {
                for_so_long(&format!("{}× slower", f64::from(factor) / 1_000.0))
            }
            Condition::Paused => for_so_long("paused"),
            Condition::Down => for_so_long("down"),
        },
    );
    if !place.clock.skews.is_empty() {
        let (local, real) = (place.clock.read(now).0 as f64, now.0 as f64);
        row("clock", format!("{:+.3} s off", (local - real) / 1e6));
    }
    if let Some(station) = picture::station(role) {
        let settings = &station.settings;
        row("workers", level(station.busy(), settings.workers));
        row("queue", level(station.waiting(), settings.queue));
        if let Some(limit) = station.limit_now() {
            row("concurrency limit", format!("{limit:.1}"));
        }
        let time = Span::from_micros_f64(settings.time.mean());
        row("mean service time", place_work(time, place.slowness));
    }
    rows
}

fn backends(balancer: &Balancer, cast: &Cast, rows: &mut Vec<(String, String)>) {
    for (backend, node) in balancer.backends.iter().zip(&balancer.settings.backends) {
        let state = match (backend.health.is_healthy(), backend.ejected) {
            (false, _) => ", unhealthy",
            (_, true) => ", ejected",
            (true, false) if !backend.registered => ", not in use",
            (true, false) => "",
        };
        let says = format!("{} outstanding{state}", backend.outstanding);
        rows.push((cast.name(*node).to_owned(), says));
    }
}

fn places(dns: &Dns, cast: &Cast, rows: &mut Vec<(String, String)>) {
    for (place, node) in dns.settings.places.iter().enumerate() {
        let says = if dns.health.is_healthy(place) { "answers" } else { "does not answer" };
        rows.push((cast.name(*node).to_owned(), says.to_owned()));
    }
}

fn cached(cache: &Cache, rows: &mut Vec<(String, String)>) {
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("entries", level(cache.contents.len(), cache.settings.capacity));
    row("items being fetched", cache.fetching().to_string());
    row("requests waiting for them", cache.waiting().to_string());
    if cache.settings.writes == Writes::Behind {
        row("writes confirmed and not written", cache.pending().to_string());
    }
}

/// What each group of consumers has to do, and its dead letters.
fn queues(broker: &Broker, cast: &Cast, now: Time, rows: &mut Vec<(String, String)>) {
    for group in &broker.groups {
        let name = cast.name_all(&group.settings.targets);
        let mut row = |what: &str, value: String| rows.push((format!("{name}: {what}"), value));
        row("waiting", group.left().saturating_sub(group.out()).to_string());
        row("with consumers", level(group.out(), group.most_out()));
        if group.settings.ordered {
            row("behind one of the same item", group.behind().to_string());
        }
        if let Some(since) = group.oldest() {
            row("oldest", format!("{:.1} s", now.since(since).as_secs()));
        }
        let dead: Vec<String> = group
            .dead()
            .take(DEAD_SHOWN)
            .map(|dead| format!("{} of item {}", dead.letter.op.word(), dead.letter.item))
            .collect();
        let count = group.dead().count();
        let list = if count > 0 { format!(": {}", dead.join(", ")) } else { String::new() };
        let more = if count > dead.len() { ", …" } else { "" };
        row("dead letters", format!("{count}{list}{more}"));
    }
}

/// What a fleet wants, and what it has heard.
fn sizes(fleet: &Fleet, cast: &Cast, rows: &mut Vec<(String, String)>) {
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    let most = fleet.settings.replicas.len();
    row("to run", format!("{} of {most}", fleet.size()));
    if let Some(scale) = &fleet.settings.scale {
        let busy = fleet.usage().map_or("not known".to_owned(), |usage| usage.to_string());
        row("workers busy", format!("{busy}, {} wanted", scale.target));
    }
    if fleet.settings.deploy.is_some() {
        row("new version", fleet.rollout.words().to_owned());
    }
    for (seen, node) in fleet.replicas.iter().zip(&fleet.settings.replicas) {
        let wanted = seen.wanted.map_or("to be off".to_owned(), |v| format!("to run version {v}"));
        let is = match seen.state {
            State::Off => "off".to_owned(),
            state => format!("{} version {}", state.word(), seen.version),
        };
        row(cast.name(*node), format!("{wanted}, {is}"));
    }
}

fn leaderless(store: &QuorumStore, cast: &Cast, rows: &mut Vec<(String, String)>) {
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("items held", store.cells().count().to_string());
    let beside = store.cells().filter(|(_, cell)| cell.versions.len() > 1).count();
    row("items with siblings", beside.to_string());
    row("kept for others", store.hints().count().to_string());
    if !store.suspected().is_empty() {
        row("does not answer", cast.name_all(store.suspected()));
    }
}

fn kept(backup: &Backup, now: Time, rows: &mut Vec<(String, String)>) {
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    let ago = |at: Time| format!("{:.1} s ago", now.since(at).as_secs());
    row("copies", backup.library.copies().count().to_string());
    if let Some(newest) = backup.library.newest() {
        let kind = if newest.is_full() { "full" } else { "incremental" };
        let (number, items) = (newest.number, newest.items.len());
        row("newest copy", format!("{number}, {kind}, {items} items, reported good"));
        row("it is of", ago(newest.at));
        row("it took", newest.took.to_string());
    }
    if let Some((_, at)) = backup.library.shipped.filter(|_| backup.settings.logs.is_some()) {
        row("log shipped", format!("{} changes, up to {}", backup.library.log(), ago(at)));
    }
    if let Some((there, all)) = backup.copying() {
        row("copying", format!("{there} of {all} items"));
    }
    if let Some((there, all)) = backup.bringing_back() {
        row("restoring", format!("{there} of {all} items"));
    }
    let test = match &backup.tested {
        None if backup.settings.tests.is_none() => "never".to_owned(),
        None => "not yet".to_owned(),
        Some(Test { at, copy, found: Ok(()) }) => format!("copy {copy} passed, {}", ago(*at)),
        Some(Test { at, found: Err(None), .. }) => format!("no copy, {}", ago(*at)),
        Some(Test { at, copy, found: Err(Some(flaw)) }) => {
            format!("copy {copy} {}, {}", flaw.words(), ago(*at))
        }
    };
    row("last restore test", test);
    if backup.alarms > 0 {
        let repair = if backup.repairing() { ", under repair" } else { "" };
        row("alarms", format!("{}{repair}", backup.alarms));
    }
    if let Some(restored) = &backup.restored {
        row("last restore", ago(restored.at));
    }
}

fn sharded(sharding: &Sharding, rows: &mut Vec<(String, String)>) {
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("map", sharding.version.to_string());
    row("keys to move", sharding.to_move.to_string());
    row("requests waiting for a move", sharding.waiting.to_string());
    for (stage, count) in &sharding.transfers {
        row("transfers", format!("{count} {stage}"));
    }
    for shard in &sharding.shards {
        row(&shard.name, format!("{}, {} requests", shards::says(shard), shard.sent));
    }
}

fn locks(role: &Role, now: Time, rows: &mut Vec<(String, String)>) {
    let Some(holds) = role.holds() else { return };
    if let Some(oldest) = holds.locks().map(|(_, lock)| lock.since).min() {
        let (count, age) = (holds.locks().count(), now.since(oldest).as_secs());
        rows.push(("locked items".to_owned(), format!("{count}, the oldest for {age:.1} s")));
    }
}

fn replica(standing: &Standing, cast: &Cast, rows: &mut Vec<(String, String)>) {
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("role", standing.lead.word().to_owned());
    row("term", standing.term.to_string());
    row("leader", standing.leader.map_or("none known".to_owned(), |l| cast.name(l).to_owned()));
    row("log", format!("{} entries", standing.last));
    row("on disk", standing.durable.to_string());
    row("committed", standing.committed.to_string());
    row("applied", standing.applied.to_string());
    if let Some(votes) = standing.votes {
        row("votes for it", votes.to_string());
    }
    if let Some(vote) = standing.vote {
        row("voted for", cast.name(vote).to_owned());
    }
}

fn calls(caller: &Caller, cast: &Cast, now: Time, rows: &mut Vec<(String, String)>) {
    let target = cast.name_all(&caller.settings.targets);
    let mut row = |name: String, value: String| rows.push((name, value));
    row(format!("calls to {target}"), format!("{} open", caller.outstanding()));
    let mut breakers = caller.breakers();
    if let (Some(breaker), None) = (breakers.next(), breakers.next()) {
        let summary = breaker.summary();
        let state = format!("{:?}", breaker.state()).to_lowercase();
        let rate = summary.failure_rate.map_or(String::new(), |r| format!(", {r:.0}% failing"));
        let (calls, failures) = (summary.calls, summary.failures);
        row(format!("breaker to {target}"), format!("{state}, {failures} of {calls} failed{rate}"));
    }
    let budgets: Vec<f64> = caller.budgets(now).collect();
    if !budgets.is_empty() {
        let mean = budgets.iter().sum::<f64>() / budgets.len() as f64;
        row(format!("retry budget to {target}"), format!("{:.0}% full", mean * 100.0));
    }
}

fn level(level: u32, limit: u32) -> String {
    if limit == u32::MAX { level.to_string() } else { format!("{level} of {limit}") }
}

fn place_work(time: Span, slowness: u32) -> String {
    match slowness {
        1_000 => time.to_string(),
        factor => format!("{} (usually {time})", time.scale(f64::from(factor) / 1_000.0)),
    }
}

/// Rows about a message in flight; nothing when it has ended.
pub fn packet(world: &World<Role>, cast: &Cast, id: u64) -> Option<Vec<(String, String)>> {
    let (_, packet) = world.shared.packets.iter().find(|(_, p)| p.id == id)?;
    let link = &world.shared.network.links[packet.link.index()];
    let mut rows = vec![
        ("message".to_owned(), words(&packet.message)),
        ("from".to_owned(), cast.name(link.source).to_owned()),
        ("to".to_owned(), cast.name(link.target).to_owned()),
        ("sent".to_owned(), packet.sent_at.to_string()),
    ];
    let arrives = if packet.doomed.is_some() {
        "never: the network will lose it".to_owned()
    } else if packet.due_at < world.shared.now {
        "when the link heals".to_owned()
    } else {
        packet.due_at.to_string()
    };
    rows.push(("arrives".to_owned(), arrives));
    Some(rows)
}

/// A message in words.
pub fn words(message: &Message) -> String {
    match message {
        Message::Request(Request { op, ticket, item, .. })
        | Message::Forward { request: Request { op, ticket, item, .. }, .. } => {
            let again = if ticket.attempt > 1 {
                format!(", attempt {}", ticket.attempt)
            } else {
                String::new()
            };
            format!("{} of item {item}{again}", op.word())
        }
        Message::Reply(Reply { answer, ticket, .. }) => {
            format!("answer to attempt {}: {}", ticket.attempt, answer_words(*answer))
        }
        Message::Probe { .. } => "health check".to_owned(),
        Message::Alive { .. } => "healthy".to_owned(),
        Message::Resolve { .. } => "a question where to go".to_owned(),
        Message::Resolved { .. } => "an answer where to go".to_owned(),
        Message::Store(message) => message.words().to_owned(),
        Message::Fleet(message) => message.words().to_owned(),
    }
}

/// An answer in words.
pub fn answer_words(answer: Answer) -> String {
    match answer {
        Answer::Done { .. } => "done".to_owned(),
        Answer::Degraded => "done, with something missing".to_owned(),
        Answer::Stale { .. } => "done, with something out of date".to_owned(),
        Answer::Refused(why) => format!("refused: {}", why.words()),
        Answer::Error => "error".to_owned(),
        Answer::Conflict => "conflict".to_owned(),
        Answer::KeyReused => "the key belongs to another request".to_owned(),
        Answer::Unsure => "error, though it may have been done".to_owned(),
    }
}
