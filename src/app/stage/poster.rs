//! A picture of a preset that stands still: its nodes and links, small.

use super::geometry::{Geometry, Lane, Plan};
use super::glyph::outline;
use crate::base::id::NodeId;
use crate::observe::frame::{Frame, Kind};
use crate::scenario::link;
use crate::session::Session;
use leptos::prelude::*;

/// Size of the picture; it scales to its card.
const SIZE: (f64, f64) = (560.0, 280.0);

/// The picture. It is decoration: the card has words.
#[component]
pub fn Poster(
    /// Of which preset.
    id: &'static str,
) -> impl IntoView {
    let (opened, _) = link::open(Some(id), "");
    let mut frame = Frame::default();
    Session::open(opened).frame(&mut frame);
    let plan = Plan::of(&frame);
    let geometry = plan.arrange(SIZE.0, SIZE.1);
    let road = |(lane, (a, b)): (&Lane, &(NodeId, NodeId))| {
        let lane = lane.reaching(geometry.spot(*a)?.at, geometry.spot(*b)?.at);
        Some(view! { <path class="road-bed" d=lane.path() /> })
    };
    let roads = geometry.lanes.iter().zip(&plan.links).filter_map(road).collect_view();
    view! {
        <svg class="poster" viewBox=format!("0 0 {} {}", SIZE.0, SIZE.1) aria-hidden="true">
            {roads}
            {shapes(&plan, &geometry)}
        </svg>
    }
}

fn shapes(plan: &Plan, geometry: &Geometry) -> impl IntoView + use<> {
    plan.nodes
        .iter()
        .filter_map(|node| {
            let spot = geometry.spot(node.id)?;
            let place = format!("translate({:.1} {:.1})", spot.at.0, spot.at.1);
            let crowd = (node.kind == Kind::Clients).then(|| seeds(spot.half.0));
            Some(view! {
                <g class="node" transform=place>
                    <path class="body" d=outline(node.kind, spot) />
                    {crowd}
                </g>
            })
        })
        .collect_view()
}

/// A few members of a crowd, seated like the seeds of a sunflower.
fn seeds(radius: f64) -> impl IntoView {
    const COUNT: u32 = 60;
    let step = (radius - 6.0) / f64::from(COUNT).sqrt();
    (0..COUNT)
        .map(|n| {
            let (r, turn) = (step * (f64::from(n) + 0.5).sqrt(), f64::from(n) * 2.399_963);
            let (x, y) = (r * libm::cos(turn), r * libm::sin(turn));
            view! { <circle class="seed" cx=format!("{x:.1}") cy=format!("{y:.1}") r="3" /> }
        })
        .collect_view()
}
