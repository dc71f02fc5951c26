//! What is too long or too different to be read: JSON, deflated, with a checksum.

use crate::base::diagnostics::Diagnostics;
use crate::scenario::compile::whole;
use crate::scenario::read;
use crate::scenario::v1::Scenario;
use crate::scenario::v1::wire::Wire;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde_json::Value;

/// The best that the compressor can do.
const BEST: u8 = 10;

/// The scenario that a blob makes of `base`; it compiles.
pub fn read(blob: &str, base: &Scenario) -> Result<Scenario, Diagnostics> {
    let mut problems = Diagnostics::default();
    let broken = |problems: &mut Diagnostics, message: &str, remedy: &str| {
        problems.error("z", message, remedy);
        std::mem::take(problems)
    };
    let mut parts = blob.splitn(3, '.');
    let (codec, sum, text) = (parts.next(), parts.next(), parts.next());
    let (Some(codec), Some(sum), Some(text)) = (codec, sum, text) else {
        return Err(broken(&mut problems, "this link was cut off", "copy it again, whole"));
    };
    if codec != "1" && codec != "2" {
        let remedy = "open it with a newer netsplit";
        return Err(broken(&mut problems, "this link is of a kind not known here", remedy));
    }
    if u16::from_str_radix(sum, 16) != Ok(crc16(text.as_bytes())) {
        return Err(broken(&mut problems, "this link was cut off", "copy it again, whole"));
    }
    let Some(patch) = inflated(text) else {
        let remedy = "256 kB of text is the limit";
        return Err(broken(&mut problems, "this link holds no scenario", remedy));
    };
    // Nobody can correct a text that is packed into a link.
    let Ok(patch) = read::json(&patch) else {
        let remedy = "make it again from its scenario";
        return Err(broken(&mut problems, "this link holds no scenario", remedy));
    };
    let whole = if codec == "1" {
        let mut whole = base.write();
        merge(&mut whole, patch);
        whole
    } else {
        patch
    };
    whole::value(&whole)
}

/// The blob that makes `scenario` of `base`.
pub fn write(scenario: &Scenario, base: &Scenario) -> String {
    let (from, to) = (base.write(), scenario.write());
    let patch = patch(&from, &to);
    let mut patched = from;
    merge(&mut patched, patch.clone());
    // A patch cannot change the order of nodes, on which their ids depend.
    let same = serde_json::to_string(&patched).ok() == serde_json::to_string(&to).ok();
    let (codec, json) = if same { ("1", patch) } else { ("2", to) };
    sealed(codec, &compress_to_vec(json.to_string().as_bytes(), BEST))
}

fn sealed(codec: &str, bytes: &[u8]) -> String {
    let text = BASE64.encode(bytes);
    format!("{codec}.{:04x}.{text}", crc16(text.as_bytes()))
}

/// A blob of anything, with a good checksum.
#[cfg(all(test, not(target_arch = "wasm32")))]
pub fn of_bytes(bytes: &[u8]) -> String {
    sealed("1", bytes)
}

/// A JSON value from base64url of its text.
pub fn value(text: &str) -> Option<Value> {
    let bytes = BASE64.decode(text).ok()?;
    read::json(std::str::from_utf8(&bytes).ok()?).ok()
}

/// Base64url of the text of a JSON value.
pub fn of_value(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

fn inflated(text: &str) -> Option<String> {
    let bytes = BASE64.decode(text).ok()?;
    let plain = decompress_to_vec_with_limit(&bytes, read::MOST_TEXT).ok()?;
    String::from_utf8(plain).ok()
}

/// JSON merge patch (RFC 7396): null takes away, objects are merged, the rest replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The merge patch from one value to another. Scenarios hold no nulls.
fn patch(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let mut patch = serde_json::Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        match from.get(key) {
            Some(old) if old == value => {}
            Some(old) if old.is_object() && value.is_object() => {
                patch.insert(key.clone(), self::patch(old, value));
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

/// CRC-16/CCITT-FALSE: notices that a link was cut off.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc16(b"123456789"), 0x29b1);
    }

    #[test]
    fn patches_lead_from_one_value_to_the_other() {
        let values = [
            json!({}),
            json!({"a": 1, "b": {"c": 2, "d": [1, 2]}}),
            json!({"b": {"c": {"e": 1}}}),
            json!({"a": {"x": {}}, "b": 5}),
        ];
        for from in &values {
            for to in &values {
                let mut result = from.clone();
                merge(&mut result, patch(from, to));
                assert_eq!(&result, to);
            }
        }
    }
}
