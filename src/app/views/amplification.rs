//! How many times each wish was tried.

use super::{Chart, Data, Form, Line, Stroke, Unit, means};

/// Attempts per intent.
pub const CHART: Chart = Chart {
    id: "amplification",
    title: "Amplification",
    unit: Unit::Times,
    help: "Attempts for each thing a client wanted. One is calm; every retry adds to it.",
    form: Form::Lines,
    read: |metrics, step| {
        let (Some(offered), Some(attempts)) =
            (metrics.series("offered"), metrics.series("attempts"))
        else {
            return Data::default();
        };
        let (offered, attempts) = (means(offered, step), means(attempts, step));
        let ratio = |(attempts, offered): (f32, f32)| {
            if offered > 0.0 { attempts / offered } else { f32::NAN }
        };
        let line = Line {
            name: "attempts per intent".to_owned(),
            colour: "--retry",
            stroke: Stroke::Area,
            values: attempts.into_iter().zip(offered).map(ratio).collect(),
        };
        Data { bin: step, lines: vec![line] }
    },
};
