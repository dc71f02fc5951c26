//! The vocabulary that callers and servers share: a request, its answer, and how things end.

use crate::base::id::NodeId;
use crate::base::slab::Key;
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

/// What a person or program wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Op {
    /// Read an item. Doing it twice is harmless.
    Read,
    /// Overwrite an item.
    Write,
    /// Take an amount of money from an account. Doing it twice is not harmless.
    Charge {
        /// How much.
        amount: u32,
    },
    /// Read an item and write it back if nobody else did in between.
    Update,
    /// The second half of an update: write if the version is still this one.
    CompareAndSet {
        /// The version read.
        version: u64,
    },
    /// Add to a count. Doing it twice is not harmless.
    Increment {
        /// How much.
        by: u32,
    },
    /// Put a member into a set: an item whose value has a bit for each member.
    Insert {
        /// Which, from 0 to 62.
        member: u8,
    },
    /// Take a member out of a set.
    Remove {
        /// Which, from 0 to 62.
        member: u8,
    },
    /// Take money from one account and give it to another.
    Transfer {
        /// The account that receives it.
        to: u32,
        /// How much.
        amount: u32,
    },
    /// Read all items of a store: what they hold together.
    Scan,
    /// One side of a transfer between two stores, done by itself.
    Leg {
        /// What the account gains; below zero it pays.
        delta: i32,
    },
    /// Lock an account for a transaction, the number of which is the key: the vote is the answer.
    Prepare {
        /// What the account will gain.
        delta: i32,
        /// Who decides.
        coordinator: NodeId,
    },
    /// The transaction is decided: do what was prepared.
    Commit {
        /// What the account gains.
        delta: i32,
    },
    /// The transaction is decided: do not.
    Abort,
    /// Hand an item over to another store: from now on it is not served here.
    Take,
    /// Receive an item from another store.
    Put {
        /// What it holds.
        value: i64,
    },
    /// Delete everything: every item of the store holds nothing. A change like any other, so it
    /// reaches every replica.
    Erase,
    /// Overwrite an item with [`NONSENSE`], as a faulty program does.
    Corrupt,
    /// A restore begins: nothing is served any more, and every item holds `value`.
    Reset {
        /// What an item holds that the copy does not name.
        value: i64,
    },
    /// A restore brings an item back.
    Load {
        /// What it holds.
        value: i64,
    },
    /// A restore is complete: the store serves again.
    Open,
}

/// What a faulty program writes.
pub const NONSENSE: i64 = -1;

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Reads, the first half of an update included.
    Read,
    /// Writes, members put into sets and taken out included.
    Write,
    /// Charges of any amount.
    Charge,
    /// Updates.
    Update,
    /// Increments of any size.
    Increment,
    /// Transfers of any amount.
    Transfer,
}

impl Kind {
    /// True if `op` is of this kind.
    pub fn includes(self, op: Op) -> bool {
        self == match op {
            Op::Read | Op::Scan => Kind::Read,
            Op::Write
            | Op::Insert { .. }
            | Op::Remove { .. }
            | Op::Take
            | Op::Put { .. }
            | Op::Erase
            | Op::Corrupt
            | Op::Reset { .. }
            | Op::Load { .. }
            | Op::Open => Kind::Write,
            Op::Charge { .. } => Kind::Charge,
            Op::Update | Op::CompareAndSet { .. } => Kind::Update,
            Op::Increment { .. } => Kind::Increment,
            Op::Transfer { .. }
            | Op::Leg { .. }
            | Op::Prepare { .. }
            | Op::Commit { .. }
            | Op::Abort => Kind::Transfer,
        }
    }
}

impl Op {
    /// True if it changes data, so that applying it twice can be seen.
    pub fn changes(self) -> bool {
        !matches!(self, Op::Read | Op::Update | Op::Scan)
    }

    /// True for what a router asks of its shards: locks, decisions, and items that move.
    pub fn holds(self) -> bool {
        matches!(
            self,
            Op::Prepare { .. } | Op::Commit { .. } | Op::Abort | Op::Take | Op::Put { .. }
        )
    }

    /// True for the steps of a restore.
    pub fn restores(self) -> bool {
        matches!(self, Op::Reset { .. } | Op::Load { .. } | Op::Open)
    }

