//! What a person can do to a node or a link, as one list: the menu on the stage, the outline and
//! the keyboard all offer the same.

use crate::app::state::{Lab, Selection};
use crate::base::id::{LinkId, NodeId};
use crate::base::time::Span;
use crate::base::unit::Chance;
use crate::observe::frame::{Condition, Kind};
use crate::session::command::Command;
use leptos::prelude::*;

/// How much slower a node gets at a click, in thousandths.
const SLOWER: u32 = 5_000;
/// Latency and loss a link gets at a click.
const GRAY_LATENCY: Span = Span::millis(200);
const GRAY_LOSS: Chance = Chance(200_000);
/// How much more clients ask in a surge, in thousandths, and for how long.
const SURGE: (u32, Span) = (3_000, Span::secs(5));

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Names the icon.
    pub icon: &'static str,
    /// What it does, in a word or three.
    pub label: String,
    /// The key that does it while the stage has the focus, if there is one.
    pub key: &'static str,
    /// True when it breaks something.
    pub harm: bool,
    /// What is sent to the run.
    pub commands: Vec<Command>,
}

fn action(icon: &'static str, label: &str, key: &'static str, commands: Vec<Command>) -> Action {
    Action { icon, label: label.into(), key, harm: true, commands }
}

fn repair(icon: &'static str, label: &str, key: &'static str, commands: Vec<Command>) -> Action {
    Action { harm: false, ..action(icon, label, key, commands) }
}

/// Does it; what is wrong with it is shown.
pub fn perform(lab: Lab, action: &Action) {
    for command in &action.commands {
        if !lab.command(command.clone()) {
            return;
        }
    }
    lab.announced.set(action.label.clone());
}

/// What can be done to what is selected.
pub fn actions(lab: Lab, selected: Selection) -> Vec<Action> {
    match selected {
        Selection::Node(id) => node_actions(lab, id),
        Selection::Link(id) => link_actions(lab, id),
        _ => Vec::new(),
    }
}

/// What can be done to a node in its present condition.
pub fn node_actions(lab: Lab, id: NodeId) -> Vec<Action> {
    let Some((kind, condition)) =
        lab.with_frame(|f| f.nodes.get(id.index()).map(|n| (n.kind, n.condition)))
    else {
        return Vec::new();
    };
    if kind == Kind::Clients {
        let (factor, lasts) = SURGE;
        let surge = Command::Surge { node: id, factor, lasts };
        return vec![action("surge", "Triple the load for 5 s", "X", vec![surge])];
    }
    let crash = action("crash", "Crash", "X", vec![Command::Kill(id)]);
    let restart = repair("restart", "Restart", "X", vec![Command::Start(id)]);
    let pause = action("pause", "Pause", "", vec![Command::Pause(id)]);
    let resume = repair("play", "Resume", "", vec![Command::Resume(id)]);
    let slow = action("slow", "Slow down 5×", "G", vec![Command::Slow(id, SLOWER)]);
    let quick = repair("quick", "Full speed", "G", vec![Command::Slow(id, 1_000)]);
    match condition {
        Condition::Down => vec![restart],
        Condition::Paused => vec![resume, crash],
        Condition::Slow(_) => vec![quick, pause, crash],
        Condition::Up => vec![slow, pause, crash],
    }
}

/// What can be done to a link and its way back.
pub fn link_actions(lab: Lab, id: LinkId) -> Vec<Action> {
    let Some((source, target)) = lab.link_ends(id) else { return Vec::new() };
    let ends = [(source, target), (target, source)];
    let (cut, one_cut, gray) = lab.with_frame(|f| {
        let views: Vec<_> =
            f.links.iter().filter(|l| ends.contains(&(l.source, l.target))).collect();
        let gray = views.iter().any(|l| l.slow > Span::ZERO || l.loss_ppm > 0);
        (views.iter().all(|l| l.cut), views.iter().any(|l| l.cut), gray)
    });
    let there = lab.link_known(source, target);
    let back = lab.link_known(target, source);
    let each = |make: fn(NodeId, NodeId) -> Command| -> Vec<Command> {
        let ways = [(there, source, target), (back, target, source)];
        ways.iter().filter(|w| w.0).map(|w| make(w.1, w.2)).collect()
    };
    let heal = repair("heal", "Heal", "C", each(|source, target| Command::Heal { source, target }));
    if cut {
        return vec![heal];
    }
    let mut out =
        vec![action("cut", "Cut", "C", each(|source, target| Command::Cut { source, target }))];
    if !one_cut && back {
        let name = format!("Cut towards {} only", lab.node_name(target));
        out.push(action("oneway", &name, "", vec![Command::Cut { source, target }]));
    }
    if gray || one_cut {
        out.push(heal);
    } else {
        out.push(action(
            "slow",
            "Slow by 200 ms",
            "G",
            each(|source, target| Command::Gray {
                source,
                target,
                latency: GRAY_LATENCY,
                loss: Chance::NEVER,
            }),
        ));
        out.push(action(
            "lossy",
            "Lose one in five",
            "",
            each(|source, target| Command::Gray {
                source,
                target,
                latency: Span::ZERO,
                loss: GRAY_LOSS,
            }),
        ));
    }
    out
}

/// Does the action of what is selected that has this key.
pub fn perform_key(lab: Lab, selected: Selection, key: &str) {
    if let Some(action) = actions(lab, selected).iter().find(|a| a.key == key) {
        perform(lab, action);
    }
}
