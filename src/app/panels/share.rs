//! The dialog that gives a run away: a link to this very instant, or the code that puts it into
//! another page. Nothing is sent anywhere; the link holds everything.

use super::share_embed::Embed;
use crate::app::address;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::file;
use crate::app::state::Lab;
use crate::app::views::scale;
use crate::app::widgets::button::{Button, Look};
use crate::app::widgets::clipboard::{Copied, copy};
use crate::app::widgets::dialog::Dialog;
use crate::app::widgets::toggle::Toggle;
use crate::base::time::Time;
use leptos::ev;
use leptos::html;
use leptos::prelude::*;

/// Links up to this length survive everywhere.
const FINE: usize = 2_000;
/// Links beyond this length are cut off by many programs.
const LONG: usize = 8_000;

const ABOUT: &str = "The link holds the settings, the seed, and what you did and when. Whoever \
    opens it sees the same run, message for message. Nothing is sent anywhere.";

const FILE: &str = "A file holds the scenario as it is set now, for `netsplit run FILE` or to open \
    here again: by the button, or dropped on the page. What you did by hand is only in the link.";

/// The share dialog; open while [`Lab::sharing`].
pub fn Share() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    Dialog("Share this run", lab.sharing, Content)
}

/// A link and what it is of: the fragment, the instant, and how often the run had been changed.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    fragment: String,
    at: Time,
    changes: u64,
}

fn make(lab: Lab, instant: bool) -> Made {
    let changes = lab.opened.get_untracked();
    let fragment = address::fragment_with(lab, instant);
    Made { fragment, at: lab.with_session(|s| s.now()), changes }
}

fn Content() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let instant = RwSignal::new(true);
    let made = RwSignal::new(make(lab, true));
    let renew = move || made.set(make(lab, instant.get_untracked()));
    let address = Memo::new(move |_| made.with(|m| page_address(lab, &[], &m.fragment)));
    let stale = Memo::new(move |_| {
        lab.slow_tick.track();
        let now = lab.with_session(|s| s.now());
        made.with(|m| m.changes != lab.opened.get() || (instant.get() && m.at != now))
    });
    let toggle = move |on| {
        instant.set(on);
        renew();
    };
    let again = move || {
        html("p")
            .class("share-stale")
            .attr("role", "status")
            .child(html("span").class("tone tone-warn").attr("aria-hidden", "true").child("▲"))
            .child("The run has moved on since this link was made.")
            .child(Button(Look::Plain, "Make a new link", renew))
    };
    let open_at = move || format!("Open at {}", scale::clock(made.with(|m| m.at.as_secs())));
    (
        html("p").class("share-about").child(ABOUT),
        Toggle(open_at, instant, toggle),
        CopyBox("Link", address, 3),
        Meter(address),
        show(move || stale.get(), again),
        Embed(Signal::derive(move || made.with(|m| m.fragment.clone()))),
        AsFile(),
    )
}

/// The scenario as a file: to keep, to edit, for the command line.
fn AsFile() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let said = RwSignal::new("");
    let press = move || {
        said.set(if file::save(lab) { "✓ Saved." } else { "The browser refused to save it." });
    };
    html("section")
        .class("share-file")
        .attr("aria-label", "File")
        .child(html("p").class("share-about").child(FILE))
        .child(
            html("div")
                .class("copy-row")
                .child(Button(Look::Plain, "Save as file", press))
                .child(file::Opener(move || lab.sharing.set(false)))
                .child(html("span").attr("role", "status").child(said)),
        )
}

/// A text to copy, with what became of copying it.
pub fn CopyBox(name: &'static str, text: Memo<String>, rows: u32) -> impl Into<View> {
    let area = NodeRef::<html::Textarea>::new();
    let said = RwSignal::new(String::new());
    Effect::new(move |_| {
        text.track();
        said.set(String::new());
    });
    let press = move || {
        let Some(area) = area.get() else { return };
        copy(area, move |how| {
            said.try_set(match how {
                Copied::Yes => "✓ Copied.".to_owned(),
                Copied::Refused => {
                    "The browser refused. The text is selected: copy it by keyboard.".to_owned()
                }
            });
        });
    };
    html("div")
        .class("copy")
        .child(
            html("textarea")
                .found_by(area)
                .class("copy-text")
                .attr("aria-label", name)
                .attr("rows", rows)
                .attr("readonly", true)
                .attr("spellcheck", "false")
                .value(text)
                .on(ev::focus, move |_| {
                    if let Some(area) = area.get() {
                        area.select()
                    }
                }),
        )
        .child(
            html("div")
                .class("copy-row")
                .child(Button(Look::Main, ("Copy ", name.to_lowercase()), press))
                .child(html("span").attr("role", "status").child(said)),
        )
}

/// Whether the link is short enough for where links go.
fn Meter(address: Memo<String>) -> impl Into<View> {
    let length = move || address.with(String::len);
    let grade = move || match length() {
        n if n <= FINE => ("meter meter-ok", "✓ works everywhere"),
        n if n <= LONG => ("meter meter-warn", "▲ too long for some chat programs"),
        _ => ("meter meter-bad", "✕ likely to be cut off; save it to a file instead"),
    };
    let part = move || (length() as f64 / LONG as f64 * 100.0).min(100.0);
    html("div")
        .class(move || grade().0)
        .child(
            html("span")
                .class("meter-bar")
                .attr("aria-hidden", "true")
                .child(html("span").attr("style", move || format!("width: {:.1}%", part()))),
        )
        .child(html("span").child(move || format!("{} characters, {}", length(), grade().1)))
}

/// The address of this run with more to say in the query.
pub fn page_address(lab: Lab, more: &[String], fragment: &str) -> String {
    let origin = window().location().origin().unwrap_or_default();
    let base = lab.preset.get().map_or_else(address::home, |id| address::of_preset(&id));
    let mut address = format!("{origin}{base}");
    for pair in more {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(pair);
    }
    format!("{address}#{fragment}")
}
