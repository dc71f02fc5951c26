//! Pictures of a run over time. Each is a small file that says what it shows; [`chart`] draws any
//! of them, with its current values, a sentence, a table and the numbers to copy.
//!
//! To add one: a file here with a `pub const CHART: Chart`, a `mod` line, and a line in [`VIEWS`].

use crate::base::time::Span;
use crate::observe::metrics::{Metrics, Series};
use std::borrow::Cow;

pub mod amplification;
pub mod breakers;
pub mod chart;
pub mod latency;
pub mod load;
pub mod outcomes;
pub mod paint;
pub mod scale;
pub mod summary;
pub mod throughput;
pub mod time_marks;
pub mod wasted;

/// Every chart, in the order they are shown.
pub const VIEWS: &[Chart] = &[
    throughput::CHART,
    latency::CHART,
    outcomes::CHART,
    amplification::CHART,
    load::CHART,
    wasted::CHART,
    breakers::CHART,
];

/// What a chart shows.
#[derive(Clone, Copy)]
pub struct Chart {
    /// Names it in the page.
    pub id: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What its numbers count.
    pub unit: Unit,
    /// How to read it, in a sentence.
    pub help: &'static str,
    /// How the lines are drawn.
    pub form: Form,
    /// Takes its lines from the measures of a run.
    pub read: for<'a> fn(&'a Metrics) -> Data<'a>,
}

/// What numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things per second.
    PerSecond,
    /// Milliseconds.
    Millis,
    /// Things.
    Count,
    /// How many times.
    Times,
    /// A state, in words.
    State,
}

impl Unit {
    /// A number with its unit.
    pub fn say(self, value: f64) -> String {
        match self {
            Unit::PerSecond => format!("{}/s", scale::short(value)),
            Unit::Millis => scale::millis(value),
            Unit::Count | Unit::State => scale::short(value),
            Unit::Times => format!("{}×", scale::short(value)),
        }
    }

    /// Beside the title; empty where the numbers need none.
    pub fn label(self) -> &'static str {
        match self {
            Unit::PerSecond => "per second",
            Unit::Millis => "milliseconds",
            Unit::Times => "times",
            Unit::Count | Unit::State => "",
        }
    }
}

/// How the lines of a chart are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Over each other, from zero.
    Lines,
    /// Over each other, each tenfold of the same height.
    LogLines,
    /// On top of each other.
    Stack,
    /// Below each other, as states over time: 0 closed, 1 open, 2 half-open.
    Strips,
}

/// The lines of a chart.
#[derive(Clone, Debug, Default)]
pub struct Data<'a> {
    /// The time each value stands for.
    pub bin: Span,
    /// The lines; the first is the one the chart is about.
    pub lines: Vec<Line<'a>>,
}

/// A line of a chart. A value that is not a number is a gap.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// What it is called.
    pub name: Cow<'a, str>,
    /// The colour token it is drawn with.
    pub colour: &'static str,
    /// How it is told from the others without colour.
    pub stroke: Stroke,
    /// One value per bin from the start of the run.
    pub values: Cow<'a, [f32]>,
}

/// How a line is told from others without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// A line over a tinted area.
    Area,
    /// A thick line.
    Bold,
    /// A thin line.
    Thin,
    /// Dashes.
    Dashed,
    /// Dots.
    Dotted,
}

impl Stroke {
    /// The lengths of strokes and gaps, and the width, in CSS pixels.
    pub fn pattern(self) -> (&'static [f64], f64) {
        match self {
            Stroke::Area => (&[], 1.75),
            Stroke::Bold => (&[], 2.25),
            Stroke::Thin => (&[], 1.25),
            Stroke::Dashed => (&[5.0, 3.0], 1.5),
            Stroke::Dotted => (&[1.5, 2.5], 1.5),
        }
    }
}

/// The measure of that name, if the run has it.
pub fn series<'a>(metrics: &'a Metrics, name: &str) -> Option<&'a Series> {
    metrics.series.iter().find(|series| series.name == name)
}

/// Lines straight from measures: the measure's name, what people call it, colour, stroke.
pub fn lines<'a>(
    metrics: &'a Metrics,
    wanted: &[(&str, &'static str, &'static str, Stroke)],
) -> Data<'a> {
    let mut data = Data::default();
    for (measure, name, colour, stroke) in wanted {
        if let Some(found) = series(metrics, measure) {
            data.bin = found.bin;
            let values = found.values.as_slice().into();
            data.lines.push(Line { name: (*name).into(), colour, stroke: *stroke, values });
        }
    }
    data
}
