//! Links: the part after `#` says which run, and how to come to the instant that is meant.
//!
//! ```text
//! state  = pair *( "&" pair )       in any order
//! pair   = "v=" engine | "d=" digest | "seed=" n | "t=" span | "speed=" n | "view=" x,y,zoom
//!        | "at=" script | path "=" value | "b." path "=" value | "z=" blob | "src=" address
//! path   = see `compile::set`: api.queue, people.retry.jitter, lb~api.loss, duration
//! value  = number [unit] | word | list with commas | "j." base64url of JSON
//! script = see `script`
//! address = where a scenario file is that the link starts from, percent-encoded; see [`open_on`]
//! blob   = codec "." crc16 "." base64url; codec 1 = deflated JSON merge patch against the preset,
//!          codec 2 = the whole scenario, deflated
//! ```
//!
//! A link is something a stranger wrote. What cannot be used is set aside with a warning that
//! names it, and the rest is used; sizes have limits; there is always something to look at.

mod blob;
mod diff;
pub mod script;
mod write;

use super::compile::remarks::remarks;
use super::compile::{self, compile};
use super::presets;
use super::read;
use super::v1::Scenario;
use crate::base::diagnostics::{Diagnostics, Severity};
use crate::base::time::{Span, Time};
use script::Step;
use serde_json::Value;
use std::sync::Arc;

/// How the engine behaves. A link of another number opens, and may run differently.
pub const ENGINE: u32 = 3;
/// The preset that is opened when a link names none.
pub const START: &str = "retry-storm";
/// The name of scenarios that start from no preset.
pub const CUSTOM: &str = "custom";
/// The most that a part of the stage is enlarged.
pub const MOST_ZOOM: f64 = 8.0;
/// The part of a link after `#` may have this many bytes.
pub const MOST_LINK: usize = 128 * 1024;
/// Pairs a link may have.
pub const MOST_PAIRS: usize = 400;

/// A scenario that a link starts from instead of a preset.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Where it is, as the link says.
    pub address: String,
    /// What was there. It compiles.
    pub scenario: Scenario,
}

/// What a link opens.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The preset it starts from, by its id.
    pub preset: Option<String>,
    /// What it starts from if that is no preset.
    pub source: Option<Arc<Source>>,
    /// What is run: what it starts from with every change of the link. It compiles.
    pub scenario: Scenario,
    /// What was done by hand, in order of time.
    pub script: Vec<Step>,
    /// The instant to show.
    pub t: Option<Time>,
    /// Seconds of the run per second of watching; the scenario's own where there is none.
    pub speed: Option<f64>,
    /// What part of the stage to show: its middle in the unit square, and how much it is enlarged,
    /// from 1 to [`MOST_ZOOM`].
    pub view: Option<(f64, f64, f64)>,
    /// The changes that make the other side of a comparison: paths and values.
    pub b: Vec<(String, String)>,
    /// The engine that made the link.
    pub engine: Option<u32>,
    /// The digest of the run at that instant, when the link was made.
    pub digest: Option<u64>,
}

impl Opened {
    /// A scenario on its own.
    pub fn new(scenario: Scenario) -> Opened {
        Opened {
            preset: None,
            source: None,
            scenario,
            script: Vec::new(),
            t: None,
            speed: None,
            view: None,
            b: Vec::new(),
            engine: None,
            digest: None,
        }
    }
}

/// What the address of a page opens: the name of a preset, and what stands after `#`. There is
/// always something, and a warning for everything that could not be used.
pub fn open(preset: Option<&str>, fragment: &str) -> (Opened, Diagnostics) {
    open_from(preset, None, fragment)
}

/// The same on top of a scenario that was fetched from where the link says, see [`source_of`]. Who
/// reads links does not fetch: that is for those who know a network.
pub fn open_on(source: Source, fragment: &str) -> (Opened, Diagnostics) {
    open_from(None, Some(source), fragment)
}

