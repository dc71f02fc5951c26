//! How many replicas of a fleet run, and which version.

use super::{Chart, Data, Form, Line, Stroke, Unit, means};

/// Replicas that serve, and those that are about to.
pub const CHART: Chart = Chart {
    id: "fleet",
    title: "Replicas",
    unit: Unit::Count,
    help: "Replicas that serve, and those that start: capacity that was ordered and is not there.",
    form: Form::Lines,
    read: |metrics, step| {
        let looks = [
            ("running ", "--series-2", Stroke::Bold),
            ("starting ", "--series-3", Stroke::Dashed),
            ("new version ", "--series-4", Stroke::Dotted),
        ];
        let lines = metrics.series.iter().filter_map(|series| {
            let (_, colour, stroke) = looks.iter().find(|l| series.name.starts_with(l.0))?;
            let (name, values) = (series.name.clone(), means(series, step));
            Some(Line { name, colour, stroke: *stroke, values })
        });
        Data { bin: step, lines: lines.collect() }
    },
};
