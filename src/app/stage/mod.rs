//! The stage: nodes, links and messages at one instant.
//!
//! Three layers. Beneath, an SVG with the torn regions and the roads; then a canvas with the
//! messages and the crowds, which change with every picture; above, an SVG with the nodes and
//! everything that can be pointed at or focused, which changes only when something happens. To add
//! a layer: a file here with a component that takes the [`Scene`] from its context, and a line in
//! [`Stage`].

mod breaker;
mod canvas;
mod caption;
mod domains;
mod drag;
mod gauge;
mod geometry;
mod gl;
mod glyph;
pub mod hand;
pub mod lasso;
mod legend;
pub mod lens;
mod link;
mod menu;
pub mod node;
mod painter;
mod pick;
mod plain;
mod plate;
mod points;
pub mod poster;
mod regions;
mod room;
mod sides;
mod tools;
mod trail;
pub mod way;

use crate::app::chrome;
use crate::app::dom::view::View;
use crate::app::dom::{html, svg};
use crate::app::keys;
use crate::app::state::{Lab, Selection, Tool};
use crate::base::id::NodeId;
use geometry::{Geometry, Plan};
use hand::Hands;
use lens::Window;
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;
use room::{is_upright, turn};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::SvgElement;

/// What the layers of the stage share.
#[derive(Clone, Copy)]
pub struct Scene {
    /// The run.
    pub lab: Lab,
    /// What stands where in the scenario.
    pub plan: Memo<Arc<Plan>>,
    /// What stands where on the screen.
    pub geometry: Memo<Arc<Geometry>>,
    /// Ticks with every picture; once a second in calm mode.
    pub picture: Signal<u64>,
    /// The stroke of the hand around the nodes of one side, in pixels.
    pub stroke: RwSignal<Vec<geometry::Point>>,
}

impl Scene {
    fn new(lab: Lab, size: RwSignal<(f64, f64)>) -> Scene {
        let plan = Memo::new(move |_| {
            lab.slow_tick.track();
            lab.opened.track();
            Arc::new(lab.with_frame(Plan::of))
        });
        let geometry = Memo::new(move |_| {
            let (width, height) = size.get();
            let plan = plan.get();
            Arc::new(lab.moved.with(|moves| plan.arrange(width, height).moved(&plan, moves)))
        });
        let second = Memo::new(move |_| {
            lab.slow_tick.track();
            // While time stands still every change shows at once.
            if lab.playing.get() {
                lab.with_frame(|f| f.at.0 / 1_000_000)
            } else {
                lab.frame_number.get() | 1 << 63
            }
        });
        let picture =
            Signal::derive(
                move || {
                    if lab.calm.get() { second.get() } else { lab.frame_number.get() }
                },
            );
        Scene { lab, plan, geometry, picture, stroke: RwSignal::default() }
    }
}

impl Scene {
    /// What part of the stage is seen.
    pub fn window(&self) -> Window {
        Window::new(self.lab.lens(), self.geometry.with(|g| g.size))
    }
}

/// The stage with everything that stands on it.
pub fn Stage() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let size = RwSignal::new((900.0, 520.0));
    let room = NodeRef::<Div>::new();
    measure(room, size);
    let scene = Scene::new(lab, size);
    provide_context(scene);
    let sentence = move || {
        lab.slow_tick.track();
        lab.with_frame(|f| {
            format!("Stage: {} nodes, {} links", f.nodes.len(), f.links.len().div_ceil(2))
        })
    };
    let view_box = move || scene.window().view_box();
    hand::follow(scene);
    let click = move |event: web_sys::MouseEvent| {
        let packet = pick::packet_at(scene, &event);
        lab.selected.set(packet.map_or(Selection::None, Selection::Packet));
    };
    let scale = move || format!("--scale:{:.2}", scene.geometry.with(|g| g.scale.clamp(0.6, 1.1)));
    let tool = move || match lab.tool.get() {
        Tool::Select => "select",
        Tool::Cut => "cut",
        Tool::Slow => "slow",
        Tool::Partition => "partition",
        Tool::Crash => "crash",
    };
    html("section")
        .class("stage")
        .attr("data-tool", tool)
        .attr("tabindex", "0")
        .attr("aria-label", sentence)
        .on(ev::keydown, move |event| keys::on_stage(lab, &event))
        .child(caption::Caption())
        .child(
            Hands::default()
                .listen(scene, html("div"))
                .class("stage-room")
                .class_when("part", move || lab.lens().is_part())
                .class_when("looked", lab.looked)
                .found_by(room)
                .child(
                    svg("svg")
                        .class("layer under")
                        .attr("viewBox", view_box)
                        .attr("style", scale)
                        .attr("aria-hidden", "true")
                        .child(domains::Domains())
                        .child(sides::Sides())
                        .child(link::Roads())
                        .child(glyph::Floors()),
                )
                .child(canvas::Points())
                .child(
                    svg("svg")
                        .class("layer over")
                        .attr("viewBox", view_box)
                        .on(ev::click, click)
                        .child(link::Links())
                        .child(node::Nodes())
                        .child(breaker::Breakers())
                        .child(pick::Ring())
                        .child(lasso::Stroke()),
                )
                .child(lasso::Pad())
                .child(menu::Menu())
                .child(hand::Fit())
                .child(way::Way()),
        )
        .child(tools::Tools())
        .child(legend::Legend())
}

