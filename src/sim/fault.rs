//! What goes wrong. A fault is a small value; what the active faults do to links and nodes is
//! computed from all of them each time one begins or ends, so healing restores what was changed.
//!
//! To add one: a variant of [`Fault`], its arms in `links`, `trouble` and `node_trouble` here, and
//! its wire form in `scenario`.

use super::clock::Skew;
use super::network::{Network, Trouble};
use crate::base::id::{FaultId, LinkId, NodeId};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};

/// Something that goes wrong with links or nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// These directions carry nothing. With `hold`, messages wait and go on when it heals.
    Cut {
        /// The directions.
        links: Vec<(NodeId, NodeId)>,
        /// Whether messages wait at the cut.
        hold: bool,
    },
    /// Nodes of different sides cannot reach each other; nodes on no side reach everyone.
    Partition {
        /// The sides.
        sides: Vec<Vec<NodeId>>,
    },
    /// These directions are slow and lossy.
    Gray {
        /// The directions.
        links: Vec<(NodeId, NodeId)>,
        /// Added to the latency.
        latency: Span,
        /// Added chance of loss.
        loss: Chance,
        /// Added chance of duplication.
        duplication: Chance,
    },
    /// These directions are cut and healed again and again.
    Flap {
        /// The directions.
        links: Vec<(NodeId, NodeId)>,
        /// How long each cut lasts.
        down: Span,
        /// How long each link stays whole in between.
        up: Span,
    },
    /// The node loses what is volatile and answers nothing.
    Crash {
        /// The node.
        node: NodeId,
    },
    /// The node does nothing and keeps everything; what arrives waits.
    Pause {
        /// The node.
        node: NodeId,
    },
    /// The node's work takes longer.
    Slow {
        /// The node.
        node: NodeId,
        /// Thousandths: 5000 is five times slower.
        factor: u32,
    },
    /// The node's clock jumps and drifts.
    Clock {
        /// The node.
        node: NodeId,
        /// The jump, in microseconds.
        offset_us: i64,
        /// Microseconds gained per second.
        drift_ppm: i64,
    },
    /// The node's synced disk writes take longer.
    SlowDisk {
        /// The node.
        node: NodeId,
        /// Added to each write.
        extra: Span,
    },
}

/// A fault that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// Its number.
    pub id: FaultId,
    /// What it is.
    pub fault: Fault,
    /// Since when.
    pub since: Time,
    /// Until when, if it ends by itself.
    pub until: Option<Time>,
    /// The links it still affects: one mended by hand is taken out.
    pub links: Vec<LinkId>,
    /// Whether a flapping link is down now.
    pub down: bool,
}

/// When a fault begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// At an instant.
    At(Time),
    /// When processes have given the `nth` note of a class (see `Process::mark`).
    Mark {
        /// The class.
        mark: u16,
        /// The count, from one.
        nth: u64,
    },
}

/// A fault that will happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// When it begins.
    pub trigger: Trigger,
    /// How long it lasts; without, until somebody heals it.
    pub lasts: Option<Span>,
    /// What it is.
    pub fault: Fault,
}

/// What the active faults do to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeTrouble {
    pub(super) down: bool,
    pub(super) paused: bool,
    pub(super) slowness: u32,
    pub(super) disk: Span,
    pub(super) skews: Vec<Skew>,
}

impl Fault {
    /// The links it affects.
    pub(super) fn links(&self, network: &Network) -> Vec<LinkId> {
        match self {
            Fault::Cut { links, .. } | Fault::Gray { links, .. } | Fault::Flap { links, .. } => {
                links.iter().filter_map(|&(source, target)| network.route(source, target)).collect()
            }
            Fault::Partition { sides } => {
                let side = |node| sides.iter().position(|side| side.contains(&node));
                let apart = |a, b| matches!((side(a), side(b)), (Some(a), Some(b)) if a != b);
                (0..network.links.len() as u32)
                    .map(LinkId)
                    .filter(|id| {
                        let link = &network.links[id.index()];
                        apart(link.source, link.target)
                    })
                    .collect()
            }
            Fault::Crash { .. }
            | Fault::Pause { .. }
            | Fault::Slow { .. }
            | Fault::Clock { .. }
            | Fault::SlowDisk { .. } => Vec::new(),
        }
    }

    fn trouble(&self, down: bool) -> Trouble {
        let none = Trouble::default();
        match *self {
            Fault::Cut { hold, .. } => Trouble { cut: true, hold, ..none },
            Fault::Partition { .. } => Trouble { cut: true, ..none },
            Fault::Gray { latency, loss, duplication, .. } => {
                Trouble { latency, loss, duplication, ..none }
            }
            Fault::Flap { .. } => Trouble { cut: down, ..none },
            Fault::Crash { .. }
            | Fault::Pause { .. }
            | Fault::Slow { .. }
            | Fault::Clock { .. }
            | Fault::SlowDisk { .. } => none,
        }
    }

    /// The node it affects, if it affects one.
    pub fn node(&self) -> Option<NodeId> {
        match *self {
            Fault::Crash { node }
            | Fault::Pause { node }
            | Fault::Slow { node, .. }
            | Fault::Clock { node, .. }
            | Fault::SlowDisk { node, .. } => Some(node),
            Fault::Cut { .. }
            | Fault::Partition { .. }
            | Fault::Gray { .. }
            | Fault::Flap { .. } => None,
        }
    }
}

/// What all active faults together do to a link.
pub(super) fn link_trouble(active: &[Active], link: LinkId) -> Trouble {
    let mut sum = Trouble::default();
    // A message gets through a held cut later, but not through a real one.
    let mut lost = false;
    for fault in active.iter().filter(|a| a.links.contains(&link)) {
        let one = fault.fault.trouble(fault.down);
        sum.cut |= one.cut;
        lost |= one.cut && !one.hold;
        sum.latency = sum.latency + one.latency;
        sum.loss = sum.loss.or(one.loss);
        sum.duplication = sum.duplication.or(one.duplication);
    }
    sum.hold = sum.cut && !lost;
    sum
}

/// What all active faults together do to a node.
pub(super) fn node_trouble(active: &[Active], node: NodeId) -> NodeTrouble {
    let mut sum = NodeTrouble {
        down: false,
        paused: false,
        slowness: 1_000,
        disk: Span::ZERO,
        skews: Vec::new(),
    };
    for fault in active.iter().filter(|a| a.fault.node() == Some(node)) {
        match fault.fault {
            Fault::Crash { .. } => sum.down = true,
            Fault::Pause { .. } => sum.paused = true,
            Fault::Slow { factor, .. } => {
                let product = u64::from(sum.slowness) * u64::from(factor) / 1_000;
                sum.slowness = u32::try_from(product).unwrap_or(u32::MAX).max(1);
            }
            Fault::SlowDisk { extra, .. } => sum.disk = sum.disk + extra,
            Fault::Clock { offset_us, drift_ppm, .. } => {
                sum.skews.push(Skew { offset_us, drift_ppm, since: fault.since });
            }
            Fault::Cut { .. }
            | Fault::Partition { .. }
            | Fault::Gray { .. }
            | Fault::Flap { .. } => {}
        }
    }
    sum
}
