//! Links: beneath the messages a road for each pair of nodes, above them something to point at.

use super::Scene;
use super::geometry::{Geometry, Lane, Point, length, sub};
use super::glyph::pill;
use crate::app::actions::perform_key;
use crate::app::dom::each::each;
use crate::app::dom::svg;
use crate::app::dom::view::View;
use crate::app::state::{Selection, Tool};
use crate::base::id::{LinkId, NodeId};
use crate::base::time::Span;
use crate::observe::frame::Frame;
use leptos::ev;
use leptos::prelude::*;

/// Pixels of road that a cut takes away.
const TORN: f64 = 34.0;

/// A link and its way back, if it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pair {
    there: LinkId,
    back: Option<LinkId>,
    source: NodeId,
    target: NodeId,
}

/// How a pair is at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
struct Face {
    cut: bool,
    cut_back: bool,
    slow: Span,
    loss_ppm: u32,
    counts: (u32, u32),
}

fn pairs(scene: Scene) -> Vec<Pair> {
    let plan = scene.plan.get();
    let links = &plan.links;
    let back_of = |a, b| links.iter().position(|l| *l == (b, a));
    links
        .iter()
        .enumerate()
        .filter_map(|(n, (source, target))| {
            let back = back_of(*source, *target);
            // Each pair once, from the end that comes first.
            back.is_none_or(|b| b > n).then_some(Pair {
                there: LinkId(n as u32),
                back: back.map(|b| LinkId(b as u32)),
                source: *source,
                target: *target,
            })
        })
        .collect()
}

impl Pair {
    fn face(&self, frame: &Frame, counts: bool) -> Face {
        let there = frame.links.get(self.there.index());
        let back = self.back.and_then(|b| frame.links.get(b.index()));
        let both = [there, back];
        let views = || both.iter().flatten();
        Face {
            cut: there.is_some_and(|l| l.cut),
            cut_back: back.is_none_or(|l| l.cut),
            slow: views().map(|l| l.slow).max().unwrap_or_default(),
            loss_ppm: views().map(|l| l.loss_ppm).max().unwrap_or_default(),
            counts: if counts {
                (there.map_or(0, |l| l.in_flight), back.map_or(0, |l| l.in_flight))
            } else {
                (0, 0)
            },
        }
    }

    /// Messages in the last second, both ways.
    fn traffic(&self, frame: &Frame) -> u32 {
        let both = [Some(self.there), self.back];
        let views = both.into_iter().flatten().filter_map(|id| frame.links.get(id.index()));
        views.fold(0, |sum, link| sum.saturating_add(link.traffic))
    }

    /// The line between the two lanes.
    fn axis(&self, geometry: &Geometry) -> Lane {
        let lane = |id: LinkId| geometry.lanes.get(id.index()).copied().unwrap_or_default();
        let there = lane(self.there);
        let Some(back) = self.back.map(lane) else { return there };
        let middle = |a: Point, b: Point| ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
        Lane {
            from: middle(there.from, back.to),
            bend: middle(there.bend, back.bend),
            to: middle(there.to, back.from),
        }
    }
}

impl Face {
    fn cut_off(&self) -> bool {
        self.cut && self.cut_back
    }

    fn words(&self) -> String {
        let mut words = Vec::new();
        if self.cut_off() {
            words.push("cut".into());
        } else if self.cut || self.cut_back {
            words.push("cut one way".into());
        }
        if self.slow > Span::ZERO {
            words.push(format!("{} slower", self.slow));
        }
        if self.loss_ppm > 0 {
            words.push(format!("loses {}", percent(self.loss_ppm)));
        }
        if words.is_empty() { "working".into() } else { words.join(", ") }
    }
}

/// How wide a road is for so many messages a second: a step for every half of a tenfold.
fn load(traffic: u32) -> u64 {
    let steps = [1, 3, 10, 32, 100, 316, 1_000, 3_162, 10_000];
    steps.iter().filter(|step| traffic >= **step).count() as u64
}

fn percent(ppm: u32) -> String {
    let percent = f64::from(ppm) / 1e4;
    if percent < 10.0 && percent.fract() > 0.05 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// The roads, beneath the messages.
pub fn Roads() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let key = |p: &Pair| (p.there.0, p.back.map(|b| b.0), p.source.0, p.target.0);
    each(move || pairs(scene), key, Road)
}

fn Road(pair: Pair) -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let lab = scene.lab;
    let face = Memo::new(move |_| {
        scene.picture.track();
        lab.with_frame(|f| pair.face(f, false))
    });
    let axis = Memo::new(move |_| pair.axis(&scene.geometry.get()));
    let width = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| load(pair.traffic(f)))
    });
    // It runs on beneath the nodes, so that it meets every shape.
    let whole = move || {
        let geometry = scene.geometry.get();
        let middle = |id| geometry.spot(id).map_or((0.0, 0.0), |s| s.at);
        axis.get().reaching(middle(pair.source), middle(pair.target))
    };
    let ground = move || whole().path();
    let chosen = move || {
        let Selection::Link(id) = lab.selected.get() else { return false };
        id == pair.there || Some(id) == pair.back
    };
    let gap = move || {
        let (road, gap) = (whole(), axis.get().at(0.5));
        // The gap is half way between the rims, which is not half way between the middles.
        let half = (length(sub(gap, road.from)) - TORN / 2.0).max(0.0);
        if face.with(Face::cut_off) { format!("{half:.1} {TORN} 9999") } else { "none".into() }
    };
    svg("g")
        .class("road")
        .class_when("cut", move || face.with(Face::cut_off))
        .class_when("slow", move || face.with(|f| f.slow > Span::ZERO))
        .class_when("lossy", move || face.with(|f| f.loss_ppm > 0))
        .class_when("chosen", chosen)
        .attr("style", move || format!("--load:{}", width.get() as f64 / 2.0))
        .child(svg("path").class("road-bed").attr("d", ground).attr("stroke-dasharray", gap))
        .child(svg("path").class("road-line").attr("d", ground).attr("stroke-dasharray", gap))
        .child(move || face.with(|f| f.cut_off().then(|| ends(axis.get()))))
        .child(move || {
            let face = face.get();
            (face.cut != face.cut_back)
                .then(|| bar(scene, if face.cut { Some(pair.there) } else { pair.back }))
        })
}

