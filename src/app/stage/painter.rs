//! What paints points on the canvas, and the colours it takes from the page.

use super::gl::GlPainter;
use super::plain::PlainPainter;
use super::points::{COLOURS, LOOKS};
use web_sys::{CssStyleDeclaration, HtmlCanvasElement};

/// Puts points on a canvas.
pub trait Paint {
    /// Replaces what is on the canvas. `density` is device pixels per pixel.
    fn paint(&mut self, points: &[f32], size: (f64, f64), density: f64, colours: &Colours);
}

/// The best painter this browser has: WebGL2, else canvas 2D, else none.
pub fn painter(canvas: &HtmlCanvasElement) -> Option<Box<dyn Paint>> {
    if let Some(gl) = GlPainter::new(canvas) {
        return Some(Box::new(gl));
    }
    Some(Box::new(PlainPainter::new(canvas)?))
}

/// Colours as the page's tokens have them, red green blue from 0 to 1.
#[derive(Clone, Debug, Default)]
pub struct Colours {
    /// One for each look.
    pub looks: Vec<f32>,
    /// The same as the page writes them.
    pub css: Vec<String>,
    /// The colour under everything.
    pub paper: [f32; 3],
}

impl Colours {
    /// Reads the tokens in force on an element.
    pub fn read(style: &CssStyleDeclaration) -> Colours {
        let text = |name: &str| style.get_property_value(name).unwrap_or_default();
        let css: Vec<String> = COLOURS.iter().map(|name| text(name).trim().to_owned()).collect();
        let mut looks = Vec::with_capacity(LOOKS * 3);
        for colour in &css {
            looks.extend(parse(colour).unwrap_or([0.5; 3]));
        }
        Colours { looks, css, paper: parse(text("--stage").trim()).unwrap_or([1.0; 3]) }
    }
}

/// Reads `#rrggbb`.
fn parse(text: &str) -> Option<[f32; 3]> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii())?;
    let part = |n: usize| {
        u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).ok().map(|v| f32::from(v) / 255.0)
    };
    Some([part(0)?, part(1)?, part(2)?])
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn colours_are_read_as_written() {
        assert_eq!(parse(concat!("#", "ff", "0080")), Some([1.0, 0.0, 128.0 / 255.0]));
        assert_eq!(parse("red"), None);
        assert_eq!(parse("#12é45"), None);
    }
}
