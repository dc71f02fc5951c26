//! How the page looks, said by the host after it was loaded.

use super::fields::{Refusal, first};
use crate::app::state::Lab;
use crate::app::{address, chrome, embed, shell};
use leptos::prelude::*;
use serde_json::Value;

/// What the address says of how the page looks, said later: all of it or nothing.
pub fn change(lab: Lab, message: &Value) -> Result<(), Refusal> {
    let mut looks = Vec::new();
    for (name, value) in message.as_object().into_iter().flatten() {
        match name.as_str() {
            "netsplit" | "type" | "id" => {}
            look if ["theme", "motion"].contains(&look) || chrome::ASKS.contains(&look) => {
                looks.push((name.clone(), word(name, value)?));
            }
            _ => return Err(Refusal::new("unsupported", "it stays as it was loaded", name)),
        }
    }
    let asked = address::parse("", &looks, "");
    if !asked.problems.is_empty() {
        return Err(first(&asked.problems));
    }
    let mut moves = false;
    for (name, value) in &looks {
        match name.as_str() {
            "theme" => lab.theme.set(asked.theme),
            "motion" => lab.calm.set(shell::is_calm(asked.calm)),
            _ => {
                chrome::note(name, value);
                moves = true;
            }
        }
    }
    if moves {
        // What stands where is settled when a place is shown.
        embed::lay_out(lab);
    }
    Ok(())
}

/// A value as it stands in an address. A list of parts or settings may be one here, too.
fn word(name: &str, value: &Value) -> Result<String, Refusal> {
    let says = || Refusal::new("invalid", format!("`{name}` must be a text"), name);
    let one = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(says);
    let Some(list) = value.as_array().filter(|_| matches!(name, "show" | "hide")) else {
        return one(value);
    };
    let mut words = String::new();
    for value in list {
        if !words.is_empty() {
            words.push(',');
        }
        words += &one(value)?;
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn a_look_is_a_text_and_what_is_shown_may_be_a_list() {
        let said = |name: &str, value: Value| word(name, &value).ok();
        assert_eq!(said("theme", json!("dark")).as_deref(), Some("dark"));
        assert_eq!(said("hide", json!(["story", "legend"])).as_deref(), Some("story,legend"));
        assert_eq!(said("show", json!([])).as_deref(), Some(""));
        for wrong in [json!(["dark"]), json!(5), json!(null)] {
            assert_eq!(said("theme", wrong), None);
        }
        assert_eq!(said("hide", json!(["story", 5])), None);
    }
}
