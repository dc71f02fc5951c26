//! A button.

use crate::app::dom::view::View;
use crate::app::dom::{El, html};
use leptos::ev;

/// How much a button asks to be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// One among several.
    Plain,
    /// The one to press here.
    Main,
    /// Only its text, until pointed at.
    Quiet,
    /// Breaks something on purpose.
    Danger,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Look::Plain => "button",
            Look::Main => "button button-main",
            Look::Quiet => "button button-quiet",
            Look::Danger => "button button-danger",
        }
    }
}

/// A button that says something and does something.
pub fn Button(look: Look, says: impl Into<View>, press: impl Fn() + 'static) -> El {
    html("button")
        .attr("type", "button")
        .class(look.class())
        .on(ev::click, move |_| press())
        .child(says)
}
