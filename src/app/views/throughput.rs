//! What was asked for, what got done, and what it took.

use super::{Chart, Form, Stroke, Unit, lines};

/// Offered load, goodput and attempts.
pub const CHART: Chart = Chart {
    id: "throughput",
    title: "Throughput",
    unit: Unit::PerSecond,
    help: "Goodput is what clients got in time. Attempts far above what is offered are retries.",
    form: Form::Lines,
    read: |metrics, step| {
        lines(
            metrics,
            step,
            &[
                ("goodput", "goodput", "--ok", Stroke::Area),
                ("offered", "offered", "--ink-soft", Stroke::Dashed),
                ("attempts", "attempts", "--retry", Stroke::Thin),
            ],
        )
    },
};
