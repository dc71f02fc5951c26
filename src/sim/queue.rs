//! The future-event list: a hierarchical timing wheel (Varghese and Lauck 1987) with a small
//! sorted front.
//!
//! Each level has 64 slots; level 0 slots are one microsecond wide, each level above 64 times
//! wider. An entry lives in the level of the highest six bits in which its time differs from the
//! wheel's. A slot whose turn has come is dealt out to the levels below, or, when there is little
//! in it, sorted into the front, from which everything comes out. Slots are lists that are
//! appended to and drained in order, and the front is sorted stably, so entries due at the same
//! instant come out in the order they went in.
//!
//! Entries hold what they stand for, and cannot be taken back: whatever is addressed from here
//! would be a cache miss at a million pending. Costs stay flat to that size (`make bench`), where
//! a binary heap grows nine-fold.

use crate::base::lists::{CHUNK, List, Lists};
use crate::base::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;
/// Slots of all levels, the lowest first.
const ALL: usize = LEVELS * SLOTS;
/// Among more than this many, no entry is sorted in.
const CROWDED: usize = 2 * CHUNK;

/// Things due later, in order of time, then of insertion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queue<T> {
    /// When the last entry came out, or when everything before had to.
    now: u64,
    /// Where the front ends: entries due before are in it, all others in slots.
    end: u64,
    front: VecDeque<Entry<T>>,
    /// The time from which slots are counted.
    wheel: u64,
    occupied: [u64; ALL / 64],
    slots: Vec<List>,
    entries: Lists<Entry<T>>,
    len: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry<T> {
    at: u64,
    item: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            now: 0,
            end: 0,
            front: VecDeque::new(),
            wheel: 0,
            occupied: [0; ALL / 64],
            slots: vec![List::default(); ALL],
            entries: Lists::default(),
            len: 0,
        }
    }
}

impl<T: Copy> Queue<T> {
    /// How many entries are due.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// True when nothing is due.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry; a time already past counts as now.
    pub fn push(&mut self, at: Time, item: T) {
        self.len += 1;
        let entry = Entry { at: at.0.max(self.now), item };
        if entry.at >= self.end {
            self.place(entry);
        } else if self.front.len() < CROWDED || self.front.back().is_none_or(|e| e.at <= entry.at) {
            self.sort_in(entry);
        } else {
            self.disperse();
            self.place(entry);
        }
    }

    /// The earliest entry due at or before `limit`.
    pub fn pop(&mut self, limit: Time) -> Option<(Time, T)> {
        loop {
            if let Some(&Entry { at, item }) = self.front.front() {
                if at > limit.0 {
                    return None;
                }
                self.front.pop_front();
                self.now = at;
                self.len -= 1;
                return Some((Time(at), item));
            }
            let slot = self.next_slot()?;
            let base = self.base(slot);
            if base > limit.0 {
                return None;
            }
            self.turn(slot, base);
        }
    }

    /// Turns the wheel to a slot and empties it: into the front or onto the levels below.
    fn turn(&mut self, slot: usize, base: u64) {
        self.wheel = base;
        self.now = base;
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        let mut list = std::mem::take(&mut self.slots[slot]);
        let level = slot / SLOTS;
        if level == 0 {
            // All due at the same instant.
            while self.entries.take(&mut list, &mut self.front) {}
            self.end = base.saturating_add(1);
        } else if list.len() <= CHUNK {
            self.entries.take(&mut list, &mut self.front);
            // Stable: equal times stay in the order they went in.
            self.front.make_contiguous().sort_by_key(|entry| entry.at);
            self.end = base.saturating_add(1 << (BITS * level as u32));
        } else {
            self.end = base;
            while self.entries.take(&mut list, &mut self.front) {
                self.disperse();
            }
        }
    }

    /// Puts an entry of the front where it belongs, behind its equals.
    fn sort_in(&mut self, entry: Entry<T>) {
        let later = self.front.iter().rev().take_while(|e| e.at > entry.at).count();
        self.front.insert(self.front.len() - later, entry);
    }

    /// Deals the front out to the slots; it ends where it begins.
    fn disperse(&mut self) {
        self.wheel = self.now;
        self.end = self.now;
        while let Some(entry) = self.front.pop_front() {
            self.place(entry);
        }
    }

    /// When the earliest entry is due. Costs a walk over one slot.
    pub fn next_at(&self) -> Option<Time> {
        if let Some(entry) = self.front.front() {
            return Some(Time(entry.at));
        }
        let list = &self.slots[self.next_slot()?];
        self.entries.iter(list).map(|entry| Time(entry.at)).min()
    }

