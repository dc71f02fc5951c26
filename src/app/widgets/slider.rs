//! A slider over numbers, even or by factors, with its value in words.

use leptos::prelude::*;

/// What a slider moves over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The value at the left end.
    pub low: f64,
    /// The value at the right end.
    pub high: f64,
    /// Equal ways along the slider multiply by equal factors; `low` must be above zero.
    pub by_factor: bool,
    /// How many steps from end to end.
    pub steps: u32,
}

impl Reach {
    /// Where `value` stands, in steps.
    pub fn step_of(self, value: f64) -> f64 {
        let part = if self.by_factor {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let steps = f64::from(self.steps);
        if part.is_nan() { 0.0 } else { libm::round(part * steps).clamp(0.0, steps) }
    }

    /// The value at `step`.
    pub fn value_at(self, step: f64) -> f64 {
        let part = (step / f64::from(self.steps)).clamp(0.0, 1.0);
        if self.by_factor {
            self.low * libm::pow(self.high / self.low, part)
        } else {
            self.low + (self.high - self.low) * part
        }
    }
}

/// A slider.
#[component]
pub fn Slider(
    /// What it sets.
    #[prop(into)]
    label: String,
    /// What it moves over.
    reach: Reach,
    /// The value.
    #[prop(into)]
    value: Signal<f64>,
    /// The value in words, beside the slider and read out.
    #[prop(into)]
    say: Callback<f64, String>,
    /// What moving it does.
    #[prop(into)]
    change: Callback<f64>,
) -> impl IntoView {
    let said = move || say.run(value.get());
    view! {
        <label class="slider">
            <span class="slider-label">{label}</span>
            <input
                type="range"
                min="0"
                max=reach.steps
                step="1"
                prop:value=move || reach.step_of(value.get()).to_string()
                aria-valuetext=said
                on:input=move |event| {
                    if let Ok(step) = event_target_value(&event).parse() {
                        change.run(reach.value_at(step));
                    }
                }
            />
            <output class="slider-value">{said}</output>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_values_agree() {
        let even = Reach { low: 0.0, high: 10.0, by_factor: false, steps: 100 };
        let speed = Reach { low: 0.001, high: 1000.0, by_factor: true, steps: 60 };
        assert!((speed.value_at(30.0) - 1.0).abs() < 1e-9);
        for step in [0.0, 7.0, 60.0] {
            assert!((even.step_of(even.value_at(step)) - step).abs() < 1e-9);
            assert!((speed.step_of(speed.value_at(step)) - step).abs() < 1e-9);
        }
        assert!(speed.step_of(0.0).abs() < 1e-9);
    }
}
