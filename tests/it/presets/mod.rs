//! Every number in the story of a preset holds, over many seeds; every change to try does what it
//! promises; every bet is won by the answer and by no other choice.
//!
//! The facts stand in `tests/presets/<id>.json`: for the run as it is and for each change to try,
//! what is measured (see `measure`), when, within which bounds, and which words of the preset
//! say so. A number in the texts that no fact binds fails the test.

mod measure;

use measure::measure;
use netsplit::base::time::{Span, Time};
use netsplit::check::{State, Verdict};
use netsplit::scenario::presets::{self, Preset, Try};
use netsplit::scenario::read;
use netsplit::scenario::v1::wire::Wire;
use netsplit::session::Session;
use netsplit::session::command::Command;
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write;

/// Seeds on which every fact is tried, besides the preset's own.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    /// Of the run as it is.
    run: Vec<Fact>,
    /// Of each change to try, in their order.
    tries: Vec<Vec<Fact>>,
    /// For each choice of the bet, what it claims.
    choices: Vec<Vec<Fact>>,
}

/// Something that is so in every run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    /// The words of the preset that say so; none if it is not said.
    #[serde(default)]
    says: String,
    /// What is measured; `setting a.b` is what the scenario holds there, and `check availability`
    /// what the check of that name says.
    of: String,
    #[serde(default)]
    from: Option<Span>,
    #[serde(default)]
    until: Option<Span>,
    /// The bounds; without an upper one, it may be infinite.
    #[serde(default)]
    within: Option<(f64, Option<f64>)>,
    /// Instead of bounds: what a setting or a check is.
    #[serde(default)]
    is: Option<Value>,
}

/// Tries every fact about a preset of the gallery.
pub fn hold(id: &str) {
    let preset = presets::find(id).unwrap_or_else(|| panic!("there is no preset `{id}`"));
    let wrong = wrong(preset, &facts(id));
    assert!(wrong.is_empty(), "{id}:\n{wrong}");
}

/// What is not as the facts say.
fn wrong(preset: &Preset, facts: &Facts) -> String {
    let (id, mut wrong) = (preset.id.as_str(), String::new());
    for number in unbound(preset, facts) {
        _ = writeln!(wrong, "no fact binds {number}");
    }
    assert_eq!(facts.tries.len(), preset.tries.len(), "{id}: facts for every change to try");
    assert_eq!(facts.choices.len(), preset.question.choices.len(), "{id}: facts for every choice");
    let as_it_is = runs(preset, None);
    judge("as it is", &as_it_is, &facts.run, &mut wrong);
    for (attempt, facts) in preset.tries.iter().zip(&facts.tries) {
        judge(&attempt.label, &runs(preset, Some(attempt)), facts, &mut wrong);
    }
    bet(preset, facts, &as_it_is, &mut wrong);
    wrong
}

