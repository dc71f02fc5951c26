//! Scenarios with a story, in the order of the gallery. Each is a JSON file: the scenario is the
//! same text that a link or a file holds, and goes the same way.
//!
//! To add one: a file here, a line in `FILES`, and a file of facts in `tests/presets` that binds
//! the numbers of its story to the run.

use super::read;
use super::v1::Scenario;
use super::v1::wire::named::Named;
use serde_json::Value;
use std::sync::LazyLock;

const FILES: [(&str, &str); 35] = [
    ("four-fates", include_str!("four-fates.json")),
    ("double-charge", include_str!("double-charge.json")),
    ("retry-storm", include_str!("retry-storm.json")),
    ("thundering-herd", include_str!("thundering-herd.json")),
    ("metastable", include_str!("metastable.json")),
    ("breaker-cascade", include_str!("breaker-cascade.json")),
    ("graceful-degradation", include_str!("graceful-degradation.json")),
    ("autoscaling", include_str!("autoscaling.json")),
    ("cache-stampede", include_str!("cache-stampede.json")),
    ("scale-in-order", include_str!("scale-in-order.json")),
    ("stale-read", include_str!("stale-read.json")),
    ("read-replicas", include_str!("read-replicas.json")),
    ("failover", include_str!("failover.json")),
    ("split-brain", include_str!("split-brain.json")),
    ("raft-election", include_str!("raft-election.json")),
    ("raft-partition", include_str!("raft-partition.json")),
    ("quorum", include_str!("quorum.json")),
    ("clock-skew", include_str!("clock-skew.json")),
    ("like-count", include_str!("like-count.json")),
    ("cap", include_str!("cap.json")),
    ("bank-balance", include_str!("bank-balance.json")),
    ("hot-shard", include_str!("hot-shard.json")),
    ("cross-shard", include_str!("cross-shard.json")),
    ("single-point-of-failure", include_str!("single-point-of-failure.json")),
    ("store-without-recommendations", include_str!("store-without-recommendations.json")),
    ("availability-zones", include_str!("availability-zones.json")),
    ("multi-region", include_str!("multi-region.json")),
    ("rolling-deploy", include_str!("rolling-deploy.json")),
    ("bad-deploy", include_str!("bad-deploy.json")),
    ("untested-backup", include_str!("untested-backup.json")),
    ("disaster", include_str!("disaster.json")),
    ("at-least-once", include_str!("at-least-once.json")),
    ("dead-letter", include_str!("dead-letter.json")),
    ("outbox", include_str!("outbox.json")),
    ("black-friday", include_str!("black-friday.json")),
];

static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let read = |(id, text): &(&str, &str)| {
        let told = read::json(text).and_then(|json| read::part::<Preset>(&json, id));
        let preset =
            told.unwrap_or_else(|problems| panic!("a test reads every preset: {problems}"));
        Preset { id: (*id).to_owned(), ..preset }
    };
    FILES.iter().map(read).collect()
});

wire! {
    /// A scenario with a story.
    pub struct Preset {
        /// Its name in links: that of its file.
        id: String = String::new();
        /// What it is called.
        title: String = String::new();
        /// What it is about, in a sentence or two.
        summary: String = String::new();
        /// The shelf it stands on.
        theme: String = String::new();
        /// What happens and why, in paragraphs.
        story: Vec<String> = Vec::new();
        /// A bet to make before running it.
        question: Question = Question::default();
        /// What to look at while it runs.
        watch: Vec<String> = Vec::new();
        /// Changes to try.
        tries: Vec<Try> = Vec::new();
        /// How far to trust it.
        card: Fidelity = Fidelity::default();
        /// What is run.
        scenario: Scenario = Scenario::default();
    }
}

wire! {
    /// A bet to make before a run.
    pub struct Question {
        /// What is asked.
        text: String = String::new();
        /// What may be answered.
        choices: Vec<String> = Vec::new();
        /// Which choice is right, counting from zero.
        answer: u32 = 0;
        /// Why.
        explain: String = String::new();
    }
}

wire! {
    /// A change to try, with one click.
    pub struct Try {
        /// What it does.
        label: String = String::new();
        /// Paths and values, see [`super::compile::set`].
        set: Named<Value> = Named::default();
        /// What will be seen.
        expect: String = String::new();
    }
}

wire! {
    /// What the simulation has of the real thing.
    pub struct Fidelity {
        /// As in reality.
        modelled: Vec<String> = Vec::new();
        /// Simpler than in reality.
        simplified: Vec<String> = Vec::new();
        /// Left out.
        not_modelled: Vec<String> = Vec::new();
    }
}

/// All of them.
pub fn all() -> &'static [Preset] {
    &ALL
}

/// The one of that name.
pub fn find(id: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.id == id)
}
