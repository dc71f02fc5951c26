//! The bar across the top: where one is, and what holds for the whole page.

use crate::app::address;
use crate::app::chrome;
use crate::app::dom::each::show;
use crate::app::dom::view::View;
use crate::app::dom::{html, svg};
use crate::app::icon::icon;
use crate::app::panels::seeds::Seed;
use crate::app::state::{Lab, Place, Theme};
use crate::scenario::presets;
use leptos::ev;
use leptos::prelude::*;

/// The two halves of the sign.
const LEFT: &str = "M10.5 3.5A8.5 8.5 0 0 0 10 20.4L12 16 9.5 12.5 12.5 8.5z";
const RIGHT: &str = "M14 3.7A8.5 8.5 0 0 1 13.5 20.4L15.2 16.2 12.6 12.6 15.6 8.4z";

/// The name of the house: torn in two, of course.
pub fn Brand() -> impl Into<View> {
    (
        svg("svg")
            .class("brand-mark")
            .attr("viewBox", "0 0 24 24")
            .attr("aria-hidden", "true")
            .child(svg("path").class("brand-left").attr("d", LEFT))
            .child(svg("path").class("brand-right").attr("d", RIGHT)),
        html("span").class("brand-word").child("net").child(html("b").child("split")),
    )
}

/// The bar.
pub fn Toolbar() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let in_lab = move || lab.place.get() == Place::Lab;
    html("header")
        .class("bar")
        .attr("data-region", "")
        .attr("tabindex", "-1")
        .attr("aria-label", "Top bar")
        .child(
            html("a")
                .class("brand")
                .attr("href", address::home())
                .attr("aria-label", "netsplit, all experiments")
                .on(ev::click, move |event| address::follow(lab, &event, None))
                .child(Brand()),
        )
        .child(show(in_lab, Switcher))
        .child(html("span").class("bar-space"))
        .child(show(in_lab, move || {
            (
                html("fieldset")
                    .class("bar-seed wide")
                    .attr("disabled", !chrome::may_set())
                    .child(Seed("seed")),
                html("button")
                    .class("button button-quiet")
                    .attr("title", "The stage as a table (Alt+O)")
                    .attr("aria-pressed", move || lab.outline.get().to_string())
                    .on(ev::click, move |_| lab.outline.update(|o| *o = !*o))
                    .child(icon("list"))
                    .child(html("span").class("wide").child("Outline")),
                html("button")
                    .class("button button-quiet")
                    .attr("title", "Numbers instead of moving dots (Alt+M)")
                    .attr("aria-pressed", move || lab.calm.get().to_string())
                    .on(ev::click, move |_| lab.calm.update(|c| *c = !*c))
                    .child(icon("calm"))
                    .child(html("span").class("wide").child("Calm")),
            )
        }))
        .child(ThemeButton())
        .child(
            html("button")
                .class("button button-quiet")
                .attr("title", "Keys (Alt+/)")
                .attr("aria-label", "Keys")
                .on(ev::click, move |_| lab.help.set(true))
                .child(icon("help")),
        )
        .child(show(in_lab, move || {
            html("button")
                .class("button button-main")
                .on(ev::click, move |_| lab.sharing.set(true))
                .child(icon("share"))
                .child(html("span").child("Share"))
        }))
}

fn ThemeButton() -> impl Into<View> {
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
    html("button")
        .class("button button-quiet")
        .attr("title", move || format!("{} (Alt+D)", now().1))
        .attr("aria-label", move || now().1)
        .on(ev::click, next)
        .child(move || icon(now().0))
}

/// The name of the experiment, and the way to the others.
fn Switcher() -> impl Into<View> {
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
        let id = preset.id.as_str();
        html("li").child(
            html("a")
                .attr("href", address::of_preset(id))
                .attr("aria-current", move || {
                    (lab.preset.get().as_deref() == Some(id)).then_some("page")
                })
                .on(ev::click, move |event| choose(event, id))
                .child(preset.title.as_str()),
        )
    };
    html("details")
        .class("switcher")
        .attr("open", move || open.get())
        .on(ev::keydown, move |event| {
            if event.key() == "Escape" {
                open.set(false);
            }
        })
        .child(
            html("summary")
                .on(ev::click, move |event| {
                    event.prevent_default();
                    open.update(|o| *o = !*o);
                })
                .child(html("h1").child(title)),
        )
        .child(html("ul").child(presets::all().iter().map(entry).collect::<View>()))
}
