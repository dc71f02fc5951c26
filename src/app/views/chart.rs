//! A chart on the page: its title with the values at the instant on screen or pointed at, the
//! drawing, its sentence, its table, and its numbers to copy. Pointing at one chart points at the
//! same instant on all of them; a click goes there.

use super::paint::{LEFT, RIGHT, Sheet};
use super::table::Table;
use super::time_marks::{Band, Times};
use super::{Chart, Data, Form, Line, Stroke, step, summary};
use crate::app::dom::each::show;
use crate::app::dom::view::View;
use crate::app::dom::{html, svg};
use crate::app::panels::parts::reading_pace;
use crate::app::state::Lab;
use crate::app::widgets::clipboard;
use crate::base::time::{Span, Time};
use crate::session::Session;
use crate::session::timeline::MarkKind;
use leptos::ev;
use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;

/// The instant pointed at on any chart, in seconds; shared by context.
#[derive(Clone, Copy)]
pub struct Pointed(pub RwSignal<Option<f64>>);

/// A chart of the run on screen.
pub fn ChartCard(
    // What to draw.
    chart: &'static Chart,
) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pointed = use_context::<Pointed>().map_or_else(|| RwSignal::new(None), |p| p.0);
    let canvas = NodeRef::<html::Canvas>::new();
    let resized = window_width();
    Effect::new(move |_| {
        lab.slow_tick.track();
        lab.theme.track();
        resized.track();
        lab.tables.track();
        let hover = pointed.get();
        let Some(sheet) = canvas.get().and_then(|c| Sheet::new(&c)) else { return };
        let times = times(lab, hover);
        with_data(lab, chart, |data| sheet.chart(data, chart.form, &times));
    });
    let at = move |event: &MouseEvent| {
        let width = canvas.get_untracked().map_or(0.0, |c| f64::from(c.client_width()));
        let part = (f64::from(event.offset_x()) - LEFT) / (width - LEFT - RIGHT).max(1.0);
        lab.with_session(|s| s.end().as_secs()) * part.clamp(0.0, 1.0)
    };
    let pace = reading_pace(lab);
    let sentence = Memo::new(move |_| {
        pace.get();
        with_data(lab, chart, |data| spoken(chart, data))
    });
    let table = RwSignal::new(lab.tables.get_untracked());
    Effect::new(move |_| table.set(lab.tables.get()));
    let absent = Memo::new(move |_| {
        pace.get();
        with_data(lab, chart, |data| data.lines.is_empty())
    });
    html("section")
        .class("chart")
        .class_when("absent", move || absent.get())
        .class_when("tabled", lab.tables)
        .attr("id", format!("chart-{}", chart.id))
        .attr("aria-label", chart.title)
        .child(
            html("header")
                .class("chart-head")
                .child(
                    html("h3")
                        .attr("title", chart.help)
                        .child(chart.title)
                        .child(html("span").class("chart-unit").child(chart.unit.label())),
                )
                .child(Tools(chart, table)),
        )
        .child(Legend(chart, pointed))
        .child(
            html("canvas")
                .class("chart-canvas")
                .class_when("chart-strips", chart.form == Form::Strips)
                .found_by(canvas)
                .attr("role", "img")
                .attr("aria-label", move || sentence.get())
                .on(ev::mousemove, move |event| pointed.set(Some(at(&event))))
                .on(ev::mouseleave, move |_| pointed.set(None))
                .on(ev::click, move |event| lab.seek(seconds(at(&event)))),
        )
        .child(html("p").class("chart-says").child(sentence))
        .child(show(move || table.get(), move || Table(chart)))
}

/// The buttons for the table and the numbers.
fn Tools(chart: &'static Chart, table: RwSignal<bool>) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let said = RwSignal::new("CSV");
    let copy = move |_| {
        let text = csv(lab, chart);
        let name = format!("{}.csv", chart.id);
        let done = move |how: clipboard::Copied| {
            let saved = how == clipboard::Copied::Refused
                && clipboard::download(&name, "text/csv", &csv(lab, chart));
            said.try_set(match how {
                clipboard::Copied::Yes => "copied",
                clipboard::Copied::Refused if saved => "saved",
                clipboard::Copied::Refused => "refused",
            });
        };
        clipboard::copy_text(&text, done);
    };
    html("span")
        .class("chart-tools")
        .child(
            html("button")
                .attr("type", "button")
                .class("button button-quiet button-small")
                .attr("aria-pressed", move || if table.get() { "true" } else { "false" })
                .attr("title", format!("{} as a table", chart.title))
                .on(ev::click, move |_| table.update(|t| *t = !*t))
                .child("table"),
        )
        .child(
            html("button")
                .attr("type", "button")
                .class("button button-quiet button-small")
                .attr("title", format!("Copy the numbers of {} as CSV", chart.title))
                .on(ev::click, copy)
                .on(ev::blur, move |_| said.set("CSV"))
                .child(html("span").attr("role", "status").child(said)),
        )
}

