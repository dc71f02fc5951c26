//! Circuit breakers: a switch where the calls leave, with a ring that counts the cooldown down.

use super::Scene;
use super::geometry::{Geometry, Plan, Point, sub, unit};
use crate::app::dom::each::each;
use crate::app::dom::svg;
use crate::app::dom::view::View;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::observe::frame::{BreakerView, Frame};
use leptos::prelude::*;

/// Radius of a switch and of the ring around it, in pixels.
const RADIUS: f64 = 13.0;
const RING: f64 = 16.5;

/// A breaker as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Face {
    closed: u32,
    open: u32,
    half_open: u32,
    probe_at: Option<Time>,
    cooldown: Span,
    probes: Option<(u32, u32)>,
}

impl Face {
    fn of(view: &BreakerView) -> Face {
        let BreakerView { closed, open, half_open, probe_at, cooldown, probes, .. } = *view;
        Face { closed, open, half_open, probe_at, cooldown, probes }
    }

    fn total(&self) -> u32 {
        (self.closed + self.open + self.half_open).max(1)
    }

    /// The state of most of them; an open one counts before the others.
    fn phase(&self) -> &'static str {
        if self.open * 2 >= self.total() {
            "open"
        } else if self.half_open > 0 && self.half_open >= self.open {
            "half"
        } else if self.open > 0 {
            "open"
        } else {
            "closed"
        }
    }

    fn words(&self, now: Time) -> String {
        if self.total() > 1 {
            return match self.open {
                0 if self.half_open == 0 => String::new(),
                0 => format!("{} of {} probing", self.half_open, self.total()),
                open => format!("{open} of {} open", self.total()),
            };
        }
        match (self.phase(), self.probe_at) {
            ("open", Some(at)) => format!("open {:.1} s", at.since(now).as_secs()),
            ("open", None) => "open".into(),
            ("half", _) => match self.probes {
                Some((out, of)) => format!("probe {out}/{of}"),
                None => "probing".into(),
            },
            _ => String::new(),
        }
    }
}

/// A breaker and where it stands.
#[derive(Clone, Debug, PartialEq)]
struct Switch {
    node: NodeId,
    index: usize,
    target: String,
    at: (i64, i64),
    label_below: bool,
}

fn switches(scene: Scene, frame: &Frame) -> Vec<Switch> {
    let (plan, geometry) = (scene.plan.get_untracked(), scene.geometry.get());
    let mut out = Vec::new();
    for node in &frame.nodes {
        for (index, breaker) in node.breakers.iter().enumerate() {
            let Some(at) = stand(node.id, &breaker.target, frame, &plan, &geometry) else {
                continue;
            };
            out.push(Switch {
                node: node.id,
                index,
                target: breaker.target.clone(),
                at: (at.0.round() as i64, at.1.round() as i64),
                label_below: at.1 < 60.0,
            });
        }
    }
    out
}

/// On the road to the target, just outside the caller.
fn stand(
    from: NodeId,
    target: &str,
    frame: &Frame,
    plan: &Plan,
    geometry: &Geometry,
) -> Option<Point> {
    let spot = geometry.spot(from)?;
    let mut sum = (0.0, 0.0);
    let mut count = 0.0;
    for (_, to) in plan.links.iter().filter(|l| l.0 == from) {
        let to_node = frame.nodes.get(to.index())?;
        if to_node.group == target || to_node.name == target {
            let at = geometry.spot(*to)?.at;
            sum = (sum.0 + at.0, sum.1 + at.1);
            count += 1.0;
        }
    }
    if count < 0.5 {
        return None;
    }
    let towards = (sum.0 / count, sum.1 / count);
    let rim = spot.rim(towards);
    let way = unit(sub(towards, spot.at));
    let out = (RING + 9.0) * geometry.scale.clamp(0.55, 1.0);
    Some((rim.0 + way.0 * out, rim.1 + way.1 * out))
}

/// Every breaker.
pub fn Breakers() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let switches = Memo::new(move |_| {
        scene.lab.slow_tick.track();
        scene.lab.with_frame(|f| switches(scene, f))
    });
    each(move || switches.get(), |s| (s.node, s.index, s.at, s.target.clone()), Breaker)
}

fn Breaker(switch: Switch) -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let lab = scene.lab;
    let (node, index) = (switch.node, switch.index);
    let face = Memo::new(move |_| {
        scene.picture.track();
        lab.with_frame(|f| {
            f.nodes.get(node.index()).and_then(|n| n.breakers.get(index)).map(Face::of)
        })
    });
    let phase = move || face.with(|f| f.as_ref().map_or("closed", Face::phase));
    let words = Memo::new(move |_| {
        lab.slow_tick.track();
        let now = lab.with_frame(|f| f.at);
        face.with(|f| f.as_ref().map(|f| f.words(now)).unwrap_or_default())
    });
    // The share of the cooldown that is left.
    let left = move || {
        scene.picture.track();
        let now = lab.with_frame(|f| f.at);
        face.with(|f| {
            let f = f.as_ref()?;
            let at = f.probe_at.filter(|_| f.open > 0)?;
            Some((at.since(now).0 as f64 / f.cooldown.0.max(1) as f64).clamp(0.0, 1.0))
        })
    };
    let around = std::f64::consts::TAU * RING;
    let ring = move || {
        left().map(|share| {
            svg("circle")
                .class("cooldown")
                .attr("r", RING)
                .attr("stroke-dasharray", format!("{:.1} {around:.1}", share * around))
                .attr("transform", "rotate(-90)")
        })
    };
    let lever = move || match phase() {
        "open" => "M-6 0 4 -7",
        "half" => "M-6 0 5.4 -2.6",
        _ => "M-6 0H6",
    };
    let title = {
        let target = switch.target.clone();
        move || format!("breaker towards {target}: {}", spoken(phase(), &words.get()))
    };
    let label_y = if switch.label_below { RING + 13.0 } else { -RING - 7.0 };
    let place = move || {
        let size = scene.geometry.with(|g| g.scale).clamp(0.55, 1.0);
        format!("translate({} {}) scale({size:.2})", switch.at.0, switch.at.1)
    };
    svg("g")
        .class(move || format!("breaker {}", phase()))
        .attr("transform", place)
        .child(svg("title").child(title))
        .child(svg("circle").class("case").attr("r", RADIUS))
        .child(ring)
        .child(svg("path").class("lever").attr("d", lever))
        .child(svg("circle").class("pole").attr("cx", "-6").attr("r", "1.9"))
        .child(svg("circle").class("pole").attr("cx", "6").attr("r", "1.9"))
        .child(svg("text").class("breaker-words").attr("y", label_y).child(words))
}

fn spoken(phase: &str, words: &str) -> String {
    match (phase, words) {
        ("closed", "") => "closed, calls go through".into(),
        (_, words) => words.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn a_half_open_breaker_counts_its_probes() {
        let face = |closed, half_open, probes| Face {
            closed,
            open: 0,
            half_open,
            probe_at: None,
            cooldown: Span::ZERO,
            probes,
        };
        assert_eq!(face(0, 1, Some((1, 3))).words(Time::ZERO), "probe 1/3");
        assert_eq!(face(0, 1, None).words(Time::ZERO), "probing");
        assert_eq!(face(7, 2, Some((1, 3))).words(Time::ZERO), "2 of 9 probing");
        assert_eq!(face(1, 0, None).words(Time::ZERO), "");
    }
}
