//! What every chart shows of time: its axis, faults as bands, what a person did, now, and the
//! instant pointed at.

use super::paint::{RIGHT, Sheet};
use super::scale;

/// A stretch of time marked on every chart, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// From.
    pub from: f64,
    /// To; the same as `from` for an instant.
    pub to: f64,
}

/// When things are, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// The right end of the drawing.
    pub end: f64,
    /// The instant on screen.
    pub now: f64,
    /// The instant pointed at.
    pub hover: Option<f64>,
    /// Faults.
    pub faults: Vec<Band>,
    /// What a person did.
    pub commands: Vec<f64>,
}

impl Sheet {
    /// Faults and commands, behind everything.
    pub fn bands(&self, times: &Times) {
        if times.end <= 0.0 {
            return;
        }
        let (top, bottom) = (self.up(1.0), self.up(0.0));
        for band in &times.faults {
            let from = self.across((band.from / times.end).clamp(0.0, 1.0));
            let to = self.across((band.to / times.end).clamp(0.0, 1.0));
            self.ink("--band", 1.0);
            self.pen.fill_rect(from, top, (to - from).max(1.0), bottom - top);
            self.ink("--ink-soft", 0.8);
            self.pen.begin_path();
            self.pen.move_to(from - 3.5, top - 6.0);
            self.pen.line_to(from + 3.5, top - 6.0);
            self.pen.line_to(from, top);
            self.pen.fill();
        }
        self.ink("--ink-soft", 0.6);
        self.pen.set_line_width(1.0);
        self.dashes(&[2.0, 2.0]);
        for at in &times.commands {
            let x = self.across((at / times.end).clamp(0.0, 1.0));
            self.segment(x, top, x, bottom);
        }
        self.dashes(&[]);
    }

    /// The axis below.
    pub fn time_axis(&self, times: &Times) {
        let pieces = (self.columns() / 64).max(1);
        for tick in scale::time_ticks(times.end, pieces) {
            let x = self.across(tick.at);
            self.ink("--line", 1.0);
            self.segment(x, self.up(0.0), x, self.up(0.0) + 3.0);
            self.ink("--ink-soft", 1.0);
            let align = match tick.at {
                at if at > 0.97 => "right",
                _ => "center",
            };
            let x = if align == "right" { x + RIGHT } else { x };
            self.text(&tick.label, x, self.height - 2.0, align, "alphabetic");
        }
    }

    /// Now and the instant pointed at, in front of everything.
    pub fn cursors(&self, times: &Times) {
        if times.end <= 0.0 {
            return;
        }
        let (top, bottom) = (self.up(1.0), self.up(0.0));
        let now = self.across((times.now / times.end).clamp(0.0, 1.0));
        self.ink("--accent", 1.0);
        self.pen.set_line_width(1.5);
        self.segment(now, top - 3.0, now, bottom);
        if let Some(at) = times.hover {
            let x = self.across((at / times.end).clamp(0.0, 1.0));
            self.ink("--ink", 0.7);
            self.pen.set_line_width(1.0);
            self.segment(x, top, x, bottom);
            let left = x > self.width - 70.0;
            self.ink("--ink", 1.0);
            let (x, align) = if left { (x - 4.0, "right") } else { (x + 4.0, "left") };
            self.text(&scale::clock(at), x, top, align, "top");
        }
        self.pen.set_global_alpha(1.0);
    }
}
