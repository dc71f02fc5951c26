//! Which shard has which key.
//!
//! By ranges, by the remainder of a hash, or by the place of a hash on a ring (Karger et al. 1997)
//! on which every shard stands many times. With a bound, no shard gets more than its share and
//! some (Mirrokni, Thorup and Zadimoghaddam, Consistent Hashing with Bounded Loads): keys fall into
//! buckets, and a bucket whose shard is full goes on to the next shard on the ring.

use crate::base::order;
use crate::base::unit::Chance;
use serde::{Deserialize, Serialize};

/// So many buckets of keys are placed on a ring with a bound.
const BUCKETS: u32 = 4_096;

/// How keys are dealt out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placement {
    /// Neighbours stay together.
    Range {
        /// The first key of each shard but the first; none for ranges of equal length.
        splits: Vec<u32>,
    },
    /// The remainder of a hash.
    Modulo,
    /// The next shard on a ring.
    Ring {
        /// How often each shard stands on the ring.
        points: u32,
        /// How much more than the mean a shard may have; none is without a bound.
        slack: Option<Chance>,
    },
}

/// Where each key belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// How keys are dealt out.
    pub placement: Placement,
    /// Among how many shards.
    pub shards: u32,
    /// How many keys there are.
    pub items: u32,
    /// How many of them each shard has.
    pub keys: Vec<u32>,
    // Places on the ring and whose they are, in order.
    ring: Vec<(u64, u32)>,
    // With a bound: whose each bucket is.
    buckets: Vec<u32>,
}

/// A piece of the ring that belongs to one shard, in turns around it from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub until: f64,
    /// Whose it is.
    pub shard: u32,
}

impl Map {
    /// Deals `items` keys out among `shards`.
    pub fn new(placement: Placement, shards: u32, items: u32) -> Map {
        let (ring, buckets, keys) = (Vec::new(), Vec::new(), vec![0; shards as usize]);
        let mut map = Map { placement, shards, items, keys, ring, buckets };
        if let Placement::Ring { points, slack } = map.placement {
            let place = |shard: u32, point: u32| {
                (hash(RING | (u64::from(shard) << 32) | u64::from(point)), shard)
            };
            let all = (0..shards).flat_map(|shard| (0..points).map(move |p| (shard, p)));
            map.ring = all.map(|(shard, point)| place(shard, point)).collect();
            order::up(&mut map.ring);
            if let Some(slack) = slack {
                map.buckets = map.bounded(slack);
            }
        }
        for item in 0..items {
            let shard = map.shard(item) as usize;
            map.keys[shard] += 1;
        }
        map
    }

    /// The shard of a key.
    pub fn shard(&self, item: u32) -> u32 {
        let shard = match &self.placement {
            Placement::Range { splits } if splits.is_empty() => {
                let items = u64::from(self.items.max(1));
                (u64::from(item) * u64::from(self.shards) / items) as u32
            }
            Placement::Range { splits } => splits.partition_point(|first| *first <= item) as u32,
            Placement::Modulo => (hash(u64::from(item)) % u64::from(self.shards.max(1))) as u32,
            Placement::Ring { .. } if self.buckets.is_empty() => {
                self.walk(hash(u64::from(item))).next().unwrap_or(0)
            }
            Placement::Ring { .. } => self.buckets[bucket(item) as usize],
        };
        shard.min(self.shards.saturating_sub(1))
    }

    /// How many keys have another shard in another map.
    pub fn differs(&self, other: &Map) -> u32 {
        let items = self.items.max(other.items);
        (0..items).filter(|item| self.shard(*item) != other.shard(*item)).count() as u32
    }

    /// The ring in pieces, in order; neighbours have different shards. None where there is no ring.
    pub fn arcs(&self) -> Vec<Arc> {
        // Each place ends the piece of its shard.
        let mut ends = self.ring.clone();
        if !self.buckets.is_empty() {
            let buckets = (0..).zip(&self.buckets);
            ends = buckets.map(|(b, shard)| (hash(BUCKET | b), *shard)).collect();
            order::up(&mut ends);
        }
        let turn = |place: u64| place as f64 / u64::MAX as f64;
        let mut arcs: Vec<Arc> = Vec::new();
        // From the last place on, the ring goes over its beginning to the first.
        let over = ends.first().map(|(_, shard)| (u64::MAX, *shard));
        for (place, shard) in ends.iter().copied().chain(over) {
            let from = arcs.last().map_or(0.0, |last| last.until);
            match arcs.last_mut() {
                Some(last) if last.shard == shard => last.until = turn(place),
                _ => arcs.push(Arc { from, until: turn(place), shard }),
            }
        }
        arcs
    }

    /// The shards on the ring from a place on, once around.
    fn walk(&self, place: u64) -> impl Iterator<Item = u32> {
        let first = self.ring.partition_point(|(at, _)| *at < place);
        let (before, after) = self.ring.split_at(first);
        after.iter().chain(before).map(|(_, shard)| *shard)
    }

