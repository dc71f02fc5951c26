//! What was done by hand, as text: `12s:kill:db,30s:start:db`.
//!
//! ```text
//! script = step *( "," step )
//! step   = span ":" verb [ ":" arg *( "+" arg ) ]
//! ```
//!
//! | verb | arguments | what it does |
//! | --- | --- | --- |
//! | `kill` `start` `pause` `resume` | nodes | crash, restart, stand still, go on |
//! | `region` | domains | crash everything in them |
//! | `slow` | node, factor | work takes so many times as long; 1 ends it |
//! | `clock` | node, span, µs a second | ahead, with `-` behind, and drifts; 0s ends it |
//! | `cut` | links | carry nothing |
//! | `heal` | links; none heals all | mend |
//! | `part` | sides, divided by `~` | cannot reach each other |
//! | `loss` | link, chance | lossy |
//! | `delay` | link, span | slow |
//! | `gray` | link, span, chance | both |
//! | `surge` | clients, factor, span | want so many times as much for so long |
//! | `set` | path, value | changes a parameter |

use super::{blob, diff, short};
use crate::base::diagnostics::Diagnostics;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::scenario::compile::{self, Plan};
use crate::scenario::v1::Scenario;
use crate::scenario::v1::wire::plain::LONGEST;
use serde_json::Value;

/// Steps a script may have.
pub const MOST_STEPS: usize = 2_000;

/// Microseconds that a clock can gain or lose in a second.
const MOST_DRIFT: i64 = 1_000_000;

/// Something done, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Simulated time.
    pub at: Time,
    /// What was done.
    pub act: Act,
}

/// Something a person can do. Nodes and links are named as in the scenario.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Crash these nodes.
    Kill(String),
    /// Restart these nodes and end every other fault of theirs.
    Start(String),
    /// Make these nodes stand still.
    Pause(String),
    /// Let them go on.
    Resume(String),
    /// Make these nodes slower, in thousandths; 1000 ends it.
    Slow(String, u32),
    /// Set the clocks of these nodes wrong; nothing and nothing ends it.
    Clock {
        /// Which nodes.
        node: String,
        /// The jump, in microseconds.
        offset_us: i64,
        /// Microseconds gained per second.
        drift_ppm: i64,
    },
    /// Cut a link: `a~b` both ways, `a~~b` one way.
    Cut(String),
    /// Mend a link.
    Heal(String),
    /// End every fault.
    HealAll,
    /// Divide nodes into sides.
    Part(Vec<Vec<String>>),
    /// Make a link slow and lossy.
    Gray {
        /// Which link.
        link: String,
        /// Added latency.
        latency: Span,
        /// Added chance of loss.
        loss: Chance,
    },
    /// Multiply the load of clients, in thousandths, for a while.
    Surge {
        /// Which clients.
        node: String,
        /// Thousandths.
        factor: u32,
        /// How long.
        lasts: Span,
    },
    /// Change a parameter.
    Set {
        /// Which, see `compile::set`.
        path: String,
        /// To what.
        value: Value,
    },
}

/// The steps of a script, in order of time. A step that means nothing is left out, with a warning.
pub fn read(text: &str, plan: &Plan, problems: &mut Diagnostics) -> Vec<Step> {
    let mut steps = Vec::new();
    for text in text.split(',').filter(|text| !text.is_empty()) {
        match step(text, plan) {
            Ok(found) => steps.extend(found),
            Err((message, remedy)) => {
                problems.warn("at", format!("`{}`: {message}", short(text)), remedy);
            }
        }
        if steps.len() > MOST_STEPS {
            let message = format!("only the first {MOST_STEPS} steps were used");
            problems.warn("at", message, "make the script shorter");
            steps.truncate(MOST_STEPS);
            break;
        }
    }
    order::by_key(&mut steps, |step| step.at);
    steps
}

/// Settings that are tried, at most: the rest is told when its time comes.
const MOST_SETS: usize = 100;

/// Leaves out settings that make no sense with those before them, with a warning.
pub fn sets(script: &mut Vec<Step>, scenario: &Scenario, problems: &mut Diagnostics) {
    let (mut scenario, mut tried) = (scenario.clone(), 0);
    script.retain(|step| {
        let Act::Set { path, value } = &step.act else { return true };
        tried += 1;
        if tried > MOST_SETS {
            return true;
        }
        let Err(found) = compile::set(&mut scenario, path, value) else { return true };
        let text = write(std::slice::from_ref(step));
        let Some(problem) = found.problems.into_iter().next() else { return true };
        let message =
            format!("`{}`: set aside: {}: {}", short(&text), problem.path, problem.message);
        problems.warn("at", message, problem.remedy);
        false
    });
}

type Refused = (String, String);

