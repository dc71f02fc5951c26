//! A link, in one direction.

use super::{Actions, span};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::panels::parts::Rows;
use crate::app::state::{Lab, Selection};
use crate::app::views::scale;
use crate::base::id::LinkId;
use crate::base::time::Span;
use crate::observe::frame::LinkView;
use leptos::prelude::*;

/// The card of a link.
pub fn LinkCard(
    // Which.
    id: LinkId,
) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let link = Memo::new(move |_| {
        lab.slow_tick.track();
        lab.with_frame(|f| f.links.get(id.index()).cloned())
    });
    let ends = lab.link_ends(id);
    let name = ends.map(|(a, b)| format!("{} → {}", lab.node_name(a), lab.node_name(b)));
    let rows = Memo::new(move |_| link.with(|l| l.as_ref().map(link_rows)).unwrap_or_default());
    let cut = move || link.with(|l| l.as_ref().is_some_and(|l| l.cut));
    (
        html("header")
            .class("inspector-head")
            .child(html("h3").child(name))
            .child(html("span").class("inspector-kind").child("link"))
            .child(
                html("span")
                    .class(move || if cut() { "plaque plaque-bad" } else { "plaque plaque-ok" })
                    .child(move || if cut() { "✕ cut" } else { "connected" }),
            ),
        Actions(Selection::Link(id)),
        Rows(rows.into()),
    )
}

fn link_rows(link: &LinkView) -> Vec<(String, String)> {
    let mut rows = vec![("Messages in flight".to_owned(), link.in_flight.to_string())];
    if link.slow > Span::ZERO {
        rows.push(("Slower by".to_owned(), span(link.slow)));
    }
    if link.loss_ppm > 0 {
        let percent = f64::from(link.loss_ppm) / 1e4;
        rows.push(("Loses".to_owned(), format!("{} % of messages", scale::short(percent))));
    }
    rows
}
