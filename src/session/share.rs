//! Between a link and a session: names become nodes, and what was done becomes text again.

use super::Session;
use super::command::{Command, Timed};
use super::facts;
use crate::base::id::NodeId;
use crate::scenario::compile::{self, Plan};
use crate::scenario::link::script::{Act, Step};
use crate::scenario::link::{self, ENGINE, Opened};
use crate::scenario::v1::wire::Wire;

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
        Act::Clock { node, offset_us, drift_ppm } => {
            let (offset_us, drift_ppm) = (*offset_us, *drift_ppm);
            let clock = |node| Command::Clock { node, offset_us, drift_ppm };
            plan.find_breakable(node).into_iter().map(clock).collect()
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
        Command::Clock { node, offset_us, drift_ppm } => {
            Act::Clock { node: name(node), offset_us, drift_ppm }
        }
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

/// Commands as the script of a link.
pub(super) fn steps(commands: &[Timed<Command>], plan: &Plan) -> Vec<Step> {
    commands.iter().map(|c| Step { at: c.at, act: words(&c.what, plan) }).collect()
}

/// What a link to this session opens.
pub fn opened(session: &Session, options: LinkOptions) -> Opened {
    let mut opened = Opened::new(session.origin().clone());
    opened.preset = session.preset().map(str::to_owned);
    opened.source = session.source.clone();
    opened.script = steps(session.commands(), &session.run().plan);
    opened.engine = Some(ENGINE);
    opened.b = session.twin().map_or(Vec::new(), |twin| link::texts(twin.changes()));
    if options.instant {
        opened.t = Some(session.now());
        opened.digest = Some(session.digest());
    }
    opened
}

/// The part of a link after `#` with commands at the instant on screen, before they are done: what
/// to open if doing them breaks the program.
pub fn fragment_with(session: &Session, commands: &[Command]) -> String {
    let mut opened = opened(session, LinkOptions::default());
    let (now, run) = (session.now(), session.run());
    opened.digest = None;
    opened.script.retain(|step| step.at <= now);
    for command in commands {
        match command {
            // What holds from the beginning is no step. A wrong value is left out: it is refused.
            Command::Set { path, value } if run.can_set(path, value).is_ok_and(|can| !can) => {
                let _ = compile::change(&mut opened.scenario, path, value);
            }
            _ => opened.script.push(Step { at: now, act: words(command, &run.plan) }),
        }
    }
    link::encode(&opened).1
}

/// The scenario with every change that is in force now, as text of a file.
pub fn file(session: &Session) -> String {
    // A tree of JSON always has a text.
    serde_json::to_string_pretty(&facts::scenario(session).write()).unwrap_or_default() + "\n"
}

/// The part of a link after `#`.
pub fn fragment(session: &Session, options: LinkOptions) -> String {
    link::encode(&opened(session, options)).1
}

#[cfg(test)]
mod tests {
    use super::{Command, LinkOptions, file, fragment_with};
    use crate::base::id::NodeId;
    use crate::base::time::Time;
    use crate::scenario::{link, read};
    use crate::session::Session;
    use serde_json::json;

    fn session(fragment: &str) -> Session {
        Session::open(link::open(Some("retry-storm"), fragment).0)
    }

    #[test]
    fn a_link_can_be_made_before_the_deed() {
        let set = |path: &str, value| Command::Set { path: path.to_owned(), value };
        let deeds = [
            vec![Command::Kill(NodeId(1)), set("people.retry.attempts", json!(2))],
            vec![set("people.count", json!(10))],
        ];
        for deed in deeds {
            let mut session = session("at=1s:cut:people~api-1,9s:kill:api-2&t=3s");
            let link = fragment_with(&session, &deed);
            session.deed(deed.clone()).expect("a deed");
            // A change from the beginning keeps what comes later; the link need not.
            session.seek(Time(3_000_000));
            let again = self::session(&link);
            assert_eq!((again.now(), again.digest()), (session.now(), session.digest()), "{link}");
        }
        let session = session("t=3s");
        let wrong = fragment_with(&session, &[set("people.count", json!("many"))]);
        assert!(link::open(Some("retry-storm"), &wrong).0.t.is_some(), "{wrong}");
    }

    #[test]
    fn a_file_holds_the_scenario_as_it_is_set_now() {
        let mut session = session("seed=7&t=2s");
        let set = |path: &str, value| Command::Set { path: path.to_owned(), value };
        session.command(set("people.retry.attempts", json!(2))).expect("a setting");
        session.command(set("people.count", json!(10))).expect("a number of people");
        let read = read::text(&file(&session)).expect("a file that was just written");
        assert_eq!(&read, session.scenario());
        let again = Session::start(read).expect("a scenario that runs");
        let link = again.link(LinkOptions { instant: false });
        assert_eq!(&session_of(&link), session.scenario());
    }

    #[test]
    fn a_clock_that_was_set_wrong_is_in_the_link_and_healing_takes_it_back() {
        let wrong = |session: &Session| {
            let mut frame = crate::observe::frame::Frame::default();
            session.frame(&mut frame);
            frame.faults.iter().filter(|f| f.sentence.contains("clock")).count()
        };
        let mut session = session("t=2s");
        let clock = |offset_us, drift_ppm| {
            let node = crate::base::id::NodeId(1);
            Command::Clock { node, offset_us, drift_ppm }
        };
        session.command(clock(500_000, 0)).expect("a clock");
        session.command(clock(-20_000, 300)).expect("a clock");
        assert_eq!(wrong(&session), 1, "the second in place of the first");
        session.seek(Time(4_000_000));
        let link = session.link(LinkOptions::default());
        assert!(link.contains("+-20ms+300ppm"), "{link}");
        let again = self::session(&link);
        assert_eq!((again.digest(), wrong(&again)), (session.digest(), 1));
        session.command(clock(0, 0)).expect("a clock");
        assert_eq!(wrong(&session), 0);
        session.command(clock(1_000, 0)).expect("a clock");
        session.command(Command::HealAll).expect("healed");
        assert_eq!(wrong(&session), 0);
    }

    fn session_of(link: &str) -> crate::scenario::v1::Scenario {
        link::open(None, link).0.scenario
    }
}
