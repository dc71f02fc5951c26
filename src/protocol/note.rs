//! What processes say about themselves. Metrics, ledger, log and checks are folded from these.

use super::backup::library::Flaw;
use super::fleet::duty::State;
use super::rpc::{Answer, Ending, Op, Outcome, Refusal};
use super::store::quorum::cell::Dot;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// Something a process did. The record it comes in says which node and when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// A client wants something.
    Began {
        /// Its number in the run.
        intent: u64,
        /// Which client of the population.
        client: u32,
        /// What it wants.
        op: Op,
        /// Of which item.
        item: u32,
    },
    /// A caller sent an attempt.
    Sent {
        /// For which intent.
        intent: u64,
        /// Counting from one.
        attempt: u8,
        /// To whom.
        target: NodeId,
        /// True if it is a copy sent while an earlier attempt is still outstanding.
        hedge: bool,
    },
    /// A caller saw an attempt end.
    Answered {
        /// For which intent.
        intent: u64,
        /// Which attempt.
        attempt: u8,
        /// How.
        outcome: Outcome,
        /// Since it was sent.
        took: Span,
    },
    /// A caller waits before trying again.
    Waits {
        /// For which intent.
        intent: u64,
        /// The next attempt.
        attempt: u8,
        /// How long.
        wait: Span,
    },
    /// A caller would have tried again, but may not.
    NoRetry {
        /// For which intent.
        intent: u64,
        /// Why not.
        why: NoRetry,
    },
    /// A client's intent ended, as the client sees it.
    Ended {
        /// Which.
        intent: u64,
        /// Which client of the population.
        client: u32,
        /// What it wanted.
        op: Op,
        /// How.
        ending: Ending,
        /// How many attempts it took.
        attempts: u8,
        /// Since it began.
        took: Span,
    },
    /// An answer came that nobody waited for any more: the work for it was wasted.
    Late {
        /// For which intent.
        intent: u64,
        /// Which attempt.
        attempt: u8,
        /// What it says.
        answer: Answer,
    },
    /// A breaker changed its state.
    Breaker {
        /// The caller's call stack it belongs to.
        stack: u8,
        /// The state left.
        from: Phase,
        /// The state entered.
        to: Phase,
    },
    /// A request came to a server with a queue.
    Arrived {
        /// For which intent.
        intent: u64,
    },
    /// A server turned a request away, or a caller one of its own ([`Refusal::is_local`]).
    Refused {
        /// For which intent.
        intent: u64,
        /// Why.
        why: Refusal,
        /// How long the request had been there.
        stayed: Span,
    },
    /// A server finished the work for a request.
    Worked {
        /// For which intent.
        intent: u64,
        /// How long it worked.
        span: Span,
        /// How long the request was there, its waiting included.
        stayed: Span,
    },
    /// A store changed data. Of replicas, the one that leads says so.
    Applied {
        /// For which intent.
        intent: u64,
        /// What was done.
        op: Op,
        /// To which item.
        item: u32,
        /// Where in its log: the same change at the same place is one change. It grows along the
        /// log; zero in a store without one.
        position: u64,
    },
    /// A replica without a leader has given a change its place among the others.
    Stamped {
        /// For which intent.
        intent: u64,
        /// To which item.
        item: u32,
        /// The place.
        change: Change,
    },
    /// A store restarted without a change that was not yet on its disk when it crashed.
    Undone {
        /// For which intent it had been made.
        intent: u64,
        /// What had been done.
        op: Op,
        /// To which item.
        item: u32,
    },
    /// A replica threw away an entry of its log that the new leader does not have.
    Truncated {
        /// For which intent the entry was.
        intent: u64,
        /// What it did.
        op: Op,
        /// To which item.
        item: u32,
        /// True if this replica led and applied it, and so told its client.
        led: bool,
    },
    /// A replica leads from now on.
    Leads {
        /// The term or epoch in which it does.
        term: u64,
    },
    /// A replica does not lead any more.
    StepsDown {
        /// The term or epoch it has learned of.
        term: u64,
    },
    /// A replica has not heard of its leader for too long.
    Suspects {
        /// The term or epoch of that leader.
        term: u64,
    },
    /// A store recognised an idempotency key and did nothing twice.
    Recognised {
        /// For which intent.
        intent: u64,
        /// What it found.
        found: Found,
    },
    /// A service answered without an optional dependency.
    Fallback {
        /// For which intent.
        intent: u64,
        /// Which dependency, in the order of its settings.
        dependency: u8,
    },
    /// What became of a transfer between shards, as who carries it out says.
    Transfer {
        /// For which intent.
        intent: u64,
        /// What.
        step: Step,
    },
    /// A store holds an item back, or does no more.
    Held {
        /// For which intent; the version of the map when an item moves.
        intent: u64,
        /// Which item.
        item: u32,
        /// What.
        hold: Hold,
    },
    /// A router has another map of its shards: so many keys have to move.
    Remapped {
        /// The version of the map.
        version: u32,
        /// Keys to move; zero when all have.
        moving: u32,
    },
    /// A cache looked for an item, or did something with what it holds.
    Cached {
        /// For which intent.
        intent: u64,
        /// Which item.
        item: u32,
        /// What.
        how: Lookup,
    },
    /// What became of a message in a broker.
    Letter {
        /// For which intent.
        intent: u64,
        /// The number of the message at its broker.
        number: u64,
        /// For which group of consumers, in the order of the broker's settings.
        group: u8,
        /// What.
        step: Post,
    },
    /// A fleet wants another number of replicas to run.
    Scaled {
        /// How many were to run.
        from: u32,
        /// How many are to run now.
        to: u32,
    },
    /// A fleet brings a new version to some of its replicas.
    Deploys {
        /// The version.
        version: u8,
        /// How many.
        replicas: u32,
    },
    /// All replicas of a fleet have the new version.
    Deployed {
        /// The version.
        version: u8,
    },
    /// A fleet takes a new version back.
    RolledBack {
        /// The version.
        version: u8,
        /// Why.
        why: Why,
    },
    /// A replica of a fleet does something else.
    Duty {
        /// What.
        state: State,
        /// Which version it runs.
        version: u8,
    },
    /// A balancer stopped sending to a backend.
    Ejected {
        /// Which.
        backend: NodeId,
    },
    /// A balancer sends to a backend again.
    Readmitted {
        /// Which.
        backend: NodeId,
    },
    /// A backup did something.
    Backup {
        /// What.
        did: Backed,
    },
}

