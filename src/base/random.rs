//! Named random streams. One seed, one stream for each consumer: a knob that makes one
//! consumer draw more does not shift the draws of any other, which is what makes two runs
//! comparable draw by draw.

use rand_core::Rng;
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};

/// A stream of random numbers belonging to one consumer. The generator is PCG-XSH-RR 64/32
/// (O'Neill 2014); the same seed, name and number give the same draws on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream(Pcg32);

impl Stream {
    /// The stream of the consumer called `name`, the `number`-th of its kind.
    pub fn new(seed: u64, name: &str, number: u64) -> Stream {
        // FNV-1a over the name, then SplitMix64 so that neighbouring numbers share nothing.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let state = mix(seed ^ mix(hash ^ mix(number)));
        Stream(Pcg32::new(state, mix(state ^ hash)))
    }

    /// The next 32 random bits.
    pub fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        let bits = (u64::from(self.0.next_u32()) << 32) | u64::from(self.0.next_u32());
        (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..n (Lemire's multiplication; the bias is below n / 2^32). Zero when `n` is.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// True with the given chance.
    pub fn chance(&mut self, chance: super::unit::Chance) -> bool {
        self.below(1_000_000) < chance.0
    }
}

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_and_independent() {
        let draws = |seed, name, n| {
            let mut s = Stream::new(seed, name, n);
            [s.bits(), s.bits(), s.bits()]
        };
        assert_eq!(draws(1, "link", 0), draws(1, "link", 0));
        assert_ne!(draws(1, "link", 0), draws(1, "link", 1));
        assert_ne!(draws(1, "link", 0), draws(1, "client", 0));
        assert_ne!(draws(1, "link", 0), draws(2, "link", 0));
    }

    #[test]
    fn unit_and_below_cover_their_range_evenly() {
        let mut s = Stream::new(7, "test", 0);
        let mut bins = [0u32; 10];
        let mut sum = 0.0;
        for _ in 0..100_000 {
            bins[s.below(10) as usize] += 1;
            sum += s.unit();
        }
        assert!(bins.iter().all(|&n| (9_500..10_500).contains(&n)), "{bins:?}");
        assert!((sum / 100_000.0 - 0.5).abs() < 0.005);
    }
}
