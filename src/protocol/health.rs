//! Asking others whether they are alive: rounds of questions, and how many answers or silences in
//! a row change what is believed of each.

use crate::base::time::Span;
use serde::{Deserialize, Serialize};

/// How health is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthSettings {
    /// Time between two questions.
    pub interval: Span,
    /// How long an answer may take.
    pub timeout: Span,
    /// Failures in a row that make one unhealthy.
    pub fall: u32,
    /// Answers in a row that make it healthy again.
    pub rise: u32,
}

impl Default for HealthSettings {
    fn default() -> Self {
        HealthSettings { interval: Span::secs(5), timeout: Span::secs(2), fall: 3, rise: 2 }
    }
}

/// What is believed of one that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belief {
    healthy: bool,
    streak: u32,
    answered: u32,
}

impl Belief {
    /// It is believed to live until it is known better.
    pub const FRESH: Belief = Belief { healthy: true, streak: 0, answered: 0 };

    /// Whether it is believed to live.
    pub fn is_healthy(&self) -> bool {
        self.healthy
    }

    /// It is believed to live, whatever it answered before.
    pub fn trust(&mut self) {
        self.healthy = true;
    }

    /// It was not asked: nothing is in a row any more.
    pub fn skip(&mut self) {
        self.streak = 0;
    }

    /// It has answered a question of a round.
    pub fn answered(&mut self, round: u32) {
        self.answered = self.answered.max(round);
    }

    /// A round is over: whether it lives, if another thing is believed now.
    pub fn judge(&mut self, round: u32, settings: &HealthSettings) -> Option<bool> {
        let alive = self.answered >= round;
        if alive == self.healthy {
            self.streak = 0;
            return None;
        }
        self.streak += 1;
        let needed = if alive { settings.rise } else { settings.fall };
        if self.streak < needed {
            return None;
        }
        (self.healthy, self.streak) = (alive, 0);
        Some(alive)
    }
}

/// What is believed of all that are asked, by their place in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    round: u32,
    asked: Vec<Belief>,
}

impl Health {
    /// Everyone is believed to live.
    pub fn new(count: usize) -> Health {
        Health { round: 0, asked: vec![Belief::FRESH; count] }
    }

    /// Whether one is believed to live.
    pub fn is_healthy(&self, place: usize) -> bool {
        self.asked.get(place).is_none_or(Belief::is_healthy)
    }

    /// Begins a round; its number goes with the questions.
    pub fn ask(&mut self) -> u32 {
        self.round += 1;
        self.round
    }

    /// One has answered a question of a round.
    pub fn answered(&mut self, place: usize, round: u32) {
        if let Some(asked) = self.asked.get_mut(place) {
            asked.answered(round);
        }
    }

    /// A round is over: those of whom another thing is believed now, and what.
    pub fn judge(&mut self, round: u32, settings: &HealthSettings) -> Vec<(usize, bool)> {
        let each = self.asked.iter_mut().enumerate();
        each.filter_map(|(place, asked)| Some((place, asked.judge(round, settings)?))).collect()
    }
}
