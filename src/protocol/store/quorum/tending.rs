//! Seeing after replicas that are silent: who stands in for them, and handing over what was kept
//! (Dynamo, section 4.6).

use super::keeping::{Part, Then};
use super::messages::{QuorumMessage, QuorumTimer};
use super::mutation::Mutation;
use super::{Cell, Cx, Message, NodeId, QuorumStore, ring};

/// Items that are handed over at once.
const HANDED_MOST: usize = 256;

impl QuorumStore {
    /// How many homes can be expected to answer, those counted for whom another stands in.
    pub(super) fn within_reach(&self, homes: &[NodeId]) -> usize {
        let gone = homes.iter().filter(|home| self.suspected.contains(home)).count();
        let stand_ins = if self.settings.sloppy { self.spare(homes).count() } else { 0 };
        homes.len() - gone + gone.min(stand_ins)
    }

    /// Replicas that are no homes and not silent.
    fn spare<'a>(&'a self, homes: &'a [NodeId]) -> impl Iterator<Item = NodeId> + 'a {
        let free = |node: &NodeId| !homes.contains(node) && !self.suspected.contains(node);
        self.settings.members.iter().copied().filter(free)
    }

    /// Who stands in for each home that is silent: the next in the order of the item.
    pub(super) fn stand_ins(&self, homes: &[NodeId], item: u32) -> Vec<(NodeId, NodeId)> {
        let gone = homes.iter().copied().filter(|home| self.suspected.contains(home));
        let spare: Vec<NodeId> = self.spare(&self.homes(item)).collect();
        let order = ring::order(&self.settings.members, item).filter(|node| spare.contains(node));
        gone.zip(order).collect()
    }

    /// A replica has not answered in time.
    pub(super) fn suspect(&mut self, node: NodeId, cx: &mut Cx<'_>) {
        if node == self.me || self.suspected.contains(&node) {
            return;
        }
        self.suspected.push(node);
        self.look_after(cx);
    }

    /// A replica is there.
    pub(super) fn heard(&mut self, node: NodeId, cx: &mut Cx<'_>) {
        let before = self.suspected.len();
        self.suspected.retain(|suspected| *suspected != node);
        if self.suspected.len() < before {
            self.hand_over(node, cx);
        }
    }

    /// Looks after the others from now on, as long as there is need.
    pub(super) fn look_after(&mut self, cx: &mut Cx<'_>) {
        if !self.tending && (!self.suspected.is_empty() || !self.now.hints.is_empty()) {
            self.tending = true;
            self.remind(self.settings.timeout, QuorumTimer::Tend, cx);
        }
    }

    /// Asks those that were silent whether they are there, and hands over what is kept for others.
    pub(super) fn tend(&mut self, cx: &mut Cx<'_>) {
        for node in &self.suspected {
            cx.send(*node, Message::Probe { number: 0 });
        }
        let mut homes: Vec<u32> = self.now.hints.keys().map(|(home, _)| *home).collect();
        homes.dedup();
        homes.into_iter().for_each(|home| self.hand_over(NodeId(home), cx));
        self.look_after(cx);
    }

    fn hand_over(&mut self, home: NodeId, cx: &mut Cx<'_>) {
        let of_home = self.now.hints.range((home.0, 0)..=(home.0, u32::MAX));
        let items: Vec<(u32, Cell)> =
            of_home.take(HANDED_MOST).map(|((_, item), cell)| (*item, cell.clone())).collect();
        if items.is_empty() {
            return;
        }
        if self.is(Mutation::DropUnconfirmed) {
            self.taken(home, &items);
        }
        self.tell(home, QuorumMessage::Hand { items }, cx);
    }

    /// A stand-in hands over what it kept for this replica.
    pub(super) fn handed(&mut self, source: NodeId, items: Vec<(u32, Cell)>, cx: &mut Cx<'_>) {
        let part =
            |(item, cell): &(u32, Cell)| Part { home: None, item: *item, cell: cell.clone() };
        let parts = items.iter().map(part).collect();
        self.keep(parts, Then::Thank(source, items), cx);
    }

    /// A home has what was kept for it, unless there is more by now.
    pub(super) fn taken(&mut self, home: NodeId, items: &[(u32, Cell)]) {
        let merge = self.settings.merge;
        for (item, cell) in items {
            for shelf in [&mut self.now, &mut self.disk] {
                let key = (home.0, *item);
                if shelf.hints.get(&key).is_some_and(|hint| cell.contains(hint, merge)) {
                    shelf.hints.remove(&key);
                }
            }
        }
    }
}
