//! A list with holes: things that come and go, addressed by index and generation.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Addresses one thing in a [`Slab`], and no later thing in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The place.
    pub index: u32,
    /// How many things had the place before.
    pub generation: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

/// Holds values of one type; inserting and removing take constant time. The place that has been
/// free for the longest is taken first: things that go in the order they came, as messages do,
/// then lie in that order in memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slab<T> {
    places: Vec<Place<T>>,
    free: VecDeque<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: VecDeque::new() }
    }
}

impl<T> Slab<T> {
    /// How many values are held.
    pub fn len(&self) -> u32 {
        (self.places.len() - self.free.len()) as u32
    }

    /// True when nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes `value` in and says where it is.
    pub fn insert(&mut self, value: T) -> Key {
        if let Some(index) = self.free.pop_front() {
            let place = &mut self.places[index as usize];
            place.value = Some(value);
            return Key { index, generation: place.generation };
        }
        let index = u32::try_from(self.places.len()).expect("limits keep a slab below 2^32");
        self.places.push(Place { generation: 0, value: Some(value) });
        Key { index, generation: 0 }
    }

    /// Takes the value at `key` out, if it is still the one that was put there.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation != key.generation {
            return None;
        }
        let value = place.value.take()?;
        place.generation = key.generation.wrapping_add(1);
        self.free.push_back(key.index);
        Some(value)
    }

    /// The value at `key`, if it is still there.
    pub fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.index as usize)?;
        if place.generation == key.generation { place.value.as_ref() } else { None }
    }

    /// The value at `key`, if it is still there, to change.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation == key.generation { place.value.as_mut() } else { None }
    }

    /// All values with their keys, in order of place.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().zip(0..).filter_map(|(place, index)| {
            let key = Key { index, generation: place.generation };
            place.value.as_ref().map(|value| (key, value))
        })
    }

    /// Forgets everything; keys given out before stay dead.
    pub fn clear(&mut self) {
        let keys: Vec<Key> = self.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_only_its_own_value() {
        let mut slab = Slab::default();
        let a = slab.insert("a");
        assert_eq!(slab.remove(a), Some("a"));
        let b = slab.insert("b");
        assert_eq!(a.index, b.index);
        assert_eq!((slab.get(a), slab.get(b)), (None, Some(&"b")));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.len(), 1);
        slab.clear();
        assert_eq!((slab.get(b), slab.len()), (None, 0));
        let c = slab.insert("c");
        assert_ne!(b, c);
    }
}
