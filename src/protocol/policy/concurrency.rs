//! A concurrency limit that adapts by additive increase and multiplicative decrease: it grows by
//! one for each window of completions that went well and shrinks when one was dropped or slow
//! (as the AIMD limit of Netflix' concurrency-limits).

use crate::base::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// How the limit adapts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConcurrencySettings {
    /// Where it starts.
    pub initial: u32,
    /// Never below.
    pub min: u32,
    /// Never above.
    pub max: u32,
    /// A completion slower than this counts against the limit.
    pub target: Span,
    /// What the limit is multiplied by then, in thousandths.
    pub decrease: u32,
}

impl Default for ConcurrencySettings {
    fn default() -> Self {
        ConcurrencySettings {
            initial: 20,
            min: 1,
            max: 200,
            target: Span::millis(500),
            decrease: 900,
        }
    }
}

/// The limit now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concurrency {
    settings: ConcurrencySettings,
    limit: f64,
    // At most one decrease per round trip: those who were already inside tell nothing new.
    decreased: Option<Time>,
}

impl Concurrency {
    /// At its initial value.
    pub fn new(settings: &ConcurrencySettings) -> Concurrency {
        let limit = f64::from(settings.initial.clamp(settings.min, settings.max.max(settings.min)));
        Concurrency { settings: *settings, limit, decreased: None }
    }

    /// The limit.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Whether another request may come in beside `inside` others.
    pub fn may_start(&self, inside: u32) -> bool {
        f64::from(inside) < libm::floor(self.limit)
    }

    /// A request that took `took` is done.
    pub fn completed(&mut self, now: Time, took: Span, dropped: bool) {
        if dropped || took > self.settings.target {
            let began_after = |cut: Time| now.since(cut) >= took;
            if self.decreased.is_none_or(began_after) {
                self.limit *= f64::from(self.settings.decrease) / 1_000.0;
                self.decreased = Some(now);
            }
        } else {
            self.limit += 1.0 / self.limit;
        }
        let (min, max) = (f64::from(self.settings.min), f64::from(self.settings.max));
        self.limit = self.limit.clamp(min, max.max(min));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_by_one_a_window_and_shrinks_by_a_part() {
        let settings = ConcurrencySettings { initial: 10, ..ConcurrencySettings::default() };
        let mut limit = Concurrency::new(&settings);
        for n in 0..10 {
            limit.completed(Time(n), Span::millis(1), false);
        }
        assert!((limit.limit() - 11.0).abs() < 0.06, "{}", limit.limit());
        assert!(limit.may_start(9) && !limit.may_start(11));
        let before = limit.limit();
        limit.completed(Time(1_000_000), Span::millis(900), false);
        limit.completed(Time(1_000_001), Span::millis(900), false);
        assert!((limit.limit() / before - 0.9).abs() < 1e-9, "one decrease per round trip");
    }
}
