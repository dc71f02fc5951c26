//! Time: play, pause, step, speed, and the bar on which the whole run lies.

use crate::app::chrome;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::icon::icon;
use crate::app::state::Lab;
use crate::app::time::SPEEDS;
use crate::base::time::Time;
use crate::session::timeline::{Mark, MarkKind};
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

/// The transport bar.
pub fn Playback() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let playing = move || lab.playing.get();
    let play = move || if playing() { ("pause", "Pause") } else { ("play", "Play") };
    let clock = Memo::new(move |_| {
        lab.frame_number.track();
        lab.with_session(|s| s.now().0 / 10_000)
    });
    let button =
        move |symbol: &'static str, name: &'static str, key: &'static str, run: fn(Lab)| {
            html("button")
                .class("button button-quiet")
                .attr("title", format!("{name} ({key})"))
                .attr("aria-label", name)
                .on(ev::click, move |_| run(lab))
                .child(icon(symbol))
        };
    html("div")
        .class("playback")
        .attr("role", "group")
        .attr("data-region", "")
        .attr("tabindex", "-1")
        .attr("aria-label", "Time")
        .child(
            html("div")
                .class("transport")
                .child(button("start", "Back to the start", "Home", |lab| lab.seek(Time::ZERO)))
                .child(button("back", "Previous event", ",", |lab| lab.step_back()))
                .child(
                    html("button")
                        .class("button button-main play")
                        .attr("title", "Play or pause (Space)")
                        .on(ev::click, move |_| lab.toggle())
                        .child(move || icon(play().0))
                        .child(html("span").child(move || play().1)),
                )
                .child(button("step", "Next event", ".", |lab| lab.step())),
        )
        .child(Speed())
        .child(
            html("output")
                .class("clock")
                .attr("aria-label", "Simulated time")
                .child(move || format!("{:.2}", clock.get() as f64 / 100.0))
                .child(html("small").child(" s")),
        )
        .child(Scrub())
        .child(html("div").class("transport history").child(chrome::may_break().then(|| {
            let again = button("redo", "Redo", "Ctrl+Y", |lab| lab.do_again());
            (button("undo", "Undo", "Ctrl+Z", |lab| lab.undo()), again)
        })))
}

/// Simulated seconds per second, in words.
pub fn speed_words(speed: f64) -> String {
    if speed >= 1.0 { format!("{speed:.0}×") } else { format!("1/{:.0}×", 1.0 / speed) }
}

fn Speed() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let late = move || lab.playing.get() && lab.pace.get() < 0.9;
    let words = move || speed_words(lab.speed.get());
    let slowest = move || lab.speed.get() <= SPEEDS[0];
    let fastest = move || lab.speed.get() >= SPEEDS[SPEEDS.len() - 1];
    let title = move || {
        if late() {
            format!("This machine reaches {:.0} % of the chosen speed", lab.pace.get() * 100.0)
        } else {
            "How fast simulated time passes".to_owned()
        }
    };
    html("div")
        .class("speed")
        .class_when("late", late)
        .attr("title", title)
        .attr("role", "group")
        .attr("aria-label", "Speed")
        .child(
            html("button")
                .class("button button-quiet")
                .attr("aria-label", "Slower")
                .attr("title", "Slower ([)")
                .attr("disabled", slowest)
                .on(ev::click, move |_| lab.change_speed(-1))
                .child("−"),
        )
        .child(html("output").child(words))
        .child(
            html("button")
                .class("button button-quiet")
                .attr("aria-label", "Faster")
                .attr("title", "Faster (])")
                .attr("disabled", fastest)
                .on(ev::click, move |_| lab.change_speed(1))
                .child("+"),
        )
}

