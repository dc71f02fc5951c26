//! The code that puts a run into another page: its size, its colours, and how it will look.

use super::share::{CopyBox, page_address};
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::state::Lab;
use crate::app::widgets::toggle::Toggle;
use leptos::ev;
use leptos::prelude::*;

/// Sizes of an embedded run: name, width and height in CSS pixels.
const SIZES: [(&str, u32, u32); 3] =
    [("Small", 480, 300), ("Medium", 640, 400), ("Large", 960, 600)];

/// Colours of an embedded run, and what the query says for them.
const THEMES: [(&str, &str); 3] =
    [("As the reader's system", ""), ("Light", "theme=light"), ("Dark", "theme=dark")];

/// Code for another page.
pub fn Embed(fragment: Signal<String>) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let (size, playing) = (RwSignal::new(1_usize), RwSignal::new(false));
    let theme = RwSignal::new(0_usize);
    let address = Memo::new(move |_| {
        let mut query = vec!["embed=1"];
        if playing.get() {
            query.push("play=1");
        }
        match THEMES[theme.get().min(THEMES.len() - 1)].1 {
            "" => {}
            theme => query.push(theme),
        }
        fragment.with(|f| page_address(lab, &query, f))
    });
    let measures = move || SIZES[size.get().min(SIZES.len() - 1)];
    let code = Memo::new(move |_| {
        let (_, width, height) = measures();
        address.with(|address| frame_code(address, width, height))
    });
    let preview = RwSignal::new(false);
    let frame = move || {
        let (_, width, height) = measures();
        html("iframe")
            .class("preview")
            .attr("title", "Preview")
            .attr("src", address)
            .attr("width", width)
            .attr("height", height)
    };
    let shape = |(name, width, height): (&'static str, u32, u32)| {
        let style = format!("width: {}px; height: {}px", width / 20, height / 20);
        let measures = html("small").child(format!("{width} × {height}"));
        (
            html("span").class("size-shape").attr("aria-hidden", "true").attr("style", style),
            html("span").child(name).child(" ").child(measures),
        )
            .into_view()
    };
    let colour = |(name, _): (&'static str, _)| html("span").child(name).into_view();
    html("details")
        .class("share-embed")
        .child(html("summary").child("Put it into a page"))
        .child(Choices("Size", size, SIZES.map(shape)))
        .child(Choices("Colours", theme, THEMES.map(colour)))
        .child(Toggle("Start playing", playing, move |on| playing.set(on)))
        .child(CopyBox("Code", code, 5))
        .child(Toggle("Preview", preview, move |on| preview.set(on)))
        .child(show(move || preview.get(), frame))
}

/// One of several, each with its picture.
fn Choices(
    title: &'static str,
    chosen: RwSignal<usize>,
    pictures: [View; 3],
) -> impl Into<View> + use<> {
    let choice = move |(n, picture): (usize, View)| {
        html("label")
            .class("size")
            .child(
                html("input")
                    .attr("type", "radio")
                    .attr("name", title)
                    .checked(move || chosen.get() == n)
                    .on(ev::change, move |_| chosen.set(n)),
            )
            .child(picture)
    };
    let choices = pictures.into_iter().enumerate().map(choice).collect::<View>();
    html("fieldset").class("sizes").child(html("legend").child(title)).child(choices)
}

/// The element that shows `address` inside another page.
fn frame_code(address: &str, width: u32, height: u32) -> String {
    let address = address.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<iframe src=\"{address}\" title=\"netsplit: a simulated distributed system\" \
         width=\"{width}\" height=\"{height}\" style=\"border:0;max-width:100%\" loading=\"lazy\" \
         allow=\"fullscreen; clipboard-write\" \
         sandbox=\"allow-scripts allow-same-origin allow-popups allow-downloads\"></iframe>"
    )
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn embed_code_escapes_its_address() {
        let code = frame_code("https://x.org/?embed=1&a=\"b\"#seed=4&t=1s", 480, 300);
        assert!(code.contains("embed=1&amp;a=&quot;b&quot;#seed=4&amp;t=1s\""), "{code}");
        assert!(code.contains("width=\"480\" height=\"300\""));
    }
}
