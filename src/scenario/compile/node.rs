//! From nodes as people write them to the settings of processes.

use super::PlannedNode;
use super::names::{self, Cast, Member};
use super::{backups, breaker, broker, cache, fleet, policy, shards};
use crate::base::id::NodeId;
use crate::base::order;
use crate::base::time::Time;
use crate::protocol::Settings;
use crate::protocol::balancer::{self, BalancerSettings};
use crate::protocol::caller::{self, CallSettings};
use crate::protocol::client::{self, ClientSettings};
use crate::protocol::dns::{DnsSettings, ResolverSettings};
use crate::protocol::fleet::duty::DutySettings;
use crate::protocol::load::{self, Profile};
use crate::protocol::policy::timeout::TimeoutSettings;
use crate::protocol::service::{Dependency, ServiceSettings};
use crate::protocol::station::{self, StationSettings};
use crate::protocol::store::image::Upkeep;
use crate::protocol::store::ledger::{self, LedgerSettings};
use crate::protocol::store::primary_replica::{self, FailoverSettings, ReplicaSettings};
use crate::protocol::store::quorum::{self, QuorumSettings};
use crate::protocol::store::raft;
use crate::protocol::store::raft::member::RaftSettings;
use crate::protocol::store::raft::node::RaftStoreSettings;
use crate::protocol::{route, rpc};
use crate::scenario::v1::Scenario;
use crate::scenario::v1::calling::{Caller, Pick, Reads};
use crate::scenario::v1::node::{
    Arrivals, Balancer, Call, Clients, Dns, Load, Mix, Node, Op, Policy, Service, Tells,
};
use crate::scenario::v1::policy::Wraps;
use crate::scenario::v1::station::{Order, Station};
use crate::scenario::v1::store::{
    Collision, Disk, Ledger, Merge, PrimaryReplica, Promote, Quorum, Raft, RaftReads, ReadRepair,
};
use crate::sim::disk::DiskSettings;

/// The settings of one node.
pub fn compile(member: &Member<'_>, scenario: &Scenario, cast: &Cast<'_>) -> PlannedNode {
    let upkeep = backups::upkeep(member.group, scenario);
    let (mut settings, disk) = match member.node {
        Node::Clients(c) => (Settings::Clients(clients(c, cast)), DiskSettings::default()),
        Node::Balancer(b) => {
            let first = fleet::first(b, scenario, cast);
            (Settings::Balancer(balancer(b, first, cast)), DiskSettings::default())
        }
        Node::Dns(d) => (Settings::Dns(dns(d, member, cast)), DiskSettings::default()),
        Node::Router(r) => (Settings::Router(shards::router(r, scenario, cast)), disk(&r.disk)),
        Node::Cache(c) => (Settings::Cache(cache::cache(c, cast)), DiskSettings::default()),
        Node::Service(s) => {
            let duty = fleet::duty(member, scenario, cast);
            (Settings::Service(service(s, duty, cast)), DiskSettings::default())
        }
        Node::Ledger(l) => (Settings::Ledger(ledger(l, upkeep, cast)), disk(&l.disk)),
        Node::PrimaryReplica(r) => {
            (Settings::Replica(replica(r, upkeep, member, cast)), disk(&r.disk))
        }
        Node::Raft(r) => (Settings::Raft(raft(r, upkeep, member, cast)), disk(&r.disk)),
        Node::Backup(b) => (Settings::Backup(backups::backup(b, cast)), DiskSettings::default()),
        Node::Broker(b) => (Settings::Broker(broker::broker(b, cast)), disk(&b.disk)),
        Node::Fleet(f) => {
            (Settings::Fleet(fleet::fleet(f, scenario, cast)), DiskSettings::default())
        }
        Node::Quorum(q) => (Settings::Quorum(quorum(q, member, cast)), disk(&q.disk)),
    };
    told(&mut settings, member.id, cast);
    let places = &scenario.view.places;
    let own = places.get(&member.name).copied();
    let place = own.or_else(|| Some(around(*places.get(member.group)?, member, cast)));
    let (id, name, group) = (member.id, member.name.clone(), member.group.to_owned());
    PlannedNode { id, name, group, settings, disk, place }
}

/// Replicas stand above each other around the place of their group.
fn around((x, y): (f64, f64), member: &Member<'_>, cast: &Cast<'_>) -> (f64, f64) {
    let mates = || cast.nodes.iter().filter(|mate| mate.group == member.group);
    let count = mates().count() as f64;
    let above = mates().take_while(|mate| mate.id != member.id).count() as f64;
    (x, y + (above - (count - 1.0) / 2.0) * (0.9 / count).min(0.22))
}