/// The lines with their marks and values.
fn Legend(chart: &'static Chart, pointed: RwSignal<Option<f64>>) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let names = Memo::new(move |_| {
        lab.slow_tick.track();
        with_data(lab, chart, |data| {
            data.lines.iter().map(|l| (l.name.to_string(), l.colour, l.stroke)).collect::<Vec<_>>()
        })
    });
    let pace = reading_pace(lab);
    let values = Memo::new(move |_| {
        pace.get();
        let at = pointed.get();
        with_data(lab, chart, |data| {
            data.lines.iter().map(|line| say(chart, value(data, &line.values, at))).collect()
        })
    });
    let entry = move |n: usize, (name, colour, stroke): (String, &'static str, Stroke)| {
        let (pattern, width) = stroke.pattern();
        let dashes = pattern.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        let block = chart.form == Form::Stack;
        let swatch = (chart.form != Form::Strips).then(|| {
            svg("svg")
                .class("swatch")
                .attr("viewBox", "0 0 16 10")
                .attr("aria-hidden", "true")
                .child(
                    svg("rect")
                        .attr("width", "16")
                        .attr("height", "10")
                        .attr("rx", "2")
                        .attr("style", format!("fill: var({colour})"))
                        .attr(
                            "opacity",
                            match (block, stroke) {
                                (true, _) => "0.85",
                                (_, Stroke::Area) => "0.2",
                                _ => "0",
                            },
                        ),
                )
                .child((!block).then(|| {
                    svg("line")
                        .attr("x1", "0")
                        .attr("x2", "16")
                        .attr("y1", "5")
                        .attr("y2", "5")
                        .attr("style", format!("stroke: var({colour})"))
                        .attr("stroke-width", width)
                        .attr("stroke-dasharray", dashes)
                }))
        });
        html("li")
            .child(swatch)
            .child(html("span").class("chart-legend-name").child(name))
            .child(html("b").child(move || values.with(|v: &Vec<String>| v.get(n).cloned())))
    };
    html("ul").class("chart-legend").child(move || {
        names.get().into_iter().enumerate().map(|(n, l)| entry(n, l)).collect::<View>()
    })
}

pub(super) fn with_data<R>(lab: Lab, chart: &Chart, look: impl FnOnce(&Data) -> R) -> R {
    lab.with_session(|s| look(&data(s, chart, step(s.metrics(), s.end()))))
}

/// The lines of a chart; what it is about also of the other side of a comparison.
fn data(session: &Session, chart: &Chart, step: Span) -> Data {
    let mut data = (chart.read)(session.metrics(), step);
    let bin = |session: &Session| session.metrics().series.first().map(|series| series.bin);
    if let Some(twin) = session.twin().filter(|twin| bin(twin.session()) == bin(session))
        && matches!(chart.form, Form::Lines | Form::LogLines)
        && let Some(other) = (chart.read)(twin.session().metrics(), step).lines.into_iter().next()
    {
        let name = format!("B: {}", other.name);
        let line = Line { name, colour: "--other", stroke: Stroke::Dashed, ..other };
        data.lines.insert(1.min(data.lines.len()), line);
    }
    data
}

/// Every value that was measured.
fn csv(lab: Lab, chart: &Chart) -> String {
    lab.with_session(|s| summary::csv(&data(s, chart, step(s.metrics(), Time::ZERO))))
}

/// The value at `at` seconds, or the newest.
fn value(data: &Data, values: &[f32], at: Option<f64>) -> f64 {
    let found = match at {
        Some(at) => values.get((at / data.bin.as_secs().max(1e-6)) as usize),
        None => values.last(),
    };
    found.copied().map_or(f64::NAN, f64::from)
}

pub(super) fn say(chart: &Chart, value: f64) -> String {
    if chart.form == Form::Strips {
        return match value {
            v if !v.is_finite() => "–",
            v if v < 0.5 => "closed",
            v if v < 1.5 => "open",
            _ => "half-open",
        }
        .to_owned();
    }
    chart.unit.say(value)
}

fn spoken(chart: &Chart, data: &Data) -> String {
    let bin = data.bin.as_secs();
    match (data.lines.first(), chart.form) {
        (None, Form::Strips) => "No breakers in this scenario.".to_owned(),
        (None, _) => "Nothing to show in this scenario.".to_owned(),
        (Some(_), Form::Strips) => summary::strips(data),
        (Some(line), _) => summary::sentence(&line.name, &line.values, bin, chart.unit),
    }
}

fn seconds(at: f64) -> Time {
    Time((at * 1e6) as u64)
}

/// The instants every chart marks.
fn times(lab: Lab, hover: Option<f64>) -> Times {
    lab.with_session(|s| {
        let (mut faults, mut commands) = (Vec::new(), Vec::new());
        for mark in s.marks() {
            match mark.kind {
                MarkKind::Fault => {
                    let until = mark.until.unwrap_or(mark.at).min(s.end());
                    faults.push(Band { from: mark.at.as_secs(), to: until.as_secs() });
                }
                MarkKind::Command | MarkKind::Recovery => commands.push(mark.at.as_secs()),
            }
        }
        Times { end: s.end().as_secs(), now: s.now().as_secs(), hover, faults, commands }
    })
}

/// Changes when the window does, so that canvases fit again.
fn window_width() -> RwSignal<f64> {
    let width = RwSignal::new(0.0);
    let handle = window_event_listener(leptos::ev::resize, move |_| {
        let now = window().inner_width().ok().and_then(|w| w.as_f64()).unwrap_or_default();
        width.try_set(now);
    });
    on_cleanup(move || handle.remove());
    width
}
