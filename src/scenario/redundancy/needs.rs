//! What a request needs to succeed, by what each process is: who of its targets must answer, and
//! how many replicas of a store.

use super::proof::need as need_of;
use super::{Element, Kind};
use crate::base::id::NodeId;
use crate::base::order;
use crate::protocol::Settings;
use crate::protocol::cache::Writes;
use crate::protocol::caller::CallSettings;
use crate::protocol::route::Reads;
use crate::protocol::rpc::Kind as OpKind;
use crate::protocol::service::{Dependency, ServiceSettings};
use crate::protocol::store::primary_replica::ReplicaSettings;
use crate::protocol::store::quorum::QuorumSettings;
use crate::protocol::store::raft::member::Reads as RaftReads;
use crate::protocol::store::raft::node::RaftStoreSettings;
use crate::scenario::compile::Plan;
use serde::Serialize;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Need {
    /// To read.
    Read,
    /// To change something.
    Change,
}

impl Need {
    /// What those who want it do.
    pub fn verb(self) -> &'static str {
        match self {
            Need::Read => "read",
            Need::Change => "change data",
        }
    }
}

/// What is lost.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    /// Nodes, in order.
    pub nodes: Vec<NodeId>,
    /// Links, by their ends.
    pub links: Vec<(NodeId, NodeId)>,
}

impl Lost {
    /// All of these.
    pub fn of(plan: &Plan, elements: &[&Element]) -> Lost {
        let mut lost = Lost::default();
        for element in elements {
            match (element.kind, element.nodes.as_slice()) {
                (Kind::Link, [one, other]) => lost.links.push((*one, *other)),
                (_, nodes) => lost.nodes.extend(nodes),
            }
        }
        debug_assert!(lost.nodes.iter().all(|n| n.index() < plan.nodes.len()), "they exist");
        order::up(&mut lost.nodes);
        lost
    }

    fn has(&self, node: NodeId) -> bool {
        self.nodes.binary_search(&node).is_ok()
    }

    /// True if a message can go from one to the other and back.
    fn reaches(&self, one: NodeId, other: NodeId) -> bool {
        one == other
            || !self.links.iter().any(|&(a, b)| (a, b) == (one, other) || (b, a) == (one, other))
    }
}

/// Whether what `node` wants can succeed, or why not.
pub fn works(plan: &Plan, node: NodeId, need: Need, lost: &Lost) -> Result<(), String> {
    Needs { plan, lost }.node(node, need)
}

struct Needs<'a> {
    plan: &'a Plan,
    lost: &'a Lost,
}

type Outcome = Result<(), String>;

