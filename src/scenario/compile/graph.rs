//! Who calls whom: that it leads somewhere and never in a circle, and the links it needs.

use super::names::{Cast, ends};
use super::{MOST_LINKS, MOST_NAMED, PlannedLink, domains, fleet, names, quorums};
use crate::base::diagnostics::Diagnostics;
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::Span;
use crate::scenario::v1::node::Node;
use crate::scenario::v1::store::RaftReads;
use crate::scenario::v1::{Link, Scenario};
use crate::sim::network::LinkSettings;
use std::collections::BTreeMap;

/// Calls of one service, at most.
const MOST_CALLS: usize = 64;
/// Requests that one request may become by fan-outs, one behind the other.
const MOST_FAN_OUT: u64 = 10_000;

/// The names that a node calls, each with its path in the scenario.
pub fn callees<'a>(name: &str, node: &'a Node) -> Vec<(&'a str, String)> {
    match node {
        Node::Clients(c) => vec![(c.to.as_str(), format!("nodes.{name}.clients.to"))],
        Node::Cache(c) => vec![(c.to.as_str(), format!("nodes.{name}.cache.to"))],
        Node::Balancer(b) => {
            let path = |field: &str| format!("nodes.{name}.balancer.{field}");
            let other = b.fallback.iter().map(|to| (to.as_str(), path("fallback")));
            std::iter::once((b.to.as_str(), path("to"))).chain(other).collect()
        }
        Node::Service(s) => {
            let path = |to: &str| format!("nodes.{name}.service.calls.{to}");
            s.calls.names().map(|to| (to, path(to))).collect()
        }
        Node::Dns(d) => {
            let path = |n: usize| format!("nodes.{name}.dns.to[{n}]");
            d.to.iter().enumerate().map(|(n, to)| (to.as_str(), path(n))).collect()
        }
        Node::Router(r) => {
            let path = |n: usize| format!("nodes.{name}.router.shards.{n}");
            r.shards.iter().enumerate().map(|(n, to)| (to.as_str(), path(n))).collect()
        }
        Node::Backup(b) => {
            let path = |field: &str| format!("nodes.{name}.backup.{field}");
            let plan = b.plan.iter().map(|plan| (plan.into.as_str(), path("plan.into")));
            let restores = b.restores.iter().enumerate();
            let restores = restores
                .map(|(n, restore)| (restore.into.as_str(), path(&format!("restores.{n}.into"))));
            std::iter::once((b.of.as_str(), path("of"))).chain(plan).chain(restores).collect()
        }
        Node::Broker(b) => {
            let path = |to: &str| format!("nodes.{name}.broker.groups.{to}");
            b.groups.names().map(|to| (to, path(to))).collect()
        }
        Node::Ledger(l) => {
            let path = || format!("nodes.{name}.ledger.outbox.to");
            l.outbox.iter().map(|outbox| (outbox.to.as_str(), path())).collect()
        }
        Node::PrimaryReplica(_) | Node::Raft(_) | Node::Quorum(_) => Vec::new(),
        Node::Fleet(f) => vec![(f.of.as_str(), format!("nodes.{name}.fleet.of"))],
    }
}

/// Every call leads to somebody who answers, and never back to the caller.
pub fn check(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        let callees = callees(name, node);
        if callees.len() > MOST_CALLS && matches!(node, Node::Service(_)) {
            let message = format!("`{name}` makes {} calls", callees.len());
            let remedy = format!("{MOST_CALLS} calls is the limit");
            problems.error(format!("nodes.{name}.service.calls"), message, remedy);
        }
        for (to, path) in callees {
            let found = cast.known(to, &path, problems);
            let deaf = |id: &&NodeId| {
                matches!(cast.node(**id).node, Node::Clients(_) | Node::Backup(_) | Node::Fleet(_))
            };
            if let Some(id) = found.iter().find(deaf) {
                let name = &cast.node(*id).name;
                let message = match cast.node(*id).node {
                    Node::Backup(_) => format!("`{name}` is a backup: it answers nobody"),
                    Node::Fleet(_) => format!("`{name}` is a fleet: it answers no requests"),
                    _ => format!("`{name}` are clients: they ask and never answer"),
                };
                problems.error(path, message, "name a service, a balancer or a store");
            }
        }
    }
    name_servers(scenario, cast, problems);
    stores(scenario, problems);
    fallbacks(scenario, problems);
    clusters(scenario, problems);
    quorums::check(scenario, cast, problems);
    circles(scenario, cast, problems);
    fan_outs(scenario, cast, problems);
}

