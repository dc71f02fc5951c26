//! Asking others whether they are alive: rounds of questions, and how many answers or silences in
//! a row change what is believed of each.

use super::balancer::HealthSettings;
use serde::{Deserialize, Serialize};

/// What is believed of one that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    healthy: bool,
    streak: u32,
    answered: u32,
}

const FRESH: Asked = Asked { healthy: true, streak: 0, answered: 0 };

/// What is believed of all that are asked, by their place in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    round: u32,
    asked: Vec<Asked>,
}

impl Health {
    /// Everyone is believed to live.
    pub fn new(count: usize) -> Health {
        Health { round: 0, asked: vec![FRESH; count] }
    }

    /// Whether one is believed to live.
    pub fn is_healthy(&self, place: usize) -> bool {
        self.asked.get(place).is_none_or(|asked| asked.healthy)
    }

    /// Begins a round; its number goes with the questions.
    pub fn ask(&mut self) -> u32 {
        self.round += 1;
        self.round
    }

    /// One has answered a question of a round.
    pub fn answered(&mut self, place: usize, round: u32) {
        if let Some(asked) = self.asked.get_mut(place) {
            asked.answered = asked.answered.max(round);
        }
    }

    /// A round is over: those of whom another thing is believed now, and what.
    pub fn judge(&mut self, round: u32, settings: &HealthSettings) -> Vec<(usize, bool)> {
        let mut changed = Vec::new();
        for (place, asked) in self.asked.iter_mut().enumerate() {
            let alive = asked.answered >= round;
            if alive == asked.healthy {
                asked.streak = 0;
                continue;
            }
            asked.streak += 1;
            let needed = if alive { settings.rise } else { settings.fall };
            if asked.streak >= needed {
                asked.healthy = alive;
                asked.streak = 0;
                changed.push((place, alive));
            }
        }
        changed
    }
}
