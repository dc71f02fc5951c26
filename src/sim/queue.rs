//! The future-event list: a hierarchical timing wheel (Varghese and Lauck 1987) over a slab.
//!
//! Each level has 64 slots; level 0 slots are one microsecond wide, each level above 64 times
//! wider. An entry lives in the level of the highest six bits in which its time differs from the
//! wheel's. A slot is a list through the slab, appended to and drained in order, so entries due at
//! the same instant come out in the order they went in. Costs stay flat from a thousand to a
//! million pending entries (`make bench`), where a binary heap grows nine-fold.

use crate::base::slab::Key;
use crate::base::time::Time;
use serde::{Deserialize, Serialize};

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;
const NONE: u32 = u32::MAX;

/// Things due later, in order of time, then of insertion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queue<T> {
    wheel: u64,
    occupied: [u64; LEVELS],
    lists: Vec<List>,
    entries: Vec<Entry<T>>,
    free: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct List {
    head: u32,
    tail: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry<T> {
    at: u64,
    next: u32,
    generation: u32,
    item: Option<T>,
}

impl<T: Copy> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            wheel: 0,
            occupied: [0; LEVELS],
            lists: vec![List { head: NONE, tail: NONE }; LEVELS * SLOTS],
            entries: Vec::new(),
            free: NONE,
            len: 0,
        }
    }
}

impl<T: Copy> Queue<T> {
    /// How many entries are due, cancelled ones not counted.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// True when nothing is due.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry; a time already past counts as now.
    pub fn push(&mut self, at: Time, item: T) -> Key {
        let at = at.0.max(self.wheel);
        self.len += 1;
        let index = self.free;
        let key = if index == NONE {
            let index =
                u32::try_from(self.entries.len()).expect("limits keep the queue below 2^32");
            self.entries.push(Entry { at, next: NONE, generation: 0, item: Some(item) });
            Key { index, generation: 0 }
        } else {
            let entry = &mut self.entries[index as usize];
            self.free = entry.next;
            entry.at = at;
            entry.next = NONE;
            entry.item = Some(item);
            Key { index, generation: entry.generation }
        };
        self.link(key.index, at);
        key
    }

    /// Takes back an entry that has not come out; false when it has. The place is freed when its
    /// time comes.
    pub fn cancel(&mut self, key: Key) -> bool {
        match self.entries.get_mut(key.index as usize) {
            Some(entry) if entry.generation == key.generation && entry.item.is_some() => {
                entry.item = None;
                self.len -= 1;
                true
            }
            _ => false,
        }
    }

    /// The earliest entry due at or before `limit`.
    pub fn pop(&mut self, limit: Time) -> Option<(Time, T)> {
        loop {
            let level = self.occupied.iter().position(|&bits| bits != 0)?;
            let slot = self.occupied[level].trailing_zeros() as usize;
            if level > 0 {
                let shift = BITS * level as u32;
                let above =
                    self.wheel.checked_shr(shift + BITS).map_or(0, |high| high << (shift + BITS));
                let base = above | ((slot as u64) << shift);
                if base > limit.0 {
                    return None;
                }
                self.wheel = base;
                self.spread(level, slot);
                continue;
            }
            let list = &mut self.lists[slot];
            let index = list.head;
            let entry = &mut self.entries[index as usize];
            if entry.at > limit.0 {
                return None;
            }
            let (at, item) = (entry.at, entry.item.take());
            list.head = entry.next;
            if list.head == NONE {
                list.tail = NONE;
                self.occupied[0] &= !(1 << slot);
            }
            entry.generation = entry.generation.wrapping_add(1);
            entry.next = self.free;
            self.free = index;
            self.wheel = at;
            if let Some(item) = item {
                self.len -= 1;
                return Some((Time(at), item));
            }
        }
    }

    /// When the earliest entry is due. Costs a walk over one slot.
    pub fn next_at(&self) -> Option<Time> {
        (0..LEVELS).find_map(|level| {
            let mut bits = self.occupied[level];
            while bits != 0 {
                let slot = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let first = self.list(level, slot).filter(|e| e.item.is_some()).map(|e| e.at).min();
                if let Some(at) = first {
                    return Some(Time(at));
                }
            }
            None
        })
    }

    fn list(&self, level: usize, slot: usize) -> impl Iterator<Item = &Entry<T>> {
        let mut index = self.lists[level * SLOTS + slot].head;
        std::iter::from_fn(move || {
            let entry = self.entries.get(index as usize)?;
            index = entry.next;
            Some(entry)
        })
    }

    fn link(&mut self, index: u32, at: u64) {
        // The highest bit in which the time differs from the wheel's decides the level.
        let level =
            ((63 - ((at ^ self.wheel) | (SLOTS as u64 - 1)).leading_zeros()) / BITS) as usize;
        let slot = ((at >> (BITS * level as u32)) & (SLOTS as u64 - 1)) as usize;
        self.occupied[level] |= 1 << slot;
        let list = &mut self.lists[level * SLOTS + slot];
        if list.tail == NONE {
            list.head = index;
        } else {
            self.entries[list.tail as usize].next = index;
        }
        list.tail = index;
    }

    fn spread(&mut self, level: usize, slot: usize) {
        let empty = List { head: NONE, tail: NONE };
        let list = std::mem::replace(&mut self.lists[level * SLOTS + slot], empty);
        self.occupied[level] &= !(1 << slot);
        let mut index = list.head;
        while index != NONE {
            let entry = &mut self.entries[index as usize];
            let (at, next) = (entry.at, entry.next);
            entry.next = NONE;
            self.link(index, at);
            index = next;
        }
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
