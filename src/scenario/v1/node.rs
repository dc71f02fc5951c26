//! Nodes, as people write them.

use super::breaker::Breaker;
use super::dist::Dist;
use super::policy::{Budget, Health, Hedge, Keys, Limit, Limiter, Outlier, Retry, Shed, Wraps};
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
        /// Sends each request to the shard that has its key.
        Router(Router) = "router";
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
    }
}

/// Adds to the fields of a type those of every caller.
macro_rules! caller {
    (
        $(#[$doc:meta])*
        pub struct $name:ident { $($own:tt)* }
    ) => {
        wire! {
            $(#[$doc])*
            pub struct $name {
                $($own)*
                /// How long to wait for the answer to one attempt; none waits for ever.
                timeout: Option<Span> = None;
                /// How long to wait in all, retries included; none waits for ever.
                deadline: Option<Span> = None;
                /// Tell servers when nobody will wait any more, so that they can save the work.
                tell_deadline: bool = false;
                /// When to try again.
                retry: Retry = Retry::default();
                /// A budget for retries.
                budget: Option<Budget> = None;
                /// A circuit breaker.
                breaker: Option<Breaker> = None;
                /// What the breaker counts.
                breaker_wraps: Wraps = Wraps::Attempts;
                /// A limit on the rate of requests.
                limiter: Option<Limiter> = None;
                /// A limit on requests outstanding, so that one slow target cannot take everything.
                bulkhead: Option<u32> = None, 1 ..= 1_000_000;
                /// A second copy of a request that is slow.
                hedge: Option<Hedge> = None;
                /// Send an idempotency key, the same in every attempt.
                idempotency: bool = false;
                /// How one of several targets is chosen.
                pick: Pick = Pick::RoundRobin;
                /// Which replicas of a store may answer reads; changes go to the one that leads.
                reads: Reads = Reads::Leader;
            }
        }

        impl $name {
            /// The part of it that is about calling.
            pub fn caller(&self) -> Caller<'_> {
                Caller {
                    timeout: self.timeout,
                    deadline: self.deadline,
                    tell_deadline: self.tell_deadline,
                    retry: &self.retry,
                    budget: self.budget.as_ref(),
                    breaker: self.breaker.as_ref(),
                    breaker_wraps: self.breaker_wraps,
                    limiter: self.limiter.as_ref(),
                    bulkhead: self.bulkhead,
                    hedge: self.hedge.as_ref(),
                    idempotency: self.idempotency,
                    pick: self.pick,
                    reads: self.reads,
                }
            }
        }
    };
}

/// The fields that all callers share.
pub struct Caller<'a> {
    /// For one attempt.
    pub timeout: Option<Span>,
    /// In all.
    pub deadline: Option<Span>,
    /// Whether servers are told.
    pub tell_deadline: bool,
    /// When to try again.
    pub retry: &'a Retry,
    /// Who may.
    pub budget: Option<&'a Budget>,
    /// When to stop.
    pub breaker: Option<&'a Breaker>,
    /// What the breaker counts.
    pub breaker_wraps: Wraps,
    /// At which rate.
    pub limiter: Option<&'a Limiter>,
    /// How many at once.
    pub bulkhead: Option<u32>,
    /// When to send a copy.
    pub hedge: Option<&'a Hedge>,
    /// Whether with a key.
    pub idempotency: bool,
    /// To which target.
    pub pick: Pick,
    /// Which replicas may answer reads.
    pub reads: Reads,
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
        /// Transfers of the amount of a charge to another account.
        transfer: u32 = 0, 0 ..= 1_000_000;
        /// Reads of everything: all shards must answer.
        scan: u32 = 0, 0 ..= 1_000_000;
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
    /// Which replicas of a store may answer reads.
    pub enum Reads {
        /// The one that leads.
        Leader;
        /// Any, whatever it has applied.
        Any;
        /// Any but the one that leads.
        Replica;
        /// The one with the shortest way, whatever it has applied.
        Nearest;
        /// Any that has applied what the client has seen before.
        Session;
    }
}

