//! Pictures of a run over time. Each is a small file that says what it shows; [`chart`] draws any
//! of them, with its current values, a sentence, a table and the numbers to copy.
//!
//! To add one: a file here with a `pub const CHART: Chart`, a `mod` line, and a line in [`VIEWS`].

use crate::base::time::{Span, Time};
use crate::observe::metrics::Metrics;
use crate::observe::series::Series;

pub mod amplification;
pub mod backlog;
pub mod breakers;
pub mod cache;
pub mod chart;
pub mod fleet;
pub mod latency;
pub mod load;
pub mod outcomes;
pub mod paint;
pub mod replication;
pub mod scale;
pub mod summary;
mod table;
pub mod throughput;
pub mod time_marks;
pub mod wasted;

/// Every chart, in the order they are shown.
pub const VIEWS: &[Chart] = &[
    throughput::CHART,
    latency::CHART,
    backlog::CHART,
    replication::CHART,
    cache::CHART,
    outcomes::CHART,
    amplification::CHART,
    load::CHART,
    fleet::CHART,
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
    /// Takes its lines from the measures of a run, one value for so much time.
    pub read: fn(&Metrics, Span) -> Data,
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
    /// How many of a hundred.
    Percent,
    /// A state, in words.
    State,
}

impl Unit {
    /// A number with its unit.
    pub fn say(self, value: f64) -> String {
        if !value.is_finite() {
            return "–".to_owned();
        }
        match self {
            Unit::PerSecond => format!("{}/s", scale::short(value)),
            Unit::Millis => scale::millis(value),
            Unit::Count | Unit::State => scale::short(value),
            Unit::Times => format!("{}×", scale::short(value)),
            Unit::Percent => format!("{}%", scale::short(value)),
        }
    }

    /// Beside the title; empty where the numbers need none.
    pub fn label(self) -> &'static str {
        match self {
            Unit::PerSecond => "per second",
            Unit::Millis => "milliseconds",
            Unit::Times => "times",
            Unit::Percent => "percent",
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
pub struct Data {
    /// The time each value stands for.
    pub bin: Span,
    /// The lines; the first is the one the chart is about.
    pub lines: Vec<Line>,
}

/// A line of a chart. A value that is not a number is a gap.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called.
    pub name: String,
    /// The colour token it is drawn with.
    pub colour: &'static str,
    /// How it is told from the others without colour.
    pub stroke: Stroke,
    /// One value per bin from the start of the run.
    pub values: Vec<f32>,
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

/// How much time a value of a chart stands for: as fine as it was measured, but not so fine that
/// chance hides the shape.
pub fn step(metrics: &Metrics, end: Time) -> Span {
    const VALUES: u64 = 120;
    let bin = metrics.series.first().map_or(Span::secs(1), |s| s.bin).0.max(1);
    Span(bin * (end.0 / VALUES / bin).max(1))
}

/// Lines straight from measures: the measure's name, what people call it, colour, stroke.
pub fn lines(metrics: &Metrics, step: Span, wanted: &[(&str, &str, &'static str, Stroke)]) -> Data {
    let line = |(measure, name, colour, stroke): &(&str, &str, &'static str, Stroke)| {
        let values = means(metrics.series(measure)?, step);
        Some(Line { name: (*name).to_owned(), colour, stroke: *stroke, values })
    };
    Data { bin: step, lines: wanted.iter().filter_map(line).collect() }
}

/// Up to eight lines that are alike, told apart by colour and stroke.
pub fn alike(named: impl Iterator<Item = (String, Vec<f32>)>) -> impl Iterator<Item = Line> {
    const LOOKS: [(&str, Stroke); 4] = [
        ("--series-2", Stroke::Bold),
        ("--series-3", Stroke::Dashed),
        ("--series-4", Stroke::Dotted),
        ("--series-5", Stroke::Thin),
    ];
    let line = |((name, values), (colour, stroke))| Line { name, colour, stroke, values };
    named.zip(LOOKS.into_iter().cycle()).take(8).map(line)
}

/// The mean of each whole `step` of a measure, gaps left out.
pub fn means(series: &Series, step: Span) -> Vec<f32> {
    let bins = (step.0 / series.bin.0.max(1)).max(1) as usize;
    let mean = |part: &[f32]| {
        let known = part.iter().filter(|v| v.is_finite());
        let (sum, count) = known.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
        if count > 0.0 { sum / count } else { f32::NAN }
    };
    series.values.chunks_exact(bins).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn means_skip_gaps() {
        let values = vec![1.0, 3.0, f32::NAN, 5.0, f32::NAN, f32::NAN, 7.0, 9.0, 1.0];
        let series = Series { name: "p99".to_owned(), unit: "ms", bin: Span::millis(100), values };
        let means = means(&series, Span::millis(200));
        assert_eq!(means[..2], [2.0, 5.0]);
        assert!(means[2].is_nan());
        // The ninth is the first half of a step that is not over.
        assert_eq!(means[3..], [8.0]);
    }
}