/// Keeps `size` equal to the size of an element.
fn measure(room: NodeRef<Div>, size: RwSignal<(f64, f64)>) {
    let watch = move || {
        let Some(element) = room.try_get_untracked().flatten() else { return };
        let rect = element.get_bounding_client_rect();
        let new = (rect.width().round(), rect.height().round());
        if new.0 > 1.0 && new.1 > 1.0 && size.try_get_untracked().is_some_and(|s| s != new) {
            size.set(new);
        }
    };
    let call = Closure::<dyn FnMut()>::new(watch);
    let Ok(observer) = web_sys::ResizeObserver::new(call.as_ref().unchecked_ref()) else { return };
    let keep = StoredValue::new_local((call, observer));
    Effect::new(move |_| {
        if let Some(element) = room.get() {
            keep.with_value(|(_, observer)| observer.observe(&element));
        }
    });
    on_cleanup(move || {
        let _ = keep.try_with_value(|(_, observer)| observer.disconnect());
    });
}

/// Moves a node by shares of the stage as it is on the screen, until it is [`put`] there.
pub fn shift(lab: Lab, id: NodeId, by: geometry::Point) {
    if !chrome::may_break() {
        lab.refuse();
        return;
    }
    let (name, by) = (lab.node_name(id), turn(by, is_upright(room_size())));
    lab.moved.update(|moves| {
        let known = moves.iter().position(|(moved, _)| *moved == name);
        let (_, (x, y)) = known.map(|n| moves.remove(n)).unwrap_or_default();
        moves.push((name, ((x + by.0).clamp(-1.0, 1.0), (y + by.1).clamp(-1.0, 1.0))));
    });
}

/// Leaves a node where it was moved to: from then on it is part of the run's link.
pub fn put(lab: Lab, id: NodeId) {
    if !chrome::may_break() {
        return;
    }
    let name = lab.node_name(id);
    let found = lab.moved.with_untracked(|moves| moves.iter().find(|m| m.0 == name).cloned());
    let Some((name, by)) = found else { return };
    lab.update_session(|s| s.put(&name, by));
    lab.moved.set(lab.with_session(|s| s.moved().to_vec()));
    lab.changed.update(|n| *n += 1);
    lab.refresh();
}

/// The size of the stage on the screen.
fn room_size() -> geometry::Point {
    let room = document().query_selector(".stage-room").ok().flatten();
    room.map_or((1.0, 1.0), |room| {
        let rect = room.get_bounding_client_rect();
        (rect.width(), rect.height())
    })
}

/// Moves the focus to the nearest node or link in a direction: what lies across counts twice.
pub fn walk(dx: f64, dy: f64) {
    let Ok(list) = document().query_selector_all(".stage .node, .stage .link") else { return };
    let all = (0..list.length()).filter_map(|n| list.item(n)?.dyn_into::<SvgElement>().ok());
    let middle = |e: &SvgElement| {
        let r = e.get_bounding_client_rect();
        (r.x() + r.width() / 2.0, r.y() + r.height() / 2.0)
    };
    let here = document().active_element().and_then(|e| e.dyn_into::<SvgElement>().ok());
    let from = here.as_ref().map(middle);
    let cost = |e: &SvgElement| {
        let at = middle(e);
        // Without a place to start from, the one furthest back is the first.
        let Some(from) = from else { return Some(at.0 * dx + at.1 * dy) };
        let (x, y) = geometry::sub(at, from);
        let along = x * dx + y * dy;
        (along > 4.0).then(|| along + 2.0 * (x * dy).abs().max((y * dx).abs()))
    };
    let best = all.filter_map(|e| cost(&e).map(|c| (c, e))).min_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, element)) = best {
        // A refused focus leaves the keyboard where it was.
        let _ = element.focus();
    }
}
