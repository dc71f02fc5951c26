//! What a cache holds, and which entry goes when there is no room. Every step takes time that
//! grows with the logarithm of the number of entries.

use crate::base::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which entry goes when there is no room for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evict {
    /// The one that was not used for the longest time.
    #[default]
    Lru,
    /// The one that was used least often; of several, the one that has been here longest.
    Lfu,
}

/// What is known of an item. It stays when its time is over, until it is replaced or evicted: it
/// may yet be served when nothing better can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The version the item had.
    pub version: u64,
    /// What it held.
    pub value: i64,
    /// Until when that is good, by the clock of the cache.
    pub expires: Time,
    /// From when on a hit has it fetched anew.
    pub early: Time,
    /// It is being fetched anew.
    pub refreshing: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Place {
    entry: Entry,
    came: u64,
    used: u64,
    uses: u64,
}

impl Place {
    /// Entries go in this order.
    fn rank(&self, evict: Evict) -> (u64, u64) {
        match evict {
            Evict::Lru => (self.used, 0),
            Evict::Lfu => (self.uses, self.came),
        }
    }
}

/// The entries of a cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contents {
    capacity: u32,
    evict: Evict,
    places: BTreeMap<u32, Place>,
    order: BTreeSet<((u64, u64), u32)>,
    turn: u64,
}

impl Contents {
    /// Nothing, with room for so many.
    pub fn new(capacity: u32, evict: Evict) -> Contents {
        let (places, order) = (BTreeMap::new(), BTreeSet::new());
        Contents { capacity, evict, places, order, turn: 0 }
    }

    /// How many entries there are, those whose time is over counted.
    pub fn len(&self) -> u32 {
        self.places.len() as u32
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.places.clear();
        self.order.clear();
    }

    /// What is known of an item.
    pub fn get(&self, item: u32) -> Option<&Entry> {
        self.places.get(&item).map(|place| &place.entry)
    }

    /// The same, to be marked.
    pub fn get_mut(&mut self, item: u32) -> Option<&mut Entry> {
        self.places.get_mut(&item).map(|place| &mut place.entry)
    }

    /// An item was wanted and served.
    pub fn used(&mut self, item: u32) {
        self.turn += 1;
        let Some(place) = self.places.get_mut(&item) else { return };
        self.order.remove(&(place.rank(self.evict), item));
        place.used = self.turn;
        place.uses += 1;
        self.order.insert((place.rank(self.evict), item));
    }

    /// Puts an entry in. Gives the item that had to go for it, if one had to.
    pub fn put(&mut self, item: u32, entry: Entry) -> Option<u32> {
        if let Some(place) = self.places.get_mut(&item) {
            place.entry = entry;
            return None;
        }
        let full = self.len() >= self.capacity.max(1);
        let gone = if full { self.order.pop_first().map(|(_, item)| item) } else { None };
        if let Some(gone) = gone {
            self.places.remove(&gone);
        }
        self.turn += 1;
        let place = Place { entry, came: self.turn, used: self.turn, uses: 1 };
        self.order.insert((place.rank(self.evict), item));
        self.places.insert(item, place);
        gone
    }

    /// Takes an entry out; false if there was none.
    pub fn remove(&mut self, item: u32) -> bool {
        let Some(place) = self.places.remove(&item) else { return false };
        self.order.remove(&(place.rank(self.evict), item))
    }

    /// Has room for so many from now on, and another rule. Gives the items that had to go.
    pub fn configure(&mut self, capacity: u32, evict: Evict) -> Vec<u32> {
        if evict != self.evict {
            let ranked = self.places.iter().map(|(item, place)| (place.rank(evict), *item));
            self.order = ranked.collect();
        }
        (self.capacity, self.evict) = (capacity, evict);
        let mut gone = Vec::new();
        while self.len() > capacity.max(1)
            && let Some((_, item)) = self.order.pop_first()
        {
            self.places.remove(&item);
            gone.push(item);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: u64) -> Entry {
        let (expires, early) = (Time::NEVER, Time::NEVER);
        Entry { version, value: 0, expires, early, refreshing: false }
    }

    fn full(evict: Evict) -> Contents {
        let mut contents = Contents::new(3, evict);
        for item in 1..=3 {
            assert_eq!(contents.put(item, entry(1)), None);
        }
        contents
    }

    #[test]
    fn the_one_not_used_for_longest_goes() {
        let mut contents = full(Evict::Lru);
        contents.used(1);
        contents.put(2, entry(2));
        assert_eq!(contents.put(4, entry(1)), Some(2), "to be replaced is not to be used");
        contents.used(3);
        assert_eq!(contents.put(5, entry(1)), Some(1));
        assert_eq!(contents.put(6, entry(1)), Some(4));
        assert_eq!((contents.len(), contents.get(3)), (3, Some(&entry(1))));
    }

    #[test]
    fn the_one_used_least_goes_and_of_several_the_oldest() {
        let mut contents = full(Evict::Lfu);
        for item in [1, 1, 3] {
            contents.used(item);
        }
        assert_eq!(contents.put(4, entry(1)), Some(2));
        assert_eq!(contents.put(5, entry(1)), Some(4), "a newcomer is used least");
        contents.used(5);
        assert_eq!(contents.put(6, entry(1)), Some(3), "used as often as 5, and here for longer");
        assert!(contents.get(1).is_some());
    }

    #[test]
    fn less_room_and_another_rule_keep_what_the_rule_says() {
        let mut contents = full(Evict::Lru);
        for item in [1, 1, 2, 3] {
            contents.used(item);
        }
        assert_eq!(contents.configure(2, Evict::Lfu), [2], "1 was used more often");
        assert_eq!(contents.configure(1, Evict::Lru), [1], "3 was used last");
        assert!(contents.remove(3) && !contents.remove(3));
        assert!(contents.is_empty() && contents.order.is_empty());
    }

    #[test]
    fn the_order_always_names_what_is_there() {
        use crate::base::random::Stream;
        let mut stream = Stream::new(1, "test", 0);
        let mut contents = Contents::new(20, Evict::Lfu);
        for _ in 0..20_000 {
            let item = stream.below(60);
            match stream.below(4) {
                0 => drop(contents.put(item, entry(1))),
                1 => drop(contents.remove(item)),
                2 if stream.below(100) == 0 => {
                    let evict = [Evict::Lru, Evict::Lfu][stream.below(2) as usize];
                    contents.configure(5 + stream.below(20), evict);
                }
                _ => contents.used(item),
            }
            let ranked = contents.places.iter().map(|(i, p)| (p.rank(contents.evict), *i));
            assert_eq!(contents.order, ranked.collect::<BTreeSet<_>>());
            assert!(contents.len() <= contents.capacity);
        }
    }
}
