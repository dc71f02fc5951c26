//! A list with holes: things that come and go, addressed by index and generation.

use serde::{Deserialize, Serialize};

/// Addresses one thing in a [`Slab`], and no later thing in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The place.
    pub index: u32,
    /// How many things had the place before.
    pub generation: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Place<T> {
    Taken { generation: u32, value: T },
    Free { generation: u32, next: u32 },
}

/// Holds values of one type; inserting and removing take constant time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slab<T> {
    places: Vec<Place<T>>,
    free: u32,
    len: u32,
}

const NONE: u32 = u32::MAX;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: NONE, len: 0 }
    }
}

impl<T> Slab<T> {
    /// How many values are held.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// True when nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes `value` in and says where it is.
    pub fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        if let Some(place) = self.places.get_mut(self.free as usize)
            && let Place::Free { generation, next } = *place
        {
            let index = std::mem::replace(&mut self.free, next);
            *place = Place::Taken { generation, value };
            return Key { index, generation };
        }
        let index = u32::try_from(self.places.len()).expect("limits keep a slab below 2^32");
        self.places.push(Place::Taken { generation: 0, value });
        Key { index, generation: 0 }
    }

    /// Takes the value at `key` out, if it is still the one that was put there.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize)?;
        if !matches!(place, Place::Taken { generation, .. } if *generation == key.generation) {
            return None;
        }
        let next = std::mem::replace(&mut self.free, key.index);
        let generation = key.generation.wrapping_add(1);
        match std::mem::replace(place, Place::Free { generation, next }) {
            Place::Taken { value, .. } => {
                self.len -= 1;
                Some(value)
            }
            Place::Free { .. } => None,
        }
    }

    /// The value at `key`, if it is still there.
    pub fn get(&self, key: Key) -> Option<&T> {
        match self.places.get(key.index as usize)? {
            Place::Taken { generation, value } if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// The value at `key`, if it is still there, to change.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.places.get_mut(key.index as usize)? {
            Place::Taken { generation, value } if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// All values with their keys, in order of place.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().zip(0..).filter_map(|(place, index)| match place {
            Place::Taken { generation, value } => {
                Some((Key { index, generation: *generation }, value))
            }
            Place::Free { .. } => None,
        })
    }

    /// Forgets everything; keys given out before stay dead.
    pub fn clear(&mut self) {
        for index in 0..self.places.len() as u32 {
            if let Some(Place::Taken { generation, .. }) = self.places.get(index as usize) {
                let generation = *generation;
                self.remove(Key { index, generation });
            }
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
