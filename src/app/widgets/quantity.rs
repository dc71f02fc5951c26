//! Quantities in forms: is this text one, and what is the next one up or down. Pure.

use crate::app::panels::form::schema::Format;
use crate::base::time::Span;
use crate::base::unit::{Chance, Rate};

/// What is wrong with `text` as a quantity of `format`, if anything.
pub fn complaint(format: Format, text: &str) -> Option<String> {
    match format {
        Format::Span => text.parse::<Span>().err(),
        Format::Rate => text.parse::<Rate>().err(),
        Format::Chance => text.parse::<Chance>().err(),
        Format::Plain => None,
    }
}

/// What to write, as an example.
pub fn example(format: Format) -> &'static str {
    match format {
        Format::Span => "250ms",
        Format::Rate => "20/s",
        Format::Chance => "1%",
        Format::Plain => "",
    }
}

/// The next quantity up or down a scale of 1, 2, 5, 10; the text unchanged when it is not one.
pub fn nudge(format: Format, text: &str, up: bool) -> String {
    let nudged = match format {
        Format::Span => text.parse::<Span>().map(|s| Span(whole(s.0 as f64, up)).to_string()).ok(),
        Format::Rate => text.parse::<Rate>().map(|r| Rate(whole(r.0 as f64, up)).to_string()).ok(),
        Format::Chance => text.parse::<Chance>().ok().map(|chance| {
            let next = whole(f64::from(chance.0), up).min(1_000_000);
            Chance(u32::try_from(next).unwrap_or(1_000_000)).to_string()
        }),
        Format::Plain => None,
    };
    nudged.unwrap_or_else(|| text.to_owned())
}

fn whole(value: f64, up: bool) -> u64 {
    libm::round(one_two_five(value, up)) as u64
}

/// The neighbour of `value` among 1, 2, 5, 10, 20, ….
fn one_two_five(value: f64, up: bool) -> f64 {
    if value < 1.0 {
        return if up { 1.0 } else { 0.0 };
    }
    let power = libm::pow(10.0, libm::floor(libm::log10(value) + 1e-9));
    let digit = value / power;
    let steps = [0.5, 1.0, 2.0, 5.0, 10.0];
    let next = if up {
        steps.into_iter().find(|s| *s > digit + 1e-6)
    } else {
        steps.into_iter().rev().find(|s| *s < digit - 1e-6)
    };
    next.unwrap_or(digit) * power
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn nudges_walk_a_scale_people_use() {
        for (format, text, up, next) in [
            (Format::Span, "250ms", true, "500ms"),
            (Format::Span, "250ms", false, "200ms"),
            (Format::Span, "1s", false, "500ms"),
            (Format::Span, "0s", true, "1us"),
            (Format::Rate, "20/s", true, "50/s"),
            (Format::Chance, "1%", true, "2%"),
            (Format::Chance, "100%", true, "100%"),
            (Format::Span, "soon", true, "soon"),
        ] {
            assert_eq!(nudge(format, text, up), next, "{text}");
        }
    }

    #[wasm_bindgen_test]
    fn complaints_name_the_value_and_the_remedy() {
        let said = complaint(Format::Span, "fast").unwrap_or_default();
        assert!(said.contains("fast") && said.contains("250ms"), "{said}");
        for format in [Format::Span, Format::Rate, Format::Chance] {
            assert_eq!(complaint(format, example(format)), None);
        }
    }
}
