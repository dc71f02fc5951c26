//! Commands by name: one field that finds everything the keys, the menu and the gallery do, and
//! that takes the words of a link.

use crate::app::actions::{Action, actions, perform};
use crate::app::address;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::keys::BINDINGS;
use crate::app::state::{Lab, Place, Selection};
use crate::app::widgets::dialog::Dialog;
use crate::scenario::presets;
use crate::session::typed::{self, Typed};
use leptos::ev;
use leptos::html::Input;
use leptos::prelude::*;
use std::time::Duration;
use web_sys::KeyboardEvent;

/// Entries shown at once.
const SHOWN: usize = 60;
const HELP: &str = "What to do, or as in a link: go to 12 s, people.count=50, kill:api-1";

/// What an entry does.
#[derive(Clone)]
enum Deed {
    Typed(Typed),
    Act(Action),
    Key(fn(Lab)),
    Open(&'static str),
}

/// A line of the list.
#[derive(Clone)]
struct Entry {
    name: String,
    beside: String,
    deed: Deed,
}

/// The dialog.
pub fn Palette() -> impl Into<View> {
    let lab = expect_context::<Lab>();
    Dialog("Commands", lab.commands, move || Finder(lab))
}

/// The field and its list.
fn Finder(lab: Lab) -> impl Into<View> {
    let (text, chosen) = (RwSignal::new(String::new()), RwSignal::new(0_usize));
    let all = StoredValue::new_local(entries(lab));
    let found = StoredValue::new_local(Vec::<Entry>::new());
    let said = RwSignal::new(String::new());
    let field = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(input) = field.get() {
            // Once the dialog is open: what is hidden takes no focus.
            let focus = move || {
                let _ = input.focus();
            };
            set_timeout(focus, Duration::ZERO);
        }
    });
    let option = move |(n, entry): (usize, &Entry)| {
        html("li")
            .attr("id", format!("command-{n}"))
            .attr("role", "option")
            .attr("aria-selected", move || (chosen.get() == n).to_string())
            .on(ev::click, move |_| run(lab, found.with_value(|f| f.get(n).cloned())))
            .child(html("span").child(entry.name.clone()))
            .child(html("kbd").child(entry.beside.clone()))
    };
    let list = move || {
        let (matching, problem) = text.with(|text| matching(lab, &all.get_value(), text));
        let none = if matching.is_empty() { "Nothing of that name." } else { "" };
        said.set(problem.unwrap_or_else(|| none.to_owned()));
        found.set_value(matching);
        found.with_value(|f| f.iter().enumerate().map(option).collect::<View>())
    };
    let typed = move |_| {
        chosen.set(0);
        text.set(field.get_untracked().map(|input| input.value()).unwrap_or_default());
    };
    let pressed = move |event: KeyboardEvent| {
        let (now, last) = (chosen.get_untracked(), found.with_value(Vec::len).saturating_sub(1));
        match event.key().as_str() {
            "ArrowDown" => choose(chosen, if now >= last { 0 } else { now + 1 }),
            "ArrowUp" => choose(chosen, if now == 0 { last } else { now - 1 }),
            "Enter" => run(lab, found.with_value(|f| f.get(now).cloned())),
            _ => return,
        }
        event.prevent_default();
    };
    html("div")
        .class("palette")
        .child(
            html("input")
                .found_by(field)
                .attr("type", "text")
                .attr("role", "combobox")
                .attr("aria-label", HELP)
                .attr("aria-expanded", "true")
                .attr("aria-autocomplete", "list")
                .attr("aria-controls", "commands")
                .attr("aria-activedescendant", move || format!("command-{}", chosen.get()))
                .attr("autocomplete", "off")
                .attr("placeholder", HELP)
                .on(ev::input, typed)
                .on(ev::keydown, pressed),
        )
        .child(html("p").class("palette-says").attr("role", "status").child(said))
        .child(
            html("ul")
                .attr("id", "commands")
                .attr("role", "listbox")
                .attr("aria-label", "Commands")
                .child(list),
        )
}

/// Moves the choice and keeps it in sight.
fn choose(chosen: RwSignal<usize>, n: usize) {
    chosen.set(n);
    let id = format!("command-{n}");
    if let Some(option) = document().get_element_by_id(&id) {
        let nearest = web_sys::ScrollIntoViewOptions::new();
        nearest.set_block(web_sys::ScrollLogicalPosition::Nearest);
        option.scroll_into_view_with_scroll_into_view_options(&nearest);
    }
}

/// Everything there is to do now: with what is selected, by keys, and other presets.
fn entries(lab: Lab) -> Vec<Entry> {
    let in_lab = lab.place.get_untracked() != Place::Gallery;
    let selected = lab.selected.get_untracked();
    let of = match selected {
        Selection::Node(id) => lab.node_name(id),
        _ => "link".to_owned(),
    };
    let act = |action: Action| Entry {
        name: format!("{of}: {}", action.label),
        beside: action.key.to_owned(),
        deed: Deed::Act(action),
    };
    let key = BINDINGS.iter().filter(|b| in_lab && b.is_a_command()).map(|b| Entry {
        name: b.does.to_owned(),
        beside: b.anywhere.or(b.stage).map(|p| p.caps()).unwrap_or_default(),
        deed: Deed::Key(b.run),
    });
    let open = presets::all().iter().map(|preset| Entry {
        name: format!("Open: {}", preset.title),
        beside: preset.id.clone(),
        deed: Deed::Open(&preset.id),
    });
    actions(lab, selected).into_iter().map(act).chain(key).chain(open).collect()
}

/// What fits the text, and what is wrong with it as words of a link.
fn matching(lab: Lab, all: &[Entry], text: &str) -> (Vec<Entry>, Option<String>) {
    let mut found = Vec::new();
    let mut problem = None;
    // In the gallery there is no run on screen that they could be meant for.
    if lab.place.get_untracked() != Place::Gallery && typed::is_meant(text) {
        match lab.with_session(|s| typed::read(s, text)) {
            Ok(typed) => found.push(Entry {
                name: text.trim().to_owned(),
                beside: "Enter".to_owned(),
                deed: Deed::Typed(typed),
            }),
            Err(found) => {
                problem = found.problems.first().map(|p| format!("{}: {}", p.message, p.remedy));
            }
        }
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let fits = |entry: &&Entry| {
        let said = format!("{} {}", entry.name, entry.beside).to_lowercase();
        words.iter().all(|word| said.contains(word))
    };
    found.extend(all.iter().filter(fits).take(SHOWN).cloned());
    (found, problem)
}

/// Closes the dialog, and does it once the focus is back where it was.
fn run(lab: Lab, entry: Option<Entry>) {
    let Some(Entry { name, deed, .. }) = entry else { return };
    lab.commands.set(false);
    let deed = move || match deed {
        Deed::Key(run) => run(lab),
        Deed::Act(action) => perform(lab, &action),
        Deed::Open(id) => address::go(lab, Some(id)),
        Deed::Typed(Typed { t, speed, commands }) => {
            if let Some(speed) = speed {
                lab.play_at(speed);
            }
            if !commands.is_empty() && lab.deed(commands) {
                lab.announced.set(name);
            }
            if let Some(at) = t {
                lab.seek(at);
            }
        }
    };
    set_timeout(deed, Duration::from_millis(30));
}
