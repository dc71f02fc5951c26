//! What a backup keeps: copies, full ones and those that hold only what was changed since the one
//! before, and the shipped log. And what may be wrong with them, which only reading them shows.

use crate::base::time::{Span, Time};
use crate::protocol::store::image::{Change, Image, Place};
use crate::protocol::store::machine::Item;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What goes wrong with backups while everything looks well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Flaw {
    /// The job does not run any more. Nobody hears of that.
    Dead,
    /// What is written cannot be read. That shows at the end of reading it.
    Corrupt,
    /// The key is lost: nothing can be decrypted, old copies neither.
    KeyLost,
    /// The copies are of a newer schema than the tool that is to restore them.
    Schema,
}

impl Flaw {
    /// In words that follow a name.
    pub fn words(self) -> &'static str {
        match self {
            Flaw::Dead => "is too old: the job has died",
            Flaw::Corrupt => "cannot be read: it is corrupt",
            Flaw::KeyLost => "cannot be decrypted: the key is lost",
            Flaw::Schema => "cannot be restored: its schema is newer than the tool",
        }
    }
}

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Counting from one.
    pub number: u32,
    /// What it holds was true then, by the clock of the store.
    pub at: Time,
    /// When it was complete.
    pub done: Time,
    /// How long it took.
    pub took: Span,
    /// The place of the store then.
    pub place: Place,
    /// It holds what was changed after this position; zero is everything.
    pub since: u64,
    /// What an item holds that is in no copy.
    pub base: Item,
    /// The items.
    pub items: BTreeMap<u32, Item>,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
}

impl Copy {
    /// True if it needs no other.
    pub fn is_full(&self) -> bool {
        self.since == 0
    }
}

/// A change from the shipped log, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shipped {
    change: Change,
    flaw: Option<Flaw>,
}

/// All that a backup keeps. It is on disk, and the disk survives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    copies: VecDeque<Copy>,
    log: VecDeque<Shipped>,
    /// How far the log is shipped, and up to when it tells what happened.
    pub shipped: Option<(Place, Time)>,
    // The log has no gap after this position: it can follow no earlier copy.
    begins: u64,
    made: u32,
}

impl Library {
    /// All copies, the oldest first.
    pub fn copies(&self) -> impl DoubleEndedIterator<Item = &Copy> {
        self.copies.iter()
    }

    /// The newest copy.
    pub fn newest(&self) -> Option<&Copy> {
        self.copies.back()
    }

    /// How many changes of the log it keeps.
    pub fn log(&self) -> usize {
        self.log.len()
    }

    /// Up to when it knows what happened, if everything it has can be read.
    pub fn until(&self) -> Option<Time> {
        let shipped = self.shipped.map(|(_, at)| at);
        self.newest().map(|copy| copy.at.max(shipped.unwrap_or(Time::ZERO)))
    }

    /// The number of the next copy.
    pub fn next(&self) -> u32 {
        self.made + 1
    }

    /// Takes a copy in, and lets go of those before the oldest of `keep` full ones.
    pub fn add(&mut self, copy: Copy, keep: u32) {
        self.made = copy.number;
        self.copies.push_back(copy);
        let fulls = |copies: &VecDeque<Copy>| copies.iter().filter(|c| c.is_full()).count();
        while fulls(&self.copies) > keep.max(1) as usize {
            self.copies.pop_front();
            while self.copies.pop_front_if(|copy| !copy.is_full()).is_some() {}
        }
        let oldest = self.copies.front().map_or(0, |copy| copy.place.position);
        while self.log.pop_front_if(|shipped| shipped.change.position <= oldest).is_some() {}
    }

    /// Takes a part of the log in.
    pub fn ship(&mut self, changes: &[Change], place: Place, at: Time, flaw: Option<Flaw>) {
        self.log.extend(changes.iter().map(|change| Shipped { change: *change, flaw }));
        self.shipped = Some((place, at));
    }

    /// The log has a gap here: it goes on from another place.
    pub fn gap(&mut self, place: Place, at: Time) {
        self.log.clear();
        self.begins = place.position;
        self.shipped = Some((place, at));
    }

    /// Copies of which everything was true by `to`, the oldest first.
    pub fn candidates(&self, to: Option<Time>) -> Vec<u32> {
        let early = |copy: &&Copy| to.is_none_or(|to| copy.at <= to);
        self.copies.iter().filter(early).map(|copy| copy.number).collect()
    }

    /// The copies that are needed to restore one: it, and those before it down to a full one.
    fn chain(&self, number: u32) -> Vec<&Copy> {
        let from = self.copies.iter().rposition(|c| c.number <= number && c.is_full());
        let chain = self.copies.iter().skip(from.unwrap_or(0));
        chain.take_while(|copy| copy.number <= number).collect()
    }

    /// What is wrong with a copy or with one that it needs.
    pub fn flaw(&self, number: u32) -> Option<Flaw> {
        self.chain(number).iter().find_map(|copy| copy.flaw)
    }

