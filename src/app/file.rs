//! Scenarios as files: saved to the person's disk, opened by a button or by being dropped on the
//! page. Nothing is sent anywhere. A file that cannot be read leaves what is on screen alone.

use crate::app::address;
use crate::app::chrome;
use crate::app::dom::html;
use crate::app::dom::view::View;
use crate::app::state::{Lab, Place};
use crate::app::trouble;
use crate::app::widgets::clipboard::download;
use crate::base::diagnostics::Diagnostics;
use crate::scenario::read;
use crate::session::Session;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileList, HtmlInputElement};

/// Saves the scenario as it is set now. Says whether the browser took it.
pub fn save(lab: Lab) -> bool {
    let name = lab.preset.get_untracked().unwrap_or_else(|| "scenario".to_owned());
    let text = lab.with_session(Session::file);
    download(&format!("{name}.json"), "application/json", &text)
}

/// A button that opens a file. Once one was chosen it calls `then`.
pub fn Opener(then: impl Fn() + 'static) -> impl Into<View> {
    let lab = expect_context::<Lab>();
    let chosen = move |event: web_sys::Event| {
        let input = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok());
        let Some(input) = input else { return };
        take(lab, input.files());
        // The same file can be chosen again, after it was mended.
        input.set_value("");
        then();
    };
    html("label").class("button opener").child("Open a scenario file").child(
        html("input")
            .class("unseen")
            .attr("type", "file")
            .attr("accept", ".json,application/json")
            .on(ev::change, chosen),
    )
}

/// Files can be dropped anywhere on the page. Call once, at the root.
pub fn take_dropped(lab: Lab) {
    let has_files = |event: &DragEvent| {
        let types = event.data_transfer().map(|data| data.types());
        types.is_some_and(|types| types.includes(&"Files".into(), 0))
    };
    let open = move || lab.place.try_get_untracked().is_some_and(|place| place != Place::Embed);
    window_event_listener(ev::dragover, move |event| {
        if has_files(&event) && open() {
            event.prevent_default();
        }
    });
    window_event_listener(ev::drop, move |event| {
        if has_files(&event) && open() {
            // Or the browser would leave the page for the file.
            event.prevent_default();
            take(lab, event.data_transfer().and_then(|data| data.files()));
        }
    });
}

/// Opens the first of some files, if a reader may change everything.
fn take(lab: Lab, files: Option<FileList>) {
    if !chrome::may_set() {
        lab.refuse();
        return;
    }
    if let Some(file) = files.and_then(|files| files.get(0)) {
        spawn_local(async move {
            match text_of(&file).await {
                Ok(text) => open(lab, &text),
                Err(problems) => refuse(lab, problems),
            }
        });
    }
}

async fn text_of(file: &File) -> Result<String, Diagnostics> {
    let mut problems = Diagnostics::default();
    if file.size() > read::MOST_TEXT as f64 {
        let message = format!("the file has {} bytes", file.size());
        problems.error(file.name(), message, format!("{} bytes is the limit", read::MOST_TEXT));
        return Err(problems);
    }
    let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
    text.ok_or_else(|| {
        problems.error(file.name(), "the file cannot be read", "see whether it is still there");
        problems
    })
}

/// What the text of a file says, as a run at its beginning.
pub fn session_of(text: &str) -> Result<Session, Diagnostics> {
    read::text(text).and_then(Session::start)
}

fn open(lab: Lab, text: &str) {
    match session_of(text) {
        Ok(session) => {
            lab.preset.set(None);
            lab.open(session);
            lab.problems.set(Diagnostics::default());
            lab.broken.set(None);
            address::show_own(lab);
        }
        Err(problems) => refuse(lab, problems),
    }
}

fn refuse(lab: Lab, problems: Diagnostics) {
    lab.problems.set(problems);
    lab.told.set(trouble::KEPT);
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::scenario::link;

    #[wasm_bindgen_test]
    fn a_saved_file_opens_and_a_wrong_one_says_all_that_is_wrong() {
        let saved = Session::open(link::open(Some("retry-storm"), "seed=7&people.count=9").0);
        let again = session_of(&saved.file());
        assert_eq!(again.map(|s| s.scenario().clone()), Ok(saved.scenario().clone()));
        let wrong = saved.file().replace("\"workers\": 2", "\"workers\": 0, \"wrkers\": 2");
        let problems = session_of(&wrong).map(|_| ()).unwrap_err().problems;
        assert!(problems.iter().any(|p| p.path.contains("wrkers")), "{problems:?}");
        assert!(session_of("not a scenario").is_err());
    }
}
