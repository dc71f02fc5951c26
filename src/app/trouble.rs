//! What went wrong, said where it can be read: problems of links and numbers as a notice, a crash
//! of the page as a sheet with the link that reproduces it.

use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::icon::icon;
use crate::app::state::Lab;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// The notice of problems, until dismissed.
pub fn Notice() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let close = move |_| lab.problems.set(Default::default());
    let list = move || {
        lab.problems.with(|d| {
            let item = |p: &crate::base::diagnostics::Problem| {
                let path = (!p.path.is_empty()).then(|| (html("code").child(p.path.clone()), ": "));
                let remedy = (!p.remedy.is_empty())
                    .then(|| html("span").child(" ").child(p.remedy.clone()).child("."));
                html("li").child(path).child(p.message.clone()).child(".").child(remedy)
            };
            d.problems.iter().take(6).map(item).collect::<View>()
        })
    };
    move || {
        (!lab.problems.with(|d| d.is_empty())).then(|| {
            html("div").class("notice").attr("role", "alert").child(html("ul").child(list)).child(
                html("button")
                    .class("button button-quiet")
                    .attr("aria-label", "Dismiss")
                    .on(ev::click, close)
                    .child(icon("close")),
            )
        })
    }
}

/// The sentence for people who cannot see the stage.
pub fn Announcer() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    html("p")
        .class("unseen")
        .attr("role", "status")
        .attr("aria-live", "polite")
        .child(lab.announced)
}

/// Shows a sheet over the page when it panics: the address reproduces it.
pub fn watch_panics() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        show_sheet(&info.to_string());
    }));
}

/// Builds the sheet by hand: after a panic nothing else of the page can be relied on.
fn show_sheet(what: &str) {
    let Some(document) = web_sys::window().and_then(|w| w.document()) else { return };
    if document.get_element_by_id("crashed").is_some() {
        return;
    }
    let Some(body) = document.body() else { return };
    let address = document.location().and_then(|l| l.href().ok()).unwrap_or_default();
    let make = |tag: &str, text: &str| {
        let element = document.create_element(tag).ok()?;
        element.set_text_content(Some(text));
        Some(element)
    };
    let parts = [
        make("h2", "netsplit stopped"),
        make("p", "This is a mistake in netsplit, not in what you did. This link reproduces it:"),
        make("textarea", &address),
        make("pre", what),
        make("a", "Open this link again"),
    ];
    let Some(sheet) = make("div", "") else { return };
    sheet.set_id("crashed");
    let _ = sheet.set_attribute("role", "alertdialog");
    for part in parts.into_iter().flatten() {
        if let Some(link) = part.dyn_ref::<web_sys::HtmlElement>().filter(|e| e.tag_name() == "A") {
            let _ = link.set_attribute("href", &address);
            let _ = link.set_attribute("onclick", "location.reload()");
        }
        let _ = sheet.append_child(&part);
    }
    let _ = body.append_child(&sheet);
}