impl Note {
    /// The intent it is about, if it is about one.
    pub fn intent(&self) -> Option<u64> {
        match *self {
            Note::Began { intent, .. }
            | Note::Sent { intent, .. }
            | Note::Answered { intent, .. }
            | Note::Waits { intent, .. }
            | Note::NoRetry { intent, .. }
            | Note::Ended { intent, .. }
            | Note::Late { intent, .. }
            | Note::Arrived { intent }
            | Note::Refused { intent, .. }
            | Note::Worked { intent, .. }
            | Note::Applied { intent, .. }
            | Note::Stamped { intent, .. }
            | Note::Undone { intent, .. }
            | Note::Truncated { intent, .. }
            | Note::Recognised { intent, .. }
            | Note::Transfer { intent, .. }
            | Note::Letter { intent, .. }
            | Note::Fallback { intent, .. } => Some(intent),
            Note::Held { intent, hold, .. } => hold.is_lock().then_some(intent),
            Note::Cached { intent, how, .. } => (how != Lookup::Evicted).then_some(intent),
            Note::Breaker { .. }
            | Note::Remapped { .. }
            | Note::Backup { .. }
            | Note::Scaled { .. }
            | Note::Deploys { .. }
            | Note::Deployed { .. }
            | Note::RolledBack { .. }
            | Note::Duty { .. }
            | Note::Ejected { .. }
            | Note::Readmitted { .. }
            | Note::Leads { .. }
            | Note::StepsDown { .. }
            | Note::Suspects { .. } => None,
        }
    }
}

