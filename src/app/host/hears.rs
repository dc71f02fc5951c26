//! What the host says, and what is done about it.

use super::fields::{Refusal, first, instant, number, text};
use super::port::{Heard, envelope};
use super::tells::{self, Wait};
use super::{Host, facts, looks};
use crate::app::state::{Lab, Place};
use crate::app::{address, source, trouble};
use crate::base::diagnostics::Diagnostics;
use crate::base::time::Time;
use crate::scenario::link::CUSTOM;
use crate::scenario::{presets, read};
use crate::session::Session;
use crate::session::command::Command;
use crate::session::facts::object;
use crate::session::typed;
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::JsValue;

/// What comes of a message.
type Answer = Result<Reply, Refusal>;

/// When it is answered, and with what.
enum Reply {
    /// At once.
    Now(Value),
    /// Once the run is where it is bound for, with the instant.
    There,
    /// The same of a run that was asked for, or why there is none.
    Loaded,
}

const DONE: Answer = Ok(Reply::Now(Value::Null));
const THERE: Answer = Ok(Reply::There);

/// A message that the host may send.
pub struct Message {
    /// Its type.
    pub name: &'static str,
    /// Whether it is obeyed whoever the host is: it shows, and changes nothing of the run.
    pub from_any: bool,
    does: fn(&Host, &Value) -> Answer,
}

const fn any(name: &'static str, does: fn(&Host, &Value) -> Answer) -> Message {
    Message { name, from_any: true, does }
}

const fn named(name: &'static str, does: fn(&Host, &Value) -> Answer) -> Message {
    Message { name, from_any: false, does }
}

/// Every message that can be obeyed.
pub static MESSAGES: [Message; 16] = [
    any("hello", |host, _| Ok(Reply::Now(tells::ready(host)))),
    any("play", play),
    any("pause", |host, _| {
        host.lab.pause();
        DONE
    }),
    any("step", step),
    any("reset", |host, _| {
        host.lab.pause();
        host.lab.seek(Time::ZERO);
        THERE
    }),
    any("seek", |host, message| {
        host.lab.seek(instant(message, "t")?);
        THERE
    }),
    any("speed", speed),
    any("get", |host, message| facts::get(host.lab, message).map(Reply::Now)),
    named("export", |host, message| facts::export(host.lab, message).map(Reply::Now)),
    named("load", load),
    named("set", set),
    named("fault", fault),
    named("undo", |host, _| {
        host.lab.take_back();
        THERE
    }),
    named("redo", |host, _| {
        host.lab.redo();
        THERE
    }),
    named("subscribe", subscribe),
    named("ui", |host, message| {
        looks::change(host.lab, message)?;
        DONE
    }),
];

/// Messages that are known and cannot be heard or said yet, and what to do instead.
static LATER: [(&str, &str); 3] = [
    ("lesson", "there are no lessons yet: `load` a preset"),
    ("announce", "how much is read out cannot be chosen yet"),
    ("focus-exit", "the browser moves the focus on by itself"),
];

/// Does what the host says and answers, if it wants an answer.
pub fn hear(host: &Host, heard: &Heard) {
    let opened = host.lab.opened.get_untracked();
    let (id, answer) = match &heard.message {
        Ok(message) => (message.get("id").filter(|id| !id.is_null()), obey(host, message)),
        Err(message) => (None, Err(Refusal::new("invalid", message.as_str(), ""))),
    };
    if host.lab.opened.get_untracked() != opened {
        host.told.borrow_mut().by_host = true;
    }
    match (id, answer) {
        (Some(id), Ok(Reply::Now(value))) => {
            host.port.reply(&heard.from, reply(id, Ok(value)));
        }
        (Some(id), Ok(later)) => {
            let loads = matches!(later, Reply::Loaded);
            let wait = Wait { re: id.clone(), to: heard.from.clone(), loads };
            host.told.borrow_mut().waiting.push(wait);
        }
        (Some(id), Err(refusal)) => host.port.reply(&heard.from, reply(id, Err(refusal))),
        (None, Err(refusal)) => host.port.reply(&heard.from, envelope("error", refusal.json())),
        (None, Ok(_)) => {}
    }
    tells::arrive(host);
}