    /// Each bucket to the first shard from its place on that has room.
    fn bounded(&self, slack: Chance) -> Vec<u32> {
        let all = u64::from(BUCKETS) * (1_000_000 + u64::from(slack.0));
        let room = all.div_ceil(1_000_000 * u64::from(self.shards.max(1))) as u32;
        let mut load = vec![0; self.shards as usize];
        let mut place = |bucket: u32| {
            let mut way = self.walk(hash(BUCKET | u64::from(bucket)));
            let shard = way.find(|shard| load[*shard as usize] < room).unwrap_or(0);
            load[shard as usize] += 1;
            shard
        };
        (0..BUCKETS).map(&mut place).collect()
    }
}

// Hashes of places, of buckets and of keys are of different things.
const RING: u64 = 1 << 63;
const BUCKET: u64 = 1 << 62;

fn bucket(item: u32) -> u32 {
    (hash(u64::from(item)) % u64::from(BUCKETS)) as u32
}

/// SplitMix64's finalizer (Steele, Lea and Flood 2014).
fn hash(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS: u32 = 100_000;

    fn ring(points: u32, slack: Option<Chance>, shards: u32) -> Map {
        Map::new(Placement::Ring { points, slack }, shards, ITEMS)
    }

    #[test]
    fn ranges_end_where_they_are_split() {
        let map = Map::new(Placement::Range { splits: vec![10, 500] }, 3, 1_000);
        assert_eq!([0, 9, 10, 499, 500, 999].map(|item| map.shard(item)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(map.keys, [10, 490, 500]);
        let map = Map::new(Placement::Range { splits: Vec::new() }, 4, 1_000);
        assert_eq!(map.keys, [250; 4]);
    }

    /// One more shard: the remainder moves N/(N+1) of the keys, a ring 1/(N+1), ranges half.
    #[test]
    fn a_ring_moves_what_the_new_shard_gets_and_no_more() {
        let share = |one: &Map, more: &Map| f64::from(one.differs(more)) / f64::from(ITEMS);
        let modulo = |n| Map::new(Placement::Modulo, n, ITEMS);
        assert!((share(&modulo(4), &modulo(5)) - 0.8).abs() < 0.01);
        let (four, five) = (ring(100, None, 4), ring(100, None, 5));
        assert_eq!(four.differs(&five), five.keys[4]);
        assert!((share(&four, &five) - 0.2).abs() < 0.06, "{}", share(&four, &five));
        let (four, five) =
            (ring(100, Some(Chance(100_000)), 4), ring(100, Some(Chance(100_000)), 5));
        assert!((0.2..0.4).contains(&share(&four, &five)), "{}", share(&four, &five));
    }

    #[test]
    fn the_pieces_of_a_ring_are_what_its_shards_get() {
        for slack in [None, Some(Chance(100_000))] {
            let map = ring(20, slack, 4);
            let arcs = map.arcs();
            let near = |one: f64, other: f64| (one - other).abs() < 1e-12;
            assert!(near(arcs[0].from, 0.0) && near(arcs[arcs.len() - 1].until, 1.0));
            assert!(arcs.windows(2).all(|two| near(two[0].until, two[1].from)));
            for shard in 0..4 {
                let own = arcs.iter().filter(|arc| arc.shard == shard);
                let part = own.map(|arc| arc.until - arc.from).sum::<f64>();
                let keys = f64::from(map.keys[shard as usize]) / f64::from(ITEMS);
                // Buckets are dealt out by their number of keys, not by their length.
                let near = if slack.is_none() { 0.01 } else { 0.03 };
                assert!((part - keys).abs() < near, "{part} {keys}");
            }
        }
        assert!(Map::new(Placement::Modulo, 4, ITEMS).arcs().is_empty());
    }

    /// The deviation of a share is that of V out of NV random arcs: sqrt((N - 1) / (NV + 1)).
    #[test]
    fn a_ring_with_more_points_is_more_even_and_a_bound_holds() {
        let spread = |points: u32| {
            let shares: Vec<f64> = (3..13)
                .flat_map(|n| {
                    let map = ring(points, None, n);
                    let mean = f64::from(ITEMS) / f64::from(n);
                    map.keys.iter().map(|k| f64::from(*k) / mean - 1.0).collect::<Vec<_>>()
                })
                .collect();
            (shares.iter().map(|d| d * d).sum::<f64>() / shares.len() as f64).sqrt()
        };
        let (one, hundred) = (spread(1), spread(100));
        assert!((0.5..1.6).contains(&one) && (0.06..0.14).contains(&hundred), "{one} {hundred}");
        let map = ring(1, Some(Chance(250_000)), 8);
        let most = *map.keys.iter().max().unwrap_or(&0);
        assert!(f64::from(most) < f64::from(ITEMS) / 8.0 * 1.3, "{:?}", map.keys);
        let free = ring(1, None, 8);
        assert!(free.keys.iter().max() > Some(&(most + most / 4)), "{:?}", free.keys);
    }
}
