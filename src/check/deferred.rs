//! Writes that a cache has acknowledged and writes later. One is lost if the cache crashes before
//! a store has made it; what was in flight then still counts, if it comes in soon. A write that a
//! newer one of the same item has replaced is not missed.

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use std::collections::BTreeMap;

/// What a store has not made so long after the cache is back, it never will.
const GRACE: Span = Span::secs(2);

/// A write that waits in a cache.
#[derive(Clone, Copy, Debug)]
struct Write {
    /// Where.
    node: NodeId,
    /// Its client was told that it is done.
    told: bool,
    /// A newer one has taken its place.
    replaced: bool,
    /// A store has made it.
    made: bool,
    /// Where in the log of that store, if it has one and has said so.
    position: u64,
    /// Since when the cache is back without it.
    missed: Option<Time>,
}

/// What is followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Deferred {
    writes: BTreeMap<u64, Write>,
    /// By cache and item, the newest.
    newest: BTreeMap<(NodeId, u32), u64>,
    missed: u32,
    /// How many were acknowledged.
    pub(super) acknowledged: u64,
}

impl Deferred {
    /// A cache keeps a write for later.
    pub(super) fn defer(&mut self, node: NodeId, item: u32, intent: u64) {
        let (told, replaced, made) = (false, false, false);
        let write = Write { node, told, replaced, made, position: 0, missed: None };
        self.writes.insert(intent, write);
        if let Some(old) = self.newest.insert((node, item), intent)
            && old != intent
            && let Some(write) = self.writes.get_mut(&old)
            // What a crash took is gone, whatever comes after it.
            && write.missed.is_none()
        {
            // Whether it will ever be written does not matter any more.
            write.replaced = true;
            if write.told {
                self.writes.remove(&old);
            }
        }
    }

    /// The cache in which a write waits.
    pub(super) fn keeps(&self, intent: u64) -> Option<NodeId> {
        self.writes.get(&intent).map(|write| write.node)
    }

    /// True if the write waits in a cache, or did when it was acknowledged.
    pub(super) fn knows(&self, intent: u64) -> bool {
        self.writes.contains_key(&intent)
    }

    /// A store has made a change.
    pub(super) fn applied(&mut self, intent: u64) {
        if let Some(write) = self.writes.get_mut(&intent) {
            write.made = true;
        }
    }

    /// The cache has been told that it is written. Gives the position if the client knows, too.
    pub(super) fn written(&mut self, intent: u64, position: u64) -> Option<u64> {
        let write = self.writes.get_mut(&intent)?;
        (write.made, write.position) = (true, position);
        self.settle(intent)
    }

    /// The client has been told. Gives the position if the cache knows it already.
    pub(super) fn told(&mut self, intent: u64) -> Option<u64> {
        let write = self.writes.get_mut(&intent)?;
        self.acknowledged += u64::from(!std::mem::replace(&mut write.told, true));
        self.settle(intent)
    }

    fn settle(&mut self, intent: u64) -> Option<u64> {
        let Write { told, replaced, position, .. } = *self.writes.get(&intent)?;
        if !told || (position == 0 && !replaced) {
            return None;
        }
        self.writes.remove(&intent);
        (position > 0).then_some(position)
    }

    /// The cache is back without it.
    pub(super) fn missing(&mut self, intent: u64, now: Time) {
        if let Some(write) = self.writes.get_mut(&intent).filter(|write| write.missed.is_none()) {
            write.missed = Some(now);
            self.missed += 1;
        }
    }

    /// Those that are lost, now that it is certain.
    pub(super) fn lost(&mut self, now: Time) -> Vec<u64> {
        let mut lost = Vec::new();
        if self.missed == 0 {
            return lost;
        }
        let missed = &mut self.missed;
        self.writes.retain(|intent, write| {
            let over = write.missed.is_some_and(|since| now.since(since) >= GRACE);
            *missed -= u32::from(over);
            if over && write.told && !write.made {
                lost.push(*intent);
            }
            !over
        });
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CACHE: NodeId = NodeId(3);

    fn lost_after(deferred: &mut Deferred, ms: u64) -> Vec<u64> {
        deferred.lost(Time(1_000 * ms))
    }

    #[test]
    fn what_was_told_and_never_made_is_lost_when_the_cache_is_back() {
        let mut deferred = Deferred::default();
        for intent in 1..=5 {
            deferred.defer(CACHE, intent as u32, intent);
        }
        (1..=4).for_each(|intent| assert_eq!(deferred.told(intent), None));
        assert_eq!(deferred.written(1, 7), Some(7), "this one has a place in a log now");
        deferred.applied(2);
        (2..=5).for_each(|intent| deferred.missing(intent, Time(1_000_000)));
        assert_eq!(lost_after(&mut deferred, 2_999), Vec::<u64>::new());
        deferred.applied(4);
        assert_eq!(lost_after(&mut deferred, 3_000), [3], "4 came in, and nobody was told of 5");
        assert_eq!((lost_after(&mut deferred, 9_000), deferred.acknowledged), (vec![], 4));
    }

    #[test]
    fn what_a_newer_write_has_replaced_is_not_missed() {
        let mut deferred = Deferred::default();
        deferred.defer(CACHE, 1, 10);
        deferred.told(10);
        deferred.defer(CACHE, 1, 11);
        deferred.told(11);
        deferred.missing(10, Time::ZERO);
        assert_eq!(lost_after(&mut deferred, 5_000), Vec::<u64>::new());
        deferred.missing(11, Time(5_000_000));
        assert_eq!(lost_after(&mut deferred, 9_000), [11]);
    }

    #[test]
    fn a_client_may_hear_later_than_the_cache() {
        let mut deferred = Deferred::default();
        deferred.defer(CACHE, 1, 10);
        assert_eq!(deferred.written(10, 4), None);
        assert_eq!(deferred.told(10), Some(4));
        assert!(!deferred.knows(10));
    }
}
