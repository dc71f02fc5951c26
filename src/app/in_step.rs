//! Page and address in step: what the address bar says is opened, what a person does is written
//! there.

use crate::app::state::{Lab, Place};
use crate::app::{address, source, trouble};
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// Browsers refuse more than a hundred changes of the address in half a minute.
const QUIET: Duration = Duration::from_millis(500);

/// Keeps page and address together: back, forward and an edited fragment open what they say; what
/// a person does is written to the fragment once they pause.
pub fn keep(lab: Lab) {
    let reread = move || {
        // An edited fragment is told twice.
        if lab.place.try_get_untracked().is_some() && !source::is_fetching_here() {
            address::open(lab, &address::read());
        }
    };
    let call = Closure::<dyn FnMut()>::new(reread);
    for name in ["popstate", "hashchange"] {
        // A window takes every kind of listener.
        let _ = window().add_event_listener_with_callback(name, call.as_ref().unchecked_ref());
    }
    // It listens for as long as the page lives.
    call.forget();
    let waiting = StoredValue::new_local(None::<TimeoutHandle>);
    Effect::new(move |before: Option<u64>| {
        let count = lab.changed.get();
        if before.is_some_and(|b| b != count) {
            if let Some(old) = waiting.try_update_value(Option::take).flatten() {
                old.clear();
            }
            let handle = set_timeout_with_handle(move || write(lab), QUIET);
            waiting.set_value(handle.ok());
        }
        count
    });
}

fn write(lab: Lab) {
    // On its way to an instant it is nowhere yet; while a scenario is fetched, the address is of
    // what is to come.
    if lab.place.try_get_untracked().is_none_or(|p| p == Place::Gallery)
        || lab.is_under_way()
        || source::is_fetching()
    {
        return;
    }
    let fragment = address::fragment(lab);
    trouble::reproduce_with(fragment.clone());
    rewrite(&format!("#{fragment}"));
}

/// Puts an address in the place of the one in the bar.
pub fn rewrite(to: &str) {
    if let Ok(history) = window().history() {
        // Refused when asked too often; the next change writes it.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(to));
    }
}
