//! The states of breakers over time, one strip for each breaker that stands alone; where every
//! client has a breaker of its own, how many are open.

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::protocol::note::Phase;
use serde::Serialize;
use std::sync::Arc;

/// So many changes of one breaker are kept: the latest.
const CHANGES_MAX: usize = 1_024;

/// The states of one breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Strip {
    /// Caller and target: `api-1 → db`.
    pub name: String,
    /// Since when it was in which state. Empty for a call without a breaker.
    pub phases: Vec<(Time, Phase)>,
}

#[derive(Clone, Debug)]
struct Stack {
    node: NodeId,
    number: u8,
    breakers: u32,
    open: u32,
    // Shared by clones until it changes, which is rare.
    strip: Arc<Strip>,
}

/// All call stacks of a run, in order of nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Strips {
    stacks: Vec<Stack>,
}

impl Strips {
    /// Adds a call stack with so many breakers.
    pub(super) fn add(&mut self, node: NodeId, number: u8, name: String, breakers: u32) {
        let phases = if breakers == 1 { vec![(Time::ZERO, Phase::Closed)] } else { Vec::new() };
        let strip = Arc::new(Strip { name, phases });
        self.stacks.push(Stack { node, number, breakers, open: 0, strip });
    }

    fn find(&mut self, node: NodeId, number: u8) -> Option<&mut Stack> {
        let place =
            self.stacks.binary_search_by_key(&(node, number), |s| (s.node, s.number)).ok()?;
        self.stacks.get_mut(place)
    }

    /// A breaker has changed its state.
    pub(super) fn moved(&mut self, node: NodeId, number: u8, at: Time, from: Phase, to: Phase) {
        let Some(stack) = self.find(node, number) else { return };
        if from == Phase::Open {
            stack.open = stack.open.saturating_sub(1);
        }
        stack.open += u32::from(to == Phase::Open);
        if stack.breakers < 2 {
            stack.push(at, from, to);
        }
    }

    /// A node has lost its breakers and begins with fresh ones.
    pub(super) fn reset(&mut self, node: NodeId, at: Time) {
        for stack in self.stacks.iter_mut().filter(|s| s.node == node) {
            stack.open = 0;
            if let Some(&(_, last)) = stack.strip.phases.last()
                && last != Phase::Closed
            {
                stack.push(at, last, Phase::Closed);
            }
        }
    }

    /// How many breakers of a call stack are open.
    pub(super) fn open(&self, node: NodeId, number: u8) -> u32 {
        self.stacks.iter().find(|s| (s.node, s.number) == (node, number)).map_or(0, |s| s.open)
    }

    /// The strips that there are, shared.
    pub(super) fn shown(&self) -> Vec<Arc<Strip>> {
        let full = self.stacks.iter().filter(|s| !s.strip.phases.is_empty());
        full.map(|s| Arc::clone(&s.strip)).collect()
    }
}

impl Stack {
    fn push(&mut self, at: Time, from: Phase, to: Phase) {
        let phases = &mut Arc::make_mut(&mut self.strip).phases;
        if phases.is_empty() {
            // A breaker that was set up while the run went on.
            phases.push((Time::ZERO, from));
        }
        phases.push((at, to));
        if phases.len() > CHANGES_MAX {
            phases.drain(..CHANGES_MAX / 2);
        }
    }
}
