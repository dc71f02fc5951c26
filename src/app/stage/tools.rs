//! The tools at hand: what a click on the stage does.

use super::hand::Zoom;
use crate::app::chrome;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::icon::icon;
use crate::app::state::{Lab, Tool};
use crate::session::Session;
use crate::session::command::Command;
use leptos::ev;
use leptos::prelude::*;

/// Each tool with its icon, name and key.
const TOOLS: [(Tool, &str, &str, &str); 5] = [
    (Tool::Select, "select", "Select", "V"),
    (Tool::Cut, "cut", "Cut a link", "C"),
    (Tool::Slow, "slow", "Slow down", "G"),
    (Tool::Partition, "partition", "Tear in two", "P"),
    (Tool::Crash, "crash", "Crash", "X"),
];

/// The tools, and a way to repair everything.
pub fn Tools() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let tool =
        move |(tool, symbol, name, key): (Tool, &'static str, &'static str, &'static str)| {
            html("button")
                .class("tool")
                .attr("title", format!("{name} ({key})"))
                .attr("aria-label", name)
                .attr("aria-pressed", move || (lab.tool.get() == tool).to_string())
                .on(ev::click, move |_| {
                    let same = lab.tool.get_untracked() == tool;
                    lab.tool.set(if same { Tool::Select } else { tool });
                })
                .child(icon(symbol))
        };
    html("div")
        .class("tools")
        .attr("role", "toolbar")
        .attr("aria-label", "Tools")
        .attr("aria-orientation", "vertical")
        .child(chrome::may_break().then(|| (TOOLS.map(tool), Heal(lab))))
        .child(Zoom())
}

/// Mends everything.
fn Heal(lab: Lab) -> impl Into<View> {
    let broken = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_session(Session::is_broken)
    });
    html("button")
        .class("tool heal")
        .attr("title", "Heal everything: links and nodes")
        .attr("aria-label", "Heal everything")
        .attr("disabled", move || !broken.get())
        .on(ev::click, move |_| {
            lab.command(Command::HealAll);
        })
        .child(icon("heal"))
}
