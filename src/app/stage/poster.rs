//! A picture of a run that stands still: its system in the middle of the trouble it is about,
//! simulated on the spot, a little in each animation frame.

use super::geometry::{Geometry, Lane, Plan, Spot};
use super::glyph::outline;
use crate::app::dom::svg;
use crate::app::dom::view::View;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::observe::frame::{Condition, Crowd, Frame, Kind};
use crate::session::Session;
use leptos::prelude::*;

/// Size of the picture; it scales to its card.
const SIZE: (f64, f64) = (560.0, 270.0);
/// Slices of work before the picture is taken as it is, and events in each.
const SLICES: u32 = 120;
const SLICE: u32 = 2_500;
/// The most members of a crowd and messages that are drawn.
const SEEDS: usize = 160;
const DOTS: usize = 110;

/// The picture. It is decoration: the card has words.
pub fn Poster(
    // Of which run, from its beginning.
    session: Session,
) -> impl Into<View> {
    let moment = moment(&session);
    let mut first = Frame::default();
    session.frame(&mut first);
    let plan = Plan::of(&first);
    let geometry = plan.arrange(SIZE.0, SIZE.1);
    let frame = RwSignal::new(first);
    simulate(StoredValue::new_local(session), moment, SLICES, frame);
    let road = |(lane, (a, b)): (&Lane, &(NodeId, NodeId))| {
        let lane = lane.reaching(geometry.spot(*a)?.at, geometry.spot(*b)?.at);
        Some(svg("path").class("road-bed").attr("d", lane.path()))
    };
    let roads = geometry.lanes.iter().zip(&plan.links).filter_map(road).collect::<View>();
    let scale = format!("--scale:{:.2}", geometry.scale.clamp(0.5, 1.1));
    let view_box = format!("0 0 {} {}", SIZE.0, SIZE.1);
    svg("svg")
        .class("poster")
        .attr("viewBox", view_box)
        .attr("style", scale)
        .attr("aria-hidden", "true")
        .child(roads)
        .child(move || frame.with(|f| (dots(f, &geometry), shapes(f, &geometry))))
}

/// The middle of the first trouble, or some way into the run.
fn moment(session: &Session) -> Time {
    let end = session.end().0;
    let first = session.marks().into_iter().find(|m| m.at > Time::ZERO);
    let at = first.map_or(end / 3, |m| {
        let until = m.until.map_or(m.at.0 + 3_000_000, |u| u.0);
        m.at.0 + (until.saturating_sub(m.at.0)) * 7 / 10
    });
    Time(at.min(end))
}

/// Simulates a slice, then leaves the frame to others; shows the picture at the end.
fn simulate(
    session: StoredValue<Session, LocalStorage>,
    until: Time,
    slices: u32,
    frame: RwSignal<Frame>,
) {
    request_animation_frame(move || {
        // The gallery may have been left meanwhile.
        let Some(there) = session.try_update_value(|s| s.advance(until, SLICE)) else { return };
        if there || slices == 0 {
            frame.try_update(|f| session.with_value(|s| s.frame(f)));
        } else {
            simulate(session, until, slices - 1, frame);
        }
    });
}

fn dots(frame: &Frame, geometry: &Geometry) -> impl Into<View> + use<> {
    let packets = &frame.packets;
    let step = packets.id.len().div_ceil(DOTS).max(1);
    let all = packets.link.iter().zip(packets.progress.iter().zip(&packets.kind));
    all.step_by(step)
        .filter_map(|(link, (progress, kind))| {
            let (x, y) = geometry.lanes.get(*link as usize)?.at(f64::from(*progress));
            let class = format!("dot dot-{kind}");
            Some(
                svg("circle")
                    .class(class)
                    .attr("cx", format!("{x:.1}"))
                    .attr("cy", format!("{y:.1}"))
                    .attr("r", "3.6"),
            )
        })
        .collect::<View>()
}

fn shapes(frame: &Frame, geometry: &Geometry) -> impl Into<View> + use<> {
    let shape = |spot: &Spot, kind: Kind, condition: Condition, crowd: Option<&Crowd>| {
        let place = format!("translate({:.1} {:.1})", spot.at.0, spot.at.1);
        let class = match condition {
            Condition::Up => "node",
            Condition::Slow(_) => "node slowed",
            Condition::Paused => "node paused",
            Condition::Down => "node down",
        };
        let seeds = crowd.map(|c| seeds(c, spot.half.0));
        svg("g")
            .class(class)
            .attr("transform", place)
            .child(svg("path").class("body").attr("d", outline(kind, spot)))
            .child(seeds)
    };
    let drawn = frame.nodes.iter().filter_map(|node| {
        let spot = geometry.spot(node.id)?;
        let full = node.queue.filter(|q| q.limit > 0).map(|q| {
            let limit = if q.limit == u32::MAX { 60 } else { q.limit };
            (f64::from(q.level) / f64::from(limit)).min(1.0)
        });
        let (w, h) = (spot.half.0 * 0.74, spot.half.1 * 0.24);
        let (x, y) = (spot.at.0 - w, spot.at.1 - h / 2.0);
        let gauge = full.map(|share| {
            let class = if share > 0.6 { "queue high" } else { "queue" };
            svg("g")
                .class(class)
                .child(
                    svg("rect")
                        .class("track")
                        .attr("x", x)
                        .attr("y", y)
                        .attr("width", 2.0 * w)
                        .attr("height", h)
                        .attr("rx", "2"),
                )
                .child(
                    svg("rect")
                        .class("level")
                        .attr("x", x)
                        .attr("y", y)
                        .attr("width", 2.0 * w * share)
                        .attr("height", h)
                        .attr("rx", "2"),
                )
        });
        let body = shape(spot, node.kind, node.condition, node.crowd.as_ref());
        Some((body, gauge))
    });
    drawn.collect::<View>()
}

/// Some members of a crowd, seated like the seeds of a sunflower.
fn seeds(crowd: &Crowd, radius: f64) -> impl Into<View> + use<> {
    let each = crowd.sample.len().div_ceil(SEEDS).max(1);
    let drawn: Vec<u8> = crowd.sample.iter().copied().step_by(each).collect();
    let step = (radius - 4.0) / (drawn.len().max(1) as f64).sqrt();
    let size = (step * 0.68).clamp(1.4, 5.0);
    let seed = |(n, state): (usize, &u8)| {
        let (r, turn) = (step * (n as f64 + 0.5).sqrt(), n as f64 * 2.399_963);
        let (x, y) = (r * libm::cos(turn), r * libm::sin(turn));
        let class = format!("seed seed-{state}");
        let (x, y, size) = (format!("{x:.1}"), format!("{y:.1}"), format!("{size:.1}"));
        svg("circle").class(class).attr("cx", x).attr("cy", y).attr("r", size)
    };
    drawn.iter().enumerate().map(seed).collect::<View>()
}
