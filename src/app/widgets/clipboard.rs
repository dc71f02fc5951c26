//! Copying text, where it is allowed: the clipboard interface, else the old command, else the
//! person is told to copy the selected text. An embed may be refused the first two.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// How copying went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It is on the clipboard.
    Yes,
    /// The browser refused; the text is selected in its box.
    Refused,
}

/// Copies what is in the text box, selecting it first, and says how it went.
pub fn copy(area: web_sys::HtmlTextAreaElement, done: impl FnOnce(Copied) + 'static) {
    area.select();
    let text = area.value();
    let Some(clipboard) = interface() else {
        done(old_copy());
        return;
    };
    let promise = clipboard.write_text(&text);
    spawn_local(async move {
        let wrote = JsFuture::from(promise).await.is_ok();
        // The selection may have been lost while waiting.
        area.select();
        done(if wrote { Copied::Yes } else { old_copy() });
    });
}

/// Copies `text` that is in no box, by way of one out of sight.
pub fn copy_text(text: &str, done: impl FnOnce(Copied) + 'static) {
    let made = document().create_element("textarea").ok();
    let area = made.and_then(|e| e.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
    let (Some(area), Some(body)) = (area, document().body()) else {
        done(Copied::Refused);
        return;
    };
    area.set_value(text);
    area.set_class_name("unseen");
    if body.append_child(&area).is_err() {
        done(Copied::Refused);
        return;
    }
    let before =
        document().active_element().and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok());
    let shadow = area.clone();
    copy(area, move |how| {
        shadow.remove();
        if let Some(element) = &before {
            // A refused focus leaves the keyboard at the start of the page.
            let _ = element.focus();
        }
        done(how);
    });
}

/// The clipboard interface, absent on pages that were not loaded securely.
fn interface() -> Option<web_sys::Clipboard> {
    let navigator = window().navigator();
    let value = js_sys::Reflect::get(&navigator, &"clipboard".into()).ok()?;
    value.dyn_into().ok()
}

fn old_copy() -> Copied {
    let document: web_sys::HtmlDocument = match document().dyn_into() {
        Ok(document) => document,
        Err(_) => return Copied::Refused,
    };
    match document.exec_command("copy") {
        Ok(true) => Copied::Yes,
        _ => Copied::Refused,
    }
}

/// Offers `text` as a file called `name`. Says whether the browser took it.
pub fn download(name: &str, kind: &str, text: &str) -> bool {
    let give = || -> Result<(), wasm_bindgen::JsValue> {
        let options = web_sys::BlobPropertyBag::new();
        options.set_type(kind);
        let parts = js_sys::Array::of1(&text.into());
        let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options)?;
        let url = web_sys::Url::create_object_url_with_blob(&blob)?;
        let anchor: web_sys::HtmlAnchorElement = document().create_element("a")?.unchecked_into();
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
        web_sys::Url::revoke_object_url(&url)
    };
    give().is_ok()
}
