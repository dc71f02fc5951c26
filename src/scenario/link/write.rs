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
    let source = opened.source.as_deref();
    let near = source.map(|s| &s.scenario).or(preset.map(|p| &p.scenario));
    // The seed stands on its own, whatever else there is.
    let seed = opened.scenario.seed;
    let with_seed =
        |base: Option<&Scenario>| Scenario { seed, ..base.cloned().unwrap_or_default() };
    let readable = diff::pairs(&with_seed(near), &opened.scenario);
    let length = |pairs: &Vec<(String, String)>| -> usize {
        pairs.iter().map(|(path, value)| path.len() + value.len() + 2).sum()
    };
    let mut pairs = match readable {
        Some(mut pairs) if length(&pairs) <= LONGEST_READABLE => {
            pairs.extend(source.map(|source| ("src".to_owned(), source.address.clone())));
            pairs
        }
        // What is whole needs nothing from elsewhere.
        _ => {
            let base = with_seed(preset.map(|p| &p.scenario));
            vec![("z".to_owned(), blob::write(&opened.scenario, &base))]
        }
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
