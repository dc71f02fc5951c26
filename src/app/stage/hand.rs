//! Hands on the stage that look closer: a drag of the ground moves what is seen, two fingers or the
//! wheel with Ctrl enlarge it. While all of the stage is seen, a finger and the plain wheel scroll
//! the page.

use super::Scene;
use super::drag::{TREMBLE, place};
use super::geometry::{Point, length, sub};
use super::lens::{Lens, STEP, Window};
use crate::app::dom::El;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::keys::focus_first;
use crate::app::state::{Lab, Place, Selection};
use crate::scenario::link::MOST_ZOOM;
use leptos::ev;
use leptos::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent, WheelEvent};

impl Lab {
    /// What part of the stage is seen.
    pub fn lens(&self) -> Lens {
        Lens { middle: self.middle.get(), zoom: self.zoom.get() }
    }

    /// Shows a part of the stage.
    pub(in crate::app) fn show_part(&self, lens: Lens) {
        self.middle.set(lens.middle);
        self.zoom.set(lens.zoom);
    }

    /// Looks at another part of the stage by hand; the address follows.
    fn look(&self, lens: Lens) {
        self.looked.set(true);
        self.bring(lens);
    }

    /// The same, but not as a hand has chosen.
    fn bring(&self, lens: Lens) {
        self.show_part(lens);
        self.changed.update(|n| *n += 1);
    }
}

/// How far one notch of the wheel counts, and how much it enlarges by each of those pixels.
const NOTCH: f64 = 30.0;
const PER_PIXEL: f64 = 0.01;

/// The pointers that hold the stage: which, and where they were last.
#[derive(Clone, Default)]
pub struct Hands(Rc<RefCell<Held>>);

#[derive(Default)]
struct Held {
    pointers: Vec<(i32, Point)>,
    /// Whether they have gone further than a hand trembles.
    far: bool,
}

impl Hands {
    /// Follows the pointers over the room that the stage is seen in.
    pub fn listen(self, scene: Scene, room: El) -> El {
        let (down, go_on, up) = (self.clone(), self.clone(), self.clone());
        room.on(ev::pointerdown, move |event| down.take(&event))
            .on(ev::pointermove, move |event| go_on.go_on(scene, &event))
            .on(ev::pointerup, move |event| up.let_go(&event))
            .on(ev::pointercancel, move |event| self.let_go(&event))
            .on(ev::wheel, move |event| turn_wheel(scene, &event))
    }

    /// A finger anywhere, the middle button anywhere, the first button on the ground or a link.
    fn take(&self, event: &PointerEvent) {
        let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        let Some(target) = target else { return };
        let on = |css: &str| target.closest(css).is_ok_and(|found| found.is_some());
        let finger = event.pointer_type() == "touch";
        let takes = finger || event.button() == 1 || (event.button() == 0 && !on(".node"));
        if !takes || !on(".layer") {
            return;
        }
        if event.button() == 1 {
            // Or the browser would scroll by itself.
            event.prevent_default();
        }
        let mut held = self.0.borrow_mut();
        held.pointers.push((event.pointer_id(), place(event)));
        held.far = false;
    }

    fn go_on(&self, scene: Scene, event: &PointerEvent) {
        if event.buttons() == 0 {
            return self.let_go(event);
        }
        let (id, to) = (event.pointer_id(), place(event));
        let mut held = self.0.borrow_mut();
        let other = held.pointers.iter().find(|h| h.0 != id).map(|h| h.1);
        let far = held.far;
        let Some((_, last)) = held.pointers.iter_mut().find(|h| h.0 == id) else { return };
        let from = *last;
        let window = untrack(|| scene.window());
        let by = sub(to, from);
        if other.is_none() && (window.zoom <= 1.0 || scrolls(scene.lab, event)) {
            return;
        }
        if !far && length(by) < TREMBLE {
            return;
        }
        *last = to;
        held.far = true;
        drop(held);
        let Some(room) = room_of(event) else { return };
        // With it the drag is no click on what is beneath.
        let _ = room.set_pointer_capture(id);
        let lens = match other {
            None => window.held(from, to, 1.0),
            Some(other) => pinched(window, corner(&room), other, from, to),
        };
        scene.lab.look(lens);
    }

