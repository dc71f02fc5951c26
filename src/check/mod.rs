//! Properties judged over what happened, in plain words, while it happens.
//!
//! To add one: a file here with a state that folds records and gives a [`Verdict`]; a variant of
//! [`Property`] and of `Check` with its arms here; its wire form in `scenario`.

pub mod acknowledged;
pub mod availability;
pub mod conservation;
pub mod conserved;
pub mod consistent;
pub mod converged;
mod deferred;
pub mod effects;
pub mod fresh;
pub mod history;
pub mod in_step;
pub mod latency;
mod leaderless;
#[cfg(test)]
mod leaderless_tests;
pub mod no_double_effect;
pub mod processed;
pub mod queues;
pub mod recovers;
pub mod recovery;
#[cfg(test)]
mod recovery_tests;
pub mod released;
#[cfg(test)]
mod tests;
pub mod visibility;
pub mod witness;

use self::effects::Shards;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::sim::trace::Record;
use crate::sim::world::World;
use acknowledged::Acknowledged;
use availability::Availability;
use conservation::Conservation;
use conserved::Conserved;
use consistent::Consistent;
use converged::Converged;
use fresh::{Bound, Fresh};
use history::operation::Operation;
use history::session::Guarantee;
use history::transcript::Transcript;
use in_step::{InStep, Side};
use latency::Latency;
use no_double_effect::NoDoubleEffect;
use processed::Processed;
use queues::Queues;
use recovers::Recovers;
use recovery::{Measured, Recovery};
use released::Released;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use visibility::Visibility;
use witness::{Case, Proof, Shown, Witness};

/// A property that a run should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Property {
    /// No change of data is made twice for the same intent.
    NoDoubleEffect,
    /// Whoever leads a store has every change that a client was told of.
    NoLostWrite,
    /// What all accounts hold together stays as it was.
    Conserved {
        /// What is missing for less than that does not count.
        settle: Span,
    },
    /// No item is locked by a transaction for longer.
    LocksReleased {
        /// Than that.
        within: Span,
    },
    /// Every message that a broker has acknowledged is worked on by each group of consumers.
    Processed {
        /// How soon.
        within: Span,
    },
    /// Two stores come to have changes for the same intents.
    InStep {
        /// One store.
        of: Side,
        /// The other.
        with: Side,
        /// How soon after the one the other has it.
        within: Span,
    },
    /// This share of reads sees every change acknowledged before they began, but for what may be
    /// missed.
    FreshReads {
        /// The share.
        at_least: Chance,
        /// What may be missed.
        bound: Bound,
    },
    /// So long after the last fault, what one replica holds is held by all.
    Converged {
        /// How long.
        within: Span,
    },
    /// What clients saw of each item can be explained by one order of what they did.
    Linearizable,
    /// What clients saw of all items can be explained by one order of what they did, in which each
    /// did its own in its order. What the clock says between two clients does not count.
    Sequential,
    /// A client reads what it has written.
    ReadYourWrites,
    /// A client never reads something older than it has read.
    MonotonicReads,
    /// The writes of a client take effect in its order.
    MonotonicWrites,
    /// What a client writes comes after what it has read.
    WritesFollowReads,
    /// This share of the intents that ended, ended well.
    Availability {
        /// The share.
        at_least: Chance,
    },
    /// This share of the intents that ended well took no longer than that.
    Latency {
        /// The share: 99% for p99.
        share: Chance,
        /// The longest time.
        below: Span,
    },
    /// After a disaster little is lost, and all is soon back.
    Recovery {
        /// The oldest acknowledged change that is lost is no older, if that is an objective.
        rpo: Option<Span>,
        /// How soon all is back, if that is an objective.
        rto: Option<Span>,
    },
    /// After the last fault goodput comes back, and stays.
    RecoversWithin {
        /// How soon.
        span: Span,
        /// To which share of what was offered before the first fault.
        share: Chance,
    },
}

