//! What sentences need to know besides the event: names, what each call stack calls, when its
//! breaker opens, and where links lead.

use super::cast::Cast;
use super::frame::Kind;
use crate::base::id::{LinkId, NodeId};
use crate::base::time::Span;
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::protocol::policy::breaker::BreakerSettings;
use crate::protocol::policy::breaker::generations::TripRule;
use crate::protocol::policy::breaker::ratio::FailureRule;
use crate::protocol::policy::breaker::sliding::SlidingWindow;
use crate::sim::world::World;

/// Names and settings in words; made once, and again when settings change.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Who is on the stage.
    pub cast: Cast,
    stacks: Vec<Vec<Stack>>,
    links: Vec<(NodeId, NodeId)>,
}

/// A call stack in words.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// Whom it calls.
    pub target: String,
    /// Why its breaker opens, if it has one.
    pub opens: Option<String>,
    /// How long an open breaker waits.
    pub wait: Span,
    /// How many breakers there are.
    pub breakers: u32,
}

impl Scene {
    /// Of a world as it is set up now.
    pub fn new(cast: &Cast, world: &World<Role>) -> Scene {
        let stacks = |role: &Role| {
            let stack = |caller: &crate::protocol::caller::Caller| Stack {
                target: cast.name_all(&caller.settings.targets),
                opens: caller.settings.breaker.as_ref().map(opens),
                wait: caller
                    .settings
                    .breaker
                    .as_ref()
                    .map_or(Span::ZERO, BreakerSettings::cooldown),
                breakers: caller.breakers().count() as u32,
            };
            let group = |group: &crate::protocol::broker::group::GroupSettings| Stack {
                target: cast.name_all(&group.targets),
                ..Stack::default()
            };
            match role {
                Role::Broker(broker) => broker.settings.groups.iter().map(group).collect(),
                _ => role.callers().iter().map(stack).collect(),
            }
        };
        Scene {
            cast: cast.clone(),
            stacks: world.processes.iter().map(stacks).collect(),
            links: world.shared.network.links.iter().map(|l| (l.source, l.target)).collect(),
        }
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        self.cast.name(node)
    }

    /// Who acts when a node does: the node, or one client of a population.
    pub fn actor(&self, node: NodeId) -> String {
        match self.cast.members.get(node.index()).map(|m| m.kind) {
            Some(Kind::Clients) => format!("a client of {}", self.name(node)),
            _ => self.name(node).to_owned(),
        }
    }

    /// A call stack of a node.
    pub fn stack(&self, node: NodeId, stack: u8) -> Option<&Stack> {
        self.stacks.get(node.index())?.get(usize::from(stack))
    }

    /// Whom a node calls, if it has a single call stack.
    pub fn only_target(&self, node: NodeId) -> Option<&str> {
        match self.stacks.get(node.index())?.as_slice() {
            [one] => Some(&one.target),
            _ => None,
        }
    }

    /// Where a link comes from and where it leads.
    pub fn ends(&self, link: LinkId) -> Option<(NodeId, NodeId)> {
        self.links.get(link.index()).copied()
    }
}

/// Why a breaker of these settings opens, in words that follow "because".
fn opens(settings: &BreakerSettings) -> String {
    let share = |ratio: f64| Chance((ratio * 1e6).round() as u32).to_string();
    match settings {
        BreakerSettings::Consecutive(s) => format!("{} failures in a row", s.failures),
        BreakerSettings::Sliding(s) => {
            let window = match s.window {
                SlidingWindow::Calls(n) => format!("the last {n} calls"),
                SlidingWindow::Seconds(n) => format!("the calls of the last {n} s"),
            };
            format!("{} or more of {window} failed or were slow", share(s.failure_rate.as_f64()))
        }
        BreakerSettings::Generations(s) => match s.trip {
            TripRule::Consecutive(n) => format!("{} failures in a row", u64::from(n) + 1),
            TripRule::Ratio { minimum, ratio } => {
                format!("{} or more of at least {minimum} calls failed", share(ratio))
            }
        },
        BreakerSettings::Ratio(s) => match s.failures {
            FailureRule::Count { failures, of } => {
                format!("{failures} of the last {of} calls failed")
            }
            FailureRule::CountWithin { failures, period, .. } => {
                format!("{failures} calls failed within {period}")
            }
            FailureRule::RateWithin { rate, period, .. } => {
                format!("{rate} of the calls within {period} failed")
            }
        },
        BreakerSettings::Sampling(s) => {
            format!("{} of the calls within {} failed", share(s.failure_ratio), s.sampling)
        }
        BreakerSettings::Snapshots(s) => {
            format!("{}% of the calls within {} failed", s.error_percent, s.window)
        }
    }
}
