//! How far the replicas of a store are behind.

use super::{Chart, Data, Form, Unit, alike, means};

/// Entries that each replica has still to apply.
pub const CHART: Chart = Chart {
    id: "replication",
    title: "Behind the leader",
    unit: Unit::Count,
    help: "Changes that a replica has not applied: so many, reads from it do not see.",
    form: Form::Lines,
    read: |metrics, step| {
        let behind = metrics.series.iter().filter_map(|series| {
            let name = series.name.strip_prefix("behind ")?;
            Some((name.to_owned(), means(series, step)))
        });
        Data { bin: step, lines: alike(behind).collect() }
    },
};
