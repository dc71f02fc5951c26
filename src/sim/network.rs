//! Links: one direction between two nodes, with a latency, and a chance to lose or duplicate.
//! What faults do to a link is kept apart from what the link is, so that healing restores it.

use crate::base::dist::Dist;
use crate::base::id::{LinkId, NodeId};
use crate::base::random::Stream;
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};

/// Microseconds.
const SECOND: u64 = 1_000_000;

/// What a link is like without faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkSettings {
    /// How long a message takes.
    pub latency: Dist,
    /// The chance that a message is lost.
    pub loss: Chance,
    /// The chance that a message arrives twice.
    pub duplication: Chance,
}

impl Default for LinkSettings {
    fn default() -> Self {
        LinkSettings { latency: Dist::ZERO, loss: Chance::NEVER, duplication: Chance::NEVER }
    }
}

/// What the active faults add to a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// No message gets through.
    pub cut: bool,
    /// Messages wait at the cut and go on when it heals, as a connection that resends does.
    pub hold: bool,
    /// Added to the latency.
    pub latency: Span,
    /// An independent chance of loss.
    pub loss: Chance,
    /// An independent chance of duplication.
    pub duplication: Chance,
}

/// One direction between two nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Link {
    /// Where messages enter.
    pub source: NodeId,
    /// Where they leave.
    pub target: NodeId,
    /// What it is like without faults.
    pub settings: LinkSettings,
    /// What the active faults add.
    pub trouble: Trouble,
    /// Messages on it now.
    pub in_flight: u32,
    /// Messages that have entered it, copies by the network included.
    pub sent: u64,
    /// How many of them lately.
    pub lately: Lately,
    // One stream for each question, so that a lossy link has the latencies of a reliable one.
    latency: Stream,
    loss: Stream,
    duplication: Stream,
}

/// What is counted by the second, this one and the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lately {
    second: u32,
    here: u32,
    before: u32,
}

impl Lately {
    pub(super) fn count(&mut self, now: Time) {
        *self = self.at(now);
        self.here = self.here.saturating_add(1);
    }

    fn at(self, now: Time) -> Lately {
        let second = (now.0 / SECOND) as u32;
        match second.saturating_sub(self.second) {
            0 => self,
            1 => Lately { second, here: 0, before: self.here },
            _ => Lately { second, here: 0, before: 0 },
        }
    }

    /// How many came in the last second: those of this one, and of the one before as large a
    /// share as it has in it.
    pub fn per_second(self, now: Time) -> u32 {
        let Lately { here, before, .. } = self.at(now);
        let share = (SECOND - now.0 % SECOND) * u64::from(before) / SECOND;
        here.saturating_add(share as u32)
    }
}

impl Link {
    pub(super) fn draw_loss(&mut self) -> Option<f64> {
        let chance = self.settings.loss.or(self.trouble.loss);
        (chance.0 > 0 && self.loss.chance(chance)).then(|| self.loss.unit())
    }

    pub(super) fn draw_copy(&mut self) -> bool {
        let chance = self.settings.duplication.or(self.trouble.duplication);
        chance.0 > 0 && self.duplication.chance(chance)
    }

    pub(super) fn draw_latency(&mut self) -> Span {
        self.settings.latency.sample(&mut self.latency) + self.trouble.latency
    }
}

/// All links, found by their two ends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Network {
    /// In id order.
    pub links: Vec<Link>,
    // For each source, its targets in order.
    routes: Vec<Vec<(NodeId, LinkId)>>,
}

impl Network {
    pub(super) fn add(
        &mut self,
        seed: u64,
        source: NodeId,
        target: NodeId,
        settings: LinkSettings,
    ) -> LinkId {
        let id = LinkId(self.links.len() as u32);
        // Named by its ends, so that another link elsewhere does not change its draws.
        let number = (u64::from(source.0) << 32) | u64::from(target.0);
        self.links.push(Link {
            source,
            target,
            settings,
            trouble: Trouble::default(),
            in_flight: 0,
            sent: 0,
            lately: Lately::default(),
            latency: Stream::new(seed, "link latency", number),
            loss: Stream::new(seed, "link loss", number),
            duplication: Stream::new(seed, "link duplication", number),
        });
        if self.routes.len() <= source.index() {
            self.routes.resize(source.index() + 1, Vec::new());
        }
        let routes = &mut self.routes[source.index()];
        let place = routes.partition_point(|&(node, _)| node < target);
        routes.insert(place, (target, id));
        id
    }

    /// The link from `source` to `target`, if there is one.
    pub fn route(&self, source: NodeId, target: NodeId) -> Option<LinkId> {
        let routes = self.routes.get(source.index())?;
        let place = routes.binary_search_by_key(&target, |&(node, _)| node).ok()?;
        Some(routes[place].1)
    }

    /// The nodes that `source` has a link to, in order.
    pub fn neighbours(&self, source: NodeId) -> impl Iterator<Item = NodeId> {
        self.routes.get(source.index()).into_iter().flatten().map(|&(node, _)| node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_lately_is_counted_over_a_second() {
        let mut lately = Lately::default();
        for n in 0..100 {
            lately.count(Time(n * 20_000));
        }
        assert_eq!(lately.per_second(Time(1_999_999)), 50);
        assert_eq!(lately.per_second(Time(2_500_000)), 25);
        assert_eq!(lately.per_second(Time(3_100_000)), 0);
        assert_eq!(Lately::default().per_second(Time(7)), 0);
    }
}
