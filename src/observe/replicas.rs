//! The logs of a store's replicas side by side: what each has, what of it is on disk, committed and
//! applied, and where two logs differ.

use super::cast::Cast;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::Role;
use crate::protocol::store::{Lead, Logged, Standing};
use crate::sim::world::World;
use serde::Serialize;

/// Cells of each log that are shown: the newest.
pub const SHOWN: u64 = 24;
/// Cells that show what the log furthest behind still has.
const COMMON: u64 = 4;

/// The replicas of one store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Store {
    /// What the store is called.
    pub name: String,
    /// The position of the first entry shown.
    pub first: u64,
    /// How many entries one cell stands for: more than one where logs are far apart.
    pub step: u64,
    /// Its replicas, in order.
    pub replicas: Vec<Strip>,
}

/// The log of one replica.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Strip {
    /// Which.
    pub node: NodeId,
    /// What it is called.
    pub name: String,
    /// True if it is down.
    pub down: bool,
    /// How it stands.
    pub standing: Standing,
    /// Entries that the leader has and it has not yet applied.
    pub behind: u64,
    /// Its entries from [`Store::first`] on, as far as it has any.
    pub cells: Vec<Cell>,
}

/// One entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The term of its leader; none where the log has been replaced by a snapshot.
    pub term: Option<u64>,
    /// How far it has come.
    pub stage: Stage,
    /// True if the leader has something else at this position, or nothing.
    pub diverges: bool,
    /// True if a client was told that it is done.
    pub acknowledged: bool,
}

/// How far an entry has come on a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Stage {
    /// In memory.
    Had,
    /// On disk.
    Durable,
    /// Known to be committed.
    Committed,
    /// In the state that reads see.
    Applied,
}

impl Stage {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Had => "in memory",
            Stage::Durable => "on disk",
            Stage::Committed => "committed",
            Stage::Applied => "applied",
        }
    }
}

/// Every store with replicas.
pub fn stores(world: &World<Role>, cast: &Cast) -> Vec<Store> {
    let mut stores: Vec<Store> = Vec::new();
    for (node, role) in (0..).map(NodeId).zip(&world.processes) {
        let (Some(_), Some(member)) = (role.standing(), cast.members.get(node.index())) else {
            continue;
        };
        if stores.last().is_none_or(|store| store.name != member.group) {
            stores.push(store(world, cast, &member.group));
        }
    }
    stores
}

/// The leader of the latest term; what it has is what counts.
pub(super) fn leader(world: &World<Role>, nodes: &[NodeId]) -> Option<NodeId> {
    let leads = nodes.iter().filter_map(|node| {
        let standing = world.processes[node.index()].standing()?;
        (standing.lead == Lead::Leader).then_some((standing.term, *node))
    });
    leads.max().map(|(_, node)| node)
}

fn store(world: &World<Role>, cast: &Cast, group: &str) -> Store {
    let nodes = cast.group(group);
    let lead = leader(world, &nodes).map(|node| &world.processes[node.index()]);
    let standing = |node: &NodeId| world.processes[node.index()].standing();
    let last = nodes.iter().filter_map(standing).map(|s| s.last).max().unwrap_or(0);
    let shortest = nodes.iter().filter_map(standing).map(|s| s.last).min().unwrap_or(0);
    let step = (last - shortest).div_ceil(SHOWN - COMMON).max(1);
    // Cells begin at multiples of their width, so that they do not swim while a log grows.
    let first = (last.saturating_sub(1) / step + 1).saturating_sub(SHOWN) * step + 1;
    let others = Others { lead, all: nodes.iter().map(|n| &world.processes[n.index()]).collect() };
    let strip = |node: &NodeId| {
        let role = &world.processes[node.index()];
        let standing = role.standing()?;
        Some(Strip {
            node: *node,
            name: cast.name(*node).to_owned(),
            down: world.shared.places[node.index()].down,
            standing,
            behind: longest(lead).saturating_sub(standing.applied),
            cells: cells(first, step, role, &standing, &others),
        })
    };
    Store {
        name: group.to_owned(),
        first,
        step,
        replicas: nodes.iter().filter_map(strip).collect(),
    }
}

/// All replicas of the store, and the one that leads.
struct Others<'a> {
    lead: Option<&'a Role>,
    all: Vec<&'a Role>,
}

impl Others<'_> {
    /// True if one of them told a client that this entry is done.
    fn told(&self, position: u64, entry: Option<Logged>) -> bool {
        self.all.iter().any(|role| {
            let told = role.standing().is_some_and(|standing| position <= standing.told);
            // Where a beginning is in a snapshot, it is everybody's.
            told && (role.entry(position) == entry || position <= role.dropped())
        })
    }
}

/// The last position of the leader's log.
fn longest(lead: Option<&Role>) -> u64 {
    lead.and_then(Role::standing).map_or(0, |standing| standing.last)
}

/// What each cell shows is its last entry.
fn cells(
    first: u64,
    step: u64,
    role: &Role,
    standing: &Standing,
    others: &Others<'_>,
) -> Vec<Cell> {
    let starts = (0..SHOWN).map(|n| first + n * step).take_while(|at| *at <= standing.last);
    starts.map(|at| cell((at + step - 1).min(standing.last), role, standing, others)).collect()
}

fn cell(position: u64, role: &Role, standing: &Standing, others: &Others<'_>) -> Cell {
    let stage = if position <= standing.applied {
        Stage::Applied
    } else if position <= standing.committed {
        Stage::Committed
    } else if position <= standing.durable {
        Stage::Durable
    } else {
        Stage::Had
    };
    let own = role.entry(position);
    let diverges = match (own, others.lead) {
        (Some(own), Some(lead)) if position > lead.dropped() => lead.entry(position) != Some(own),
        _ => false,
    };
    let acknowledged = others.told(position, own);
    Cell { term: own.map(|entry| entry.term), stage, diverges, acknowledged }
}

/// What the strips say, in a sentence.
pub fn sentence(store: &Store, now: Time) -> String {
    let leaders: Vec<&str> = store
        .replicas
        .iter()
        .filter(|r| !r.down && r.standing.lead == Lead::Leader)
        .map(|r| r.name.as_str())
        .collect();
    let leads = match leaders.as_slice() {
        [] => "Nobody leads".to_owned(),
        [one] => format!("{one} leads"),
        more => format!("{} all believe they lead", more.join(" and ")),
    };
    let behind = store.replicas.iter().filter(|r| !r.down).max_by_key(|r| r.behind);
    let lag = match behind.filter(|r| r.behind > 0) {
        Some(r) => format!("{} has {} entries still to apply", r.name, r.behind),
        None => "everybody up has applied everything".to_owned(),
    };
    let differs = store.replicas.iter().find(|r| r.cells.iter().any(|c| c.diverges));
    let tail = differs.map_or(String::new(), |r| {
        let lost = r.cells.iter().any(|cell| cell.diverges && cell.acknowledged);
        let told = if lost { ", with entries that clients were told of" } else { "" };
        format!("; the log of {} differs from the leader's{told}", r.name)
    });
    format!("{now}: {leads}; {lag}{tail}.")
}
