//! How it ended for the clients.

use super::{Chart, Form, Stroke, Unit, lines};

/// The outcome mix, each kind on top of the one before.
pub const CHART: Chart = Chart {
    id: "outcomes",
    title: "Outcomes",
    unit: Unit::PerSecond,
    help: "Every intent ends in one of these. Timed out means the client does not know.",
    form: Form::Stack,
    read: |metrics, step| {
        lines(
            metrics,
            step,
            &[
                ("ok", "ok", "--ok", Stroke::Thin),
                ("degraded", "degraded", "--degraded", Stroke::Thin),
                ("rejected", "rejected", "--warn", Stroke::Thin),
                ("timed_out", "timed out", "--unknown", Stroke::Thin),
                ("failed", "failed", "--bad", Stroke::Thin),
            ],
        )
    },
};
