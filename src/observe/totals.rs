//! What can be counted of a run, as a whole or between two instants.

use super::metrics::NodeTotals;
use crate::base::time::Span;
use crate::protocol::note::{Lookup, Note, Post};
use crate::protocol::rpc::{Answer, Ending, Refusal, Reply};
use serde::Serialize;

macro_rules! totals {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts, and what follows from them. Latencies are those of intents that ended well, in
        /// milliseconds to two significant figures; what nothing was measured for is not a number.
        #[derive(Clone, Debug, Serialize)]
        pub struct Totals {
            $($(#[$doc])* pub $name: u64,)*
            /// Requests turned away, by `Refusal` in its order.
            pub refused: [u64; Refusal::COUNT],
            /// Further attempts not made, by `NoRetry` in its order.
            pub no_retry: [u64; 4],
            /// Requests that did not reach a process, by `Fate` in its order.
            pub lost_requests: [u64; 5],
            /// Answers that did not reach a process, by `Fate` in its order.
            pub lost_replies: [u64; 5],
            /// Sum of the latencies of intents that ended well, in microseconds.
            pub latency_sum: u64,
            /// Attempts per intent.
            pub amplification: f64,
            /// Mean latency, exact.
            pub mean: f64,
            /// Half of all are not longer.
            pub p50: f64,
            /// Nine of ten are not longer.
            pub p90: f64,
            /// 99 of 100 are not longer.
            pub p99: f64,
            /// 999 of 1000 are not longer.
            pub p999: f64,
        }

        impl Default for Totals {
            fn default() -> Totals {
                Totals {
                    $($name: 0,)*
                    refused: [0; Refusal::COUNT],
                    no_retry: [0; 4],
                    lost_requests: [0; 5],
                    lost_replies: [0; 5],
                    latency_sum: 0,
                    amplification: f64::NAN,
                    mean: f64::NAN,
                    p50: f64::NAN,
                    p90: f64::NAN,
                    p99: f64::NAN,
                    p999: f64::NAN,
                }
            }
        }

        impl Totals {
            /// Adds the counts of another stretch of time; call [`Totals::derive`] afterwards.
            pub fn add(&mut self, other: &Totals) {
                $(self.$name += other.$name;)*
                add(&mut self.refused, &other.refused);
                add(&mut self.no_retry, &other.no_retry);
                add(&mut self.lost_requests, &other.lost_requests);
                add(&mut self.lost_replies, &other.lost_replies);
                self.latency_sum += other.latency_sum;
            }
        }
    };
}

totals! {
    /// Intents begun.
    offered,
    /// Intents done.
    ok,
    /// Intents done, with something optional missing.
    degraded,
    /// Intents known not to have been done: turned away.
    rejected,
    /// Intents known not to have been done: something went wrong.
    failed,
    /// Intents without an answer in time: they may have been done or not.
    timed_out,
    /// Intents forgotten by clients that crashed.
    abandoned,
    /// Requests that clients sent, hedges included.
    attempts,
    /// Requests that services sent to what they depend on.
    inner_attempts,
    /// Of all requests sent, copies sent while an earlier one was outstanding.
    hedges,
    /// Attempts that were not answered in time, at every hop.
    attempt_timeouts,
    /// Requests that came to a queue, at every hop.
    arrived,
    /// Requests worked on to the end, at every hop.
    worked,
    /// Of these, how long, in microseconds.
    work,
    /// Work whose answer nobody took: it came too late or was lost on the way. A copy made by the
    /// network of an answer that was taken counts too.
    wasted,
    /// Answers that nobody waited for any more, refusals included.
    late,
    /// Changes of data.
    applied,
    /// Changes of data that had been made for the same intent before.
    repeated,
    /// Of those, undone by a crash.
    repeated_undone,
    /// Changes made more than once and not undone.
    double_effects,
    /// Requests that a key table recognised, and that were therefore not done again.
    recognised,
    /// Answers without an optional dependency.
    fallbacks,
    /// Reads that came to a cache.
    lookups,
    /// Of these, served from what it held.
    hits,
    /// Of these, asked for behind it.
    misses,
    /// Of these, waiting with another for the same answer.
    joined,
    /// Reads served with an entry whose time was over, since what is behind the cache failed.
    stale_served,
    /// Entries fetched again before their time was over.
    refreshed,
    /// Entries that had to go to make room.
    evicted,
    /// Entries dropped because their item was changed.
    invalidated,
    /// Answers not kept because their item was changed meanwhile.
    void,
    /// Writes confirmed by a cache before they were written.
    deferred,
    /// Breakers that opened.
    breaker_openings,
    /// Backends taken out by balancers.
    ejections,
    /// Replicas that began to lead.
    elections,
    /// Messages that brokers have and acknowledged, once for each group of consumers.
    kept,
    /// Messages that brokers handed to consumers.
    handed_out,
    /// Of these, again.
    redelivered,
    /// Messages that consumers acknowledged.
    acknowledged,
    /// Messages that became dead letters.
    dead_letters,
    /// Dead letters put back.
    redriven,
    /// Messages that were too old, or undone by a crash of their broker.
    forgotten,
    /// Changes of the size of a fleet.
    scalings,
    /// Of these, to fewer replicas.
    scalings_down,
    /// New versions that were taken back.
    rollbacks,
}

fn add<const N: usize>(sum: &mut [u64; N], other: &[u64; N]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}

impl Totals {
    /// Intents that ended as their owner wanted.
    pub fn good(&self) -> u64 {
        self.ok + self.degraded
    }

    /// Intents that ended in another way.
    pub fn bad(&self) -> u64 {
        self.rejected + self.failed + self.timed_out
    }

    /// Intents that ended.
    pub fn ended(&self) -> u64 {
        self.good() + self.bad()
    }

    /// The share of ended intents that ended well; not a number when none ended.
    pub fn availability(&self) -> f64 {
        self.good() as f64 / self.ended() as f64
    }

    pub(super) fn count_attempt(&mut self, of_client: bool, hedge: bool) {
        self.attempts += u64::from(of_client);
        self.inner_attempts += u64::from(!of_client);
        self.hedges += u64::from(hedge);
    }

    /// Counts what is no more than an event; most notes are not even that.
    pub(super) fn count_event(&mut self, note: &Note) {
        match note {
            Note::Fallback { .. } => self.fallbacks += 1,
            Note::Ejected { .. } => self.ejections += 1,
            Note::Leads { .. } => self.elections += 1,
            Note::RolledBack { .. } => self.rollbacks += 1,
            Note::Scaled { from, to } => {
                self.scalings += 1;
                self.scalings_down += u64::from(to < from);
            }
            _ => {}
        }
    }

    /// Counts what a cache did.
    pub(super) fn count_lookup(&mut self, how: Lookup, node: &mut NodeTotals) {
        node.looked(how);
        let counted = match how {
            Lookup::Hit => &mut self.hits,
            Lookup::Miss => &mut self.misses,
            Lookup::Joined => &mut self.joined,
            Lookup::Stale => &mut self.stale_served,
            Lookup::Early => &mut self.refreshed,
            Lookup::Dropped => &mut self.invalidated,
            Lookup::Evicted => &mut self.evicted,
            Lookup::Void => &mut self.void,
            Lookup::Deferred => &mut self.deferred,
            Lookup::Passed | Lookup::Lost => return,
        };
        *counted += 1;
        self.lookups += u64::from(matches!(how, Lookup::Hit | Lookup::Miss | Lookup::Joined));
    }

    /// Counts what became of a message of a broker.
    pub(super) fn count_letter(&mut self, step: Post) {
        match step {
            Post::Kept => self.kept += 1,
            Post::HandedOut { attempt, .. } => {
                self.handed_out += 1;
                self.redelivered += u64::from(attempt > 1);
            }
            Post::Acknowledged { .. } => self.acknowledged += 1,
            Post::Dead { .. } => self.dead_letters += 1,
            Post::Redriven => self.redriven += 1,
            Post::Dropped | Post::Lost => self.forgotten += 1,
            Post::Returned | Post::Expired => {}
        }
    }

    /// Counts an answer that nobody waited for.
    pub(super) fn count_late(&mut self, answer: Answer) {
        self.late += 1;
        self.wasted += u64::from(is_work(answer));
    }

    pub(super) fn count_ending(&mut self, ending: Ending) {
        match ending {
            Ending::Ok => self.ok += 1,
            Ending::Degraded => self.degraded += 1,
            Ending::Rejected => self.rejected += 1,
            Ending::Failed => self.failed += 1,
            Ending::Unknown => self.timed_out += 1,
        }
    }

    /// Works out what follows from the counts and the latencies of the same stretch of time.
    pub(super) fn derive(&mut self, count: u64, quantile: impl Fn(f64) -> Option<Span>) {
        let ms = |share| quantile(share).map_or(f64::NAN, Span::as_millis);
        self.double_effects = self.repeated.saturating_sub(self.repeated_undone);
        self.amplification = self.attempts as f64 / self.offered as f64;
        self.mean = self.latency_sum as f64 / 1e3 / count as f64;
        self.p50 = ms(0.5);
        self.p90 = ms(0.9);
        self.p99 = ms(0.99);
        self.p999 = ms(0.999);
    }
}

/// True if there was work behind an answer.
fn is_work(answer: Answer) -> bool {
    !matches!(answer, Answer::Refused(_))
}

/// True if work was wasted by the loss of this answer.
pub(super) fn carries_work(reply: &Reply) -> bool {
    is_work(reply.answer)
}
