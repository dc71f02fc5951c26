//! Who is on the stage: names, groups, kinds, and a place for each node, worked out once for a run.

use super::frame::Kind;
use crate::base::domain::{Domain, Domains};
use crate::base::id::NodeId;
use crate::base::order;
use crate::check::effects::Shards;
use crate::protocol::{Role, Settings};
use crate::sim::world::World;
use serde::Serialize;
use std::collections::BTreeMap;

/// The nodes of a run, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cast {
    /// One for each node.
    pub members: Vec<Member>,
    /// Where what runs.
    pub domains: Domains,
}

/// A node as people know it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// Its name: `api-1`.
    pub name: String,
    /// The group it belongs to in the scenario: `api`.
    pub group: String,
    /// Decides its shape.
    pub kind: Kind,
    /// Where it stands, in the unit square.
    pub place: (f64, f64),
}

impl Cast {
    /// From names and groups in id order, and the world they live in.
    pub fn new(names: &[(String, String)], world: &World<Role>) -> Cast {
        let roles = world.processes.iter().zip(places(world));
        let members = names.iter().zip(roles).map(|((name, group), (role, place))| Member {
            name: name.clone(),
            group: group.clone(),
            kind: kind(role),
            place,
        });
        Cast { members: members.collect(), domains: Domains::default() }
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        self.members.get(node.index()).map_or("?", |m| m.name.as_str())
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        (0..).zip(&self.members).find(|(_, m)| m.name == name).map(|(n, _)| NodeId(n))
    }

    /// The nodes of a group, in id order.
    pub fn group(&self, group: &str) -> Vec<NodeId> {
        let mine = (0..).zip(&self.members).filter(|(_, m)| m.group == group);
        mine.map(|(n, _)| NodeId(n)).collect()
    }

    /// For each node the number of its group, groups counted in order of their names.
    pub fn group_numbers(&self) -> Vec<u16> {
        let mut names: Vec<&str> = self.members.iter().map(|m| m.group.as_str()).collect();
        order::up(&mut names);
        names.dedup();
        let number = |m: &Member| names.binary_search(&m.group.as_str()).unwrap_or(0) as u16;
        self.members.iter().map(number).collect()
    }

    /// For each router the numbers of the groups that are its shards.
    pub fn shards(&self, world: &World<Role>) -> Shards {
        let groups = self.group_numbers();
        let of = |role: &Role| {
            let Role::Router(router) = role else { return None };
            let first = router.settings.shards.iter().filter_map(|calls| calls.targets.first());
            Some(first.filter_map(|id| groups.get(id.index()).copied()).collect())
        };
        world.processes.iter().filter_map(of).collect()
    }

    /// Gives every innermost domain a band of the stage: what shares a fate stands together.
    pub fn stand_in_domains(&mut self) {
        // By band, the rows of each column.
        let mut bands: Vec<BTreeMap<i64, Vec<usize>>> = Vec::new();
        for band in self.bands() {
            let mut columns: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            for (n, member) in self.members.iter().enumerate() {
                if self.domains.of.get(n).copied().flatten() == Some(band) {
                    columns.entry((member.place.0 * 1e3) as i64).or_default().push(n);
                }
            }
            bands.push(columns);
        }
        let tallest = |columns: &BTreeMap<i64, Vec<usize>>| {
            columns.values().map(Vec::len).max().unwrap_or(0) as f64 + 0.4
        };
        let total: f64 = bands.iter().map(tallest).sum();
        let mut top = 0.0;
        for columns in &bands {
            for rows in columns.values() {
                for (row, n) in rows.iter().enumerate() {
                    let down = (row as f64 + 0.5) / rows.len() as f64;
                    self.members[*n].place.1 = (top + tallest(columns) * down) / total;
                }
            }
            top += tallest(columns);
        }
    }

    /// The domains that hold nodes themselves, those of a region together.
    fn bands(&self) -> Vec<u32> {
        let mut bands: Vec<u32> = self.domains.of.iter().copied().flatten().collect();
        let way = |domain: u32| {
            let out = std::iter::successors(Some(domain), |d| self.domains.all[*d as usize].inside);
            let mut way: Vec<u32> = out.collect();
            way.reverse();
            way
        };
        order::by_key(&mut bands, |domain| way(*domain));
        bands.dedup();
        bands
    }

    /// The nodes of a domain that can fail with it: people near it are not in it.
    pub fn breakable(&self, domain: &Domain) -> Vec<NodeId> {
        let asks = |node: &&NodeId| self.members[node.index()].kind == Kind::Clients;
        domain.nodes.iter().filter(|node| !asks(node)).copied().collect()
    }

    /// The domain of which these nodes, more than one, are all.
    pub fn domain_of(&self, nodes: &[NodeId]) -> Option<&Domain> {
        let all_of = |d: &&Domain| d.nodes.as_slice() == nodes || self.breakable(d) == nodes;
        self.domains.all.iter().find(all_of).filter(|_| nodes.len() > 1)
    }

    /// That these nodes, in order, are down.
    pub fn down(&self, nodes: &[NodeId]) -> String {
        let verb = if nodes.len() > 1 && self.domain_of(nodes).is_none() { "are" } else { "is" };
        format!("{} {verb} down", self.name_all(nodes))
    }