/// A name leads somewhere, and is called by those who can ask where.
fn name_servers(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        if let Node::Dns(dns) = node
            && dns.to.is_empty()
        {
            let path = format!("nodes.{name}.dns.to");
            problems.error(path, "the name leads nowhere", "name the places it stands for");
        }
        let asks = matches!(node, Node::Clients(_) | Node::Service(_));
        for (to, path) in callees(name, node).into_iter().filter(|_| !asks) {
            let named = cast.find(to).into_iter().map(|id| cast.node(id).node);
            if named.into_iter().any(|node| matches!(node, Node::Dns(_))) {
                let message =
                    format!("`{to}` is a name server, which only clients and services ask");
                problems.error(path, message, "name one of the places it stands for");
            }
        }
    }
}

/// A Raft cluster can elect a leader and keep it.
fn clusters(scenario: &Scenario, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        let Node::Raft(raft) = node else { continue };
        let path = |field: &str| format!("nodes.{name}.raft.{field}");
        let replicas = raft.replicas;
        for (field, number) in [("members", raft.members), ("leader", raft.leader)] {
            if number.is_some_and(|number| number > replicas) {
                let message = format!("there are no more than {replicas} replicas");
                problems.error(path(field), message, format!("choose 1 to {replicas}"));
            }
        }
        if let (Some(members), Some(leader)) = (raft.members, raft.leader)
            && members < leader
            && leader <= replicas
        {
            let message = format!("replica {leader} is none of the first {members}, the members");
            problems.error(path("leader"), message, format!("choose 1 to {members}"));
        }
        let members = raft.members.unwrap_or(replicas);
        if members % 2 == 0 {
            let field = if raft.members.is_some() { "members" } else { "replicas" };
            let (majority, lost) = (members / 2 + 1, members.saturating_sub(2) / 2);
            let message = format!(
                "of {members} members, {majority} are a majority: as many may be lost as of {}, \
                 {lost}, and one more can break",
                members.saturating_sub(1)
            );
            problems.error(path(field), message, odd(members));
        }
        if raft.election_min > raft.election_max {
            let message = format!("is less than `election_min`, {}", raft.election_min);
            problems.error(path("election_max"), message, "choose no less");
        }
        if raft.heartbeat < Span::millis(1) {
            problems.error(path("heartbeat"), "is too short", "choose at least 1ms");
        }
        if raft.heartbeat >= raft.election_min {
            let message = "followers stand for election before they can hear of their leader";
            let remedy = format!("choose less than {}", raft.election_min);
            problems.error(path("heartbeat"), message, remedy);
        }
        if raft.reads == RaftReads::Lease && !raft.check_quorum {
            let message = "a lease needs followers that ignore candidates while it lasts";
            problems.error(path("check_quorum"), message, "choose true, or other reads");
        }
    }
}

/// The odd numbers beside an even one.
fn odd(even: u32) -> String {
    match even {
        0 => "choose 1 or 3".to_owned(),
        even => format!("choose {} or {}", even - 1, even + 1),
    }
}

/// A balancer that is to turn to others must see that those before do not answer.
fn fallbacks(scenario: &Scenario, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        let Node::Balancer(balancer) = node else { continue };
        let path = format!("nodes.{name}.balancer.fallback");
        let Some(fallback) = &balancer.fallback else { continue };
        if balancer.health.is_none() && balancer.outlier.is_none() {
            let message = "nothing tells the balancer that those of `to` are not healthy";
            problems.error(&path, message, "add `health` or `outlier`");
        }
        if *fallback == balancer.to {
            problems.error(&path, format!("`{fallback}` is `to` already"), "name another node");
        }
    }
}

