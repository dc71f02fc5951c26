//! Scenarios with a story, in the order of the gallery. Each is a JSON file: the scenario is the
//! same text that a link or a file holds, and goes the same way.
//!
//! To add one: a file here, a line in `FILES`, and a file of facts in `tests/presets` that binds
//! the numbers of its story to the run.

use super::v1::Scenario;
use super::v1::wire::Named;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::sync::LazyLock;

const FILES: [(&str, &str); 7] = [
    ("four-fates", include_str!("four-fates.json")),
    ("double-charge", include_str!("double-charge.json")),
    ("retry-storm", include_str!("retry-storm.json")),
    ("thundering-herd", include_str!("thundering-herd.json")),
    ("metastable", include_str!("metastable.json")),
    ("breaker-cascade", include_str!("breaker-cascade.json")),
    ("graceful-degradation", include_str!("graceful-degradation.json")),
];

static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let read = |(id, text): &(&'static str, &str)| {
        let preset: Preset = serde_json::from_str(text).expect("a test reads every preset");
        Preset { id, ..preset }
    };
    FILES.iter().map(read).collect()
});

/// A scenario with a story.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name in links.
    #[serde(skip)]
    pub id: &'static str,
    /// What it is called.
    pub title: String,
    /// What it is about, in a sentence or two.
    pub summary: String,
    /// The shelf it stands on.
    pub theme: String,
    /// What happens and why, in paragraphs.
    pub story: Vec<String>,
    /// A bet to make before running it.
    pub question: Question,
    /// What to look at while it runs.
    pub watch: Vec<String>,
    /// Changes to try.
    pub tries: Vec<Try>,
    /// How far to trust it.
    pub card: Fidelity,
    /// What is run.
    pub scenario: Scenario,
}

/// A bet to make before a run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// What may be answered.
    pub choices: Vec<String>,
    /// Which choice is right, counting from zero.
    pub answer: usize,
    /// Why.
    pub explain: String,
}

/// A change to try, with one click.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// What it does.
    pub label: String,
    /// Paths and values, see [`super::compile::set`].
    #[serde(deserialize_with = "in_order")]
    pub set: Vec<(String, Value)>,
    /// What will be seen.
    pub expect: String,
}

/// What the simulation has of the real thing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fidelity {
    /// As in reality.
    pub modelled: Vec<String>,
    /// Simpler than in reality.
    pub simplified: Vec<String>,
    /// Left out.
    pub not_modelled: Vec<String>,
}

fn in_order<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<(String, Value)>, D::Error> {
    Named::<Value>::deserialize(d).map(|named| named.0)
}

/// All of them.
pub fn all() -> &'static [Preset] {
    &ALL
}

/// The one of that name.
pub fn find(id: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.id == id)
}
