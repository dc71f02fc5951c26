//! What the host may ask for.

use super::fields::{Refusal, text};
use crate::app::panels::share::page_address;
use crate::app::state::Lab;
use crate::observe::frame::{Condition, NodeView};
use crate::scenario::v1::wire::Wire;
use crate::session::Session;
use crate::session::facts;
use crate::session::share::LinkOptions;
use leptos::prelude::*;
use serde_json::Value;

/// Lines of the log that are answered when nobody says how many.
const LINES: u64 = 40;

/// Something to ask for, by its name.
pub type Fact = (&'static str, fn(Lab, &Value) -> Value);

/// What `get` answers.
pub const FACTS: [Fact; 6] = [
    ("url", |lab, _| url(lab).into()),
    ("scenario", |lab, _| lab.with_session(|s| s.scenario().write())),
    ("metrics", |lab, _| lab.with_session(facts::metrics)),
    ("events", |lab, message| {
        let newest = message.get("n").and_then(Value::as_u64).unwrap_or(LINES).min(1_000);
        lab.with_session(|s| {
            let lines = s.log(usize::try_from(newest).unwrap_or_default());
            lines.iter().rev().map(|line| facts::event(s, line)).collect::<Vec<_>>().into()
        })
    }),
    ("checks", |lab, _| {
        lab.with_session(|s| s.verdicts().iter().map(facts::check).collect::<Vec<_>>().into())
    }),
    ("snapshot", snapshot),
];

/// What `export` answers, as texts.
pub const EXPORTS: [Fact; 2] = [
    ("json", |lab, _| lab.with_session(Session::file).into()),
    ("csv", |lab, _| lab.with_session(facts::csv).into()),
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
    match facts.iter().find(|(known, _)| *known == name) {
        Some((_, fact)) => Ok(fact(lab, message)),
        None => {
            let known: Vec<&str> = facts.iter().map(|(known, _)| *known).collect();
            let says = format!("`{path}` may be {}; not `{name}`", known.join(", "));
            Err(Refusal::new("unsupported", says, path))
        }
    }
}

/// The whole address of this run at this instant.
pub fn url(lab: Lab) -> String {
    let fragment = lab.with_session(|s| s.link(LinkOptions::default()));
    page_address(lab, &[], &fragment)
}

/// Where time stands.
pub fn state(lab: Lab) -> Value {
    lab.with_session(|s| {
        facts::object(vec![
            ("playing", lab.playing.get_untracked().into()),
            ("t", s.now().as_secs().into()),
            ("end", s.end().as_secs().into()),
            ("speed", lab.speed.get_untracked().into()),
            ("seed", s.origin().seed.into()),
        ])
    })
}

/// Where time stands, and how the nodes are.
fn snapshot(lab: Lab, _: &Value) -> Value {
    let node = |node: &NodeView| {
        let state = match node.condition {
            Condition::Up => "up",
            Condition::Down => "down",
            Condition::Paused => "paused",
            Condition::Slow(_) => "slow",
        };
        facts::object(vec![("id", node.name.as_str().into()), ("state", state.into())])
    };
    let nodes = lab.with_frame(|frame| frame.nodes.iter().map(node).collect::<Vec<_>>());
    let mut snapshot = state(lab);
    let digest = format!("{:016x}", lab.with_session(Session::digest));
    facts::put(&mut snapshot, "preset", lab.preset.get_untracked().into());
    facts::put(&mut snapshot, "digest", digest.into());
    facts::put(&mut snapshot, "nodes", nodes.into());
    snapshot
}
