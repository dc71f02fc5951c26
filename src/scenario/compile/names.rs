//! Who is who: names of nodes and groups, and what they stand for.

use super::domains;
use crate::base::diagnostics::Diagnostics;
use crate::base::domain::Domains;
use crate::base::id::NodeId;
use crate::base::order;
use crate::scenario::read::near;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::node::Node;

/// Names that mean something else in links.
pub const RESERVED: [&str; 18] = [
    "a", "b", "d", "v", "t", "z", "at", "src", "seed", "speed", "view", "step", "nodes", "links",
    "faults", "checks", "network", "duration",
];

/// A node that will be, before its settings.
pub struct Member<'a> {
    pub id: NodeId,
    pub name: String,
    pub group: &'a str,
    pub node: &'a Node,
}

/// All nodes that will be, replicas expanded.
pub struct Cast<'a> {
    pub nodes: Vec<Member<'a>>,
    pub domains: Domains,
}

impl<'a> Cast<'a> {
    pub fn new(scenario: &'a Scenario, problems: &mut Diagnostics) -> Cast<'a> {
        let mut cast = Cast { nodes: Vec::new(), domains: Domains::default() };
        if scenario.nodes.is_empty() {
            let remedy = "add clients and something they can ask";
            problems.error("nodes", "there are no nodes", remedy);
        }
        for (group, node) in scenario.nodes.iter() {
            check_name("nodes", group, problems);
            let replicas = match node {
                Node::Service(service) => service.replicas,
                Node::Cache(cache) => cache.replicas,
                Node::PrimaryReplica(store) => store.replicas,
                Node::Raft(store) => store.replicas,
                Node::Quorum(store) => store.replicas,
                Node::Clients(_)
                | Node::Balancer(_)
                | Node::Dns(_)
                | Node::Router(_)
                | Node::Broker(_)
                | Node::Ledger(_)
                | Node::Backup(_)
                | Node::Fleet(_) => 1,
            };
            // None at all is a mistake of its own, and no reason to call the name unknown.
            let replicas = replicas.max(1);
            for number in 1..=replicas {
                if cast.nodes.len() >= super::MOST_NODES {
                    let remedy = format!("{} nodes is the limit", super::MOST_NODES);
                    problems.error("nodes", "there are too many nodes and replicas", remedy);
                    return cast;
                }
                let id = NodeId(cast.nodes.len() as u32);
                let name =
                    if replicas == 1 { group.to_owned() } else { format!("{group}-{number}") };
                cast.nodes.push(Member { id, name, group, node });
            }
        }
        cast.check_twice(problems);
        cast.domains = domains::compile(scenario, &cast, problems);
        cast
    }

    /// A replica may have the name of another node.
    fn check_twice(&self, problems: &mut Diagnostics) {
        let mut names: Vec<&str> = self.nodes.iter().map(|n| n.name.as_str()).collect();
        order::up(&mut names);
        for pair in names.windows(2) {
            if pair[0] == pair[1] {
                let message = format!("two nodes are called `{}`", pair[0]);
                problems.error(format!("nodes.{}", pair[0]), message, "rename one of them");
            }
        }
    }

    /// The nodes of a name: a node, a group, or several by `name*`.
    pub fn find(&self, name: &str) -> Vec<NodeId> {
        let meant = |n: &&Member<'_>| stands_for(name, &n.name, n.group);
        self.nodes.iter().filter(meant).map(|n| n.id).collect()
    }

    /// The nodes that a name stands for where it may be that of a domain, too.
    pub fn all(&self, name: &str) -> Vec<NodeId> {
        match self.domains.find(name) {
            Some(domain) => domain.nodes.clone(),
            None => self.find(name),
        }
    }

    /// The same of what can break: people near a place do not go down with it.
    pub fn breakable(&self, name: &str) -> Vec<NodeId> {
        let mut nodes = self.all(name);
        if self.domains.find(name).is_some() {
            nodes.retain(|id| !matches!(self.node(*id).node, Node::Clients(_)));
        }
        nodes
    }

    /// The nodes of a name or domain; an unknown name is a mistake at `path`.
    pub fn known_or_domain(
        &self,
        name: &str,
        path: &str,
        problems: &mut Diagnostics,
    ) -> Vec<NodeId> {
        match self.domains.find(name) {
            Some(domain) => domain.nodes.clone(),
            None => self.known(name, path, problems),
        }
    }

    /// The nodes of a name; an unknown name is a mistake at `path`.
    pub fn known(&self, name: &str, path: &str, problems: &mut Diagnostics) -> Vec<NodeId> {
        let found = self.find(name);
        if found.is_empty() && problems.problems.len() < super::MOST_PROBLEMS {
            self.add_unknown(name, path, problems);
        }
        found
    }

    fn add_unknown(&self, name: &str, path: &str, problems: &mut Diagnostics) {
        let mut known: Vec<&str> = self.nodes.iter().map(|n| n.name.as_str()).collect();
        for group in self.nodes.iter().map(|n| n.group) {
            if !known.contains(&group) {
                known.push(group);
            }
        }
        let message = if name.is_empty() {
            "no node is named".to_owned()
        } else {
            format!("there is no node `{name}`")
        };
        let remedy = match near(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.len() > 12 => "name one of the nodes".to_owned(),
            None => format!("name one of: {}", known.join(", ")),
        };
        problems.error(path, message, remedy);
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &Member<'a> {
        &self.nodes[id.index()]
    }
}

/// The places that a node stands for, if it is a name server.
pub fn leads_to(cast: &Cast<'_>, node: NodeId) -> Vec<NodeId> {
    match cast.node(node).node {
        Node::Dns(dns) => dns.to.iter().flat_map(|to| cast.find(to)).collect(),
        _ => Vec::new(),
    }
}

/// True if `wanted` means the node `name` of `group`.
pub fn stands_for(wanted: &str, name: &str, group: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => wanted == name || wanted == group,
    }
}

/// The two ends of a link's name, and whether it means both directions.
pub fn ends(link: &str) -> Option<(&str, &str, bool)> {
    let (both, (one, other)) = match link.split_once("~~") {
        Some(ends) => (false, ends),
        None => (true, link.split_once('~')?),
    };
    (!one.is_empty() && !other.is_empty() && !other.contains('~')).then_some((one, other, both))
}

pub fn check_name(kind: &str, name: &str, problems: &mut Diagnostics) {
    let path = || format!("{kind}.{name}");
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 32 || !name.chars().all(letter) {
        let remedy = "use up to 32 small letters, digits and hyphens";
        problems.error(path(), format!("`{name}` cannot be the name of one of the {kind}"), remedy);
    } else if RESERVED.contains(&name) {
        let message = format!("`{name}` means something else in links");
        problems.error(path(), message, "choose another name");
    }
}
