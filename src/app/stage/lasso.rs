//! The hand that tears: draw a line around some nodes, or click them one by one, and the rest of
//! the world is on the other side.

use super::Scene;
use super::geometry::{Point, length, sub};
use crate::app::dom::view::View;
use crate::app::dom::{html, svg};
use crate::app::state::{Lab, Tool};
use crate::base::id::NodeId;
use crate::session::command::Command;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::PointerEvent;

/// Divides the nodes: `picked` on one side, the others on the other.
pub fn divide(lab: Lab, picked: &[NodeId]) {
    let (far, near): (Vec<NodeId>, Vec<NodeId>) =
        lab.with_frame(|f| f.nodes.iter().map(|n| n.id).partition(|id| picked.contains(id)));
    if !far.is_empty() && !near.is_empty() {
        lab.command(Command::Partition(vec![near, far]));
    }
}

/// The line drawn so far.
pub fn Stroke() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let points = move || {
        scene.stroke.with(|s| {
            s.iter().map(|p| format!("{:.0},{:.0}", p.0, p.1)).collect::<Vec<_>>().join(" ")
        })
    };
    svg("polygon").class("lasso").attr("points", points)
}

/// What catches the pointer while a partition is drawn. A click without a stroke picks the node.
pub fn Pad() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let lab = scene.lab;
    let on = move || lab.tool.get() == Tool::Partition;
    Effect::new(move |_| {
        if !on() {
            scene.stroke.set(Vec::new());
            scene.lab.picked.set(Vec::new());
        }
    });
    let at = move |event: &PointerEvent| {
        let seen = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        untrack(|| scene.window()).meant(seen)
    };
    let up = move |event: PointerEvent| {
        let stroke = scene.stroke.get_untracked();
        scene.stroke.set(Vec::new());
        let drawn: f64 = stroke.windows(2).map(|p| length(sub(p[1], p[0]))).sum();
        if drawn * untrack(|| scene.window()).zoom < 24.0 {
            if let Some(id) = node_at(scene, at(&event)) {
                toggle(lab, id);
            }
            return;
        }
        let caught = caught(scene, &stroke);
        if !caught.is_empty() {
            divide(lab, &caught);
            lab.tool.set(Tool::Select);
        }
    };
    let pad = move || {
        (
            html("div")
                .class("pad")
                .on(ev::pointerdown, move |event| {
                    event.prevent_default();
                    hold(&event);
                    scene.stroke.set(vec![at(&event)]);
                })
                .on(ev::pointermove, move |event| {
                    if !scene.stroke.with_untracked(Vec::is_empty) {
                        scene.stroke.update(|s| s.push(at(&event)));
                    }
                })
                .on(ev::pointerup, up)
                .on(ev::pointercancel, move |_| scene.stroke.set(Vec::new())),
            html("div")
                .class("hint")
                .attr("role", "group")
                .attr("aria-label", "Partition")
                .child(html("span").child("Draw around the nodes to cut off, or click them."))
                .child(
                    html("button")
                        .class("button button-main")
                        .attr("disabled", move || scene.lab.picked.with(Vec::is_empty))
                        .on(ev::click, move |_| apply(lab))
                        .child("Divide"),
                )
                .child(
                    html("button")
                        .class("button")
                        .on(ev::click, move |_| lab.tool.set(Tool::Select))
                        .child("Cancel"),
                ),
        )
    };
    move || on().then(pad)
}

/// Keeps the pointer, so that a stroke may leave the stage.
fn hold(event: &PointerEvent) {
    let pad = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
    if let Some(pad) = pad {
        // A pointer that is already gone needs no holding.
        let _ = pad.set_pointer_capture(event.pointer_id());
    }
}

/// Divides at the picked nodes.
pub fn apply(lab: Lab) {
    let picked = lab.picked.get_untracked();
    if !picked.is_empty() {
        divide(lab, &picked);
        lab.tool.set(Tool::Select);
    }
}

/// Puts a node on the other side of a partition in the making, or takes it back.
pub fn toggle(lab: Lab, id: NodeId) {
    lab.picked.update(|picked| {
        if let Some(n) = picked.iter().position(|p| *p == id) {
            picked.remove(n);
        } else {
            picked.push(id);
        }
    });
}

fn caught(scene: Scene, stroke: &[Point]) -> Vec<NodeId> {
    scene.geometry.with_untracked(|g| {
        let inside = |n: &(usize, &super::geometry::Spot)| within(n.1.at, stroke);
        g.nodes.iter().enumerate().filter(inside).map(|(n, _)| NodeId(n as u32)).collect()
    })
}

fn node_at(scene: Scene, at: Point) -> Option<NodeId> {
    scene.geometry.with_untracked(|g| {
        let hit = |s: &super::geometry::Spot| {
            (s.at.0 - at.0).abs() <= s.half.0 && (s.at.1 - at.1).abs() <= s.half.1
        };
        g.nodes.iter().position(hit).map(|n| NodeId(n as u32))
    })
}

/// Whether a point is inside a closed line, by counting the edges to its right.
fn within(p: Point, line: &[Point]) -> bool {
    let mut inside = false;
    for (n, a) in line.iter().enumerate() {
        let b = line[(n + 1) % line.len()];
        if (a.1 > p.1) != (b.1 > p.1) && p.0 < (b.0 - a.0) * (p.1 - a.1) / (b.1 - a.1) + a.0 {
            inside = !inside;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::within;

    #[wasm_bindgen_test]
    fn a_line_holds_what_it_goes_around() {
        let line = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 5.0), (0.0, 10.0)];
        assert!(within((2.0, 5.0), &line));
        assert!(!within((5.0, 8.0), &line));
        assert!(!within((12.0, 5.0), &line));
    }
}