/// Where the scenario is that a link starts from, if it names one and holds none.
pub fn source_of(fragment: &str) -> Option<String> {
    let fragment = Some(fragment).filter(|text| text.len() <= MOST_LINK)?;
    let pairs = || fragment.split('&').filter_map(|pair| pair.split_once('='));
    let source = pairs().find(|(key, _)| *key == "src")?.1;
    pairs().all(|(key, _)| key != "z").then(|| percent_decoded(source))
}

fn open_from(
    preset: Option<&str>,
    source: Option<Source>,
    fragment: &str,
) -> (Opened, Diagnostics) {
    let mut problems = Diagnostics::default();
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let fragment = if fragment.len() > MOST_LINK {
        let message = format!("the link has {} bytes and was set aside", fragment.len());
        problems.warn("link", message, format!("{MOST_LINK} bytes is the limit; use a file"));
        ""
    } else {
        fragment
    };
    let pairs = pairs(fragment, &mut problems);
    let blob = pairs.iter().find(|(key, _)| key == "z").map(|(_, value)| value.as_str());
    let mut opened = match source {
        Some(source) => {
            let scenario = source.scenario.clone();
            Opened { source: Some(Arc::new(source)), ..Opened::new(scenario) }
        }
        None => base(preset, blob, &mut problems),
    };
    let (mut changes, mut steps) = (Vec::new(), None);
    for (key, value) in &pairs {
        match key.as_str() {
            "z" => {}
            "src" if opened.source.is_some() => {}
            "src" => {
                let message = format!("`{}` was not fetched", short(value));
                let remedy = "the page fetches it, if there is no z; or save it, and run the file";
                problems.warn("src", message, remedy);
            }
            "at" => steps = Some(value),
            "v" | "d" | "t" | "speed" | "view" => own(&mut opened, key, value, &mut problems),
            _ => match key.strip_prefix("b.") {
                Some(path) => opened.b.push((path.to_owned(), value.clone())),
                None => changes.push((key.as_str(), value.as_str())),
            },
        }
    }
    apply(&mut opened.scenario, &changes, &mut problems);
    let scenario = &opened.scenario;
    opened.b.retain(|(path, value)| compare(scenario, path, value, &mut problems));
    if let Err(found) = other_side(scenario, &opened.b) {
        opened.b.clear();
        aside("b", found, &mut problems);
    }
    if !fragment.is_empty() {
        problems.extend(remarks(&opened.scenario));
    }
    if let Some(steps) = steps
        && let Ok(plan) = compile(&opened.scenario)
    {
        opened.script = script::read(steps, &plan, &mut problems);
        script::sets(&mut opened.script, &opened.scenario, &mut problems);
    }
    let end = Time(opened.scenario.duration.0);
    if let Some(at) = opened.t.filter(|at| *at > end) {
        let message = format!("{at} is after the end of the run");
        problems.warn("t", message, format!("showing the end, {end}"));
        opened.t = Some(end);
    }
    if opened.engine.is_some_and(|engine| engine != ENGINE) {
        let message = "the link was made with another version of the engine";
        problems.warn("v", message, "the run may differ from the one that was meant");
    }
    (opened, problems)
}

/// The pairs of a fragment, decoded.
fn pairs(fragment: &str, problems: &mut Diagnostics) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for text in fragment.split('&').filter(|text| !text.is_empty()) {
        if pairs.len() == MOST_PAIRS {
            let message = format!("only the first {MOST_PAIRS} changes were used");
            problems.warn("link", message, "put the rest into a file");
            break;
        }
        let Some((key, value)) = text.split_once('=') else {
            let message = format!("`{}` is not a pair", short(text));
            problems.warn(short(text), message, "write name=value");
            continue;
        };
        let (key, value) = (percent_decoded(key), percent_decoded(value));
        if pairs.iter().any(|(known, _)| *known == key) {
            problems.warn(short(&key), "it appears twice; the first one counts", "leave one out");
            continue;
        }
        pairs.push((key, value));
    }
    pairs
}

