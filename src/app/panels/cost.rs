//! What the run costs by the hour, where it runs in domains: what runs, and what crosses borders.

use super::parts::{Framed, reading_pace};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::observe::cost::Cost;
use leptos::prelude::*;

/// The bill; nothing where nothing is placed.
pub fn CostMeter() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let cost = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| {
            let placed = !s.run().plan.domains.all.is_empty();
            placed.then(|| s.cost())
        })
    });
    let says = move || cost.with(|c| c.as_ref().map(sentence));
    let rows = move || {
        let items = cost.with(|c| c.as_ref().map(|c| c.items.clone()).unwrap_or_default());
        let row = |item: crate::observe::cost::Item| {
            html("tr")
                .child(html("th").child(item.name))
                .child(html("td").child(item.amount))
                .child(html("td").child(format!("{:.2}", item.per_hour)))
        };
        items.into_iter().map(row).collect::<View>()
    };
    Framed("What this costs".to_owned(), "Cost by the hour".to_owned(), says)
        .class_when("absent", move || cost.with(Option::is_none))
        .child(html("table").class("copies").child(html("tbody").child(rows)))
        .child(
            html("p")
                .class("replicas-key")
                .child("1 is one server of a service for an hour; prices are under Tune."),
        )
}

fn sentence(cost: &Cost) -> String {
    let Cost { per_hour, nodes, traffic, .. } = cost;
    format!(
        "{per_hour:.2} servers: {nodes:.2} for what runs, {traffic:.2} for what crosses borders."
    )
}
