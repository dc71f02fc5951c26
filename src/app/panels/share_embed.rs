//! The code that puts a run into another page, as a frame or as an element that a script can drive:
//! its size, its colours, and how it will look.

use super::share::{CopyBox, page_address};
use crate::app::address;
use crate::app::chrome::EDITS;
use crate::app::dom::each::show;
use crate::app::dom::html;
use crate::app::dom::view::{IntoView, View};
use crate::app::state::Lab;
use crate::app::widgets::button::{Button, Look};
use crate::app::widgets::toggle::Toggle;
use crate::scenario::{link, presets};
use leptos::ev;
use leptos::prelude::*;

/// Sizes of an embedded run: name, width and height in CSS pixels.
const SIZES: [(&str, u32, u32); 3] =
    [("Small", 480, 300), ("Medium", 640, 400), ("Large", 960, 600)];

/// Colours of an embedded run, and what the query says for them.
const THEMES: [(&str, &str); 3] =
    [("As the reader's system", ""), ("Light", "theme=light"), ("Dark", "theme=dark")];

/// What a reader may change, in the order of [`EDITS`].
const MAY: [&str; EDITS.len()] = ["everything", "only what is broken", "nothing"];

/// What the code says of looks besides that it is inside another page: pairs of the query.
#[derive(Clone, Copy)]
struct Looks {
    theme: RwSignal<usize>,
    playing: RwSignal<bool>,
    /// Settings to show, as they were typed.
    show: RwSignal<String>,
    edit: RwSignal<usize>,
}

impl Looks {
    fn new() -> Looks {
        let (theme, edit) = (RwSignal::new(0), RwSignal::new(0));
        Looks { theme, playing: RwSignal::new(false), show: RwSignal::default(), edit }
    }

    fn pairs(self) -> Vec<String> {
        let mut pairs = Vec::new();
        if self.playing.get() {
            pairs.push("play=1".to_owned());
        }
        let theme = THEMES[self.theme.get().min(THEMES.len() - 1)].1;
        if !theme.is_empty() {
            pairs.push(theme.to_owned());
        }
        let show = self.show.with(|show| paths(show));
        if !show.is_empty() {
            pairs.push(format!("show={show}"));
        }
        let edit = self.edit.get().min(EDITS.len() - 1);
        if edit > 0 {
            pairs.push(format!("edit={}", EDITS[edit]));
        }
        pairs
    }
}

/// The paths of a list as it was typed, without what no path has.
fn paths(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-~".contains(c);
    let words = text.split(|c| !plain(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(",")
}

/// The settings of nodes that are not as the preset has them.
fn changed(lab: Lab) -> String {
    let preset = lab.preset.get_untracked().and_then(|id| presets::find(&id));
    let Some(preset) = preset else { return String::new() };
    let paths = lab.with_session(|s| {
        let scenario = s.scenario();
        let differs = link::differences(&preset.scenario, scenario).unwrap_or_default();
        let of_node = |path: &String| {
            let name = path.split('.').next();
            scenario.nodes.0.iter().any(|(known, _)| Some(known.as_str()) == name)
        };
        differs.into_iter().map(|(path, _)| path).filter(of_node).collect::<Vec<_>>()
    });
    paths.join(", ")
}

/// Code for another page.
pub fn Embed(fragment: Signal<String>) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let (size, looks) = (RwSignal::new(1_usize), Looks::new());
    let address = Memo::new(move |_| {
        let mut query = vec!["embed=1".to_owned()];
        query.extend(looks.pairs());
        fragment.with(|f| page_address(lab, &query, f))
    });
    let measures = move || SIZES[size.get().min(SIZES.len() - 1)];
    let as_element = RwSignal::new(false);
    let code = Memo::new(move |_| {
        if as_element.get() {
            let origin = window().location().origin().unwrap_or_default();
            let (home, preset) = (format!("{origin}{}", address::home()), lab.preset.get());
            return fragment.with(|f| element_code(&home, preset.as_deref(), &looks.pairs(), f));
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
        .child(Choices("Colours", looks.theme, THEMES.map(colour)))
        .child(Toggle("Start playing", looks.playing, move |on| looks.playing.set(on)))
        .child(Readers(lab, looks))
        .child(Toggle(
            "As an element: as high as it needs to be, and a script can drive it",
            as_element,
            move |on| as_element.set(on),
        ))
        .child(CopyBox("Code", code, 5))
        .child(Toggle("Preview", preview, move |on| preview.set(on)))
        .child(show(move || preview.get(), frame))
}

/// What a reader sees of the settings, and may change.
fn Readers(lab: Lab, looks: Looks) -> impl Into<View> {
    let option = |(n, may): (usize, &'static str)| html("option").attr("value", n).child(may);
    let choose = move |event| looks.edit.set(event_target_value(&event).parse().unwrap_or(0));
    let field = html("input")
        .class("field-input")
        .attr("type", "text")
        .attr("placeholder", "people.retry.attempts, api.queue")
        .attr("spellcheck", "false")
        .value(looks.show)
        .on(ev::input, move |event| looks.show.set(event_target_value(&event)));
    let select = html("select")
        .class("field-input")
        .on(ev::change, choose)
        .child(MAY.into_iter().enumerate().map(option).collect::<View>());
    let any = !changed(lab).is_empty();
    let fill = Button(Look::Plain, "Those that were changed", move || looks.show.set(changed(lab)));
    html("div")
        .class("sizes")
        .child(html("label").child("Settings to show ").child(field))
        .child(any.then_some(fill))
        .child(html("label").child("A reader may change ").child(select))
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
/// `looks` are pairs of the address.
fn element_code(home: &str, preset: Option<&str>, looks: &[String], fragment: &str) -> String {
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
    fn settings_to_show_are_paths_with_commas_between() {
        assert_eq!(paths(" people.retry.attempts ,api.queue;lb~api.loss"), {
            "people.retry.attempts,api.queue,lb~api.loss"
        });
        assert_eq!(paths(" , &x=\"1\""), "x,1");
        assert_eq!(paths(""), "");
    }

    #[wasm_bindgen_test]
    fn element_code_names_the_run_and_has_a_link_inside() {
        let code = element_code(
            "https://x.org/n/",
            Some("retry-storm"),
            &["theme=dark".to_owned(), "edit=none".to_owned()],
            "seed=4&t=1s",
        );
        assert_eq!(
            code,
            "<script src=\"https://x.org/n/embed.js\" async></script>\n\
             <netsplit-lab preset=\"retry-storm\" state=\"seed=4&amp;t=1s\" theme=\"dark\" \
             edit=\"none\">\
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