    /// What becomes of a set, if it is an operation on one.
    pub fn on_set(self, members: i64) -> Option<i64> {
        let bit = |member: u8| 1i64.checked_shl(u32::from(member)).unwrap_or(0);
        match self {
            Op::Insert { member } => Some(members | bit(member)),
            Op::Remove { member } => Some(members & !bit(member)),
            _ => None,
        }
    }

    /// What an account gains when one side of a transfer between stores is done.
    pub fn side(self) -> Option<i32> {
        match self {
            Op::Leg { delta } | Op::Commit { delta } => Some(delta),
            _ => None,
        }
    }

    /// The operation with its arguments as a number, to tell one from another.
    pub fn tag(self) -> u64 {
        match self {
            Op::Read => 1,
            Op::Write => 2,
            Op::Update => 3,
            Op::Charge { amount } => 4 | (u64::from(amount) << 8),
            Op::CompareAndSet { version } => 5 | (version << 8),
            Op::Increment { by } => 6 | (u64::from(by) << 8),
            Op::Transfer { to, amount } => {
                7 | (u64::from(amount) << 8) | (u64::from(to).rotate_left(48))
            }
            Op::Scan => 8,
            Op::Leg { delta } => 9 | (u64::from(delta.cast_unsigned()) << 8),
            Op::Prepare { delta, .. } => 10 | (u64::from(delta.cast_unsigned()) << 8),
            Op::Commit { delta } => 11 | (u64::from(delta.cast_unsigned()) << 8),
            Op::Abort => 12,
            Op::Take => 13,
            Op::Put { value } => 14 | (value.cast_unsigned() << 8),
            Op::Insert { member } => 15 | (u64::from(member) << 8),
            Op::Remove { member } => 16 | (u64::from(member) << 8),
            Op::Erase => 17,
            Op::Corrupt => 18,
            Op::Reset { value } => 19 | (value.cast_unsigned() << 8),
            Op::Load { value } => 20 | (value.cast_unsigned() << 8),
            Op::Open => 21,
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Op::Read => "read",
            Op::Write => "write",
            Op::Charge { .. } => "charge",
            Op::Update => "update",
            Op::CompareAndSet { .. } => "compare-and-set",
            Op::Increment { .. } => "increment",
            Op::Insert { .. } => "insertion",
            Op::Remove { .. } => "removal",
            Op::Transfer { .. } => "transfer",
            Op::Scan => "scan",
            Op::Leg { .. } => "side of a transfer",
            Op::Prepare { .. } => "prepare",
            Op::Commit { .. } => "commit",
            Op::Abort => "abort",
            Op::Take => "hand-over",
            Op::Put { .. } => "receipt",
            Op::Erase => "mass deletion",
            Op::Corrupt => "corruption",
            Op::Reset { .. } => "begin of a restore",
            Op::Load { .. } => "restored item",
            Op::Open => "end of a restore",
        }
    }
}

/// Where an answer belongs: which of the caller's call stacks, which call, which attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The call in the caller's list.
    pub call: Key,
    /// Which of the node's call stacks.
    pub stack: u8,
    /// Counting from one.
    pub attempt: u8,
}

/// One attempt of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Where the answer belongs.
    pub ticket: Ticket,
    /// The intent of a person or program that this serves; the same in every attempt and hop.
    pub intent: u64,
    /// What is wanted.
    pub op: Op,
    /// Of which item or account.
    pub item: u32,
    /// The idempotency key; zero for none.
    pub key: u64,
    /// After this instant nobody waits for an answer ([`Time::NEVER`] when not told).
    pub deadline: Time,
    /// How much of its log a replica must have applied before it may answer from its own state;
    /// [`LEADER`] lets only the leader answer. Of no meaning where data is not replicated.
    pub after: u64,
}

/// In [`Request::after`]: only the leader may answer.
pub const LEADER: u64 = u64::MAX;

