//! From faults as people write them to faults of nodes and directions.

use super::breaks;
use super::graph::directions;
use super::names::Cast;
use super::{MOST_FAULTS, MOST_NAMED, MOST_NODES, MOST_PROBLEMS, PlannedLink};
use crate::base::diagnostics::Diagnostics;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::protocol::load::Surge;
use crate::protocol::mark;
use crate::scenario::v1::node::Node;
use crate::scenario::v1::{self, Mark, Scenario, SurgeOf};
use crate::sim::fault::{Fault, Planned, Trigger};

type Surges = Vec<(NodeId, Surge)>;

/// The shortest time between two changes of a flapping link.
const SHORTEST_FLAP: Span = Span::millis(1);

/// All faults, one for each node they concern, and surges of clients.
pub fn compile(
    scenario: &Scenario,
    cast: &Cast<'_>,
    links: &[PlannedLink],
    problems: &mut Diagnostics,
) -> (Vec<Planned>, Surges) {
    let (mut planned, mut surges, mut named) = (Vec::new(), Vec::new(), 0);
    for (number, fault) in scenario.faults.iter().enumerate() {
        let path = format!("faults[{number}]");
        let trigger = match &fault.breaks {
            // It goes on from the beginning if nothing is said.
            Some(_) if fault.when.is_none() => Trigger::At(Time::ZERO),
            _ => trigger(fault, &path, problems),
        };
        let lasts = fault.r#for;
        let mut compiler = Compiler { cast, links, path, problems };
        let Some(faults) = compiler.faults(fault) else { continue };
        if let Some(surge) = &fault.surge {
            surges.extend(compiler.surge(surge, &trigger, lasts));
        }
        if let Some(breaks) = &fault.breaks {
            let window = (fault.at.unwrap_or_default(), lasts);
            planned.extend(breaks::compile(breaks, number, window, scenario, &mut compiler));
        }
        let plan = |fault| Planned { trigger: trigger.clone(), lasts, fault };
        named += faults.iter().map(|fault| reach(fault, links)).sum::<usize>();
        planned.extend(faults.into_iter().map(plan));
        if named > MOST_NAMED {
            let message = format!("faults concern more than {MOST_NAMED} links in all");
            problems.error("faults", message, "name fewer links in each");
            break;
        }
        if planned.len() > MOST_FAULTS {
            let message = format!("there are more than {MOST_FAULTS} faults");
            let remedy = format!("{MOST_FAULTS} faults, one for each node, is the limit");
            problems.error("faults", message, remedy);
            break;
        }
    }
    (planned, surges)
}

/// How many links a fault concerns, at most.
fn reach(fault: &Fault, links: &[PlannedLink]) -> usize {
    match fault {
        Fault::Cut { links, .. } | Fault::Gray { links, .. } | Fault::Flap { links, .. } => {
            links.len()
        }
        Fault::Partition { .. } => links.len(),
        _ => 0,
    }
}

fn trigger(fault: &v1::Fault, path: &str, problems: &mut Diagnostics) -> Trigger {
    match (fault.at, &fault.when) {
        (Some(at), None) => Trigger::At(Time(at.0)),
        (None, Some(when)) => {
            let mark = match when.mark {
                Mark::Applied => mark::APPLIED,
                Mark::Succeeded => mark::SUCCEEDED,
                Mark::Failed => mark::FAILED,
                Mark::Opened => mark::OPENED,
            };
            Trigger::Mark { mark, nth: when.nth }
        }
        (both, _) => {
            let message = match both {
                Some(_) => "both `at` and `when` say when it begins",
                None => "nothing says when it begins",
            };
            problems.error(path, message, "give `at` or `when`, not both");
            Trigger::At(Time::NEVER)
        }
    }
}

pub(super) struct Compiler<'a> {
    pub cast: &'a Cast<'a>,
    links: &'a [PlannedLink],
    pub path: String,
    pub problems: &'a mut Diagnostics,
}

