//! The code that puts a run into another page, as a frame or as an element that a script can drive:
//! its size, its colours, and how it will look.

use super::share::{CopyBox, page_address};
use crate::app::address;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::state::Lab;
use crate::app::widgets::toggle::Toggle;
use crate::scenario::presets;
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
    let as_element = RwSignal::new(false);
    let code = Memo::new(move |_| {
        if as_element.get() {
            let theme = THEMES[theme.get().min(THEMES.len() - 1)].1;
            let looks = [theme, if playing.get() { "play=1" } else { "" }];
            let origin = window().location().origin().unwrap_or_default();
            let (home, preset) = (format!("{origin}{}", address::home()), lab.preset.get());
            return fragment.with(|f| element_code(&home, preset.as_deref(), &looks, f));
        }
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
        .child(Toggle(
            "As an element: as high as it needs to be, and a script can drive it",
            as_element,
            move |on| as_element.set(on),
        ))
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

/// A text as the value of an attribute.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// The frame that shows `address` inside another page.
fn frame_code(address: &str, width: u32, height: u32) -> String {
    let address = quoted(address);
    format!(
        "<iframe src=\"{address}\" title=\"netsplit: a simulated distributed system\" \
         width=\"{width}\" height=\"{height}\" style=\"border:0;max-width:100%\" loading=\"lazy\" \
         allow=\"fullscreen; clipboard-write\" \
         sandbox=\"allow-scripts allow-same-origin allow-popups allow-downloads\"></iframe>"
    )
}

/// The script that knows the element, and the element with a link for those without scripts.
/// `looks` are pairs of the address, some of them empty.
fn element_code(home: &str, preset: Option<&str>, looks: &[&str], fragment: &str) -> String {
    let title = preset.and_then(presets::find).map_or("netsplit", |preset| preset.title.as_str());
    let way = preset.map_or_else(String::new, |id| format!("s/{id}/"));
    let preset = preset.map(|id| ("preset", id));
    let looks = looks.iter().filter_map(|pair| pair.split_once('='));
    let pairs = preset.into_iter().chain([("state", fragment)]).chain(looks);
    let attributes: String =
        pairs.map(|(name, value)| format!(" {name}=\"{}\"", quoted(value))).collect();
    let (home, link) = (quoted(home), quoted(&format!("{home}{way}#{fragment}")));
    format!(
        "<script src=\"{home}embed.js\" async></script>\n\
         <netsplit-lab{attributes}><a href=\"{link}\">{}</a></netsplit-lab>",
        quoted(title)
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

    #[wasm_bindgen_test]
    fn element_code_names_the_run_and_has_a_link_inside() {
        let code = element_code(
            "https://x.org/n/",
            Some("retry-storm"),
            &["theme=dark", ""],
            "seed=4&t=1s",
        );
        assert_eq!(
            code,
            "<script src=\"https://x.org/n/embed.js\" async></script>\n\
             <netsplit-lab preset=\"retry-storm\" state=\"seed=4&amp;t=1s\" theme=\"dark\">\
             <a href=\"https://x.org/n/s/retry-storm/#seed=4&amp;t=1s\">Retry storm</a>\
             </netsplit-lab>"
        );
        let own = element_code("https://x.org/n/", None, &[], "z=2.ab.c");
        assert!(
            own.contains("<netsplit-lab state=\"z=2.ab.c\"><a href=\"https://x.org/n/#z="),
            "{own}"
        );
    }
}