/// Whether a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// So far, or for good.
    Holds,
    /// There is proof that it does not.
    Violated,
    /// It cannot be said yet.
    Unknown,
}

/// What is known of a property at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The property, in a few words.
    pub name: String,
    /// Whether it holds.
    pub state: State,
    /// Why, with numbers.
    pub sentence: String,
    /// The instant to look at: since when it is violated.
    pub at: Option<Time>,
    /// Intents that prove it, the first ones.
    pub intents: Vec<u64>,
    /// How many things violate it, of how many it was judged on, where that is countable.
    pub count: Option<(u64, u64)>,
}

/// So many intents are given as proof.
const PROOFS: usize = 8;

#[derive(Clone, Debug)]
enum Check {
    NoDoubleEffect(NoDoubleEffect),
    Acknowledged(Acknowledged),
    Conserved(Box<Conserved>),
    Released(Box<Released>),
    Processed(Box<Processed>),
    InStep(Box<InStep>),
    Fresh(Box<Fresh>),
    Converged(Box<Converged>),
    Consistent(Box<Consistent>),
    Availability(Availability),
    Latency(Latency),
    Recovers(Box<Recovers>),
    Recovery(Box<Recovery>),
}

#[derive(Clone, Debug)]
struct Judged {
    property: Property,
    check: Check,
    shown: Option<Arc<Shown>>,
}

/// The properties of a run, and two that every run of a sound engine has.
#[derive(Clone, Debug)]
pub struct Checks {
    checks: Vec<Judged>,
    groups: Vec<u16>,
    shards: Shards,
    /// What clients did, where a check asks for it.
    transcript: Option<Transcript>,
    /// What was done lately, where a violation is proved by operations.
    witness: Option<Witness>,
    trouble: Vec<(Time, Time)>,
    conservation: Conservation,
    queues: Queues,
    now: Time,
}

impl Checks {
    /// Of a run that has not begun. `groups` says for each node which group it belongs to: the
    /// stores of a group hold the same data, and those of [`Shards`] parts of the same.
    pub fn new(properties: &[Property], groups: Vec<u16>, shards: Shards) -> Checks {
        let mut checks = Checks {
            checks: Vec::new(),
            conservation: Conservation::default(),
            queues: Queues::new(groups.len()),
            groups,
            shards,
            transcript: None,
            witness: None,
            trouble: Vec::new(),
            now: Time::ZERO,
        };
        checks.configure(properties);
        checks
    }

    /// Takes other properties. One that was there before goes on, a new one judges what follows.
    pub fn configure(&mut self, properties: &[Property]) {
        let mut old = std::mem::take(&mut self.checks);
        for property in properties {
            let place = old.iter().position(|judged| judged.property == *property);
            let judged = match place {
                Some(place) => old.swap_remove(place),
                None => {
                    let (property, check) = (property.clone(), self.begin(property));
                    Judged { property, check, shown: None }
                }
            };
            self.checks.push(judged);
        }
        if self.witness.is_none() && self.checks.iter().any(|judged| judged.check.has_cases()) {
            self.witness = Some(Witness::new(&self.groups, self.shards.clone()));
        }
        if self.transcript.is_none() && self.consistent().next().is_some() {
            self.transcript = Some(Transcript::new(&self.groups));
        }
    }

    /// Keeps the whole history from now on, for [`Checks::operations`].
    pub fn keep_history(&mut self) {
        let new = || Transcript::new(&self.groups);
        self.transcript.get_or_insert_with(new).keep_all();
    }

    /// What clients did lately, where a check asks for that.
    pub fn operations(&self) -> Vec<Operation> {
        self.transcript.as_ref().map(Transcript::operations).unwrap_or_default()
    }

    /// Those checks that judge what clients did.
    pub fn consistent(&self) -> impl Iterator<Item = &Consistent> {
        self.checks.iter().filter_map(|judged| match &judged.check {
            Check::Consistent(check) => Some(&**check),
            _ => None,
        })
    }

