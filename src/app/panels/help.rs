//! The sheet of keys, written from the table that binds them.

use crate::app::keys::{BINDINGS, Binding, Press};
use crate::app::state::Lab;
use crate::app::widgets::dialog::Dialog;
use leptos::prelude::*;

/// The sheet.
#[component]
pub fn Help() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let caps = |press: Option<Press>| press.map(|p| view! { <kbd>{p.caps()}</kbd> });
    let row = move |binding: &Binding| {
        view! {
            <tr>
                <th scope="row">{binding.does}</th>
                <td>{caps(binding.stage)}</td>
                <td>{caps(binding.anywhere)}</td>
            </tr>
        }
    };
    view! {
        <Dialog title="Keys" open=lab.help>
            <table class="keys">
                <thead>
                    <tr>
                        <th scope="col">"does"</th>
                        <th scope="col">"on the stage"</th>
                        <th scope="col">"anywhere"</th>
                    </tr>
                </thead>
                <tbody>{BINDINGS.iter().map(row).collect_view()}</tbody>
            </table>
        </Dialog>
    }
}
