//! After the last trouble, goodput comes back within a time, and stays.
//!
//! The level is what was offered during the last ten seconds before the first trouble. Goodput is
//! judged over windows that hold about 400 intents at that level (at least a second, at most half
//! the time allowed), less twice the spread that chance alone gives such a count. It counts as
//! back from the beginning of the first good window; two bad windows in a row end that.

use super::{State, Verdict};
use crate::base::time::{Span, Time};
use crate::base::unit::Chance;
use crate::protocol::Role;
use crate::protocol::note::Note;
use crate::sim::trace::{Record, What};
use std::collections::VecDeque;

/// The offered level is taken over so many steps before the first trouble.
const STEPS_BEFORE: usize = 100;
const STEP: Span = Span::millis(100);
/// Intents a window should hold.
const ENOUGH: f64 = 400.0;

/// Where the run stands.
#[derive(Clone, Debug)]
pub struct Recovers {
    span: Span,
    share: Chance,
    /// Intents begun in the latest steps, while there was no trouble yet.
    before: VecDeque<u32>,
    /// Intents begun, and ended well, in the step under way.
    begun: u32,
    good: u64,
    step_ends: Time,
    /// Intents per second before the first trouble.
    level: Option<f64>,
    active: u32,
    planned: Vec<(Time, Time)>,
    after: Option<After>,
}

/// Since the last trouble ended.
#[derive(Clone, Copy, Debug)]
struct After {
    end: Time,
    window: Span,
    window_ends: Time,
    good: u64,
    bad_in_a_row: u32,
    /// Since when it is back.
    back: Option<Time>,
    /// When it was lost again.
    lost: Option<Time>,
    last: f64,
}

impl Recovers {
    /// Before anything happens.
    pub fn new(span: Span, share: Chance) -> Recovers {
        Recovers {
            span,
            share,
            before: VecDeque::new(),
            begun: 0,
            good: 0,
            step_ends: Time::ZERO + STEP,
            level: None,
            active: 0,
            planned: Vec::new(),
            after: None,
        }
    }

    /// There is trouble that no record tells of.
    pub fn trouble(&mut self, from: Time, until: Time) {
        self.planned.push((from, until));
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record<Role>) {
        if record.at >= self.step_ends {
            self.pass(record.at);
        }
        match &record.what {
            What::Note { note: Note::Began { .. }, .. } => self.begun += 1,
            What::Note { note: Note::Ended { ending, .. }, .. } => {
                self.good += u64::from(ending.is_good());
            }
            What::Fault { began: true, .. } => {
                self.active += 1;
                self.trouble_begins();
            }
            What::Fault { began: false, .. } => {
                self.active = self.active.saturating_sub(1);
                if self.is_quiet(record.at) {
                    self.trouble_ended(record.at);
                }
            }
            _ => {}
        }
    }

    fn is_quiet(&self, at: Time) -> bool {
        self.active == 0 && !self.planned.iter().any(|&(from, until)| from <= at && at < until)
    }

    fn trouble_begins(&mut self) {
        self.after = None;
        if self.level.is_none() && !self.before.is_empty() {
            let begun: u32 = self.before.iter().sum();
            self.level = Some(f64::from(begun) / (STEP.as_secs() * self.before.len() as f64));
        }
    }

    fn trouble_ended(&mut self, end: Time) {
        let longest = Span(self.span.0 / 2).max(Span::secs(1));
        let level = self.level.unwrap_or(0.0).max(1e-3);
        let window = Span::from_micros_f64(ENOUGH / level * 1e6).max(Span::secs(1)).min(longest);
        self.after = Some(After {
            end,
            window,
            window_ends: end + window,
            good: self.good,
            bad_in_a_row: 0,
            back: None,
            lost: None,
            last: 0.0,
        });
    }

    /// Lets time pass until `now`: a step or a window may be over.
    pub fn pass(&mut self, now: Time) {
        while self.step_ends <= now {
            let at = self.step_ends;
            if self.level.is_none() {
                if self.before.len() == STEPS_BEFORE {
                    self.before.pop_front();
                }
                self.before.push_back(std::mem::take(&mut self.begun));
            }
            if self.planned.iter().any(|&(from, until)| from < at && at <= until) {
                self.trouble_begins();
            }
            let over = self.planned.iter().any(|&(_, until)| until <= at && at < until + STEP);
            if over && self.after.is_none() && self.is_quiet(at) {
                self.trouble_ended(at);
            }
            self.judge(at);
            self.step_ends = at + STEP;
        }
    }

    fn judge(&mut self, now: Time) {
        let (Some(after), Some(level)) = (&mut self.after, self.level) else { return };
        if now < after.window_ends {
            return;
        }
        let good = (self.good - after.good) as f64;
        // It ends with the first step after its width.
        let begins = Time(after.window_ends.0 - after.window.0);
        let seconds = now.since(begins).as_secs();
        let wanted = self.share.as_f64() * level * seconds;
        after.last = good / seconds;
        if good >= wanted - 2.0 * libm::sqrt(wanted) {
            after.bad_in_a_row = 0;
            after.back.get_or_insert(begins);
        } else {
            after.bad_in_a_row += 1;
            if after.bad_in_a_row == 2 && after.back.take().is_some() {
                after.lost = Some(begins);
            }
        }
        after.good = self.good;
        after.window_ends = now + after.window;
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        let (span, share) = (self.span, self.share);
        let (state, sentence, at) = self.judgement();
        let name = format!("recovers to {share} within {span}");
        Verdict { name, state, sentence, at, intents: Vec::new(), count: None }
    }

    fn judgement(&self) -> (State, String, Option<Time>) {
        let unknown = |text: &str| (State::Unknown, text.to_owned(), None);
        let Some(after) = &self.after else {
            return match (self.active, self.level) {
                (0, None) => unknown("There was no trouble yet."),
                _ => unknown("The trouble is not over."),
            };
        };
        let Some(level) = self.level.filter(|&level| level > 0.0) else {
            return unknown("Nothing was offered before the first trouble.");
        };
        let now = Time(self.step_ends.0 - STEP.0);
        let goodput = format!("{:.1}/s of {level:.1}/s", after.last);
        let deadline = after.end + self.span;
        match (after.back, after.lost) {
            (Some(back), _) if back <= deadline => {
                let took = back.since(after.end);
                (State::Holds, format!("Back after {took}: {goodput}."), None)
            }
            (Some(back), _) => {
                let took = back.since(after.end);
                (State::Violated, format!("Back only after {took}: {goodput}."), Some(deadline))
            }
            (None, Some(lost)) if now >= deadline => {
                (State::Violated, format!("It came back and fell again: {goodput}."), Some(lost))
            }
            // The window that begins at the deadline is the last one that can prove it.
            (None, _) if now < deadline + after.window => {
                let left = now.since(after.end);
                (State::Unknown, format!("{left} after the trouble: {goodput}."), None)
            }
            (None, _) => {
                let late = now.since(after.end);
                let text = format!("Not back {late} after the trouble: {goodput}.");
                (State::Violated, text, Some(deadline))
            }
        }
    }
}
