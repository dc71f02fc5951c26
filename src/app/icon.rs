//! Icons: strokes on a 16 by 16 grid, in the colour of the text around them.

use crate::app::dom::svg;
use crate::app::dom::view::{IntoView, View};

/// The path of an icon by name.
fn path(name: &str) -> &'static str {
    match name {
        "play" => "M5 3.2v9.6L12.6 8z",
        "pause" => "M5.2 3v10M10.8 3v10",
        "step" => "M4 3.2v9.6L10.6 8zM12.6 3v10",
        "back" => "M12 3.2v9.6L5.4 8zM3.4 3v10",
        "start" => "M12.5 3.5 8 8l4.5 4.5M8 3.5 3.5 8 8 12.5",
        "undo" => "M5.5 3 2.5 6l3 3M2.5 6h7a3.7 3.7 0 0 1 0 7.4H6",
        "redo" => "m10.5 3 3 3-3 3M13.5 6h-7a3.7 3.7 0 0 0 0 7.4H10",
        "select" => "M4 2.5v10l2.7-2.6 1.9 4 1.8-.9-1.9-3.8h3.7z",
        "cut" => {
            "M4 5.8a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8zm0 8.2a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8zM5.6 5 14 11.8M5.6 11 14 4.2"
        }
        "heal" => {
            "M6.5 9.5 9.5 6.5M7 4.6l1.8-1.8a3 3 0 0 1 4.4 4.3L11.4 9M4.6 7 2.8 8.8a3 3 0 0 0 4.3 4.4L9 11.4"
        }
        "oneway" => "M2 8h7M6.2 5 9.2 8l-3 3M12.5 3.5v9",
        "slow" => "M8 14A5.6 5.6 0 1 0 8 2.8 5.6 5.6 0 0 0 8 14zM8 5.4v3l2.2 1.4",
        "quick" => "M9 2 4 9h3.6L7 14l5-7H8.4z",
        "lossy" => "M2 8h2M6.2 8h1.4M11.8 8H14M8.7 6.6l2.4 2.8M11.1 6.6 8.7 9.4",
        "partition" => "M8 1.5 6.4 4l3 2.2L6.6 9l2.8 2L8 14.5M2.5 4.5v7M13.5 4.5v7",
        "crash" => "M4 4l8 8M12 4l-8 8",
        "restart" => "M13 8a5 5 0 1 1-1.6-3.7M13 2.4v3h-3",
        "surge" => "M2 12.5h2.6V9H7v3.5M7 9V6h2.6v6.5M9.6 6V3h2.6v9.5H14",
        "share" => "M8 10V2.2M5 4.8 8 2l3 2.8M3.5 8v5.5h9V8",
        "sun" => {
            "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.4v1.5M8 13.1v1.5M1.4 8h1.5M13.1 8h1.5M3.3 3.3l1.1 1.1M11.6 11.6l1.1 1.1M12.7 3.3l-1.1 1.1M4.4 11.6l-1.1 1.1"
        }
        "moon" => "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z",
        "auto" => {
            "M8 13.6A5.6 5.6 0 1 0 8 2.4a5.6 5.6 0 0 0 0 11.2zM8 2.4v11.2M10 3.2v9.6M12 4.4v7.2"
        }
        "calm" => {
            "M2 6c1.5-1.6 3-1.6 4 0s2.500 1.600 4 0 2.500-1.600 4 0M2 10.500c1.500-1.600 3-1.600 4 0s2.500 1.600 4 0 2.500-1.600 4 0"
        }
        "help" => "M5.6 6a2.4 2.4 0 1 1 3.5 2.100c-.8.5-1.100.9-1.100 1.700M8 12.400v.2",
        "close" => "M4 4l8 8M12 4l-8 8",
        "open" => "M9.500 2.500h4v4M13.500 2.500 7.500 8.500M11.500 9v4h-9v-9h4",
        "list" => "M5.500 4h8M5.500 8h8M5.500 12h8M2.500 4h.2M2.500 8h.2M2.500 12h.2",
        "home" => "M2.500 7.500 8 2.800l5.500 4.700M4 6.500v7h8v-7",
        _ => "M8 8h.1",
    }
}

/// An icon. It is decoration: the control it is in has a name of its own.
pub fn icon(name: &'static str) -> View {
    let filled = matches!(name, "play" | "step" | "back" | "quick");
    svg("svg")
        .class("icon")
        .class_when("filled", filled)
        .attr("viewBox", "0 0 16 16")
        .attr("aria-hidden", "true")
        .child(svg("path").attr("d", path(name)))
        .into_view()
}
