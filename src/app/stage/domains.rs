//! The layer of failure domains: a box around what shares a fate.

use super::Scene;
use super::geometry::Geometry;
use crate::app::dom::svg;
use crate::app::dom::view::View;
use crate::base::domain::{Domains as Boxes, Tier};
use crate::base::id::NodeId;
use crate::base::order;
use leptos::prelude::*;
use std::sync::Arc;

/// Pixels between a box and what is in it, for hosts, zones, regions.
const PADDING: [f64; 3] = [6.0, 11.0, 17.0];
/// Pixels for the name at the top of a box.
const NAME: f64 = 12.0;

/// A box on the screen.
#[derive(Clone, Debug, PartialEq)]
struct Drawn {
    name: String,
    tier: Tier,
    corner: (f64, f64),
    size: (f64, f64),
}

/// A box for each domain with nodes in it; the people near it stand outside.
pub fn Domains() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let boxes = Memo::new(move |_| {
        scene.lab.opened.track();
        scene.lab.with_session(|s| {
            let cast = &s.run().course.cast;
            let mut domains = cast.domains.clone();
            domains.all.iter_mut().for_each(|domain| domain.nodes = cast.breakable(domain));
            Arc::new(domains)
        })
    });
    let drawn = Memo::new(move |_| drawn(&scene.geometry.get(), &boxes.get()));
    let group = |d: &Drawn| svg("g").class(format!("domain domain-{}", d.tier.word()));
    let frame = move |d: &Drawn| {
        group(d).child(
            svg("rect")
                .attr("x", d.corner.0)
                .attr("y", d.corner.1)
                .attr("width", d.size.0)
                .attr("height", d.size.1)
                .attr("rx", "8"),
        )
    };
    let name = move |d: &Drawn| {
        group(d).child(
            svg("text").attr("x", d.corner.0 + 7.0).attr("y", d.corner.1 + NAME).child(format!(
                "{} {}",
                d.tier.word(),
                d.name
            )),
        )
    };
    // No box covers the name of another.
    move || {
        drawn.with(|all| {
            (all.iter().map(frame).collect::<View>(), all.iter().map(name).collect::<View>())
        })
    }
}

/// The boxes, outer ones first.
fn drawn(geometry: &Geometry, boxes: &Boxes) -> Vec<Drawn> {
    let mut drawn: Vec<Drawn> = Vec::new();
    for domain in boxes.all.iter().filter(|domain| !domain.nodes.is_empty()) {
        let padding = PADDING[2 - domain.tier as usize] * geometry.scale.clamp(0.5, 1.0);
        let spots = || domain.nodes.iter().filter_map(|node: &NodeId| geometry.spot(*node));
        let least = |of: fn((f64, f64)) -> f64| {
            spots().map(|s| of(s.at) - of(s.half)).fold(f64::MAX, f64::min)
        };
        let most = |of: fn((f64, f64)) -> f64| {
            spots().map(|s| of(s.at) + of(s.half)).fold(f64::MIN, f64::max)
        };
        let (left, top) = (least(|p| p.0) - padding, least(|p| p.1) - padding - NAME * 0.6);
        let (right, bottom) = (most(|p| p.0) + padding, most(|p| p.1) + padding + NAME);
        let corner = (left.max(1.0), top.max(1.0));
        let (right, bottom) = (right.min(geometry.size.0 - 1.0), bottom.min(geometry.size.1 - 1.0));
        let size = ((right - corner.0).max(1.0), (bottom - corner.1).max(1.0));
        drawn.push(Drawn { name: domain.name.clone(), tier: domain.tier, corner, size });
    }
    order::by_key(&mut drawn, |d| d.tier);
    drawn
}
