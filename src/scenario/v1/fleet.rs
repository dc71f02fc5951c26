//! A fleet, as people write it: how many replicas of a service run.

use super::dist::Dist;
use crate::base::time::Span;
use crate::base::unit::Chance;

wire! {
    /// Decides how many replicas of a service run, by asking them how busy they are. It tells them
    /// to start and to stop, and the balancers before them who serves.
    pub struct Fleet {
        /// The service. Its `replicas` are the most that can run.
        of: String = String::new();
        /// How many run in the beginning; none is all.
        start: Option<u32> = None, 1 ..= 500;
        /// How long a replica takes to start: from the order until it serves.
        start_up: Dist = Dist::Constant(Span::secs(30));
        /// How long a replica that stops may take to finish what it has.
        drain: Span = Span::secs(10);
        /// How often it asks its replicas how they are.
        every: Span = Span::secs(15);
        /// How long it waits for their answers.
        patience: Span = Span::millis(500);
        /// Whether it changes how many run; none keeps as many as in the beginning.
        scale: Option<Scale> = None;
        /// Whether a new version comes. While it does, the size stays as it is.
        deploy: Option<Deploy> = None;
    }
}

wire! {
    /// How many should run: as many as run, times the share of workers that are busy, by the share
    /// that should be (the rule of the Kubernetes HorizontalPodAutoscaler).
    pub struct Scale {
        /// No fewer than that.
        min: u32 = 1, 1 ..= 500;
        /// The share of workers that should be busy.
        target: Chance = Chance(600_000);
        /// Nothing is done while usage is off by no more than this share of the target.
        tolerance: Chance = Chance(100_000);
        /// It scales up to the least that was desired for so long.
        settle_up: Span = Span::ZERO;
        /// It scales down to the most that was desired for so long.
        settle_down: Span = Span::secs(300);
    }
}

wire! {
    /// A new version comes to a few replicas at a time. They finish what they have, start anew, and
    /// serve it.
    pub struct Deploy {
        /// When it begins.
        at: Span = Span::secs(10);
        /// How many replicas at once.
        batch: u32 = 1, 1 ..= 500;
        /// With a gate, how long a batch is watched while it serves before the next; without, the
        /// time between two batches, whatever becomes of the first.
        wait: Span = Span::secs(10);
        /// What a batch must show before the next; none looks at nothing.
        gate: Option<Gate> = None;
        /// The new version.
        version: Version = Version::default();
    }
}

wire! {
    /// What a new version must show. One that does not is taken back everywhere. Of what too few
    /// answers show nothing is concluded: choose a `wait` in which a batch gives enough.
    pub struct Gate {
        /// How often the replicas that have it are asked how they are.
        interval: Span = Span::secs(1);
        /// No more than this share of their answers may be errors, from the 20th answer on.
        errors: Chance = Chance(50_000);
        /// A batch must serve within that time.
        deadline: Span = Span::secs(60);
    }
}

wire! {
    /// What is different in another version of a service.
    pub struct Version {
        /// The chance that the work fails.
        error: Chance = Chance::NEVER;
        /// How long the work for one request takes; none is as long as before.
        time: Option<Dist> = None;
        /// Whether it comes to serve at all.
        starts: bool = true;
    }
}