impl Compiler<'_> {
    /// What the fault does; none when it is not exactly one of the kinds.
    fn faults(&mut self, fault: &v1::Fault) -> Option<Vec<Fault>> {
        let mut kinds: Vec<Vec<Fault>> = Vec::new();
        if let Some(cut) = &fault.cut {
            let links = self.directions("cut", &cut.links);
            kinds.push(vec![Fault::Cut { links, hold: cut.hold }]);
        }
        if let Some(sides) = &fault.partition {
            kinds.push(self.partition(sides));
        }
        if let Some(gray) = &fault.gray {
            let links = self.directions("gray", &gray.links);
            let (latency, loss, duplication) = (gray.latency, gray.loss, gray.duplication);
            kinds.push(vec![Fault::Gray { links, latency, loss, duplication }]);
        }
        if let Some(flap) = &fault.flap {
            let links = self.directions("flap", &flap.links);
            let (down, up) = (flap.down.max(SHORTEST_FLAP), flap.up.max(SHORTEST_FLAP));
            kinds.push(vec![Fault::Flap { links, down, up }]);
        }
        if let Some(name) = &fault.crash {
            kinds.push(self.each("crash", name, |node| Fault::Crash { node }));
        }
        if let Some(name) = &fault.pause {
            kinds.push(self.each("pause", name, |node| Fault::Pause { node }));
        }
        if let Some(slow) = &fault.slow {
            let factor = libm::round(slow.factor * 1_000.0).max(1.0) as u32;
            kinds.push(self.each("slow.node", &slow.node, |node| Fault::Slow { node, factor }));
        }
        if let Some(clock) = &fault.clock {
            kinds.push(self.clock(clock));
        }
        if let Some(disk) = &fault.slow_disk {
            let extra = disk.extra;
            let slow = |node| Fault::SlowDisk { node, extra };
            kinds.push(self.each("slow_disk.node", &disk.node, slow));
        }
        if fault.surge.is_some() || fault.breaks.is_some() {
            kinds.push(Vec::new());
        }
        if kinds.len() != 1 {
            let message = match kinds.len() {
                0 => "nothing says what goes wrong".to_owned(),
                n => format!("{n} things go wrong in one fault"),
            };
            let remedy = "give exactly one of cut, partition, gray, flap, crash, pause, slow, \
                          clock, slow_disk, surge, breaks";
            self.problems.error(self.path.clone(), message, remedy);
        }
        (kinds.len() == 1).then(|| kinds.remove(0))
    }

    fn directions(&mut self, kind: &str, names: &[String]) -> Vec<(NodeId, NodeId)> {
        let mut all = Vec::new();
        if names.is_empty() {
            let path = format!("{}.{kind}.links", self.path);
            self.problems.error(path, "no link is named", "name links as a~b or a~~b");
        }
        for (number, name) in names.iter().enumerate() {
            if all.len() > MOST_NAMED || self.problems.problems.len() > MOST_PROBLEMS {
                break;
            }
            let path = format!("{}.{kind}.links[{number}]", self.path);
            let before = self.problems.problems.len();
            let mut pairs = directions(name, &path, self.cast, self.problems);
            // Only what exists can break.
            pairs.retain(|pair| {
                let place = self.links.binary_search_by_key(pair, |l| (l.source, l.target));
                place.is_ok()
            });
            if pairs.is_empty() && self.problems.problems.len() == before {
                let message = format!("there is no link `{name}`: nobody calls along it");
                self.problems.error(path, message, "name the ends of a call, or list the link");
            }
            all.extend(pairs);
        }
        all
    }

    fn partition(&mut self, sides: &[Vec<String>]) -> Vec<Fault> {
        let path = format!("{}.partition", self.path);
        if sides.len() < 2 {
            self.problems.error(path.clone(), "a partition has two sides or more", "name them");
        }
        if sides.iter().map(Vec::len).sum::<usize>() > MOST_NODES {
            let remedy = format!("{MOST_NODES} names in all is the limit");
            self.problems.error(path, "the sides have too many names", remedy);
            return Vec::new();
        }
        let mut all: Vec<Vec<NodeId>> = Vec::new();
        for (number, side) in sides.iter().enumerate() {
            let mut nodes = Vec::new();
            for (place, name) in side.iter().enumerate() {
                let path = format!("{path}[{number}][{place}]");
                let found = self.cast.known_or_domain(name, &path, self.problems);
                if all.iter().flatten().any(|node| found.contains(node)) {
                    let message = format!("`{name}` is on two sides");
                    self.problems.error(path, message, "put each node on one side");
                }
                nodes.extend(found);
            }
            all.push(nodes);
        }
        vec![Fault::Partition { sides: all }]
    }

    fn each(&mut self, part: &str, name: &str, fault: impl Fn(NodeId) -> Fault) -> Vec<Fault> {
        let path = format!("{}.{part}", self.path);
        self.cast.known_or_domain(name, &path, self.problems);
        self.cast.breakable(name).into_iter().map(fault).collect()
    }

    fn clock(&mut self, clock: &v1::Clock) -> Vec<Fault> {
        let drift_ppm = clock.drift_ppm;
        if drift_ppm.abs() > 1_000_000 {
            let path = format!("{}.clock.drift_ppm", self.path);
            let message = format!("a clock cannot gain {drift_ppm} µs a second");
            self.problems.error(path, message, "choose from -1000000 to 1000000");
        }
        let micros = |span: Span| i64::try_from(span.0).unwrap_or(i64::MAX);
        let offset_us = micros(clock.ahead).saturating_sub(micros(clock.behind));
        self.each("clock.node", &clock.node, |node| Fault::Clock { node, offset_us, drift_ppm })
    }

    fn surge(&mut self, surge: &SurgeOf, trigger: &Trigger, lasts: Option<Span>) -> Surges {
        let path = format!("{}.surge.node", self.path);
        let found = self.cast.known(&surge.node, &path, self.problems);
        let (Trigger::At(from), Some(lasts)) = (trigger, lasts) else {
            let remedy = "give `at` and `for`";
            self.problems.error(self.path.clone(), "a surge begins and ends by the clock", remedy);
            return Vec::new();
        };
        let asks = |id: &&NodeId| matches!(self.cast.node(**id).node, Node::Clients(_));
        if let Some(id) = found.iter().find(|id| !asks(id)) {
            let message = format!("`{}` are not clients", self.cast.node(*id).name);
            self.problems.error(path, message, "name clients");
        }
        let surge = Surge { from: *from, until: *from + lasts, factor: surge.factor };
        found.into_iter().map(|id| (id, surge)).collect()
    }
}
