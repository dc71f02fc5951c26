//! Nodes: focusable elements that say in shape, fill and words how they are.

use super::Scene;
use super::drag::Drag;
use super::gauge::{Slots, Workers};
use super::geometry::{COMPACT, Item, Spot};
use super::glyph::{lid, outline};
use super::plate::{Names, alarm, second_line};
use crate::app::actions::{actions, perform};
use crate::app::dom::each::each;
use crate::app::dom::svg;
use crate::app::dom::view::{IntoView, View};
use crate::app::state::{Selection, Tool};
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::observe::frame::{Condition, Duty, Gauge, Kind, NodeView};
use leptos::ev;
use leptos::prelude::*;

/// What is drawn of a node; the element changes only when this does.
#[derive(Clone, Debug, PartialEq)]
struct Face {
    condition: Condition,
    since: Time,
    queue: Option<Gauge>,
    workers: Option<Gauge>,
    duty: Option<Duty>,
}

impl Face {
    fn of(node: &NodeView) -> Face {
        let NodeView { condition, since, queue, workers, .. } = *node;
        let duty = node.duty.map(|(state, _)| state);
        Face { condition, since, queue, workers, duty }
    }

    fn class(&self) -> &'static str {
        match self.condition {
            Condition::Up if self.duty == Some(Duty::Off) => "off",
            Condition::Up => "up",
            Condition::Slow(_) => "slowed",
            Condition::Paused => "paused",
            Condition::Down => "down",
        }
    }

    /// Whether what comes now is turned away.
    fn is_full(&self) -> bool {
        let full = |q: Gauge| q.limit > 0 && q.level >= q.limit;
        self.condition != Condition::Down && self.queue.is_some_and(full)
    }

    /// The condition in words that a glance takes in, when there is something to say.
    fn badge(&self, now: Time) -> Option<String> {
        let held = format!("{:.1} s", now.since(self.since).as_secs());
        match self.condition {
            Condition::Up => {
                self.duty.filter(|duty| *duty != Duty::Serving).map(|duty| duty.word().to_owned())
            }
            Condition::Slow(thousandths) => {
                Some(format!("{}× slower", f64::from(thousandths) / 1e3))
            }
            Condition::Paused => Some(format!("paused {held}")),
            Condition::Down => Some(format!("down {held}")),
        }
    }
}

/// Every node.
pub fn Nodes() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    each(move || scene.plan.get().nodes.clone(), |n| (n.id, n.name.clone(), n.kind as u8), Node)
}

fn Node(item: Item) -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let (lab, id, kind) = (scene.lab, item.id, item.kind);
    let face = Memo::new(move |_| {
        scene.picture.track();
        lab.with_frame(|f| f.nodes.get(id.index()).map(Face::of))
    });
    let spot = Memo::new(move |_| scene.geometry.with(|g| g.spot(id).copied()));
    let badge = Memo::new(move |_| {
        lab.slow_tick.track();
        let now = lab.with_frame(|f| f.at);
        face.with(|f| f.as_ref().and_then(|f| f.badge(now)))
    });
    // A replica that is off looks so; a crowd of plaques would say nothing more.
    let shown = Memo::new(move |_| {
        let small = scene.geometry.with(|g| g.scale) < COMPACT;
        let text = badge.get().filter(|text| text != Duty::Off.word())?;
        Some((text, small))
    });
    let line = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| f.nodes.get(id.index()).map(|n| n.line.clone())).unwrap_or_default()
    });
    let full = Memo::new(move |_| face.with(|f| f.as_ref().is_some_and(Face::is_full)));
    let place = move || {
        let at = spot.get().map_or((0.0, 0.0), |s| s.at);
        format!("translate({:.1} {:.1})", at.0, at.1)
    };
    let class = move || face.with(|f| f.as_ref().map_or("up", Face::class));
    let shape = move || spot.get().map(|s| outline(kind, &s)).unwrap_or_default();
    let cover = move || spot.get().map(|s| lid(&s)).unwrap_or_default();
    let scale = move || scene.geometry.with(|g| g.scale);
    let picked = move || scene.lab.picked.with(|p| p.contains(&id));
    let (name, item) = (item.name.clone(), StoredValue::new(item));
    let said = {
        let name = name.clone();
        move || {
            let state = badge.get().unwrap_or_else(|| "up".into());
            let state = if full.get() { format!("{state}, queue full") } else { state };
            format!("{name}, {}, {state}, {}", role(kind), line.get())
        }
    };
    let focus = move || lab.selected.set(Selection::Node(id));
    let drag = Drag::new();
    drag.listen(scene, id, svg("g"))
        .class(move || format!("node {} {}", role_class(kind), class()))
        .class_when("chosen", move || lab.selected.get() == Selection::Node(id))
        .class_when("picked", picked)
        .attr("id", format!("node-{id}"))
        .attr("transform", place)
        .attr("tabindex", "0")
        .attr("role", "button")
        .attr("aria-label", said)
        .on(ev::focus, move |_| focus())
        .on(ev::click, move |event| {
            event.stop_propagation();
            if !drag.moved() {
                click(scene, id);
            }
        })
        .on(ev::contextmenu, move |event| {
            event.prevent_default();
            focus();
        })
        .child(svg("title").child(move || line.get()))
        .child(svg("path").class("halo").attr("d", shape))
        .child(svg("path").class("body").attr("d", shape))
        .child((kind == Kind::Store).then(|| svg("path").class("lid").attr("d", cover)))
        .child(move || item.with_value(|item| inside(item, spot.get(), face, scale())))
        .child(svg("path").class("out").attr("d", shape).attr("fill", "url(#out)"))
        .child(move || full.get().then(|| alarm(spot.get())))
        .child(Names(kind, name, spot, shown, second_line(scene, id)))
}

