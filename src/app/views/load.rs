//! What is under way and what waits.

use super::{Chart, Form, Line, Stroke, Unit, lines, means};

/// Messages in flight and the length of each queue.
pub const CHART: Chart = Chart {
    id: "load",
    title: "In flight and waiting",
    unit: Unit::Count,
    help: "A queue that stays full long after a fault is work nobody waits for any more.",
    form: Form::Lines,
    read: |metrics, step| {
        const COLOURS: [(&str, Stroke); 4] = [
            ("--series-2", Stroke::Bold),
            ("--series-3", Stroke::Dashed),
            ("--series-4", Stroke::Dotted),
            ("--series-5", Stroke::Thin),
        ];
        let mut data =
            lines(metrics, step, &[("in_flight", "in flight", "--series-1", Stroke::Area)]);
        let queues = metrics.series.iter().filter(|s| s.name.starts_with("queue "));
        for (queue, (colour, stroke)) in queues.zip(COLOURS.into_iter().cycle()).take(8) {
            let (name, values) = (queue.name.clone(), means(queue, step));
            data.lines.push(Line { name, colour, stroke, values });
        }
        data
    },
};