/// The scenario a link starts from.
fn base(preset: Option<&str>, blob: Option<&str>, problems: &mut Diagnostics) -> Opened {
    let asked = preset.filter(|id| *id != CUSTOM);
    let found = asked.and_then(presets::find);
    if let (Some(asked), None) = (asked, found) {
        let ids: Vec<&str> = presets::all().iter().map(|p| p.id.as_str()).collect();
        let remedy = match read::near(asked, &ids) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", ids.join(", ")),
        };
        problems.warn("preset", format!("there is no preset `{}`", short(asked)), remedy);
    }
    if let Some(blob) = blob {
        let start = found.map_or(Scenario::default(), |p| p.scenario.clone());
        match blob::read(blob, &start) {
            Ok(scenario) => {
                return Opened { preset: found.map(|p| p.id.to_owned()), ..Opened::new(scenario) };
            }
            Err(found) => {
                let aside = |mut p: crate::base::diagnostics::Problem| {
                    p.severity = Severity::Warning;
                    p
                };
                problems.problems.extend(found.problems.into_iter().map(aside));
            }
        }
    }
    let preset = found.or_else(|| presets::find(START)).or_else(|| presets::all().first());
    let scenario = preset.map(|p| p.scenario.clone()).unwrap_or_default();
    Opened { preset: preset.map(|p| p.id.to_owned()), ..Opened::new(scenario) }
}

/// The pairs that are not about the scenario.
fn own(opened: &mut Opened, key: &str, value: &str, problems: &mut Diagnostics) {
    let understood = match key {
        "v" => value.parse().map(|v| opened.engine = Some(v)).is_ok(),
        "d" => u64::from_str_radix(value, 16).map(|d| opened.digest = Some(d)).is_ok(),
        "t" => value.parse().map(|Span(t)| opened.t = Some(Time(t))).is_ok(),
        "speed" => {
            opened.speed = value.parse().ok().filter(|s| (0.001..=1_000.0).contains(s));
            opened.speed.is_some()
        }
        _ => {
            let numbers: Option<Vec<f64>> =
                value.split(',').map(|n| n.parse().ok().filter(|n: &f64| n.is_finite())).collect();
            opened.view = match numbers.as_deref() {
                Some([x, y, zoom])
                    if [x, y].iter().all(|at| (0.0..=1.0).contains(*at))
                        && (1.0..=MOST_ZOOM).contains(zoom) =>
                {
                    Some((*x, *y, *zoom))
                }
                _ => None,
            };
            opened.view.is_some()
        }
    };
    if !understood {
        let remedy = match key {
            "t" => "write a duration, as in t=12.4s",
            "speed" => "write a number from 0.001 to 1000",
            "view" => "write x,y,zoom: the middle of what is seen, from 0 to 1, and 1 to 8",
            _ => "leave it out",
        };
        problems.warn(key, format!("`{key}={}` means nothing", short(value)), remedy);
    }
}

/// The value of a pair.
fn value(text: &str) -> Option<Value> {
    match text.strip_prefix("j.") {
        Some(text) => blob::value(text),
        None => Some(Value::from(text)),
    }
}

/// Changes the scenario. What cannot be changed so stays, with a warning.
fn apply(scenario: &mut Scenario, changes: &[(&str, &str)], problems: &mut Diagnostics) {
    let mut good = Vec::new();
    let mut all = scenario.clone();
    for &(path, text) in changes {
        let Some(value) = value(text) else {
            let message = "the value was cut off".to_owned();
            problems.warn(path, message, "copy the link again");
            continue;
        };
        match compile::change(&mut all, path, &value) {
            Ok(()) => good.push((path, value)),
            Err(found) => aside(path, found, problems),
        }
    }
    if good.is_empty() {
        return;
    }
    if compile(&all).is_ok() {
        *scenario = all;
        return;
    }
    // Something in there makes no sense: find out what.
    for (path, value) in &good {
        if let Err(found) = compile::set(scenario, path, value) {
            aside(path, found, problems);
        }
    }
}

