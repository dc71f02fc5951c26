//! The animation loop: advance the run within a budget, then one picture, then one tick.
//!
//! There is one loop, made when the page starts and never thrown away. It sleeps while nothing
//! moves: a paused page draws nothing.

use crate::app::state::Lab;
use crate::base::time::{Span, Time};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

/// Milliseconds of a frame that may go into simulating; the rest is for drawing.
const BUDGET: f64 = 9.0;
/// Events between two looks at the clock.
const SLICE: u32 = 2_000;
/// The longest step of wall time taken as passed, in milliseconds, after a hidden tab or a stall.
const LONGEST_STEP: f64 = 200.0;
/// Milliseconds between two slow ticks.
const SLOW: f64 = 100.0;

/// State of the animation loop.
#[derive(Default)]
pub struct Driver {
    run: Option<Closure<dyn FnMut(f64)>>,
    scheduled: bool,
    last: Option<f64>,
    last_slow: f64,
    /// Wall time owed to the simulation, in simulated microseconds below one.
    remainder: f64,
    target: Option<Time>,
    dirty: bool,
    pace: f64,
}

impl Driver {
    /// Makes sure a frame is drawn soon.
    pub fn wake(&mut self) {
        self.dirty = true;
        self.schedule();
    }

    /// Goes to `at` over the next frames.
    pub fn seek_to(&mut self, at: Time) {
        self.target = Some(at);
    }

    /// Forgets where it was going: another run is on screen.
    pub fn forget(&mut self) {
        self.target = None;
        self.remainder = 0.0;
        self.last = None;
    }

    fn schedule(&mut self) {
        let Some(run) = self.run.as_ref().filter(|_| !self.scheduled) else { return };
        self.scheduled = window().request_animation_frame(run.as_ref().unchecked_ref()).is_ok();
    }
}

/// Starts the loop. Call once, at the root.
pub fn start(lab: Lab) {
    let run = Closure::new(move |now: f64| tick(lab, now));
    lab.driver.update_value(|d| {
        d.run = Some(run);
        d.wake();
    });
}

/// Milliseconds since the page started.
fn clock() -> f64 {
    window().performance().map_or(0.0, |p| p.now())
}

fn tick(lab: Lab, now: f64) {
    let Some(playing) = lab.playing.try_get_untracked() else { return };
    let (elapsed, target, dirty) = lab
        .driver
        .try_update_value(|d| {
            d.scheduled = false;
            let elapsed = d.last.map_or(0.0, |last| (now - last).clamp(0.0, LONGEST_STEP));
            d.last = playing.then_some(now);
            (elapsed, d.target, std::mem::take(&mut d.dirty))
        })
        .unwrap_or_default();
    let mut moving = false;
    if let Some(at) = target {
        let arrived = chase(lab, at);
        if arrived {
            lab.driver.update_value(|d| d.target = None);
        }
        moving = true;
    } else if playing {
        moving = pass(lab, elapsed);
    }
    if moving || dirty {
        let slow = lab.driver.try_update_value(|d| {
            let slow = dirty || now - d.last_slow >= SLOW;
            if slow {
                d.last_slow = now;
            }
            slow
        });
        lab.publish(slow == Some(true));
    }
    if moving {
        lab.driver.update_value(Driver::wake_quietly);
    }
}

impl Driver {
    /// One more frame, without asking for a slow tick.
    fn wake_quietly(&mut self) {
        self.schedule();
    }
}

/// Lets `elapsed` milliseconds pass at the chosen speed. False when the run is over.
fn pass(lab: Lab, elapsed: f64) -> bool {
    let wanted = elapsed * 1e3 * lab.speed.get_untracked();
    let (now, end) = lab.with_session(|s| (s.now(), s.end()));
    let owed = lab
        .driver
        .try_update_value(|d| {
            let owed = wanted + d.remainder;
            d.remainder = owed.fract();
            owed as u64
        })
        .unwrap_or(0);
    let until = (now + Span(owed)).min(end);
    let reached = within_budget(lab, until);
    let got = lab.with_session(|s| s.now().since(now).0 as f64);
    note_pace(lab, if reached || wanted < 1.0 { 1.0 } else { got / wanted });
    let over = lab.with_session(|s| s.now() >= s.end());
    if over {
        lab.playing.set(false);
        lab.slow_tick.update(|n| *n += 1);
    }
    true
}

/// Keeps a smoothed share of the asked speed that was reached, and tells when it changes visibly.
fn note_pace(lab: Lab, now: f64) {
    let pace = lab.driver.try_update_value(|d| {
        d.pace = if d.pace == 0.0 { now } else { d.pace * 0.95 + now * 0.05 };
        (d.pace * 20.0).round() / 20.0
    });
    if let Some(pace) = pace.filter(|p| (*p - lab.pace.get_untracked()).abs() > 0.01) {
        lab.pace.set(pace);
    }
}

/// Goes towards `at`; true when there. Known time is a jump, new time is simulated in slices.
fn chase(lab: Lab, at: Time) -> bool {
    let newest = lab.with_session(|s| s.newest());
    if at <= newest {
        lab.update_session(|s| s.seek(at));
        return true;
    }
    if lab.with_session(|s| s.now() < newest) {
        lab.update_session(|s| s.seek(newest));
    }
    within_budget(lab, at)
}

/// Advances to `until` or until the frame's time is spent; true when it got there.
fn within_budget(lab: Lab, until: Time) -> bool {
    let started = clock();
    loop {
        if lab.update_session(|s| s.advance(until, SLICE)).unwrap_or(true) {
            return true;
        }
        if clock() - started > BUDGET {
            return false;
        }
    }
}
