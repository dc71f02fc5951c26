//! The menu beside what is selected: what a hand can do to it.

use super::Scene;
use crate::app::actions::{actions, perform};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::icon::icon;
use crate::app::state::{Selection, Tool};
use leptos::ev;
use leptos::prelude::*;

/// The menu; nothing while nothing is selected.
pub fn Menu() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let lab = scene.lab;
    let list = Memo::new(move |_| {
        lab.slow_tick.track();
        if lab.tool.get() == Tool::Select { actions(lab, lab.selected.get()) } else { Vec::new() }
    });
    let style = move || {
        let (x, y, above) = anchor(scene).unwrap_or_default();
        let side = if above { "above" } else { "below" };
        (format!("--x:{x:.0}px;--y:{y:.0}px"), side)
    };
    let button = move |action: crate::app::actions::Action| {
        let key = (!action.key.is_empty()).then(|| html("kbd").child(action.key));
        let (label, symbol, harm) = (action.label.clone(), action.icon, action.harm);
        html("button")
            .class("act")
            .class_when("harm", harm)
            .on(ev::click, move |_| perform(lab, &action))
            .child(icon(symbol))
            .child(html("span").child(label))
            .child(key)
    };
    move || {
        let list = list.get();
        (!list.is_empty()).then(|| {
            html("div")
                .class("menu")
                .attr("role", "group")
                .attr("aria-label", "What to do with it")
                .attr("data-side", move || style().1)
                .attr("style", move || style().0)
                .child(list.into_iter().map(button).collect::<View>())
        })
    }
}

/// Where the menu goes: under what is selected, above it near the foot of what is seen.
fn anchor(scene: Scene) -> Option<(f64, f64, bool)> {
    let (geometry, window) = (scene.geometry.get(), scene.window());
    let (at, up, down) = match scene.lab.selected.get() {
        Selection::Node(id) => {
            let spot = geometry.spot(id)?;
            let label = if spot.round { 38.0 } else { 8.0 };
            (spot.at, spot.half.1 + 14.0, spot.half.1 + label)
        }
        Selection::Link(id) => (geometry.lanes.get(id.index())?.at(0.5), 24.0, 24.0),
        _ => return None,
    };
    let (x, top) = window.seen((at.0, at.1 - up));
    let (_, bottom) = window.seen((at.0, at.1 + down));
    let above = bottom > geometry.size.1 - 60.0;
    let y = if above { top.min(geometry.size.1) } else { bottom.max(0.0) };
    // The menu is centred on its anchor; keep it away from the rim.
    Some((
        x.clamp(
            150.0_f64.min(geometry.size.0 / 2.0),
            (geometry.size.0 - 150.0).max(geometry.size.0 / 2.0),
        ),
        y,
        above,
    ))
}