impl Needs<'_> {
    fn name(&self, node: NodeId) -> &str {
        self.plan.name(node)
    }

    fn up(&self, node: NodeId) -> bool {
        !self.lost.has(node)
    }

    /// What a node that is reached can do.
    fn node(&self, node: NodeId, need: Need) -> Outcome {
        if !self.up(node) {
            return Err(format!("{} is lost", self.name(node)));
        }
        match &self.plan.nodes[node.index()].settings {
            Settings::Clients(clients) => self.call(node, &clients.calls, need),
            Settings::Balancer(balancer) => self.any(node, &balancer.in_use(), need),
            Settings::Service(service) => self.service(node, service, need),
            Settings::Router(router) => {
                let active = router.shards.iter().take(router.active as usize);
                let mut shards = active.map(|calls| self.call(node, calls, need));
                // Some keys still work; whoever wants all of them does not get them.
                shards
                    .find_map(Result::err)
                    .map_or(Ok(()), |why| Err(format!("a part of the keys is gone: {why}")))
            }
            // What it holds is of use until it is too old; what it is to write later is written
            // down here.
            Settings::Cache(cache) => match need {
                Need::Read if cache.ttl.is_none() => Ok(()),
                Need::Change if cache.writes == Writes::Behind => Ok(()),
                _ => self.call(node, &cache.calls, need),
            },
            _ => Ok(()),
        }
    }

    fn service(&self, node: NodeId, service: &ServiceSettings, need: Need) -> Outcome {
        let needed = |d: &&Dependency| {
            let kind = d.only.is_none_or(|kind| (kind == OpKind::Read) == (need == Need::Read));
            kind && !d.optional
        };
        service.dependencies.iter().filter(needed).try_for_each(|dependency| {
            let need = match dependency.op {
                Some(op) => need_of(op),
                None => need,
            };
            self.call(node, &dependency.calls, need)
        })
    }

    /// A call to one of several targets, or to a store.
    fn call(&self, from: NodeId, calls: &CallSettings, need: Need) -> Outcome {
        if let Some(resolver) = &calls.resolver {
            return self.named(from, calls, resolver.dns, resolver.first, need);
        }
        let target = calls.targets.first().map(|t| &self.plan.nodes[t.index()].settings);
        match target {
            Some(Settings::Replica(store)) => self.replicas(from, calls, store, need),
            Some(Settings::Raft(store)) => self.raft(from, calls, store, need),
            Some(Settings::Quorum(store)) => self.quorum(from, calls, store, need),
            _ => self.any(from, &calls.targets, need),
        }
    }

    /// One of several that do the same.
    fn any(&self, from: NodeId, targets: &[NodeId], need: Need) -> Outcome {
        let mut first = None;
        for &target in targets {
            let outcome = self.reach(from, target).and_then(|()| self.node(target, need));
            match outcome {
                Ok(()) => return Ok(()),
                Err(why) => first = first.or(Some(why)),
            }
        }
        let why = first.unwrap_or_else(|| "there is nobody to ask".to_owned());
        match targets {
            [_, _, ..] if targets.iter().all(|t| !self.up(*t)) => {
                Err(format!("all of {} are lost", self.all(targets)))
            }
            [_, _, ..] => Err(format!("none of {} can do it: {why}", self.all(targets))),
            _ => Err(why),
        }
    }

    fn all(&self, nodes: &[NodeId]) -> String {
        nodes.iter().map(|n| self.name(*n)).collect::<Vec<_>>().join(", ")
    }

    fn reach(&self, from: NodeId, to: NodeId) -> Outcome {
        if !self.up(to) {
            return Err(format!("{} is lost", self.name(to)));
        }
        match self.lost.reaches(from, to) {
            true => Ok(()),
            false => Err(format!("{} cannot reach {}", self.name(from), self.name(to))),
        }
    }

    /// What a name leads to. A name server that is lost tells of no other place than it did, and so
    /// does one that asks nobody; one that asks looks no further than the place itself.
    fn named(
        &self,
        from: NodeId,
        calls: &CallSettings,
        dns: NodeId,
        first: NodeId,
        need: Need,
    ) -> Outcome {
        let Settings::Dns(names) = &self.plan.nodes[dns.index()].settings else {
            return self.any(from, &calls.targets, need);
        };
        let asks = names.health.is_some() && self.reach(from, dns).is_ok();
        let answers = |place: &NodeId| self.up(*place) && self.lost.reaches(dns, *place);
        let own = names.order.iter().find(|(node, _)| *node == from);
        let all: Vec<u32> = (0..names.places.len() as u32).collect();
        let order = own.map_or(&all, |(_, order)| order).iter();
        let mut places = order.map(|place| names.places[*place as usize]);
        let told = if asks { places.find(answers).unwrap_or(first) } else { first };
        self.reach(from, told).and_then(|()| self.node(told, need))
    }

    /// Any replica that is reached, for reads that any may answer.
    fn any_replica(&self, from: NodeId, calls: &CallSettings) -> Outcome {
        let reached = |target: &NodeId| self.reach(from, *target).is_ok();
        match calls.targets.iter().any(reached) {
            true => Ok(()),
            false => Err(format!("no replica of {} is in reach", self.all(&calls.targets))),
        }
    }

    fn replicas(
        &self,
        from: NodeId,
        calls: &CallSettings,
        store: &ReplicaSettings,
        need: Need,
    ) -> Outcome {
        if need == Need::Read && !matches!(calls.reads, None | Some(Reads::Leader)) {
            return self.any_replica(from, calls);
        }
        let with = |leader: NodeId| {
            let mates = store.members.iter().filter(|mate| {
                **mate != leader && self.up(**mate) && self.lost.reaches(leader, **mate)
            });
            mates.count() as u32
        };
        let primary = store.primary;
        let confirms = |leader: NodeId| need == Need::Read || with(leader) >= store.acks;
        if self.up(primary) {
            // Nobody takes over from a primary that the others hear of.
            self.reach(from, primary)?;
            if confirms(primary) {
                return Ok(());
            }
        }
        let gone = match self.up(primary) {
            false => format!("{} is lost", self.name(primary)),
            true => format!(
                "{} needs {} others to confirm and reaches {}",
                self.name(primary),
                store.acks,
                with(primary)
            ),
        };
        if store.failover.is_none() {
            return Err(format!("{gone}, and nobody takes over"));
        }
        let majority = store.members.len() as u32 / 2 + 1;
        let may = |leader: &&NodeId| {
            let agree = !store.fencing || with(**leader) + 1 >= majority;
            let hears = self.up(primary) && self.lost.reaches(primary, **leader);
            !hears && self.reach(from, **leader).is_ok() && agree && confirms(**leader)
        };
        match store.members.iter().find(may) {
            Some(_) => Ok(()),
            None => {
                let left = store.members.iter().filter(|m| self.up(**m)).count();
                Err(format!(
                    "{gone}, and of {} replicas {left} are left: not enough for another to take \
                     over",
                    store.members.len()
                ))
            }
        }
    }

    fn raft(
        &self,
        from: NodeId,
        calls: &CallSettings,
        store: &RaftStoreSettings,
        need: Need,
    ) -> Outcome {
        let any = !matches!(calls.reads, None | Some(Reads::Leader));
        if need == Need::Read && (any || store.raft.reads == RaftReads::Local) {
            return self.any_replica(from, calls);
        }
        let members = &store.members;
        let majority = members.len() / 2 + 1;
        let leads = |leader: &&NodeId| {
            let reached = members.iter().filter(|mate| {
                self.up(**mate) && self.up(**leader) && self.lost.reaches(**leader, **mate)
            });
            reached.count() >= majority
        };
        let leaders: Vec<NodeId> = members.iter().filter(leads).copied().collect();
        if leaders.is_empty() {
            let left = members.iter().filter(|m| self.up(**m)).count();
            return Err(format!(
                "{left} of {} replicas are left, and a majority is {majority}",
                members.len()
            ));
        }
        // A follower passes on what only the leader can do.
        self.any_replica(from, calls)
    }

    fn quorum(
        &self,
        from: NodeId,
        calls: &CallSettings,
        store: &QuorumSettings,
        need: Need,
    ) -> Outcome {
        let needed = match need {
            Need::Read => store.read,
            Need::Change => store.write,
        };
        let of = if store.sloppy { store.members.len() as u32 } else { store.copies };
        let mut most = None;
        for coordinator in calls.targets.iter().filter(|t| self.reach(from, **t).is_ok()) {
            let silent = store
                .members
                .iter()
                .filter(|mate| !self.up(**mate) || !self.lost.reaches(*coordinator, **mate));
            // In the worst case they are all homes of the same item.
            let left = of.saturating_sub(silent.count() as u32);
            most = most.max(Some(left));
        }
        match most {
            Some(left) if left >= needed => Ok(()),
            Some(left) => Err(format!(
                "{needed} copies must answer, and of those of some items {left} are left"
            )),
            None => Err(format!("no replica of {} is in reach", self.all(&calls.targets))),
        }
    }
}
