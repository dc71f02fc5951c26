//! Pictures of what a run has shown or holds, each with a sentence, a way to read it and its
//! content as text. They are SVG of classes, which the page gives colours.
//!
//! To add one: a file here that makes a [`Figure`], and a line in [`figures`].

mod hash_ring;
mod operations;
mod quorum_ring;
mod staleness;

use super::cast::Cast;
use crate::check::Checks;
use crate::protocol::Role;
use crate::sim::world::World;
use std::fmt::{Arguments, Write};

/// A picture and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is of.
    pub title: String,
    /// What is to be seen, in a sentence.
    pub says: String,
    /// The picture.
    pub svg: String,
    /// How to read it.
    pub key: &'static str,
    /// Its content as text.
    pub rows: Vec<String>,
    /// True if it needs the whole width of a page.
    pub wide: bool,
}

/// Every picture that a run has something for.
pub fn figures(world: &World<Role>, cast: &Cast, checks: &Checks) -> Vec<Figure> {
    let mut figures = hash_ring::figures(world, cast);
    figures.extend(quorum_ring::figures(world, cast));
    figures.extend(checks.visibility().and_then(staleness::figure));
    figures.extend(super::operations::of_run(checks, cast).map(|shown| shown.figure()));
    figures
}

/// Where a picture is written.
struct Pen(String);

/// A place in a picture.
type Point = (f64, f64);

impl Pen {
    /// A picture of a size, with a title for those who do not see it.
    fn new((width, height): Point, title: &str) -> Pen {
        let mut pen = Pen(String::new());
        pen.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\"><title>{}</title>",
            escape(title)
        ));
        pen
    }

    fn put(&mut self, what: Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.0.write_fmt(what);
    }

    /// A line as SVG has it.
    fn path(&mut self, class: &str, line: &str) {
        self.put(format_args!("<path class=\"{class}\" d=\"{line}\"/>"));
    }

    fn circle(&mut self, class: &str, (x, y): Point, radius: f64) {
        self.put(format_args!(
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>"
        ));
    }

    /// A text that `anchor` (`start`, `middle`, `end`) stands at the place.
    fn text(&mut self, class: &str, anchor: &str, (x, y): Point, text: &str) {
        let text = escape(text);
        self.put(format_args!(
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">\
             {text}</text>"
        ));
    }

    fn done(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A place on a circle: `turn` of the way around, from the top, clockwise.
fn around((x, y): Point, radius: f64, turn: f64) -> Point {
    let angle = turn * std::f64::consts::TAU;
    (x + radius * libm::sin(angle), y - radius * libm::cos(angle))
}

/// A share of a whole, in percent, as people write it.
fn percent(part: u64, whole: u64) -> String {
    let share = part as f64 * 100.0 / whole.max(1) as f64;
    match share {
        s if s == 0.0 || s >= 10.0 => format!("{s:.0} %"),
        s if s >= 1.0 => format!("{s:.1} %"),
        s => format!("{s:.2} %"),
    }
}
