//! A dialog over the page: the native element, so focus is kept inside, Escape closes it, and
//! focus returns to where it was.

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A dialog. Its content is drawn anew each time it opens.
#[component]
pub fn Dialog(
    /// What it is called.
    #[prop(into)]
    title: String,
    /// Whether it is open.
    open: RwSignal<bool>,
    /// What it holds.
    children: ChildrenFn,
) -> impl IntoView {
    let element = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = element.get() else { return };
        match (open.get(), dialog.open()) {
            // Refused only when the element is not in the page; then it stays closed.
            (true, false) if dialog.show_modal().is_err() => open.set(false),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let on_backdrop = move |event: MouseEvent| {
        let target = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|t| t.tag_name() == "DIALOG") {
            open.set(false);
        }
    };
    let label = title.clone();
    view! {
        <dialog
            class="dialog"
            node_ref=element
            aria-label=label
            on:close=move |_| open.set(false)
            on:click=on_backdrop
        >
            <div class="dialog-sheet">
                <header class="dialog-head">
                    <h2>{title}</h2>
                    <button
                        type="button"
                        class="button button-quiet button-close"
                        aria-label="Close"
                        on:click=move |_| open.set(false)
                    >
                        <span aria-hidden="true">"✕"</span>
                    </button>
                </header>
                <Show when=move || open.get()>{children()}</Show>
            </div>
        </dialog>
    }
}
