//! Small pieces several panels share: an instant to go to, the mark of a tone, rows of facts.

use crate::app::dom::view::View;
use crate::app::dom::{El, html};
use crate::app::state::Lab;
use crate::app::views::scale;
use crate::base::time::Time;
use crate::observe::line::{Line, Tone};
use leptos::ev;
use leptos::prelude::*;

/// Ticks twice a second while time passes, and at once when something was done: numbers and
/// sentences that change faster cannot be read. Read it, not only track it: a memo that nobody has
/// read follows nothing.
pub fn reading_pace(lab: Lab) -> Memo<(u64, bool)> {
    const EVERY: u64 = 5;
    Memo::new(move |_| {
        let (tick, playing) = (lab.slow_tick.get(), lab.playing.get());
        (if playing { tick / EVERY } else { tick }, playing)
    })
}

/// A part of the page beside the charts, with its title and what there is to say of it.
pub fn Framed(
    // For those who do not see it.
    label: String,
    title: String,
    says: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> El {
    let says = html("p").class("replicas-says").child(says);
    html("section")
        .class("replicas")
        .attr("aria-label", label)
        .child(html("header").child(html("h3").child(title)).child(says))
}

/// A fact of more letters stands below its name, not beside it.
const LONG: usize = 26;

/// An instant as a button that goes there.
pub fn Instant(
    // When.
    at: Time,
) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let said = scale::instant(at.as_secs());
    html("button")
        .attr("type", "button")
        .class("instant")
        .attr("title", format!("Go to {said}"))
        .on(ev::click, move |_| {
            lab.pause();
            lab.seek(at);
        })
        .child(said.clone())
}

/// How an event is to be taken, as a shape, a colour and a word.
pub fn ToneMark(
    // How.
    tone: Tone,
) -> impl Into<View> {
    let (class, shape, word) = match tone {
        Tone::Plain => ("tone tone-plain", "●", ""),
        Tone::Good => ("tone tone-ok", "✓", "good: "),
        Tone::Warning => ("tone tone-warn", "▲", "warning: "),
        Tone::Bad => ("tone tone-bad", "✕", "bad: "),
    };
    html("span")
        .class(class)
        .child(html("span").attr("aria-hidden", "true").child(shape))
        .child(html("span").class("unseen").child(word))
}

/// An event: when, how, what.
pub fn EventLine(
    // The event.
    line: Line,
) -> impl Into<View> {
    html("li")
        .class("event")
        .child(Instant(line.at))
        .child(ToneMark(line.tone))
        .child(html("span").class("event-text").child(line.text))
}

/// Facts, each with its name.
pub fn Rows(
    // Names and facts.
    rows: Signal<Vec<(String, String)>>,
) -> impl Into<View> {
    let row = |(name, fact): (String, String)| {
        let long = fact.chars().count() > LONG;
        html("div")
            .class_when("rows-long", long)
            .child(html("dt").child(name))
            .child(html("dd").child(fact))
    };
    html("dl").class("rows").child(move || rows.get().into_iter().map(row).collect::<View>())
}
