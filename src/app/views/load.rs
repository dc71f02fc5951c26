//! What is under way and what waits.

use super::{Chart, Data, Form, Line, Stroke, Unit, lines};

/// Messages in flight and the length of each queue.
pub const CHART: Chart = Chart {
    id: "load",
    title: "In flight and waiting",
    unit: Unit::Count,
    help: "A queue that stays full long after a fault is work nobody waits for any more.",
    form: Form::Lines,
    read: |metrics| -> Data<'_> {
        const COLOURS: [(&str, Stroke); 4] = [
            ("--series-2", Stroke::Bold),
            ("--series-3", Stroke::Dashed),
            ("--series-4", Stroke::Dotted),
            ("--series-5", Stroke::Thin),
        ];
        let mut data = lines(metrics, &[("in_flight", "in flight", "--series-1", Stroke::Area)]);
        let queues = metrics.series.iter().filter(|s| s.name.starts_with("queue "));
        for (queue, (colour, stroke)) in queues.zip(COLOURS.into_iter().cycle()).take(8) {
            let values = queue.values.as_slice().into();
            data.lines.push(Line { name: queue.name.as_str().into(), colour, stroke, values });
        }
        data
    },
};
