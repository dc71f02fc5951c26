//! Stores, as people write them.

use super::dist::Dist;
use super::policy::{Keys, Limit, Shed};
use super::station::{Order, Station};
use crate::base::time::Span;
use crate::base::unit::Chance;

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
        /// Writes a message with each change, and sends it to a broker until that has it.
        outbox: Option<Outbox> = None;
        /// Its disk.
        disk: Disk = Disk::default();
    }
}

wire! {
    /// An outbox: messages that are written together with the changes they tell of.
    pub struct Outbox {
        /// Where they go: the name of a broker.
        to: String = String::new();
        /// How often somebody looks for new ones.
        every: Span = Span::millis(100);
        /// How many are on their way at once.
        batch: u32 = 100, 1 ..= 1_000_000;
        /// How long to wait for the broker before a message is sent again.
        timeout: Span = Span::secs(1);
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
        /// Sets that are empty in the beginning: a member stays if somebody put it in whom nobody
        /// that took it out had heard of.
        Set;
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
