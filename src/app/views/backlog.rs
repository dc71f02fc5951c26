//! What waits at brokers.

use super::{Chart, Data, Form, Unit, alike, means};

/// Messages that wait for each group of consumers, and its dead letters.
pub const CHART: Chart = Chart {
    id: "backlog",
    title: "Waiting in the queue",
    unit: Unit::Count,
    help: "Messages that no consumer has, and dead letters, by broker and consumers. A queue that \
           grows all the time has consumers that are too slow.",
    form: Form::Lines,
    read: |metrics, step| {
        let waiting = metrics.series.iter().filter_map(|series| {
            let name = match series.name.strip_prefix("waiting ") {
                Some(name) => name.to_owned(),
                None => format!("dead letters of {}", series.name.strip_prefix("dead ")?),
            };
            Some((name, means(series, step)))
        });
        Data { bin: step, lines: alike(waiting).collect() }
    },
};
