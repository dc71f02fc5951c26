//! Tests that run in a real browser: `make test-browser`, or `wasm-pack test --headless --chrome
//! -- --no-default-features --features app --test browser`.
#![cfg(target_arch = "wasm32")]

mod dom;
#[path = "../it/golden.rs"]
mod golden;

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn draws_keep_their_bits() {
    golden::draws_keep_their_bits();
}

#[wasm_bindgen_test]
fn presets_run_as_they_do_natively() {
    golden::presets_keep_their_digests();
}
