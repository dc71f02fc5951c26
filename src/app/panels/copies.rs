//! What the replicas of a store without a leader hold, side by side, as a table of text.

use super::parts::{Framed, reading_pace};
use crate::app::dom::each::each;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::Lab;
use crate::observe::copies::{Copies, Holder, SHOWN, sentence};
use leptos::prelude::*;

/// Every store without a leader; nothing where there is none.
pub fn CopiesOfStores() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let stores = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.copies())
    });
    each(move || 0..stores.with(Vec::len), |n| *n, move |n| Card(lab, stores, n))
}

fn Card(lab: Lab, stores: Memo<Vec<Copies>>, n: usize) -> impl Into<View> {
    let name = stores.with_untracked(|s| s.get(n).map_or(String::new(), |s| s.name.clone()));
    let count = stores.with_untracked(|s| s.get(n).map_or(0, |s| s.replicas.len()));
    let says = move || {
        stores.with(|s| s.get(n).map(|s| sentence(s, lab.with_session(|session| session.now()))))
    };
    let item = move |column: usize| {
        stores.with(|s| s.get(n).and_then(|s| s.items.get(column)).map(|i| format!("item {i}")))
    };
    let cell = move |row: usize, column: usize| {
        let held = |r: &Holder| r.values.get(column).copied().flatten().map(|held| held.words());
        stores.with(|s| s.get(n).and_then(|s| s.replicas.get(row)).and_then(held))
    };
    let title =
        move |row: usize| stores.with(|s| s.get(n).and_then(|s| s.replicas.get(row)).map(heading));
    let head = (0..SHOWN).map(|column| html("th").child(move || item(column)));
    let row = move |row: usize| {
        let cells = (0..SHOWN).map(|column| html("td").child(move || cell(row, column)));
        let title = html("th").child(move || title(row));
        html("tr").child(title).child(cells.collect::<View>())
    };
    Framed(format!("What the replicas of {name} hold"), format!("Copies in {name}"), says)
        .child(
            html("table")
                .class("copies")
                .child(html("tr").child(html("th")).child(head.collect::<View>()))
                .child((0..count).map(row).collect::<View>()),
        )
        .child(html("p").class("replicas-key").child(
            "+1: another version stands beside the value. ≠: another replica has something newer, \
             and has had it for so long.",
        ))
}

/// What a replica is called, and how it is.
fn heading(holder: &Holder) -> String {
    let name = &holder.name;
    match (holder.down, holder.hints) {
        (true, _) => format!("{name}, down"),
        (false, 0) => name.clone(),
        (false, hints) => format!("{name}, keeps {hints} for others"),
    }
}
