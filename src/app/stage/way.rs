//! What is seen while the run is on its way to a far instant: where to, how far it is, and a way
//! to stop there.

use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::base::time::Time;
use leptos::ev;
use leptos::prelude::*;

/// A veil over the stage; a click on it stops where the run is.
pub fn Way() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let now = move || {
        lab.slow_tick.track();
        lab.with_session(|s| s.now())
    };
    let share = move || lab.going.get().map_or(0.0, |way| share(way, now()));
    let words = move || lab.going.get().map(|way| words(way.1, now()));
    let veil = move || {
        html("div").class("way").on(ev::click, move |_| lab.pause()).child(
            html("div")
                .class("way-card")
                .child(
                    html("p")
                        .attr("role", "progressbar")
                        .attr("aria-valuemin", "0")
                        .attr("aria-valuemax", "100")
                        .attr("aria-valuenow", move || format!("{:.0}", share() * 100.0))
                        .attr("aria-valuetext", move || words().unwrap_or_default())
                        .attr("aria-label", "On the way to an instant")
                        .child(words),
                )
                .child(
                    html("span")
                        .class("way-bar")
                        .attr("aria-hidden", "true")
                        .attr("style", move || format!("--share:{:.1}%", share() * 100.0)),
                )
                .child(
                    html("button")
                        .class("button")
                        .attr("title", "Stop where the run is (Esc)")
                        .child("Stop here"),
                ),
        )
    };
    show(move || lab.going.get().is_some(), veil)
}

/// How much of the way is gone, from 0 to 1.
fn share((from, to): (Time, Time), now: Time) -> f64 {
    let from = from.min(now);
    now.since(from).0 as f64 / to.since(from).0.max(1) as f64
}

fn words(to: Time, now: Time) -> String {
    let digits = if to.0.is_multiple_of(1_000_000) { 0 } else { 1 };
    format!("Going to {:.digits$} s: at {:.digits$} s", to.as_secs(), now.as_secs())
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn the_way_is_told_in_words_and_as_a_share() {
        let secs = |n: u64| Time(n * 1_000_000);
        assert_eq!(words(secs(60), Time(23_400_000)), "Going to 60 s: at 23 s");
        assert_eq!(words(Time(12_400_000), secs(3)), "Going to 12.4 s: at 3.0 s");
        assert!((share((secs(20), secs(60)), secs(30)) - 0.25).abs() < 1e-9);
        // A run that begins again on the way is further back than where the way began.
        assert!((share((secs(20), secs(60)), secs(15)) - 0.0).abs() < 1e-9);
        assert!((share((secs(20), secs(20)), secs(20)) - 0.0).abs() < 1e-9);
    }
}
