//! The changes from one scenario to another as readable pairs, `api.queue=50`.

use super::blob;
use crate::base::order;
use crate::scenario::compile;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::wire::Wire;
use serde_json::{Map, Number, Value};

/// The pairs that make `new` of `old`, sorted; none when no pairs do, as when nodes come or go.
pub fn pairs(old: &Scenario, new: &Scenario) -> Option<Vec<(String, String)>> {
    if !old.nodes.names().eq(new.nodes.names()) {
        return None;
    }
    // One key of an object giving way to another is a change of variant, or is not.
    [true, false].into_iter().find_map(|switches| {
        let mut pairs = Vec::new();
        differ(&old.write(), &new.write(), &mut Vec::new(), switches, &mut pairs);
        order::up(&mut pairs);
        let mut result = old.clone();
        let mut ok = true;
        for (path, text) in &pairs {
            let value = super::value(text)?;
            ok &= compile::change(&mut result, path, &value).is_ok();
        }
        (ok && result == *new).then_some(pairs)
    })
}

fn differ(
    old: &Value,
    new: &Value,
    path: &mut Vec<String>,
    switches: bool,
    pairs: &mut Vec<(String, String)>,
) {
    if old == new {
        return;
    }
    let none = Map::new();
    match new {
        Value::Object(map) if !map.is_empty() => {
            let before = old.as_object().unwrap_or(&none);
            let switch = switches && before.len() == 1 && map.len() == 1;
            for key in before.keys().filter(|key| !switch && !map.contains_key(*key)) {
                path.push(key.clone());
                pairs.push((name(path), "default".to_owned()));
                path.pop();
            }
            for (key, value) in map {
                path.push(key.clone());
                differ(before.get(key).unwrap_or(&Value::Null), value, path, switches, pairs);
                path.pop();
            }
        }
        Value::Object(_) => {
            // A variant with everything at its default is named; anything else is emptied.
            let Some((variant, before)) = path.split_last() else { return };
            let is_variant = old.is_null() && !before.is_empty();
            let pair = if is_variant {
                (name(before), variant.clone())
            } else {
                (name(path), format!("j.{}", blob::of_value(new)))
            };
            pairs.push(pair);
        }
        _ => pairs.push((name(path), text(new))),
    }
}

/// The path as people write it: without `nodes` and without what kind of node it is.
fn name(path: &[String]) -> String {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["nodes", node, _, rest @ ..] if !rest.is_empty() => format!("{node}.{}", rest.join(".")),
        ["links", link, rest @ ..] if !rest.is_empty() => format!("{link}.{}", rest.join(".")),
        _ => path.join("."),
    }
}

/// A value as people write it in a link.
fn text(value: &Value) -> String {
    let plain = match value {
        Value::String(text) => word(text),
        Value::Number(number) => Some(digits(number)),
        Value::Bool(yes) => Some(if *yes { "on" } else { "off" }.to_owned()),
        Value::Array(items) if items.len() > 1 => items
            .iter()
            .map(|item| match item {
                Value::String(text) => word(text).filter(|word| !word.contains(',')),
                Value::Number(number) => Some(digits(number)),
                _ => None,
            })
            .collect::<Option<Vec<String>>>()
            .map(|items| items.join(",")),
        _ => None,
    };
    plain.filter(|text| is_plain(text)).unwrap_or_else(|| format!("j.{}", blob::of_value(value)))
}

/// A number as people write it: `3`, not `3.0`.
fn digits(number: &Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `20/s` is written `20ps` in a link, `2%` is written `2pct`.
fn word(text: &str) -> Option<String> {
    let number = |text: &str| text.parse::<f64>().is_ok();
    if let Some(rate) = text.strip_suffix("/s").filter(|rate| number(rate)) {
        return Some(format!("{rate}ps"));
    }
    if let Some(percent) = text.strip_suffix('%').filter(|percent| number(percent)) {
        return Some(format!("{percent}pct"));
    }
    Some(text.to_owned()).filter(|text| !text.is_empty() && !text.starts_with("j."))
}

/// True if the text survives every browser and every chat unchanged.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:,+*".contains(&b))
}
