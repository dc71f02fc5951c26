//! What a replica holds of an item, and how two copies that have gone apart become one again.
//!
//! Joining is the same in any order and any number of times, so replicas that have heard of the
//! same changes hold the same, whichever way they heard of them (Shapiro et al. 2011).

use super::Merge;
use crate::base::order;
use crate::protocol::rpc::{Answer, Op};
use serde::{Deserialize, Serialize};

/// The name of a change: the place of its coordinator among the replicas, and how many changes of
/// this item that one has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dot {
    /// The place of the coordinator in the list of replicas.
    pub place: u8,
    /// Its count, from 1.
    pub count: u32,
}

/// Which changes of an item somebody has seen: of each coordinator all up to a count. A version
/// vector (Parker et al. 1983).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past(Vec<u32>);

impl Past {
    /// True if the change is among them.
    pub fn covers(&self, dot: Dot) -> bool {
        self.0.get(usize::from(dot.place)).is_some_and(|count| *count >= dot.count)
    }

    /// Adds a change, and all before it of the same coordinator.
    pub fn add(&mut self, dot: Dot) {
        let place = usize::from(dot.place);
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] = self.0[place].max(dot.count);
    }

    /// Adds what another has seen.
    pub fn join(&mut self, other: &Past) {
        for (place, count) in (0..).zip(&other.0) {
            self.add(Dot { place, count: *count });
        }
    }

    /// As a number that a client carries from a read to its next write. What is contained in
    /// another is no larger as a number. A count too large for its share of the bits is cut:
    /// what is beyond then counts as not seen, and stays beside what is written.
    pub fn pack(&self, replicas: u32) -> u64 {
        let bits = 63 / replicas.max(1);
        let most = (1u64 << bits) - 1;
        let parts = (0..replicas).zip(&self.0);
        parts.fold(0, |sum, (place, count)| sum | (u64::from(*count).min(most) << (place * bits)))
    }

    /// What was packed.
    pub fn unpack(packed: u64, replicas: u32) -> Past {
        let bits = 63 / replicas.max(1);
        let most = (1u64 << bits) - 1;
        Past((0..replicas).map(|place| ((packed >> (place * bits)) & most) as u32).collect())
    }
}

/// A value and where it comes from: a dotted version vector (Preguiça et al. 2010).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// When it was written, by the clock of its coordinator, in sixteenths of a microsecond, the
    /// last four bits its place: no two are the same.
    pub stamp: u64,
    /// The change that made it. Of meaning among siblings only.
    pub dot: Dot,
    /// What its writer had seen. Of meaning among siblings only.
    pub past: Past,
    /// The value.
    pub value: i64,
}

/// What one coordinator has added to a count and taken from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// In how many changes.
    pub count: u32,
    /// Added in all.
    pub plus: u64,
    /// Taken in all.
    pub minus: u64,
}

/// What a replica holds of an item. One that has never been changed is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Versions of its value, the oldest stamp first: one, or several that know nothing of each
    /// other.
    pub versions: Vec<Version>,
    /// Where it is counted with, what each coordinator has counted, by place.
    pub tallies: Vec<Tally>,
    /// Where it is a set: its members, each with the change that put it in. One that was put in
    /// at several places at once stands there several times.
    pub members: Vec<(u8, Dot)>,
    /// Where it is a set: every change of it that has been seen.
    pub seen: Past,
}

impl Cell {
    /// A cell with one version.
    pub fn of(version: Version) -> Cell {
        Cell { versions: vec![version], ..Cell::default() }
    }

    /// What one coordinator has counted here.
    pub fn tally(&mut self, place: u8) -> &mut Tally {
        let place = usize::from(place);
        if self.tallies.len() <= place {
            self.tallies.resize(place + 1, Tally::default());
        }
        &mut self.tallies[place]
    }

    /// Takes in what another copy holds. True if that was news.
    pub fn join(&mut self, other: &Cell, merge: Merge) -> bool {
        let mut news = self.join_tallies(&other.tallies) | self.join_set(other);
        for version in &other.versions {
            news |= match merge {
                Merge::LastWriterWins | Merge::Counter | Merge::Set => self.put_last(version),
                Merge::Siblings => self.put_beside(version),
            };
        }
        news
    }

