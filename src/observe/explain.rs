//! An event as a sentence in plain words.

use super::deeds::{cached, of_fleet, posted};
use super::event::{Cargo, Event, Fact};
use super::line::{Line, Tone};
use super::scene::Scene;
use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::protocol::fleet::duty::State;
use crate::protocol::note::{Backed, Found, Hold, Lookup, NoRetry, Note, Phase, Post, Step};
use crate::protocol::rpc::{Answer, Ending, Op, Outcome, Refusal};
use crate::sim::trace::{Change, Fate};

/// The sentence for an event. `said` is the fault in words, where the event is one.
pub fn explain(event: &Event, scene: &Scene, said: Option<&str>) -> Line {
    let (tone, text) = match &event.fact {
        Fact::Note { node, note } => (tone(note), sentence(*node, note, scene)),
        Fact::Repeated { node, note, times } => {
            let again = format!("a {} time", ordinal(*times));
            (Tone::Bad, format!("{} {again}", sentence(*node, note, scene)))
        }
        Fact::Sent { link, copy, cargo, .. } => {
            let (source, target) = match scene.ends(*link) {
                Some((source, target)) => (scene.name(source), scene.name(target)),
                None => ("?", "?"),
            };
            let cargo = cargo_words(*cargo);
            if *copy {
                (
                    Tone::Warning,
                    format!("the network makes a copy of {cargo} from {source} to {target}"),
                )
            } else {
                (Tone::Plain, format!("{cargo} leaves {source} for {target}"))
            }
        }
        Fact::Ended { source, target, fate, cargo, .. } => {
            let (source, target) = (scene.name(*source), scene.name(*target));
            ended(source, target, *fate, *cargo)
        }
        Fact::Node { node, change } => changed(scene.name(*node), *change),
        Fact::Fault { began, .. } => fault(*began, said),
        Fact::Deferred { node } => {
            (Tone::Plain, format!("something waits for {}, which stands still", scene.name(*node)))
        }
    };
    let (node, intent) = (event.node(), event.intent());
    Line { at: event.at, seq: event.seq, cause: event.cause, text, tone, node, intent }
}

fn sentence(node: NodeId, note: &Note, scene: &Scene) -> String {
    let me = &scene.actor(node);
    match *note {
        Note::Began { client, op, item, .. } => {
            format!("client {client} of {} wants to {}", scene.name(node), wish(op, item))
        }
        Note::Sent { attempt, target, hedge, .. } => {
            let target = scene.name(target);
            match (attempt, hedge) {
                (_, true) => format!("{me} asks {target} too, to be sure (attempt {attempt})"),
                (0 | 1, false) => format!("{me} asks {target}"),
                (_, false) => format!("{me} asks {target} again (attempt {attempt})"),
            }
        }
        Note::Answered { attempt, outcome, took, .. } => {
            answered(node, attempt, outcome, took, scene)
        }
        Note::Waits { attempt, wait: Span::ZERO, .. } => {
            format!("{me} does not wait before attempt {attempt}")
        }
        Note::Waits { attempt, wait, .. } => {
            format!("{me} waits {} before attempt {attempt}", length(wait))
        }
        Note::NoRetry { why, .. } => format!("{me} does not try again: {}", no_retry(why)),
        Note::Ended { client, op, ending, attempts, took, .. } => {
            let tries = if attempts == 1 { "attempt" } else { "attempts" };
            let (name, believes, took) = (scene.name(node), belief(ending, op), length(took));
            format!("client {client} of {name} {believes}, after {attempts} {tries} and {took}")
        }
        Note::Late { attempt, answer, .. } => {
            let says = answer_words(answer);
            format!(
                "the answer to attempt {attempt} ({says}) reaches {me} when nobody waits for it"
            )
        }
        Note::Breaker { stack, from, to } => breaker(node, stack, from, to, scene),
        Note::Arrived { .. } | Note::Refused { .. } | Note::Worked { .. } => served(me, note),
        Note::Applied { .. }
        | Note::Stamped { .. }
        | Note::Undone { .. }
        | Note::Truncated { .. }
        | Note::Leads { .. }
        | Note::StepsDown { .. }
        | Note::Suspects { .. } => stored(me, note),
        Note::Recognised { found, .. } => format!("{me} {}", found_words(found)),
        Note::Fallback { dependency, .. } => {
            let without = scene.stack(node, dependency).map_or("?", |s| s.target.as_str());
            format!("{me} answers without {without}")
        }
        Note::Transfer { .. } | Note::Held { .. } | Note::Remapped { .. } => sharded(me, note),
        Note::Cached { item, how, .. } => cached(me, item, how),
        Note::Scaled { .. }
        | Note::Duty { .. }
        | Note::Deploys { .. }
        | Note::Deployed { .. }
        | Note::RolledBack { .. } => of_fleet(me, note),
        Note::Letter { group, step, .. } => posted(node, group, step, scene),
        Note::Ejected { backend } => format!("{me} stops sending to {}", scene.name(backend)),
        Note::Readmitted { backend } => format!("{me} sends to {} again", scene.name(backend)),
        Note::Backup { did } => format!("{me} {}", did.words()),
    }
}

