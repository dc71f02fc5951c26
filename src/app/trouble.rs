//! What went wrong, said where it can be read: problems of links and numbers as a notice, a crash
//! of the page as a sheet with the link that reproduces it.

use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::icon::icon;
use crate::app::state::Lab;
use crate::app::widgets::button::{Button, Look};
use crate::app::widgets::clipboard::{Copied, copy_text};
use crate::base::diagnostics::{Diagnostics, Problem};
use leptos::ev;
use leptos::prelude::*;
use std::cell::RefCell;
use wasm_bindgen::JsCast;

/// What is said when something could not be opened.
pub const KEPT: &str = "What was on screen is still there.";

/// Problems that are shown at once.
const SHOWN: usize = 6;

/// What is wrong, and what there is to know about what was just done, until dismissed.
pub fn Notice() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let close = move |_| {
        lab.problems.set(Default::default());
        lab.told.set("");
        lab.broken.set(None);
    };
    let says = move || {
        let told = lab.told.get();
        (!told.is_empty()).then(|| html("p").child(told))
    };
    let wrong = move || lab.problems.with(|d| !d.is_empty());
    move || {
        (wrong() || !lab.told.get().is_empty()).then(|| {
            html("div")
                .class("notice")
                .attr("role", if wrong() { "alert" } else { "status" })
                .child(
                    html("div")
                        .class("notice-says")
                        .child(move || lab.problems.with(Problems))
                        .child(says)
                        .child(move || lab.broken.get().map(Broken)),
                )
                .child(
                    html("button")
                        .class("button button-quiet")
                        .attr("aria-label", "Dismiss")
                        .on(ev::click, close)
                        .child(icon("close")),
                )
        })
    }
}

/// A link that could not be read, to be copied: it is no longer in the address bar once something
/// is done.
fn Broken(link: String) -> View {
    let said = RwSignal::new("");
    let text = link.clone();
    let press = move || {
        copy_text(&text, move |how| {
            said.try_set(match how {
                Copied::Yes => "✓ Copied.",
                Copied::Refused => "The browser refused: copy it by hand.",
            });
        });
    };
    html("p")
        .class("notice-link")
        .child(html("code").child(link))
        .child(Button(Look::Plain, "Copy this link as it came", press))
        .child(html("span").attr("role", "status").child(said))
        .into()
}

/// The first problems, and a fold with the rest.
fn Problems(found: &Diagnostics) -> View {
    let item = |p: &Problem| {
        let path = (!p.path.is_empty()).then(|| (html("code").child(p.path.clone()), ": "));
        let remedy =
            (!p.remedy.is_empty()).then(|| html("span").child(" ").child(p.remedy.clone()));
        let dot = (!p.remedy.is_empty() && !p.remedy.ends_with('?')).then_some(".");
        html("li").child(path).child(p.message.clone()).child(".").child(remedy).child(dot)
    };
    let list = |part: &[Problem]| html("ul").child(part.iter().map(item).collect::<View>());
    let (first, rest) = found.problems.split_at(found.problems.len().min(SHOWN));
    let more = (!rest.is_empty()).then(|| {
        let says = format!("and {} more", rest.len());
        html("details").child(html("summary").child(says)).child(list(rest))
    });
    let first = (!first.is_empty()).then(|| list(first));
    (first, more).into_view()
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

thread_local! {
    /// The newest link to what is on screen. The address bar follows later, and a sheet about a
    /// panic cannot ask the run any more.
    static NEWEST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Notes the part of a link after `#` that reproduces what comes next; none for the address bar.
pub fn reproduce_with(fragment: String) {
    NEWEST.with(|newest| newest.replace(fragment));
}

/// The address that reproduces a panic.
fn reproducing(address: &str, newest: &str) -> String {
    let page = address.split('#').next().unwrap_or_default();
    if newest.is_empty() { address.to_owned() } else { format!("{page}#{newest}") }
}

/// Shows a sheet over the page when it panics: its link reproduces it.
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
    // It may be in use: the panic may come from anywhere.
    let newest = NEWEST.with(|newest| newest.try_borrow().map(|n| n.clone()).unwrap_or_default());
    let address = reproducing(&address, &newest);
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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn a_crash_is_reproduced_by_what_was_done_last() {
        let address = "https://x.org/s/retry-storm/?theme=dark#seed=4&t=1s";
        assert_eq!(reproducing(address, ""), address);
        let newest = "seed=4&at=2s:kill:api&t=2s";
        let whole = "https://x.org/s/retry-storm/?theme=dark#seed=4&at=2s:kill:api&t=2s";
        assert_eq!(reproducing(address, newest), whole);
        assert_eq!(reproducing("https://x.org/", "t=2s"), "https://x.org/#t=2s");
    }

    #[wasm_bindgen_test]
    fn what_does_not_fit_into_the_notice_is_counted() {
        for (count, more) in [(1_usize, false), (SHOWN, false), (SHOWN + 3, true)] {
            let mut found = Diagnostics::default();
            (0..count).for_each(|n| found.warn(format!("p{n}"), "wrong", "mend it"));
            let owner = Owner::new();
            let shown = owner.with(|| crate::app::dom::html("div").child(Problems(&found)));
            let text = shown.node().text_content().unwrap_or_default();
            assert_eq!(text.matches("mend it.").count(), count, "{text}");
            assert_eq!(text.contains("and 3 more"), more, "{text}");
        }
    }
}