fn step(text: &str, plan: &Plan) -> Result<Vec<Step>, Refused> {
    let refuse = |message: &str, remedy: &str| Err((message.to_owned(), remedy.to_owned()));
    let mut parts = text.splitn(3, ':');
    let (at, verb) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let args: Vec<&str> =
        parts.next().map_or(Vec::new(), |args| args.split('+').filter(|a| !a.is_empty()).collect());
    let Ok(Span(at)) = at.parse() else {
        return refuse("it does not begin with an instant", "write 12s:kill:db");
    };
    let acts: Vec<Act> = match (verb, args.as_slice()) {
        ("kill", nodes @ [_, ..]) => each(nodes, Act::Kill),
        ("start", nodes @ [_, ..]) => each(nodes, Act::Start),
        ("pause", nodes @ [_, ..]) => each(nodes, Act::Pause),
        ("resume", nodes @ [_, ..]) => each(nodes, Act::Resume),
        ("region", regions @ [_, ..]) => {
            regions.iter().try_for_each(|name| region(name, plan))?;
            each(regions, Act::Kill)
        }
        ("clock", [node, offset]) => vec![clock(node, offset, "0")?],
        ("clock", [node, offset, drift]) => vec![clock(node, offset, drift)?],
        ("slow", [node, factor]) => vec![Act::Slow((*node).to_owned(), thousandths(factor)?)],
        ("cut", links @ [_, ..]) => each(links, Act::Cut),
        ("heal", []) | ("healall", []) => vec![Act::HealAll],
        ("heal", links) => each(links, Act::Heal),
        ("part", _) => {
            let whole = text.splitn(3, ':').nth(2).unwrap_or_default();
            vec![Act::Part(sides(whole))]
        }
        ("loss", [link, loss]) => vec![gray(link, "0s", loss)?],
        ("delay", [link, latency]) => vec![gray(link, latency, "0%")?],
        ("gray", [link, latency, loss]) => vec![gray(link, latency, loss)?],
        ("surge", [node, factor, lasts]) => vec![Act::Surge {
            node: (*node).to_owned(),
            factor: thousandths(factor)?,
            lasts: quantity(lasts)?,
        }],
        ("set", [path, value @ ..]) if !value.is_empty() => vec![set(path, value)?],
        (
            "kill" | "start" | "pause" | "resume" | "region" | "slow" | "clock" | "cut" | "loss"
            | "delay" | "gray" | "surge" | "set" | "healall",
            _,
        ) => {
            return refuse("the arguments do not fit", "write 12s:slow:api+5, 12s:cut:a~b");
        }
        _ => {
            let remedy = "there are kill, start, pause, resume, region, slow, clock, cut, heal, \
                          part, loss, delay, gray, surge, set";
            return refuse("nobody knows how to do that", remedy);
        }
    };
    for act in &acts {
        check(act, plan)?;
    }
    Ok(acts.into_iter().map(|act| Step { at: Time(at), act }).collect())
}

fn each(names: &[&str], act: impl Fn(String) -> Act) -> Vec<Act> {
    names.iter().map(|name| act((*name).to_owned())).collect()
}

fn gray(link: &str, latency: &str, loss: &str) -> Result<Act, Refused> {
    let link = link.to_owned();
    Ok(Act::Gray { link, latency: quantity(latency)?, loss: quantity(loss)? })
}

fn quantity<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, Refused> {
    text.parse().map_err(|message| (message, "correct it".to_owned()))
}

fn thousandths(text: &str) -> Result<u32, Refused> {
    let number = text.parse::<f64>().ok().filter(|n| (0.001..=1_000_000.0).contains(n));
    let number = number.map(|n| libm::round(n * 1_000.0) as u32);
    number.ok_or_else(|| {
        let remedy = "write a number from 0.001 to 1000000";
        (format!("`{}` is not a factor", short(text)), remedy.to_owned())
    })
}

/// What is said to be a domain is one.
fn region(name: &str, plan: &Plan) -> Result<(), Refused> {
    let found = plan.domains.find(name).map(drop);
    let remedy = "name a domain, or kill a node by its name";
    found.ok_or_else(|| (format!("there is no domain `{}`", short(name)), remedy.to_owned()))
}

fn clock(node: &str, offset: &str, drift: &str) -> Result<Act, Refused> {
    let (sign, span) = offset.strip_prefix('-').map_or((1, offset), |span| (-1, span));
    let Span(span) = quantity(span)?;
    if Span(span) > LONGEST {
        return Err((format!("{} is too far off", Span(span)), format!("at most {LONGEST}")));
    }
    let offset_us = sign * i64::try_from(span).unwrap_or(i64::MAX);
    let drift = drift.strip_suffix("ppm").unwrap_or(drift);
    let drift_ppm =
        drift.parse().ok().filter(|n: &i64| n.abs() <= MOST_DRIFT).ok_or_else(|| {
            let remedy = format!("write from -{MOST_DRIFT} to {MOST_DRIFT} µs a second, as 200ppm");
            (format!("`{}` is not how a clock drifts", short(drift)), remedy)
        })?;
    Ok(Act::Clock { node: node.to_owned(), offset_us, drift_ppm })
}

