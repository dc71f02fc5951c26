//! Shapes: what a node is, told by its outline.

use super::Scene;
use super::geometry::{Lane, Spot};
use crate::app::dom::svg;
use crate::app::dom::view::View;
use crate::observe::frame::Kind;
use leptos::prelude::*;

/// Scissors on a 16 by 16 grid.
pub const SCISSORS: &str = "M4 5.8a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8zm0 8.2a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8zM5.6 5 14 11.8M5.6 11 14 4.2";

/// The outline of a node around its own middle.
pub fn outline(kind: Kind, spot: &Spot) -> String {
    let (w, h) = spot.half;
    match kind {
        Kind::Clients => circle(w),
        Kind::Balancer => triangle(w, 0.22),
        Kind::Names => format!("M-{w:.1} 0L0 -{h:.1}L{w:.1} 0L0 {h:.1}Z"),
        Kind::Broker => pointed(w, h, h * 0.3),
        Kind::Service => rounded(w, h, h * 0.26),
        Kind::Cache => cut(w, h, h * 0.36),
        Kind::Store => cylinder(w, h),
        Kind::Backup => folder(w, h),
        Kind::Fleet => hexagon(w),
    }
}

fn circle(r: f64) -> String {
    format!("M{r:.1} 0A{r:.1} {r:.1} 0 1 1 -{r:.1} 0A{r:.1} {r:.1} 0 1 1 {r:.1} 0Z")
}

fn rounded(w: f64, h: f64, r: f64) -> String {
    let (x, y) = (w - r, h - r);
    format!(
        "M-{x:.1} -{h:.1}H{x:.1}A{r:.1} {r:.1} 0 0 1 {w:.1} -{y:.1}V{y:.1}A{r:.1} {r:.1} 0 0 1 {x:.1} {h:.1}H-{x:.1}A{r:.1} {r:.1} 0 0 1 -{w:.1} {y:.1}V-{y:.1}A{r:.1} {r:.1} 0 0 1 -{x:.1} -{h:.1}Z"
    )
}

/// A box with its corners cut off.
fn cut(w: f64, h: f64, c: f64) -> String {
    let (x, y) = (w - c, h - c);
    format!(
        "M-{x:.1} -{h:.1}H{x:.1}L{w:.1} -{y:.1}V{y:.1}L{x:.1} {h:.1}H-{x:.1}L-{w:.1} {y:.1}V-{y:.1}Z"
    )
}

/// A box whose sides point outwards: what goes in on the left comes out on the right.
fn pointed(w: f64, h: f64, point: f64) -> String {
    let x = w - point;
    format!("M-{x:.1} -{h:.1}H{x:.1}L{w:.1} 0L{x:.1} {h:.1}H-{x:.1}L-{w:.1} 0Z")
}

/// A triangle that points to the right, with soft corners.
fn triangle(r: f64, soft: f64) -> String {
    let corners = [(-0.72 * r, -0.98 * r), (1.0 * r, 0.0), (-0.72 * r, 0.98 * r)];
    let mix = |a: (f64, f64), b: (f64, f64), t: f64| (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t);
    let mut path = String::new();
    for n in 0..3 {
        let (before, here, after) = (corners[(n + 2) % 3], corners[n], corners[(n + 1) % 3]);
        let (from, to) = (mix(here, before, soft), mix(here, after, soft));
        let verb = if n == 0 { 'M' } else { 'L' };
        path.push_str(&format!(
            "{verb}{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
            from.0, from.1, here.0, here.1, to.0, to.1
        ));
    }
    path.push('Z');
    path
}

/// A box with a tab on top, as folders in an archive have.
fn folder(w: f64, h: f64) -> String {
    let (tab, rise) = (w * 0.7, h * 0.3);
    format!(
        "M-{w:.1} -{h:.1}V-{:.1}H-{:.1}L-{:.1} -{h:.1}H{w:.1}V{h:.1}H-{w:.1}Z",
        h + rise,
        w - tab,
        w - tab - rise
    )
}

/// Six corners, two of them on the sides.
fn hexagon(r: f64) -> String {
    let (x, y) = (r * 0.5, r * 0.866);
    format!("M{r:.1} 0L{x:.1} {y:.1}L-{x:.1} {y:.1}L-{r:.1} 0L-{x:.1} -{y:.1}L{x:.1} -{y:.1}Z")
}

fn cylinder(w: f64, h: f64) -> String {
    let lid = h * 0.22;
    let y = h - lid;
    format!(
        "M-{w:.1} -{y:.1}A{w:.1} {lid:.1} 0 0 1 {w:.1} -{y:.1}V{y:.1}A{w:.1} {lid:.1} 0 0 1 -{w:.1} {y:.1}Z"
    )
}

/// The near rim of a cylinder's lid.
pub fn lid(spot: &Spot) -> String {
    let (w, h) = spot.half;
    let lid = h * 0.22;
    format!("M-{w:.1} -{:.1}A{w:.1} {lid:.1} 0 0 0 {w:.1} -{:.1}", h - lid, h - lid)
}

/// The ground a crowd stands on, beneath its members.
pub fn Floors() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    move || {
        let (plan, geometry) = (scene.plan.get(), scene.geometry.get());
        plan.nodes
            .iter()
            .filter(|n| n.kind == Kind::Clients)
            .filter_map(|n| geometry.spot(n.id))
            .map(|s| {
                svg("circle")
                    .class("floor")
                    .attr("cx", s.at.0)
                    .attr("cy", s.at.1)
                    .attr("r", s.half.0)
            })
            .collect::<View>()
    }
}

/// A few words beside a road.
pub fn pill(words: &str, axis: Lane) -> impl Into<View> + use<> {
    let ((x, y), at) = (axis.heading(), axis.at(0.5));
    // Beside the road, on the side that is up or right.
    let side = if x.abs() > 0.4 { -x.signum() } else { 1.0 };
    let (px, py) = (at.0 - y * -side * 22.0, at.1 + x * side * 22.0);
    let width = words.chars().count() as f64 * 6.4 + 14.0;
    svg("g")
        .class("pill")
        .attr("transform", format!("translate({px:.1} {py:.1})"))
        .child(
            svg("rect")
                .attr("x", -width / 2.0)
                .attr("y", "-9")
                .attr("width", width)
                .attr("height", "18")
                .attr("rx", "9"),
        )
        .child(svg("text").attr("dy", "0.35em").child(words.to_string()))
}
