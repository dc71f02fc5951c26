//! Paints a chart on a canvas. Colours come from the style sheet by token, so themes need no code
//! here; lengths are CSS pixels.

use super::scale::{self, Scale};
use super::time_marks::Times;
use super::{Data, Form, Line, Stroke};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, CssStyleDeclaration, HtmlCanvasElement};

/// Room left of the drawing for the labels of values.
pub const LEFT: f64 = 40.0;
/// Room right of the drawing.
pub const RIGHT: f64 = 10.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 18.0;

/// A canvas made ready: sized to the screen's pixels, with its colours at hand.
pub struct Sheet {
    pub(super) pen: CanvasRenderingContext2d,
    style: CssStyleDeclaration,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Sheet {
    /// Makes the canvas ready; none while it is hidden or has no size.
    pub fn new(canvas: &HtmlCanvasElement) -> Option<Sheet> {
        let window = web_sys::window()?;
        let (width, height) = (canvas.client_width(), canvas.client_height());
        if width <= 0 || height <= 0 {
            return None;
        }
        let density = window.device_pixel_ratio().clamp(1.0, 4.0);
        let pixels = |length: i32| (f64::from(length) * density).round() as u32;
        if (canvas.width(), canvas.height()) != (pixels(width), pixels(height)) {
            canvas.set_width(pixels(width));
            canvas.set_height(pixels(height));
        }
        let pen = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
        let style = window.get_computed_style(canvas).ok()??;
        pen.set_transform(density, 0.0, 0.0, density, 0.0, 0.0).ok()?;
        let (width, height) = (f64::from(width), f64::from(height));
        pen.clear_rect(0.0, 0.0, width, height);
        Some(Sheet { pen, style, width, height })
    }

    /// Paints a chart.
    pub fn chart(&self, data: &Data, form: Form, times: &Times) {
        self.bands(times);
        match form {
            Form::Strips => self.strips(data, times),
            Form::Stack => self.stack(data, times),
            Form::Lines | Form::LogLines => self.lines(data, form, times),
        }
        self.time_axis(times);
        self.cursors(times);
    }

    pub(super) fn colour(&self, token: &str) -> String {
        self.style.get_property_value(token).unwrap_or_default()
    }

    pub(super) fn ink(&self, token: &str, opacity: f64) {
        let colour = self.colour(token);
        self.pen.set_fill_style_str(&colour);
        self.pen.set_stroke_style_str(&colour);
        self.pen.set_global_alpha(opacity);
    }

    pub(super) fn across(&self, part: f64) -> f64 {
        LEFT + part * (self.width - LEFT - RIGHT)
    }

    pub(super) fn up(&self, part: f64) -> f64 {
        self.height - BOTTOM - part * (self.height - TOP - BOTTOM)
    }

    pub(super) fn columns(&self) -> u32 {
        (self.width - LEFT - RIGHT).max(1.0) as u32
    }

    pub(super) fn text(&self, text: &str, x: f64, y: f64, align: &str, baseline: &str) {
        let family = self.style.get_property_value("font-family").unwrap_or_default();
        self.pen.set_font(&format!("10.5px {family}"));
        self.pen.set_text_align(align);
        self.pen.set_text_baseline(baseline);
        // Text that cannot be drawn leaves the chart readable by its table.
        let _ = self.pen.fill_text(text, x, y);
    }

    pub(super) fn dashes(&self, pattern: &[f64]) {
        let list: js_sys::Array = pattern.iter().copied().map(JsValue::from_f64).collect();
        // Lengths are never negative, so this is not refused.
        let _ = self.pen.set_line_dash(&list);
    }

    pub(super) fn segment(&self, x1: f64, y1: f64, x2: f64, y2: f64) {
        self.pen.begin_path();
        self.pen.move_to(x1, y1);
        self.pen.line_to(x2, y2);
        self.pen.stroke();
    }

    fn value_axis(&self, scale: Scale) {
        let about = ((self.height - TOP - BOTTOM) / 26.0).clamp(1.0, 5.0) as u32;
        self.pen.set_line_width(1.0);
        for tick in scale.ticks(about) {
            let y = self.up(tick.at).round() + 0.5;
            self.ink("--line", if tick.at > 0.0 { 0.7 } else { 1.0 });
            self.segment(LEFT, y, self.width - RIGHT, y);
            self.ink("--ink-soft", 1.0);
            self.text(&tick.label, LEFT - 5.0, y, "right", "middle");
        }
    }

    fn lines(&self, data: &Data, form: Form, times: &Times) {
        let known = || data.lines.iter().flat_map(|l| l.values.iter().copied().map(f64::from));
        let highest = known().fold(f64::NAN, f64::max);
        let scale = if form == Form::LogLines {
            Scale::log(known().filter(|v| *v > 0.0).fold(f64::NAN, f64::min), highest)
        } else {
            Scale::linear(highest)
        };
        self.value_axis(scale);
        let span = bins(times, data);
        // The first line is the one the chart is about, so it comes last, on top.
        for line in data.lines.iter().rev() {
            self.line(line, scale, span);
        }
    }

    fn line(&self, line: &Line, scale: Scale, span: f64) {
        let (pattern, width) = line.stroke.pattern();
        for stroke in scale::strokes(&line.values, span, self.columns()) {
            let trace = || {
                self.pen.begin_path();
                for (n, column) in stroke.iter().enumerate() {
                    let x = self.across(column.at);
                    let (low, high) = (self.up(scale.place(column.low)), scale.place(column.high));
                    if n == 0 {
                        self.pen.move_to(x, low);
                    } else {
                        self.pen.line_to(x, low);
                    }
                    self.pen.line_to(x, self.up(high));
                }
            };
            if let (Stroke::Area, Some(first), Some(last)) =
                (line.stroke, stroke.first(), stroke.last())
            {
                trace();
                self.pen.line_to(self.across(last.at), self.up(0.0));
                self.pen.line_to(self.across(first.at), self.up(0.0));
                self.ink(line.colour, 0.18);
                self.pen.fill();
            }
            trace();
            self.ink(line.colour, 1.0);
            self.pen.set_line_width(width);
            self.pen.set_line_join("round");
            self.dashes(pattern);
            self.pen.stroke();
            self.dashes(&[]);
        }
    }

    fn stack(&self, data: &Data, times: &Times) {
        let lists: Vec<&[f32]> = data.lines.iter().map(|l| l.values.as_slice()).collect();
        let layers = scale::stacked(&lists);
        let highest =
            layers.last().into_iter().flatten().copied().map(f64::from).fold(f64::NAN, f64::max);
        let scale = Scale::linear(highest);
        self.value_axis(scale);
        let span = bins(times, data);
        // From the top layer down: each covers what is below it.
        for (line, layer) in data.lines.iter().zip(&layers).rev() {
            for stroke in scale::strokes(layer, span, self.columns()) {
                let (Some(first), Some(last)) = (stroke.first(), stroke.last()) else { continue };
                self.pen.begin_path();
                self.pen.move_to(self.across(first.at), self.up(0.0));
                for column in &stroke {
                    self.pen.line_to(self.across(column.at), self.up(scale.place(column.high)));
                }
                self.pen.line_to(self.across(last.at), self.up(0.0));
                self.pen.close_path();
                self.ink("--panel", 1.0);
                self.pen.fill();
                self.ink(line.colour, 0.85);
                self.pen.fill();
                self.ink("--panel", 1.0);
                self.pen.set_line_width(1.0);
                self.pen.stroke();
            }
        }
    }

    /// States over time: a thin line is closed, a full block open, a half block half-open.
    fn strips(&self, data: &Data, times: &Times) {
        let row = (self.height - TOP - BOTTOM) / data.lines.len().max(1) as f64;
        let span = bins(times, data);
        for (n, line) in data.lines.iter().enumerate() {
            let (top, thick) = (TOP + row * n as f64, (row - 8.0).clamp(4.0, 22.0));
            let middle = top + row / 2.0;
            let mut from = 0;
            for run in line.values.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
                let (left, right) = (
                    self.across((from as f64 / span).min(1.0)),
                    self.across(((from + run.len()) as f64 / span).min(1.0)),
                );
                let (token, height) = match run.first().map_or(0, |v| *v as u8) {
                    1 => ("--bad", thick),
                    2 => ("--warn", thick / 2.0),
                    _ => ("--ok", 2.0),
                };
                self.ink(token, 1.0);
                self.pen.fill_rect(left, middle - height / 2.0, right - left, height);
                from += run.len();
            }
        }
        self.ink("--line", 1.0);
        self.segment(LEFT, self.up(0.0), self.width - RIGHT, self.up(0.0));
    }
}

/// How many bins the drawing is wide.
fn bins(times: &Times, data: &Data) -> f64 {
    times.end / data.bin.as_secs().max(1e-6)
}
