//! Scenarios from elsewhere. A link that says `src=` starts from a file at another address. It is
//! fetched by the page, without anything that tells who asks, and judged as a file that is dropped
//! on the page. Nothing else is fetched from anywhere else, but what a launch by cmi5 needs.

use crate::app::address::{self, Asked};
use crate::app::file::session_of;
use crate::app::state::{Lab, Place};
use crate::app::trouble;
use crate::base::diagnostics::Diagnostics;
use crate::scenario::link::Source;
use crate::scenario::read::MOST_TEXT;
use js_sys::{Reflect, Uint8Array};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, ReadableStreamDefaultReader, ReferrerPolicy, RequestCredentials, RequestInit,
    Response, Url,
};

/// Milliseconds that a server may take.
const PATIENCE: u32 = 20_000;

const FETCHING: &str = "Fetching the scenario that the link starts from.";

thread_local! {
    /// How many times something was opened: what was fetched for an earlier one comes too late.
    static TURN: Cell<u32> = const { Cell::new(0) };
    /// The turn for which something is being fetched.
    static FETCHING_FOR: Cell<Option<u32>> = const { Cell::new(None) };
    /// The address of the page that asked for it.
    static FETCHING_HERE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Something is opened; what is still on its way is not waited for any more. Returns the turn.
pub fn next_turn() -> u32 {
    TURN.set(TURN.get().wrapping_add(1));
    TURN.get()
}

/// Whether what was opened last is still being fetched.
pub fn is_fetching() -> bool {
    FETCHING_FOR.get() == Some(TURN.get())
}

/// Whether it is what the address bar asks for now.
pub fn is_fetching_here() -> bool {
    is_fetching() && FETCHING_HERE.with_borrow(|asked| *asked == here())
}

fn here() -> String {
    window().location().href().unwrap_or_default()
}

/// Opens what an address asks for on top of the scenario at `from`. What is on screen stays until
/// it is there, and if it cannot be had.
pub fn open(lab: Lab, asked: Asked, from: String) {
    let turn = next_turn();
    // Whatever the address bar says when it is there, this is the link as it came.
    let page = here();
    FETCHING_FOR.set(Some(turn));
    FETCHING_HERE.set(page.clone());
    let first = lab.place.get_untracked() == Place::Gallery;
    lab.waiting.set(first);
    lab.told.set(FETCHING);
    spawn_local(async move {
        let found = source(&from, &page).await;
        if TURN.get() != turn {
            return;
        }
        FETCHING_FOR.set(None);
        lab.waiting.set(false);
        match found {
            Ok(source) => {
                address::open_on(lab, &asked, source);
                if asked.play {
                    lab.play();
                }
            }
            Err(mut problems) => {
                if first {
                    address::open(lab, &Asked { fragment: String::new(), ..asked.clone() });
                }
                problems.extend(asked.problems);
                lab.problems.set(problems);
                lab.broken.set(Some(page));
                lab.told.set(if first { "" } else { trouble::KEPT });
            }
        }
    });
}

/// What is wrong with a source.
fn wrong(message: String, remedy: &str) -> Diagnostics {
    let mut problems = Diagnostics::default();
    problems.error("src", message, remedy);
    problems
}

/// The address of a source as the browser understands it on a page of this address, if the page may
/// ask there: at its own origin, or by https.
fn allowed(from: &str, page: &str) -> Result<String, Diagnostics> {
    let Ok(there) = Url::new_with_base(from, page).map(|there| there.href()) else {
        let message = format!("`{from}` is no address");
        return Err(wrong(message, "write https://…, percent-encoded"));
    };
    if there.starts_with("https://") || there.starts_with(&origin(page)) {
        return Ok(there);
    }
    let message = format!("`{from}` is not an https address");
    Err(wrong(message, "only https is fetched, and what is beside this page"))
}

/// What is at an address, as a page of this address understands it. It is kept as every page of the
/// site understands it, since the run goes on at another.
async fn source(from: &str, page: &str) -> Result<Source, Diagnostics> {
    let address = allowed(from, page)?;
    let text = fetched(&address, page).await?;
    let scenario = session_of(&text)?.origin().clone();
    Ok(Source { address: lasting(address, page), scenario })
}

/// An address at the origin of the page as a path from its root.
fn lasting(address: String, page: &str) -> String {
    let path = address.strip_prefix(&origin(page)).filter(|path| !path.starts_with('/'));
    path.map(|path| format!("/{path}")).unwrap_or(address)
}

/// The origin of a page, with a stroke at its end.
fn origin(page: &str) -> String {
    page.split_inclusive('/').take(3).collect()
}

/// The text at an address.
async fn fetched(address: &str, page: &str) -> Result<String, Diagnostics> {
    let how = RequestInit::new();
    how.set_credentials(RequestCredentials::Omit);
    how.set_referrer_policy(ReferrerPolicy::NoReferrer);
    how.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let unreachable = |_| {
        let remedy = "see whether it is there, and whether its server lets pages of other origins \
                      read it (CORS)";
        wrong(format!("`{address}` cannot be fetched"), remedy)
    };
    let answer = JsFuture::from(window().fetch_with_str_and_init(address, &how));
    let answer: Response = answer.await.map_err(unreachable)?.unchecked_into();
    if !answer.ok() {
        let message = format!("`{address}` is answered with {}", answer.status());
        return Err(wrong(message, "see whether the file is still there"));
    }
    // It may have been led on to somewhere else.
    allowed(&answer.url(), page)?;
    let bytes = bytes_of(&answer).await.map_err(unreachable)?;
    let Some(bytes) = bytes else {
        let message = format!("`{address}` has more than {MOST_TEXT} bytes");
        return Err(wrong(message, "a scenario is smaller; nothing of it was used"));
    };
    String::from_utf8(bytes)
        .map_err(|_| wrong(format!("`{address}` is not text"), "give the address of a JSON file"))
}

/// All of an answer; none if it is too long, which is not waited for.
async fn bytes_of(answer: &Response) -> Result<Option<Vec<u8>>, JsValue> {
    let mut bytes = Vec::new();
    let Some(body) = answer.body() else { return Ok(Some(bytes)) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    loop {
        let part = JsFuture::from(reader.read()).await?;
        if Reflect::get(&part, &"done".into())?.as_bool() == Some(true) {
            return Ok(Some(bytes));
        }
        let part: Uint8Array = Reflect::get(&part, &"value".into())?.unchecked_into();
        if bytes.len() + part.length() as usize > MOST_TEXT {
            // Whether the rest is still sent is of no importance.
            let _ = reader.cancel();
            return Ok(None);
        }
        bytes.extend(part.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn a_source_is_kept_as_every_page_of_the_site_understands_it() {
        let page = "http://localhost:8080/s/x/?theme=dark#src=own.json";
        for (from, kept) in [
            ("own.json", "/s/x/own.json"),
            ("/own.json", "/own.json"),
            ("http://localhost:8080/own.json", "/own.json"),
            ("https://x.org/a.json", "https://x.org/a.json"),
            ("http://localhost:8080//x.org/a", "http://localhost:8080//x.org/a"),
        ] {
            let address = allowed(from, page).expect(from);
            assert_eq!(lasting(address.clone(), page), kept);
            // It is read back as the same.
            assert_eq!(allowed(kept, "http://localhost:8080/"), Ok(address));
        }
    }

    #[wasm_bindgen_test]
    fn https_is_fetched_and_what_is_beside_the_page() {
        let page = "http://localhost:8080/lab/s/x/?embed=1#src=own.json";
        let at = |from: &str| allowed(from, page).ok();
        let own = "http://localhost:8080/own.json";
        assert_eq!(at("/own.json").as_deref(), Some(own));
        assert_eq!(at(own).as_deref(), Some(own));
        assert_eq!(at("../own.json").as_deref(), Some("http://localhost:8080/lab/s/own.json"));
        assert_eq!(at("https://x.org/a.json").as_deref(), Some("https://x.org/a.json"));
        for refused in ["http://x.org/a.json", "http://localhost:81/a", "data:,{}", "file:///a"] {
            let problems = allowed(refused, page).expect_err(refused);
            let said = problems.to_string();
            assert!(said.contains("is not an https address") && said.contains("src"), "{said}");
        }
        assert!(allowed("https://", page).is_err());
    }
}
