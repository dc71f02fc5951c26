//! Who is listened to, and where answers go. Nothing else of the page knows of frames.

use crate::scenario::read;
use crate::session::facts::put;
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::JsValue;
use web_sys::{MessageEvent, Url, Window};

/// The page around this one, and whether this one tells itself.
pub struct Port {
    parent: Option<Window>,
    /// Where the host is from, if the address says so.
    pub origin: Option<String>,
    /// Whether the reporter to a learning management system listens, in this very page.
    lms: bool,
}

/// A message of the host.
pub struct Heard {
    /// Where it came from, as the browser says.
    pub from: String,
    /// The fields, or why they cannot be read.
    pub message: Result<Value, String>,
}

impl Port {
    /// To the page around this one, if there is one and it is to be heard.
    pub fn new(api: bool, origin: &str, lms: bool) -> Port {
        let window = window();
        let parent = window.parent().ok().flatten();
        let parent = parent.filter(|parent| api && !js_sys::Object::is(parent, &window));
        Port { parent, origin: named(origin), lms }
    }

    /// Whether there is nobody to listen to and nobody to tell.
    pub fn is_deaf(&self) -> bool {
        self.parent.is_none() && !self.lms
    }

    /// Says something unasked to those who are known.
    pub fn tell(&self, message: Value) {
        if let (Some(parent), Some(origin)) = (&self.parent, &self.origin) {
            post(parent, origin, message.clone());
        }
        if self.lms {
            // To this page and no other, whatever its origin.
            post(&window(), "/", message);
        }
    }

    /// Says what anybody may know.
    pub fn tell_any(&self, message: Value) {
        if let Some(parent) = &self.parent {
            post(parent, self.origin.as_deref().unwrap_or("*"), message);
        }
    }

    /// Answers whoever asked. Nobody can be answered alone who has no origin.
    pub fn reply(&self, to: &str, message: Value) {
        if let Some(parent) = self.parent.as_ref().filter(|_| named(to).is_some()) {
            post(parent, to, message);
        }
    }
}

/// An origin that names somebody, as browsers write it: neither `null`, which every file and every
/// sandbox has, nor `*`.
fn named(origin: &str) -> Option<String> {
    let origin = Url::new(origin).ok()?.origin();
    // Some browsers say `file://` of files.
    (origin != "null" && !origin.ends_with('/')).then_some(origin)
}

/// A message in its envelope.
pub fn envelope(kind: &str, mut fields: Value) -> Value {
    put(&mut fields, "netsplit", 1.into());
    put(&mut fields, "type", kind.into());
    fields
}

fn post(to: &Window, origin: &str, message: Value) {
    if let Ok(message) = js_sys::JSON::parse(&message.to_string()) {
        // Refused when the origin of the address is none: then nobody is told.
        let _ = to.post_message(&message, origin);
    }
}

/// What an event says, if it is for this page and from whom it listens to.
pub fn heard(port: &Port, event: &MessageEvent) -> Option<Heard> {
    let (source, from, data) = (event.source()?, event.origin(), event.data());
    let parent = port.parent.as_ref()?;
    let from_parent = js_sys::Object::is(&source, parent);
    let expected = port.origin.as_ref().is_none_or(|origin| *origin == from);
    let version = js_sys::Reflect::get(&data, &JsValue::from_str("netsplit")).ok()?;
    if !from_parent || !expected || version.as_f64() != Some(1.0) {
        return None;
    }
    let text = js_sys::JSON::stringify(&data).ok().and_then(|text| text.as_string());
    let message = match text {
        Some(text) => read::json(&text).map_err(|problems| problems.to_string()),
        None => Err("the message is no plain data".to_owned()),
    };
    Some(Heard { from, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn only_an_origin_of_its_own_names_somebody() {
        for nobody in ["", "null", "*", "/", "course.example", "localhost:8080", "file:///a/b"] {
            assert_eq!(named(nobody), None, "{nobody}");
        }
        for course in ["https://course.example/", "HTTPS://Course.Example:443/unit/7?x=1#y"] {
            assert_eq!(named(course).as_deref(), Some("https://course.example"));
        }
        assert_eq!(named("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
    }

    #[wasm_bindgen_test]
    fn without_a_page_around_it_and_a_launch_it_is_deaf() {
        // Where the tests run there is none; nor is this page its own host.
        assert!(Port::new(true, "https://course.example", false).is_deaf());
        assert!(Port::new(false, "", false).is_deaf());
        assert!(!Port::new(false, "", true).is_deaf());
    }
}
