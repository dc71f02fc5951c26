//! Remembers which changes of data were made, so that making one twice is noticed. Memory is
//! bounded: of each population the last 262,144 intents are remembered, fewer when several
//! populations share the room.

use crate::protocol::note::{Note, Step};
use crate::protocol::rpc::Op;
use std::collections::BTreeSet;
use std::sync::Arc;

const PAGE: usize = 256;
const PAGES: usize = 1_024;
/// Transfers that are turning back are remembered, so many at most.
const TURNING: usize = 4_096;

/// What a note says of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing, or something that was said before.
    None,
    /// A change was made; so often now.
    Made(u32),
    /// A change was undone; so often it is still made. None if it is not remembered.
    Undone(Option<u32>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    intent: u64,
    tag: u32,
    times: u32,
    position: u64,
}

/// How often each recent intent changed data. A clone shares what neither changes afterwards.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    // Neighbours in number share a page, so a clone copies little of what it goes on to change.
    pages: Vec<Option<Arc<[Slot; PAGE]>>>,
    /// Intents whose transfer is given back where it was taken.
    turning: BTreeSet<u64>,
    shards: Shards,
}

/// Groups of nodes that hold parts of the same data: the same change in two of them is made twice.
pub type Shards = Arc<[Vec<u16>]>;

/// Which kind of change, in which group of nodes: the same twice is once too often.
fn tag(group: u16, op: Op) -> u32 {
    let kind = match op {
        Op::Read => 1,
        Op::Write => 2,
        Op::Charge { .. } => 3,
        Op::Update => 4,
        Op::CompareAndSet { .. } => 5,
        Op::Increment { .. } => 6,
        Op::Transfer { .. } => 7,
        Op::Scan => 8,
        // Paying and receiving are two things.
        Op::Leg { delta } => 9 + u32::from(delta > 0),
        Op::Prepare { .. } => 11,
        Op::Commit { delta } => 12 + u32::from(delta > 0),
        Op::Abort => 14,
        Op::Take => 15,
        Op::Put { .. } => 16,
        Op::Insert { .. } => 17,
        Op::Remove { .. } => 18,
        Op::Erase => 19,
        Op::Corrupt => 20,
        Op::Reset { .. } => 21,
        Op::Load { .. } => 22,
        Op::Open => 23,
    };
    u32::from(group) << 8 | kind
}

/// Where an intent is remembered. Populations count in the low bits; each starts at another place,
/// and so does each group.
fn place(intent: u64, tag: u32) -> usize {
    let shift = (intent >> 40).wrapping_mul(40_503) + u64::from(tag).wrapping_mul(25_717);
    (intent.wrapping_add(shift) % (PAGE * PAGES) as u64) as usize
}

impl Effects {
    /// Nothing yet, in a run with these shards.
    pub fn new(shards: Shards) -> Effects {
        Effects { shards, ..Effects::default() }
    }

    fn slot(&mut self, intent: u64, tag: u32) -> &mut Slot {
        let place = place(intent, tag);
        if self.pages.is_empty() {
            self.pages = vec![None; PAGES];
        }
        let page =
            self.pages[place / PAGE].get_or_insert_with(|| Arc::new([Slot::default(); PAGE]));
        &mut Arc::make_mut(page)[place % PAGE]
    }

    /// Takes in what a node of `group` says.
    pub fn fold(&mut self, note: &Note, group: u16) -> Effect {
        match *note {
            Note::Applied { intent, op: Op::Leg { delta }, .. }
                if self.gives_back(intent, delta) =>
            {
                match self.undone(intent, group, Op::Leg { delta: -1 }) {
                    // The other side of an earlier attempt, come late.
                    None => self.made(note, group),
                    left => Effect::Undone(left),
                }
            }
            Note::Applied { .. } => self.made(note, group),
            Note::Undone { intent, op, .. } | Note::Truncated { intent, op, led: true, .. } => {
                Effect::Undone(self.undone(intent, group, op))
            }
            Note::Transfer { intent, step: Step::TurnsBack } => {
                if self.turning.len() < TURNING {
                    self.turning.insert(intent);
                }
                Effect::None
            }
            Note::Transfer { intent, step: Step::Undone } => {
                self.turning.remove(&intent);
                Effect::None
            }
            _ => Effect::None,
        }
    }

    fn gives_back(&self, intent: u64, delta: i32) -> bool {
        delta > 0 && self.turning.contains(&intent)
    }

