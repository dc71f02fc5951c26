//! The layer of torn regions: who can still talk to whom under a partition.

use super::Scene;
use super::regions::{Regions, regions};
use crate::app::dom::view::View;
use crate::app::dom::{El, svg};
use leptos::prelude::*;

/// The regions, each with its own hatch, and the tear between them.
pub fn Sides() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let sides = Memo::new(move |_| {
        scene.picture.track();
        scene.lab.with_frame(|f| f.sides.clone())
    });
    let shape = Memo::new(move |_| {
        let geometry = scene.geometry.get();
        sides.with(|s| if s.is_empty() { Regions::default() } else { regions(&geometry, s) })
    });
    let region = |n: usize, path: String| {
        (
            svg("path").class(format!("region side-{}", n % 3)).attr("d", path.clone()),
            svg("path")
                .class("region")
                .attr("d", path)
                .attr("fill", format!("url(#hatch-{})", n % 3)),
        )
    };
    (Hatches(), move || {
        let shape = shape.get();
        let labels = shape.labels.clone();
        (!shape.sides.is_empty()).then(|| {
            svg("g")
                .class("sides")
                .child(
                    shape
                        .sides
                        .into_iter()
                        .enumerate()
                        .map(|(n, path)| region(n, path))
                        .collect::<View>(),
                )
                .child(svg("path").class("tear-gap").attr("d", shape.tear.clone()))
                .child(svg("path").class("tear").attr("d", shape.tear))
                .child(labels.into_iter().enumerate().map(side_name).collect::<View>())
        })
    })
}

/// The patterns that tell sides apart, and what is out of order.
fn Hatches() -> impl Into<View> {
    let pattern = |id: &'static str, size: u32, turned: Option<&'static str>, drawn: El| {
        svg("pattern")
            .attr("id", id)
            .attr("width", size)
            .attr("height", size)
            .attr("patternUnits", "userSpaceOnUse")
            .attr("patternTransform", turned)
            .child(drawn)
    };
    let line = |class: &'static str, path: &'static str| svg("path").class(class).attr("d", path);
    let dot = svg("circle").class("hatch-dot side-1").attr("cx", "3").attr("cy", "3");
    let (falling, rising) = (Some("rotate(45)"), Some("rotate(-45)"));
    svg("defs")
        .child(pattern("hatch-0", 9, falling, line("hatch side-0", "M0 0V9")))
        .child(pattern("hatch-1", 10, None, dot.attr("r", "1")))
        .child(pattern("hatch-2", 9, rising, line("hatch side-2", "M0 0V9")))
        .child(pattern("out", 7, falling, line("hatch out-line", "M0 0V7")))
}

fn side_name((n, at): (usize, (f64, f64))) -> impl Into<View> {
    let name = char::from(b'A' + (n % 26) as u8);
    svg("text")
        .class("side-name")
        .attr("x", at.0)
        .attr("y", (at.1 - 10.0).max(14.0))
        .child(format!("side {name}"))
}
