//! Everything there is, as lists: nodes, links, and the requests that failed, each with its way to
//! the explanation. What can be reached on the stage can be reached from here by keyboard.

use super::node::{condition_words, kind_word};
use crate::app::dom::each::{each, show};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::panels::parts::{Instant, ToneMark, reading_pace};
use crate::app::state::{Lab, Selection};
use crate::observe::frame::LinkView;
use leptos::ev;
use leptos::prelude::*;

/// The lists.
pub fn Overview() -> impl Into<View> {
    (Failures(), Nodes(), Links())
}

/// Recent failed intents, each with the question it raises.
fn Failures() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let failures = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.recent_failures()).into_iter().take(6).collect::<Vec<_>>()
    });
    html("section")
        .class("list")
        .child(html("h3").child("What went wrong lately"))
        .child(html("ul").child(each(
            move || failures.get(),
            |(intent, line)| (*intent, line.seq),
            move |(intent, line)| {
                html("li")
                    .class("failure")
                    .child(Instant(line.at))
                    .child(ToneMark(line.tone))
                    .child(html("span").child(line.text.clone()))
                    .child(
                        html("button")
                            .attr("type", "button")
                            .class("button button-small")
                            .attr("aria-label", format!("Why? {}", line.text))
                            .on(ev::click, move |_| lab.selected.set(Selection::Intent(intent)))
                            .child("Why?"),
                    )
            },
        )))
        .child(show(
            move || failures.with(Vec::is_empty),
            move || html("p").class("empty").child("Nothing has failed so far."),
        ))
}

fn Nodes() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let count = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| {
            f.nodes.iter().map(|n| (n.id, n.name.clone(), n.kind)).collect::<Vec<_>>()
        })
    });
    html("section").class("list").child(html("h3").child("Nodes")).child(html("ul").child(each(
        move || count.get(),
        |n| (n.0, n.1.clone()),
        move |(id, name, kind)| {
            html("li").child(
                html("button")
                    .attr("type", "button")
                    .class("entry")
                    .on(ev::click, move |_| lab.selected.set(Selection::Node(id)))
                    .child(html("span").class("entry-name").child(name))
                    .child(html("span").class("entry-kind").child(kind_word(kind)))
                    .child(move || {
                        lab.slow_tick.track();
                        let (class, said, line) = lab.with_frame(|f| {
                            let node = f.nodes.get(id.index())?;
                            let (class, said) = condition_words(node, f.at);
                            Some((class, said, node.line.clone()))
                        })?;
                        Some((
                            html("span").class(class).child(said),
                            html("span").class("entry-line").child(line),
                        ))
                    }),
            )
        },
    )))
}

fn Links() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let links = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| f.links.iter().map(|l| (l.id, link_words(l))).collect::<Vec<_>>())
    });
    let name = move |id| {
        let ends = lab.link_ends(id);
        ends.map(|(a, b)| format!("{} → {}", lab.node_name(a), lab.node_name(b)))
    };
    html("details").class("list").child(html("summary").child("Links")).child(html("ul").child(
        each(
            move || links.get(),
            |l| *l,
            move |(id, (class, said))| {
                html("li").child(
                    html("button")
                        .attr("type", "button")
                        .class("entry")
                        .on(ev::click, move |_| lab.selected.set(Selection::Link(id)))
                        .child(html("span").class("entry-name").child(name(id)))
                        .child(html("span").class(class).child(said)),
                )
            },
        ),
    ))
}

fn link_words(link: &LinkView) -> (&'static str, &'static str) {
    match link {
        LinkView { cut: true, .. } => ("plaque plaque-bad", "✕ cut"),
        l if l.loss_ppm > 0 => ("plaque plaque-warn", "∴ lossy"),
        l if l.slow.0 > 0 => ("plaque plaque-warn", "◷ slow"),
        _ => ("plaque plaque-ok", "✓ ok"),
    }
}
