//! The address bar: the path or `?preset=` says what, the fragment says how, the rest of the query
//! only how it looks. Back and forward work; a broken link opens its preset and says what is wrong.

use crate::app::chrome;
use crate::app::in_step::rewrite;
use crate::app::source;
use crate::app::state::{Lab, Place, Theme};
use crate::app::time::{SPEEDS, own_speed};
use crate::app::trouble;
use crate::base::diagnostics::Diagnostics;
use crate::scenario::link::{Opened, Source};
use crate::scenario::{link, presets};
use crate::session::share::{LinkOptions, opened};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::UrlSearchParams;

/// What an address asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Which preset, if one is named.
    pub preset: Option<String>,
    /// Everything after `#`.
    pub fragment: String,
    /// Inside another page.
    pub embed: bool,
    /// Time passes at once.
    pub play: bool,
    /// No travelling dots.
    pub calm: Option<bool>,
    /// Light, dark or neither.
    pub theme: Theme,
    /// What is shown of the page and may be changed, see [`chrome::ASKS`].
    pub chrome: [String; chrome::ASKS.len()],
    /// Another language than the page has.
    pub foreign: bool,
    /// Who may talk to the page: `api`, `origin`, `lms`.
    pub host: [String; 3],
    /// What in the query means nothing.
    pub problems: Diagnostics,
}

/// What the query may say of how the page looks: names and their values.
const LOOKS: [(&str, &[&str]); 13] = [
    ("embed", &["0", "1"]),
    ("play", &["0", "1"]),
    ("motion", &["calm", "full", "auto"]),
    ("theme", &["light", "dark", "auto"]),
    ("ui", chrome::SIZES),
    ("hide", &[]),
    ("show", &[]),
    ("palette", chrome::PALETTES),
    ("edit", chrome::EDITS),
    ("lang", &[]),
    ("api", &["0", "1"]),
    ("origin", &[]),
    ("lms", &["cmi5"]),
];

/// What says that the page reports to a learning management system.
const LMS: (&str, &str) = ("lms", "cmi5");
/// What such a system adds to the address.
const LAUNCH: [&str; 5] = ["endpoint", "fetch", "actor", "registration", "activityId"];

/// What in a query means nothing, and what is allowed there.
pub(super) fn judge(query: &[(String, String)]) -> Diagnostics {
    let mut problems = Diagnostics::default();
    let launched = query.iter().any(|(name, value)| (name.as_str(), value.as_str()) == LMS);
    for (name, value) in query.iter().filter(|(name, _)| name != "preset") {
        let said: String = format!("{name}={value}").chars().take(60).collect();
        match LOOKS.iter().find(|(known, _)| known == name) {
            Some((_, values)) if values.contains(&value.as_str()) => {}
            Some(("hide", _)) => {
                let parts = chrome::parts();
                if !value.split(',').all(|part| part.is_empty() || parts.contains(&part)) {
                    let remedy = format!("`hide` may name {}", parts.join(", "));
                    problems.warn("", format!("`{said}` in the address means nothing"), remedy);
                }
            }
            // Which settings there are depends on the scenario, a language is no mistake, and any
            // page may be the host.
            Some(("show" | "lang" | "origin", _)) => {}
            Some((_, values)) => {
                let remedy = format!("`{name}` may be {}", values.join(", "));
                problems.warn("", format!("`{said}` in the address means nothing"), remedy);
            }
            None if launched && LAUNCH.contains(&name.as_str()) => {}
            None => {
                let names: Vec<&str> = LOOKS.iter().map(|(known, _)| *known).collect();
                let remedy = format!("Before the # there may be preset, {}", names.join(", "));
                problems.warn("", format!("`{said}` in the address means nothing"), remedy);
            }
        }
    }
    problems
}

