//! The first version of the scenario format: what files, presets and links hold.
//!
//! Every field may be absent and then has the default written beside it here. Those defaults are
//! part of the version: a changed default needs a second version and a conversion that writes
//! the old value out. Quantities are text with a unit (`250ms`, `20/s`, `1%`), things are named,
//! and choices are `{"name": {...}}`.

#[macro_use]
pub mod wire;

#[macro_use]
pub mod calling;
#[macro_use]
pub mod station;

pub mod backup;
pub mod breaker;
pub mod broker;
pub mod cache;
pub mod dist;
pub mod domain;
pub mod fleet;
pub mod node;
pub mod policy;
pub mod router;
pub mod store;

use crate::base::time::Span;
use crate::base::unit::Chance;
use dist::Dist;
use domain::{Distances, Domain, Prices};
use node::Node;
use wire::named::Named;

wire! {
    /// A run of netsplit: what there is, what goes wrong, and what should hold.
    pub struct Scenario {
        /// The version of this format.
        version: u32 = 1, 1 ..= 1;
        /// What it is called.
        title: String = String::new();
        /// Chooses all random draws: the same seed gives the same run.
        seed: u64 = 1;
        /// How long the run is.
        duration: Span = Span::secs(60);
        /// What runs, by name. Names are small letters, digits and hyphens.
        nodes: Named<Node> = Named::default();
        /// What every link is like that is not listed.
        network: Network = Network::default();
        /// Links that differ, by their ends: `a~b` both ways, `a~~b` from a to b only.
        links: Named<Link> = Named::default();
        /// Failure domains, by name: regions, zones in them, hosts in those.
        domains: Named<Domain> = Named::default();
        /// Which domains nodes run in, by the name of a node or group. The replicas of a group are
        /// dealt out to its domains in turn. What is placed nowhere is outside of all.
        placement: Named<Vec<String>> = Named::default();
        /// How long messages take between nodes that are placed.
        distances: Distances = Distances::default();
        /// What things cost.
        prices: Prices = Prices::default();
        /// What goes wrong.
        faults: Vec<Fault> = Vec::new();
        /// What should hold.
        checks: Vec<Check> = Vec::new();
        /// How it is shown; changes nothing of the run.
        view: View = View::default();
    }
}

wire! {
    /// What every link is like.
    pub struct Network {
        /// How long a message takes.
        latency: Dist = Dist::Uniform(Span::micros(500), Span::micros(1_500));
        /// The chance that a message is lost.
        loss: Chance = Chance::NEVER;
        /// The chance that a message arrives twice.
        duplication: Chance = Chance::NEVER;
    }
}

wire! {
    /// A link that differs from the rest of the network.
    pub struct Link {
        /// How long a message takes.
        latency: Option<Dist> = None;
        /// The chance that a message is lost.
        loss: Option<Chance> = None;
        /// The chance that a message arrives twice.
        duplication: Option<Chance> = None;
    }
}

wire! {
    /// Something that goes wrong: when, for how long, and exactly one of the kinds.
    pub struct Fault {
        /// When it begins.
        at: Option<Span> = None;
        /// Or after what.
        when: Option<When> = None;
        /// How long it lasts; none lasts until somebody heals it.
        r#for: Option<Span> = None;
        /// Links that carry nothing.
        cut: Option<Cut> = None;
        /// Sides that cannot reach each other; a node on no side reaches everyone.
        partition: Option<Vec<Vec<String>>> = None;
        /// Links that are slow, lossy or repeat messages.
        gray: Option<Gray> = None;
        /// Links that are cut and healed again and again.
        flap: Option<Flap> = None;
        /// A node, or all of a domain, that loses what it holds in memory and answers nothing.
        crash: Option<String> = None;
        /// A node, or all of a domain, that stands still and keeps everything; what arrives waits.
        pause: Option<String> = None;
        /// A node whose work takes longer.
        slow: Option<Slow> = None;
        /// A node whose clock is wrong.
        clock: Option<Clock> = None;
        /// A node whose disk is slow.
        slow_disk: Option<SlowDisk> = None;
        /// Clients who want more than usual.
        surge: Option<SurgeOf> = None;
        /// Nodes or domains that break and are repaired again and again, at random.
        breaks: Option<Breaks> = None;
    }
}

wire! {
    /// Begins a fault when something has happened so many times.
    pub struct When {
        /// What.
        mark: Mark = Mark::Applied;
        /// How many times.
        nth: u64 = 1, 1 ..= 2_000_000_000;
    }
}

