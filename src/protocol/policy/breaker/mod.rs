//! Circuit breakers: stop calling what keeps failing, and find out cheaply when it is back.
//!
//! Libraries agree on the three states and on little else: when a breaker is checked, whether
//! its open wait ends at or after the instant, what half-open admits, what becomes of results
//! that arrive late. Each kind here follows one library to the letter; `conform` holds them to
//! their recorded behaviour.
//!
//! | kind | library | judged | late results |
//! | --- | --- | --- | --- |
//! | [`Consecutive`](BreakerSettings::Consecutive) | none: textbook | on failures | dropped |
//! | [`Sliding`](BreakerSettings::Sliding) | resilience4j | on every result | counted |
//! | [`Generations`](BreakerSettings::Generations) | gobreaker v2 | on failures | dropped |
//! | [`Ratio`](BreakerSettings::Ratio) | Failsafe | on every result | counted |
//! | [`Sampling`](BreakerSettings::Sampling) | Polly v8 | on failures | counted |
//! | [`Snapshots`](BreakerSettings::Snapshots) | Hystrix | every half second | counted |
//!
//! To add one: a file here with `<Kind>Settings` and a machine with the methods that `each!`
//! calls, a variant in [`BreakerSettings`] and in `Machine`.

pub mod consecutive;
pub mod generations;
pub mod ratio;
pub mod sampling;
pub mod sliding;
pub mod snapshots;

use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// The kinds of breaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BreakerSettings {
    /// So many failures in a row.
    Consecutive(consecutive::ConsecutiveSettings),
    /// Rates over a sliding window (resilience4j).
    Sliding(sliding::SlidingSettings),
    /// Counts per generation (gobreaker v2).
    Generations(generations::GenerationsSettings),
    /// Failures of the last results (Failsafe).
    Ratio(ratio::RatioSettings),
    /// A failure ratio over a sampling time (Polly v8).
    Sampling(sampling::SamplingSettings),
    /// Judged at health snapshots (Hystrix).
    Snapshots(snapshots::SnapshotsSettings),
}

impl Default for BreakerSettings {
    fn default() -> BreakerSettings {
        BreakerSettings::Consecutive(consecutive::ConsecutiveSettings::default())
    }
}

impl BreakerSettings {
    /// How long an open breaker waits before it lets a probe through; the first time, where the
    /// wait grows.
    pub fn cooldown(&self) -> Span {
        match self {
            BreakerSettings::Consecutive(s) => s.wait,
            BreakerSettings::Sliding(s) => s.wait,
            BreakerSettings::Generations(s) => s.wait,
            BreakerSettings::Ratio(s) => s.wait,
            BreakerSettings::Sampling(s) => s.wait,
            BreakerSettings::Snapshots(s) => s.wait,
        }
    }
}

/// What a breaker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BreakerState {
    /// Calls pass and are counted.
    Closed,
    /// Calls are turned away until the wait is over.
    Open,
    /// A few calls pass to find out.
    HalfOpen,
    /// Held open by hand.
    ForcedOpen,
    /// Calls pass and nothing is counted.
    Disabled,
    /// Calls pass and are counted, and nothing follows from it.
    MetricsOnly,
}

/// Permission for one call; give it back with its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The breaker's state or window when the call began, where results of earlier ones are
    /// dropped.
    pub generation: u64,
    /// When the call began.
    pub started: Time,
}

/// Why a call was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// The breaker is open, by its own judgement or by hand.
    Open,
    /// The breaker is half-open and all its probes are out.
    ProbesOut,
}

/// How a call ended, as the breaker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallResult {
    /// It counts for the callee.
    Success,
    /// It counts against the callee.
    Failure,
    /// It counts for neither (cancelled, a fault of the caller's own).
    Ignored,
}

/// What a person can make a breaker do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forced {
    /// Open now, for the usual wait.
    Open,
    /// Open now, for this long.
    OpenFor(Span),
    /// Send probes now.
    HalfOpen,
    /// Close and start counting afresh; ends every hold.
    Closed,
    /// Turn everything away until told otherwise.
    ForcedOpen,
    /// Let everything pass and count nothing until told otherwise.
    Disabled,
    /// Let everything pass and only count until told otherwise.
    MetricsOnly,
}

/// The library has no such transition by hand; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoSuchTransition;

/// The numbers a breaker judges by, as of its last call or [`Breaker::poll`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BreakerSummary {
    /// Results on record; for gobreaker the calls that began.
    pub calls: u32,
    /// Of these, successes.
    pub successes: u32,
    /// Of these, failures.
    pub failures: u32,
    /// Of these, neither.
    pub ignored: u32,
    /// Of these, slower than the threshold.
    pub slow: u32,
    /// Successes since the last failure.
    pub successes_in_a_row: u32,
    /// Failures since the last success.
    pub failures_in_a_row: u32,
    /// Calls turned away since the counts began.
    pub rejected: u32,
    /// Openings since the breaker was last closed.
    pub openings_in_a_row: u32,
    /// Share of failures from 0 to 1, once there are enough calls to say.
    pub failure_rate: Option<f64>,
    /// Share of slow calls from 0 to 1, once there are enough calls to say.
    pub slow_rate: Option<f64>,
}

