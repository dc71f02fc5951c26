//! What the host is told, when there is something new.

use super::fields::{Refusal, first};
use super::port::envelope;
use super::{Host, facts, hears, outcome};
use crate::app::source;
use crate::app::state::{Lab, Place};
use crate::base::diagnostics::{Diagnostics, Problem};
use crate::base::time::Time;
use crate::check::State;
use crate::scenario::{link, presets};
use crate::session::Session;
use crate::session::facts::{self as run, object};
use crate::session::share::LinkOptions;
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// Milliseconds between two looks for something to tell.
pub const PACE: i32 = 250;
/// Lines of the log that are looked through for new ones.
const LINES: usize = 200;
/// The height of the stage that is asked for: a share of its width, and its limits in pixels.
const STAGE: (f64, f64, f64) = (0.56, 200.0, 600.0);

/// What does not tick at all times when there may be something to tell: how often the run ticked,
/// whether it plays, the bet, the speed, and what is wrong.
type Seen = (u64, bool, Option<usize>, f64, Diagnostics);

/// What has been said, and what is still to be said.
#[derive(Default)]
pub struct Told {
    /// Answers to give once the run is where it is bound for.
    pub waiting: Vec<Wait>,
    /// Whether what has changed since the last word was the host's doing.
    pub by_host: bool,
    /// Whether the host has asked for something that is still being fetched.
    pub fetches: bool,
    /// Whether it was said that the run is there.
    ready: bool,
    /// Which scenario the page was opened with, if with one.
    pub launched: Option<String>,
    /// What the host wants to hear, if it has said so.
    wanted: Option<Vec<&'static str>>,
    /// Milliseconds between two messages with numbers.
    every: f64,
    seen: Option<Seen>,
    state: Value,
    /// How often the run may have become another, and its link without the instant.
    link: Option<(u64, String)>,
    checks: Vec<(String, State)>,
    /// The bet, and whether it is right.
    pub bet: Option<(usize, Option<bool>)>,
    /// The result, without what differs each time.
    pub result: Value,
    problems: Diagnostics,
    size: (i32, i32),
    line: Option<u64>,
    numbers: (f64, Option<Time>),
}

/// An answer to give later.
pub struct Wait {
    /// What it answers.
    pub re: Value,
    /// Who asked.
    pub to: String,
    /// Whether it asked for another run: then it may also be that there is none.
    pub loads: bool,
}

impl Told {
    /// Says these from now on, those with numbers at most every so many milliseconds.
    pub fn subscribe(&mut self, wanted: Vec<&'static str>, every: f64) {
        self.wanted = Some(wanted);
        self.every = every;
        self.seen = None;
    }

    /// Forgets that the result was said.
    pub fn say_result_again(&mut self) {
        self.result = Value::Null;
        self.seen = None;
    }

    fn wants(&self, tell: &Tell) -> bool {
        self.wanted.as_ref().map_or(tell.unasked, |wanted| wanted.contains(&tell.name))
    }
}

/// Something to tell.
pub struct Tell {
    /// The type of its messages.
    pub name: &'static str,
    /// Whether it is said to those who have not asked for it.
    unasked: bool,
    /// What there is to say that has not been said.
    news: fn(Lab, &Session, &mut Told) -> Vec<Value>,
}

const fn tell(
    name: &'static str,
    unasked: bool,
    news: fn(Lab, &Session, &mut Told) -> Vec<Value>,
) -> Tell {
    Tell { name, unasked, news }
}

/// Everything that is said unasked, in this order, but for `ready` and `resize`.
pub static TELLS: [Tell; 8] = [
    tell("change", true, change),
    tell("event", false, events),
    tell("check", true, checks),
    tell("metrics", false, metrics),
    tell("state", true, state),
    tell("bet", true, outcome::bet),
    tell("result", true, outcome::result),
    tell("error", true, error),
];

