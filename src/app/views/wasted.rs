//! Work done for nobody.

use super::{Chart, Form, Stroke, Unit, lines};

/// Requests finished after their caller had given up.
pub const CHART: Chart = Chart {
    id: "wasted",
    title: "Wasted work",
    unit: Unit::PerSecond,
    help: "Requests a server finished although the caller had already given up on them.",
    form: Form::Lines,
    read: |metrics, step| lines(metrics, step, &[("wasted", "wasted", "--bad", Stroke::Area)]),
};
