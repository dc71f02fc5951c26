//! How full a node is: waiting requests as slots that fill, workers as dots.

use crate::app::dom::svg;
use crate::app::dom::view::{IntoView, View};
use crate::observe::frame::Gauge;
use leptos::prelude::*;

/// The most slots and dots drawn one by one; above it they become a bar.
const SLOTS_MAX: u32 = 30;
const DOTS_MAX: u32 = 12;

fn share(gauge: Option<Gauge>) -> f64 {
    let Some(Gauge { level, limit }) = gauge else { return 0.0 };
    let level = f64::from(level);
    if limit == u32::MAX {
        // Without a limit the bar gets longer ever more slowly.
        level / (level + 30.0)
    } else {
        (level / f64::from(limit.max(1))).min(1.0)
    }
}

fn heat(gauge: Option<Gauge>) -> &'static str {
    match share(gauge) {
        s if s >= 0.999 => "full",
        s if s >= 0.6 => "high",
        _ => "calm",
    }
}

/// The queue: slots from left to right.
pub fn Slots(
    queue: Memo<Option<Gauge>>,
    left: f64,
    width: f64,
    y: f64,
    height: f64,
) -> impl Into<View> {
    let limit = queue.with_untracked(|q| q.map_or(0, |q| q.limit));
    let slots = (limit > 1 && limit <= SLOTS_MAX).then(|| width / f64::from(limit));
    let level = move || format!("{:.1}", width * share(queue.get()));
    let right = left + width;
    let middle = y + height / 2.0;
    svg("g")
        .class(move || format!("queue {}", heat(queue.get())))
        .child(
            svg("rect")
                .class("track")
                .attr("x", left)
                .attr("y", y)
                .attr("width", width)
                .attr("height", height)
                .attr("rx", "2"),
        )
        .child(
            svg("rect")
                .class("level")
                .attr("x", left)
                .attr("y", y)
                .attr("width", level)
                .attr("height", height)
                .attr("rx", "2"),
        )
        .child(slots.map(|slot| {
            svg("path")
                .class("slots")
                .attr("d", format!("M{:.2} {middle}H{:.2}", left + slot - 0.75, right - slot / 2.0))
                .attr("stroke-width", height + 1.0)
                .attr("stroke-dasharray", format!("1.5 {:.3}", slot - 1.5))
        }))
}

/// The workers: a dot each, filled when busy.
pub fn Workers(
    workers: Memo<Option<Gauge>>,
    left: f64,
    width: f64,
    y: f64,
    scale: f64,
) -> impl Into<View> {
    let all = workers.with_untracked(|w| w.map_or(0, |w| w.limit));
    let size = 7.0 * scale;
    if all > DOTS_MAX {
        let level = move || format!("{:.1}", width * share(workers.get()));
        return svg("g")
            .class("workers")
            .child(
                svg("rect")
                    .class("track")
                    .attr("x", left)
                    .attr("y", y - 2.0)
                    .attr("width", width)
                    .attr("height", "4")
                    .attr("rx", "2"),
            )
            .child(
                svg("rect")
                    .class("busy-bar")
                    .attr("x", left)
                    .attr("y", y - 2.0)
                    .attr("width", level)
                    .attr("height", "4")
                    .attr("rx", "2"),
            )
            .into_view();
    }
    let dots = (0..all)
        .map(|n| {
            let busy = move || workers.get().is_some_and(|w| n < w.level);
            let x = left + size / 2.0 + f64::from(n) * (size + 3.0 * scale);
            svg("circle")
                .class("worker")
                .class_when("busy", busy)
                .attr("cx", x)
                .attr("cy", y)
                .attr("r", size / 2.0)
        })
        .collect::<View>();
    svg("g").class("workers").child(dots).into_view()
}
