//! What the host may ask for.

use super::fields::{Refusal, text};
use crate::app::address;
use crate::app::panels::share::page_address;
use crate::app::state::Lab;
use crate::observe::frame::{Condition, Frame, NodeView};
use crate::scenario::v1::wire::Wire;
use crate::session::Session;
use crate::session::facts;
use leptos::prelude::*;
use serde_json::Value;

/// Lines of the log that are answered when nobody says how many.
const LINES: u64 = 40;

/// Something to ask for, by its name.
pub type Fact = (&'static str, fn(Lab, &Session, &Value) -> Value);

/// What `get` answers.
pub static FACTS: [Fact; 6] = [
    ("url", |lab, _, _| url(lab)),
    ("scenario", |_, session, _| facts::scenario(session).write()),
    ("metrics", |_, session, _| facts::metrics(session)),
    ("events", |_, session, message| {
        let newest = message.get("n").and_then(Value::as_u64).unwrap_or(LINES).min(1_000);
        let mut lines = session.log(usize::try_from(newest).unwrap_or_default());
        lines.reverse();
        lines.iter().map(|line| facts::event(session, line)).collect::<Vec<_>>().into()
    }),
    ("checks", |_, session, _| {
        session.verdicts().iter().map(facts::check).collect::<Vec<_>>().into()
    }),
    ("snapshot", snapshot),
];

/// What `export` answers, as texts.
pub static EXPORTS: [Fact; 2] = [
    ("json", |_, session, _| session.file().into()),
    ("csv", |_, session, _| facts::csv(session).into()),
];

/// Answers what is asked for.
pub fn get(lab: Lab, message: &Value) -> Result<Value, Refusal> {
    one_of(&FACTS, "what", lab, message)
}

/// Writes the run down in a format.
pub fn export(lab: Lab, message: &Value) -> Result<Value, Refusal> {
    one_of(&EXPORTS, "format", lab, message)
}

fn one_of(facts: &[Fact], path: &str, lab: Lab, message: &Value) -> Result<Value, Refusal> {
    let name = text(message, path)?;
    let found = facts.iter().find(|(known, _)| *known == name);
    let says = || format!("there is no `{name}`; `hello` answers what there is");
    let (_, fact) = found.ok_or_else(|| Refusal::new("unsupported", says(), path))?;
    Ok(lab.with_session(|session| fact(lab, session, message)))
}

/// The whole address of this run at this instant.
pub fn url(lab: Lab) -> Value {
    page_address(lab, &[], &address::fragment(lab)).into()
}

/// Where time stands.
pub fn state(lab: Lab, session: &Session) -> Value {
    facts::object(vec![
        ("playing", lab.playing.get_untracked().into()),
        ("t", session.now().as_secs().into()),
        ("end", session.end().as_secs().into()),
        ("speed", lab.speed.get_untracked().into()),
        ("seed", session.origin().seed.into()),
    ])
}

/// Where time stands, and how the nodes are.
fn snapshot(lab: Lab, session: &Session, _: &Value) -> Value {
    let node = |node: &NodeView| {
        let state = match node.condition {
            Condition::Up => "up",
            Condition::Down => "down",
            Condition::Paused => "paused",
            Condition::Slow(_) => "slow",
        };
        facts::object(vec![("id", node.name.as_str().into()), ("state", state.into())])
    };
    let mut frame = Frame::default();
    session.frame(&mut frame);
    let nodes: Vec<Value> = frame.nodes.iter().map(node).collect();
    let mut snapshot = state(lab, session);
    facts::put(&mut snapshot, "preset", session.preset().into());
    facts::put(&mut snapshot, "digest", format!("{:016x}", session.digest()).into());
    facts::put(&mut snapshot, "nodes", nodes.into());
    snapshot
}
