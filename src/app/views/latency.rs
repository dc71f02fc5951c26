//! How long clients waited.

use super::{Chart, Data, Form, Line, Stroke, Unit};
use crate::base::time::{Span, Time};
use crate::observe::metrics::Metrics;

/// Latency percentiles on a scale of tenfolds.
pub const CHART: Chart = Chart {
    id: "latency",
    title: "Latency",
    unit: Unit::Millis,
    help: "Of a hundred answers, one took longer than p99. Each line up is ten times the last.",
    form: Form::LogLines,
    read,
};

/// The percentiles of each step, worked out anew from all its latencies: those of shorter
/// stretches cannot be averaged.
fn read(metrics: &Metrics, step: Span) -> Data {
    let mut lines = [
        ("p99", "--series-1", Stroke::Bold),
        ("p50", "--series-2", Stroke::Thin),
        ("p90", "--series-3", Stroke::Dashed),
        ("p99.9", "--series-4", Stroke::Dotted),
    ]
    .map(|(name, colour, stroke)| Line {
        name: name.to_owned(),
        colour,
        stroke,
        values: vec![],
    });
    let whole = metrics.now.0 / step.0.max(1);
    for n in 0..whole {
        let totals = metrics.between(Time(n * step.0), Time((n + 1) * step.0));
        let values = [totals.p99, totals.p50, totals.p90, totals.p999];
        for (line, value) in lines.iter_mut().zip(values) {
            line.values.push(value as f32);
        }
    }
    Data { bin: step, lines: lines.into() }
}