    /// The slot whose turn is next: what is in it is due before everything in later ones.
    fn next_slot(&self) -> Option<usize> {
        let word = self.occupied.iter().position(|&bits| bits != 0)?;
        Some(word * 64 + self.occupied[word].trailing_zeros() as usize)
    }

    /// The first instant of a slot, from the bits that it shares with the wheel and its own.
    fn base(&self, slot: usize) -> u64 {
        let shift = BITS * (slot / SLOTS) as u32;
        let above = shift + BITS;
        let shared = self.wheel.checked_shr(above).map_or(0, |high| high << above);
        shared | (((slot % SLOTS) as u64) << shift)
    }

    fn place(&mut self, entry: Entry<T>) {
        // The highest bit in which the time differs from the wheel's decides the level.
        let differs = (entry.at ^ self.wheel) | (SLOTS as u64 - 1);
        let level = (63 - differs.leading_zeros()) / BITS;
        let within = (entry.at >> (BITS * level)) as usize % SLOTS;
        let slot = level as usize * SLOTS + within;
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.entries.push(&mut self.slots[slot], entry);
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

    /// The queue beside an ordered map that is given the same.
    #[derive(Default)]
    struct Pair {
        queue: Queue<u32>,
        model: BTreeMap<(u64, u32), ()>,
        pushed: u32,
    }

    impl Pair {
        fn push(&mut self, at: u64) {
            self.queue.push(Time(at), self.pushed);
            self.model.insert((at, self.pushed), ());
            self.pushed += 1;
            assert_eq!(self.queue.len() as usize, self.model.len());
        }

        /// Takes one from both; what came out must be the same.
        fn pop(&mut self, limit: u64) -> Option<u64> {
            assert_eq!(self.queue.next_at().map(|t| t.0), self.model.keys().next().map(|k| k.0));
            let want = self.model.keys().next().copied().filter(|key| key.0 <= limit);
            assert_eq!(self.queue.pop(Time(limit)).map(|(at, n)| (at.0, n)), want);
            let key = want?;
            self.model.remove(&key);
            Some(key.0)
        }
    }

    /// With pushes and pops at random, over all magnitudes, and many at the same instant.
    #[test]
    fn behaves_as_an_ordered_map() {
        for seed in 0..60 {
            let mut stream = Stream::new(seed, "queue", 0);
            let mut pair = Pair::default();
            let mut now = 0;
            // Even seeds draw far and near, odd ones near, so that equal times abound.
            let nearest = if seed % 2 == 0 { 0 } else { 26 };
            for _ in 0..4_000 {
                let ahead = u64::from(stream.bits()) >> (nearest + stream.below(32 - nearest));
                match stream.below(9) {
                    0..5 => pair.push(now + ahead),
                    _ => now = pair.pop(now + ahead).unwrap_or(now + ahead),
                }
            }
            while let Some(at) = pair.pop(u64::MAX) {
                assert!(at >= now);
                now = at;
            }
            assert!(pair.queue.is_empty());
        }
    }

    /// A front that spans much, into which very many are then pushed, and more at one instant.
    #[test]
    fn a_crowded_front_is_dealt_out_in_order() {
        let mut stream = Stream::new(1, "queue", 1);
        let mut pair = Pair::default();
        [1_000_000, 1_200_000, 1_000_000].into_iter().for_each(|at| pair.push(at));
        let mut now = pair.pop(u64::MAX).unwrap_or_default();
        for round in 0..2_000 {
            let ahead = if round % 3 == 0 { 777 } else { u64::from(stream.below(100_000)) };
            pair.push(now + ahead);
            if round % 7 == 0 {
                now = pair.pop(u64::MAX).unwrap_or(now);
            }
        }
        while pair.pop(u64::MAX).is_some() {}
    }

    #[test]
    fn the_past_counts_as_now_and_the_end_of_time_comes_last() {
        let mut queue = Queue::default();
        queue.push(Time::NEVER, 1);
        queue.push(Time(50), 2);
        queue.push(Time(40), 3);
        assert_eq!(queue.pop(Time::NEVER), Some((Time(40), 3)));
        assert_eq!(queue.pop(Time::NEVER), Some((Time(50), 2)));
        queue.push(Time(7), 4);
        queue.push(Time::NEVER, 5);
        assert_eq!(queue.pop(Time(60)), Some((Time(50), 4)));
        assert_eq!(queue.pop(Time(60)), None);
        assert_eq!(queue.pop(Time::NEVER), Some((Time::NEVER, 1)));
        queue.push(Time::NEVER, 6);
        assert_eq!(queue.pop(Time::NEVER), Some((Time::NEVER, 5)));
        assert_eq!(queue.pop(Time::NEVER), Some((Time::NEVER, 6)));
        assert_eq!(queue.pop(Time::NEVER), None);
    }
}