/// What tells a change of a store without a leader from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its timestamp, as in [`Version`](super::store::quorum::cell::Version).
    pub stamp: u64,
    /// Its name among siblings and counts.
    pub dot: Dot,
    /// Where the last writer wins: the timestamp of what it was computed from, zero for the first
    /// value; none if it replaces whatever was there.
    pub base: Option<u64>,
}

impl Change {
    /// When it was made, by the clock of its coordinator.
    pub fn at(self) -> Time {
        Time(self.stamp >> 4)
    }
}

/// Why there was no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoRetry {
    /// All attempts were used.
    Attempts,
    /// The retry budget was empty.
    Budget,
    /// The deadline would pass first.
    Deadline,
    /// This kind of failure is not retried.
    Outcome,
}

/// The state of a breaker as people speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    /// Calls pass.
    Closed,
    /// Calls fail at once.
    Open,
    /// A few calls pass, to see whether the target is back.
    HalfOpen,
}

/// What a key table found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    /// The answer given before.
    Answer,
    /// The same request, still at work.
    AtWork,
    /// Another request with the same key.
    OtherRequest,
}

/// Why a new version was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// Too many of its answers were errors.
    Errors,
    /// It did not serve in time.
    Late,
}

/// What became of a transfer between shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// It is decided: it will be done.
    Commits,
    /// It is decided: nothing of it will be done.
    Aborts,
    /// One side is done and the other is not.
    Halfway,
    /// The other side cannot be done: the first is to be undone.
    TurnsBack,
    /// What was done of it is undone.
    Undone,
    /// Both sides are done.
    Done,
    /// It was left half done: money is missing.
    GivenUp,
}

impl Step {
    /// In words that follow a name.
    pub fn words(self) -> &'static str {
        match self {
            Step::Commits => "decides that the transfer commits",
            Step::Aborts => "decides that the transfer aborts",
            Step::Halfway => "has done one side of the transfer",
            Step::TurnsBack => "cannot do the other side of the transfer and turns back",
            Step::Undone => "has undone the transfer",
            Step::Done => "has done both sides of the transfer",
            Step::GivenUp => "gives up on the transfer: money is missing",
        }
    }
}

/// What a cache does with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lookup {
    /// It is here.
    Hit,
    /// It is not, or its time is over, or its reader has seen more: it is asked for behind.
    Miss,
    /// The same, but it has been asked for already: the reader waits with another.
    Joined,
    /// Its time is over, and it is served, since what is behind failed.
    Stale,
    /// It is here for little longer, and is asked for before its time is over.
    Early,
    /// It was changed: what is here is dropped.
    Dropped,
    /// It had to go to make room.
    Evicted,
    /// It was changed while it was asked for: the answer is not kept.
    Void,
    /// A change of it is passed on.
    Passed,
    /// A write of it is acknowledged, and will be written later.
    Deferred,
    /// A write of it was acknowledged and not known to be written, when the cache crashed.
    Lost,
}

/// What became of a message in a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Post {
    /// It is kept, and its publisher is told so.
    Kept,
    /// It is handed to a consumer.
    HandedOut {
        /// Counting from one.
        attempt: u32,
        /// To whom.
        target: NodeId,
    },
    /// The consumer says that it failed.
    Returned,
    /// The consumer has said nothing within the visibility timeout.
    Expired,
    /// The consumer says that it is done.
    Acknowledged {
        /// Since it came.
        after: Span,
    },
    /// It is a dead letter: handed out often enough.
    Dead {
        /// How often.
        attempts: u32,
    },
    /// It is no dead letter any more.
    Redriven,
    /// It became too old.
    Dropped,
    /// A crash has undone it: it was not on disk.
    Lost,
}