wire! {
    /// Something that happens in a run.
    pub enum Mark {
        /// A store changed data.
        Applied;
        /// A client got what it wanted.
        Succeeded;
        /// A client did not.
        Failed;
        /// A breaker opened.
        Opened;
    }
}

wire! {
    /// Links that carry nothing.
    pub struct Cut {
        /// Which: `a~b`, `a~~b`.
        links: Vec<String> = Vec::new();
        /// Messages wait at the cut and go on when it heals, as a connection that sends again does.
        hold: bool = false;
    }
}

wire! {
    /// Links that are not quite broken.
    pub struct Gray {
        /// Which: `a~b`, `a~~b`.
        links: Vec<String> = Vec::new();
        /// Added to the latency.
        latency: Span = Span::ZERO;
        /// Added chance of loss.
        loss: Chance = Chance::NEVER;
        /// Added chance that a message arrives twice.
        duplication: Chance = Chance::NEVER;
    }
}

wire! {
    /// Links that come and go.
    pub struct Flap {
        /// Which: `a~b`, `a~~b`.
        links: Vec<String> = Vec::new();
        /// How long each cut lasts.
        down: Span = Span::secs(1);
        /// How long the links stay whole in between.
        up: Span = Span::secs(1);
    }
}

wire! {
    /// A node whose work takes longer.
    pub struct Slow {
        /// Which: a node, a group, or `name*`.
        node: String = String::new();
        /// How many times as long.
        factor: f64 = 5.0, 0.001 ..= 1_000_000;
    }
}

wire! {
    /// A node whose clock is wrong.
    pub struct Clock {
        /// Which: a node, a group, or `name*`.
        node: String = String::new();
        /// It jumps ahead.
        ahead: Span = Span::ZERO;
        /// It jumps back.
        behind: Span = Span::ZERO;
        /// Microseconds it gains each second; it loses some when below zero.
        drift_ppm: i64 = 0;
    }
}

wire! {
    /// A node whose disk is slow.
    pub struct SlowDisk {
        /// Which: a node, a group, or `name*`.
        node: String = String::new();
        /// Added to each write.
        extra: Span = Span::millis(100);
    }
}

wire! {
    /// Clients who want more than usual.
    pub struct SurgeOf {
        /// Which clients.
        node: String = String::new();
        /// How many times as much.
        factor: f64 = 2.0, 0 ..= 1_000;
    }
}

wire! {
    /// Nodes or domains that break and are repaired again and again, at random, each by itself.
    pub struct Breaks {
        /// Which: each node, and each domain as a whole.
        of: Vec<String> = Vec::new();
        /// How long each works before it breaks: the mean is the MTTF.
        after: Dist = Dist::Exponential(Span::secs(60));
        /// How long it is broken: the mean is the MTTR.
        repair: Dist = Dist::Exponential(Span::secs(5));
    }
}

wire! {
    /// Something that should hold.
    pub enum Check {
        /// No request is applied twice.
        NoDoubleEffect(NoDoubleEffect) = "no_double_effect";
        /// No change that was acknowledged is lost.
        NoLostWrite(NoLostWrite) = "no_lost_write";
        /// Money only changes hands.
        Conserved(Conserved) = "conserved";
        /// No item stays locked by a transaction.
        LocksReleased(LocksReleased) = "locks_released";
        /// Messages of brokers are worked on.
        Processed(Processed) = "processed";
        /// Two stores come to have the changes of the same requests.
        InStep(InStep) = "in_step";
        /// Reads see what was acknowledged before they began.
        FreshReads(FreshReads) = "fresh_reads";
        /// Replicas come to hold the same after the last fault.
        Converged(Converged) = "converged";
        /// What clients saw of each item can be explained by one order of what they did.
        Linearizable(Linearizable) = "linearizable";
        /// What clients saw of all items can be explained by one order of what they did, in which
        /// each did its own in its order. At most some thousand requests are judged.
        Sequential(Sequential) = "sequential";
        /// A client reads what it has written.
        ReadYourWrites(ReadYourWrites) = "read_your_writes";
        /// A client never reads something older than it has read.
        MonotonicReads(MonotonicReads) = "monotonic_reads";
        /// The writes of a client take effect in its order.
        MonotonicWrites(MonotonicWrites) = "monotonic_writes";
        /// What a client writes comes after what it has read.
        WritesFollowReads(WritesFollowReads) = "writes_follow_reads";
        /// Enough requests end well.
        Availability(Availability) = "availability";
        /// Answers come soon enough.
        Latency(Latency) = "latency";
        /// Requests end well again soon after the last fault has ended.
        RecoversWithin(RecoversWithin) = "recovers_within";
        /// After a disaster little is lost, and requests soon end well again.
        Recovery(Recovery) = "recovery";
        /// Every message meets exactly one end.
        Conservation(Conservation) = "conservation";
    }
}

