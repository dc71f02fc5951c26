//! Raft: tables of votes, logs and commits, replayed member by member; and times of elections,
//! measured in simulated clusters.

mod tables;

use super::Cases;
use super::runs::elections;
use super::section::Section;
use serde_json::Value;

/// Replays the file.
pub(super) fn replay(file: &Value, cases: &mut Cases<'_>) {
    let Some(mut facts) = Section::new("", file, cases) else { return };
    facts.value("licences");
    facts.value("quorum_semantics");
    tables::replay(&mut facts, cases);
    elections::replay(&mut facts, cases);
    facts.close(cases);
}
