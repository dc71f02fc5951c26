//! Anti-entropy: two replicas compare hashes of what both should hold, level by level, and exchange
//! only what differs (Merkle 1987; Dynamo, section 4.7).

use super::keeping::{Part, Then};
use super::messages::{QuorumMessage, QuorumTimer};
use super::mutation::Mutation;
use super::{Cell, Cx, NodeId, QuorumStore, Span, cell};

/// Parts of a tree below its root, and parts of those.
const BRANCHES: usize = 16;
const LEAVES: usize = 256;

/// The leaf that an item belongs to.
fn leaf(item: u32) -> usize {
    (cell::mix(u64::from(item) ^ 0x5eed) % LEAVES as u64) as usize
}

/// One hash for several.
fn combine(hashes: &[u64]) -> u64 {
    hashes.iter().fold(0, |sum, hash| cell::mix(sum ^ hash))
}

impl QuorumStore {
    /// The next comparison. Replicas take turns, so that not all compare at once.
    pub(super) fn plan_comparison(&mut self, cx: &mut Cx<'_>) {
        let Some(every) = self.settings.anti_entropy else { return };
        let count = self.settings.members.len().max(1) as u64;
        let step = Span((every.0 / count).max(1));
        let slot = cx.now().0 / step.0 + 1;
        let mine = (slot..).find(|slot| slot % count == u64::from(self.place())).unwrap_or(slot);
        let wait = Span(mine * step.0 - cx.now().0);
        self.remind(wait, QuorumTimer::Compare { era: self.era }, cx);
    }

    /// Compares with the next of the others.
    pub(super) fn begin_comparison(&mut self, cx: &mut Cx<'_>) {
        let members = &self.settings.members;
        self.next_peer = (self.next_peer + 1) % members.len().max(1) as u32;
        if members.get(self.next_peer as usize) == Some(&self.me) {
            self.next_peer = (self.next_peer + 1) % members.len() as u32;
        }
        let Some(peer) = members.get(self.next_peer as usize).copied() else { return };
        if peer != self.me {
            let branches = self.leaves(peer).chunks(LEAVES / BRANCHES).map(combine).collect();
            self.tell(peer, QuorumMessage::Tree { branches }, cx);
        }
    }

    /// A hash for each leaf of what both replicas are homes of.
    fn leaves(&self, peer: NodeId) -> Vec<u64> {
        let mut leaves = vec![0; LEAVES];
        let half = self.is(Mutation::HashHalf);
        for (item, cell) in self.shared(peer).filter(|(item, _)| !half || item % 2 == 0) {
            leaves[leaf(item)] ^= cell.hash(item);
        }
        leaves
    }

    fn shared(&self, peer: NodeId) -> impl Iterator<Item = (u32, &Cell)> {
        let all = self.settings.copies as usize == self.settings.members.len();
        let both = move |item: u32| {
            let homes = self.homes(item);
            homes.contains(&peer) && homes.contains(&self.me)
        };
        self.cells().filter(move |(item, _)| all || both(*item))
    }

    /// Another replica has sent the hashes of its branches.
    pub(super) fn compare(&mut self, peer: NodeId, branches: &[u64], cx: &mut Cx<'_>) {
        let leaves = self.leaves(peer);
        let own = leaves.chunks(LEAVES / BRANCHES);
        let pairs = (0..).zip(own.zip(branches));
        let differ: Vec<(u8, Vec<u64>)> = pairs
            .filter(|(_, (own, other))| combine(own) != **other)
            .map(|(number, (own, _))| (number, own.to_vec()))
            .collect();
        if !differ.is_empty() {
            self.tell(peer, QuorumMessage::Branches { differ }, cx);
        }
    }

    /// Another replica has sent the hashes of leaves in branches that differ.
    pub(super) fn descend(&mut self, peer: NodeId, differ: &[(u8, Vec<u64>)], cx: &mut Cx<'_>) {
        let own = self.leaves(peer);
        let mut leaves: Vec<u16> = Vec::new();
        for (branch, hashes) in differ {
            let first = usize::from(*branch) * (LEAVES / BRANCHES);
            let numbers = first..own.len().min(first + hashes.len());
            let differs = numbers.zip(hashes).filter(|(number, hash)| own[*number] != **hash);
            leaves.extend(differs.map(|(number, _)| number as u16));
        }
        let items = self.in_leaves(peer, &leaves);
        self.tell(peer, QuorumMessage::Leaves { leaves, items }, cx);
    }

    fn in_leaves(&self, peer: NodeId, leaves: &[u16]) -> Vec<(u32, Cell)> {
        let inside = |(item, _): &(u32, &Cell)| leaves.contains(&(leaf(*item) as u16));
        self.shared(peer).filter(inside).map(|(item, cell)| (item, cell.clone())).collect()
    }

    /// Another replica has sent all that it holds in some leaves.
    pub(super) fn exchange(
        &mut self,
        peer: NodeId,
        leaves: &[u16],
        items: Vec<(u32, Cell)>,
        cx: &mut Cx<'_>,
    ) {
        let merge = self.settings.merge;
        let theirs = |item: u32| items.iter().find(|(known, _)| *known == item);
        let more = |(item, own): &(u32, Cell)| {
            theirs(*item).is_none_or(|(_, cell)| !cell.contains(own, merge))
        };
        let back: Vec<(u32, Cell)> =
            self.in_leaves(peer, leaves).into_iter().filter(more).collect();
        if !back.is_empty() {
            self.tell(peer, QuorumMessage::Leaves { leaves: Vec::new(), items: back }, cx);
        }
        let part = |(item, cell): (u32, Cell)| Part { home: None, item, cell };
        let parts: Vec<Part> = items.into_iter().map(part).collect();
        if !parts.is_empty() {
            self.keep(parts, Then::Nothing, cx);
        }
    }
}
