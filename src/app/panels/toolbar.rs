//! The bar across the top: where one is, and what holds for the whole page.

use crate::app::address;
use crate::app::icon::icon;
use crate::app::state::{Lab, Place, Theme};
use crate::scenario::presets;
use leptos::prelude::*;

/// The two halves of the sign.
const LEFT: &str = "M10.5 3.5A8.5 8.5 0 0 0 10 20.4L12 16 9.5 12.5 12.5 8.5z";
const RIGHT: &str = "M14 3.7A8.5 8.5 0 0 1 13.5 20.4L15.2 16.2 12.6 12.6 15.6 8.4z";

/// The name of the house: torn in two, of course.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <svg class="brand-mark" viewBox="0 0 24 24" aria-hidden="true">
            <path class="brand-left" d=LEFT />
            <path class="brand-right" d=RIGHT />
        </svg>
        <span class="brand-word">"net"<b>"split"</b></span>
    }
}

/// The bar.
#[component]
pub fn Toolbar() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let in_lab = move || lab.place.get() == Place::Lab;
    view! {
        <header class="bar" data-region="" tabindex="-1" aria-label="Top bar">
            <a
                class="brand"
                href=address::home()
                aria-label="netsplit, all experiments"
                on:click=move |event| address::follow(lab, &event, None)
            >
                <Brand />
            </a>
            <Show when=in_lab>
                <Switcher />
            </Show>
            <span class="bar-space"></span>
            <Show when=in_lab>
                <button
                    class="button button-quiet"
                    title="The stage as a table (Alt+O)"
                    aria-pressed=move || lab.outline.get().to_string()
                    on:click=move |_| lab.outline.update(|o| *o = !*o)
                >
                    {icon("list")}
                    <span class="wide">"Outline"</span>
                </button>
                <button
                    class="button button-quiet"
                    title="Numbers instead of moving dots (Alt+M)"
                    aria-pressed=move || lab.calm.get().to_string()
                    on:click=move |_| lab.calm.update(|c| *c = !*c)
                >
                    {icon("calm")}
                    <span class="wide">"Calm"</span>
                </button>
            </Show>
            <ThemeButton />
            <button
                class="button button-quiet"
                title="Keys (Alt+/)"
                aria-label="Keys"
                on:click=move |_| lab.help.set(true)
            >
                {icon("help")}
            </button>
            <Show when=in_lab>
                <button class="button button-main" on:click=move |_| lab.sharing.set(true)>
                    {icon("share")}
                    <span>"Share"</span>
                </button>
            </Show>
        </header>
    }
}

#[component]
fn ThemeButton() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let now = move || match lab.theme.get() {
        Theme::Auto => ("auto", "Colours as the system has them"),
        Theme::Light => ("sun", "Light colours"),
        Theme::Dark => ("moon", "Dark colours"),
    };
    let next = move |_| {
        lab.theme.update(|t| {
            *t = match t {
                Theme::Auto => Theme::Light,
                Theme::Light => Theme::Dark,
                Theme::Dark => Theme::Auto,
            };
        });
    };
    view! {
        <button
            class="button button-quiet"
            title=move || format!("{} (Alt+D)", now().1)
            aria-label=move || now().1
            on:click=next
        >
            {move || icon(now().0)}
        </button>
    }
}

/// The name of the experiment, and the way to the others.
#[component]
fn Switcher() -> impl IntoView {
    let lab = expect_context::<Lab>();
    let title = move || {
        let id = lab.preset.get();
        let preset = id.as_deref().and_then(presets::find);
        preset.map_or_else(|| "An experiment of your own".to_owned(), |p| p.title.to_string())
    };
    let open = RwSignal::new(false);
    let choose = move |event: web_sys::MouseEvent, id: &'static str| {
        open.set(false);
        address::follow(lab, &event, Some(id));
    };
    let entry = move |preset: &'static presets::Preset| {
        let id = preset.id;
        view! {
            <li>
                <a
                    href=address::of_preset(id)
                    aria-current=move || (lab.preset.get().as_deref() == Some(id)).then_some("page")
                    on:click=move |event| choose(event, id)
                >
                    {preset.title.to_string()}
                </a>
            </li>
        }
    };
    view! {
        <details
            class="switcher"
            prop:open=move || open.get()
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    open.set(false);
                }
            }
        >
            <summary on:click=move |event| {
                event.prevent_default();
                open.update(|o| *o = !*o);
            }>
                <h1>{title}</h1>
            </summary>
            <ul>{presets::all().iter().map(entry).collect_view()}</ul>
        </details>
    }
}
