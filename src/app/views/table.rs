//! A chart as a table, for those who cannot see it and those who want the numbers.

use super::chart::{say, with_data};
use super::{Chart, scale, summary};
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::panels::parts::reading_pace;
use crate::app::state::Lab;
use leptos::prelude::*;

/// The chart as a table, at most forty rows.
pub fn Table(chart: &'static Chart) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let content = Memo::new(move |_| {
        pace.get();
        with_data(lab, chart, |data| {
            let names: Vec<String> = data.lines.iter().map(|l| l.name.to_string()).collect();
            let rows: Vec<Vec<String>> = summary::table(data, 40)
                .into_iter()
                .map(|(at, values)| {
                    let said = values.into_iter().map(|v| say(chart, v));
                    std::iter::once(scale::clock(at)).chain(said).collect()
                })
                .collect();
            (names, rows)
        })
    });
    let head = |name: String| html("th").attr("scope", "col").child(name);
    let cell = |text: String| html("td").child(text);
    let row =
        move |cells: Vec<String>| html("tr").child(cells.into_iter().map(cell).collect::<View>());
    html("div")
        .class("chart-table")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", format!("{} as a table", chart.title))
        .child(
            html("table")
                .child(html("caption").child("Each row: the highest value since the row above."))
                .child(
                    html("thead").child(
                        html("tr")
                            .child(html("th").attr("scope", "col").child("until"))
                            .child(move || content.get().0.into_iter().map(head).collect::<View>()),
                    ),
                )
                .child(
                    html("tbody")
                        .child(move || content.get().1.into_iter().map(row).collect::<View>()),
                ),
        )
}
