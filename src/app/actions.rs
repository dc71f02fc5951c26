//! What a person can do to a node or a link, as one list: the menu on the stage, the outline and
//! the keyboard all offer the same.

use crate::app::chrome;
use crate::app::state::{Lab, Selection};
use crate::base::id::{LinkId, NodeId};
use crate::base::time::Span;
use crate::base::unit::Chance;
use crate::observe::frame::{Condition, Kind, LinkView};
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
    if lab.deed(action.commands.clone()) {
        lab.announced.set(action.label.clone());
    }
}

/// What a reader can do to what is selected.
pub fn actions(lab: Lab, selected: Selection) -> Vec<Action> {
    match selected {
        _ if !chrome::may_break() => Vec::new(),
        Selection::Node(id) => node_actions(lab, id),
        Selection::Link(id) => link_actions(lab, id),
        _ => Vec::new(),
    }
}

/// What can be done to a node in its present condition.
fn node_actions(lab: Lab, id: NodeId) -> Vec<Action> {
    let found = lab.with_frame(|f| f.nodes.get(id.index()).map(|n| (n.kind, n.condition)));
    found.map_or_else(Vec::new, |(kind, condition)| of_node(id, kind, condition))
}

fn of_node(id: NodeId, kind: Kind, condition: Condition) -> Vec<Action> {
    // Of people, the first thing one wishes to know is what comes of more of them.
    let people = kind == Kind::Clients;
    let (factor, lasts) = SURGE;
    let surge = Command::Surge { node: id, factor, lasts };
    let surge = action("surge", "Triple the load for 5 s", "X", vec![surge]);
    let crash = action("crash", "Crash", if people { "" } else { "X" }, vec![Command::Kill(id)]);
    let restart = repair("restart", "Restart", "X", vec![Command::Start(id)]);
    let pause = action("pause", "Pause", "", vec![Command::Pause(id)]);
    let resume_key = if people { "X" } else { "" };
    let resume = repair("play", "Resume", resume_key, vec![Command::Resume(id)]);
    let slow = action("slow", "Slow down 5×", "G", vec![Command::Slow(id, SLOWER)]);
    let quick = repair("quick", "Full speed", "G", vec![Command::Slow(id, 1_000)]);
    match (condition, people) {
        (Condition::Down, _) => vec![restart],
        (Condition::Paused, _) => vec![resume, crash],
        (Condition::Slow(_), true) => vec![surge, quick, pause, crash],
        (Condition::Slow(_), false) => vec![quick, pause, crash],
        // People do no work that could take longer.
        (Condition::Up, true) => vec![surge, pause, crash],
        (Condition::Up, false) => vec![slow, pause, crash],
    }
}

/// A direction of a link, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    source: NodeId,
    target: NodeId,
    cut: bool,
    gray: bool,
}

/// What can be done to a link and its way back.
fn link_actions(lab: Lab, id: LinkId) -> Vec<Action> {
    let Some((source, target)) = lab.link_ends(id) else { return Vec::new() };
    let way = |l: &LinkView| Way {
        source: l.source,
        target: l.target,
        cut: l.cut,
        gray: l.slow > Span::ZERO || l.loss_ppm > 0,
    };
    let ways: Vec<Way> = lab.with_frame(|f| {
        let between = |ends| f.links.iter().find(|l| (l.source, l.target) == ends).map(way);
        [(source, target), (target, source)].into_iter().filter_map(between).collect()
    });
    of_link(&ways, &lab.node_name(target))
}