/// An answer.
pub fn reply(re: &Value, answer: Result<Value, Refusal>) -> Value {
    let ok = answer.is_ok();
    let (name, value) = match answer {
        Ok(value) => ("value", value),
        Err(refusal) => ("error", refusal.json()),
    };
    envelope("reply", object(vec![("re", re.clone()), ("ok", ok.into()), (name, value)]))
}

fn obey(host: &Host, message: &Value) -> Answer {
    let name = text(message, "type")?;
    not_later(name, "type")?;
    let Some(known) = MESSAGES.iter().find(|known| known.name == name) else {
        let names: Vec<&str> = MESSAGES.iter().map(|known| known.name).collect();
        let says = match read::near(name, &names) {
            Some(near) => format!("there is no message `{name}`; did you mean `{near}`?"),
            None => format!("there is no message `{name}`; `hello` answers which there are"),
        };
        return Err(Refusal::new("unknown", says, "type"));
    };
    if !known.from_any && !host.is_named() {
        let says = format!("`{name}` is obeyed only with origin= in the address of the frame");
        return Err(Refusal::new("refused", says, "type"));
    }
    (known.does)(host, message)
}

fn not_later(name: &str, path: &str) -> Result<(), Refusal> {
    let later = LATER.iter().find(|(later, _)| *later == name);
    later.map_or(Ok(()), |(_, instead)| Err(Refusal::new("unsupported", *instead, path)))
}

fn play(host: &Host, message: &Value) -> Answer {
    let lab = host.lab;
    let until = message.get("until").map(|_| instant(message, "until")).transpose()?;
    let from = lab.with_session(|s| match s.goal().filter(|_| !s.is_looking()) {
        Some(at) => at,
        // From the start again.
        None if s.now() >= s.end() => Time::ZERO,
        None => s.now(),
    });
    if until.is_some_and(|until| until <= from) {
        let says = format!("`until` must be after {} s", from.as_secs());
        return Err(Refusal::new("invalid", says, "until"));
    }
    lab.driver.update_value(|driver| driver.stop_at(until));
    lab.play();
    DONE
}

fn step(host: &Host, message: &Value) -> Answer {
    if message.get("by").is_none() {
        host.lab.step();
    } else {
        host.lab.nudge(number(message, "by", -1e6, 1e6)?);
    }
    THERE
}

fn speed(host: &Host, message: &Value) -> Answer {
    host.lab.speed.set(number(message, "x", 0.001, 1_000.0)?);
    DONE
}

/// Opens another run. What is wrong with a link is set aside and said, as for people.
fn load(host: &Host, message: &Value) -> Answer {
    let lab = host.lab;
    if let Some(scenario) = message.get("scenario") {
        let opened = read::value(scenario.clone()).and_then(Session::start);
        show_own(lab, opened.map_err(|problems| first(&problems))?);
        return Ok(Reply::Loaded);
    }
    let preset = match message.get("preset") {
        Some(_) => Some(text(message, "preset")?.to_owned()),
        None => lab.preset.get_untracked(),
    };
    let preset = preset.filter(|id| id != CUSTOM);
    if preset.as_deref().is_some_and(|id| presets::find(id).is_none()) {
        return Err(Refusal::new("invalid", "there is no such preset", "preset"));
    }
    let state = message.get("state").and_then(Value::as_str).unwrap_or_default();
    let mut asked = address::parse("", &[], state);
    asked.preset = preset;
    asked.embed = lab.place.get_untracked() == Place::Embed;
    let there = address::open(lab, &asked);
    host.told.borrow_mut().fetches = source::is_fetching();
    if there && lab.broken.with_untracked(Option::is_none) {
        rewrite(lab, &asked.fragment);
    }
    Ok(Reply::Loaded)
}

