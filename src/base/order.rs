//! Sorting, where it need not be as fast as it can be. The standard library compiles a sorting
//! routine of several kilobytes for each type and order; here all of them share one, which sorts
//! places. Before, sorting was 215 of 3,108 kB of the code of the page; it is 77 kB.

use std::cmp::Ordering;

/// Sorts in ascending order.
pub fn up<T: Ord>(items: &mut [T]) {
    by(items, T::cmp);
}

/// Sorts by a key; equal ones stay in the order they were in.
pub fn by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by a comparison; equal ones stay in the order they were in.
pub fn by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort(&mut places, &|a, b| compare(&items[a], &items[b]));
    // Each is swapped to its place; whoever was there is found where it has gone.
    for to in 0..items.len() {
        let mut from = places[to];
        while from < to {
            from = places[from];
        }
        places[to] = from;
        items.swap(to, from);
    }
}

/// The one routine.
#[inline(never)]
fn sort(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_unstable_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pairs = [(u8, u8)];

    proptest! {
        #[test]
        fn as_the_standard_library_does(
            items in prop::collection::vec((0u8..20, any::<u8>()), 0..80)
        ) {
            let sorted = |sort: &dyn Fn(&mut Pairs)| {
                let mut items = items.clone();
                sort(&mut items);
                items
            };
            prop_assert_eq!(sorted(&|i| up(i)), sorted(&|i| i.sort()));
            prop_assert_eq!(sorted(&|i| by_key(i, |i| i.0)), sorted(&|i| i.sort_by_key(|i| i.0)));
            let down = |a: &(u8, u8), b: &(u8, u8)| b.0.cmp(&a.0);
            prop_assert_eq!(sorted(&|i| by(i, down)), sorted(&|i| i.sort_by(down)));
        }
    }
}