    fn made(&mut self, note: &Note, group: u16) -> Effect {
        let Note::Applied { intent, op, position, .. } = *note else { return Effect::None };
        match self.applied(intent, group, op, position) {
            0 => Effect::None,
            times => Effect::Made(times),
        }
    }

    /// A store of `group` did `op` for `intent` at a position of its log, if it has one. How often
    /// it has now been done; zero if that changes nothing, or another replica said so before.
    pub fn applied(&mut self, intent: u64, group: u16, op: Op, position: u64) -> u32 {
        if !op.changes() {
            return 0;
        }
        let tag = tag(group, op);
        let slot = self.slot(intent, tag);
        if (slot.intent, slot.tag) != (intent, tag) {
            *slot = Slot { intent, tag, times: 0, position: 0 };
        }
        if position > 0 && position <= slot.position {
            return 0;
        }
        slot.position = position;
        slot.times = slot.times.saturating_add(1);
        slot.times.saturating_add(self.elsewhere(intent, group, op))
    }

    /// How often other shards of the same data did it: an item moves, and what comes again does
    /// not find where it was done.
    fn elsewhere(&self, intent: u64, group: u16, op: Op) -> u32 {
        let own = self.shards.iter().find(|shards| shards.contains(&group));
        let others = own.into_iter().flatten().filter(|other| **other != group);
        let times = others.filter_map(|other| {
            let tag = tag(*other, op);
            let place = place(intent, tag);
            let slot = self.pages.get(place / PAGE)?.as_ref()?[place % PAGE];
            ((slot.intent, slot.tag) == (intent, tag)).then_some(slot.times)
        });
        times.sum()
    }

    /// A crash undid one of the changes. How often it is still done; none if it is not remembered.
    pub fn undone(&mut self, intent: u64, group: u16, op: Op) -> Option<u32> {
        let tag = tag(group, op);
        let slot = self.slot(intent, tag);
        if (slot.intent, slot.tag) != (intent, tag) {
            return None;
        }
        slot.times = slot.times.checked_sub(1)?;
        Some(slot.times.saturating_add(self.elsewhere(intent, group, op)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARGE: Op = Op::Charge { amount: 5 };

    #[test]
    fn the_same_change_twice_is_noticed_and_another_is_not_mixed_up_with_it() {
        let mut effects = Effects::default();
        let intent = |n: u64| (3 << 40) | n;
        for n in 1..=100_000 {
            assert_eq!(effects.applied(intent(n), 1, CHARGE, 0), 1);
        }
        let mut kept = effects.clone();
        assert_eq!(effects.applied(intent(7), 1, CHARGE, 0), 2);
        assert_eq!(effects.applied(intent(7), 1, CHARGE, 0), 3);
        assert_eq!(effects.applied(intent(7), 2, CHARGE, 0), 1, "another store");
        assert_eq!(effects.applied(intent(7), 1, Op::Write, 0), 1, "another change");
        assert_eq!(effects.applied(intent(7), 1, Op::Read, 0), 0, "no change");
        assert_eq!(effects.undone(intent(7), 1, CHARGE), Some(2));
        assert_eq!(effects.undone(intent(100_001), 1, CHARGE), None);
        assert_eq!(kept.applied(intent(7), 1, CHARGE, 0), 2, "a clone goes its own way");
    }

    #[test]
    fn shards_of_the_same_data_are_counted_together_and_their_logs_are_not_mixed_up() {
        let mut effects = Effects::new(Arc::from([vec![1, 2]]));
        assert_eq!(effects.applied(7, 1, CHARGE, 50), 1);
        assert_eq!(effects.applied(7, 2, CHARGE, 30), 2, "the item has moved");
        assert_eq!(effects.applied(7, 1, CHARGE, 50), 0, "a replica of the first");
        assert_eq!(effects.applied(7, 2, CHARGE, 30), 0, "a replica of the second");
        assert_eq!(effects.applied(7, 3, CHARGE, 9), 1, "another store");
        assert_eq!(effects.undone(7, 2, CHARGE), Some(1));
    }

    #[test]
    fn memory_is_bounded() {
        let mut effects = Effects::default();
        for n in 1..=1_000_000 {
            effects.applied(n, 0, CHARGE, 0);
        }
        assert_eq!(effects.pages.len(), PAGES);
        assert_eq!(effects.applied(1_000_000, 0, CHARGE, 0), 2);
        assert_eq!(effects.applied(1, 0, CHARGE, 0), 1, "forgotten");
    }
}
