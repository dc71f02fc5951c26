//! Between a link and a session: names become nodes, and what was done becomes text again.

use super::Session;
use super::command::{Command, Timed};
use crate::base::id::NodeId;
use crate::scenario::compile::Plan;
use crate::scenario::link::script::{Act, Step};
use crate::scenario::link::{self, ENGINE, Opened};

/// What a link is to hold besides the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkOptions {
    /// The instant on screen, and the digest of the run up to there.
    pub instant: bool,
}

impl Default for LinkOptions {
    fn default() -> LinkOptions {
        LinkOptions { instant: true }
    }
}

/// The commands of a script, in its order.
pub fn commands(script: &[Step], plan: &Plan) -> Vec<Timed<Command>> {
    let timed = |step: &Step| {
        let at = step.at;
        let acts = act(&step.act, plan).into_iter();
        acts.map(move |what| Timed { at, what }).collect::<Vec<_>>()
    };
    script.iter().flat_map(timed).collect()
}

fn act(act: &Act, plan: &Plan) -> Vec<Command> {
    let each = |name: &str, command: fn(NodeId) -> Command| {
        plan.find_breakable(name).into_iter().map(command).collect()
    };
    let ways = |name: &str| plan.find_links(name).into_iter();
    match act {
        Act::Kill(name) => each(name, Command::Kill),
        Act::Start(name) => each(name, Command::Start),
        Act::Pause(name) => each(name, Command::Pause),
        Act::Resume(name) => each(name, Command::Resume),
        Act::Slow(name, factor) => {
            plan.find_breakable(name).into_iter().map(|node| Command::Slow(node, *factor)).collect()
        }
        Act::Cut(name) => {
            ways(name).map(|(source, target)| Command::Cut { source, target }).collect()
        }
        Act::Heal(name) => {
            ways(name).map(|(source, target)| Command::Heal { source, target }).collect()
        }
        Act::HealAll => vec![Command::HealAll],
        Act::Part(sides) => {
            let side = |names: &Vec<String>| names.iter().flat_map(|n| plan.find(n)).collect();
            vec![Command::Partition(sides.iter().map(side).collect())]
        }
        Act::Gray { link, latency, loss } => {
            let (latency, loss) = (*latency, *loss);
            let gray = |(source, target)| Command::Gray { source, target, latency, loss };
            ways(link).map(gray).collect()
        }
        Act::Surge { node, factor, lasts } => {
            let (factor, lasts) = (*factor, *lasts);
            let surge = |node| Command::Surge { node, factor, lasts };
            plan.find(node).into_iter().map(surge).collect()
        }
        Act::Set { path, value } => {
            vec![Command::Set { path: path.clone(), value: value.clone() }]
        }
    }
}

/// A command in the words of a link.
fn words(command: &Command, plan: &Plan) -> Act {
    let name = |node: NodeId| plan.name(node).to_owned();
    let way = |source, target| format!("{}~~{}", name(source), name(target));
    match command.clone() {
        Command::Kill(node) => Act::Kill(name(node)),
        Command::Start(node) => Act::Start(name(node)),
        Command::Pause(node) => Act::Pause(name(node)),
        Command::Resume(node) => Act::Resume(name(node)),
        Command::Slow(node, factor) => Act::Slow(name(node), factor),
        Command::Cut { source, target } => Act::Cut(way(source, target)),
        Command::Heal { source, target } => Act::Heal(way(source, target)),
        Command::Partition(sides) => {
            Act::Part(sides.iter().map(|side| side.iter().map(|&n| name(n)).collect()).collect())
        }
        Command::HealAll => Act::HealAll,
        Command::Gray { source, target, latency, loss } => {
            Act::Gray { link: way(source, target), latency, loss }
        }
        Command::Surge { node, factor, lasts } => Act::Surge { node: name(node), factor, lasts },
        Command::Set { path, value } => Act::Set { path, value },
    }
}

/// What a link to this session opens.
pub fn opened(session: &Session, options: LinkOptions) -> Opened {
    let plan = &session.run().plan;
    let step = |c: &Timed<Command>| Step { at: c.at, act: words(&c.what, plan) };
    let mut opened = Opened::new(session.origin().clone());
    opened.preset = session.preset().map(str::to_owned);
    opened.script = session.commands().iter().map(step).collect();
    opened.engine = Some(ENGINE);
    if options.instant {
        opened.t = Some(session.now());
        opened.digest = Some(session.digest());
    }
    opened
}

/// The part of a link after `#`.
pub fn fragment(session: &Session, options: LinkOptions) -> String {
    link::encode(&opened(session, options)).1
}