/// The two torn ends of a cut road.
fn ends(axis: Lane) -> impl Into<View> {
    let (x, y) = axis.heading();
    let middle = axis.at(0.5);
    let end = |side: f64| {
        let at = (middle.0 + x * side * TORN / 2.0, middle.1 + y * side * TORN / 2.0);
        format!(
            "M{:.1} {:.1}L{:.1} {:.1}",
            at.0 - y * 10.0,
            at.1 + x * 10.0,
            at.0 + y * 10.0,
            at.1 - x * 10.0
        )
    };
    svg("path").class("road-end").attr("d", format!("{}{}", end(-1.0), end(1.0)))
}

/// A bar across the one lane that is cut.
fn bar(scene: Scene, lane: Option<LinkId>) -> Option<impl Into<View>> {
    let lane = lane.and_then(|id| scene.geometry.with(|g| g.lanes.get(id.index()).copied()))?;
    let ((x, y), (px, py)) = (lane.heading(), lane.at(0.5));
    let d =
        format!("M{:.1} {:.1}L{:.1} {:.1}", px - y * 6.0, py + x * 6.0, px + y * 4.0, py - x * 4.0);
    Some(svg("path").class("road-end").attr("d", d))
}

/// What can be pointed at and focused, above the messages.
pub fn Links() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let key = |p: &Pair| (p.there.0, p.back.map(|b| b.0), p.source.0, p.target.0);
    each(move || pairs(scene), key, Handle)
}

fn Handle(pair: Pair) -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let lab = scene.lab;
    let face = Memo::new(move |_| {
        scene.picture.track();
        lab.with_frame(|f| pair.face(f, lab.calm.get()))
    });
    let axis = Memo::new(move |_| pair.axis(&scene.geometry.get()));
    let name = move || {
        let (a, b) = (lab.node_name(pair.source), lab.node_name(pair.target));
        format!("Link between {a} and {b}, {}", face.with(Face::words))
    };
    let focus = move || lab.selected.set(Selection::Link(pair.there));
    let place = move || {
        let (x, y) = axis.get().at(0.5);
        format!("translate({x:.1} {y:.1})")
    };
    let label = move || {
        let face = face.get();
        let mut words = Vec::new();
        if face.slow > Span::ZERO {
            words.push(format!("+{}", face.slow));
        }
        if face.loss_ppm > 0 {
            words.push(format!("{} lost", percent(face.loss_ppm)));
        }
        if lab.calm.get() {
            words.push(format!("→ {}  ← {}", face.counts.0, face.counts.1));
        }
        (!words.is_empty()).then(|| pill(&words.join(" · "), axis.get()))
    };
    svg("g")
        .class("link")
        .class_when("cut", move || face.with(Face::cut_off))
        .attr("id", format!("link-{}", pair.there.0))
        .attr("tabindex", "0")
        .attr("role", "button")
        .attr("aria-label", name)
        .attr("aria-pressed", move || face.with(|f| f.cut_off().to_string()))
        .on(ev::click, move |event| press(scene, pair, &event))
        .on(ev::focus, move |_| focus())
        .on(ev::contextmenu, move |event| {
            event.prevent_default();
            focus();
        })
        .child(svg("path").class("link-hit").attr("d", move || axis.get().path()))
        .child(
            svg("g")
                .class("scissors")
                .attr("transform", place)
                .child(svg("circle").attr("r", "13"))
                .child(
                    svg("path")
                        .attr("transform", "translate(-8 -8)")
                        .attr("d", super::glyph::SCISSORS),
                ),
        )
        .child(label)
}

/// A click on a link picks out the message under it, or does what the tool in hand does.
fn press(scene: Scene, pair: Pair, event: &web_sys::MouseEvent) {
    let lab = scene.lab;
    event.stop_propagation();
    if let Some(packet) = super::pick::packet_at(scene, event) {
        lab.selected.set(Selection::Packet(packet));
        return;
    }
    lab.selected.set(Selection::Link(pair.there));
    let key = match lab.tool.get_untracked() {
        Tool::Select | Tool::Cut => "C",
        Tool::Slow => "G",
        _ => return,
    };
    perform_key(lab, Selection::Link(pair.there), key);
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::load;

    #[wasm_bindgen_test]
    fn a_road_widens_with_every_half_of_a_tenfold() {
        assert_eq!([0, 1, 9, 10, 99, 100, 50_000].map(load), [0, 1, 2, 3, 4, 5, 9]);
    }
}