/// What a store does with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hold {
    /// Locks it until a transaction is decided.
    Locks,
    /// Releases it: the transaction is aborted.
    Releases,
    /// Asks the coordinator what was decided.
    Asks,
    /// Hands it over.
    Left,
    /// Receives it.
    Came,
}

impl Hold {
    /// True if it is about a transaction.
    pub fn is_lock(self) -> bool {
        matches!(self, Hold::Locks | Hold::Releases | Hold::Asks)
    }
}

/// What a backup does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backed {
    /// A copy is complete, and looks well.
    Copied {
        /// Its number.
        copy: u32,
        /// True if it needs no other.
        full: bool,
        /// How many items are in it.
        items: u32,
        /// How long it took.
        took: Span,
    },
    /// The last copy was not done when the next was due.
    Skipped,
    /// No replica answered: there is no copy.
    Missed,
    /// The log could not be fetched without a gap.
    Gap,
    /// The store is gone for good, it decides: its plan begins.
    Decides,
    /// It begins to bring a copy back.
    Restores {
        /// Its number.
        copy: u32,
        /// How many items that will be.
        items: u32,
        /// How many changes of the shipped log are in them.
        changes: u32,
    },
    /// A copy cannot be read.
    Unreadable {
        /// Its number.
        copy: u32,
        /// Why.
        flaw: Flaw,
    },
    /// All is back, and the store serves.
    Restored {
        /// From which copy.
        copy: u32,
        /// How long it took, copies that could not be read included.
        took: Span,
    },
    /// No copy is left that could be brought back.
    Lost,
    /// The newest copy could be restored, a test says.
    Passed {
        /// Its number.
        copy: u32,
        /// How long that took.
        took: Span,
    },
    /// A test says that there is nothing that could be restored.
    Alarm {
        /// The newest copy, zero if there is none.
        copy: u32,
        /// Why, if there is one.
        flaw: Option<Flaw>,
    },
    /// What the test has found is repaired.
    Repaired,
}

impl Backed {
    /// True if a restore begins or ends, or will.
    pub fn is_recovery(self) -> bool {
        matches!(
            self,
            Backed::Decides | Backed::Restores { .. } | Backed::Restored { .. } | Backed::Lost
        )
    }

    /// In words that follow a name.
    pub fn words(self) -> String {
        match self {
            Backed::Copied { copy, full, items, took } => {
                let kind = if full { "full" } else { "incremental" };
                format!("has made copy {copy} ({kind}, {items} items, {took}): all is well")
            }
            Backed::Skipped => "skips a copy: the last is not complete".to_owned(),
            Backed::Missed => "has made no copy: no replica answers".to_owned(),
            Backed::Gap => "has a gap in the log it ships, and copies everything".to_owned(),
            Backed::Decides => "decides that the store is gone, and begins its plan".to_owned(),
            Backed::Restores { copy, items, changes: 0 } => {
                format!("begins to restore {items} items from copy {copy}")
            }
            Backed::Restores { copy, items, changes } => {
                format!(
                    "begins to restore {items} items from copy {copy} and {changes} changes of \
                     the log"
                )
            }
            Backed::Unreadable { copy, flaw } => format!("finds that copy {copy} {}", flaw.words()),
            Backed::Restored { copy, took } => {
                format!("has restored the store from copy {copy} in {took}")
            }
            Backed::Lost => "has no copy that can be restored: the data is lost".to_owned(),
            Backed::Passed { copy, took } => {
                format!("has tested copy {copy} in {took}: it can be restored")
            }
            Backed::Alarm { flaw: None, .. } => {
                "raises an alarm: there is no copy to test".to_owned()
            }
            Backed::Alarm { copy, flaw: Some(flaw) } => {
                format!("raises an alarm: copy {copy} {}", flaw.words())
            }
            Backed::Repaired => "is repaired, and makes a full copy".to_owned(),
        }
    }
}
