//! What the shapes and colours mean. The shapes are those of the shader, in SVG.

use crate::app::dom::view::{IntoView, View};
use crate::app::dom::{html, svg};

/// A shape on a 14 by 14 grid around the origin: the class gives its colour.
fn shape(name: &str) -> View {
    let diamond = "M0-5.6 5.600 0 0 5.600-5.600 0z";
    match name {
        "retry" => (
            svg("path").class("cross").attr("d", "M0-4V-6.800M0 4V6.800"),
            svg("circle").class("line").attr("r", "4"),
            svg("circle").class("solid").attr("r", "1.9"),
        )
            .into_view(),
        "copy" => (
            svg("circle").class("line").attr("r", "6"),
            svg("circle").class("solid").attr("r", "3.4"),
        )
            .into_view(),
        "full" => (
            svg("circle").class("solid").attr("r", "6"),
            svg("path").class("mark").attr("d", "M0-3.400V.8M0 2.200V3.600"),
        )
            .into_view(),
        "open" => svg("path").class("cross").attr("d", "M-6 2H-3L2-4M3 2H6").into_view(),
        "half" => svg("path").class("cross").attr("d", "M-6 2H-3L3 0M3 2H6").into_view(),
        "traffic" => svg("path").class("solid").attr("d", "M-7-1 7-4.500V4.500L-7 1z").into_view(),
        "reply" => svg("path").class("line").attr("d", diamond).into_view(),
        "error" => (
            svg("path").class("solid").attr("d", diamond),
            svg("path")
                .class("mark")
                .attr("d", "M-1.800-1.800 1.800 1.800M1.800-1.800-1.800 1.800"),
        )
            .into_view(),
        "degraded" | "client-degraded" => (
            svg("path").class("line").attr("d", diamond),
            svg("path").class("solid").attr("d", "M0-5.600V5.600L-5.600 0z"),
        )
            .into_view(),
        "orphan" | "client-backing-off" => svg("circle").class("line").attr("r", "4.2").into_view(),
        "lost" | "client-failed" => {
            svg("path").class("cross").attr("d", "M-4-4 4 4M4-4-4 4").into_view()
        }
        "cut" => (
            svg("circle").class("line").attr("r", "5.2"),
            svg("path")
                .class("cross")
                .attr("d", "M-2.600-2.600 2.600 2.600M2.600-2.600-2.600 2.600"),
        )
            .into_view(),
        "refused" => (
            svg("path").class("line").attr("d", "M-5-5H5V5H-5z"),
            svg("path")
                .class("cross")
                .attr("d", "M-2.800-2.800 2.800 2.800M2.800-2.800-2.800 2.800"),
        )
            .into_view(),
        "probe" => svg("path").class("solid").attr("d", "M-3-3H3V3H-3z").into_view(),
        _ => svg("circle").class("solid").attr("r", "4.6").into_view(),
    }
}

/// Messages, then clients, then the rest: class, word, meaning.
const MESSAGES: [(&str, &str, &str); 11] = [
    ("request", "request", "a first attempt"),
    ("retry", "retry", "a later attempt: as many ticks as attempts, four for more"),
    ("copy", "copy", "the network made it, of a message that was sent once"),
    ("reply", "reply", "it worked"),
    ("degraded", "degraded", "it worked, with something missing"),
    ("error", "error", "it did not work"),
    ("orphan", "unwanted", "nobody waits for it any more"),
    ("probe", "health check", "a question whether somebody is well"),
    ("lost", "lost", "it was lost on its way"),
    ("cut", "link cut", "it came to where the link is cut"),
    ("refused", "nobody there", "who it was for is down, or there is no way there"),
];
const CLIENTS: [(&str, &str, &str); 4] = [
    ("client-waiting", "waiting", "a client waiting for its first answer"),
    ("client-backing-off", "backing off", "a client waiting before it tries again"),
    ("client-served", "served", "a client whose last request ended well"),
    ("client-failed", "failed", "a client whose last request failed"),
];
const SYSTEM: [(&str, &str, &str); 4] = [
    ("full", "queue full", "what comes now is turned away"),
    ("open", "breaker open", "no calls go there until it tries again"),
    ("half", "breaker trying", "half-open: a few calls go there as probes"),
    ("traffic", "traffic", "a road is as wide as many messages take it"),
];

/// The legend.
pub fn Legend() -> impl Into<View> {
    let entry = |(class, word, meaning): (&'static str, &'static str, &'static str)| {
        html("li")
            .attr("title", meaning)
            .child(
                svg("svg")
                    .class(format!("key {class}"))
                    .attr("viewBox", "-7 -7 14 14")
                    .attr("aria-hidden", "true")
                    .child(shape(class)),
            )
            .child(word)
    };
    html("details")
        .class("legend")
        .attr("open", true)
        .child(html("summary").child("Legend"))
        .child(html("ul").attr("aria-label", "Messages").child(MESSAGES.map(entry)))
        .child(html("ul").attr("aria-label", "Clients").child(CLIENTS.map(entry)))
        .child(html("ul").attr("aria-label", "Nodes and links").child(SYSTEM.map(entry)))
}