/// What became of a request at a station, in words.
fn served(me: &str, note: &Note) -> String {
    match *note {
        Note::Refused { why, .. } if why.is_local() => {
            format!("{me} holds the request back: {}", why.words())
        }
        Note::Refused { why, stayed: Span::ZERO, .. } => {
            format!("{me} turns the request away: {}", why.words())
        }
        Note::Refused { why, stayed, .. } => {
            format!("{me} turns the request away after {}: {}", length(stayed), why.words())
        }
        Note::Worked { span, stayed, .. } if span == stayed => {
            format!("{me} has done its work in {}", length(span))
        }
        Note::Worked { span, stayed, .. } => {
            let waited = length(stayed - span);
            format!("{me} has done its work in {}, after a wait of {waited}", length(span))
        }
        _ => format!("the request reaches {me}"),
    }
}

/// What a store did, in words.
fn stored(me: &str, note: &Note) -> String {
    match *note {
        Note::Applied { op, item, .. } => format!("{me} does it: {}", wish(op, item)),
        Note::Stamped { change, .. } => {
            format!("{me} stamps the change {} by its clock", change.at())
        }
        Note::Undone { op, item, .. } => {
            format!("{me} came back without a change that was not yet on disk: {}", wish(op, item))
        }
        Note::Truncated { op, item, led, .. } => {
            let made = if led { ", made while it led" } else { "" };
            format!("{me} throws away what the new leader does not have{made}: {}", wish(op, item))
        }
        Note::Leads { term } => format!("{me} leads from now on (term {term})"),
        Note::StepsDown { term } => format!("{me} leads no more (term {term})"),
        Note::Suspects { .. } => format!("{me} has not heard of its leader for too long"),
        _ => String::new(),
    }
}

/// What routers and shards do for transfers and moves, in words.
fn sharded(me: &str, note: &Note) -> String {
    match *note {
        Note::Transfer { step, .. } => format!("{me} {}", step.words()),
        Note::Held { item, hold, .. } => match hold {
            Hold::Locks => format!("{me} locks item {item} until the transaction is decided"),
            Hold::Releases => format!("{me} releases item {item}: the transaction is aborted"),
            Hold::Asks => format!("{me} is in doubt about item {item} and asks what was decided"),
            Hold::Left => format!("{me} hands item {item} over"),
            Hold::Came => format!("{me} receives item {item}"),
        },
        Note::Remapped { version, moving: 0 } => {
            format!("{me} has map {version} in force: every key is where it belongs")
        }
        Note::Remapped { version, moving } => {
            format!("{me} has a new map, {version}: {moving} keys have to move")
        }
        _ => String::new(),
    }
}

