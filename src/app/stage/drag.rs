//! Moving a node with the mouse or a pen. A finger scrolls the page; keys move nodes as well.

use super::geometry::{Point, length, sub};
use super::lens::Window;
use super::{Scene, put, shift};
use crate::app::dom::El;
use crate::app::state::Tool;
use crate::base::id::NodeId;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::PointerEvent;

/// Pixels that a hand may tremble during a click.
pub(super) const TREMBLE: f64 = 5.0;

/// A drag of one node.
#[derive(Clone, Copy)]
pub struct Drag {
    /// Where the pointer was last, while it is held.
    last: StoredValue<Option<Point>>,
    /// Whether it has gone further than a hand trembles.
    far: StoredValue<bool>,
}

impl Drag {
    /// Nothing is dragged.
    pub fn new() -> Drag {
        Drag { last: StoredValue::new(None), far: StoredValue::new(false) }
    }

    /// Follows the pointer over a node.
    pub fn listen(self, scene: Scene, id: NodeId, node: El) -> El {
        node.on(ev::pointerdown, move |event| self.start(&event))
            .on(ev::pointermove, move |event| self.go_on(scene, id, &event))
            .on(ev::pointerup, move |_| self.end(scene, id))
            .on(ev::pointercancel, move |_| self.end(scene, id))
    }

    /// A pointer goes down on the node.
    fn start(self, event: &PointerEvent) {
        self.far.set_value(false);
        if event.button() == 0 && event.pointer_type() != "touch" {
            self.last.set_value(Some(place(event)));
        }
    }

    /// It moves. With a tool in hand it does what the tool does, when it is let go.
    fn go_on(self, scene: Scene, id: NodeId, event: &PointerEvent) {
        let Some(from) = self.last.get_value() else { return };
        if event.buttons() & 1 == 0 || scene.lab.tool.get_untracked() != Tool::Select {
            return self.end(scene, id);
        }
        let by = sub(place(event), from);
        if !self.far.get_value() && length(by) < TREMBLE {
            return;
        }
        self.far.set_value(true);
        self.last.set_value(Some(place(event)));
        let node = event.current_target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
        if let Some(node) = node {
            // Without it the node is lost when the pointer outruns it.
            let _ = node.set_pointer_capture(event.pointer_id());
        }
        let Window { size: (width, height), zoom, .. } = untrack(|| scene.window());
        shift(scene.lab, id, (by.0 / width / zoom, by.1 / height / zoom));
    }

    /// It is let go.
    fn end(self, scene: Scene, id: NodeId) {
        let held = self.last.get_value().is_some();
        self.last.set_value(None);
        if held && self.far.get_value() {
            put(scene.lab, id);
        }
    }

    /// Whether the node was moved since the pointer went down: then it was no click.
    pub fn moved(self) -> bool {
        self.far.get_value()
    }
}

/// Where a pointer is.
pub(super) fn place(event: &PointerEvent) -> Point {
    (f64::from(event.client_x()), f64::from(event.client_y()))
}
