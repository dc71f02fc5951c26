//! The animation loop: advance the run within a budget, then one picture, then one tick.
//!
//! There is one loop, made when the page starts and never thrown away. It sleeps while nothing
//! moves: a paused page draws nothing.

use crate::app::stage::way;
use crate::app::state::{Lab, Place};
use crate::base::time::{Span, Time};
use crate::session::Session;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

/// Milliseconds of a frame that may go into simulating; the rest is for drawing.
const BUDGET: f64 = 9.0;
/// The same for a frame on the way to an instant, which draws nothing.
const BUDGET_UNSEEN: f64 = 14.0;
/// Events between two looks at the clock.
const SLICE: u32 = 2_000;
/// Milliseconds on the way to an instant before it is said that it takes a while.
const PATIENCE: f64 = 150.0;
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
    dirty: bool,
    pace: f64,
    way: Way,
    /// Where time is to stop, if before the end.
    stop_at: Option<Time>,
}

/// A way to an instant: since when it is gone, and what is to be done at its end.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    /// When it began, in milliseconds since the page started.
    began: Option<f64>,
    /// A link led there: see whether the run is still the one that it was made from.
    judge: bool,
    /// Let time pass from there.
    play: bool,
    /// Say what happens there.
    tell: bool,
}

impl Driver {
    /// Makes sure a frame is drawn soon.
    pub fn wake(&mut self) {
        self.dirty = true;
        self.schedule();
    }

    /// Lets time pass at the end of the way.
    pub fn then_play(&mut self) {
        self.way.play = true;
    }

    /// Judges the link that was opened at the end of the way.
    pub fn then_judge(&mut self) {
        self.way.judge = true;
    }

    /// Says at the end of the way what happens there.
    pub fn then_tell(&mut self) {
        self.way.tell = true;
    }

    /// Forgets what was to be done at the end of the way: something else was done.
    pub fn forget_way(&mut self) {
        self.way = Way::default();
    }

    /// Lets time stop at this instant when it next comes there playing; none for the end. Whoever
    /// stops it before has it forgotten.
    pub fn stop_at(&mut self, at: Option<Time>) {
        self.stop_at = at;
    }

    /// Begins afresh: another run is on screen.
    pub fn forget(&mut self) {
        self.forget_way();
        self.stop_at = None;
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
    let under_way = lab.with_session(|s| s.goal().is_some());
    let (elapsed, dirty, due) = lab
        .driver
        .try_update_value(|d| {
            d.scheduled = false;
            d.stop_at = d.stop_at.filter(|_| playing || under_way);
            let elapsed = d.last.map_or(0.0, |last| (now - last).clamp(0.0, LONGEST_STEP));
            d.last = playing.then_some(now);
            (elapsed, std::mem::take(&mut d.dirty), now - d.last_slow >= SLOW)
        })
        .unwrap_or_default();
    // Panels are up to date where the run has arrived.
    let arrived = under_way && approach(lab, now, dirty || due);
    // Time goes on when both sides of a comparison have come to the same instant.
    let behind = !under_way && is_compared(lab) && !lab.with_session(Session::is_abreast);
    let abreast = behind && keep_abreast(lab, BUDGET);
    let slow = dirty || due || arrived || abreast;
    let (moving, shown) = if under_way {
        (true, slow)
    } else if behind {
        (true, playing || slow)
    } else if playing {
        pass(lab, elapsed);
        (true, true)
    } else {
        (false, dirty)
    };
    if shown {
        if slow {
            lab.driver.update_value(|d| d.last_slow = now);
        }
        lab.publish(slow);
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

/// Lets `elapsed` milliseconds pass at the chosen speed, to where time is to stop and no further.
fn pass(lab: Lab, elapsed: f64) {
    let wanted = elapsed * 1e3 * lab.speed.get_untracked();
    let (now, end) = lab.with_session(|s| (s.now(), s.end()));
    let (owed, stop) = lab
        .driver
        .try_update_value(|d| {
            let owed = wanted + d.remainder;
            d.remainder = owed.fract();
            // What lies behind was gone past by other means than playing.
            (owed as u64, d.stop_at.filter(|at| *at > now).map_or(end, |at| at.min(end)))
        })
        .unwrap_or((0, end));
    let until = (now + Span(owed)).min(stop);
    let sides = if is_compared(lab) { 2.0 } else { 1.0 };
    let advance = || lab.update_session(|s| s.advance(until, SLICE)).unwrap_or(true);
    let reached = spend(BUDGET / sides, advance);
    if is_compared(lab) {
        keep_abreast(lab, BUDGET / sides);
    }
    let got = lab.with_session(|s| s.now().since(now).0 as f64);
    note_pace(lab, if reached || wanted < 1.0 { 1.0 } else { got / wanted });
    if lab.with_session(|s| s.now() >= stop) {
        lab.playing.set(false);
        lab.slow_tick.update(|n| *n += 1);
        if stop < end {
            lab.changed.update(|n| *n += 1);
        }
    }
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

/// Goes on towards where the run is bound for; true when there. What is known of the run is a
/// jump, the rest is simulated over the frames, and after a while it is said how far it is.
fn approach(lab: Lab, now: f64, seen: bool) -> bool {
    let there = spend(if seen { BUDGET } else { BUDGET_UNSEEN }, || {
        lab.update_session(|s| s.approach(SLICE)).unwrap_or(true)
    });
    let (goal, looks) = lab.with_session(|s| (s.goal(), s.is_looking()));
    let way = lab.driver.try_update_value(|d| {
        d.way.began.get_or_insert(now);
        if there { std::mem::take(&mut d.way) } else { d.way }
    });
    let Some(way @ Way { began: Some(since), .. }) = way else { return there };
    let Some(to) = goal else {
        arrive(lab, way);
        return true;
    };
    let to = if looks { f64::INFINITY } else { to.as_secs() };
    if now - since > PATIENCE {
        if lab.going.get_untracked().is_none() {
            lab.announced.set(way::aim(to));
        }
        lab.going.set(Some(to));
    }
    there
}

/// Does what was to be done at the end of the way.
fn arrive(lab: Lab, way: Way) {
    if lab.going.get_untracked().is_some() {
        lab.announced.set(format!("At {:.1} s", lab.with_session(|s| s.now()).as_secs()));
        lab.going.set(None);
    }
    if way.judge {
        lab.judge_link();
    } else {
        lab.changed.update(|n| *n += 1);
    }
    if let Some(line) = lab.with_session(Session::noticed).filter(|_| way.tell) {
        lab.announced.set(line.text);
    }
    if way.play {
        lab.playing.set(true);
    }
}

/// Whether there is another side to show; inside another page there is no room for it.
fn is_compared(lab: Lab) -> bool {
    lab.place.get_untracked() != Place::Embed && lab.with_session(|s| s.twin().is_some())
}

/// Brings the other side of a comparison to the same instant, as far as the milliseconds reach;
/// true if it is there.
fn keep_abreast(lab: Lab, budget: f64) -> bool {
    let there = spend(budget, || lab.update_session(|s| s.keep_abreast(SLICE)).unwrap_or(true));
    if let Some(problems) = lab.update_session(Session::why_no_twin).flatten() {
        lab.problems.set(problems);
        lab.changed.update(|n| *n += 1);
    }
    there
}

/// Does slice after slice until one says that it was the last, or the milliseconds are spent.
fn spend(budget: f64, mut slice: impl FnMut() -> bool) -> bool {
    let started = clock();
    loop {
        if slice() {
            return true;
        }
        if clock() - started > budget {
            return false;
        }
    }
}