    /// What a set of nodes is called: the name of the domain or group if it is all of one.
    pub fn name_all(&self, nodes: &[NodeId]) -> String {
        if let Some(domain) = self.domain_of(nodes) {
            return format!("{} {}", domain.tier.word(), domain.name);
        }
        match nodes {
            [] => "nobody".to_owned(),
            [one] => self.name(*one).to_owned(),
            [first, ..] => {
                let group = self.members.get(first.index()).map_or("?", |m| m.group.as_str());
                if self.group(group).as_slice() == nodes {
                    group.to_owned()
                } else {
                    nodes.iter().map(|&n| self.name(n)).collect::<Vec<_>>().join(", ")
                }
            }
        }
    }
}

fn kind(role: &Role) -> Kind {
    match role {
        Role::Clients(_) => Kind::Clients,
        Role::Balancer(_) => Kind::Balancer,
        Role::Dns(_) => Kind::Names,
        Role::Broker(_) => Kind::Broker,
        Role::Router(_) | Role::Service(_) => Kind::Service,
        Role::Cache(_) => Kind::Cache,
        Role::Fleet(_) => Kind::Fleet,
        Role::Ledger(_) | Role::Replica(_) | Role::Raft(_) | Role::Quorum(_) => Kind::Store,
        Role::Backup(_) => Kind::Backup,
    }
}

/// The nodes that a node sends requests to.
pub fn targets(role: &Role) -> Vec<NodeId> {
    let calls = role.callers().iter().flat_map(|c| c.settings.targets.iter().copied());
    match role {
        Role::Balancer(balancer) => balancer.settings.backends.clone(),
        // Nobody's requests go through it.
        Role::Dns(_) => Vec::new(),
        Role::Backup(backup) => backup.settings.of.clone(),
        Role::Broker(broker) => {
            broker.settings.groups.iter().flat_map(|group| group.targets.clone()).collect()
        }
        Role::Clients(_)
        | Role::Router(_)
        | Role::Cache(_)
        | Role::Service(_)
        | Role::Ledger(_)
        | Role::Replica(_)
        | Role::Raft(_)
        | Role::Quorum(_)
        | Role::Fleet(_) => calls.collect(),
    }
}

/// The nodes that settings send requests to.
pub fn targets_of(settings: &Settings) -> Vec<NodeId> {
    match settings {
        Settings::Clients(s) => s.calls.targets.clone(),
        Settings::Balancer(s) => s.backends.clone(),
        Settings::Dns(_) => Vec::new(),
        Settings::Backup(s) => s.of.clone(),
        Settings::Router(s) => s.shards.iter().flat_map(|c| c.targets.clone()).collect(),
        Settings::Cache(s) => s.calls.targets.clone(),
        Settings::Service(s) => {
            s.dependencies.iter().flat_map(|d| d.calls.targets.clone()).collect()
        }
        Settings::Broker(s) => s.groups.iter().flat_map(|group| group.targets.clone()).collect(),
        Settings::Ledger(s) => {
            s.outbox.iter().flat_map(|outbox| outbox.calls.targets.clone()).collect()
        }
        Settings::Replica(_) | Settings::Raft(_) | Settings::Quorum(_) | Settings::Fleet(_) => {
            Vec::new()
        }
    }
}

/// Columns by distance from the callers, rows by the middle of those who call: requests flow from
/// left to right and answers back.
fn places(world: &World<Role>) -> Vec<(f64, f64)> {
    let count = world.processes.len();
    let mut column = vec![0usize; count];
    // The longest way from a caller; call graphs have no cycles, so this settles.
    for _ in 0..count {
        let mut moved = false;
        for (node, role) in world.processes.iter().enumerate() {
            for target in targets(role) {
                let wanted = column[node] + 1;
                if column[target.index()] < wanted && wanted < count {
                    column[target.index()] = wanted;
                    moved = true;
                }
            }
        }
        if !moved {
            break;
        }
    }
    let columns = column.iter().max().map_or(1, |&c| c + 1);
    let mut places = vec![(0.5, 0.5); count];
    for c in 0..columns {
        let mut rows: Vec<(f64, usize)> = (0..count)
            .filter(|&n| column[n] == c)
            .map(|n| (middle(world, &places, n), n))
            .collect();
        order::by(&mut rows, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let height = rows.len() as f64;
        for (row, (_, node)) in rows.into_iter().enumerate() {
            let x = if columns == 1 { 0.5 } else { c as f64 / (columns - 1) as f64 };
            places[node] = (x, (row as f64 + 0.5) / height);
        }
    }
    places
}

/// The mean height of those who call a node.
fn middle(world: &World<Role>, places: &[(f64, f64)], node: usize) -> f64 {
    let calls = |role: &Role| targets(role).iter().any(|t| t.index() == node);
    let callers = (0..).zip(&world.processes).filter(|(_, role)| calls(role));
    let heights: Vec<f64> = callers.map(|(n, _): (usize, _)| places[n].1).collect();
    if heights.is_empty() { 0.5 } else { heights.iter().sum::<f64>() / heights.len() as f64 }
}
