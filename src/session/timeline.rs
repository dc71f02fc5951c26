//! What to show on the time axis: faults, commands, and what backups do about disasters.

use super::command::{Command, Timed};
use super::run::Run;
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::{Span, Time};
use crate::observe::cast::Cast;
use crate::observe::course::crashed;
use crate::observe::picture::sentence;
use crate::sim::fault::Trigger;
use serde::Serialize;
use std::collections::BTreeMap;

/// Something at an instant or over a span of the time axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// When, or from when.
    pub at: Time,
    /// Until when, for a span that has ended or whose end is known.
    pub until: Option<Time>,
    /// What kind of thing.
    pub kind: MarkKind,
    /// In words.
    pub text: String,
}

/// Kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum MarkKind {
    /// A fault, past or planned.
    Fault,
    /// Something a person did.
    Command,
    /// A deletion of everything, or a backup that acts.
    Recovery,
}

/// A fault that has been or will be.
struct Spell {
    at: Time,
    until: Option<Time>,
    down: Option<NodeId>,
    text: String,
}

/// All marks, in order of time.
pub fn marks(run: &Run, commands: &[Timed<Command>]) -> Vec<Mark> {
    let mut marks = faults(run);
    marks.extend(run.course.recovery.iter().map(|(at, text)| Mark {
        at: *at,
        until: None,
        kind: MarkKind::Recovery,
        text: text.clone(),
    }));
    marks.extend(commands.iter().map(|command| Mark {
        at: command.at,
        until: None,
        kind: MarkKind::Command,
        text: words(&command.what, &run.course.cast),
    }));
    order::by_key(&mut marks, |mark| mark.at);
    marks
}

/// Faults, past and planned. Nodes that are down from one instant to another are one mark: they
/// fell together, as those of a zone do.
fn faults(run: &Run) -> Vec<Mark> {
    let cast = &run.course.cast;
    let past = run.course.faults.iter().map(|fault| Spell {
        at: fault.since,
        until: fault.until.or_else(|| active_until(run, fault.id)),
        down: fault.down,
        text: fault.sentence.clone(),
    });
    let planned = run.plan.faults.iter().filter_map(|planned| match planned.trigger {
        Trigger::At(at) if at > run.course.now() => Some(Spell {
            at,
            until: planned.lasts.map(|span| at + span),
            down: crashed(&planned.fault),
            text: sentence(&planned.fault, cast),
        }),
        _ => None,
    });
    let mut together: BTreeMap<(Time, Option<Time>), Vec<NodeId>> = BTreeMap::new();
    let (kind, mut spells) = (MarkKind::Fault, past.chain(planned).collect::<Vec<_>>());
    for spell in &spells {
        if let Some(node) = spell.down {
            together.entry((spell.at, spell.until)).or_default().push(node);
        }
    }
    spells.retain(|spell| spell.down.is_none());
    let alone = spells.into_iter().map(|Spell { at, until, text, .. }| (at, until, text));
    let down = together.into_iter().map(|((at, until), mut nodes)| {
        order::up(&mut nodes);
        (at, until, cast.down(&nodes))
    });
    let mark = |(at, until, text)| Mark { at, until, kind, text };
    alone.chain(down).map(mark).collect()
}

fn active_until(run: &Run, fault: crate::base::id::FaultId) -> Option<Time> {
    run.course.world.shared.active.iter().find(|a| a.id == fault).and_then(|a| a.until)
}

/// A command in words.
pub fn words(command: &Command, cast: &Cast) -> String {
    let name = |node: &crate::base::id::NodeId| cast.name(*node).to_owned();
    match command {
        Command::Kill(node) => format!("crash {}", name(node)),
        Command::Start(node) => format!("restart {}", name(node)),
        Command::Pause(node) => format!("pause {}", name(node)),
        Command::Resume(node) => format!("resume {}", name(node)),
        Command::Slow(node, 1_000) => format!("{} at full speed", name(node)),
        Command::Slow(node, factor) => {
            format!("{} {}× slower", name(node), f64::from(*factor) / 1_000.0)
        }
        Command::Clock { node, offset_us: 0, drift_ppm: 0 } => {
            format!("the clock of {} right", name(node))
        }
        Command::Clock { node, offset_us, drift_ppm } => format!(
            "the clock of {} {:+} ms{}",
            name(node),
            *offset_us as f64 / 1e3,
            Some(drift_ppm)
                .filter(|ppm| **ppm != 0)
                .map_or(String::new(), |ppm| format!(", {ppm:+} µs a second"))
        ),
        Command::Cut { source, target } => format!("cut {} → {}", name(source), name(target)),
        Command::Heal { source, target } => format!("heal {} → {}", name(source), name(target)),
        Command::Partition(sides) => {
            let sides: Vec<_> = sides.iter().map(|side| cast.name_all(side)).collect();
            format!("partition {}", sides.join(" | "))
        }
        Command::HealAll => "heal everything".to_owned(),
        Command::Gray { source, target, latency, loss } => {
            let zero = *latency == Span::ZERO;
            let latency = if zero { String::new() } else { format!(" {latency} slower") };
            format!("{} → {}{latency}, loses {loss}", name(source), name(target))
        }
        Command::Surge { node, factor, lasts } => {
            format!("{} × {} for {lasts}", name(node), f64::from(*factor) / 1_000.0)
        }
        Command::Set { path, value } => format!("{path} = {value}"),
    }
}