fn sides(text: &str) -> Vec<Vec<String>> {
    let side = |side: &str| side.split('+').filter(|n| !n.is_empty()).map(str::to_owned).collect();
    text.split('~').map(side).collect()
}

fn set(path: &str, value: &[&str]) -> Result<Act, Refused> {
    // Commas divide steps, so items of a list are divided like arguments.
    let text = value.join(",");
    let number =
        serde_json::from_str(&text).ok().filter(|v: &Value| v.is_number() || v.is_boolean());
    let value = number
        .or_else(|| super::value(&text))
        .ok_or_else(|| ("the value was cut off".to_owned(), "copy the link again".to_owned()))?;
    Ok(Act::Set { path: path.to_owned(), value })
}

/// Everything that is named is there.
fn check(act: &Act, plan: &Plan) -> Result<(), Refused> {
    let node = |name: &String| match plan.find(name).is_empty() {
        false => Ok(()),
        true => Err((format!("there is no node `{}`", short(name)), "name a node".to_owned())),
    };
    let link = |name: &String| match plan.find_links(name).is_empty() {
        false => Ok(()),
        true => Err((
            format!("there is no link `{}`", short(name)),
            "write a~b for both ways, a~~b for one".to_owned(),
        )),
    };
    match act {
        Act::Kill(name) | Act::Start(name) | Act::Pause(name) | Act::Resume(name) => node(name),
        Act::Slow(name, _) | Act::Clock { node: name, .. } | Act::Surge { node: name, .. } => {
            node(name)
        }
        Act::Cut(name) | Act::Heal(name) | Act::Gray { link: name, .. } => link(name),
        Act::HealAll | Act::Set { .. } => Ok(()),
        Act::Part(sides) if sides.len() < 2 || sides.iter().any(Vec::is_empty) => {
            Err(("a partition has sides".to_owned(), "write 5s:part:a+b~c".to_owned()))
        }
        Act::Part(sides) => sides.iter().flatten().try_for_each(node),
    }
}

/// The script of these steps.
pub fn write(steps: &[Step]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| {
            let (verb, args) = words(&step.act);
            let colon = if args.is_empty() { "" } else { ":" };
            format!("{}:{verb}{colon}{args}", Span(step.at.0))
        })
        .collect();
    steps.join(",")
}

fn words(act: &Act) -> (&'static str, String) {
    let factor = |thousandths: u32| (f64::from(thousandths) / 1_000.0).to_string();
    let percent = |chance: Chance| format!("{}pct", f64::from(chance.0) / 1e4);
    match act {
        Act::Kill(name) => ("kill", name.clone()),
        Act::Start(name) => ("start", name.clone()),
        Act::Pause(name) => ("pause", name.clone()),
        Act::Resume(name) => ("resume", name.clone()),
        Act::Slow(name, thousandths) => ("slow", format!("{name}+{}", factor(*thousandths))),
        Act::Clock { node, offset_us, drift_ppm } => {
            let sign = if *offset_us < 0 { "-" } else { "" };
            let drift = Some(drift_ppm).filter(|ppm| **ppm != 0);
            let drift = drift.map_or(String::new(), |ppm| format!("+{ppm}ppm"));
            ("clock", format!("{node}+{sign}{}{drift}", Span(offset_us.unsigned_abs())))
        }
        Act::Cut(link) => ("cut", link.clone()),
        Act::Heal(link) => ("heal", link.clone()),
        Act::HealAll => ("heal", String::new()),
        Act::Part(sides) => {
            let sides: Vec<String> = sides.iter().map(|side| side.join("+")).collect();
            ("part", sides.join("~"))
        }
        Act::Gray { link, latency: Span::ZERO, loss } => {
            ("loss", format!("{link}+{}", percent(*loss)))
        }
        Act::Gray { link, latency, loss: Chance::NEVER } => ("delay", format!("{link}+{latency}")),
        Act::Gray { link, latency, loss } => {
            ("gray", format!("{link}+{latency}+{}", percent(*loss)))
        }
        Act::Surge { node, factor: thousandths, lasts } => {
            ("surge", format!("{node}+{}+{lasts}", factor(*thousandths)))
        }
        Act::Set { path, value } => ("set", format!("{path}+{}", value_text(value))),
    }
}

/// A value in a script: as it is where that is read back as the same, else as JSON.
fn value_text(value: &Value) -> String {
    let plain = match value {
        Value::String(text) if !text.contains('+') => text.replace(',', "+"),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => String::new(),
    };
    let args: Vec<&str> = plain.split('+').collect();
    let whole = diff::is_plain(&plain) && !args.contains(&"");
    let same =
        whole && matches!(set("x", &args), Ok(Act::Set { value: read, .. }) if read == *value);
    if same { plain } else { format!("j.{}", blob::of_value(value)) }
}
