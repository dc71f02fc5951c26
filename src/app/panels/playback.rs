//! Time: play, pause, step, speed, and the bar on which the whole run lies.

use crate::app::icon::icon;
use crate::app::state::{Lab, SPEEDS};
use crate::base::time::Time;
use crate::session::timeline::{Mark, MarkKind};
use leptos::html::Div;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

/// The transport bar.
#[component]
pub fn Playback() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let playing = move || lab.playing.get();
    let play = move || if playing() { ("pause", "Pause") } else { ("play", "Play") };
    let clock = Memo::new(move |_| {
        lab.frame_number.track();
        lab.with_session(|s| s.now().0 / 10_000)
    });
    let button =
        move |symbol: &'static str, name: &'static str, key: &'static str, run: fn(Lab)| {
            view! {
                <button
                    class="button button-quiet"
                    title=format!("{name} ({key})")
                    aria-label=name
                    on:click=move |_| run(lab)
                >
                    {icon(symbol)}
                </button>
            }
        };
    view! {
        <div class="playback" role="group" data-region="" tabindex="-1" aria-label="Time">
            <div class="transport">
                {button("start", "Back to the start", "Home", |lab| lab.seek(Time::ZERO))}
                {button("back", "Previous event", ",", |lab| lab.step_back())}
                <button
                    class="button button-main play"
                    title="Play or pause (Space)"
                    on:click=move |_| lab.toggle()
                >
                    {move || icon(play().0)}
                    <span>{move || play().1}</span>
                </button>
                {button("step", "Next event", ".", |lab| lab.step())}
            </div>
            <Speed />
            <output class="clock" aria-label="Simulated time">
                {move || format!("{:.2}", clock.get() as f64 / 100.0)}
                <small>" s"</small>
            </output>
            <Scrub />
            <div class="transport history">
                {button("undo", "Undo", "Ctrl+Z", |lab| lab.undo())}
                {button("redo", "Redo", "Ctrl+Y", |lab| lab.redo())}
            </div>
        </div>
    }
}

/// Simulated seconds per second, in words.
pub fn speed_words(speed: f64) -> String {
    if speed >= 1.0 { format!("{speed:.0}×") } else { format!("1/{:.0}×", 1.0 / speed) }
}

#[component]
fn Speed() -> impl IntoView {
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
    view! {
        <div class="speed" class:late=late title=title role="group" aria-label="Speed">
            <button
                class="button button-quiet"
                aria-label="Slower"
                title="Slower ([)"
                prop:disabled=slowest
                on:click=move |_| lab.change_speed(-1)
            >
                "−"
            </button>
            <output>{words}</output>
            <button
                class="button button-quiet"
                aria-label="Faster"
                title="Faster (])"
                prop:disabled=fastest
                on:click=move |_| lab.change_speed(1)
            >
                "+"
            </button>
        </div>
    }
}

/// The run from its start to its end: what is over, what is known beyond, what went wrong when.
#[component]
fn Scrub() -> impl IntoView {
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
        let Some(element) = bar.get_untracked() else { return };
        let rect = element.get_bounding_client_rect();
        let share = (f64::from(event.client_x()) - rect.x()) / rect.width().max(1.0);
        lab.seek(Time((share.clamp(0.0, 1.0) * end.get_untracked() as f64) as u64));
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
    let keys = move |event: KeyboardEvent| {
        let hundredth = end.get_untracked() as f64 / 1e8;
        match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => lab.nudge(-hundredth),
            "ArrowRight" | "ArrowUp" => lab.nudge(hundredth),
            "PageDown" => lab.nudge(-10.0 * hundredth),
            "PageUp" => lab.nudge(10.0 * hundredth),
            "Home" => lab.seek(Time::ZERO),
            "End" => lab.seek(Time(end.get_untracked())),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let share = move || {
        lab.slow_tick.track();
        format!("{:.0}", percent(lab.with_session(|s| s.now())))
    };
    let said = move || {
        lab.slow_tick.track();
        let now = lab.with_session(|s| s.now());
        format!("{:.2} of {:.0} seconds", now.as_secs(), end.get() as f64 / 1e6)
    };
    view! {
        <div
            class="scrub"
            role="slider"
            tabindex="0"
            aria-label="Instant"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=share
            aria-valuetext=said
            node_ref=bar
            style=move || format!("--known:{:.2}%", percent(known.get()))
            on:pointerdown=down
            on:pointermove=moved
            on:keydown=keys
        >
            <div class="track"></div>
            <div class="ghost"></div>
            <div class="past" style=move || format!("width:{:.3}%", now())></div>
            <div class="marks">
                {move || {
                    marks.get().into_iter().map(|m| mark(&m, end.get())).collect_view()
                }}
            </div>
            <div class="head" style=move || format!("left:{:.3}%", now())></div>
            <span class="scrub-end">{move || format!("{:.0} s", end.get() as f64 / 1e6)}</span>
        </div>
    }
}

/// A fault as a band, anything else as a tick, each with its words.
fn mark(mark: &Mark, end: u64) -> impl IntoView + use<> {
    let share = |at: Time| 100.0 * at.0.min(end) as f64 / end as f64;
    let class = match mark.kind {
        MarkKind::Fault => "fault",
        MarkKind::Command => "command",
    };
    let left = share(mark.at);
    let width = mark.until.map(|until| share(until) - left);
    let style = match width {
        Some(width) => format!("left:{left:.3}%;width:{:.3}%", width.max(0.2)),
        None => format!("left:{left:.3}%"),
    };
    let title = format!("{:.1} s: {}", mark.at.as_secs(), mark.text);
    view! {
        <i class=format!("mark {class}") class:band=width.is_some() style=style title=title></i>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_read_as_fractions_and_multiples() {
        assert_eq!(speed_words(0.05), "1/20×");
        assert_eq!(speed_words(1.0), "1×");
        assert_eq!(speed_words(200.0), "200×");
    }
}