/// One caller's breaker for one callee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    machine: Machine,
    /// Held by hand, for the libraries that have no such states of their own.
    held: Option<Held>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Machine {
    Consecutive(consecutive::Consecutive),
    Sliding(sliding::Sliding),
    Generations(generations::Generations),
    Ratio(ratio::Ratio),
    Sampling(sampling::Sampling),
    Snapshots(snapshots::Snapshots),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Held {
    Open,
    Disabled,
}

/// Calls the same method of whichever machine it is.
macro_rules! each {
    ($breaker:expr, $machine:ident => $call:expr) => {
        match $breaker {
            Machine::Consecutive($machine) => $call,
            Machine::Sliding($machine) => $call,
            Machine::Generations($machine) => $call,
            Machine::Ratio($machine) => $call,
            Machine::Sampling($machine) => $call,
            Machine::Snapshots($machine) => $call,
        }
    };
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: &BreakerSettings, now: Time) -> Breaker {
        let machine = match settings.clone() {
            BreakerSettings::Consecutive(settings) => {
                Machine::Consecutive(consecutive::Consecutive::new(settings, now))
            }
            BreakerSettings::Sliding(settings) => {
                Machine::Sliding(sliding::Sliding::new(settings, now))
            }
            BreakerSettings::Generations(settings) => {
                Machine::Generations(generations::Generations::new(settings, now))
            }
            BreakerSettings::Ratio(settings) => Machine::Ratio(ratio::Ratio::new(settings, now)),
            BreakerSettings::Sampling(settings) => {
                Machine::Sampling(sampling::Sampling::new(settings, now))
            }
            BreakerSettings::Snapshots(settings) => {
                Machine::Snapshots(snapshots::Snapshots::new(settings, now))
            }
        };
        Breaker { machine, held: None }
    }

    /// Asks whether a call may be sent. Whoever gets a permit must [`record`](Breaker::record)
    /// how the call ended.
    pub fn try_acquire(&mut self, now: Time) -> Result<Permit, Refused> {
        match self.held {
            Some(Held::Open) => Err(Refused::Open),
            Some(Held::Disabled) => Ok(Permit { generation: 0, started: now }),
            None => each!(&mut self.machine, m => m.try_acquire(now)),
        }
    }

    /// Reports how a permitted call ended and how long it took.
    pub fn record(&mut self, now: Time, permit: Permit, result: CallResult, took: Span) {
        if self.held.is_none() {
            each!(&mut self.machine, m => m.record(now, permit, result, took));
        }
    }

    /// What the breaker is doing, as of its last call or [`poll`](Breaker::poll).
    pub fn state(&self) -> BreakerState {
        match self.held {
            Some(Held::Open) => BreakerState::ForcedOpen,
            Some(Held::Disabled) => BreakerState::Disabled,
            None => each!(&self.machine, m => m.state()),
        }
    }

    /// Applies what the passing of time alone changes in this library when someone looks at it
    /// (gobreaker's window and open wait, Hystrix's snapshots), then says the state.
    pub fn poll(&mut self, now: Time) -> BreakerState {
        if self.held.is_none() {
            each!(&mut self.machine, m => m.poll(now));
        }
        self.state()
    }

    /// While open, the first instant at which a call can pass again.
    pub fn retry_at(&self) -> Option<Time> {
        match self.held {
            Some(_) => None,
            None => each!(&self.machine, m => m.retry_at()),
        }
    }

    /// While half-open, how many probes it has let out or counted, and how many it wants.
    pub fn probes(&self) -> Option<(u32, u32)> {
        match self.held {
            Some(_) => None,
            None => each!(&self.machine, m => m.probes_out()),
        }
    }

    /// Moves the breaker by hand. The four usual states and the two holds work for every kind,
    /// except where the library forbids the transition.
    pub fn force(&mut self, now: Time, to: Forced) -> Result<(), NoSuchTransition> {
        let result = each!(&mut self.machine, m => m.force(now, to));
        match (result, to) {
            (Some(result), _) => {
                if result.is_ok() {
                    self.held = None;
                }
                return result;
            }
            (None, Forced::ForcedOpen) => self.held = Some(Held::Open),
            (None, Forced::Disabled) => self.held = Some(Held::Disabled),
            (None, _) => return Err(NoSuchTransition),
        }
        Ok(())
    }

    /// The numbers for the inspector.
    pub fn summary(&self) -> BreakerSummary {
        each!(&self.machine, m => m.summary())
    }
}
