//! The tools at hand: what a click on the stage does.

use crate::app::icon::icon;
use crate::app::state::{Lab, Tool};
use crate::session::command::Command;
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
#[component]
pub fn Tools() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let broken = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| {
            !f.sides.is_empty() || f.links.iter().any(|l| l.cut || l.slow.0 > 0 || l.loss_ppm > 0)
        })
    });
    let tool =
        move |(tool, symbol, name, key): (Tool, &'static str, &'static str, &'static str)| {
            view! {
                <button
                    class="tool"
                    title=format!("{name} ({key})")
                    aria-label=name
                    aria-pressed=move || (lab.tool.get() == tool).to_string()
                    on:click=move |_| {
                        let same = lab.tool.get_untracked() == tool;
                        lab.tool.set(if same { Tool::Select } else { tool });
                    }
                >
                    {icon(symbol)}
                </button>
            }
        };
    view! {
        <div class="tools" role="toolbar" aria-label="Tools" aria-orientation="vertical">
            {TOOLS.map(tool).collect_view()}
            <button
                class="tool heal"
                title="Heal every link"
                aria-label="Heal every link"
                prop:disabled=move || !broken.get()
                on:click=move |_| {
                    lab.command(Command::HealAll);
                }
            >
                {icon("heal")}
            </button>
        </div>
    }
}