fn tone(note: &Note) -> Tone {
    match note {
        Note::Ended { ending, .. } => match ending {
            Ending::Ok => Tone::Good,
            Ending::Degraded => Tone::Warning,
            Ending::Rejected | Ending::Failed | Ending::Unknown => Tone::Bad,
        },
        Note::Answered { outcome, .. } => match outcome {
            Outcome::Answered(Answer::Done { .. }) => Tone::Good,
            Outcome::Answered(_) | Outcome::TimedOut => Tone::Warning,
        },
        Note::Breaker { to, .. } => match to {
            Phase::Closed => Tone::Good,
            Phase::Open => Tone::Bad,
            Phase::HalfOpen => Tone::Plain,
        },
        Note::NoRetry { .. }
        | Note::Late { .. }
        | Note::Refused { .. }
        | Note::Fallback { .. }
        | Note::Ejected { .. }
        | Note::StepsDown { .. }
        | Note::Suspects { .. } => Tone::Warning,
        Note::Undone { .. } | Note::Truncated { .. } | Note::Cached { how: Lookup::Lost, .. } => {
            Tone::Bad
        }
        Note::Cached { how: Lookup::Stale, .. } => Tone::Warning,
        Note::Cached { how: Lookup::Hit, .. } => Tone::Good,
        Note::Backup { did } => match did {
            Backed::Unreadable { .. } | Backed::Lost | Backed::Alarm { .. } => Tone::Bad,
            Backed::Skipped | Backed::Missed | Backed::Gap | Backed::Decides => Tone::Warning,
            Backed::Copied { .. } | Backed::Restores { .. } => Tone::Plain,
            Backed::Restored { .. } | Backed::Passed { .. } | Backed::Repaired => Tone::Good,
        },
        Note::Letter { step, .. } => match step {
            Post::Dead { .. } | Post::Dropped | Post::Lost => Tone::Bad,
            Post::Returned | Post::Expired => Tone::Warning,
            Post::HandedOut { attempt, .. } if *attempt > 1 => Tone::Warning,
            Post::Acknowledged { .. } | Post::Redriven => Tone::Good,
            Post::Kept | Post::HandedOut { .. } => Tone::Plain,
        },
        Note::Transfer { step: Step::GivenUp, .. } => Tone::Bad,
        Note::Transfer { step: Step::Aborts | Step::TurnsBack, .. }
        | Note::Held { hold: Hold::Asks, .. } => Tone::Warning,
        Note::Transfer { .. }
        | Note::Held { .. }
        | Note::Remapped { .. }
        | Note::Scaled { .. }
        | Note::Deploys { .. } => Tone::Plain,
        Note::Deployed { .. } => Tone::Good,
        Note::RolledBack { .. } => Tone::Warning,
        Note::Duty { state: State::Serving, .. } => Tone::Good,
        Note::Duty { .. } => Tone::Plain,
        Note::Recognised { .. } | Note::Readmitted { .. } | Note::Leads { .. } => Tone::Good,
        Note::Sent { attempt, .. } if *attempt > 1 => Tone::Warning,
        Note::Began { .. }
        | Note::Sent { .. }
        | Note::Waits { .. }
        | Note::Arrived { .. }
        | Note::Worked { .. }
        | Note::Stamped { .. }
        | Note::Cached { .. }
        | Note::Applied { .. } => Tone::Plain,
    }
}

fn answered(node: NodeId, attempt: u8, outcome: Outcome, took: Span, scene: &Scene) -> String {
    let (me, took) = (scene.actor(node), length(took));
    let to = scene.only_target(node).map_or(String::new(), |t| format!(" to {t}"));
    match outcome {
        Outcome::TimedOut => {
            format!("attempt {attempt} of {me}{to} timed out after {took}")
        }
        Outcome::Answered(answer) => {
            format!(
                "attempt {attempt} of {me}{to} is answered after {took}: {}",
                answer_words(answer)
            )
        }
    }
}

