//! What runs on nodes.
//!
//! To add one: a file or folder with settings and a state machine; a variant of [`Role`] and
//! [`Settings`] with its arms here; its wire form in `scenario`.

pub mod backup;
pub mod balancer;
pub mod broker;
pub mod cache;
mod call;
pub mod caller;
pub mod client;
pub mod dns;
pub mod fleet;
mod guard;
pub mod health;
pub mod load;
pub mod meaning;
pub mod note;
pub mod policy;
pub mod route;
pub mod router;
pub mod rpc;
pub mod service;
pub mod station;
pub mod store;
mod timeouts;
#[cfg(test)]
pub(crate) mod worlds;

use crate::base::id::NodeId;
use crate::base::slab::Key;
use crate::sim::process::{Context, Input, Process};
use backup::{Backup, BackupSettings, BackupTimer};
use balancer::{Balancer, BalancerSettings, BalancerTimer};
use broker::{Broker, BrokerSettings, BrokerTimer};
use cache::{Cache, CacheSettings, CacheTimer};
use caller::CallTimer;
use client::{ClientSettings, ClientTimer, Population};
use dns::{Dns, DnsSettings, DnsTimer};
use fleet::{Fleet, FleetMessage, FleetSettings, FleetTimer};
use note::Note;
use router::{Router, RouterSettings, RouterTimer};
use rpc::{Reply, Request};
use serde::{Deserialize, Serialize};
use service::{Service, ServiceSettings};
use store::ledger::{Ledger, LedgerSettings};
use store::primary_replica::{Replica, ReplicaSettings};
use store::quorum::{QuorumSettings, QuorumStore};
use store::raft::node::{RaftStore, RaftStoreSettings};
use store::{Logged, Standing, StoreMessage, StoreTimer};

/// The context in which every protocol of ours runs.
pub type Cx<'a> = Context<'a, Role>;

/// What a node does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Role {
    /// A population of clients.
    Clients(Box<Population>),
    /// A load balancer.
    Balancer(Box<Balancer>),
    /// A name server.
    Dns(Box<Dns>),
    /// A router before shards.
    Router(Box<Router>),
    /// A cache.
    Cache(Box<Cache>),
    /// A broker of messages.
    Broker(Box<Broker>),
    /// A service.
    Service(Box<Service>),
    /// A store of accounts.
    Ledger(Box<Ledger>),
    /// A replica of a store with a primary.
    Replica(Box<Replica>),
    /// A member of a Raft cluster.
    Raft(Box<RaftStore>),
    /// A replica of a store without a leader.
    Quorum(Box<QuorumStore>),
    /// Copies a store and brings it back.
    Backup(Box<Backup>),
    /// Decides how many replicas of a service run.
    Fleet(Box<Fleet>),
}

/// What a node is set to do.
#[allow(
    clippy::large_enum_variant,
    reason = "one for each node, made when a run is set up; only 64-bit targets find it large"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Settings {
    /// See [`Role::Clients`].
    Clients(ClientSettings),
    /// See [`Role::Balancer`].
    Balancer(BalancerSettings),
    /// See [`Role::Dns`].
    Dns(DnsSettings),
    /// See [`Role::Router`].
    Router(RouterSettings),
    /// See [`Role::Cache`].
    Cache(CacheSettings),
    /// See [`Role::Broker`].
    Broker(BrokerSettings),
    /// See [`Role::Service`].
    Service(ServiceSettings),
    /// See [`Role::Ledger`].
    Ledger(LedgerSettings),
    /// See [`Role::Replica`].
    Replica(ReplicaSettings),
    /// See [`Role::Raft`].
    Raft(RaftStoreSettings),
    /// See [`Role::Quorum`].
    Quorum(QuorumSettings),
    /// See [`Role::Backup`].
    Backup(BackupSettings),
    /// See [`Role::Fleet`].
    Fleet(FleetSettings),
}

/// What nodes send each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Asks for something.
    Request(Request),
    /// Answers a request.
    Reply(Reply),
    /// Asks whether the node is alive.
    Probe {
        /// The round of asking.
        number: u32,
    },
    /// It is.
    Alive {
        /// The round of asking.
        number: u32,
    },
    /// Asks where a name leads.
    Resolve {
        /// Which call stack of the asker wants to know.
        stack: u8,
        /// Which of its resolvers.
        resolver: u8,
    },
    /// Says where.
    Resolved {
        /// Copied from the question.
        stack: u8,
        /// Copied from the question.
        resolver: u8,
        /// The place to use; none where the name stands for nothing.
        place: Option<NodeId>,
    },
    /// A replica passes on what only the leader can do; the leader answers the client.
    Forward {
        /// Who asked.
        client: NodeId,
        /// What for.
        request: Request,
    },
    /// What replicas of a store say to each other.
    Store(Box<StoreMessage>),
    /// What a fleet, its replicas and their balancers say to each other.
    Fleet(Box<FleetMessage>),
}

