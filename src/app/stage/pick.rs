//! Picking a message with the pointer, and the ring around the one that is picked.

use super::Scene;
use super::geometry::{Geometry, Point, length, sub};
use crate::app::dom::svg;
use crate::app::dom::view::View;
use crate::app::state::Selection;
use crate::observe::frame::Frame;
use leptos::prelude::*;
use web_sys::MouseEvent;

/// How near to a message a click must be, in pixels.
const NEAR: f64 = 10.0;

/// Where a click is on the stage, in its own pixels.
pub fn point(scene: Scene, event: &MouseEvent) -> Option<Point> {
    let over = document().query_selector(".layer.over").ok().flatten()?;
    let rect = over.get_bounding_client_rect();
    let window = untrack(|| scene.window());
    let scale = window.size.0 / rect.width().max(1.0);
    let at = (f64::from(event.client_x()) - rect.x(), f64::from(event.client_y()) - rect.y());
    Some(window.meant((at.0 * scale, at.1 * scale)))
}

/// The message nearest to a click, in flight or just ended, while time stands still.
pub fn packet_at(scene: Scene, event: &MouseEvent) -> Option<u64> {
    let lab = scene.lab;
    if lab.playing.get_untracked() || lab.calm.get_untracked() {
        return None;
    }
    let click = point(scene, event)?;
    let geometry = scene.geometry.get_untracked();
    let near = NEAR / untrack(|| scene.window()).zoom;
    lab.with_frame(|frame| {
        spots(frame, &geometry)
            .map(|(id, at)| (id, length(sub(at, click))))
            .filter(|(_, far)| *far <= near)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(id, _)| id)
    })
}

/// Every message with where it is.
fn spots<'a>(frame: &'a Frame, geometry: &'a Geometry) -> impl Iterator<Item = (u64, Point)> + 'a {
    let packets = &frame.packets;
    let flying = packets.id.iter().zip(packets.link.iter().zip(&packets.progress));
    let flying = flying.map(|(id, (link, progress))| (*id, *link as usize, *progress));
    let ended = frame.ends.iter().map(|e| (e.id, e.link.index(), e.progress));
    flying.chain(ended).filter_map(|(id, link, progress)| {
        Some((id, geometry.lanes.get(link)?.at(f64::from(progress))))
    })
}

/// A ring around the picked message.
pub fn Ring() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let at = Memo::new(move |_| {
        scene.picture.track();
        let Selection::Packet(wanted) = scene.lab.selected.get() else { return None };
        let geometry = scene.geometry.get();
        scene.lab.with_frame(|f| spots(f, &geometry).find(|(id, _)| *id == wanted).map(|s| s.1))
    });
    move || {
        at.get()
            .map(|(x, y)| svg("circle").class("ring").attr("cx", x).attr("cy", y).attr("r", "11"))
    }
}