wire! {
    /// No request is applied twice.
    pub struct NoDoubleEffect {}
}

wire! {
    /// What clients saw of each item can be explained by one order of what they did.
    pub struct Linearizable {}
}

wire! {
    /// What clients saw of all items can be explained by one order of what they did, in which
    /// each did its own in its order. At most some thousand requests are judged.
    pub struct Sequential {}
}

wire! {
    /// A client reads what it has written.
    pub struct ReadYourWrites {}
}

wire! {
    /// A client never reads something older than it has read.
    pub struct MonotonicReads {}
}

wire! {
    /// The writes of a client take effect in its order.
    pub struct MonotonicWrites {}
}

wire! {
    /// What a client writes comes after what it has read.
    pub struct WritesFollowReads {}
}

wire! {
    /// Every message meets exactly one end.
    pub struct Conservation {}
}

wire! {
    /// No change that was acknowledged is lost.
    pub struct NoLostWrite {}
}

wire! {
    /// Money only changes hands.
    pub struct Conserved {
        /// What is missing for less than that is only on its way.
        settle: Span = Span::secs(5);
    }
}

wire! {
    /// No item stays locked by a transaction.
    pub struct LocksReleased {
        /// For longer than that.
        within: Span = Span::secs(5);
    }
}

wire! {
    /// Messages of brokers are worked on.
    pub struct Processed {
        /// How soon after they were acknowledged to their publisher.
        within: Span = Span::secs(30);
    }
}

wire! {
    /// Two stores come to have the changes of the same requests.
    pub struct InStep {
        /// One store.
        of: String = String::new();
        /// The other.
        with: String = String::new();
        /// How soon after the one the other has it, whichever is first.
        within: Span = Span::secs(10);
    }
}

wire! {
    /// Reads see what was acknowledged before they began.
    pub struct FreshReads {
        /// The share that must.
        at_least: Chance = Chance::ALWAYS;
        /// They may miss what was acknowledged no longer than this before they began.
        within: Span = Span::ZERO;
        /// Of the changes acknowledged earlier, they may miss so many.
        versions: u32 = 0, 0 ..= 31;
    }
}

wire! {
    /// Replicas come to hold the same after the last fault.
    pub struct Converged {
        /// How soon.
        within: Span = Span::secs(5);
    }
}

wire! {
    /// Enough requests end well.
    pub struct Availability {
        /// The share that must.
        at_least: Chance = Chance(990_000);
    }
}

wire! {
    /// Answers come soon enough.
    pub struct Latency {
        /// Which share of answers, in percent: 99 is all but the slowest in a hundred.
        percentile: f64 = 99.0, 0.0001 ..= 100;
        /// How soon.
        below: Span = Span::secs(1);
    }
}

wire! {
    /// Requests end well again soon after the last fault has ended.
    pub struct RecoversWithin {
        /// How soon.
        span: Span = Span::secs(5);
        /// How much of what was offered before the first fault ends well again.
        share: Chance = Chance(950_000);
    }
}

wire! {
    /// After a disaster little is lost, and requests soon end well again. The disaster is the
    /// first fault, deletion of everything or write of nonsense.
    pub struct Recovery {
        /// The oldest acknowledged change that is lost was made no longer than this before it;
        /// none is no objective.
        rpo: Option<Span> = None;
        /// How soon after it everything is back; none is no objective.
        rto: Option<Span> = None;
    }
}

wire! {
    /// How a scenario is shown.
    pub struct View {
        /// Seconds of the run per second of watching.
        speed: f64 = 1.0, 0 ..= 1_000;
        /// Where nodes stand in the unit square, x to the right and y down; the rest finds its
        /// own place.
        places: Named<(f64, f64)> = Named::default();
        /// How far nodes were moved from there by hand, in shares of the stage.
        moved: Named<(f64, f64)> = Named::default();
    }
}

#[cfg(test)]
mod tests;
