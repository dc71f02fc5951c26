//! The layer of torn regions: who can still talk to whom under a partition.

use super::Scene;
use super::regions::{Regions, regions};
use leptos::prelude::*;

/// The regions, each with its own hatch, and the tear between them.
#[component]
pub fn Sides() -> impl IntoView {
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
        view! {
            <path class=format!("region side-{}", n % 3) d=path.clone() />
            <path class="region" d=path fill=format!("url(#hatch-{})", n % 3) />
        }
    };
    view! {
        <defs>
            <pattern id="hatch-0" width="9" height="9" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)">
                <path class="hatch side-0" d="M0 0V9" />
            </pattern>
            <pattern id="hatch-1" width="10" height="10" patternUnits="userSpaceOnUse">
                <circle class="hatch-dot side-1" cx="3" cy="3" r="1" />
            </pattern>
            <pattern id="out" width="7" height="7" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)">
                <path class="hatch out-line" d="M0 0V7" />
            </pattern>
            <pattern id="hatch-2" width="9" height="9" patternUnits="userSpaceOnUse"
                patternTransform="rotate(-45)">
                <path class="hatch side-2" d="M0 0V9" />
            </pattern>
        </defs>
        {move || {
            let shape = shape.get();
            let labels = shape.labels.clone();
            (!shape.sides.is_empty())
                .then(|| {
                    view! {
                        <g class="sides">
                            {shape
                                .sides
                                .into_iter()
                                .enumerate()
                                .map(|(n, path)| region(n, path))
                                .collect_view()}
                            <path class="tear-gap" d=shape.tear.clone() />
                            <path class="tear" d=shape.tear />
                            {labels.into_iter().enumerate().map(side_name).collect_view()}
                        </g>
                    }
                })
        }}
    }
}

fn side_name((n, at): (usize, (f64, f64))) -> impl IntoView {
    let name = char::from(b'A' + (n % 26) as u8);
    view! {
        <text class="side-name" x=at.0 y=(at.1 - 10.0).max(14.0)>
            {format!("side {name}")}
        </text>
    }
}