wire! {
    /// How one of several targets is chosen.
    pub enum Pick {
        /// One after the other.
        RoundRobin;
        /// Any.
        Random;
    }
}

wire! {
    /// Hands each request to one of several servers.
    pub struct Balancer {
        /// Where requests can go: the name of a node; all its replicas share the load.
        to: String = String::new();
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

wire! {
    /// Which waiting request is next.
    pub enum Order {
        /// The oldest.
        Fifo;
        /// The newest: under overload, the one whose caller is most likely still there.
        Lifo;
    }
}

/// Adds to the fields of a type those of every queue with workers.
macro_rules! station {
    (
        $(#[$doc:meta])*
        pub struct $name:ident { $($own:tt)* }
    ) => {
        wire! {
            $(#[$doc])*
            pub struct $name {
                /// How many requests are worked on at once.
                workers: u32 = 4, 1 ..= 1_000_000;
                /// How many may wait, the rest is refused; none lets all wait.
                queue: Option<u32> = None, 0 ..= 100_000_000;
                /// Which waiting request is next.
                order: Order = Order::Fifo;
                /// How long the work for one request takes.
                time: Dist = Dist::Exponential(Span::millis(10));
                /// How much longer for each request being worked on at the same time.
                contention: Span = Span::ZERO;
                /// The chance that the work fails.
                error: Chance = Chance::NEVER;
                /// Drop requests that have waited too long.
                shed: Option<Shed> = None;
                /// Refuse requests beyond a limit that adapts.
                limit: Option<Limit> = None;
                $($own)*
            }
        }

        impl $name {
            /// The part of it that is about queueing and working.
            pub fn station(&self) -> Station<'_> {
                Station {
                    workers: self.workers,
                    queue: self.queue,
                    order: self.order,
                    time: &self.time,
                    contention: self.contention,
                    error: self.error,
                    shed: self.shed.as_ref(),
                    limit: self.limit.as_ref(),
                }
            }
        }
    };
}

/// The fields that everything with a queue and workers shares.
pub struct Station<'a> {
    /// How many at once.
    pub workers: u32,
    /// How many may wait.
    pub queue: Option<u32>,
    /// Which is next.
    pub order: Order,
    /// How long the work takes.
    pub time: &'a Dist,
    /// How much longer in company.
    pub contention: Span,
    /// How often it fails.
    pub error: Chance,
    /// What is dropped.
    pub shed: Option<&'a Shed>,
    /// What is refused.
    pub limit: Option<&'a Limit>,
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

station! {
    /// Sends each request to the shard that has its key, and transfers between shards.
    pub struct Router {
        /// The shards: names of stores. Each has a part of the keys. With one that has no leader,
        /// transfers are refused, and keys do not move: another map begins the run again.
        shards: Vec<String> = Vec::new();
        /// How many of them, from the first, have keys; none is all. Changed later, keys move.
        active: Option<u32> = None, 1 ..= 64;
        /// Which key is where. Changed later, keys move.
        placement: Placement = Placement::Hash(Hash::default());
        /// How many keys move at once.
        moves: u32 = 8, 1 ..= 1_000;
        /// How transfers between accounts on different shards are done.
        transfers: Transfers = Transfers::TwoPhaseCommit;
        /// How long it waits for a shard in transfers and moves.
        patience: Span = Span::secs(1);
        /// How long it waits before it tries again what it must do in transfers and moves.
        again: Span = Span::millis(200);
        /// How often it tries a step of a saga before it gives up.
        tries: u32 = 10, 1 ..= 1_000_000;
        /// How it calls shards. Keys of clients are passed on; with `idempotency`, steps of sagas
        /// carry one too.
        calls: ShardCalls = ShardCalls::default();
        /// Its disk: the map, decisions, and sagas under way.
        disk: Disk = Disk::default();
    }
}

caller! {
    /// How a router calls its shards.
    pub struct ShardCalls {}
}

wire! {
    /// Which key is where.
    pub enum Placement {
        /// Neighbours stay together.
        Range(Range) = "range";
        /// The remainder of a hash: even, and nearly all move when a shard comes or goes.
        Hash(Hash) = "hash";
        /// The next shard on a ring: few move when a shard comes or goes.
        Consistent(Consistent) = "consistent";
    }
}

wire! {
    /// Neighbours stay together.
    pub struct Range {
        /// The first key of each shard but the first; none makes ranges of equal length.
        splits: Vec<u32> = Vec::new();
    }
}

wire! {
    /// The remainder of a hash.
    pub struct Hash {}
}

wire! {
    /// The next shard on a ring of hashes.
    pub struct Consistent {
        /// How often each shard stands on the ring: more is more even.
        points: u32 = 100, 1 ..= 1_000;
        /// How much more than the mean a shard may have; none is without a bound.
        bound: Option<Chance> = None;
    }
}

wire! {
    /// How transfers between accounts on different shards are done.
    pub enum Transfers {
        /// One side, then the other, and nothing is written down.
        Unprotected;
        /// All or nothing: both sides are locked until it is decided.
        TwoPhaseCommit;
        /// One side, then the other, and back if that fails.
        Saga;
    }
}

station! {
    /// Holds accounts: reads, writes, charges.
    pub struct Ledger {
        /// A change is on disk before it is acknowledged.
        sync: bool = true;
        /// Remembers idempotency keys.
        keys: Option<Keys> = None;
        /// Keys are on disk with the changes; otherwise a crash forgets them.
        keys_durable: bool = true;
        /// What to do with a key whose first request is still at work.
        collision: Collision = Collision::Reject;
        /// What each account holds in the beginning.
        balance: i64 = 1_000, 0 ..= 1_000_000_000;
        /// Its disk.
        disk: Disk = Disk::default();
    }
}

station! {
    /// Holds accounts and items on a primary, which changes them, and replicas, which copy it.
    pub struct PrimaryReplica {
        /// How many replicas there are, the primary counted.
        replicas: u32 = 3, 2 ..= 9;
        /// Which of them is the primary in the beginning. Changed later, the other takes over.
        primary: u32 = 1, 1 ..= 9;
        /// How many others must have a change before it is acknowledged: 0 is asynchronous, all of
        /// them is synchronous.
        acks: u32 = 0, 0 ..= 8;
        /// How long a replica takes to apply one change.
        apply: Dist = Dist::Constant(Span::millis(1));
        /// How often the primary says that it is there.
        heartbeat: Span = Span::millis(100);
        /// Another takes over when the primary is silent; none leaves that to a person.
        failover: Option<Failover> = None;
        /// A primary steps down when it hears of a newer one, and taking over needs a majority.
        fencing: bool = true;
        /// A change is on disk before it counts as had.
        sync: bool = true;
        /// Remembers idempotency keys, on every replica.
        keys: Option<Keys> = None;
        /// What each account holds in the beginning.
        balance: i64 = 1_000, 0 ..= 1_000_000_000;
        /// The disk of each replica.
        disk: Disk = Disk::default();
    }
}

wire! {
    /// When and how another replica becomes primary.
    pub struct Failover {
        /// How long without a sign of the primary.
        after: Span = Span::secs(1);
        /// Which replica takes over.
        promote: Promote = Promote::MostAdvanced;
    }
}

wire! {
    /// Which replica becomes primary.
    pub enum Promote {
        /// Of those that answer, the one with the longest log.
        MostAdvanced;
        /// Of those that answer, the first, whatever it has.
        First;
    }
}

station! {
    /// Holds accounts and items in a log that a majority of its members agrees on.
    pub struct Raft {
        /// How many replicas there are. An even number bears no more failures than one less.
        replicas: u32 = 3, 1 ..= 9;
        /// How many of them, from the first, belong to the cluster; none is all. Changed later,
        /// they are added or removed one after the other.
        members: Option<u32> = None, 1 ..= 9;
        /// Which of them should lead: it stands for election first. Changed later, the leader
        /// gives its office to it.
        leader: Option<u32> = None, 1 ..= 9;
        /// A member that hears of no leader waits at least so long before it stands for election.
        election_min: Span = Span::millis(150);
        /// And at most so long: how long is drawn anew each time.
        election_max: Span = Span::millis(300);
        /// How often the leader lets itself be heard.
        heartbeat: Span = Span::millis(50);
        /// A candidate asks first whether it would be elected, and disturbs nobody if not.
        pre_vote: bool = true;
        /// A leader that does not reach a majority steps down, and members that hear a leader
        /// ignore candidates.
        check_quorum: bool = true;
        /// How the leader makes sure that what it reads is not stale.
        reads: RaftReads = RaftReads::Index;
        /// Entries applied before a snapshot takes their place in the log; 0 is never.
        snapshot_every: u32 = 10_000, 0 ..= 1_000_000;
        /// Remembers idempotency keys, on every replica.
        keys: Option<Keys> = None;
        /// What each account holds in the beginning.
        balance: i64 = 1_000, 0 ..= 1_000_000_000;
        /// A charge that would leave less on an account is refused; none refuses none.
        floor: Option<i64> = None, 0 ..= 1_000_000_000;
        /// The disk of each replica.
        disk: Disk = Disk::default();
    }
}

station! {
    /// Holds accounts and items on several replicas of which none leads: any takes a request, and
    /// answers it when enough of those that hold the item have answered.
    pub struct Quorum {
        /// How many replicas there are.
        replicas: u32 = 3, 1 ..= 9;
        /// How many of them hold each item: its homes.
        copies: u32 = 3, 1 ..= 9;
        /// How many homes must answer a read.
        read: u32 = 2, 1 ..= 9;
        /// How many homes must have a write before it is acknowledged.
        write: u32 = 2, 1 ..= 9;
        /// Others stand in for homes that do not answer, keep what they are sent, and hand it over
        /// when the home answers again.
        sloppy: bool = false;
        /// What becomes of copies that a read finds out of date.
        read_repair: ReadRepair = ReadRepair::Later;
        /// How often each replica compares what it holds with another; none is never.
        anti_entropy: Option<Span> = Some(Span::secs(10));
        /// How copies that have gone apart become one.
        merge: Merge = Merge::LastWriterWins;
        /// How long a request waits for enough homes to answer.
        timeout: Span = Span::secs(1);
        /// How long a replica takes to apply one change.
        apply: Dist = Dist::Constant(Span::ZERO);
        /// A change is on disk before it counts as had.
        sync: bool = true;
        /// What each account holds in the beginning.
        balance: i64 = 1_000, 0 ..= 1_000_000_000;
        /// A charge that would leave less on an account is refused, as far as the replica that
        /// takes it knows; none refuses none.
        floor: Option<i64> = None, 0 ..= 1_000_000_000;
        /// The disk of each replica.
        disk: Disk = Disk::default();
    }
}

wire! {
    /// What becomes of copies that a read finds out of date.
    pub enum ReadRepair {
        /// Nothing.
        Never;
        /// They are brought up to date after the answer.
        Later;
        /// What is answered is first written to as many as a write needs.
        First;
    }
}

wire! {
    /// How copies that have gone apart become one.
    pub enum Merge {
        /// The one with the latest timestamp stays, by the clock of the replica that took it.
        LastWriterWins;
        /// Versions that do not know of each other stay side by side, until somebody who has read
        /// them writes.
        Siblings;
        /// Each replica counts for itself, and the value is the sum: for increments and charges.
        Counter;
    }
}

wire! {
    /// How the leader of a Raft cluster makes sure that what it reads is not stale.
    pub enum RaftReads {
        /// It asks a majority whether it still leads.
        Index;
        /// It trusts its clock for as long as nobody else can have been elected.
        Lease;
        /// Not at all.
        Local;
    }
}

wire! {
    /// What to do with a key whose first request is still at work.
    pub enum Collision {
        /// Say so at once: a conflict.
        Reject;
        /// Answer when the first request has its answer.
        Wait;
    }
}

wire! {
    /// A disk.
    pub struct Disk {
        /// How long a write takes when it must be on disk.
        latency: Dist = Dist::Constant(Span::ZERO);
        /// How long a write that need not stays in memory only.
        flush: Span = Span::secs(5);
    }
}
