//! Time in hand: opening a run at an instant, playing, stepping, seeking.

use crate::app::driver::Driver;
use crate::app::stage::lens::Lens;
use crate::app::state::Lab;
use crate::base::time::Time;
use crate::scenario::link::Opened;
use crate::scenario::v1::Scenario;
use crate::session::Session;
use leptos::prelude::*;

/// Simulated seconds per second, in even steps for the ear of a logarithm.
pub const SPEEDS: [f64; 19] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
    200.0, 500.0, 1000.0,
];

/// The speed that a scenario begins with.
pub fn own_speed(scenario: &Scenario) -> f64 {
    Some(scenario.view.speed).filter(|speed| *speed > 0.0).unwrap_or(1.0)
}

impl Lab {
    /// Opens what a link says. Whether its run is still the same is judged once it is there.
    pub fn open_link(&self, opened: Opened) {
        let lens = Lens::of(opened.view);
        self.open(Session::opening(opened));
        self.show_part(lens);
        self.driver.update_value(Driver::then_judge);
    }

    /// Says so if the run is another than the one the link was made from.
    pub(super) fn judge_link(&self) {
        if self.with_session(Session::is_as_linked) == Some(false) {
            let message = "this run differs from the one the link was made from";
            let why = "the engine has changed since; what you see is its run today";
            self.problems.update(|found| found.warn("d", message, why));
        }
    }

    /// Lets time pass, on the way to an instant once it is there; from the start again when the
    /// run is over.
    pub fn play(&self) {
        if self.is_under_way() {
            return self.driver.update_value(Driver::then_play);
        }
        if self.with_session(|s| s.now() >= s.end()) {
            self.seek(Time::ZERO);
        }
        self.playing.set(true);
        self.refresh();
    }

    /// Stops time, on the way to an instant where it has come to.
    pub fn pause(&self) {
        self.playing.set(false);
        self.update_session(Session::halt);
        self.driver.update_value(Driver::forget_way);
        self.going.set(None);
        self.changed.update(|n| *n += 1);
        self.refresh();
    }

    /// Plays or pauses.
    pub fn toggle(&self) {
        if self.playing.get_untracked() || self.is_under_way() { self.pause() } else { self.play() }
    }

    /// Whether the run is on its way to an instant.
    pub fn is_under_way(&self) -> bool {
        self.with_session(|s| s.goal().is_some())
    }

    /// Goes to the next event a person would notice, and says what it was once it is there.
    pub fn step(&self) {
        self.pause();
        self.update_session(Session::seek_event);
        self.driver.update_value(Driver::then_tell);
        self.refresh();
    }

    /// Goes back to the event before this instant.
    pub fn step_back(&self) {
        self.playing.set(false);
        let before =
            self.with_session(|s| s.log(60).into_iter().map(|l| l.at).find(|t| *t < s.now()));
        self.seek(before.unwrap_or(Time::ZERO));
    }

    /// Moves by seconds of simulated time, forwards or back.
    pub fn nudge(&self, seconds: f64) {
        let now = self.with_session(|s| s.now()).as_secs();
        self.seek(Time(((now + seconds).max(0.0) * 1e6) as u64));
    }

    /// Makes time pass one notch faster or slower.
    pub fn change_speed(&self, notches: i32) {
        let now = self.speed.get_untracked();
        let off = |n: usize| libm::log(SPEEDS[n] / now).abs();
        let nearest = (0..SPEEDS.len()).min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or(0);
        let wanted = (nearest as i32 + notches).clamp(0, SPEEDS.len() as i32 - 1) as usize;
        self.play_at(SPEEDS[wanted]);
    }

    /// Makes time pass at a speed; the address follows.
    pub fn play_at(&self, speed: f64) {
        self.speed.set(speed);
        self.changed.update(|n| *n += 1);
    }

    /// Goes to an instant. What is not simulated yet is simulated over the next frames.
    pub fn seek(&self, at: Time) {
        let at = self.with_session(|s| at.min(s.end()));
        self.update_session(|s| s.seek(at));
        self.driver.update_value(Driver::forget_way);
        self.changed.update(|n| *n += 1);
        self.refresh();
    }
}
