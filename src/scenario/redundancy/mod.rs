//! What a scenario can lose: every single thing, and every pair of things, without which what its
//! clients want stops; and how available it should be, if things break as often as it says.
//!
//! The analysis looks at the topology alone. That a loss stops a journey means that nothing of it
//! can succeed any more, whatever time passes; what only makes some requests fail, until somebody
//! notices, is for a run to show. A test runs losses and compares.

pub mod availability;
mod needs;
pub mod proof;
pub mod report;

use super::compile::Plan;
use crate::base::domain::Tier;
use crate::base::id::NodeId;
use crate::protocol::Settings;
use needs::{Lost, Need};
use serde::Serialize;

/// With more elements than this, pairs are left out.
const MOST_FOR_PAIRS: usize = 150;

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Kind {
    /// All of a region.
    Region,
    /// All of a zone.
    Zone,
    /// All of a host.
    Host,
    /// A node.
    Process,
    /// The way between two nodes, in both directions.
    Link,
}

impl Kind {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Region => "region",
            Kind::Zone => "zone",
            Kind::Host => "host",
            Kind::Process => "process",
            Kind::Link => "link",
        }
    }
}

/// Something that can be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Element {
    /// What it is called: `db-1`, `eu-a`, `api~db`.
    pub name: String,
    /// What kind of thing.
    pub kind: Kind,
    /// The nodes that go with it; of a link, its two ends.
    #[serde(skip)]
    pub nodes: Vec<NodeId>,
}

/// What clients want: one kind of request of one population.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Journey {
    /// Who wants it.
    pub clients: String,
    /// What: reads, or changes.
    pub need: Need,
    #[serde(skip)]
    node: NodeId,
}

impl Journey {
    /// In words: `people read`.
    pub fn words(&self) -> String {
        format!("{} {}", self.clients, self.need.verb())
    }
}

/// A loss that stops a journey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is lost: one thing, or two that stop it only together.
    pub lost: Vec<Element>,
    /// What stops, in words.
    pub stops: Vec<String>,
    /// Why, for the first of these.
    pub reason: String,
}

/// Everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Redundancy {
    /// What was looked at, in words.
    pub journeys: Vec<String>,
    /// How many things can be lost.
    pub elements: usize,
    /// Journeys that cannot succeed as it is, and why.
    pub broken: Vec<(String, String)>,
    /// Single things that stop a journey.
    pub single: Vec<Finding>,
    /// Pairs that stop a journey though neither does alone; none when there is too much to try.
    pub pairs: Option<Vec<Finding>>,
}

/// What the scenario behind a plan can lose.
pub fn analyse(plan: &Plan) -> Redundancy {
    let journeys = journeys(plan);
    let elements = elements(plan);
    let nothing = Lost::default();
    let mut found = Redundancy {
        journeys: journeys.iter().map(Journey::words).collect(),
        elements: elements.len(),
        pairs: (elements.len() <= MOST_FOR_PAIRS).then(Vec::new),
        ..Redundancy::default()
    };
    let mut whole = Vec::new();
    for journey in journeys {
        match needs::works(plan, journey.node, journey.need, &nothing) {
            Ok(()) => whole.push(journey),
            Err(why) => found.broken.push((journey.words(), why)),
        }
    }
    // Which journeys each element stops alone.
    let mut alone: Vec<Vec<bool>> = Vec::new();
    for element in &elements {
        let lost = Lost::of(plan, &[element]);
        let (finding, stopped) = stopped(plan, &whole, &lost, |_| true);
        alone.push(stopped);
        found.single.extend(finding.map(|f| Finding { lost: vec![element.clone()], ..f }));
    }
    let Some(pairs) = &mut found.pairs else { return found };
    for (a, one) in elements.iter().enumerate() {
        for (b, other) in elements.iter().enumerate().skip(a + 1) {
            if one.covers(other) || other.covers(one) {
                continue;
            }
            let lost = Lost::of(plan, &[one, other]);
            let both = |journey: usize| !alone[a][journey] && !alone[b][journey];
            let (finding, _) = stopped(plan, &whole, &lost, both);
            let pair = vec![one.clone(), other.clone()];
            pairs.extend(finding.map(|f| Finding { lost: pair, ..f }));
        }
    }
    found
}

impl Element {
    /// True if losing this loses the other, too.
    fn covers(&self, other: &Element) -> bool {
        let has = |node: &NodeId| self.nodes.contains(node);
        match (self.kind, other.kind) {
            (Kind::Link, _) => false,
            (_, Kind::Link) => other.nodes.iter().any(has),
            _ => other.nodes.iter().all(has),
        }
    }
}

/// Of the journeys to look at, which a loss stops.
fn stopped(
    plan: &Plan,
    journeys: &[Journey],
    lost: &Lost,
    look: impl Fn(usize) -> bool,
) -> (Option<Finding>, Vec<bool>) {
    let (mut stops, mut reason, mut which) = (Vec::new(), String::new(), Vec::new());
    for (place, journey) in journeys.iter().enumerate() {
        let outcome =
            if look(place) { needs::works(plan, journey.node, journey.need, lost) } else { Ok(()) };
        which.push(outcome.is_err());
        if let Err(why) = outcome {
            if stops.is_empty() {
                reason = why;
            }
            stops.push(journey.words());
        }
    }
    ((!stops.is_empty()).then(|| Finding { lost: Vec::new(), stops, reason }), which)
}

/// What every population wants: reads if it reads, changes if it changes.
pub fn journeys(plan: &Plan) -> Vec<Journey> {
    let mut journeys = Vec::new();
    for node in &plan.nodes {
        let Settings::Clients(clients) = &node.settings else { continue };
        let mut wanted = |need| {
            journeys.push(Journey { clients: node.name.clone(), need, node: node.id });
        };
        let wants = |need| clients.mix.iter().any(|(_, op)| proof::need(*op) == need);
        if clients.mix.is_empty() || wants(Need::Read) {
            wanted(Need::Read);
        }
        if wants(Need::Change) {
            wanted(Need::Change);
        }
    }
    journeys
}

/// Everything that can be lost. Clients are people, and people are not lost.
pub fn elements(plan: &Plan) -> Vec<Element> {
    let asks = |id: &NodeId| matches!(plan.nodes[id.index()].settings, Settings::Clients(_));
    let mut elements: Vec<Element> = Vec::new();
    for domain in &plan.domains.all {
        let nodes: Vec<NodeId> = domain.nodes.iter().filter(|id| !asks(id)).copied().collect();
        let kind = match domain.tier {
            Tier::Region => Kind::Region,
            Tier::Zone => Kind::Zone,
            Tier::Host => Kind::Host,
        };
        if !nodes.is_empty() {
            elements.push(Element { name: domain.name.clone(), kind, nodes });
        }
    }
    for node in plan.nodes.iter().filter(|node| !asks(&node.id)) {
        let (name, nodes) = (node.name.clone(), vec![node.id]);
        elements.push(Element { name, kind: Kind::Process, nodes });
    }
    for link in &plan.links {
        if link.source < link.target {
            let (one, other) = (link.source, link.target);
            let name = format!("{}~{}", plan.name(one), plan.name(other));
            elements.push(Element { name, kind: Kind::Link, nodes: vec![one, other] });
        }
    }
    elements
}

#[cfg(test)]
mod tests;
