//! Hedged requests: when an answer is late, send a second copy and take whichever comes first
//! (Dean and Barroso 2013). A failure that is not final sends the next copy at once, and the
//! first success wins, as in gRPC proposal A6.

use crate::base::time::Span;
use serde::{Deserialize, Serialize};

/// When to send further copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HedgeSettings {
    /// How long after the last copy.
    pub after: Span,
    /// How many copies besides the first.
    pub max_extra: u32,
}

impl HedgeSettings {
    /// How many copies are out `since` the first was sent, if none was answered.
    pub fn copies_after(&self, since: Span) -> u32 {
        match since.0.checked_div(self.after.0) {
            Some(rounds) => 1 + u32::try_from(rounds).unwrap_or(u32::MAX).min(self.max_extra),
            None => 1 + self.max_extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of gRPC A6: four attempts in all, half a second apart.
    #[test]
    fn copies_go_out_one_by_one() {
        let hedge = HedgeSettings { after: Span::millis(500), max_extra: 3 };
        for (ms, copies) in [(1, 1), (501, 2), (1_001, 3), (1_501, 4), (9_000, 4)] {
            assert_eq!(hedge.copies_after(Span::millis(ms)), copies);
        }
    }
}
