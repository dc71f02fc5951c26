//! The page: everything that knows a browser (feature `app`).
//!
//! Read [`state`] first, then [`dom`], which everything on the page is made with. The run is
//! advanced by [`driver`], shown by [`stage`], explained by [`panels`], named by [`address`];
//! [`shell`] puts them together.

#![expect(non_snake_case, reason = "components are named like things, as everywhere in Leptos")]

pub mod actions;
pub mod address;
pub mod chrome;
pub mod dom;
pub mod driver;
pub mod embed;
pub mod file;
pub mod host;
pub mod icon;
pub mod in_step;
pub mod keys;
pub mod panels;
pub mod shell;
pub mod source;
pub mod stage;
pub mod state;
pub mod time;
pub mod trouble;
pub mod views;
pub mod widgets;

// The page's own unit tests run where the page does: `make test-browser`.
#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
