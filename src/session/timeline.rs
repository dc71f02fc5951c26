//! What to show on the time axis: faults, commands, and what backups do about disasters.

use super::command::{Command, Timed};
use super::run::Run;
use crate::base::time::{Span, Time};
use crate::observe::cast::Cast;
use crate::sim::fault::Trigger;
use serde::Serialize;

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

/// All marks, in order of time.
pub fn marks(run: &Run, commands: &[Timed<Command>]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = run
        .course
        .faults
        .iter()
        .map(|fault| Mark {
            at: fault.since,
            until: fault.until.or_else(|| active_until(run, fault.id)),
            kind: MarkKind::Fault,
            text: fault.sentence.clone(),
        })
        .collect();
    for planned in &run.plan.faults {
        if let Trigger::At(at) = planned.trigger
            && at > run.course.now()
        {
            marks.push(Mark {
                at,
                until: planned.lasts.map(|span| at + span),
                kind: MarkKind::Fault,
                text: crate::observe::picture::sentence(&planned.fault, &run.course.cast),
            });
        }
    }
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
    marks.sort_by_key(|mark| mark.at);
    marks
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