    /// True if it has everything that another copy has.
    pub fn contains(&self, other: &Cell, merge: Merge) -> bool {
        !self.clone().join(other, merge)
    }

    fn join_tallies(&mut self, others: &[Tally]) -> bool {
        let mut news = false;
        for (place, other) in (0..).zip(others) {
            // A coordinator counts one after the other: the larger count contains the smaller.
            let own = self.tally(place);
            if own.count < other.count {
                *own = *other;
                news = true;
            }
        }
        news
    }

    /// Puts a member in or takes it out, as a change of its own.
    pub fn change_set(&mut self, dot: Dot, op: Op) {
        match op {
            Op::Insert { member } => {
                self.members.retain(|(known, _)| *known != member);
                self.members.push((member, dot));
                order::up(&mut self.members);
            }
            Op::Remove { member } => self.members.retain(|(known, _)| *known != member),
            _ => {}
        }
        self.seen.add(dot);
    }

    /// What one has and the other has seen but has no longer, was taken out.
    fn join_set(&mut self, other: &Cell) -> bool {
        // Whoever has seen nothing has no member.
        if other.seen.0.is_empty() {
            return false;
        }
        let before = self.seen.clone();
        let stays = |other: &Cell, member: &(u8, Dot)| {
            other.members.contains(member) || !other.seen.covers(member.1)
        };
        let own = self.members.iter().filter(|m| stays(other, m));
        let theirs = other.members.iter().filter(|m| stays(self, m));
        let mut members: Vec<(u8, Dot)> = own.chain(theirs).copied().collect();
        order::up(&mut members);
        members.dedup();
        let news = members != self.members;
        self.members = members;
        self.seen.join(&other.seen);
        news || before != self.seen
    }

    /// A mistake to be found: what was taken out is not known to have been there.
    pub(super) fn forget_removals(&mut self) {
        let mut seen = Past::default();
        self.members.iter().for_each(|(_, dot)| seen.add(*dot));
        self.seen = seen;
    }

    fn put_last(&mut self, version: &Version) -> bool {
        let newest = self.versions.iter().map(|v| v.stamp).max().unwrap_or(0);
        let news = newest < version.stamp;
        if news {
            self.versions = vec![version.clone()];
        }
        news
    }

    fn put_beside(&mut self, version: &Version) -> bool {
        let known = |v: &Version| v.dot == version.dot || v.past.covers(version.dot);
        if self.versions.iter().any(known) {
            return false;
        }
        self.versions.retain(|v| !version.past.covers(v.dot));
        self.versions.push(version.clone());
        order::by_key(&mut self.versions, |v| v.stamp);
        true
    }

    /// The version that was stamped last.
    pub fn newest(&self) -> Option<&Version> {
        self.versions.iter().max_by_key(|v| v.stamp)
    }

    /// Everything that has been seen by whoever reads it.
    pub fn past(&self) -> Past {
        let mut past = self.seen.clone();
        for version in &self.versions {
            past.join(&version.past);
            past.add(version.dot);
        }
        past
    }

    /// The answer to a read: `balance` is what an item holds before its first change. Of siblings
    /// the one stamped last speaks for all.
    pub fn read(&self, merge: Merge, balance: i64, replicas: u32) -> Answer {
        let (version, value) = match merge {
            Merge::LastWriterWins => {
                self.newest().map_or((0, balance), |version| (version.stamp, version.value))
            }
            Merge::Siblings => {
                let value = self.newest().map_or(balance, |version| version.value);
                (self.past().pack(replicas), value)
            }
            Merge::Counter => self.count(balance),
            Merge::Set => (self.seen.pack(replicas), self.set()),
        };
        Answer::Done { version, value }
    }

    /// The members of the set as bits.
    fn set(&self) -> i64 {
        let put = |set, (member, _): &(u8, Dot)| Op::Insert { member: *member }.on_set(set);
        self.members.iter().fold(0, |set, member| put(set, member).unwrap_or(set))
    }

    /// How often it was counted with, and to what it adds up.
    fn count(&self, balance: i64) -> (u64, i64) {
        let sum = |part: fn(&Tally) -> u64| self.tallies.iter().map(part).sum::<u64>();
        let (plus, minus) = (sum(|t| t.plus), sum(|t| t.minus));
        let value = balance.saturating_add_unsigned(plus).saturating_sub_unsigned(minus);
        (sum(|t| u64::from(t.count)), value)
    }

