//! The page as such: it opens in any folder, says what it is, and is calm.

use super::browser::Browser;

#[test]
fn opens_in_a_folder_without_an_error() {
    let browser = Browser::open("");
    browser.until("the WebAssembly module, started", || {
        browser.script("return 'wasmBindings' in window").as_bool().filter(|&started| started)
    });
    assert!(
        browser.script("return document.title").as_str().is_some_and(|t| t.contains("netsplit"))
    );
    browser.assert_calm();
}
