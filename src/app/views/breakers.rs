//! What each circuit breaker was doing.

use super::{Chart, Data, Form, Line, Stroke, Unit};
use crate::base::time::{Span, Time};
use crate::observe::metrics::{BreakerPhase, Metrics};

/// A strip per breaker: a thin line while closed, a block while open, half a block while it probes.
pub const CHART: Chart = Chart {
    id: "breakers",
    title: "Breakers",
    unit: Unit::State,
    help: "Thin: closed, calls pass. Block: open, calls fail at once. Half block: probes pass.",
    form: Form::Strips,
    read,
};

const BIN: Span = Span::millis(100);

fn read(metrics: &Metrics, _: Span) -> Data {
    let bins = |until: Time| (until.0 / BIN.0) as usize;
    let lines = metrics.breakers.iter().take(8).map(|strip| {
        let mut values = Vec::with_capacity(bins(metrics.now));
        for (n, (from, phase)) in strip.phases.iter().enumerate() {
            let until = strip.phases.get(n + 1).map_or(metrics.now, |next| next.0);
            let value = match phase {
                BreakerPhase::Closed => 0.0,
                BreakerPhase::Open => 1.0,
                BreakerPhase::HalfOpen => 2.0,
            };
            values.resize(bins(*from), values.last().copied().unwrap_or(0.0));
            // A phase shorter than a bin still shows.
            values.resize(bins(until).max(values.len() + 1), value);
        }
        Line { name: strip.name.clone(), colour: "--ink", stroke: Stroke::Thin, values }
    });
    Data { bin: BIN, lines: lines.collect() }
}
