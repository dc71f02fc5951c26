//! How long clients waited.

use super::{Chart, Data, Form, Stroke, Unit, lines};

/// Latency percentiles on a scale of tenfolds.
pub const CHART: Chart = Chart {
    id: "latency",
    title: "Latency",
    unit: Unit::Millis,
    help: "Of a hundred answers, one took longer than p99. Each line up is ten times the last.",
    form: Form::LogLines,
    read: |metrics| -> Data<'_> {
        lines(
            metrics,
            &[
                ("p99", "p99", "--series-1", Stroke::Bold),
                ("p50", "p50", "--series-2", Stroke::Thin),
                ("p90", "p90", "--series-3", Stroke::Dashed),
                ("p999", "p99.9", "--series-4", Stroke::Dotted),
            ],
        )
    },
};