/// A store asks for no more replicas than it has.
fn stores(scenario: &Scenario, problems: &mut Diagnostics) {
    for (name, node) in scenario.nodes.iter() {
        let Node::PrimaryReplica(store) = node else { continue };
        let path = |field: &str| format!("nodes.{name}.primary_replica.{field}");
        let (replicas, others) = (store.replicas, store.replicas.saturating_sub(1));
        if store.acks > others {
            let message = format!("{} acks are needed of {others} other replicas", store.acks);
            let remedy = format!("choose 0 to {others}, or more replicas");
            problems.error(path("acks"), message, remedy);
        }
        if store.primary > replicas {
            let message = format!("there is no replica {} among {replicas}", store.primary);
            problems.error(path("primary"), message, format!("choose 1 to {replicas}"));
        }
        if let Some(failover) = &store.failover
            && failover.after <= store.heartbeat
        {
            let message = "a primary is missed before it can be heard again";
            let remedy = format!("choose more than a heartbeat of {}", store.heartbeat);
            problems.error(path("failover.after"), message, remedy);
        }
        if replicas == 2 && store.fencing && store.failover.is_some() {
            let message = "of 2 replicas, the one that is left is no majority: it never takes over";
            let remedy = "choose 3 replicas or more, or set fencing to false";
            problems.error(path("replicas"), message, remedy);
        }
    }
}

/// A quorum is no larger than what it is of, and fan-outs behind fan-outs stay within a limit.
fn fan_outs(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let groups: Vec<&str> = scenario.nodes.names().collect();
    // How many requests one request of a client can have become when it comes to each group.
    let mut most = vec![1u64; groups.len()];
    for _ in 0..groups.len() {
        for (here, (name, node)) in scenario.nodes.iter().enumerate() {
            let Node::Service(service) = node else { continue };
            for (to, call) in service.calls.iter() {
                let path = || format!("nodes.{name}.service.calls.{to}");
                if let Some(needs) = call.needs.filter(|&needs| needs > call.fan_out) {
                    let message = format!("{needs} answers are needed of {}", call.fan_out);
                    let remedy = "send as many requests or need fewer answers";
                    problems.error(format!("{}.needs", path()), message, remedy);
                    return;
                }
                let copies = most[here].saturating_mul(u64::from(call.fan_out));
                if copies > MOST_FAN_OUT {
                    let message = format!("one request becomes {copies} here");
                    let remedy = format!("{MOST_FAN_OUT} in all is the limit");
                    problems.error(format!("{}.fan_out", path()), message, remedy);
                    return;
                }
                for target in cast.find(to) {
                    let group = cast.node(target).group;
                    if let Some(there) = groups.iter().position(|g| *g == group) {
                        most[there] = most[there].max(copies);
                    }
                }
            }
        }
    }
}

/// Finds circles of calls by going as deep as possible from every node.
fn circles(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) {
    let groups: Vec<&str> = scenario.nodes.names().collect();
    let number = |name: &str| groups.iter().position(|g| *g == name);
    let targets = |group: usize| -> Vec<usize> {
        let (name, node) = &scenario.nodes.0[group];
        let mut targets: Vec<usize> = callees(name, node)
            .iter()
            .flat_map(|(to, _)| cast.find(to))
            .filter_map(|id| number(cast.node(id).group))
            .collect();
        targets.dedup();
        targets
    };
    let mut done = vec![false; groups.len()];
    for start in 0..groups.len() {
        // The way from the start to where we are, each with what is still to be looked at.
        let mut way = vec![(start, targets(start))];
        while let Some((here, left)) = way.last_mut() {
            let Some(next) = left.pop() else {
                done[*here] = true;
                way.pop();
                continue;
            };
            if let Some(from) = way.iter().position(|(group, _)| *group == next) {
                let mut names: Vec<&str> = way[from..].iter().map(|(g, _)| groups[*g]).collect();
                names.push(groups[next]);
                let message = format!("calls go in a circle: {}", names.join(" → "));
                let remedy = "leave one of these calls out";
                problems.error(format!("nodes.{}", groups[way[way.len() - 1].0]), message, remedy);
                return;
            }
            if !done[next] {
                way.push((next, targets(next)));
            }
        }
    }
}