/// Requests per second that clients want at most.
pub fn offered(clients: &Clients) -> f64 {
    let count = f64::from(clients.count);
    match &clients.load {
        Load::Open(open) => {
            let peak = open.profile.iter().map(|(_, f)| *f).fold(1.0, f64::max);
            count * open.rate.as_f64() * peak
        }
        // Nobody asks again sooner than a tenth of a millisecond after the last answer.
        Load::Closed(closed) => count / (closed.think.compile().mean() / 1e6 + 1e-4),
    }
}

/// True if calls pass a budget, breaker, limiter or bulkhead.
pub fn is_guarded(caller: &Caller<'_>) -> bool {
    caller.budget.is_some()
        || caller.breaker.is_some()
        || caller.limiter.is_some()
        || caller.bulkhead.is_some()
}

fn clients(clients: &Clients, cast: &Cast<'_>) -> ClientSettings {
    let calls = calls(&clients.caller(), &clients.to, cast);
    ClientSettings {
        clients: clients.count,
        load: match &clients.load {
            Load::Open(open) => client::Load::Open {
                rate: open.rate,
                arrivals: match open.arrivals {
                    Arrivals::Poisson => load::Arrivals::Poisson,
                    Arrivals::Even => load::Arrivals::Even,
                    Arrivals::Together => load::Arrivals::Together,
                },
                profile: Profile {
                    points: open.profile.iter().map(|&(at, f)| (Time(at.0), f)).collect(),
                },
            },
            Load::Closed(closed) => client::Load::Closed { think: closed.think.compile() },
        },
        mix: mix(&clients.mix, clients.amount),
        items: clients.items,
        members: clients.members,
        sessions: cache::sessions(clients, &calls, cast),
        skew: clients.skew,
        key_reuse: clients.key_reuse,
        intents: clients.requests,
        own_policies: clients.own_policies,
        calls,
    }
}

fn mix(mix: &Mix, amount: u32) -> Vec<(u32, rpc::Op)> {
    let all = [
        (mix.read, rpc::Op::Read),
        (mix.write, rpc::Op::Write),
        (mix.charge, rpc::Op::Charge { amount }),
        (mix.update, rpc::Op::Update),
        (mix.increment, rpc::Op::Increment { by: 1 }),
        (mix.insert, rpc::Op::Insert { member: 0 }),
        (mix.remove, rpc::Op::Remove { member: 0 }),
        (mix.transfer, rpc::Op::Transfer { to: 0, amount }),
        (mix.scan, rpc::Op::Scan),
        (mix.erase, rpc::Op::Erase),
        (mix.corrupt, rpc::Op::Corrupt),
    ];
    all.into_iter().filter(|(weight, _)| *weight > 0).collect()
}

pub fn calls(caller: &Caller<'_>, to: &str, cast: &Cast<'_>) -> CallSettings {
    let (targets, resolver) = resolved(to, cast);
    CallSettings {
        targets,
        resolver,
        pick: match caller.pick {
            Pick::RoundRobin => route::Pick::RoundRobin,
            Pick::Random => route::Pick::Random,
        },
        timeout: TimeoutSettings { attempt: caller.timeout, deadline: caller.deadline },
        reads: reads(caller.reads, to, cast),
        tell_deadline: caller.tell_deadline,
        retry: policy::retry(caller.retry),
        budget: caller.budget.map(policy::budget),
        breaker: caller.breaker.map(breaker::compile),
        breaker_wraps: match caller.breaker_wraps {
            Wraps::Attempts => caller::Wraps::Attempts,
            Wraps::Calls => caller::Wraps::Calls,
        },
        limiter: caller.limiter.map(policy::limiter),
        bulkhead: caller.bulkhead,
        hedge: caller.hedge.map(policy::hedge),
        idempotency: caller.idempotency,
    }
}

/// Where reads may come from; nothing to choose where the targets are not replicas of a store.
fn reads(reads: Reads, to: &str, cast: &Cast<'_>) -> Option<route::Reads> {
    let replica =
        |id: &NodeId| matches!(cast.node(*id).node, Node::PrimaryReplica(_) | Node::Raft(_));
    cast.find(to).iter().any(replica).then_some(match reads {
        Reads::Leader => route::Reads::Leader,
        Reads::Any => route::Reads::Any,
        Reads::Replica => route::Reads::Replica,
        Reads::Nearest => route::Reads::Nearest,
        Reads::Session => route::Reads::Session,
    })
}

