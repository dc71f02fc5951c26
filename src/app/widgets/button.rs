//! A button, with words or with a glyph and a name.

use leptos::prelude::*;

/// How much a button asks to be pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// One among several.
    #[default]
    Plain,
    /// The one to press here.
    Main,
    /// Only its text, until pointed at.
    Quiet,
    /// Breaks something on purpose.
    Danger,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Look::Plain => "button",
            Look::Main => "button button-main",
            Look::Quiet => "button button-quiet",
            Look::Danger => "button button-danger",
        }
    }
}

/// A button. With `name`, the children are a picture and the name is what is read out and shown
/// on hover; with `pressed`, it stays down while that is true.
#[component]
pub fn Button(
    /// What pressing it does.
    #[prop(into)]
    press: Callback<()>,
    /// How it looks.
    #[prop(optional)]
    look: Look,
    /// What it is called, when the children are a picture.
    #[prop(optional, into)]
    name: MaybeProp<String>,
    /// A longer explanation, shown on hover.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
    /// Whether it is down, for a button that stays down.
    #[prop(optional, into)]
    pressed: MaybeProp<bool>,
    /// Whether it does nothing now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// What it says.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=look.class()
            aria-label=move || name.get()
            title=move || hint.get().or_else(|| name.get())
            aria-pressed=move || pressed.get().map(|down| if down { "true" } else { "false" })
            disabled=disabled
            on:click=move |_| press.run(())
        >
            {children()}
        </button>
    }
}
