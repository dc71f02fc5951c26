//! What is seen while the run is on its way to a far instant: where to, how far it is, and a way
//! to stop there.

use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use leptos::ev;
use leptos::prelude::*;

/// A veil over the stage; a click on it stops where the run is.
pub fn Way() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let now = move || {
        lab.slow_tick.track();
        lab.with_session(|s| s.now()).as_secs()
    };
    let share = move || lab.going.get().map_or(0.0, |to| (now() / to).clamp(0.0, 1.0));
    let words = move || lab.going.get().map(|to| words(to, now()));
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

/// Where it goes to, in seconds; as far as need be for the next event.
pub fn aim(to: f64) -> String {
    if to.is_infinite() {
        return "Looking for the next event".to_owned();
    }
    format!("Going to {to:.*} s", digits(to))
}

fn digits(to: f64) -> usize {
    usize::from(to.is_infinite() || to.fract() > 0.0)
}

fn words(to: f64, now: f64) -> String {
    format!("{}: at {now:.*} s", aim(to), digits(to))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn the_way_is_told_in_words() {
        assert_eq!(words(60.0, 23.4), "Going to 60 s: at 23 s");
        assert_eq!(words(12.4, 3.0), "Going to 12.4 s: at 3.0 s");
        assert_eq!(words(f64::INFINITY, 3.0), "Looking for the next event: at 3.0 s");
    }
}