    /// How soon reads see what was acknowledged, where a check asks for that.
    pub fn visibility(&self) -> Option<&Visibility> {
        self.checks.iter().find_map(|judged| match &judged.check {
            Check::Fresh(check) => Some(check.visibility()),
            _ => None,
        })
    }

    /// What a disaster has cost, where a check asks for that.
    pub fn recovery(&self) -> Option<Measured> {
        self.checks.iter().find_map(|judged| match &judged.check {
            Check::Recovery(check) => check.measured(),
            _ => None,
        })
    }

    fn begin(&self, property: &Property) -> Check {
        match property.clone() {
            Property::NoDoubleEffect => {
                Check::NoDoubleEffect(NoDoubleEffect::new(&self.groups, self.shards.clone()))
            }
            Property::NoLostWrite => Check::Acknowledged(Acknowledged::new(&self.groups)),
            Property::Conserved { settle } => {
                Check::Conserved(Box::new(Conserved::new(&self.groups, settle)))
            }
            Property::LocksReleased { within } => Check::Released(Box::new(Released::new(within))),
            Property::Processed { within } => Check::Processed(Box::new(Processed::new(within))),
            Property::InStep { of, with, within } => {
                Check::InStep(Box::new(InStep::new(of, with, within)))
            }
            Property::FreshReads { at_least, bound } => {
                Check::Fresh(Box::new(Fresh::new(at_least, bound, &self.groups)))
            }
            Property::Converged { within } => {
                Check::Converged(Box::new(Converged::new(within, &self.groups)))
            }
            Property::Linearizable => Check::Consistent(Box::new(Consistent::linearizable())),
            Property::Sequential => Check::Consistent(Box::new(Consistent::sequential())),
            Property::ReadYourWrites => self.session(Guarantee::ReadYourWrites),
            Property::MonotonicReads => self.session(Guarantee::MonotonicReads),
            Property::MonotonicWrites => self.session(Guarantee::MonotonicWrites),
            Property::WritesFollowReads => self.session(Guarantee::WritesFollowReads),
            Property::Availability { at_least } => Check::Availability(Availability::new(at_least)),
            Property::Latency { share, below } => Check::Latency(Latency::new(share, below)),
            Property::Recovery { rpo, rto } => {
                Check::Recovery(Box::new(Recovery::new(rpo, rto, &self.groups)))
            }
            Property::RecoversWithin { span, share } => {
                let mut recovers = Recovers::new(span, share);
                self.trouble.iter().for_each(|&(from, until)| recovers.trouble(from, until));
                Check::Recovers(Box::new(recovers))
            }
        }
    }

    fn session(&self, guarantee: Guarantee) -> Check {
        Check::Consistent(Box::new(Consistent::session(guarantee)))
    }

    /// There is trouble between two instants that no record tells of: a load spike, say.
    pub fn trouble(&mut self, from: Time, until: Time) {
        self.trouble.push((from, until));
        for judged in &mut self.checks {
            if let Check::Recovers(recovers) = &mut judged.check {
                recovers.trouble(from, until);
            }
        }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        self.queues.fold(record);
        let checks = &mut self.checks;
        if let Some(transcript) = &mut self.transcript {
            transcript.fold(record, &mut |event, recent| {
                for judged in &mut *checks {
                    if let Check::Consistent(check) = &mut judged.check {
                        check.fold(event, recent);
                    }
                }
            });
        }
        if let Some(witness) = &mut self.witness {
            witness.fold(record);
        }
        for judged in checks {
            match &mut judged.check {
                Check::NoDoubleEffect(check) => check.fold(record),
                Check::Acknowledged(check) => check.fold(record),
                Check::Conserved(check) => check.fold(record),
                Check::Released(check) => check.fold(record),
                Check::Processed(check) => check.fold(record),
                Check::InStep(check) => check.fold(record),
                Check::Fresh(check) => check.fold(record),
                Check::Converged(check) => check.fold(record),
                Check::Consistent(_) => {}
                Check::Availability(check) => check.fold(record),
                Check::Latency(check) => check.fold(record),
                Check::Recovers(check) => check.fold(record),
                Check::Recovery(check) => check.fold(record),
            }
        }
    }