/// The nodes that a name stands for, and who says which of them to use, if somebody does.
fn resolved(to: &str, cast: &Cast<'_>) -> (Vec<NodeId>, Option<ResolverSettings>) {
    let found = cast.find(to);
    let server = found.iter().find_map(|id| match cast.node(*id).node {
        Node::Dns(dns) => Some((*id, dns)),
        _ => None,
    });
    let Some((id, dns)) = server else { return (found, None) };
    let places = names::leads_to(cast, id);
    let first = places.first().copied().unwrap_or(id);
    (places, Some(ResolverSettings { dns: id, ttl: dns.ttl, first }))
}

/// What a node has been told before the run begins: of several places, its nearest.
fn told(settings: &mut Settings, node: NodeId, cast: &Cast<'_>) {
    let calls: Vec<&mut CallSettings> = match settings {
        Settings::Clients(clients) => vec![&mut clients.calls],
        Settings::Service(service) => {
            service.dependencies.iter_mut().map(|dependency| &mut dependency.calls).collect()
        }
        _ => Vec::new(),
    };
    for calls in calls {
        let Some(resolver) = &mut calls.resolver else { continue };
        if matches!(cast.node(resolver.dns).node, Node::Dns(d) if d.tells == Tells::Nearest) {
            let nearest = calls.targets.iter().min_by_key(|p| cast.domains.distance(node, **p));
            resolver.first = nearest.copied().unwrap_or(resolver.first);
        }
    }
}

fn dns(dns: &Dns, member: &Member<'_>, cast: &Cast<'_>) -> DnsSettings {
    let places = names::leads_to(cast, member.id);
    let order = match dns.tells {
        Tells::First => Vec::new(),
        Tells::Nearest => {
            let placed = cast.nodes.iter().filter(|n| cast.domains.around(n.id).next().is_some());
            let order = |asker: &Member<'_>| {
                let mut order: Vec<u32> = (0..places.len() as u32).collect();
                order::by_key(&mut order, |n| cast.domains.distance(asker.id, places[*n as usize]));
                (asker.id, order)
            };
            placed.map(order).collect()
        }
    };
    DnsSettings { places, order, health: dns.health.as_ref().map(policy::health) }
}

fn replica(
    store: &PrimaryReplica,
    upkeep: Upkeep,
    member: &Member<'_>,
    cast: &Cast<'_>,
) -> ReplicaSettings {
    let members = cast.find(member.group);
    let primary = members.get(store.primary.saturating_sub(1) as usize);
    ReplicaSettings {
        station: station(&store.station()),
        primary: primary.copied().unwrap_or(member.id),
        members,
        acks: store.acks,
        apply: store.apply.compile(),
        heartbeat: store.heartbeat,
        failover: store.failover.as_ref().map(|failover| FailoverSettings {
            after: failover.after,
            promote: match failover.promote {
                Promote::MostAdvanced => primary_replica::Promote::MostAdvanced,
                Promote::First => primary_replica::Promote::First,
            },
        }),
        fencing: store.fencing,
        sync: store.sync,
        keys: store.keys.as_ref().map(policy::keys),
        balance: store.balance,
        upkeep,
    }
}

fn raft(store: &Raft, upkeep: Upkeep, member: &Member<'_>, cast: &Cast<'_>) -> RaftStoreSettings {
    let replicas = cast.find(member.group);
    let leader = store.leader.and_then(|number| replicas.get(number.checked_sub(1)? as usize));
    let members = store.members.unwrap_or(store.replicas) as usize;
    RaftStoreSettings {
        station: station(&store.station()),
        leader: leader.copied(),
        members: replicas.into_iter().take(members).collect(),
        raft: RaftSettings {
            election_low: store.election_min,
            election_high: store.election_max,
            heartbeat: store.heartbeat,
            pre_vote: store.pre_vote,
            check_quorum: store.check_quorum,
            reads: match store.reads {
                RaftReads::Index => raft::member::Reads::Index,
                RaftReads::Lease => raft::member::Reads::Lease,
                RaftReads::Local => raft::member::Reads::Local,
            },
            ..RaftSettings::default()
        },
        snapshot_every: u64::from(store.snapshot_every),
        keys: store.keys.as_ref().map(policy::keys),
        balance: store.balance,
        floor: store.floor,
        upkeep,
    }
}

