//! Nodes, as people write them.

use super::backup::Backup;
use super::breaker::Breaker;
use super::broker::Broker;
use super::cache::Cache;
use super::calling::{Caller, Pick, Reads};
use super::dist::Dist;
use super::fleet::Fleet;
use super::policy::{Budget, Health, Hedge, Limit, Limiter, Outlier, Retry, Shed, Wraps};
use super::router::Router;
use super::station::{Order, Station};
use super::store::{Ledger, PrimaryReplica, Quorum, Raft};
use super::wire::named::Named;
use crate::base::time::Span;
use crate::base::unit::{Chance, Rate};

wire! {
    /// What runs on a node.
    pub enum Node {
        /// People or programs that want something.
        Clients(Clients) = "clients";
        /// Hands each request to one of several servers.
        Balancer(Balancer) = "balancer";
        /// Says which of several places a name leads to, and not to those that do not answer.
        Dns(Dns) = "dns";
        /// Sends each request to the shard that has its key.
        Router(Router) = "router";
        /// Answers reads from what it has heard before.
        Cache(Cache) = "cache";
        /// Keeps messages and hands them to consumers until they have worked on them.
        Broker(Broker) = "broker";
        /// Does work, perhaps with the help of others.
        Service(Service) = "service";
        /// Holds accounts: reads, writes, charges.
        Ledger(Ledger) = "ledger";
        /// Holds accounts and items on a primary and copies of it.
        PrimaryReplica(PrimaryReplica) = "primary_replica";
        /// Holds accounts and items in a log that a majority agrees on: Raft.
        Raft(Raft) = "raft";
        /// Holds accounts and items on several replicas of which none leads.
        Quorum(Quorum) = "quorum";
        /// Copies a store now and then, and brings it back.
        Backup(Backup) = "backup";
        /// Decides how many replicas of a service run.
        Fleet(Fleet) = "fleet";
    }
}

caller! {
    /// People or programs that want something.
    pub struct Clients {
        /// How many there are.
        count: u32 = 100, 1 ..= 2_000_000;
        /// Whom they ask: the name of a node.
        to: String = String::new();
        /// When they want something.
        load: Load = Load::Open(Open::default());
        /// What they want.
        mix: Mix = Mix::default();
        /// What one charge takes from an account.
        amount: u32 = 50, 0 ..= 1_000_000;
        /// How many items or accounts there are.
        items: u32 = 1_000, 1 ..= 100_000_000;
        /// How many different members they put into sets and take out.
        members: u8 = 8, 1 ..= 63;
        /// How unevenly they are wanted: 0 is evenly, 1 is Zipf's law.
        skew: f64 = 0.0, 0 ..= 10;
        /// How often a client wrongly uses the key of its last request for a new one.
        key_reuse: Chance = Chance::NEVER;
        /// How many requests each client makes in all; none goes on to the end.
        requests: Option<u32> = None, 1 ..= 1_000_000_000;
        /// Each client has a budget, breaker, limiter and bulkhead of its own, instead of one for
        /// all.
        own_policies: bool = true;
    }
}

wire! {
    /// When clients want something.
    pub enum Load {
        /// Whether or not earlier requests have been answered.
        Open(Open) = "open";
        /// Some time after the last request has ended.
        Closed(Closed) = "closed";
    }
}

wire! {
    /// Load that does not wait for answers.
    pub struct Open {
        /// How often each client wants something.
        rate: Rate = Rate(1_000_000);
        /// How requests are spaced.
        arrivals: Arrivals = Arrivals::Poisson;
        /// How the rate changes: pairs of an instant and a factor, straight lines in between. Two
        /// pairs at the same instant are a step.
        profile: Vec<(Span, f64)> = Vec::new();
    }
}

wire! {
    /// Load that waits for answers.
    pub struct Closed {
        /// The time between the end of a request and the next one.
        think: Dist = Dist::Exponential(Span::secs(1));
    }
}

wire! {
    /// How requests are spaced.
    pub enum Arrivals {
        /// At random, as the requests of many independent people are.
        Poisson;
        /// Evenly, one client after the other.
        Even;
        /// All clients at the same instant, once a period.
        Together;
    }
}