/// Takes an address apart.
pub fn parse(path: &str, query: &[(String, String)], fragment: &str) -> Asked {
    let get = |name: &str| query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
    let named = path.split('/').collect::<Vec<_>>();
    let on_path =
        named.windows(2).find(|w| w[0] == "s" && !w[1].is_empty()).map(|w| w[1].to_owned());
    Asked {
        preset: get("preset").filter(|p| !p.is_empty()).map(str::to_owned).or(on_path),
        fragment: fragment.strip_prefix('#').unwrap_or(fragment).to_owned(),
        embed: get("embed") == Some("1"),
        play: get("play") == Some("1"),
        calm: match get("motion") {
            Some("calm") => Some(true),
            Some("full") => Some(false),
            _ => None,
        },
        theme: match get("theme") {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::Auto,
        },
        chrome: chrome::ASKS.map(|name| get(name).unwrap_or_default().to_owned()),
        foreign: get("lang").is_some_and(|lang| !lang.to_ascii_lowercase().starts_with("en")),
        host: ["api", "origin", "lms"].map(|name| get(name).unwrap_or_default().to_owned()),
        problems: judge(query),
    }
}

/// What the address bar asks for now.
pub fn read() -> Asked {
    let location = window().location();
    let search = location.search().unwrap_or_default();
    let mut query = Vec::new();
    if let Ok(params) = UrlSearchParams::new_with_str(&search)
        && let Ok(Some(pairs)) = js_sys::try_iter(&params)
    {
        let text = |pair: &js_sys::Array, n| pair.get(n).as_string().unwrap_or_default();
        let pairs = pairs.flatten().map(JsCast::unchecked_into::<js_sys::Array>);
        query.extend(pairs.map(|pair| (text(&pair, 0), text(&pair, 1))));
    }
    let path = location.pathname().unwrap_or_default();
    parse(&path, &query, &location.hash().unwrap_or_default())
}

/// The address of the gallery, relative to any page of the site.
pub fn home() -> String {
    home_of(&window().location().pathname().unwrap_or_default()).to_owned()
}

/// The folder that holds the site, of the path of one of its pages.
fn home_of(path: &str) -> &str {
    let end = path.find("/s/").or_else(|| path.rfind('/'));
    end.map_or("/", |end| &path[..=end])
}

/// The address of a preset: its own page where those were built, which is in every release.
pub fn of_preset(id: &str) -> String {
    let way = if cfg!(debug_assertions) { format!("?preset={id}") } else { format!("s/{id}/") };
    format!("{}{way}", home())
}

/// Another address of the site, that looks as this page was asked to look.
fn in_these_looks(to: &str) -> String {
    looking_as(to, &window().location().search().unwrap_or_default())
}

/// An address with what a query says of looks and of who may talk to the page: neither what it
/// opens, nor that somebody was launched to learn from that.
fn looking_as(to: &str, query: &str) -> String {
    let is_look = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        name != LMS.0 && LOOKS.iter().any(|(look, _)| *look == name)
    };
    let looks: Vec<&str> = query.trim_start_matches('?').split('&').filter(is_look).collect();
    let mark = if looks.is_empty() {
        ""
    } else if to.contains('?') {
        "&"
    } else {
        "?"
    };
    format!("{to}{mark}{}", looks.join("&"))
}

/// Whether a link as a whole cannot be read: not some setting of it, but what it starts from.
fn is_broken(asked: &Asked) -> bool {
    let preset = asked.preset.as_deref();
    let unknown = preset.is_some_and(|id| id != link::CUSTOM && presets::find(id).is_none());
    let mut pairs = asked.fragment.split('&');
    let blob = pairs.find(|pair| pair.starts_with("z="));
    let torn = blob.is_some_and(|blob| !link::open(preset, blob).1.is_empty());
    unknown || torn || asked.fragment.len() > link::MOST_LINK
}

/// Opens what an address asks for. False when there is no run to be played yet: it is the gallery,
/// or the scenario comes from elsewhere.
pub fn open(lab: Lab, asked: &Asked) -> bool {
    if let Some(from) = link::source_of(&asked.fragment) {
        source::open(lab, asked.clone(), from);
        return false;
    }
    source::next_turn();
    lab.waiting.set(false);
    let wants_run = asked.preset.is_some() || !asked.fragment.is_empty() || asked.embed;
    if !wants_run {
        lab.place.set(Place::Gallery);
        lab.problems.set(asked.problems.clone());
        lab.broken.set(None);
        title("netsplit: a laboratory for distributed systems");
        return false;
    }
    let broken = is_broken(asked);
    let (opened, mut problems) = link::open(asked.preset.as_deref(), &asked.fragment);
    // The address follows what is done next: this is the last chance to have the link as it came.
    lab.broken.set(broken.then(|| window().location().href().unwrap_or_default()));
    if broken && lab.place.get_untracked() != Place::Gallery {
        problems.extend(asked.problems.clone());
        lab.problems.set(problems);
        lab.told.set(trouble::KEPT);
        return true;
    }
    show(lab, asked, opened, problems);
    true
}

