//! Random scenarios in random trouble. Each subject is a scenario with promises that hold in any
//! trouble; a seed chooses its settings and what goes wrong. All trouble ends before the end, and
//! then it must go on. What does not hold is a link.
//!
//! To add a subject: a JSON file in `subjects/` and a line in `FILES`.

mod draw;
pub mod shrink;
#[cfg(test)]
mod tests;

use crate::base::diagnostics::Diagnostics;
use crate::base::time::Time;
use crate::check::{State, Verdict};
use crate::scenario::link::Opened;
use crate::scenario::read;
use crate::scenario::v1::Scenario;
use crate::session::Session;
use serde_json::Value;

const FILES: [(&str, &str); 10] = [
    ("raft", include_str!("subjects/raft.json")),
    ("semi_sync", include_str!("subjects/semi_sync.json")),
    ("one_primary", include_str!("subjects/one_primary.json")),
    ("ledger", include_str!("subjects/ledger.json")),
    ("counter", include_str!("subjects/counter.json")),
    ("set", include_str!("subjects/set.json")),
    ("sharded_counter", include_str!("subjects/sharded_counter.json")),
    ("transfers", include_str!("subjects/transfers.json")),
    ("moving_keys", include_str!("subjects/moving_keys.json")),
    ("cache", include_str!("subjects/cache.json")),
];

/// A scenario whose checks hold whatever happens to it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name: that of its file.
    pub name: &'static str,
    scenario: Scenario,
    /// For each choice its alternatives, each a number of settings by path.
    draw: Vec<Choice>,
    /// The same, but set by hand at an instant of the time of trouble.
    later: Vec<Choice>,
    /// Whether the network may copy messages: what has no idempotency keys is done twice then.
    copies: bool,
}

/// Alternatives, each a number of settings by path.
type Choice = Vec<Vec<(String, Value)>>;

/// All of them.
pub fn subjects() -> Vec<Subject> {
    FILES.iter().map(|(name, text)| subject(name, text)).collect()
}

fn subject(name: &'static str, text: &str) -> Subject {
    let told = read::json(text).and_then(|json| {
        let scenario = read::part::<Scenario>(&json["scenario"], "scenario")?;
        let alternative = |set: &Value| {
            let settings = set.as_object().into_iter().flatten();
            settings.map(|(path, value)| (path.clone(), value.clone())).collect()
        };
        let choice = |all: &Value| all.as_array().into_iter().flatten().map(alternative).collect();
        let choices =
            |part: &str| json[part].as_array().into_iter().flatten().map(choice).collect();
        let copies = json["copies"] != false;
        Ok(Subject { name, scenario, draw: choices("draw"), later: choices("later"), copies })
    });
    told.unwrap_or_else(|problems| panic!("a test reads every subject: {problems}"))
}

impl Subject {
    /// The run of a seed, with further settings on top: mistakes, say, that should be found.
    ///
    /// # Errors
    /// What is wrong with those settings.
    pub fn draw(&self, seed: u64, sets: &[(String, Value)]) -> Result<Opened, Diagnostics> {
        draw::draw(self, seed, sets)
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What does not hold, the first to be looked at first.
    pub broken: Vec<Verdict>,
    /// Events handled.
    pub events: u64,
    /// Operations judged, over all properties that count.
    pub judged: u64,
}

/// Runs to the end and looks at what should hold.
pub fn judge(opened: &Opened) -> Outcome {
    let mut session = Session::open(Opened { t: None, ..opened.clone() });
    session.seek(session.end());
    let verdicts = session.verdicts();
    let judged = verdicts.iter().filter_map(|v| v.count).map(|(_, judged)| judged).sum();
    let mut broken: Vec<Verdict> =
        verdicts.into_iter().filter(|v| v.state == State::Violated).collect();
    // Safety comes before liveness, and what was broken first before what followed from it.
    broken.sort_by_key(|v| (v.intents.is_empty(), v.at.unwrap_or(Time::NEVER)));
    Outcome { broken, events: session.run().course.events(), judged }
}
