//! How much of what is read caches have.

use super::{Chart, Data, Form, Line, Stroke, Unit, means};

/// Hits per lookup.
pub const CHART: Chart = Chart {
    id: "cache",
    title: "Hit ratio",
    unit: Unit::Percent,
    help: "How much of what is looked up in caches is there. The rest is asked for behind them.",
    form: Form::Lines,
    read: |metrics, step| {
        let (Some(lookups), Some(hits)) = (metrics.series("lookups"), metrics.series("hits"))
        else {
            return Data::default();
        };
        if metrics.totals.lookups == 0 {
            return Data::default();
        }
        let (lookups, hits) = (means(lookups, step), means(hits, step));
        let ratio = |(hits, lookups): (f32, f32)| {
            if lookups > 0.0 { 100.0 * hits / lookups } else { f32::NAN }
        };
        let line = Line {
            name: "served by caches".to_owned(),
            colour: "--series-2",
            stroke: Stroke::Area,
            values: hits.into_iter().zip(lookups).map(ratio).collect(),
        };
        Data { bin: step, lines: vec![line] }
    },
};