/// Opens what an address asks for on top of a scenario from elsewhere.
pub fn open_on(lab: Lab, asked: &Asked, source: Source) {
    if asked.preset.is_some() {
        // A link without a preset says the same, and stays true when the fragment is written anew.
        rewrite(&format!("{}#{}", in_these_looks(&home()), asked.fragment));
    }
    let (opened, problems) = link::open_on(source, &asked.fragment);
    lab.broken.set(None);
    show(lab, &Asked { preset: None, ..asked.clone() }, opened, problems);
}

/// Puts what was opened on screen, with what is wrong with it.
fn show(lab: Lab, asked: &Asked, opened: Opened, mut problems: Diagnostics) {
    problems.extend(asked.problems.clone());
    trouble::reproduce_with(String::new());
    let found = asked.preset.as_deref().and_then(presets::find);
    lab.preset.set(found.map(|p| p.id.to_string()));
    let speed = opened.speed;
    lab.open_link(opened);
    if let Some(speed) = speed.filter(|s| *s > 0.0) {
        lab.speed.set(speed.clamp(SPEEDS[0], SPEEDS[SPEEDS.len() - 1]));
    }
    lab.problems.set(problems);
    lab.place.set(if asked.embed { Place::Embed } else { Place::Lab });
    title(&found.map_or_else(|| "netsplit".to_owned(), |p| format!("{} · netsplit", p.title)));
}

/// Shows the run on screen as one that comes from no preset, at an address of its own.
pub fn show_own(lab: Lab) {
    source::next_turn();
    lab.waiting.set(false);
    let fragment = fragment(lab);
    let to = format!("{}#{fragment}", in_these_looks(&home()));
    if let Ok(history) = window().history() {
        // Refused when asked too often; the next change writes the fragment.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&to));
    }
    trouble::reproduce_with(fragment);
    lab.place.set(Place::Lab);
    title("netsplit");
}

fn title(text: &str) {
    document().set_title(text);
}

/// Follows a link inside the page without loading it anew; with a modifier held the browser does
/// what it always does.
pub fn follow(lab: Lab, event: &web_sys::MouseEvent, preset: Option<&str>) {
    if event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0 {
        return;
    }
    event.prevent_default();
    go(lab, preset);
}

