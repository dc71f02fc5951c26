//! Pictures of what the run has shown and of what it holds, each with its sentence and as a list.

use super::parts::{Framed, reading_pace};
use crate::app::dom::each::each;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::observe::figure::Figure;
use leptos::prelude::*;

/// Every picture; nothing where there is none.
pub fn Figures() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let figures = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.figures())
    });
    let titles = move || figures.with(|f| f.iter().map(|f| f.title.clone()).collect::<Vec<_>>());
    html("div")
        .class("figures")
        .class_when("absent", move || figures.with(Vec::is_empty))
        .child(each(titles, |title| title.clone(), move |title| Card(figures, title)))
}

fn Card(figures: Memo<Vec<Figure>>, title: String) -> impl Into<View> {
    let name = title.clone();
    let part = move |read: fn(&Figure) -> String| {
        figures.with(|f| f.iter().find(|f| f.title == name).map(read).unwrap_or_default())
    };
    let [says, drawing, key, rows] = [part.clone(), part.clone(), part.clone(), part];
    let wide = figures.with_untracked(|f| f.iter().any(|f| f.title == title && f.wide));
    let picture = html("div").class("figure");
    let node = picture.node().clone();
    Effect::new(move |_| node.set_inner_html(&drawing(|f| f.svg.clone())));
    let list = move || {
        let rows = rows(|f| f.rows.join("\n"));
        rows.lines().map(|row| html("li").child(row.to_owned())).collect::<View>()
    };
    Framed(title.clone(), title, move || Some(says(|f| f.says.clone())))
        .class_when("figure-wide", wide)
        .child(picture)
        .child(html("p").class("replicas-key").child(move || key(|f| f.key.to_owned())))
        .child(
            html("details")
                .class("figure-list")
                .child(html("summary").child("As a list"))
                .child(html("ul").child(list)),
        )
}
