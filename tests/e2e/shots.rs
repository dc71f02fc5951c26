//! Pictures of the page for people to look at: `make shots` writes them into `target/shots`.

use super::browser::{Browser, DESKTOP, EMBED, PHONE, Size};
use std::path::Path;
use std::time::Duration;

/// Name, path, size. Each is taken in light and in dark.
const SHOTS: &[(&str, &str, Size)] = &[
    ("home", "", DESKTOP),
    ("home-phone", "", PHONE),
    ("rest", "s/retry-storm/", DESKTOP),
    ("storm", "s/retry-storm/#t=19s", DESKTOP),
    ("storm-phone", "s/retry-storm/#t=19s", PHONE),
    ("storm-embed", "s/retry-storm/?embed=1#t=19s", EMBED),
    ("four-fates", "s/four-fates/#t=9s", DESKTOP),
    ("double-charge", "s/double-charge/#t=20s", DESKTOP),
    ("thundering-herd", "s/thundering-herd/#t=12s", DESKTOP),
    ("metastable", "s/metastable/#t=30s", DESKTOP),
    ("breaker-cascade", "s/breaker-cascade/#t=25s", DESKTOP),
    ("graceful-degradation", "s/graceful-degradation/#t=25s", DESKTOP),
];

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