/// Goes to a preset, or to the gallery. What is shown and may be changed stays as it is.
pub fn go(lab: Lab, preset: Option<&str>) {
    let to = in_these_looks(&preset.map_or_else(home, of_preset));
    let pushed =
        window().history().and_then(|h| h.push_state_with_url(&JsValue::NULL, "", Some(&to)));
    if pushed.is_err() {
        // A browser that refuses to change the address can still load it.
        let _ = window().location().set_href(&to);
        return;
    }
    open(lab, &read());
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// The fragment that opens this run at this instant, with the same part of the stage.
pub fn fragment(lab: Lab) -> String {
    fragment_with(lab, true)
}

/// The same, at this instant or at the beginning.
pub fn fragment_with(lab: Lab, instant: bool) -> String {
    let mut opened = lab.with_session(|s| opened(s, LinkOptions { instant }));
    opened.view = untrack(|| lab.lens()).view();
    let (speed, own) = (lab.speed.get_untracked(), lab.with_session(|s| own_speed(s.scenario())));
    opened.speed = Some(speed).filter(|speed| speed.to_bits() != own.to_bits());
    link::encode(&opened).1
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn the_path_or_the_query_names_the_preset() {
        let query = |k: &str, v: &str| vec![(k.to_owned(), v.to_owned())];
        let asked = parse("/lab/s/retry-storm/", &[], "#seed=4");
        assert_eq!(asked.preset.as_deref(), Some("retry-storm"));
        assert_eq!(asked.fragment, "seed=4");
        let asked = parse("/", &query("preset", "double-charge"), "");
        assert_eq!(asked.preset.as_deref(), Some("double-charge"));
        assert_eq!(parse("/s/", &query("embed", "1"), "").preset, None);
    }

    #[wasm_bindgen_test]
    fn the_site_is_the_folder_of_its_pages() {
        for (path, home) in [
            ("/", "/"),
            ("/index.html", "/"),
            ("/lab/index.html", "/lab/"),
            ("/lab/s/retry-storm/", "/lab/"),
            ("/s/retry-storm/index.html", "/"),
            ("", "/"),
        ] {
            assert_eq!(home_of(path), home, "{path}");
        }
    }

    #[wasm_bindgen_test]
    fn another_run_looks_as_the_page_was_asked_to_look() {
        let query = "?preset=retry-storm&edit=none&embed=1";
        assert_eq!(looking_as("/lab/", query), "/lab/?edit=none&embed=1");
        assert_eq!(looking_as("/?preset=x", query), "/?preset=x&edit=none&embed=1");
        assert_eq!(looking_as("/s/x/", "?preset=retry-storm"), "/s/x/");
        assert_eq!(looking_as("/s/x/", ""), "/s/x/");
        // Who was launched to learn from one run was not launched to learn from another.
        let launch = "?lms=cmi5&fetch=https://x&theme=dark&actor={}";
        assert_eq!(looking_as("/s/x/", launch), "/s/x/?theme=dark");
    }

    #[wasm_bindgen_test]
    fn what_means_nothing_in_a_query_is_named_with_what_is_allowed() {
        let query = |text: &str| -> Vec<(String, String)> {
            let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
            pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
        };
        let good = query(
            "preset=x&embed=1&play=0&motion=calm&theme=auto&ui=min&hide=legend,story&show=api.queue\
             &edit=faults&palette=contrast&lang=de",
        );
        assert!(judge(&good).is_empty());
        let launch = "lms=cmi5&endpoint=https://x/&fetch=https://x/t&actor={}&registration=1";
        assert!(judge(&query(&format!("{launch}&activityId=x&api=1&origin=https://y"))).is_empty());
        let wrong = [
            "theme=purple",
            "embed=yes",
            "motion=slow",
            "foo=1",
            "play=maybe",
            "ui=tiny",
            "hide=me",
            "edit=some",
            "palette=pink",
            "api=yes",
            "lms=scorm",
            "fetch=https://lms.example/token",
        ];
        let found = judge(&query(&wrong.join("&"))).problems;
        assert_eq!(found.len(), wrong.len());
        for (problem, wrong) in found.iter().zip(wrong) {
            assert!(problem.message.contains(wrong), "{problem}");
        }
        assert_eq!(found[0].remedy, "`theme` may be light, dark, auto");
        assert!(
            found[3].remedy.contains("theme, ui, hide, show, palette, edit, lang, api"),
            "{}",
            found[3]
        );
    }

    #[wasm_bindgen_test]
    fn another_language_than_english_is_noticed() {
        let foreign = |lang: &str| parse("/", &[("lang".to_owned(), lang.to_owned())], "").foreign;
        assert_eq!(["en", "en-GB", "EN", "de", ""].map(foreign), [false, false, false, true, true]);
        assert!(!parse("/", &[], "").foreign);
    }

    #[wasm_bindgen_test]
    fn a_link_is_broken_when_nothing_of_it_can_be_read() {
        let asked = |preset: &str, fragment: &str| Asked {
            preset: Some(preset.to_owned()),
            fragment: fragment.to_owned(),
            ..Asked::default()
        };
        assert!(is_broken(&asked("retry-storm", "z=1.77b1.LY5B")));
        assert!(is_broken(&asked("retry-storm", "seed=4&z=9")));
        assert!(is_broken(&asked("no-such-preset", "seed=4")));
        assert!(!is_broken(&asked("retry-storm", "seed=many&nobody.queue=4")));
        assert!(!is_broken(&asked("custom", "seed=4")));
    }
}
