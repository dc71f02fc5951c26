//! Pictures of the page for people to look at: `make shots` writes them into `target/shots`.

use super::browser::{Browser, DESKTOP, EMBED, PHONE, Size};
use std::path::Path;
use std::time::Duration;

/// Name, path, size. Each is taken in light and in dark.
const SHOTS: &[(&str, &str, Size)] =
    &[("home", "", DESKTOP), ("home-phone", "", PHONE), ("home-embed", "?embed", EMBED)];

#[test]
#[ignore = "writes pictures instead of asserting something; run: make shots"]
#[expect(clippy::disallowed_methods, reason = "a picture is taken after some real time")]
fn write() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/shots");
    let browser = Browser::open("");
    for theme in ["light", "dark"] {
        browser.prefer(&[("prefers-color-scheme", theme)]);
        for (name, path, size) in SHOTS {
            browser.resize(*size);
            browser.go("about:blank");
            browser.go(path);
            // Long enough for the run to show something.
            std::thread::sleep(Duration::from_secs(3));
            browser.screenshot(&folder.join(format!("{name}-{theme}.png")));
        }
    }
}
