//! The layer of messages and crowds: a canvas as sharp as the screen.

use super::lens::Window;
use super::painter::{Colours, Paint, painter};
use super::points::collect;
use super::trail::Trail;
use super::{Scene, geometry::Geometry};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::base::time::Span;
use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::HtmlCanvasElement;

/// The most device pixels per pixel that are painted; beyond it nobody sees a difference.
const DENSITY_MAX: f64 = 2.5;

#[derive(Default)]
struct Easel {
    painter: Option<Box<dyn Paint>>,
    tried: bool,
    points: Vec<f32>,
    trail: Trail,
    colours: Colours,
    size: (f64, f64),
    density: f64,
}

/// The canvas.
pub fn Points() -> impl Into<View> {
    let scene = expect_context::<Scene>();
    let lab = scene.lab;
    let canvas = NodeRef::<Canvas>::new();
    let easel = StoredValue::new_local(Easel::default());
    let repaint = RwSignal::new(0_u64);
    // Colours are read when the theme changes, not with every picture.
    Effect::new(move |_| {
        lab.theme.track();
        repaint.track();
        let Some(element) = canvas.get() else { return };
        if let Ok(Some(style)) = window().get_computed_style(&element) {
            easel.update_value(|e| e.colours = Colours::read(&style));
        }
        lab.refresh();
    });
    Effect::new(move |_| {
        scene.picture.track();
        lab.calm.track();
        lab.theme.track();
        let (geometry, seen) = (scene.geometry.get(), scene.window());
        let Some(element) = canvas.get() else { return };
        easel.update_value(|e| paint(e, scene, &element, &geometry, seen));
    });
    recover(canvas, easel, repaint);
    follow_system_colours(repaint);
    html("canvas").class("layer points").found_by(canvas).attr("aria-hidden", "true")
}

fn paint(
    easel: &mut Easel,
    scene: Scene,
    canvas: &HtmlCanvasElement,
    geometry: &Geometry,
    seen: Window,
) {
    if !easel.tried {
        easel.tried = true;
        easel.painter = painter(canvas);
    }
    let density = window().device_pixel_ratio().clamp(1.0, DENSITY_MAX);
    if easel.size != geometry.size || (easel.density - density).abs() > 1e-9 {
        easel.size = geometry.size;
        easel.density = density;
        // Where messages were on a stage of another size says nothing.
        easel.trail.forget();
        canvas.set_width((geometry.size.0 * density) as u32);
        canvas.set_height((geometry.size.1 * density) as u32);
    }
    // A mark of what was lost stays for about a second, whatever the speed.
    let fade = Span((scene.lab.speed.get_untracked() * 1.2e6) as u64);
    let points = &mut easel.points;
    let messages = scene.lab.with_frame(|frame| collect(frame, geometry, fade, points));
    if scene.lab.calm.get_untracked() {
        // Numbers on the links stand for the messages.
        points.truncate(messages.start);
    } else if scene.lab.playing.get_untracked() {
        easel.trail.follow(&points[messages.clone()]);
        easel.trail.draw(messages.start, points);
    } else {
        easel.trail.forget();
    }
    seen.magnify(&mut easel.points);
    if let Some(painter) = &mut easel.painter {
        painter.paint(&easel.points, geometry.size, density, &easel.colours);
    }
}

/// A lost graphics context comes back, with everything to be set up anew.
fn recover(
    canvas: NodeRef<Canvas>,
    easel: StoredValue<Easel, LocalStorage>,
    repaint: RwSignal<u64>,
) {
    let lost = Closure::<dyn FnMut(web_sys::Event)>::new(|event: web_sys::Event| {
        event.prevent_default();
    });
    let back = Closure::<dyn FnMut(web_sys::Event)>::new(move |_| {
        let _ = easel.try_update_value(|e| e.tried = false);
        let _ = repaint.try_update(|n| *n += 1);
    });
    let keep = StoredValue::new_local((lost, back));
    Effect::new(move |_| {
        let Some(element) = canvas.get() else { return };
        keep.with_value(|(lost, back)| {
            for (name, call) in [("webglcontextlost", lost), ("webglcontextrestored", back)] {
                // A canvas takes every kind of listener.
                let _ =
                    element.add_event_listener_with_callback(name, call.as_ref().unchecked_ref());
            }
        });
    });
}

/// Reads the colours again when the system turns dark or light.
fn follow_system_colours(repaint: RwSignal<u64>) {
    let Ok(Some(query)) = window().match_media("(prefers-color-scheme: dark)") else { return };
    let call = Closure::<dyn FnMut()>::new(move || {
        let _ = repaint.try_update(|n| *n += 1);
    });
    let _ = query.add_event_listener_with_callback("change", call.as_ref().unchecked_ref());
    let keep = StoredValue::new_local((query, call));
    on_cleanup(move || {
        let _ = keep.try_with_value(|(query, call)| {
            query.remove_event_listener_with_callback("change", call.as_ref().unchecked_ref())
        });
    });
}
