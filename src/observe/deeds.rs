//! What caches, fleets and brokers did, in plain words.

use super::explain::length;
use super::scene::Scene;
use crate::base::id::NodeId;
use crate::protocol::fleet::duty::State;
use crate::protocol::note::{Lookup, Note, Post, Why};

/// What a cache did, in words.
pub(super) fn cached(me: &str, item: u32, how: Lookup) -> String {
    match how {
        Lookup::Hit => format!("{me} holds item {item}"),
        Lookup::Miss => format!("{me} does not hold item {item}, or not for this reader"),
        Lookup::Joined => {
            format!("{me} has asked for item {item} already: the request waits for the same answer")
        }
        Lookup::Stale => {
            format!("{me} serves item {item} though its time is over, since it cannot be fetched")
        }
        Lookup::Early => format!("{me} fetches item {item} again before its time is over"),
        Lookup::Dropped => format!("{me} drops item {item}: it was changed"),
        Lookup::Evicted => format!("{me} drops item {item} to make room"),
        Lookup::Void => {
            format!("{me} does not keep what it fetched of item {item}: it was changed meanwhile")
        }
        Lookup::Passed => format!("{me} passes the change of item {item} on"),
        Lookup::Deferred => {
            format!("{me} confirms the write of item {item} and keeps it for later")
        }
        Lookup::Lost => format!("{me} came back without a confirmed write of item {item}"),
    }
}

/// What a fleet decides and its replicas do, in words.
pub(super) fn of_fleet(me: &str, note: &Note) -> String {
    match *note {
        Note::Scaled { from, to } if to > from => {
            format!("{me} wants {} more to run: {to} instead of {from}", to - from)
        }
        Note::Scaled { from, to } => {
            format!("{me} wants {} fewer to run: {to} instead of {from}", from - to)
        }
        Note::Deploys { version, replicas: 1 } => {
            format!("{me} brings version {version} to one more replica")
        }
        Note::Deploys { version, replicas } => {
            format!("{me} brings version {version} to {replicas} more replicas")
        }
        Note::Deployed { version } => format!("{me} has brought version {version} to all replicas"),
        Note::RolledBack { version, why: Why::Errors } => {
            format!("{me} takes version {version} back: too many of its answers are errors")
        }
        Note::RolledBack { version, why: Why::Late } => {
            format!("{me} takes version {version} back: it does not serve in time")
        }
        Note::Duty { state, version } => {
            let version = if version > 1 { format!(" version {version}") } else { String::new() };
            match state {
                State::Off => format!("{me} is off"),
                State::Starting => format!("{me} starts{version}"),
                State::Serving => format!("{me} serves{version}"),
                State::Draining => format!("{me} takes nothing new and finishes what it has"),
            }
        }
        _ => String::new(),
    }
}

/// What became of a message in a broker, in words.
pub(super) fn posted(node: NodeId, group: u8, step: Post, scene: &Scene) -> String {
    let me = scene.name(node);
    let to = scene.stack(node, group).map_or("?", |stack| stack.target.as_str());
    match step {
        Post::Kept => format!("{me} has taken the message for {to}"),
        Post::HandedOut { attempt: 0 | 1, target } => {
            format!("{me} hands the message to {}", scene.name(target))
        }
        Post::HandedOut { attempt, target } => {
            format!(
                "{me} hands the message out again, to {} (attempt {attempt})",
                scene.name(target)
            )
        }
        Post::Returned => format!("{me} hears that {to} failed at the message"),
        Post::Expired => {
            format!("{me} has waited long enough for {to}: others may have the message")
        }
        Post::Acknowledged { after } => {
            format!(
                "{me} hears that {to} is done with the message, {} after it came",
                length(after)
            )
        }
        Post::Dead { attempts } => {
            format!(
                "{me} puts the message for {to} with the dead letters, after {attempts} attempts"
            )
        }
        Post::Redriven => format!("{me} puts a dead letter for {to} back into the queue"),
        Post::Dropped => format!("{me} drops the message for {to}: it is too old"),
        Post::Lost => format!("{me} came back without a message that was not yet on disk"),
    }
}
