//! A field for text, a number or a quantity with its unit. What was typed is applied with Enter
//! or on leaving; Escape takes it back; the arrow keys move quantities to the next round one. A
//! wrong text stays where it is with the reason beside it, and the old value stays in force.

use super::quantity::{complaint, example, nudge};
use crate::app::dom::view::View;
use crate::app::dom::{El, html};
use crate::app::panels::form::schema::Format;
use leptos::ev;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

/// What a field accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Accepts {
    /// Text or a quantity of this format.
    Text(Format),
    /// A number.
    Number {
        /// No fractions.
        whole: bool,
        /// The least allowed.
        low: Option<f64>,
        /// The greatest allowed.
        high: Option<f64>,
    },
}

impl Accepts {
    /// What is wrong with `text`, if anything.
    pub fn complaint(self, text: &str) -> Option<String> {
        let (whole, low, high) = match self {
            Accepts::Text(format) => return complaint(format, text),
            Accepts::Number { whole, low, high } => (whole, low, high),
        };
        let remedy = if whole { "write a whole number, as 8" } else { "write a number, as 0.5" };
        if text.is_empty() {
            return Some(format!("it is empty ({remedy}, or press Escape)"));
        }
        let Ok(number) = text.parse::<f64>() else {
            return Some(format!("`{text}` is not a number ({remedy})"));
        };
        if !number.is_finite() || (whole && libm::trunc(number).to_bits() != number.to_bits()) {
            let whole = if whole { "whole " } else { "" };
            return Some(format!("`{text}` is not a {whole}number ({remedy})"));
        }
        match (low, high) {
            (Some(low), _) if number < low => Some(format!("{text} is below {low}, the least")),
            (_, Some(high)) if number > high => Some(format!("{text} is above {high}, the most")),
            _ => None,
        }
    }

    fn nudge(self, text: &str, up: bool) -> String {
        match self {
            Accepts::Text(format) => nudge(format, text, up),
            Accepts::Number { low, high, .. } => match text.parse::<f64>() {
                Ok(number) => {
                    let next = if up { number + 1.0 } else { number - 1.0 };
                    next.max(low.unwrap_or(next)).min(high.unwrap_or(next)).to_string()
                }
                Err(_) => text.to_owned(),
            },
        }
    }

    fn example(self) -> &'static str {
        match self {
            Accepts::Text(format) => example(format),
            Accepts::Number { .. } => "",
        }
    }

    fn has_steps(self) -> bool {
        !matches!(self, Accepts::Text(Format::Plain))
    }
}

/// A field. The label is the caller's; `id` ties them together.
///
/// `problem` is what is wrong with the value last applied, from elsewhere; `change` takes a new,
/// well-formed value.
pub fn Field(
    id: String,
    accepts: Accepts,
    value: Memo<String>,
    problem: Memo<Option<String>>,
    change: impl Fn(String) + Clone + 'static,
) -> impl Into<View> {
    let draft = RwSignal::new(None::<String>);
    let wrong = RwSignal::new(None::<String>);
    let apply = move |text: String| {
        let text = text.trim().to_owned();
        match accepts.complaint(&text) {
            Some(said) => wrong.set(Some(said)),
            None => {
                wrong.set(None);
                draft.set(None);
                if text != value.get_untracked() {
                    change(text);
                }
            }
        }
    };
    let typed = apply.clone();
    let keys = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => typed(event_target_value(&event)),
        "Escape" if draft.get_untracked().is_some() => {
            event.prevent_default();
            event.stop_propagation();
            draft.set(None);
            wrong.set(None);
        }
        key @ ("ArrowUp" | "ArrowDown") if accepts.has_steps() => {
            event.prevent_default();
            typed(accepts.nudge(&event_target_value(&event), key == "ArrowUp"));
        }
        _ => {}
    };
    let said = move || wrong.get().or_else(|| problem.get());
    let note = format!("{id}-note");
    let described_by = note.clone();
    html("span")
        .class("field")
        .class_when("field-wrong", move || said().is_some())
        .child(
            html("input")
                .attr("id", id)
                .class("field-input")
                .attr("type", "text")
                .attr(
                    "inputmode",
                    if matches!(accepts, Accepts::Number { .. }) { "decimal" } else { "text" },
                )
                .attr("autocomplete", "off")
                .attr("spellcheck", "false")
                .attr("placeholder", accepts.example())
                .value(move || draft.get().unwrap_or_else(|| value.get()))
                .attr("aria-invalid", move || if said().is_some() { "true" } else { "false" })
                .attr("aria-describedby", move || said().map(|_| described_by.clone()))
                .on(ev::input, move |event| {
                    draft.set(Some(event_target_value(&event)));
                    wrong.set(None);
                })
                .on(ev::keydown, keys)
                .on(ev::blur, move |event| {
                    if draft.get_untracked().is_some() {
                        apply(event_target_value(&event));
                    }
                }),
        )
        .child(move || said().map(|text| Note(note.clone(), text)))
}

/// What is wrong, below the field.
fn Note(id: String, text: String) -> El {
    html("span")
        .class("field-note")
        .attr("id", id)
        .child(html("span").attr("aria-hidden", "true").child("✕ "))
        .child(text)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn numbers_outside_their_range_are_named() {
        let workers = Accepts::Number { whole: true, low: Some(1.0), high: Some(64.0) };
        assert_eq!(workers.complaint("8"), None);
        for wrong in ["0", "65", "1e99", "1.5", "many", "inf", "NaN"] {
            let said = workers.complaint(wrong).unwrap_or_default();
            assert!(said.contains(wrong), "{wrong}: {said}");
        }
        for wrong in ["", "many", "1.5"] {
            let said = workers.complaint(wrong).unwrap_or_default();
            assert!(said.contains("write a whole number, as 8"), "{wrong}: {said}");
        }
        let share = Accepts::Number { whole: false, low: None, high: None };
        let said = share.complaint("inf").unwrap_or_default();
        assert_eq!(said, "`inf` is not a number (write a number, as 0.5)");
        assert_eq!(workers.nudge("64", true), "64");
        assert_eq!(workers.nudge("8", false), "7");
    }
}