/// The links that calls need, both ways, and those that are listed.
pub fn links(scenario: &Scenario, cast: &Cast<'_>, problems: &mut Diagnostics) -> Vec<PlannedLink> {
    let usual = |one: NodeId, other: NodeId| LinkSettings {
        latency: domains::latency(scenario, cast, one, other).compile(),
        loss: scenario.network.loss,
        duplication: scenario.network.duplication,
    };
    // In the order of the nodes, so that ids do not depend on the order of anything else.
    let mut links: BTreeMap<(NodeId, NodeId), LinkSettings> = BTreeMap::new();
    for member in &cast.nodes {
        for (to, _) in callees(member.group, member.node) {
            for target in cast.find(to) {
                links.insert((member.id, target), usual(member.id, target));
                links.insert((target, member.id), usual(target, member.id));
                for place in names::leads_to(cast, target) {
                    links.insert((member.id, place), usual(member.id, place));
                    links.insert((place, member.id), usual(place, member.id));
                }
            }
        }
        if let Node::Fleet(fleet) = member.node {
            for balancer in fleet::balancers(fleet, scenario, cast) {
                links.insert((member.id, balancer), usual(member.id, balancer));
                links.insert((balancer, member.id), usual(balancer, member.id));
            }
        }
        if matches!(member.node, Node::PrimaryReplica(_) | Node::Raft(_) | Node::Quorum(_)) {
            for mate in cast.find(member.group).into_iter().filter(|mate| *mate != member.id) {
                links.insert((member.id, mate), usual(member.id, mate));
            }
        }
        if links.len() > MOST_LINKS {
            break;
        }
    }
    let mut listed: Vec<(&str, &Link)> = scenario.links.iter().collect();
    // The more is said, the later it is applied: both ways before one way, groups before replicas.
    order::by_key(&mut listed, |(name, _)| precision(name, cast));
    let mut named = 0;
    for (name, link) in listed {
        if named > MOST_NAMED {
            let message = format!("the list names more than {MOST_NAMED} links");
            problems.error("links", message, "name fewer groups at once");
            break;
        }
        // Naming two nodes makes a link; naming a domain means those that are there.
        let domain = |name: &str| cast.domains.find(name).is_some();
        let wide = ends(name).is_some_and(|(one, other, _)| domain(one) || domain(other));
        for pair in directions(name, &format!("links.{name}"), cast, problems) {
            named += 1;
            if wide && !links.contains_key(&pair) {
                continue;
            }
            let settings = links.entry(pair).or_insert_with(|| usual(pair.0, pair.1));
            if let Some(latency) = &link.latency {
                settings.latency = latency.compile();
            }
            settings.loss = link.loss.unwrap_or(settings.loss);
            settings.duplication = link.duplication.unwrap_or(settings.duplication);
        }
    }
    if links.len() > MOST_LINKS {
        let message = format!("there are more than {MOST_LINKS} links");
        problems.error(
            "links",
            message,
            format!("{MOST_LINKS} links is the limit; use a balancer"),
        );
    }
    let planned = |((source, target), settings)| PlannedLink { source, target, settings };
    links.into_iter().map(planned).collect()
}

fn precision(name: &str, cast: &Cast<'_>) -> (u32, bool) {
    let Some((one, other, both)) = ends(name) else { return (0, false) };
    let exact = |name: &str| cast.nodes.iter().any(|n| n.name == name);
    (u32::from(exact(one)) + u32::from(exact(other)), !both)
}

/// The pairs of nodes that `a~b` or `a~~b` stands for; anything else is a mistake at `path`.
pub fn directions(
    name: &str,
    path: &str,
    cast: &Cast<'_>,
    problems: &mut Diagnostics,
) -> Vec<(NodeId, NodeId)> {
    let Some((one, other, both)) = ends(name) else {
        let message = format!("`{name}` does not name a link");
        problems.error(path, message, "write a~b for both ways, a~~b for one");
        return Vec::new();
    };
    let ones = cast.known_or_domain(one, path, problems);
    let others = cast.known_or_domain(other, path, problems);
    if ones.len() * others.len() > MOST_LINKS {
        let message = format!("`{name}` names too many links");
        problems.error(path, message, format!("{MOST_LINKS} links is the limit"));
        return Vec::new();
    }
    let mut pairs = Vec::new();
    for &a in &ones {
        for &b in others.iter().filter(|b| **b != a) {
            pairs.push((a, b));
            if both {
                pairs.push((b, a));
            }
        }
    }
    if pairs.is_empty() && !ones.is_empty() && !others.is_empty() {
        problems.error(path, format!("`{name}` leads from a node to itself"), "name two nodes");
    }
    pairs
}
