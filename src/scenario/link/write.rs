//! From what was opened, and done since, to the fragment of a link.

use super::{CUSTOM, ENGINE, Opened, blob, diff, script};
use crate::base::order;
use crate::base::time::Span;
use crate::scenario::presets;
use crate::scenario::v1::Scenario;

/// A readable link is at most this long; a longer one is deflated.
const LONGEST_READABLE: usize = 1_500;

/// The fragment, and the preset it belongs to.
pub fn fragment(opened: &Opened) -> (&'static str, String) {
    let preset = opened.preset.as_deref().and_then(presets::find);
    let base = preset.map(|p| p.scenario.clone()).unwrap_or_default();
    // The seed stands on its own, whatever else there is.
    let seed = opened.scenario.seed;
    let base = Scenario { seed, ..base };
    let readable = diff::pairs(&base, &opened.scenario);
    let length = |pairs: &Vec<(String, String)>| -> usize {
        pairs.iter().map(|(path, value)| path.len() + value.len() + 2).sum()
    };
    let mut pairs = match readable {
        Some(pairs) if length(&pairs) <= LONGEST_READABLE => pairs,
        _ => vec![("z".to_owned(), blob::write(&opened.scenario, &base))],
    };
    let mut add = |key: &str, value: String| pairs.push((key.to_owned(), value));
    add("v", opened.engine.unwrap_or(ENGINE).to_string());
    add("seed", seed.to_string());
    if let Some(digest) = opened.digest {
        add("d", format!("{digest:x}"));
    }
    if let Some(at) = opened.t {
        add("t", Span(at.0).to_string());
    }
    if let Some(speed) = opened.speed {
        add("speed", speed.to_string());
    }
    if let Some((x, y, zoom)) = opened.view {
        add("view", format!("{x},{y},{zoom}"));
    }
    if !opened.script.is_empty() {
        add("at", script::write(&opened.script));
    }
    for (path, value) in &opened.b {
        add(&format!("b.{path}"), value.clone());
    }
    order::up(&mut pairs);
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    (preset.map_or(CUSTOM, |p| &p.id), pairs.join("&"))
}

/// Everything but what survives unchanged is percent-encoded.
fn encoded(text: &str) -> String {
    if diff::is_plain(text) {
        return text.to_owned();
    }
    let letter = |byte: u8| match byte {
        b if diff::is_plain(&char::from(b).to_string()) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(letter).collect()
}