/// Whether a change of the other side makes sense.
fn compare(scenario: &Scenario, path: &str, text: &str, problems: &mut Diagnostics) -> bool {
    let key = format!("b.{path}");
    let Some(value) = value(text) else {
        problems.warn(key, "the value was cut off", "copy the link again");
        return false;
    };
    match compile::change(&mut scenario.clone(), path, &value) {
        Ok(()) => true,
        Err(found) => {
            aside(&key, found, problems);
            false
        }
    }
}

/// Whether the changes of the other side make sense together.
fn other_side(scenario: &Scenario, b: &[(String, String)]) -> Result<(), Diagnostics> {
    let mut other = scenario.clone();
    for (path, value) in changes(b) {
        compile::change(&mut other, &path, &value)?;
    }
    compile(&other).map(drop)
}

/// What makes one scenario of another, as changes; none if only a whole scenario can say it.
pub fn differences(from: &Scenario, to: &Scenario) -> Option<Vec<(String, Value)>> {
    Some(changes(&diff::pairs(from, to)?))
}

/// The changes of the other side, from their texts.
pub fn changes(b: &[(String, String)]) -> Vec<(String, Value)> {
    b.iter().filter_map(|(path, text)| Some((path.clone(), value(text)?))).collect()
}

/// Changes of the other side as they stand in a link.
pub fn texts(changes: &[(String, Value)]) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) if !text.starts_with("j.") => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => format!("j.{}", blob::of_value(value)),
    };
    changes.iter().map(|(path, value)| (path.clone(), text(value))).collect()
}

/// The preset that an address names, as `/s/<preset>/` or `?preset=<preset>`; a bare word is one.
pub fn preset_of(address: &str) -> Option<&str> {
    let (way, query) = address.split_once('?').unwrap_or((address, ""));
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("preset="));
    let mut steps = way.rsplit('/').filter(|step| !step.is_empty() && *step != "index.html");
    let last = steps.next();
    let name = asked.or(match steps.next() {
        Some("s") => last,
        Some(_) => None,
        None => last.filter(|_| !way.contains('/')),
    });
    name.filter(|name| !name.is_empty())
}

/// What a scenario file of what was opened does not hold, as it stands in a link.
pub fn left_out(opened: &Opened) -> Vec<String> {
    let mut pairs = Vec::new();
    let mut add = |key: &str, value: String| pairs.push(format!("{key}={value}"));
    if !opened.script.is_empty() {
        add("at", script::write(&opened.script));
    }
    opened.t.into_iter().for_each(|t| add("t", Span(t.0).to_string()));
    opened.speed.into_iter().for_each(|speed| add("speed", speed.to_string()));
    opened.view.into_iter().for_each(|(x, y, zoom)| add("view", format!("{x},{y},{zoom}")));
    opened.b.iter().for_each(|(path, value)| add(&format!("b.{path}"), value.clone()));
    pairs
}

fn aside(path: &str, found: Diagnostics, problems: &mut Diagnostics) {
    let Some(problem) = found.problems.into_iter().next() else { return };
    let place = if problem.path.is_empty() || problem.path == path {
        String::new()
    } else {
        format!("{}: ", short(&problem.path))
    };
    let message = format!("set aside: {place}{}", problem.message);
    problems.warn(short(path), message, problem.remedy);
}

/// The fragment that opens the same, and the name of the preset it belongs to ([`CUSTOM`] when
/// there is none).
pub fn encode(opened: &Opened) -> (&'static str, String) {
    write::fragment(opened)
}

/// Text that a stranger wrote, for a message.
fn short(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(60).collect();
    if letters.next().is_some() { start + "…" } else { start }
}

/// `%41` is `A`; what is not so encoded stays.
fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, others)) = rest.split_first() {
        let hex = others.get(..2).filter(|_| first == b'%');
        let code = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

// A browser has no proptest.
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
