//! How many times each wish was tried.

use super::{Chart, Data, Form, Line, Stroke, Unit, series};

/// Attempts per intent.
pub const CHART: Chart = Chart {
    id: "amplification",
    title: "Amplification",
    unit: Unit::Times,
    help: "Attempts for each thing a client wanted. One is calm; every retry adds to it.",
    form: Form::Lines,
    read: |metrics| -> Data<'_> {
        let (Some(offered), Some(attempts)) =
            (series(metrics, "offered"), series(metrics, "attempts"))
        else {
            return Data::default();
        };
        let values: Vec<f32> = attempts
            .values
            .iter()
            .zip(&offered.values)
            .map(|(attempts, offered)| if *offered > 0.0 { attempts / offered } else { f32::NAN })
            .collect();
        let line = Line {
            name: "attempts per intent".into(),
            colour: "--retry",
            stroke: Stroke::Area,
            values: values.into(),
        };
        Data { bin: offered.bin, lines: vec![line] }
    },
};