    /// How many items must be read to restore a copy.
    pub fn items(&self, number: u32) -> usize {
        self.chain(number).iter().map(|copy| copy.items.len()).sum()
    }

    /// What a copy comes to, and the shipped log after it up to `to`, as far as it can be read.
    /// With how many changes of the log that are.
    pub fn image(&self, number: u32, to: Option<Time>) -> (Image, u32) {
        let mut image = Image::default();
        for copy in self.chain(number) {
            (image.place, image.at, image.base) = (copy.place, copy.at, copy.base);
            image.items.extend(copy.items.iter().map(|(number, item)| (*number, *item)));
        }
        let after = image.place.position;
        let log = self.log.iter().skip_while(|shipped| shipped.change.position <= after);
        let good = |s: &&Shipped| s.flaw.is_none() && to.is_none_or(|to| s.change.at <= to);
        let mut changes = 0;
        for shipped in log.take_while(good).filter(|_| after >= self.begins) {
            image.replay(&shipped.change);
            changes += 1;
        }
        (image, changes)
    }

    /// From now on nothing of what there is can be decrypted.
    pub fn lose_key(&mut self) {
        self.copies.iter_mut().for_each(|copy| copy.flaw = Some(Flaw::KeyLost));
        self.log.iter_mut().for_each(|shipped| shipped.flaw = Some(Flaw::KeyLost));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(number: u32, since: u64, position: u64, items: &[(u32, i64)]) -> Copy {
        let item = |&(number, value): &(u32, i64)| (number, Item { version: position, value });
        Copy {
            number,
            at: Time(position * 1_000),
            done: Time(position * 1_000),
            took: Span::ZERO,
            place: Place { term: 1, position },
            since,
            base: Item { version: 0, value: 100 },
            items: items.iter().map(item).collect(),
            flaw: None,
        }
    }

    fn change(position: u64, item: Option<u32>, value: i64) -> Change {
        Change { position, at: Time(position * 1_000), item, value, version: position }
    }

    fn library() -> Library {
        let mut library = Library::default();
        library.add(copy(1, 0, 10, &[(1, 7), (2, 8)]), 9);
        library.add(copy(2, 10, 20, &[(2, 9)]), 9);
        let changes = [change(21, Some(3), 5), change(22, None, 0), change(23, Some(1), 4)];
        library.ship(&changes, Place { term: 1, position: 23 }, Time(23_500), None);
        library
    }

    fn values(image: &Image) -> Vec<i64> {
        (1..=4).map(|number| image.item(number).value).collect()
    }

    #[test]
    fn what_changed_goes_over_what_was_there_and_the_log_over_both() {
        let library = library();
        assert_eq!(values(&library.image(1, Some(Time(15_000))).0), [7, 8, 100, 100]);
        assert_eq!(values(&library.image(2, Some(Time(20_000))).0), [7, 9, 100, 100]);
        let (image, changes) = library.image(2, Some(Time(21_999)));
        assert_eq!((values(&image), changes), (vec![7, 9, 5, 100], 1), "just before the deletion");
        let (image, changes) = library.image(2, None);
        assert_eq!((values(&image), changes), (vec![4, 0, 0, 0], 3));
        assert_eq!((library.items(2), library.items(1)), (3, 2));
    }

    #[test]
    fn a_copy_is_as_good_as_those_it_needs() {
        let mut library = Library::default();
        library.add(Copy { flaw: Some(Flaw::Corrupt), ..copy(1, 0, 10, &[]) }, 9);
        library.add(copy(2, 10, 20, &[]), 9);
        library.add(copy(3, 0, 30, &[]), 9);
        assert_eq!(
            [1, 2, 3].map(|n| library.flaw(n)),
            [Some(Flaw::Corrupt); 2].into_iter().chain([None]).collect::<Vec<_>>()[..]
        );
        assert_eq!(library.candidates(Some(Time(25_000))), [1, 2]);
    }

    #[test]
    fn a_log_with_a_gap_follows_no_copy_from_before_it() {
        let mut library = library();
        library.add(copy(3, 0, 30, &[(1, 1)]), 9);
        library.gap(Place { term: 1, position: 30 }, Time(30_000));
        let place = Place { term: 1, position: 31 };
        library.ship(&[change(31, Some(2), 6)], place, Time(31_000), None);
        assert_eq!(library.image(3, None).1, 1);
        let (image, changes) = library.image(2, None);
        assert_eq!((values(&image), changes), (vec![7, 9, 100, 100], 0));
    }

    #[test]
    fn old_copies_go_with_those_that_need_them_and_their_log() {
        let mut library = library();
        library.add(copy(3, 0, 30, &[]), 2);
        assert_eq!(library.candidates(None), [1, 2, 3]);
        library.add(copy(4, 0, 40, &[]), 2);
        assert_eq!(library.candidates(None), [3, 4]);
        assert_eq!((library.log(), library.next()), (0, 5));
    }
}
