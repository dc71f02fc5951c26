//! What is going on, in words: how people fare now, the last thing that happened, what is broken.

use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::panels::headline::headline;
use crate::app::state::Lab;
use crate::observe::line::Tone;
use leptos::prelude::*;

/// Sentences with numbers change every few ticks, so that they can be read.
const EVERY: u64 = 5;

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    }
}

/// The caption above the stage.
pub fn Caption() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pulse = Memo::new(move |_| {
        let tick = lab.slow_tick.get();
        (if lab.playing.get() { tick / EVERY } else { tick }, lab.playing.get())
    });
    let state = Memo::new(move |_| {
        // Reading it is what makes it follow its own sources.
        let _ = pulse.get();
        let said = lab.with_session(|s| headline(s.metrics()));
        (said.sentence, class(said.tone))
    });
    let last = Memo::new(move |_| {
        lab.slow_tick.track();
        let line = lab.with_session(|s| s.log(1)).pop();
        line.map(|l| (l.at, class(l.tone), l.text))
    });
    let faults = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| f.faults.iter().map(|f| f.sentence.clone()).collect::<Vec<_>>())
    });
    let sentence = move || {
        last.get().map(|(at, class, text)| {
            let whole = text.clone();
            html("p")
                .class(format!("said {class}"))
                .attr("title", whole)
                .child(html("time").child(format!("{:.1} s", at.as_secs())))
                .child(text)
        })
    };
    let chips = move || {
        let faults = faults.get();
        let more = faults.len().saturating_sub(2);
        let chip = |text: String| html("li").class("chip").child(text);
        let rest = (more > 0).then(|| chip(format!("and {more} more")));
        (faults.into_iter().take(2).map(chip).collect::<View>(), rest)
    };
    html("div")
        .class("caption")
        .child(
            html("div")
                .class("words")
                .child(
                    html("p")
                        .class(move || format!("fares {}", state.get().1))
                        .child(move || state.get().0),
                )
                .child(sentence),
        )
        .child(html("ul").class("chips").attr("aria-label", "What is broken").child(chips))
}