/// Puts a run of the host's own on screen, as a file that is opened. A frame stays one.
fn show_own(lab: Lab, session: Session) {
    source::next_turn();
    lab.waiting.set(false);
    lab.preset.set(None);
    lab.open(session);
    lab.problems.set(Diagnostics::default());
    lab.broken.set(None);
    let fragment = address::fragment(lab);
    rewrite(lab, &fragment);
    trouble::reproduce_with(fragment);
    let embedded = lab.place.get_untracked() == Place::Embed;
    lab.place.set(if embedded { Place::Embed } else { Place::Lab });
    document().set_title("netsplit");
}

/// Has the address of the frame name what is in it now. The query stays as it was loaded, and the
/// way back of the page around it as it was.
fn rewrite(lab: Lab, fragment: &str) {
    let base = lab.preset.get_untracked();
    let base = base.map_or_else(address::home, |id| address::of_preset(&id));
    let query = window().location().search().unwrap_or_default();
    let query = query.trim_start_matches('?').split('&').filter(|p| !p.starts_with("preset="));
    let query = query.collect::<Vec<_>>().join("&");
    let mark = if base.contains('?') { '&' } else { '?' };
    if let Ok(history) = window().history() {
        let to = format!("{base}{mark}{query}#{fragment}");
        // Refused when asked too often: then the old one stays.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&to));
    }
}

/// Does something to the run, whatever `edit=` leaves to the reader. What is wrong with it is the
/// host's to hear, not the reader's.
fn deed(host: &Host, commands: Vec<Command>) -> Answer {
    let lab = host.lab;
    let before = lab.problems.get_untracked();
    if lab.order(commands) {
        return THERE;
    }
    let found = lab.problems.get_untracked();
    lab.problems.set(before);
    Err(first(&found))
}

fn set(host: &Host, message: &Value) -> Answer {
    let (path, value) = (text(message, "path")?.to_owned(), message.get("value").cloned());
    let value = value.ok_or_else(|| Refusal::new("invalid", "`value` is missing", "value"))?;
    if message.get("side").is_some_and(|side| side != "a") {
        let says = "there is one run in a frame: leave `side` out";
        return Err(Refusal::new("unsupported", says, "side"));
    }
    deed(host, vec![Command::Set { path, value }])
}

fn fault(host: &Host, message: &Value) -> Answer {
    if message.get("at").is_some() {
        let says = "it is done now; for another instant, `load` a state with at=12s:kill:db";
        return Err(Refusal::new("unsupported", says, "at"));
    }
    let step = text(message, "step")?;
    let read = host.lab.with_session(|s| typed::read(s, step)).map_err(|found| first(&found))?;
    if read.commands.is_empty() {
        return Err(Refusal::new("invalid", format!("`{step}` breaks nothing"), "step"));
    }
    deed(host, read.commands)
}

fn subscribe(host: &Host, message: &Value) -> Answer {
    let names = message.get("events").and_then(Value::as_array);
    let names =
        names.ok_or_else(|| Refusal::new("invalid", "`events` must be a list", "events"))?;
    let every = match message.get("maxHz") {
        Some(_) => 1_000.0 / number(message, "maxHz", 0.1, 1_000.0)?,
        None => 0.0,
    };
    let mut wanted = Vec::new();
    for name in names.iter().map(|name| name.as_str().unwrap_or_default()) {
        not_later(name, "events")?;
        let known = tells::TELLS.iter().find(|known| known.name == name);
        let says = || Refusal::new("invalid", format!("`{name}` is never said"), "events");
        wanted.push(known.ok_or_else(says)?.name);
    }
    host.told.borrow_mut().subscribe(wanted, every);
    DONE
}