/// The run from its start to its end: what is over, what is known beyond, what went wrong when.
fn Scrub() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let bar = NodeRef::<Div>::new();
    let end = Memo::new(move |_| {
        lab.opened.track();
        lab.with_session(|s| s.end()).0.max(1)
    });
    let percent = move |at: Time| 100.0 * at.0.min(end.get()) as f64 / end.get() as f64;
    let now = move || {
        lab.frame_number.track();
        percent(lab.with_session(|s| s.now()))
    };
    let known = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_session(|s| s.newest())
    });
    let marks = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_session(|s| s.marks())
    });
    let seek = move |event: &PointerEvent| {
        let share = bar.get_untracked().map_or(0.0, |element| along(&element, event));
        lab.seek(Time((share * end.get_untracked() as f64) as u64));
    };
    let down = move |event: PointerEvent| {
        if let Some(element) = bar.get_untracked() {
            // Without capture the drag ends at the rim of the bar.
            let _ = element.set_pointer_capture(event.pointer_id());
        }
        seek(&event);
    };
    let moved = move |event: PointerEvent| {
        if event.buttons() & 1 == 1 {
            seek(&event);
        }
    };
    let whole = move || format!("{:.0}", now());
    let said = move || {
        lab.slow_tick.track();
        let now = lab.with_session(|s| s.now());
        format!("{:.2} of {:.0} seconds", now.as_secs(), end.get() as f64 / 1e6)
    };
    html("div")
        .class("scrub")
        .attr("role", "slider")
        .attr("tabindex", "0")
        .attr("aria-label", "Instant")
        .attr("aria-valuemin", "0")
        .attr("aria-valuemax", "100")
        .attr("aria-valuenow", whole)
        .attr("aria-valuetext", said)
        .found_by(bar)
        .attr("style", move || format!("--known:{:.2}%", percent(known.get())))
        .on(ev::pointerdown, down)
        .on(ev::pointermove, moved)
        .on(ev::keydown, move |event| scrub_by_key(lab, end.get_untracked(), &event))
        .child(html("div").class("track"))
        .child(html("div").class("ghost"))
        .child(html("div").class("past").attr("style", move || format!("width:{:.3}%", now())))
        .child(
            html("div").class("marks").child(move || {
                marks.get().into_iter().map(|m| mark(&m, end.get())).collect::<View>()
            }),
        )
        .child(html("div").class("head").attr("style", move || format!("left:{:.3}%", now())))
        .child(
            html("span")
                .class("scrub-end")
                .child(move || format!("{:.0} s", end.get() as f64 / 1e6)),
        )
}

/// How far along an element a pointer is, from 0 to 1.
fn along(element: &web_sys::Element, event: &PointerEvent) -> f64 {
    let rect = element.get_bounding_client_rect();
    ((f64::from(event.client_x()) - rect.x()) / rect.width().max(1.0)).clamp(0.0, 1.0)
}

/// The keys of a slider, in hundredths of a run of so many microseconds.
fn scrub_by_key(lab: Lab, end: u64, event: &KeyboardEvent) {
    let hundredth = end as f64 / 1e8;
    match event.key().as_str() {
        "ArrowLeft" | "ArrowDown" => lab.nudge(-hundredth),
        "ArrowRight" | "ArrowUp" => lab.nudge(hundredth),
        "PageDown" => lab.nudge(-10.0 * hundredth),
        "PageUp" => lab.nudge(10.0 * hundredth),
        "Home" => lab.seek(Time::ZERO),
        "End" => lab.seek(Time(end)),
        _ => return,
    }
    event.prevent_default();
    event.stop_propagation();
}

/// A fault as a band, anything else as a tick, each with its words.
fn mark(mark: &Mark, end: u64) -> impl Into<View> + use<> {
    let share = |at: Time| 100.0 * at.0.min(end) as f64 / end as f64;
    let class = match mark.kind {
        MarkKind::Fault => "fault",
        MarkKind::Command | MarkKind::Recovery => "command",
    };
    let left = share(mark.at);
    let width = mark.until.map(|until| share(until) - left);
    let style = match width {
        Some(width) => format!("left:{left:.3}%;width:{:.3}%", width.max(0.2)),
        None => format!("left:{left:.3}%"),
    };
    let title = format!("{:.1} s: {}", mark.at.as_secs(), mark.text);
    html("i")
        .class(format!("mark {class}"))
        .class_when("band", width.is_some())
        .attr("style", style)
        .attr("title", title)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn speeds_read_as_fractions_and_multiples() {
        assert_eq!(speed_words(0.05), "1/20×");
        assert_eq!(speed_words(1.0), "1×");
        assert_eq!(speed_words(200.0), "200×");
    }
}
