//! A short explanation that unfolds beside what it explains.

use crate::app::dom::html;
use crate::app::dom::view::View;
use leptos::ev;
use leptos::prelude::*;

/// A question mark that unfolds an explanation below itself: works by touch as well.
/// Its name says what it is `about`; nothing is drawn when there is no `text`.
pub fn Help(about: String, text: String) -> impl Into<View> {
    let open = RwSignal::new(false);
    (!text.is_empty()).then(|| {
        (
            html("button")
                .attr("type", "button")
                .class("help")
                .attr("aria-expanded", move || if open.get() { "true" } else { "false" })
                .attr("aria-label", format!("About {about}"))
                .attr("title", text.clone())
                .on(ev::click, move |_| open.update(|o| *o = !*o))
                .child(html("span").attr("aria-hidden", "true").child("?")),
            move || open.get().then(|| html("p").class("help-text").child(text.clone())),
        )
    })
}
