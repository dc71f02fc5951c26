//! What the scenario can lose: each thing without which something stops, with a button that loses
//! it; pairs; what is left of services without a domain; how available it should be.

use super::parts::reading_pace;
use crate::app::chrome;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::scenario::redundancy::report::called;
use crate::scenario::redundancy::{Element, Finding, Kind, Redundancy};
use crate::session::capacity::Left;
use crate::session::command::Command;
use leptos::ev;
use leptos::prelude::*;
use std::sync::Arc;

/// Pairs that are listed.
const PAIRS: usize = 30;

/// What can be lost, the single things first.
pub fn Losses() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let found = Memo::new(move |_| {
        lab.opened.track();
        Arc::new(lab.with_session(|s| s.redundancy()))
    });
    let single = move || findings(lab, &found.get().single);
    let pairs = move || {
        let found = found.get();
        let pairs = found.pairs.as_deref().unwrap_or_default();
        findings(lab, &pairs[..pairs.len().min(PAIRS)])
    };
    let pairs_say = move || match &found.get().pairs {
        None => "Too many things to try them in pairs".to_owned(),
        Some(pairs) => format!("{} pairs stop something only together", pairs.len()),
    };
    html("div")
        .class("losses")
        .child(html("p").child(move || sentence(&found.get())))
        .child(html("ul").class("verdicts").child(single))
        .child(
            html("details")
                .class("figure-list")
                .child(html("summary").child(pairs_say))
                .child(html("ul").class("verdicts").child(pairs)),
        )
        .child(Capacity(lab))
        .child(Availability(lab))
}

fn sentence(found: &Redundancy) -> String {
    let Redundancy { journeys, elements, broken, single, .. } = found;
    if let Some((journey, why)) = broken.first() {
        return format!("{journey}: impossible as it is. {why}.");
    }
    let journeys = journeys.join(", ");
    match single.len() {
        0 => format!("No single one of {elements} things stops any of: {journeys}."),
        n => format!("{n} of {elements} things stop one of: {journeys}."),
    }
}

fn findings(lab: Lab, findings: &[Finding]) -> View {
    let row = |finding: &Finding| {
        let commands: Vec<Command> = finding.lost.iter().flat_map(loss).collect();
        let names: Vec<String> = finding.lost.iter().map(called).collect();
        let name = names.join(" and ");
        let label = format!("Lose {name}");
        let lose = move |_: web_sys::MouseEvent| {
            if lab.deed(commands.clone()) {
                lab.announced.set(label.clone());
            }
        };
        let says = format!("{} no more: {}.", finding.stops.join(", "), finding.reason);
        html("li")
            .class("verdict")
            .child(html("span").class("tone tone-bad").attr("aria-hidden", "true").child("✕"))
            .child(
                html("div")
                    .child(html("p").class("verdict-name").child(html("strong").child(name)))
                    .child(html("p").class("verdict-says").child(says))
                    .child(chrome::may_break().then(|| {
                        html("button")
                            .attr("type", "button")
                            .class("instant")
                            .on(ev::click, lose)
                            .child("Lose it now")
                    })),
            )
    };
    findings.iter().map(row).collect()
}

/// What a person does to lose something.
fn loss(element: &Element) -> Vec<Command> {
    match (element.kind, element.nodes.as_slice()) {
        (Kind::Link, &[one, other]) => vec![
            Command::Cut { source: one, target: other },
            Command::Cut { source: other, target: one },
        ],
        (_, nodes) => nodes.iter().map(|node| Command::Kill(*node)).collect(),
    }
}

/// What is left without each domain.
fn Capacity(lab: Lab) -> impl Into<View> {
    let pace = reading_pace(lab);
    let left = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.capacity().iter().map(Left::sentence).collect::<Vec<_>>())
    });
    let rows = move || left.get().into_iter().map(|says| html("li").child(says)).collect::<View>();
    show(
        move || !left.with(Vec::is_empty),
        move || {
            html("section")
                .child(html("h3").child("Capacity left"))
                .child(html("ul").class("losses-left").child(rows))
        },
    )
}

/// Computed availability beside that of the run.
fn Availability(lab: Lab) -> impl Into<View> {
    let pace = reading_pace(lab);
    let expected = Memo::new(move |_| {
        lab.opened.track();
        lab.with_session(|s| s.expected())
    });
    let run = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| {
            let totals = &s.metrics().totals;
            totals.good() as f64 / totals.ended().max(1) as f64
        })
    });
    let percent = |share: f64| format!("{:.3} %", share * 100.0);
    let rows = move || {
        let row = |e: crate::scenario::redundancy::availability::Expected| {
            html("tr")
                .child(html("th").child(e.journey))
                .child(html("td").child(percent(e.independent)))
                .child(html("td").child(percent(e.shared)))
        };
        expected.get().into_iter().map(row).collect::<View>()
    };
    let head = || {
        let titles = ["", "if all failed independently", "with shared fate"];
        titles.into_iter().map(|title| html("th").child(title)).collect::<View>()
    };
    show(
        move || !expected.with(Vec::is_empty),
        move || {
            html("section")
                .child(html("h3").child("Availability"))
                .child(html("table").class("copies").child(html("tr").child(head())).child(rows))
                .child(html("p").class("replicas-key").child(move || {
                    format!("In this run so far, {} of requests ended well.", percent(run.get()))
                }))
        },
    )
}