/// What nodes are reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timer {
    /// A call.
    Call {
        /// Which call stack of the node.
        stack: u8,
        /// What about.
        what: CallTimer,
    },
    /// A piece of work is done.
    Work {
        /// Which.
        job: Key,
    },
    /// Something of a population's.
    Client(ClientTimer),
    /// Something of a balancer's.
    Balancer(BalancerTimer),
    /// Something of a replica's.
    Store(StoreTimer),
    /// Something of a router's.
    Router(RouterTimer),
    /// Something of a name server's.
    Dns(DnsTimer),
    /// Something of a cache's.
    Cache(CacheTimer),
    /// Something of a backup's.
    Backup(BackupTimer),
    /// Something of a broker's.
    Broker(BrokerTimer),
    /// Something of a fleet's or of one of its replicas.
    Fleet(FleetTimer),
}

impl Settings {
    /// What every item of a store holds in the beginning; none for what is no store.
    pub fn balance(&self) -> Option<i64> {
        match self {
            Settings::Ledger(s) => Some(s.balance),
            Settings::Replica(s) => Some(s.balance),
            Settings::Raft(s) => Some(s.balance),
            Settings::Quorum(s) => Some(s.balance),
            Settings::Clients(_)
            | Settings::Balancer(_)
            | Settings::Dns(_)
            | Settings::Router(_)
            | Settings::Cache(_)
            | Settings::Broker(_)
            | Settings::Service(_)
            | Settings::Backup(_)
            | Settings::Fleet(_) => None,
        }
    }
}

impl Role {
    /// A node that has not begun.
    pub fn new(settings: &Settings, seed: u64, node: NodeId) -> Role {
        match settings.clone() {
            Settings::Clients(s) => Role::Clients(Box::new(Population::new(s, seed, node))),
            Settings::Balancer(s) => Role::Balancer(Box::new(Balancer::new(s, seed, node))),
            Settings::Dns(s) => Role::Dns(Box::new(Dns::new(s))),
            Settings::Router(s) => Role::Router(Box::new(Router::new(s, seed, node))),
            Settings::Cache(s) => Role::Cache(Box::new(Cache::new(s, seed, node))),
            Settings::Broker(s) => Role::Broker(Box::new(Broker::new(s, seed, node))),
            Settings::Service(s) => Role::Service(Box::new(Service::new(s, seed, node))),
            Settings::Ledger(s) => Role::Ledger(Box::new(Ledger::new(s, seed, node))),
            Settings::Replica(s) => Role::Replica(Box::new(Replica::new(s, seed, node))),
            Settings::Raft(s) => Role::Raft(Box::new(RaftStore::new(s, seed, node))),
            Settings::Quorum(s) => Role::Quorum(Box::new(QuorumStore::new(s, seed, node))),
            Settings::Backup(s) => Role::Backup(Box::new(Backup::new(s, node))),
            Settings::Fleet(s) => Role::Fleet(Box::new(Fleet::new(s))),
        }
    }

    /// Changes the settings of a running node; settings of another kind are not taken.
    pub fn configure(&mut self, settings: &Settings, cx: &mut Cx<'_>) {
        match (self, settings.clone()) {
            (Role::Clients(role), Settings::Clients(s)) => role.configure(s, cx),
            (Role::Balancer(role), Settings::Balancer(s)) => role.configure(s, cx),
            (Role::Dns(role), Settings::Dns(s)) => role.configure(s, cx),
            (Role::Router(role), Settings::Router(s)) => role.configure(s, cx),
            (Role::Cache(role), Settings::Cache(s)) => role.configure(s, cx),
            (Role::Broker(role), Settings::Broker(s)) => role.configure(s, cx),
            (Role::Service(role), Settings::Service(s)) => role.configure(s, cx),
            (Role::Ledger(role), Settings::Ledger(s)) => role.configure(s, cx),
            (Role::Replica(role), Settings::Replica(s)) => role.configure(s, cx),
            (Role::Raft(role), Settings::Raft(s)) => role.configure(s, cx),
            (Role::Quorum(role), Settings::Quorum(s)) => role.configure(s, cx),
            (Role::Backup(role), Settings::Backup(s)) => role.configure(s, cx),
            (Role::Fleet(role), Settings::Fleet(s)) => role.configure(s, cx),
            (
                _,
                Settings::Clients(_)
                | Settings::Balancer(_)
                | Settings::Dns(_)
                | Settings::Router(_)
                | Settings::Cache(_)
                | Settings::Broker(_)
                | Settings::Service(_)
                | Settings::Ledger(_)
                | Settings::Replica(_)
                | Settings::Raft(_)
                | Settings::Quorum(_)
                | Settings::Backup(_)
                | Settings::Fleet(_),
            ) => {}
        }
    }