    /// True if a change of siblings, of a count or of a set is in it, or was seen by whoever
    /// replaced it.
    pub fn accounts_for(&self, dot: Dot) -> bool {
        let tally = self.tallies.get(usize::from(dot.place));
        tally.is_some_and(|tally| tally.count >= dot.count)
            || self.seen.covers(dot)
            || self.versions.iter().any(|v| v.dot == dot || v.past.covers(dot))
    }

    /// How many changes of this item the coordinator at a place has made, as far as is known here.
    pub fn made_by(&self, place: u8) -> u32 {
        let place = usize::from(place);
        let counted = self.tallies.get(place).map_or(0, |tally| tally.count);
        counted.max(self.past().0.get(place).copied().unwrap_or(0))
    }

    /// A number that differs where cells differ.
    pub fn hash(&self, item: u32) -> u64 {
        let mut hash = mix(u64::from(item));
        for version in &self.versions {
            hash = mix(hash ^ version.stamp);
        }
        for tally in &self.tallies {
            hash = mix(hash ^ u64::from(tally.count));
        }
        for count in &self.seen.0 {
            hash = mix(hash ^ u64::from(*count));
        }
        for (member, dot) in &self.members {
            let dot = (u64::from(dot.place) << 32) | u64::from(dot.count);
            hash = mix(hash ^ dot ^ (u64::from(*member) << 48));
        }
        hash
    }
}