/// What is said first.
pub fn ready(host: &Host) -> Value {
    let obeyed = hears::MESSAGES.iter().filter(|message| message.from_any || host.is_named());
    let mut caps: Vec<Value> = obeyed.map(|message| Value::from(message.name)).collect();
    let mut add = |of: &str, facts: &[facts::Fact]| {
        caps.extend(facts.iter().map(|(name, _)| Value::from(format!("{of}.{name}"))));
    };
    add("get", &facts::FACTS);
    if host.is_named() {
        add("export", &facts::EXPORTS);
    }
    let fields = vec![
        ("api", 1.into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("engine", link::ENGINE.into()),
        ("preset", host.lab.preset.get_untracked().into()),
        ("caps", caps.into()),
    ];
    envelope("ready", object(fields))
}

/// Milliseconds since the page started.
pub fn clock() -> f64 {
    window().performance().map_or(0.0, |p| p.now())
}

/// Looks what is new and says it. Call every [`PACE`]: nothing is said more often.
pub fn look(host: &Host) {
    let lab = host.lab;
    if !begin(host) {
        return;
    }
    arrive(host);
    let mut told = host.told.borrow_mut();
    if let Some(size) = resize(lab, &mut told) {
        host.port.tell_any(envelope("resize", size));
    }
    let (slow, opened) = (lab.slow_tick.get_untracked(), lab.opened.get_untracked());
    let (playing, bet) = (lab.playing.get_untracked(), lab.bet.get_untracked());
    let (speed, problems) = (lab.speed.get_untracked(), lab.problems.get_untracked());
    let seen = Some((slow + opened, playing, bet, speed, problems));
    // Checks are not judged again while a run stands still.
    if told.seen == seen {
        return;
    }
    told.seen = seen;
    lab.with_session(|session| {
        for tell in &TELLS {
            if told.wants(tell) {
                for news in (tell.news)(lab, session, &mut told) {
                    host.port.tell(envelope(tell.name, news));
                }
            }
        }
    });
}

/// Says once that the run is there; false until what the address starts from has been fetched.
fn begin(host: &Host) -> bool {
    let lab = host.lab;
    let mut told = host.told.borrow_mut();
    if !told.ready {
        if source::is_fetching() {
            return false;
        }
        told.ready = true;
        let there = lab.place.get_untracked() != Place::Gallery && !is_kept(lab);
        told.launched = there.then(|| lab.with_session(run::subject));
        host.port.tell_any(ready(host));
    }
    true
}

/// Whether what was to be opened last could not be, and what was on screen still is.
fn is_kept(lab: Lab) -> bool {
    lab.broken.with_untracked(Option::is_some)
}

/// Gives the answers that waited for an instant, or for a scenario from elsewhere.
pub fn arrive(host: &Host) {
    let (lab, fetching) = (host.lab, source::is_fetching());
    let mut told = host.told.borrow_mut();
    if told.fetches && !fetching {
        told.fetches = false;
        told.by_host = !is_kept(lab);
    }
    if lab.is_under_way() {
        return;
    }
    let now = lab.with_session(|s| s.now());
    for wait in std::mem::take(&mut told.waiting) {
        if wait.loads && fetching {
            told.waiting.push(wait);
            continue;
        }
        let answer = if wait.loads && is_kept(lab) {
            Err(lab.problems.with_untracked(first))
        } else {
            Ok(object(vec![("t", now.as_secs().into())]))
        };
        host.port.reply(&wait.to, hears::reply(&wait.re, answer));
    }
}

fn state(lab: Lab, session: &Session, told: &mut Told) -> Vec<Value> {
    let now = facts::state(lab, session);
    if now == told.state {
        return Vec::new();
    }
    told.state = now.clone();
    vec![now]
}

/// What was set, done or moved, if that is not what it was. The first run is no change.
fn change(lab: Lab, session: &Session, told: &mut Told) -> Vec<Value> {
    // Whatever is done to a run ticks one of them.
    let count = lab.opened.get_untracked() + lab.changed.get_untracked();
    if told.link.as_ref().is_some_and(|(known, _)| *known == count) {
        return Vec::new();
    }
    let link = session.link(LinkOptions { instant: false });
    let before = told.link.replace((count, link.clone()));
    let by = if std::mem::take(&mut told.by_host) { "host" } else { "user" };
    if before.is_none_or(|(_, before)| before == link) {
        return Vec::new();
    }
    let preset = session.preset().and_then(presets::find);
    let overrides = preset
        .and_then(|preset| link::differences(&preset.scenario, &run::scenario(session)))
        .map(|changes| Value::Object(changes.into_iter().collect()));
    vec![object(vec![("url", facts::url(lab)), ("overrides", overrides.into()), ("by", by.into())])]
}

fn events(_: Lab, session: &Session, told: &mut Told) -> Vec<Value> {
    let lines = session.log(LINES);
    let newest = lines.first().map(|line| line.seq);
    let known = std::mem::replace(&mut told.line, newest).unwrap_or(0);
    // Of a run that went back, what comes again is told again.
    let fresh = lines.iter().rev().filter(|line| line.seq > known);
    fresh.map(|line| run::event(session, line)).collect()
}

fn checks(_: Lab, session: &Session, told: &mut Told) -> Vec<Value> {
    let now = session.verdicts();
    let known = |name: &str, state| told.checks.iter().any(|(n, s)| n == name && *s == state);
    let news = now.iter().filter(|v| !known(&v.name, v.state)).map(run::check).collect();
    told.checks = now.into_iter().map(|v| (v.name, v.state)).collect();
    news
}

fn metrics(_: Lab, session: &Session, told: &mut Told) -> Vec<Value> {
    let (last, known) = told.numbers;
    let now = session.now();
    if known == Some(now) {
        return Vec::new();
    }
    if clock() - last < told.every {
        // Too early: they are looked at again even if nothing moves any more.
        told.seen = None;
        return Vec::new();
    }
    told.numbers = (clock(), Some(now));
    vec![run::metrics(session)]
}

fn error(lab: Lab, _: &Session, told: &mut Told) -> Vec<Value> {
    let now = lab.problems.get_untracked();
    if now == told.problems {
        return Vec::new();
    }
    let say = |p: &Problem| {
        let message = format!("{}: {}", p.message, p.remedy);
        Refusal::new("problem", message, &p.path).json()
    };
    let news = now.problems.iter().map(say).collect();
    told.problems = now;
    news
}

/// The height in which an embedded run has room, if that has changed. What stands around the stage
/// is as high as it is; the stage takes what it gets.
fn resize(lab: Lab, told: &mut Told) -> Option<Value> {
    if lab.place.get_untracked() != Place::Embed {
        return None;
    }
    let parts = document().query_selector_all(".embed > :not(.embed-stage)").ok()?;
    let parts = (0..parts.length()).filter_map(|n| parts.get(n));
    let around: i32 = parts.map(|part| part.unchecked_into::<Element>().scroll_height()).sum();
    let (share, low, high) = STAGE;
    let width = document().query_selector(".embed-stage").ok()??.client_width();
    let stage = (f64::from(width) * share).clamp(low, high).round();
    let size = (width, around + stage as i32);
    if size == told.size {
        return None;
    }
    told.size = size;
    Some(object(vec![("w", size.0.into()), ("h", size.1.into())]))
}
