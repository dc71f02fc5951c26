//! The shards of a router: which part of the keys each has, which part of the requests it gets, and
//! what is locked there.

use super::parts::{Framed, reading_pace};
use crate::app::dom::each::each;
use crate::app::dom::view::View;
use crate::app::dom::{html, svg};
use crate::app::state::Lab;
use crate::observe::shards::{Shard, Sharding, says, sentence};
use leptos::prelude::*;

/// Every router; nothing where there is none.
pub fn Shards() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let pace = reading_pace(lab);
    let all = Memo::new(move |_| {
        pace.get();
        lab.with_session(|s| s.shardings())
    });
    each(
        move || 0..all.with(Vec::len),
        |n| *n,
        move |n| Card(lab, Memo::new(move |_| all.with(|s| s.get(n).cloned()))),
    )
}

fn Card(lab: Lab, router: Memo<Option<Sharding>>) -> impl Into<View> {
    let name = router.with_untracked(|r| r.as_ref().map_or(String::new(), |r| r.name.clone()));
    let now = move || lab.with_session(|s| s.now());
    let told = move || router.with(|r| r.as_ref().map(|r| sentence(r, now())));
    let count = router.with_untracked(|r| r.as_ref().map_or(0, |r| r.shards.len()));
    let row = move |n: usize| {
        let part = move |read: fn(&Shard) -> String| {
            router.with(|r| r.as_ref().and_then(|r| r.shards.get(n).map(read)))
        };
        let bar = move |class: &'static str, read: fn(&Shard) -> String| {
            svg("path").class(class).attr("d", move || part(read).unwrap_or_default())
        };
        html("li")
            .child(html("span").class("replica-name").child(move || part(|s| s.name.clone())))
            .child(
                svg("svg")
                    .class("log-strip")
                    .attr("viewBox", "0 0 240 14")
                    .attr("aria-hidden", "true")
                    .child(bar("log-had", |s| stripe(1, s.keys.1)))
                    .child(bar("log-applied", |s| stripe(8, s.requests.1))),
            )
            .child(html("span").class("replica-says").child(move || part(says)))
    };
    Framed(format!("The shards of {name}"), format!("Shards of {name}"), told)
        .child(html("ul").child((0..count).map(row).collect::<View>()))
        .child(
            html("p")
                .class("replicas-says")
                .child("Upper bar: its part of the keys. Lower bar: its part of the requests."),
        )
}

/// A bar as long as a share in thousandths.
fn stripe(top: u32, thousandths: u32) -> String {
    format!("M1 {top}h{}v5H1z", thousandths * 238 / 1_000)
}
