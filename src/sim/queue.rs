//! The future-event list: a hierarchical timing wheel (Varghese and Lauck 1987).
//!
//! Each level has 64 slots; level 0 slots are one microsecond wide, each level above 64 times
//! wider. An entry lives in the level of the highest six bits in which its time differs from the
//! wheel's. Slots are lists that are appended to and drained in order, so entries due at the same
//! instant come out in the order they went in. Entries are 16 bytes and move down through the
//! levels in sequence; what they stand for waits in a slab. Costs stay flat to a million pending
//! entries (`make bench`), where a binary heap grows nine-fold.

use crate::base::slab::{Key, Slab};
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;

/// Things due later, in order of time, then of insertion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queue<T> {
    wheel: u64,
    occupied: [u64; LEVELS],
    slots: Vec<Vec<Entry>>,
    /// The slot being drained: entries due at `wheel`, from `drained` on.
    front: Vec<Entry>,
    drained: u32,
    items: Slab<T>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    at: u64,
    key: Key,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            wheel: 0,
            occupied: [0; LEVELS],
            slots: vec![Vec::new(); LEVELS * SLOTS],
            front: Vec::new(),
            drained: 0,
            items: Slab::default(),
        }
    }
}

impl<T> Queue<T> {
    /// How many entries are due, cancelled ones not counted.
    pub fn len(&self) -> u32 {
        self.items.len()
    }

    /// True when nothing is due.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds an entry; a time already past counts as now.
    pub fn push(&mut self, at: Time, item: T) -> Key {
        let key = self.items.insert(item);
        self.place(Entry { at: at.0.max(self.wheel), key });
        key
    }

    /// Takes back an entry that has not come out; false when it has.
    pub fn cancel(&mut self, key: Key) -> bool {
        self.items.remove(key).is_some()
    }

    /// The earliest entry due at or before `limit`.
    pub fn pop(&mut self, limit: Time) -> Option<(Time, T)> {
        loop {
            while let Some(&Entry { at, key }) = self.front.get(self.drained as usize) {
                if at > limit.0 {
                    return None;
                }
                self.drained += 1;
                if let Some(item) = self.items.remove(key) {
                    return Some((Time(at), item));
                }
            }
            self.front.clear();
            self.drained = 0;
            let level = self.occupied.iter().position(|&bits| bits != 0)?;
            let slot = self.occupied[level].trailing_zeros() as usize;
            let base = self.base(level, slot);
            if base > limit.0 {
                return None;
            }
            self.wheel = base;
            self.occupied[level] &= !(1 << slot);
            if level == 0 {
                std::mem::swap(&mut self.front, &mut self.slots[slot]);
                continue;
            }
            let mut list = std::mem::take(&mut self.slots[level * SLOTS + slot]);
            list.drain(..).for_each(|entry| self.place(entry));
            // The emptied list keeps its memory for the next time round.
            self.slots[level * SLOTS + slot] = list;
        }
    }

    /// When the earliest entry is due. Costs a walk over one slot.
    pub fn next_at(&self) -> Option<Time> {
        let alive = |list: &[Entry]| {
            list.iter().filter(|e| self.items.get(e.key).is_some()).map(|e| Time(e.at)).min()
        };
        let front = alive(&self.front[self.drained as usize..]);
        front.or_else(|| {
            (0..LEVELS).find_map(|level| {
                let slots = &self.slots[level * SLOTS..(level + 1) * SLOTS];
                slots.iter().find_map(|list| alive(list))
            })
        })
    }

    /// The first instant of a slot, from the bits that it shares with the wheel and its own.
    fn base(&self, level: usize, slot: usize) -> u64 {
        let shift = BITS * level as u32;
        let above = shift + BITS;
        let shared = self.wheel.checked_shr(above).map_or(0, |high| high << above);
        shared | ((slot as u64) << shift)
    }

    fn place(&mut self, entry: Entry) {
        // The highest bit in which the time differs from the wheel's decides the level.
        let differs = (entry.at ^ self.wheel) | (SLOTS as u64 - 1);
        let level = ((63 - differs.leading_zeros()) / BITS) as usize;
        let slot = ((entry.at >> (BITS * level as u32)) & (SLOTS as u64 - 1)) as usize;
        self.occupied[level] |= 1 << slot;
        self.slots[level * SLOTS + slot].push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;
    use std::collections::BTreeMap;

    #[test]
    fn equal_times_come_out_in_the_order_they_went_in() {
        let mut queue = Queue::default();
        for n in 0..100 {
            queue.push(Time(5_000_000), n);
        }
        assert_eq!(queue.pop(Time(4_999_999)), None);
        for n in 100..200 {
            queue.push(Time(5_000_000), n);
        }
        let out: Vec<u32> = std::iter::from_fn(|| queue.pop(Time::NEVER)).map(|(_, n)| n).collect();
        assert_eq!(out, (0..200).collect::<Vec<_>>());
    }

    /// Against an ordered map, with pushes, cancels and pops at random, over all magnitudes.
    #[test]
    fn behaves_as_an_ordered_map() {
        for seed in 0..40 {
            let mut stream = Stream::new(seed, "queue", 0);
            let (mut queue, mut model) = (Queue::default(), BTreeMap::new());
            let (mut now, mut keys) = (0u64, Vec::new());
            for n in 0..3_000u64 {
                match stream.below(8) {
                    0..4 => {
                        let ahead = u64::from(stream.bits()) >> stream.below(32);
                        let key = queue.push(Time(now + ahead), n);
                        model.insert((now + ahead, n), ());
                        keys.push((key, (now + ahead, n)));
                    }
                    4 if !keys.is_empty() => {
                        let at = stream.below(keys.len() as u32) as usize;
                        let (key, entry) = keys.swap_remove(at);
                        assert_eq!(queue.cancel(key), model.remove(&entry).is_some());
                    }
                    _ => {
                        let limit = now + (u64::from(stream.bits()) >> stream.below(32));
                        assert_eq!(queue.next_at().map(|t| t.0), model.keys().next().map(|k| k.0));
                        let want = model.keys().next().copied().filter(|k| k.0 <= limit);
                        let got = queue.pop(Time(limit)).map(|(at, n)| (at.0, n));
                        assert_eq!(got, want);
                        match want {
                            Some(entry) => {
                                model.remove(&entry);
                                now = entry.0;
                            }
                            None => now = limit,
                        }
                    }
                }
                assert_eq!(queue.len() as usize, model.len());
            }
        }
    }
}
