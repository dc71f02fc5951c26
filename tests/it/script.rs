//! Scripted protocol runs as text: what is set up, what is done, and everything that follows, in
//! sentences. `UPDATE=1 cargo test script` writes what follows anew; read the difference before
//! you commit it.
//!
//! A script is a scenario in JSON, then blocks of commands, each followed by `----` and what
//! happened. Commands: `run <span>`, `kill`, `pause`, `recover <node>`, `cut`, `mend <a~b>`,
//! `set <path> <value>`, `show <store> <item>` (what each replica without a leader holds of it).

use netsplit::base::id::{LinkId, NodeId};
use netsplit::base::time::Span;
use netsplit::observe::cast::Cast;
use netsplit::observe::metrics::BIN;
use netsplit::observe::picture;
use netsplit::observe::watch::Watch;
use netsplit::protocol::Role;
use netsplit::protocol::rpc::Answer;
use netsplit::scenario::compile::{Plan, compile, set};
use netsplit::scenario::read;
use netsplit::scenario::v1::Scenario;
use netsplit::sim::fault::Fault;
use netsplit::sim::trace::{Level, What};
use netsplit::sim::world::World;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const MARK: &str = "----";

struct Stage {
    scenario: Scenario,
    plan: Plan,
    world: World<Role>,
    cast: Cast,
    watch: Watch,
    out: String,
}

impl Stage {
    fn new(json: &str) -> Stage {
        let scenario = read::text(json).unwrap_or_else(|problems| panic!("{problems}"));
        let plan = compile(&scenario).unwrap_or_else(|problems| panic!("{problems}"));
        let mut world = plan.world();
        world.shared.trace.level = Level::All;
        let names: Vec<_> = plan.nodes.iter().map(|n| (n.name.clone(), n.group.clone())).collect();
        let cast = Cast::new(&names, &world);
        let watch = Watch::new(&cast, &world, BIN);
        Stage { scenario, plan, world, cast, watch, out: String::new() }
    }

    fn node(&self, name: &str) -> NodeId {
        self.cast.find(name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn links(&self, name: &str) -> Vec<(NodeId, NodeId)> {
        let links = self.plan.find_links(name);
        assert!(!links.is_empty(), "there is no link {name}");
        links
    }

    fn command(&mut self, line: &str) {
        let (word, what) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "run" => {
                let span: Span = what.parse().expect("a span");
                let until = self.world.shared.now + span;
                while self.world.step(until) {
                    self.tell();
                }
            }
            "kill" => drop(self.world.begin(Fault::Crash { node: self.node(what) }, None)),
            "pause" => drop(self.world.begin(Fault::Pause { node: self.node(what) }, None)),
            "recover" => self.world.recover(self.node(what)),
            "cut" => {
                let links = self.links(what);
                self.world.begin(Fault::Cut { links, hold: false }, None);
            }
            "mend" => {
                for (source, target) in self.links(what) {
                    let link = self.world.shared.network.route(source, target);
                    self.world.mend(link.unwrap_or(LinkId(0)));
                }
            }
            "set" => self.set(what),
            "show" => self.show(what),
            _ => panic!("unknown command {line}"),
        }
        self.tell();
    }

    /// Changes a setting, as a person does while it runs.
    fn set(&mut self, what: &str) {
        let (path, value) = what.split_once(' ').expect("a path and a value");
        let value = serde_json::from_str(value).expect("a value in JSON");
        let plan = set(&mut self.scenario, path, &value);
        let plan = plan.unwrap_or_else(|problems| panic!("{problems}"));
        for (node, (old, new)) in (0..).zip(self.plan.nodes.iter().zip(&plan.nodes)) {
            if old.settings != new.settings {
                self.world.with(NodeId(node), |role, cx| role.configure(&new.settings, cx));
            }
        }
        self.plan = plan;
    }

    /// Writes down what each replica of a store without a leader holds of an item.
    fn show(&mut self, what: &str) {
        let (group, item) = what.split_once(' ').expect("a store and an item");
        let item: u32 = item.parse().expect("a number");
        for node in self.cast.group(group) {
            let Role::Quorum(store) = &self.world.processes[node.index()] else {
                panic!("{group} has a leader");
            };
            let Some(cell) = store.cell(item) else { continue };
            let beside = cell.versions.len().saturating_sub(1);
            let beside = if beside > 0 { format!(", {beside} beside it") } else { String::new() };
            let Answer::Done { value, .. } = store.read(cell) else { continue };
            // What a write wrote is the number of its intent, in the low bits.
            let (node, value) = (self.cast.name(node), value & ((1 << 40) - 1));
            writeln!(self.out, "{node} holds {value}{beside}").expect("a string");
        }
    }

    /// Writes down what happened since the last time.
    fn tell(&mut self) {
        for record in std::mem::take(&mut self.world.shared.trace.fresh) {
            let said = match &record.what {
                What::Fault { fault, .. } => {
                    let active = self.world.shared.active.iter().find(|a| a.id == *fault);
                    active.map(|a| picture::sentence(&a.fault, &self.cast))
                }
                _ => None,
            };
            self.watch.fold(&record, said.as_deref());
            if let Some(line) = self.watch.explain(&record, said.as_deref()) {
                writeln!(self.out, "{:>9} {}", line.at.to_string(), line.text).expect("a string");
            }
        }
    }
}

/// The script again, with what really happened.
fn play(text: &str) -> String {
    let (json, rest) = text.split_once("\n\n").expect("a scenario, an empty line, commands");
    let without = |line: &&str| !line.starts_with('#');
    let mut stage = Stage::new(&json.lines().filter(without).collect::<Vec<_>>().join("\n"));
    let mut out = format!("{json}\n\n");
    let mut expecting = false;
    for line in rest.lines() {
        match line {
            MARK => {
                expecting = true;
                writeln!(out, "{MARK}").expect("a string");
                out.push_str(&std::mem::take(&mut stage.out));
            }
            "" => {
                expecting = false;
                out.push('\n');
            }
            _ if expecting => {}
            _ => {
                writeln!(out, "{line}").expect("a string");
                if !line.starts_with('#') {
                    stage.command(line);
                }
            }
        }
    }
    out
}

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of scripts") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|e| e == "txt") {
            found.push(path);
        }
    }
}

#[test]
fn every_script_plays_as_written() {
    let mut found = Vec::new();
    scripts(Path::new("tests/scripts"), &mut found);
    found.sort();
    assert!(found.len() >= 6, "{found:?}");
    let mut wrong = Vec::new();
    for path in found {
        let text = std::fs::read_to_string(&path).expect("a script");
        let played = play(&text);
        if played != text && std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &played).expect("the script to be written");
        } else if played != text {
            let differs = text.lines().zip(played.lines()).find(|(a, b)| a != b);
            wrong.push(format!("{}: {differs:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