    fn let_go(&self, event: &PointerEvent) {
        let id = event.pointer_id();
        self.0.borrow_mut().pointers.retain(|h| h.0 != id);
    }
}

/// Whether a finger scrolls the page though only a part is seen: so it is inside another page until
/// a hand has chosen the part. The style sheet tells the browser the same.
fn scrolls(lab: Lab, event: &PointerEvent) -> bool {
    let inside = lab.place.get_untracked() == Place::Embed;
    inside && !lab.looked.get_untracked() && event.pointer_type() == "touch"
}

/// What two fingers do of which one moves: what is between them stays between them.
fn pinched(window: Window, corner: Point, other: Point, from: Point, to: Point) -> Lens {
    let between = |a: Point| sub(((a.0 + other.0) / 2.0, (a.1 + other.1) / 2.0), corner);
    let apart = |a: Point| length(sub(a, other)).max(1.0);
    window.held(between(from), between(to), apart(to) / apart(from))
}

fn turn_wheel(scene: Scene, event: &WheelEvent) {
    if !(event.ctrl_key() || event.meta_key()) {
        return;
    }
    // Or the browser would enlarge the page.
    event.prevent_default();
    let Some(room) = room_of(event) else { return };
    let at = sub((f64::from(event.client_x()), f64::from(event.client_y())), corner(&room));
    // Browsers count in pixels for whoever does not ask in what they count.
    let factor = libm::exp(-event.delta_y().clamp(-NOTCH, NOTCH) * PER_PIXEL);
    scene.lab.look(untrack(|| scene.window()).held(at, at, factor));
}

fn room_of(event: &web_sys::Event) -> Option<Element> {
    event.current_target().and_then(|t| t.dyn_into().ok())
}

fn corner(room: &Element) -> Point {
    let rect = room.get_bounding_client_rect();
    (rect.x(), rect.y())
}

/// Enlarges what is seen, or makes it smaller.
pub fn zoom(lab: Lab, factor: f64) {
    lab.look(untrack(|| lab.lens()).enlarged(factor));
}

/// Shows all of the stage.
pub fn fit(lab: Lab) {
    let button = document().query_selector(".fit:focus").is_ok_and(|found| found.is_some());
    lab.look(Lens::default());
    if button {
        // It has gone, and the keyboard would be nowhere.
        focus_first(".stage");
    }
}

/// What is picked out comes into sight.
pub fn follow(scene: Scene) {
    Effect::new(move |_| {
        let selected = scene.lab.selected.get();
        let geometry = scene.geometry.get_untracked();
        let at = match selected {
            Selection::Node(id) => geometry.spot(id).map(|spot| spot.at),
            Selection::Link(id) => geometry.lanes.get(id.index()).map(|lane| lane.at(0.5)),
            _ => None,
        };
        let window = untrack(|| scene.window());
        if let Some(at) = at.filter(|at| !window.shows(*at)) {
            scene.lab.bring(window.around(at));
        }
    });
}

/// While a part is seen: how much larger it is, and the way back.
pub fn Fit() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let is_part = Memo::new(move |_| lab.lens().is_part());
    let size = move || format!("{:.1}×", lab.lens().zoom);
    show(
        move || is_part.get(),
        move || {
            html("button")
                .class("fit")
                .attr("title", "Show the whole stage (0)")
                .on(ev::click, move |_| fit(lab))
                .child(html("b").child(size))
                .child(" Show all")
        },
    )
}

/// Looks closer, and from farther away.
pub fn Zoom() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let button = move |name: &'static str, sign: &'static str, factor: f64| {
        html("button")
            .class("tool")
            .attr("title", format!("{name} ({sign})"))
            .attr("aria-label", name)
            // It keeps the focus where it has nothing left to do.
            .attr("aria-disabled", move || {
                let lens = lab.lens();
                let done = if factor > 1.0 { lens.zoom >= MOST_ZOOM } else { !lens.is_part() };
                done.to_string()
            })
            .on(ev::click, move |_| zoom(lab, factor))
            .child(sign)
    };
    (
        button("Look closer", "+", STEP),
        button("Look from farther away", "−", 1.0 / STEP).class("farther"),
    )
}
