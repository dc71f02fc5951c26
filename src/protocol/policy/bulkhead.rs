//! A bulkhead: at most so many calls outstanding, so that one slow target cannot take everything
//! its caller has (Nygard, Release It!).

use serde::{Deserialize, Serialize};

/// Counts calls outstanding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulkhead {
    limit: u32,
    inside: u32,
}

impl Bulkhead {
    /// Envoy's limit of connections, of pending and of active requests, each.
    pub const ENVOY_LIMIT: u32 = 1024;

    /// An empty one.
    pub fn new(limit: u32) -> Bulkhead {
        Bulkhead { limit, inside: 0 }
    }

    /// Takes a place, if one is free.
    pub fn try_enter(&mut self) -> bool {
        let free = self.inside < self.limit;
        self.inside += u32::from(free);
        free
    }

    /// Gives a place back.
    pub fn leave(&mut self) {
        self.inside = self.inside.saturating_sub(1);
    }

    /// How many are inside.
    pub fn inside(&self) -> u32 {
        self.inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_bulkhead_lets_nobody_in_until_somebody_leaves() {
        let mut bulkhead = Bulkhead::new(2);
        assert!(bulkhead.try_enter() && bulkhead.try_enter() && !bulkhead.try_enter());
        bulkhead.leave();
        assert!(bulkhead.try_enter() && !bulkhead.try_enter());
        assert_eq!(bulkhead.inside(), 2);
    }
}