/// A click on a node does what the tool in hand does.
fn click(scene: Scene, id: NodeId) {
    let lab = scene.lab;
    lab.selected.set(Selection::Node(id));
    let key = match lab.tool.get_untracked() {
        Tool::Crash => "X",
        Tool::Slow => "G",
        Tool::Partition => return super::lasso::toggle(lab, id),
        Tool::Select | Tool::Cut => return,
    };
    if let Some(action) = actions(lab, Selection::Node(id)).iter().find(|a| a.key == key) {
        perform(lab, action);
    }
}

/// The word for what a node is.
pub fn role(kind: Kind) -> &'static str {
    match kind {
        Kind::Clients => "clients",
        Kind::Balancer => "load balancer",
        Kind::Names => "name server",
        Kind::Broker => "message broker",
        Kind::Service => "service",
        Kind::Cache => "cache",
        Kind::Store => "store",
        Kind::Backup => "backup",
        Kind::Fleet => "fleet",
    }
}

/// True for what has room for words and gauges in it.
pub fn is_box(kind: Kind) -> bool {
    !matches!(kind, Kind::Clients | Kind::Balancer | Kind::Names)
}

fn role_class(kind: Kind) -> &'static str {
    match kind {
        Kind::Clients => "clients",
        Kind::Balancer => "balancer",
        Kind::Names => "names",
        Kind::Broker => "broker",
        Kind::Service => "service",
        Kind::Cache => "cache",
        Kind::Store => "store",
        Kind::Backup => "backup",
        Kind::Fleet => "fleet",
    }
}

/// What stands inside a box: its name, its queue as fill, its workers as dots.
fn inside(item: &Item, spot: Option<Spot>, face: Memo<Option<Face>>, scale: f64) -> Option<View> {
    let spot = spot.filter(|_| is_box(item.kind))?;
    let queue = Memo::new(move |_| face.with(|f| f.as_ref().and_then(|f| f.queue)));
    let workers = Memo::new(move |_| face.with(|f| f.as_ref().and_then(|f| f.workers)));
    let (w, h) = spot.half;
    let top = if item.kind == Kind::Store { h * 0.22 } else { 0.0 } - h;
    let (left, width) = (-w + 11.0 * scale, 2.0 * (w - 11.0 * scale));
    let row = |y: f64| top + y * scale;
    let slots = queue
        .with_untracked(Option::is_some)
        .then(|| Slots(queue, left, width, row(33.0), 8.0 * scale));
    if scale < COMPACT {
        return Some(compact(item, queue, (w, h)).into_view());
    }
    let dots = workers
        .with_untracked(Option::is_some)
        .then(|| Workers(workers, left, width, row(56.0), scale));
    let whole = svg("g")
        .class("inside")
        .attr("style", format!("font-size:{:.2}px", 13.0 * scale.max(0.82)))
        .child(
            svg("text")
                .class("title")
                .attr("x", left)
                .attr("y", row(20.0))
                .child(item.name.clone()),
        )
        .child(
            svg("text")
                .class("count")
                .attr("x", -left)
                .attr("y", row(20.0))
                .child(move || queue.get().map(|q| gauge_text(&q))),
        )
        .child(slots)
        .child(dots);
    Some(whole.into_view())
}

/// What fits into a small box: the name, and the queue as a bar.
fn compact(item: &Item, queue: Memo<Option<Gauge>>, (w, h): (f64, f64)) -> impl Into<View> + use<> {
    let slots = queue
        .with_untracked(Option::is_some)
        .then(|| Slots(queue, -w + 6.0, 2.0 * w - 12.0, h * 0.32, h * 0.3));
    svg("g")
        .class("inside compact")
        .attr("style", format!("font-size:{:.1}px", (h * 0.72).clamp(9.0, 12.0)))
        .child(svg("text").class("title").attr("y", h * 0.02).child(item.name.clone()))
        .child(slots)
}

fn gauge_text(gauge: &Gauge) -> String {
    if gauge.limit == u32::MAX {
        format!("{}", gauge.level)
    } else {
        format!("{}/{}", gauge.level, gauge.limit)
    }
}