/// `ways` begins with the direction that is pointed at.
fn of_link(ways: &[Way], target: &str) -> Vec<Action> {
    let each = |make: &dyn Fn(NodeId, NodeId) -> Command| -> Vec<Command> {
        ways.iter().map(|way| make(way.source, way.target)).collect()
    };
    let cut_way = |source, target| Command::Cut { source, target };
    let heal_way = |source, target| Command::Heal { source, target };
    let gray_way =
        |latency, loss| move |source, target| Command::Gray { source, target, latency, loss };
    let heal = repair("heal", "Heal", "C", each(&heal_way));
    let one_cut = ways.iter().any(|way| way.cut);
    if one_cut && ways.iter().all(|way| way.cut) {
        return vec![heal];
    }
    let mut out = if one_cut {
        let rest = ways.iter().filter(|way| !way.cut).map(|way| cut_way(way.source, way.target));
        vec![heal, action("cut", "Cut both ways", "", rest.collect())]
    } else {
        vec![action("cut", "Cut", "C", each(&cut_way))]
    };
    if let ([first, _], false) = (ways, one_cut) {
        let cut = vec![cut_way(first.source, first.target)];
        out.push(action("oneway", &format!("Cut towards {target} only"), "", cut));
    }
    if ways.iter().any(|way| way.gray) {
        // Healing a direction mends all of it: what was cut stays so.
        let cut = ways.iter().filter(|way| way.cut).map(|way| cut_way(way.source, way.target));
        let run = each(&heal_way).into_iter().chain(cut).collect();
        out.push(repair("quick", "Let it run", "G", run));
    } else {
        let slow = each(&gray_way(GRAY_LATENCY, Chance::NEVER));
        out.push(action("slow", "Slow by 200 ms", "G", slow));
        let lossy = each(&gray_way(Span::ZERO, GRAY_LOSS));
        out.push(action("lossy", "Lose one in five", "", lossy));
    }
    out
}

/// Does the action of what is selected that has this key.
pub fn perform_key(lab: Lab, selected: Selection, key: &str) {
    if let Some(action) = actions(lab, selected).iter().find(|a| a.key == key) {
        perform(lab, action);
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    const ENDS: (NodeId, NodeId) = (NodeId(0), NodeId(1));

    fn link(there: (bool, bool), back: (bool, bool)) -> Vec<Action> {
        let way = |(source, target), (cut, gray)| Way { source, target, cut, gray };
        of_link(&[way(ENDS, there), way((ENDS.1, ENDS.0), back)], "api")
    }

    fn keyed<'a>(actions: &'a [Action], key: &str) -> Option<(&'a str, usize)> {
        let mut found = actions.iter().filter(|a| a.key == key);
        let first = found.next().map(|a| (a.label.as_str(), a.commands.len()));
        assert_eq!(found.next(), None, "{key} does one thing");
        first
    }

    #[wasm_bindgen_test]
    fn a_key_breaks_a_link_and_mends_it_again() {
        let (well, cut, gray) = ((false, false), (true, false), (false, true));
        for (there, back, c, g) in [
            (well, well, "Cut", Some("Slow by 200 ms")),
            (cut, cut, "Heal", None),
            (cut, well, "Heal", Some("Slow by 200 ms")),
            (gray, gray, "Cut", Some("Let it run")),
            (cut, gray, "Heal", Some("Let it run")),
        ] {
            let actions = link(there, back);
            assert_eq!(keyed(&actions, "C").map(|a| a.0), Some(c), "{there:?} {back:?}");
            assert_eq!(keyed(&actions, "G").map(|a| a.0), g, "{there:?} {back:?}");
        }
        // What is slow is let run, what is cut stays cut.
        let actions = link(cut, gray);
        let run = actions.iter().find(|a| a.key == "G").map(|a| a.commands.as_slice());
        let (source, target) = ENDS;
        assert_eq!(
            run,
            Some(
                &[
                    Command::Heal { source, target },
                    Command::Heal { source: target, target: source },
                    Command::Cut { source, target },
                ][..]
            )
        );
    }

    #[wasm_bindgen_test]
    fn people_that_stand_still_can_be_started_again() {
        let people = |condition| of_node(NodeId(0), Kind::Clients, condition);
        let named = |condition| keyed(&people(condition), "X").map(|a| a.0.to_owned());
        assert_eq!(named(Condition::Up).as_deref(), Some("Triple the load for 5 s"));
        assert_eq!(named(Condition::Down).as_deref(), Some("Restart"));
        assert_eq!(named(Condition::Paused).as_deref(), Some("Resume"));
        assert_eq!(keyed(&people(Condition::Up), "G"), None);
        let slowed = people(Condition::Slow(5_000));
        assert_eq!(keyed(&slowed, "G").map(|a| a.0), Some("Full speed"));
        let api = of_node(NodeId(1), Kind::Service, Condition::Up);
        assert_eq!(keyed(&api, "X").map(|a| a.0), Some("Crash"));
    }
}