    /// True if the sender of this request still waits for its answer, or the answer would be taken.
    pub fn awaits(&self, ticket: rpc::Ticket) -> bool {
        match self {
            Role::Clients(role) => role.caller.awaits(ticket),
            Role::Service(role) => {
                role.callers.get(usize::from(ticket.stack)).is_some_and(|c| c.awaits(ticket))
            }
            Role::Router(role) => {
                role.callers.get(usize::from(ticket.stack)).is_some_and(|c| c.awaits(ticket))
            }
            Role::Cache(role) => role.caller.awaits(ticket),
            Role::Broker(role) => role.awaits(ticket),
            Role::Ledger(role) => role.outbox.as_ref().is_some_and(|o| o.caller.awaits(ticket)),
            Role::Balancer(_) => true,
            Role::Dns(_)
            | Role::Replica(_)
            | Role::Raft(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => false,
        }
    }

    /// The entry of a replica's log at a position, if it still holds it.
    pub fn entry(&self, position: u64) -> Option<Logged> {
        match self {
            Role::Replica(role) => {
                let entry = role.log.get(position)?;
                Some(Logged { term: entry.term, at: entry.at, command: entry.command })
            }
            Role::Raft(role) => role.entry(position),
            Role::Clients(_)
            | Role::Balancer(_)
            | Role::Dns(_)
            | Role::Router(_)
            | Role::Cache(_)
            | Role::Broker(_)
            | Role::Service(_)
            | Role::Ledger(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => None,
        }
    }

    /// The members of the cluster, as this one knows them; none where membership is not for a log
    /// to say.
    pub fn members(&self) -> Option<&[NodeId]> {
        match self {
            Role::Raft(role) => Some(role.raft.members()),
            _ => None,
        }
    }

    /// The last position of a replica's log that it does not hold any more, zero when it holds all.
    pub fn dropped(&self) -> u64 {
        match self {
            Role::Replica(role) => role.log.dropped(),
            Role::Raft(role) => role.dropped(),
            Role::Clients(_)
            | Role::Balancer(_)
            | Role::Dns(_)
            | Role::Router(_)
            | Role::Cache(_)
            | Role::Broker(_)
            | Role::Service(_)
            | Role::Ledger(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => 0,
        }
    }

    /// Whether a replica's log has the change for an intent at a position; none where that cannot
    /// be said, because that part of the log is dropped or there is none.
    pub fn has(&self, position: u64, intent: u64) -> Option<bool> {
        self.standing().filter(|_| position > self.dropped())?;
        let command = self.entry(position).and_then(|entry| entry.command);
        Some(command.is_some_and(|command| command.intent == intent))
    }

    /// How a replica stands; none for a node that is no replica.
    pub fn standing(&self) -> Option<Standing> {
        match self {
            Role::Replica(role) => Some(role.standing()),
            Role::Raft(role) => Some(role.standing()),
            Role::Clients(_)
            | Role::Balancer(_)
            | Role::Dns(_)
            | Role::Router(_)
            | Role::Cache(_)
            | Role::Broker(_)
            | Role::Service(_)
            | Role::Ledger(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => None,
        }
    }

    /// The state that a replica has come to, where it comes from a log.
    pub fn machine(&self) -> Option<&store::machine::Machine> {
        match self {
            Role::Replica(role) => Some(&role.machine),
            Role::Raft(role) => Some(&role.machine),
            _ => None,
        }
    }

    /// What a store holds back; none for a node that is no store, and for a store without a leader,
    /// where nobody could hold a lock.
    pub fn holds(&self) -> Option<&store::holds::Holds> {
        match self {
            Role::Ledger(role) => Some(&role.holds),
            Role::Replica(role) => Some(&role.machine.holds),
            Role::Raft(role) => Some(&role.machine.holds),
            Role::Clients(_)
            | Role::Balancer(_)
            | Role::Dns(_)
            | Role::Router(_)
            | Role::Cache(_)
            | Role::Broker(_)
            | Role::Service(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => None,
        }
    }

    /// Items that a store has changed, and what each has gained since the beginning. No replica can
    /// speak for a store without a leader.
    pub fn gains(&self) -> Vec<(u32, i64)> {
        let of = |machine: &store::machine::Machine, balance: i64| {
            machine.items().map(|(item, state)| (item, state.value - balance)).collect()
        };
        match self {
            Role::Ledger(role) => role.items.iter().map(|(i, s)| (*i, -s.charged)).collect(),
            Role::Replica(role) => of(&role.machine, role.settings.balance),
            Role::Raft(role) => of(&role.machine, role.settings.balance),
            Role::Clients(_)
            | Role::Balancer(_)
            | Role::Dns(_)
            | Role::Router(_)
            | Role::Cache(_)
            | Role::Broker(_)
            | Role::Service(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => Vec::new(),
        }
    }

    /// The breakers this node holds, by call stack.
    pub fn callers(&self) -> &[caller::Caller] {
        match self {
            Role::Clients(role) => std::slice::from_ref(&role.caller),
            Role::Router(role) => &role.callers,
            Role::Cache(role) => std::slice::from_ref(&role.caller),
            Role::Service(role) => &role.callers,
            Role::Ledger(role) => {
                role.outbox.as_ref().map_or(&[], |outbox| std::slice::from_ref(&outbox.caller))
            }
            Role::Balancer(_)
            | Role::Dns(_)
            | Role::Broker(_)
            | Role::Replica(_)
            | Role::Raft(_)
            | Role::Quorum(_)
            | Role::Backup(_)
            | Role::Fleet(_) => &[],
        }
    }
}

/// Classes of notes that faults can wait for.
pub mod mark {
    /// A store changed data.
    pub const APPLIED: u16 = 0;
    /// A client's intent ended well.
    pub const SUCCEEDED: u16 = 1;
    /// A client's intent did not end well.
    pub const FAILED: u16 = 2;
    /// A breaker opened.
    pub const OPENED: u16 = 3;
}

impl Process for Role {
    type Message = Message;
    type Timer = Timer;
    type Note = Note;

    fn handle(&mut self, input: Input<Role>, cx: &mut Cx<'_>) {
        match self {
            Role::Clients(role) => role.handle(input, cx),
            Role::Balancer(role) => role.handle(input, cx),
            Role::Dns(role) => role.handle(input, cx),
            Role::Router(role) => role.handle(input, cx),
            Role::Cache(role) => role.handle(input, cx),
            Role::Broker(role) => role.handle(input, cx),
            Role::Service(role) => role.handle(input, cx),
            Role::Ledger(role) => role.handle(input, cx),
            Role::Replica(role) => role.handle(input, cx),
            Role::Raft(role) => role.handle(input, cx),
            Role::Quorum(role) => role.handle(input, cx),
            Role::Backup(role) => role.handle(input, cx),
            Role::Fleet(role) => role.handle(input, cx),
        }
    }

    fn crash(&mut self, durable: u64) {
        match self {
            Role::Clients(role) => role.crash(),
            Role::Balancer(role) => role.crash(),
            Role::Dns(role) => role.crash(),
            Role::Router(role) => role.crash(durable),
            Role::Cache(role) => role.crash(),
            Role::Broker(role) => role.crash(durable),
            Role::Service(role) => role.crash(),
            Role::Ledger(role) => role.crash(durable),
            Role::Replica(role) => role.crash(durable),
            Role::Raft(role) => role.crash(durable),
            Role::Quorum(role) => role.crash(durable),
            Role::Backup(role) => role.crash(),
            Role::Fleet(role) => role.crash(),
        }
    }

    fn mark(note: &Note) -> Option<u16> {
        match note {
            Note::Applied { .. } => Some(mark::APPLIED),
            Note::Ended { ending, .. } if ending.is_good() => Some(mark::SUCCEEDED),
            Note::Ended { .. } => Some(mark::FAILED),
            Note::Breaker { to: note::Phase::Open, .. } => Some(mark::OPENED),
            _ => None,
        }
    }

    fn fingerprint(message: &Message) -> u64 {
        match message {
            Message::Request(r) => r.intent ^ (u64::from(r.ticket.attempt) << 56),
            Message::Reply(r) => r.intent ^ (u64::from(r.ticket.attempt) << 48) ^ answer_tag(r),
            Message::Probe { number } => u64::from(*number) | (1 << 62),
            Message::Alive { number } => u64::from(*number) | (1 << 63),
            Message::Resolve { resolver, .. } => u64::from(*resolver) | (1 << 60),
            Message::Resolved { resolver, place, .. } => {
                let place = place.map_or(0, |place| u64::from(place.0) + 1);
                u64::from(*resolver) ^ (place << 8) ^ (3 << 59)
            }
            Message::Forward { client, request } => {
                request.intent ^ (u64::from(client.0) << 32) ^ (1 << 61)
            }
            Message::Store(message) => message.fingerprint(),
            Message::Fleet(message) => message.fingerprint(),
        }
    }
}

fn answer_tag(reply: &Reply) -> u64 {
    use rpc::Answer::{Conflict, Degraded, Done, Error, KeyReused, Refused, Stale, Unsure};
    match reply.answer {
        Done { version, .. } => version << 8,
        Degraded => 1,
        Refused(why) => 2 | ((why as u64) << 4),
        Error => 3,
        Conflict => 4,
        KeyReused => 5,
        Unsure => 6,
        Stale { version, .. } => 7 | (version << 8),
    }
}