fn breaker(node: NodeId, stack: u8, from: Phase, to: Phase, scene: &Scene) -> String {
    let unknown = Default::default();
    let stack = scene.stack(node, stack).unwrap_or(&unknown);
    let target = &stack.target;
    let owner = if stack.breakers > 1 { scene.actor(node) } else { scene.name(node).to_owned() };
    match (from, to) {
        (Phase::HalfOpen, Phase::Open) => {
            format!("{owner} opens its breaker to {target} again: a probe failed")
        }
        (_, Phase::Open) => {
            let why = stack.opens.as_ref().map_or(String::new(), |why| format!(": {why}"));
            format!("{owner} opens its breaker to {target}{why}")
        }
        (_, Phase::HalfOpen) => {
            let wait = length(stack.wait);
            format!("{owner} lets a probe through to {target}: its breaker waited {wait}")
        }
        (Phase::HalfOpen, Phase::Closed) => {
            format!("{owner} closes its breaker to {target}: the probes were answered")
        }
        (_, Phase::Closed) => format!("{owner} closes its breaker to {target}"),
    }
}

fn ended(source: &str, target: &str, fate: Fate, cargo: Cargo) -> (Tone, String) {
    let cargo = cargo_words(cargo);
    match fate {
        Fate::Delivered => (Tone::Plain, format!("{cargo} from {source} reaches {target}")),
        Fate::LostInFlight => {
            (Tone::Warning, format!("{cargo} from {source} to {target} is lost on the way"))
        }
        Fate::LinkCut => {
            (Tone::Warning, format!("{cargo} from {source} is lost: the link to {target} is cut"))
        }
        Fate::TargetDown => {
            (Tone::Warning, format!("{cargo} from {source} is lost: {target} is down"))
        }
        Fate::NoRoute => {
            (Tone::Warning, format!("{cargo} from {source} is lost: there is no link to {target}"))
        }
    }
}

fn changed(name: &str, change: Change) -> (Tone, String) {
    match change {
        Change::Crashed => {
            (Tone::Bad, format!("{name} crashes: what it held only in memory is gone"))
        }
        Change::Restarted => (Tone::Good, format!("{name} runs again")),
        Change::Paused => (Tone::Warning, format!("{name} stands still: what arrives waits")),
        Change::Resumed => (Tone::Good, format!("{name} goes on")),
    }
}

fn fault(began: bool, said: Option<&str>) -> (Tone, String) {
    match (began, said) {
        (true, Some(said)) => (Tone::Bad, format!("trouble: {said}")),
        (true, None) => (Tone::Bad, "trouble begins".to_owned()),
        (false, Some(said)) => (Tone::Good, format!("over: {said}")),
        (false, None) => (Tone::Good, "the trouble is over".to_owned()),
    }
}

/// What is wanted, in words that follow "to".
pub fn wish(op: Op, item: u32) -> String {
    match op {
        Op::Read => format!("read item {item}"),
        Op::Write => format!("write item {item}"),
        Op::Charge { amount } => format!("charge {amount} to account {item}"),
        Op::Update => format!("update item {item}"),
        Op::CompareAndSet { version } => {
            format!("write item {item} if its version is still {version}")
        }
        Op::Increment { by } => format!("add {by} to item {item}"),
        Op::Insert { member } => format!("put {member} into set {item}"),
        Op::Remove { member } => format!("take {member} out of set {item}"),
        Op::Transfer { to, amount } => {
            format!("transfer {amount} from account {item} to account {to}")
        }
        Op::Scan => "read everything".to_owned(),
        Op::Leg { delta } | Op::Commit { delta } if delta < 0 => {
            format!("take {} from account {item} for a transfer", delta.unsigned_abs())
        }
        Op::Leg { delta } | Op::Commit { delta } => {
            format!("give account {item} {delta} of a transfer")
        }
        Op::Prepare { .. } => format!("prepare a transfer of account {item}"),
        Op::Abort => format!("abort a transfer of account {item}"),
        Op::Take => format!("hand item {item} over"),
        Op::Put { .. } => format!("receive item {item}"),
        Op::Erase => "delete everything".to_owned(),
        Op::Corrupt => format!("write nonsense into item {item}"),
        Op::Reset { .. } => "be restored".to_owned(),
        Op::Load { .. } => format!("bring item {item} back"),
        Op::Open => "serve again after a restore".to_owned(),
    }
}

