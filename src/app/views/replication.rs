//! How far the replicas of a store are behind.

use super::{Chart, Data, Form, Line, Stroke, Unit, means};

/// Entries that each replica has still to apply, and how many believe that they lead.
pub const CHART: Chart = Chart {
    id: "replication",
    title: "Behind the leader",
    unit: Unit::Count,
    help: "Changes that a replica has not applied: so many, reads from it do not see.",
    form: Form::Lines,
    read: |metrics, step| {
        const COLOURS: [(&str, Stroke); 4] = [
            ("--series-2", Stroke::Bold),
            ("--series-3", Stroke::Dashed),
            ("--series-4", Stroke::Dotted),
            ("--series-5", Stroke::Thin),
        ];
        let behind = metrics.series.iter().filter_map(|series| {
            let name = series.name.strip_prefix("behind ")?;
            Some((name.to_owned(), means(series, step)))
        });
        let line = |((name, values), (colour, stroke))| Line { name, colour, stroke, values };
        let lines = behind.zip(COLOURS.into_iter().cycle()).take(8).map(line);
        Data { bin: step, lines: lines.collect() }
    },
};