fn quorum(store: &Quorum, member: &Member<'_>, cast: &Cast<'_>) -> QuorumSettings {
    QuorumSettings {
        station: station(&store.station()),
        members: cast.find(member.group),
        copies: store.copies,
        read: store.read,
        write: store.write,
        sloppy: store.sloppy,
        read_repair: match store.read_repair {
            ReadRepair::Never => quorum::ReadRepair::Never,
            ReadRepair::Later => quorum::ReadRepair::Later,
            ReadRepair::First => quorum::ReadRepair::First,
        },
        anti_entropy: store.anti_entropy,
        merge: match store.merge {
            Merge::LastWriterWins => quorum::Merge::LastWriterWins,
            Merge::Siblings => quorum::Merge::Siblings,
            Merge::Counter => quorum::Merge::Counter,
            Merge::Set => quorum::Merge::Set,
        },
        timeout: store.timeout,
        apply: store.apply.compile(),
        sync: store.sync,
        balance: store.balance,
        floor: store.floor,
    }
}

fn disk(disk: &Disk) -> DiskSettings {
    DiskSettings { latency: disk.latency.compile(), flush: disk.flush }
}

fn balancer(balancer: &Balancer, first: Option<u32>, cast: &Cast<'_>) -> BalancerSettings {
    let own = cast.find(&balancer.to);
    let others = balancer.fallback.iter().flat_map(|to| cast.find(to));
    BalancerSettings {
        spares: others.clone().count() as u32,
        backends: own.into_iter().chain(others).collect(),
        policy: match balancer.policy {
            Policy::RoundRobin => balancer::Policy::RoundRobin,
            Policy::Random => balancer::Policy::Random,
            Policy::LeastOutstanding => balancer::Policy::LeastOutstanding,
            Policy::TwoChoices => balancer::Policy::TwoChoices,
        },
        timeout: balancer.timeout,
        health: balancer.health.as_ref().map(policy::health),
        outlier: balancer.outlier.as_ref().map(policy::outlier),
        first,
    }
}

pub fn station(station: &Station<'_>) -> StationSettings {
    StationSettings {
        workers: station.workers,
        queue: station.queue.unwrap_or(u32::MAX),
        order: match station.order {
            Order::Fifo => station::Order::Fifo,
            Order::Lifo => station::Order::Lifo,
        },
        time: station.time.compile(),
        contention: station.contention,
        error: station.error,
        shed: station.shed.map(policy::shed),
        limit: station.limit.map(policy::limit),
    }
}

fn service(service: &Service, duty: Option<DutySettings>, cast: &Cast<'_>) -> ServiceSettings {
    let dependency = |(to, call): (&str, &Call)| Dependency {
        calls: calls(&call.caller(), to, cast),
        op: call.op.map(|op| match op {
            Op::Read => rpc::Op::Read,
            Op::Write => rpc::Op::Write,
            Op::Charge => rpc::Op::Charge { amount: call.amount },
            Op::Update => rpc::Op::Update,
            Op::Increment => rpc::Op::Increment { by: 1 },
        }),
        only: call.only.map(|op| match op {
            Op::Read => rpc::Kind::Read,
            Op::Write => rpc::Kind::Write,
            Op::Charge => rpc::Kind::Charge,
            Op::Update => rpc::Kind::Update,
            Op::Increment => rpc::Kind::Increment,
        }),
        optional: call.optional,
        fan_out: call.fan_out,
        needs: call.needs.unwrap_or(call.fan_out),
    };
    ServiceSettings {
        station: station(&service.station()),
        dependencies: service.calls.iter().map(dependency).collect(),
        parallel: service.parallel,
        releases: service.releases,
        fails_on: service.fails_on,
        duty,
    }
}

fn ledger(ledger: &Ledger, upkeep: Upkeep, cast: &Cast<'_>) -> LedgerSettings {
    LedgerSettings {
        station: station(&ledger.station()),
        sync: ledger.sync,
        keys: ledger.keys.as_ref().map(policy::keys),
        keys_durable: ledger.keys_durable,
        collision: match ledger.collision {
            Collision::Reject => ledger::Collision::Reject,
            Collision::Wait => ledger::Collision::Wait,
        },
        balance: ledger.balance,
        upkeep,
        outbox: ledger.outbox.as_ref().map(|outbox| broker::outbox(outbox, cast)),
    }
}
