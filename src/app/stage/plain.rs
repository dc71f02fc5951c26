//! The painter for browsers without WebGL2: one path per look, so that the fill colour changes
//! seldom.

use super::painter::{Colours, Paint};
use super::points::{LOOKS, STRIDE, worn};
use std::f64::consts::TAU;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// A canvas 2D context.
pub struct PlainPainter {
    context: CanvasRenderingContext2d,
}

impl PlainPainter {
    /// Sets canvas 2D up; none where even that is missing.
    pub fn new(canvas: &HtmlCanvasElement) -> Option<PlainPainter> {
        let context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        Some(PlainPainter { context })
    }

    /// Adds the ticks on a rim and the second ring of a copy to the current path.
    fn mark(&self, x: f64, y: f64, r: f64, ticks: usize, copy: bool) {
        let c = &self.context;
        for n in 0..ticks {
            let (sin, cos) = libm::sincos(TAU * n as f64 / ticks as f64);
            c.move_to(x + sin * r * 0.9, y - cos * r * 0.9);
            c.line_to(x + sin * r * 1.6, y - cos * r * 1.6);
        }
        if copy {
            c.move_to(x + r * 1.55, y);
            // A radius is never negative, which is all that can be wrong here.
            let _ = c.arc(x, y, r * 1.55, 0.0, TAU);
        }
    }

    /// Adds the outline of one point to the current path.
    fn trace(&self, look: usize, x: f64, y: f64, r: f64) {
        let c = &self.context;
        match look {
            2..=4 => {
                c.move_to(x, y - r * 1.15);
                c.line_to(x + r * 1.15, y);
                c.line_to(x, y + r * 1.15);
                c.line_to(x - r * 1.15, y);
                c.close_path();
            }
            5 => c.rect(x - r, y - r, 2.0 * r, 2.0 * r),
            7..=9 | 16 => {
                c.move_to(x - r, y - r);
                c.line_to(x + r, y + r);
                c.move_to(x + r, y - r);
                c.line_to(x - r, y + r);
            }
            _ => {
                c.move_to(x + r, y);
                // A radius is never negative, which is all that can be wrong here.
                let _ = c.arc(x, y, r, 0.0, TAU);
            }
        }
    }
}

/// The radius below which marks on a rim cannot be read.
const SMALL: f64 = 3.7;

/// Whether a look is drawn as an outline.
fn hollow(look: usize) -> bool {
    matches!(look, 2 | 6..=9 | 13 | 16)
}

impl Paint for PlainPainter {
    fn paint(&mut self, points: &[f32], size: (f64, f64), density: f64, colours: &Colours) {
        let c = &self.context;
        // The matrix is invertible whenever the density is positive.
        let _ = c.set_transform(density, 0.0, 0.0, density, 0.0, 0.0);
        c.clear_rect(0.0, 0.0, size.0, size.1);
        c.set_line_width(1.5);
        // Crowds first, then messages over them.
        for look in (10..LOOKS).chain(0..10) {
            c.begin_path();
            let of_look = || points.chunks_exact(STRIDE).filter(|p| worn(p[3]).0 == look);
            let place = |p: &[f32]| (f64::from(p[0]), f64::from(p[1]), f64::from(p[2]) / 2.0);
            let mut marked = false;
            for p in of_look() {
                let (x, y, r) = place(p);
                self.trace(look, x, y, r);
                marked |= p[3] as usize != look && r >= SMALL;
            }
            let Some(colour) = colours.css.get(look) else { continue };
            if hollow(look) {
                c.set_stroke_style_str(colour);
                c.stroke();
            } else {
                c.set_fill_style_str(colour);
                c.fill();
            }
            if marked {
                c.begin_path();
                for p in of_look().filter(|p| p[2] / 2.0 >= SMALL as f32) {
                    let ((x, y, r), (_, ticks, copy)) = (place(p), worn(p[3]));
                    self.mark(x, y, r, ticks, copy);
                }
                c.set_stroke_style_str(colour);
                c.stroke();
            }
        }
    }
}
