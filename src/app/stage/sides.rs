//! The layer of torn regions: who can still talk to whom under a partition.

use super::Scene;
use super::regions::{Regions, regions};
use crate::app::dom::svg;
use crate::app::dom::view::View;
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
    (
        svg("defs")
            .child(
                svg("pattern")
                    .attr("id", "hatch-0")
                    .attr("width", "9")
                    .attr("height", "9")
                    .attr("patternUnits", "userSpaceOnUse")
                    .attr("patternTransform", "rotate(45)")
                    .child(svg("path").class("hatch side-0").attr("d", "M0 0V9")),
            )
            .child(
                svg("pattern")
                    .attr("id", "hatch-1")
                    .attr("width", "10")
                    .attr("height", "10")
                    .attr("patternUnits", "userSpaceOnUse")
                    .child(
                        svg("circle")
                            .class("hatch-dot side-1")
                            .attr("cx", "3")
                            .attr("cy", "3")
                            .attr("r", "1"),
                    ),
            )
            .child(
                svg("pattern")
                    .attr("id", "out")
                    .attr("width", "7")
                    .attr("height", "7")
                    .attr("patternUnits", "userSpaceOnUse")
                    .attr("patternTransform", "rotate(45)")
                    .child(svg("path").class("hatch out-line").attr("d", "M0 0V7")),
            )
            .child(
                svg("pattern")
                    .attr("id", "hatch-2")
                    .attr("width", "9")
                    .attr("height", "9")
                    .attr("patternUnits", "userSpaceOnUse")
                    .attr("patternTransform", "rotate(-45)")
                    .child(svg("path").class("hatch side-2").attr("d", "M0 0V9")),
            ),
        move || {
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
        },
    )
}

fn side_name((n, at): (usize, (f64, f64))) -> impl Into<View> {
    let name = char::from(b'A' + (n % 26) as u8);
    svg("text")
        .class("side-name")
        .attr("x", at.0)
        .attr("y", (at.1 - 10.0).max(14.0))
        .child(format!("side {name}"))
}