/// What the owner of an intent believes, in words that follow its name.
pub fn belief(ending: Ending, op: Op) -> &'static str {
    match ending {
        Ending::Ok => "knows that it is done",
        Ending::Degraded => "knows that it is done, with something missing",
        Ending::Rejected => "knows that it was turned away",
        Ending::Failed => "knows that it failed",
        Ending::Unknown if op == Op::Read => "got no answer in time",
        Ending::Unknown => "does not know whether it was done",
    }
}

/// An answer in a few words.
pub fn answer_words(answer: Answer) -> &'static str {
    match answer {
        Answer::Done { .. } => "done",
        Answer::Degraded => "done, with something missing",
        Answer::Stale { .. } => "done, with something out of date",
        Answer::Refused(why) => match why {
            Refusal::QueueFull => "turned away, queue full",
            Refusal::Shed => "turned away, waited too long",
            Refusal::Limit => "turned away, concurrency limit",
            Refusal::Expired => "turned away, deadline passed",
            Refusal::NoBackend => "turned away, no healthy backend",
            Refusal::NoLeader => "turned away, no leader known",
            Refusal::NoQuorum => "turned away, no quorum within reach",
            Refusal::NoFunds => "turned away, not enough money",
            Refusal::Locked => "turned away, locked by a transaction",
            Refusal::Moved => "turned away, the item has moved",
            Refusal::Restoring => "turned away, being restored",
            Refusal::Draining => "turned away, about to stop",
            Refusal::BreakerOpen
            | Refusal::RateLimited
            | Refusal::Bulkhead
            | Refusal::Throttled => "held back",
        },
        Answer::Error => "an error",
        Answer::Conflict => "a conflict",
        Answer::KeyReused => "the key belongs to another request",
        Answer::Unsure => "an error, though it may have been done",
    }
}

/// Why there was no further attempt.
pub fn no_retry(why: NoRetry) -> &'static str {
    match why {
        NoRetry::Attempts => "all attempts are used",
        NoRetry::Budget => "its retry budget is empty",
        NoRetry::Deadline => "the deadline would pass first",
        NoRetry::Outcome => "this kind of failure is not tried again",
    }
}

fn found_words(found: Found) -> &'static str {
    match found {
        Found::Answer => "knows the key: it gives the earlier answer and does nothing again",
        Found::AtWork => "knows the key: the first request with it is still at work",
        Found::OtherRequest => "refuses the key: it was used for another request",
    }
}

fn cargo_words(cargo: Cargo) -> String {
    match cargo {
        Cargo::Request { attempt, .. } => format!("the request of attempt {attempt}"),
        Cargo::Reply { attempt, answer, .. } => {
            format!("the answer to attempt {attempt} ({})", answer_words(answer))
        }
        Cargo::Probe => "a health check".to_owned(),
        Cargo::Store { words } => words.to_owned(),
    }
}

/// A length of time as people say it.
pub fn length(span: Span) -> String {
    match span.0 {
        0..1_000 => format!("{} µs", span.0),
        1_000..10_000 => format!("{:.1} ms", span.as_millis()),
        10_000..1_000_000 => format!("{:.0} ms", span.as_millis()),
        _ => format!("{:.2} s", span.as_secs()),
    }
}

/// `second`, `third`, `4th`.
pub fn ordinal(n: u32) -> String {
    match n {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        _ => format!("{n}th"),
    }
}
