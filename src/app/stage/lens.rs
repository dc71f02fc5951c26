//! What part of the stage is seen: all of it, or a part that is enlarged. Plain arithmetic.

use super::geometry::Point;
use super::points::STRIDE;
use super::room::{is_upright, turn};
use crate::scenario::link::MOST_ZOOM;

/// How much one press of a key or button enlarges.
pub const STEP: f64 = 1.4;
/// A part that is hardly smaller than the whole is the whole.
const WHOLE: f64 = 1.01;

/// The part of the stage that is seen, whatever the size of the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    /// Its middle in the unit square, as a wide stage has it.
    pub middle: Point,
    /// How much larger than the whole it is, from 1.
    pub zoom: f64,
}

impl Default for Lens {
    fn default() -> Lens {
        Lens { middle: (0.5, 0.5), zoom: 1.0 }
    }
}

impl Lens {
    /// What a link says.
    pub fn of(view: Option<(f64, f64, f64)>) -> Lens {
        view.map_or(Lens::default(), |(x, y, zoom)| Lens { middle: (x, y), zoom }.kept())
    }

    /// The same for a link, in short numbers; none for all of the stage.
    pub fn view(self) -> Option<(f64, f64, f64)> {
        let short = |number: f64, parts: f64| (number * parts).round() / parts;
        let (x, y) = self.middle;
        self.is_part().then(|| (short(x, 1e3), short(y, 1e3), short(self.zoom, 1e2)))
    }

    /// Whether something of the stage is not seen.
    pub fn is_part(self) -> bool {
        self.zoom > WHOLE
    }

    /// So many times larger, around the same middle.
    pub fn enlarged(self, factor: f64) -> Lens {
        Lens { zoom: self.zoom * factor, ..self }.kept()
    }

    /// Nothing is seen but the stage.
    fn kept(self) -> Lens {
        let zoom = self.zoom.clamp(1.0, MOST_ZOOM);
        let zoom = if zoom > WHOLE { zoom } else { 1.0 };
        let half = 0.5 / zoom;
        let keep = |at: f64| at.clamp(half, 1.0 - half);
        Lens { middle: (keep(self.middle.0), keep(self.middle.1)), zoom }
    }
}

/// The same on a stage of some size, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Size of the stage.
    pub size: Point,
    corner: Point,
    /// How much larger than the stage things are seen.
    pub zoom: f64,
}

impl Window {
    /// What a lens shows.
    pub fn new(lens: Lens, size: Point) -> Window {
        let (x, y) = turn(lens.middle, is_upright(size));
        let half = 0.5 / lens.zoom;
        Window { size, corner: ((x - half) * size.0, (y - half) * size.1), zoom: lens.zoom }
    }

    /// Where a point of the stage is seen.
    pub fn seen(&self, (x, y): Point) -> Point {
        ((x - self.corner.0) * self.zoom, (y - self.corner.1) * self.zoom)
    }

    /// The point of the stage that is seen there.
    pub fn meant(&self, (x, y): Point) -> Point {
        (x / self.zoom + self.corner.0, y / self.zoom + self.corner.1)
    }

    /// Whether a point of the stage is seen.
    pub fn shows(&self, at: Point) -> bool {
        let (x, y) = self.seen(at);
        (0.0..=self.size.0).contains(&x) && (0.0..=self.size.1).contains(&y)
    }

    /// The part for an SVG.
    pub fn view_box(&self) -> String {
        let ((x, y), (width, height)) = (self.corner, self.size);
        format!("{x:.2} {y:.2} {:.2} {:.2}", width / self.zoom, height / self.zoom)
    }

    /// Puts points of the stage where they are seen.
    pub fn magnify(&self, points: &mut [f32]) {
        let (x, y, zoom) = (self.corner.0 as f32, self.corner.1 as f32, self.zoom as f32);
        for point in points.chunks_exact_mut(STRIDE) {
            point[0] = (point[0] - x) * zoom;
            point[1] = (point[1] - y) * zoom;
            point[2] *= zoom;
        }
    }

    /// So many times larger, and what is seen at `from` is seen at `to`.
    pub fn held(&self, from: Point, to: Point, factor: f64) -> Lens {
        let zoom = (self.zoom * factor).clamp(1.0, MOST_ZOOM);
        let (x, y) = self.meant(from);
        let middle = |at: f64, to: f64, size: f64| (at - (to - size / 2.0) / zoom) / size;
        let middle = (middle(x, to.0, self.size.0), middle(y, to.1, self.size.1));
        Lens { middle: turn(middle, is_upright(self.size)), zoom }.kept()
    }

    /// With a point of the stage in its middle.
    pub fn around(&self, at: Point) -> Lens {
        self.held(self.seen(at), (self.size.0 / 2.0, self.size.1 / 2.0), 1.0)
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::app::stage::geometry::{length, sub};

    const WIDE: Point = (900.0, 500.0);

    fn window(view: (f64, f64, f64), size: Point) -> Window {
        Window::new(Lens::of(Some(view)), size)
    }

    #[wasm_bindgen_test]
    fn what_is_under_the_pointer_stays_there() {
        let window = window((0.5, 0.5, 2.0), WIDE);
        let at = (300.0, 200.0);
        let meant = window.meant(at);
        let larger = Window::new(window.held(at, at, 1.5), WIDE);
        assert!((larger.zoom - 3.0).abs() < 1e-9);
        assert!(length(sub(larger.seen(meant), at)) < 1e-6);
        let dragged = Window::new(window.held(at, (330.0, 180.0), 1.0), WIDE);
        assert!(length(sub(dragged.seen(meant), (330.0, 180.0))) < 1e-6);
        let mut point = [meant.0 as f32, meant.1 as f32, 10.0, 0.0, 1.0];
        window.magnify(&mut point);
        assert!((point[0] - 300.0).abs() < 1e-3 && (point[2] - 20.0).abs() < 1e-6);
    }

    #[wasm_bindgen_test]
    fn nothing_beside_the_stage_is_seen() {
        for view in [(0.0, 1.0, 3.0), (1.0, 0.0, 1.0), (0.5, 0.5, 1_000.0), (-9.0, 9.0, 0.1)] {
            let window = window(view, WIDE);
            let (first, last) = (window.meant((0.0, 0.0)), window.meant(WIDE));
            assert!(first.0 > -1e-6 && first.1 > -1e-6, "{view:?} {first:?}");
            assert!(last.0 < 900.0 + 1e-6 && last.1 < 500.0 + 1e-6, "{view:?} {last:?}");
        }
        let whole = window((0.1, 0.9, 1.005), WIDE);
        assert_eq!(whole.view_box(), "0.00 0.00 900.00 500.00");
    }

    #[wasm_bindgen_test]
    fn a_link_shows_the_same_part_of_a_stage_on_its_side() {
        let (wide, tall) = (window((0.8, 0.3, 4.0), WIDE), window((0.8, 0.3, 4.0), (400.0, 700.0)));
        assert!(wide.shows((0.8 * 900.0, 0.3 * 500.0)));
        assert!(tall.shows((0.3 * 400.0, 0.8 * 700.0)) && !tall.shows((0.8 * 400.0, 0.3 * 700.0)));
        let again = tall.around((120.0, 560.0)).view();
        assert_eq!(again, Some((0.8, 0.3, 4.0)));
        assert_eq!(Lens::default().view(), None);
        assert_eq!(Lens::default().enlarged(1.0 / STEP), Lens::default());
    }
}