wire! {
    /// What clients want, by weight; without any weight they read.
    pub struct Mix {
        /// Reads. Doing one twice is harmless.
        read: u32 = 0, 0 ..= 1_000_000;
        /// Writes.
        write: u32 = 0, 0 ..= 1_000_000;
        /// Charges. Doing one twice takes the money twice.
        charge: u32 = 0, 0 ..= 1_000_000;
        /// Updates: read, then write if nobody else did in between.
        update: u32 = 0, 0 ..= 1_000_000;
        /// Increments of a count by one. Doing one twice counts twice.
        increment: u32 = 0, 0 ..= 1_000_000;
        /// Members put into sets. The value of a set has a bit for each member.
        insert: u32 = 0, 0 ..= 1_000_000;
        /// Members taken out of sets.
        remove: u32 = 0, 0 ..= 1_000_000;
        /// Transfers of the amount of a charge to another account.
        transfer: u32 = 0, 0 ..= 1_000_000;
        /// Reads of everything: all shards must answer.
        scan: u32 = 0, 0 ..= 1_000_000;
        /// Deletions of everything that a store holds, as somebody makes by mistake.
        erase: u32 = 0, 0 ..= 1_000_000;
        /// Writes of nonsense, as a faulty program makes.
        corrupt: u32 = 0, 0 ..= 1_000_000;
    }
}

wire! {
    /// A kind of request.
    pub enum Op {
        /// Read an item.
        Read;
        /// Overwrite an item.
        Write;
        /// Take an amount from an account.
        Charge;
        /// Read an item and write it back if nobody else did in between.
        Update;
        /// Add one to a count.
        Increment;
    }
}

wire! {
    /// Hands each request to one of several servers.
    pub struct Balancer {
        /// Where requests can go: the name of a node; all its replicas share the load.
        to: String = String::new();
        /// Where they go while no server of `to` is healthy: the name of another node.
        fallback: Option<String> = None;
        /// How one is chosen.
        policy: Policy = Policy::RoundRobin;
        /// How long it waits for a server before it answers with an error.
        timeout: Span = Span::secs(60);
        /// Whether it asks servers if they are alive.
        health: Option<Health> = None;
        /// Whether it stops using servers that fail requests.
        outlier: Option<Outlier> = None;
    }
}

wire! {
    /// Says which of several places a name leads to. Clients and services that call it by its name
    /// ask it now and then, and go to the place they were told.
    pub struct Dns {
        /// The places, by name, the one to be preferred first.
        to: Vec<String> = Vec::new();
        /// Which of those that answer it tells.
        tells: Tells = Tells::First;
        /// How long others use what they were told: the time to live.
        ttl: Span = Span::secs(60);
        /// Whether it asks the places if they are alive.
        health: Option<Health> = None;
    }
}

wire! {
    /// Which place a name server tells.
    pub enum Tells {
        /// The first in its list.
        First;
        /// The nearest to whoever asks, by the domains they are placed in.
        Nearest;
    }
}

wire! {
    /// How a server is chosen.
    pub enum Policy {
        /// One after the other.
        RoundRobin;
        /// Any.
        Random;
        /// The one with the fewest requests outstanding.
        LeastOutstanding;
        /// The better of two picked at random.
        TwoChoices;
    }
}

station! {
    /// Does work, perhaps with the help of others.
    pub struct Service {
        /// How many copies run: `api` with 3 replicas is api-1, api-2 and api-3.
        replicas: u32 = 1, 1 ..= 500;
        /// What it needs of others, by name, in the order of calling.
        calls: Named<Call> = Named::default();
        /// Call all of them at once.
        parallel: bool = false;
        /// Give the worker back while a request waits for others.
        releases: bool = false;
        /// The share of items that it cannot work on: always the same ones, however often it is
        /// asked.
        fails_on: Chance = Chance::NEVER;
    }
}

caller! {
    /// A call of a service to another one.
    pub struct Call {
        /// What it asks for; none passes on what it was asked itself.
        op: Option<Op> = None;
        /// What a charge takes.
        amount: u32 = 50, 0 ..= 1_000_000;
        /// Needed only for requests of this kind; none is for all.
        only: Option<Op> = None;
        /// Answer without it, degraded, if it fails.
        optional: bool = false;
        /// How many such requests it sends at once, each to the next target: a fan-out.
        fan_out: u32 = 1, 1 ..= 10_000;
        /// How many of them must succeed before it goes on; none needs all. Fewer than it sends
        /// is a quorum: it waits for the fastest and leaves the rest.
        needs: Option<u32> = None, 1 ..= 10_000;
    }
}
