//! Many lists in one block of memory. Each is a chain of chunks, and a chunk that has been taken
//! out serves whichever list grows next: memory follows what is held at once and stays warm, and
//! a clone is one copy.

use serde::{Deserialize, Serialize};

/// Items in a chunk.
pub const CHUNK: usize = 64;
const NONE: u32 = u32::MAX;

/// One of the lists that share a [`Lists`]. Every chunk but the last is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    first: u32,
    last: u32,
    len: u32,
}

impl Default for List {
    fn default() -> Self {
        List { first: NONE, last: NONE, len: 0 }
    }
}

impl List {
    /// How many items are in it.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// True when nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The memory of many lists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lists<T> {
    items: Vec<T>,
    /// The chunk after each, of its list or of those that are free.
    next: Vec<u32>,
    free: u32,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Lists { items: Vec::new(), next: Vec::new(), free: NONE }
    }
}

impl<T: Copy> Lists<T> {
    /// Puts an item at the end of a list.
    pub fn push(&mut self, list: &mut List, item: T) {
        let place = list.len() % CHUNK;
        if place == 0 {
            self.lengthen(list, item);
        } else {
            self.items[list.last as usize * CHUNK + place] = item;
        }
        list.len += 1;
    }

    /// Begins another chunk with `item`.
    fn lengthen(&mut self, list: &mut List, item: T) {
        let chunk = if self.free == NONE {
            self.items.resize(self.items.len() + CHUNK, item);
            self.next.push(NONE);
            self.next.len() as u32 - 1
        } else {
            let chunk = self.free;
            self.items[chunk as usize * CHUNK] = item;
            self.free = std::mem::replace(&mut self.next[chunk as usize], NONE);
            chunk
        };
        match self.next.get_mut(list.last as usize) {
            Some(next) if !list.is_empty() => *next = chunk,
            _ => list.first = chunk,
        }
        list.last = chunk;
    }

    /// Takes the first chunk out of a list and gives it to `each`, in order; false when there is
    /// none.
    pub fn take(&mut self, list: &mut List, into: &mut impl Extend<T>) -> bool {
        let Some(chunk) = self.chunk(list.first, list.len()) else { return false };
        list.len -= chunk.len() as u32;
        into.extend(chunk.iter().copied());
        let first = list.first;
        list.first = std::mem::replace(&mut self.next[first as usize], self.free);
        self.free = first;
        true
    }

    /// The items of a list, in order.
    pub fn iter(&self, list: &List) -> impl Iterator<Item = &T> {
        let (mut chunk, mut left) = (list.first, list.len());
        let chunks = std::iter::from_fn(move || {
            let items = self.chunk(chunk, left)?;
            chunk = self.next[chunk as usize];
            left -= items.len();
            Some(items)
        });
        chunks.flatten()
    }

    /// The items in a chunk of a list that has so many left from there on.
    fn chunk(&self, chunk: u32, left: usize) -> Option<&[T]> {
        // The end of a list names no chunk: its number is too great to reckon with in 32 bits.
        (left > 0).then(|| {
            let start = chunk as usize * CHUNK;
            &self.items[start..start + left.min(CHUNK)]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    /// Against vectors, with items put in and chunks taken out at random.
    #[test]
    fn lists_behave_as_vectors() {
        let mut stream = Stream::new(1, "lists", 0);
        let mut lists = Lists::default();
        let mut ours = [List::default(); 5];
        let mut model = vec![Vec::new(); 5];
        for n in 0..20_000 {
            let which = stream.below(5) as usize;
            if stream.below(100) > 0 {
                lists.push(&mut ours[which], n);
                model[which].push(n);
            } else {
                let mut taken = Vec::new();
                let some = lists.take(&mut ours[which], &mut taken);
                let count = model[which].len().min(CHUNK);
                assert_eq!(some, count > 0);
                assert_eq!(taken, model[which].drain(..count).collect::<Vec<_>>());
            }
            assert_eq!(ours[which].len(), model[which].len());
        }
        for (list, want) in ours.iter().zip(&model) {
            assert_eq!(lists.iter(list).copied().collect::<Vec<_>>(), *want);
        }
    }

    #[test]
    fn memory_follows_what_is_held_at_once() {
        let mut lists = Lists::default();
        for round in 0..100 {
            let mut list = List::default();
            (0..1_000).for_each(|n| lists.push(&mut list, round * n));
            while lists.take(&mut list, &mut Vec::new()) {}
        }
        assert_eq!(lists.items.len(), 1_000_usize.next_multiple_of(CHUNK));
    }
}
