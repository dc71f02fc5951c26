//! What is under way and what waits.

use super::{Chart, Form, Stroke, Unit, alike, lines, means};

/// Messages in flight and the length of each queue.
pub const CHART: Chart = Chart {
    id: "load",
    title: "In flight and waiting",
    unit: Unit::Count,
    help: "A queue that stays full long after a fault is work nobody waits for any more.",
    form: Form::Lines,
    read: |metrics, step| {
        let mut data =
            lines(metrics, step, &[("in_flight", "in flight", "--series-1", Stroke::Area)]);
        let queues = metrics.series.iter().filter(|s| s.name.starts_with("queue "));
        data.lines.extend(alike(queues.map(|queue| (queue.name.clone(), means(queue, step)))));
        data
    },
};