/// The answer to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Copied from the request.
    pub ticket: Ticket,
    /// Copied from the request.
    pub intent: u64,
    /// What came of it.
    pub answer: Answer,
}

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It worked.
    Done {
        /// Of the item; it grows with every change. Zero where there is none.
        version: u64,
        /// What the item holds: what was read, or what was written. Zero where nothing is held.
        value: i64,
    },
    /// It worked, with something optional missing.
    Degraded,
    /// A read that worked, with what is known to be out of date, for want of something better.
    Stale {
        /// Of the item, when it was read.
        version: u64,
        /// What it held then.
        value: i64,
    },
    /// Not done, and not begun.
    Refused(Refusal),
    /// Begun and failed; nothing was changed.
    Error,
    /// Not done: somebody else wrote in between, or the same key is at work.
    Conflict,
    /// The same idempotency key came with another request.
    KeyReused,
    /// Begun, and it went wrong where something may have been changed: it may last, surface later,
    /// or be gone. A gateway's 504, or a quorum that did not come together.
    Unsure,
}

impl Answer {
    /// What was read or written, and its version, if it says so.
    pub fn data(self) -> Option<(u64, i64)> {
        match self {
            Answer::Done { version, value } | Answer::Stale { version, value } => {
                Some((version, value))
            }
            _ => None,
        }
    }
}

/// Why a request was turned away before any work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Refusal {
    /// The server's queue was full.
    QueueFull,
    /// The server dropped it after it had waited too long.
    Shed,
    /// The server's concurrency limit was reached.
    Limit,
    /// Its deadline had passed when its turn came.
    Expired,
    /// The balancer has no healthy backend.
    NoBackend,
    /// The caller's breaker was open.
    BreakerOpen,
    /// The caller's rate limiter had no token.
    RateLimited,
    /// The caller's bulkhead was full.
    Bulkhead,
    /// The caller's throttle judged that the server would refuse.
    Throttled,
    /// The replica does not know who leads.
    NoLeader,
    /// Too few replicas can be reached.
    NoQuorum,
    /// The account does not hold enough.
    NoFunds,
    /// A transaction that is not decided holds the item.
    Locked,
    /// The item is with another store.
    Moved,
    /// The store is being restored, or waits for that.
    Restoring,
    /// The server is about to stop, and takes nothing new.
    Draining,
}

impl Refusal {
    /// How many kinds there are.
    pub const COUNT: usize = Refusal::Draining as usize + 1;

    /// True if the caller refused itself: nothing was sent.
    pub fn is_local(self) -> bool {
        matches!(
            self,
            Refusal::BreakerOpen | Refusal::RateLimited | Refusal::Bulkhead | Refusal::Throttled
        )
    }

    /// True if it was turned away at the door, and never was in a queue.
    pub fn is_at_the_door(self) -> bool {
        matches!(self, Refusal::NoBackend | Refusal::NoLeader | Refusal::Restoring)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Refusal::QueueFull => "queue full",
            Refusal::Shed => "shed after waiting too long",
            Refusal::Limit => "concurrency limit",
            Refusal::Expired => "deadline passed",
            Refusal::NoBackend => "no healthy backend",
            Refusal::NoLeader => "no leader known",
            Refusal::NoQuorum => "no quorum within reach",
            Refusal::NoFunds => "not enough money",
            Refusal::Locked => "locked by a transaction",
            Refusal::Moved => "the item has moved",
            Refusal::Restoring => "being restored",
            Refusal::Draining => "about to stop",
            Refusal::BreakerOpen => "breaker open",
            Refusal::RateLimited => "rate limited",
            Refusal::Bulkhead => "bulkhead full",
            Refusal::Throttled => "throttled by the client",
        }
    }
}

/// How one attempt ended, as its caller saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was answered.
    Answered(Answer),
    /// No answer in time: it may have happened or not.
    TimedOut,
}

/// How an intent ended, as its owner believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ending {
    /// Done.
    Ok,
    /// Done, with something optional missing.
    Degraded,
    /// Known not to have been done: refused on the way in.
    Rejected,
    /// Known not to have been done: it went wrong.
    Failed,
    /// No answer in time, or none that says so, in the last attempt or an earlier one: it may have
    /// been done.
    Unknown,
}

/// Every ending, in order.
pub const ENDINGS: [Ending; 5] =
    [Ending::Ok, Ending::Degraded, Ending::Rejected, Ending::Failed, Ending::Unknown];

impl Ending {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Ok => "ok",
            Ending::Degraded => "degraded",
            Ending::Rejected => "rejected",
            Ending::Failed => "failed",
            Ending::Unknown => "timed out",
        }
    }

    /// True if the owner got what it wanted, perhaps with something missing.
    pub fn is_good(self) -> bool {
        matches!(self, Ending::Ok | Ending::Degraded)
    }
}