    /// Looks at the world as it is now, between events; now and then is enough.
    pub fn close(&mut self, world: &World<Role>) {
        self.now = world.shared.now;
        self.conservation.close(world);
        for judged in &mut self.checks {
            match &mut judged.check {
                Check::Acknowledged(check) => check.close(world),
                Check::Conserved(check) => check.close(world),
                Check::Released(check) => check.close(world),
                Check::Converged(check) => check.close(world, self.witness.as_ref()),
                Check::Recovery(check) => check.close(world),
                Check::Processed(check) => check.pass(self.now),
                Check::InStep(check) => check.pass(self.now),
                _ => {}
            }
        }
        self.refresh(self.now);
        let Some(witness) = &self.witness else { return };
        for judged in &mut self.checks {
            Shown::look(&mut judged.shown, judged.check.case(), witness, self.now);
        }
    }

    /// Lets time pass without looking at the world.
    pub fn refresh(&mut self, now: Time) {
        self.now = now;
        for judged in &mut self.checks {
            match &mut judged.check {
                Check::Recovers(check) => check.pass(now),
                Check::Recovery(check) => check.pass(now),
                _ => {}
            }
        }
    }

    /// What is known of the properties of the run, in their order.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |judged: &Judged| match &judged.check {
            Check::NoDoubleEffect(check) => check.verdict(),
            Check::Acknowledged(check) => check.verdict(),
            Check::Conserved(check) => check.verdict(),
            Check::Released(check) => check.verdict(),
            Check::Processed(check) => check.verdict(),
            Check::InStep(check) => check.verdict(),
            Check::Fresh(check) => check.verdict(),
            Check::Converged(check) => check.verdict(),
            Check::Consistent(check) => check.verdict(),
            Check::Availability(check) => check.verdict(),
            Check::Latency(check) => check.verdict(),
            Check::Recovers(check) => check.verdict(),
            Check::Recovery(check) => check.verdict(),
        };
        self.checks.iter().map(verdict).collect()
    }

    /// What proves that a property is violated: of each, in the order of their verdicts. None of
    /// one that holds, that no few operations prove, or of which they are forgotten.
    pub fn proofs(&self) -> impl Iterator<Item = Option<&Proof>> {
        self.checks.iter().map(|judged| judged.shown.as_ref().and_then(|shown| shown.proof()))
    }

    /// What is known of the engine itself: every message has one fate, every queue adds up.
    pub fn self_checks(&self) -> Vec<Verdict> {
        vec![self.conservation.verdict(), self.queues.verdict(self.now)]
    }
}

impl Check {
    /// True if operations prove that it is violated.
    fn has_cases(&self) -> bool {
        match self {
            Check::NoDoubleEffect(_)
            | Check::Acknowledged(_)
            | Check::Conserved(_)
            | Check::Released(_)
            | Check::Processed(_)
            | Check::InStep(_)
            | Check::Fresh(_)
            | Check::Converged(_)
            | Check::Consistent(_) => true,
            Check::Availability(_)
            | Check::Latency(_)
            | Check::Recovers(_)
            | Check::Recovery(_) => false,
        }
    }

    /// What it holds against the run, if anything.
    fn case(&self) -> Option<Case> {
        match self {
            Check::NoDoubleEffect(check) => check.case(),
            Check::Acknowledged(check) => check.case(),
            Check::Conserved(check) => check.case(),
            Check::Released(check) => check.case(),
            Check::Processed(check) => check.case(),
            Check::InStep(check) => check.case(),
            Check::Fresh(check) => check.case(),
            Check::Converged(check) => check.case(),
            Check::Consistent(check) => check.case(),
            Check::Availability(_)
            | Check::Latency(_)
            | Check::Recovers(_)
            | Check::Recovery(_) => None,
        }
    }
}