fn facts(id: &str) -> Facts {
    let path = format!("{}/tests/presets/{id}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A run to its end on every seed, as a person who tries a change has it.
fn runs(preset: &Preset, attempt: Option<&Try>) -> Vec<Session> {
    let seeds = std::iter::once(preset.scenario.seed).chain(SEEDS);
    let run = |seed: u64| {
        let mut scenario = preset.scenario.clone();
        scenario.seed = seed;
        let mut session = Session::start(scenario).unwrap_or_else(|p| panic!("{}: {p}", preset.id));
        for (path, value) in attempt.iter().flat_map(|a| a.set.iter()) {
            let command = Command::Set { path: path.to_owned(), value: value.clone() };
            session.command(command).unwrap_or_else(|p| panic!("{}, {path}: {p}", preset.id));
        }
        session.seek(session.end());
        for check in session.run().course.checks.self_checks() {
            let Verdict { name, state, sentence, at, .. } = check;
            assert_ne!(state, State::Violated, "{}: {name} at {at:?}: {sentence}", preset.id);
        }
        session
    };
    seeds.map(run).collect()
}

/// Says which facts do not hold, and what was measured instead.
fn judge(name: &str, runs: &[Session], facts: &[Fact], wrong: &mut String) {
    for fact in facts {
        let answers: Vec<Answer> = runs.iter().map(|run| fact.ask(run)).collect();
        if answers.iter().any(|a| !a.holds) {
            let mut said: Vec<&str> = answers.iter().map(|a| a.said.as_str()).collect();
            said.dedup();
            let (of, within, is) = (&fact.of, &fact.within, &fact.is);
            let when = fact.window(&runs[0]);
            let when = format!("{}..{}", when.0, when.1);
            _ = writeln!(wrong, "{name}: {of} {when} {within:?} {is:?} was {}", said.join(" "));
        }
    }
}

/// On every seed, the answer's facts all hold, and no other choice's do.
fn bet(preset: &Preset, facts: &Facts, runs: &[Session], wrong: &mut String) {
    for run in runs {
        for (n, (choice, claims)) in preset.question.choices.iter().zip(&facts.choices).enumerate()
        {
            let holds = !claims.is_empty() && claims.iter().all(|claim| claim.ask(run).holds);
            if holds != (n == preset.question.answer as usize) {
                let seed = run.scenario().seed;
                _ = writeln!(wrong, "the bet `{choice}` on seed {seed}: {holds}");
            }
        }
    }
}

struct Answer {
    holds: bool,
    said: String,
}

impl Fact {
    fn window(&self, run: &Session) -> measure::Window {
        let from = Time::ZERO + self.from.unwrap_or_default();
        (from, self.until.map_or(run.end(), |until| Time::ZERO + until))
    }

    fn ask(&self, run: &Session) -> Answer {
        if let Some(path) = self.of.strip_prefix("setting ") {
            let full = run.scenario().full();
            let place = format!("/{}", path.replace('~', "~0").replace('.', "/"));
            let value = full.pointer(&place).unwrap_or_else(|| panic!("there is no {path}"));
            return Answer { holds: self.is.as_ref() == Some(value), said: value.to_string() };
        }
        if let Some(name) = self.of.strip_prefix("check ") {
            let verdicts = run.verdicts();
            let verdict = verdicts.iter().find(|v| v.name.starts_with(name));
            let verdict = verdict.unwrap_or_else(|| panic!("no check is called {name}"));
            let state = match verdict.state {
                State::Holds => "holds",
                State::Violated => "violated",
                State::Unknown => "unknown",
            };
            let holds = self.is.as_ref().and_then(Value::as_str) == Some(state);
            return Answer { holds, said: verdict.sentence.clone() };
        }
        let (low, high) = self.within.unwrap_or_else(|| panic!("`{}` has no bounds", self.of));
        let value = measure(run, &self.of, self.window(run));
        let holds = low <= value && high.is_none_or(|high| value <= high);
        Answer { holds, said: format!("{value:.3}") }
    }
}

/// Everything that a person reads of a preset.
fn texts(preset: &Preset) -> Vec<&str> {
    let Preset { title, summary, story, question, watch, tries, card, .. } = preset;
    let mut texts = vec![title.as_str(), summary, &question.text, &question.explain];
    let cards = [&card.modelled, &card.simplified, &card.not_modelled];
    let lists = [story, watch, &question.choices].into_iter().chain(cards);
    texts.extend(lists.flatten().map(String::as_str));
    texts.extend(tries.iter().flat_map(|t| [t.label.as_str(), t.expect.as_str()]));
    texts
}

/// Numbers in the texts of a preset that stand in no words of a fact, and words that nobody says.
fn unbound(preset: &Preset, facts: &Facts) -> Vec<String> {
    let all = facts.tries.iter().chain(&facts.choices).flatten().chain(&facts.run);
    let said: Vec<&str> = all.map(|f| f.says.as_str()).filter(|s| !s.is_empty()).collect();
    let texts = texts(preset);
    let mut found = Vec::new();
    for says in said.iter().filter(|says| !texts.iter().any(|t| t.contains(*says))) {
        found.push(format!("to the preset: `{says}` is not in it"));
    }
    for text in texts {
        let mut bound = vec![false; text.len()];
        for says in &said {
            text.match_indices(says).for_each(|(at, s)| bound[at..at + s.len()].fill(true));
        }
        let loose = |(at, c): &(usize, char)| c.is_ascii_digit() && !bound[*at];
        if let Some((at, _)) = text.char_indices().find(loose) {
            let rest: String = text[at..].chars().take(30).collect();
            found.push(format!("`{rest}` in `{text}`"));
        }
    }
    found
}

/// Every preset has facts, and is put together as one of the gallery should be.
pub fn every_preset_is_whole() {
    for preset in presets::all() {
        let id = preset.id.as_str();
        assert!(!facts(id).run.is_empty(), "{id} has facts");
        assert_eq!(preset.title, preset.scenario.title, "{id}");
        assert!((2..=4).contains(&preset.story.len()), "{id}: two to four paragraphs");
        let question = &preset.question;
        assert!(
            (question.answer as usize) < question.choices.len(),
            "{id}: the answer is a choice"
        );
        assert!(!preset.watch.is_empty() && preset.tries.len() > 2, "{id}: something to do");
        let card = &preset.card;
        assert!(!card.modelled.is_empty() && !card.simplified.is_empty(), "{id}: a card");
        assert!(!card.not_modelled.is_empty(), "{id}: a card");
        assert!(texts(preset).iter().all(|t| !t.trim().is_empty()), "{id}: nothing is empty");
        assert!(preset.scenario.nodes.0.len() <= 10, "{id}: a stage that can be looked at");
        let text = serde_json::to_string(&preset.scenario).expect("a scenario is JSON");
        let again = read::text(&text).unwrap_or_else(|p| panic!("{id}: {p}"));
        assert_eq!(again, preset.scenario, "{id}: written and read, it is the same");
        let mut session = Session::start(again).unwrap_or_else(|p| panic!("{id}: {p}"));
        session.seek(session.end());
        let verdicts = session.verdicts();
        assert!(!verdicts.is_empty(), "{id} has checks");
        for verdict in verdicts {
            assert_ne!(verdict.state, State::Unknown, "{id}: {}", verdict.name);
        }
    }
}