/// Spreads numbers (the finalizer of SplitMix64).
pub fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every other version has seen what its coordinator made before.
    fn version(place: u8, count: u32, past: &Past) -> Version {
        let stamp = (u64::from(count) << 4) | u64::from(place + 1);
        let dot = Dot { place, count };
        Version { stamp, dot, past: past.clone(), value: i64::from(count) }
    }

    fn past(dots: &[(u8, u32)]) -> Past {
        let mut past = Past::default();
        dots.iter().for_each(|&(place, count)| past.add(Dot { place, count }));
        past
    }

    #[test]
    fn what_was_seen_is_replaced_and_what_was_not_stays_beside() {
        let nothing = Past::default();
        let mut cell = Cell::of(version(0, 1, &nothing));
        cell.join(&Cell::of(version(1, 1, &nothing)), Merge::Siblings);
        assert_eq!(cell.versions.len(), 2);
        let seen = Past::unpack(cell.past().pack(3), 3);
        let mut other = cell.clone();
        other.join(&Cell::of(version(2, 1, &nothing)), Merge::Siblings);
        other.join(&Cell::of(version(0, 2, &seen)), Merge::Siblings);
        let left: Vec<Dot> = other.versions.iter().map(|v| v.dot).collect();
        assert_eq!(left, [Dot { place: 2, count: 1 }, Dot { place: 0, count: 2 }]);
        assert!(!other.join(&cell, Merge::Siblings), "what is gone does not come back");
        assert!(other.accounts_for(Dot { place: 1, count: 1 }), "it was seen");
        assert!(!other.accounts_for(Dot { place: 1, count: 2 }));
    }

    #[test]
    fn the_last_stamp_wins_whoever_had_seen_it() {
        let mut cell = Cell::of(version(0, 5, &Past::default()));
        assert!(!cell.join(&Cell::of(version(1, 4, &past(&[(0, 5)]))), Merge::LastWriterWins));
        assert_eq!(cell.newest().map(|v| v.value), Some(5));
    }

    #[test]
    fn a_member_stays_out_unless_it_was_put_in_again_elsewhere() {
        let (insert, remove) = (Op::Insert { member: 7 }, Op::Remove { member: 7 });
        let dot = |place, count| Dot { place, count };
        let mut one = Cell::default();
        one.change_set(dot(0, 1), insert);
        let old = one.clone();
        let mut two = one.clone();
        one.change_set(dot(0, 2), remove);
        assert!(!one.join(&old, Merge::Set), "an old copy brings nothing back");
        assert_eq!(one.set(), 0);
        two.change_set(dot(1, 1), insert);
        assert!(one.join(&two, Merge::Set) && two.join(&one, Merge::Set));
        assert_eq!((one.set(), &one), (1 << 7, &two), "nobody who took it out knew of the second");
        assert!(one.accounts_for(dot(0, 2)) && one.accounts_for(dot(1, 1)));
        let Answer::Done { value, .. } = one.read(Merge::Set, 1_000, 3) else { panic!() };
        assert_eq!(value, 1 << 7);
    }

    #[test]
    fn a_count_too_large_for_its_bits_counts_as_not_seen() {
        let back = Past::unpack(past(&[(8, 500)]).pack(9), 9);
        assert!(back.covers(Dot { place: 8, count: 127 }));
        assert!(!back.covers(Dot { place: 8, count: 128 }));
    }

    fn cell(changes: &[(u8, u32)], merge: Merge) -> Cell {
        let mut cell = Cell::default();
        for &(place, count) in changes {
            // One dot is one version, whoever tells of it.
            let seen = if count % 2 == 0 { past(&[(place, count - 1)]) } else { Past::default() };
            cell.join(&Cell::of(version(place, count, &seen)), merge);
            let mut counted = Cell::default();
            *counted.tally(place) = Tally { count, plus: u64::from(count) * 2, minus: 0 };
            cell.join(&counted, merge);
        }
        cell
    }

    /// Sets as three coordinators make them, one after the other: each changes its own copy, and
    /// now and then hears of another's.
    fn sets(steps: &[(u8, u8, bool, u8)]) -> [Cell; 3] {
        let mut sets: [Cell; 3] = std::array::from_fn(|_| Cell::default());
        for &(place, member, insert, heard) in steps {
            let at = usize::from(place);
            let op = if insert { Op::Insert { member } } else { Op::Remove { member } };
            let dot = Dot { place, count: sets[at].made_by(place) + 1 };
            sets[at].change_set(dot, op);
            let other = sets[usize::from(heard)].clone();
            sets[at].join(&other, Merge::Set);
        }
        sets
    }

    proptest! {
        #[test]
        fn the_order_of_joining_sets_does_not_matter(
            steps in proptest::collection::vec((0..3u8, 0..3u8, any::<bool>(), 0..3u8), 0..24),
        ) {
            let [one, two, three] = sets(&steps);
            let joined = |cells: [&Cell; 4]| {
                let mut all = Cell::default();
                for cell in cells {
                    all.join(cell, Merge::Set);
                }
                all
            };
            let all = joined([&one, &two, &three, &one]);
            prop_assert_eq!(&all, &joined([&three, &three, &one, &two]));
            prop_assert_eq!(&all, &joined([&two, &all, &one, &two]));
            prop_assert_eq!(all.hash(1), joined([&two, &three, &all, &one]).hash(1));
            prop_assert!([&one, &two, &three].iter().all(|cell| all.contains(cell, Merge::Set)));
            prop_assert!(all.members.iter().all(|(_, dot)| all.seen.covers(*dot)));
            let there = |member: u8| all.members.iter().any(|(known, _)| *known == member);
            for member in 0..3 {
                let of_it = |step: &&(u8, u8, bool, u8)| step.1 == member;
                let last = steps.iter().rev().find(of_it);
                prop_assert!(last.is_some_and(|step| step.2) <= there(member), "the last put in");
                let never_in = steps.iter().filter(of_it).all(|step| !step.2);
                prop_assert!(!(never_in && there(member)));
            }
        }

        #[test]
        fn the_order_of_joining_does_not_matter(
            one in proptest::collection::vec((0..3u8, 1..6u32), 0..6),
            two in proptest::collection::vec((0..3u8, 1..6u32), 0..6),
            three in proptest::collection::vec((0..3u8, 1..6u32), 0..6),
        ) {
            for merge in [Merge::LastWriterWins, Merge::Siblings, Merge::Counter] {
                let [one, two, three] = [&one, &two, &three].map(|c| cell(c, merge));
                let joined = |cells: [&Cell; 3]| {
                    let mut all = Cell::default();
                    for cell in cells {
                        all.join(cell, merge);
                    }
                    all
                };
                let all = joined([&one, &two, &three]);
                prop_assert_eq!(&all, &joined([&three, &one, &two]));
                prop_assert_eq!(&all, &joined([&two, &two, &all]));
                prop_assert!(all.contains(&one, merge) && all.contains(&two, merge));
            }
        }
    }
}
