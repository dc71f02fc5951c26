//! The sheet of keys, written from the table that binds them.

use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::keys::{BINDINGS, Binding, Press};
use crate::app::state::Lab;
use crate::app::widgets::dialog::Dialog;
use leptos::prelude::*;

/// The sheet.
pub fn Help() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let caps = |press: Option<Press>| press.map(|p| html("kbd").child(p.caps()));
    let row = move |binding: &Binding| {
        html("tr")
            .child(html("th").attr("scope", "row").child(binding.does))
            .child(html("td").child(caps(binding.stage)))
            .child(html("td").child(caps(binding.anywhere)))
    };
    Dialog("Keys", lab.help, move || {
        html("table")
            .class("keys")
            .child(
                html("thead").child(
                    html("tr")
                        .child(html("th").attr("scope", "col").child("does"))
                        .child(html("th").attr("scope", "col").child("on the stage"))
                        .child(html("th").attr("scope", "col").child("anywhere")),
                ),
            )
            .child(html("tbody").child(BINDINGS.iter().map(row).collect::<View>()))
    })
}
