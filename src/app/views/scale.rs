//! The geometry of charts: scales, ticks, numbers as text, and what a pixel column shows. Knows
//! nothing of a browser; every length is a fraction of the drawing until someone multiplies it.

/// How values spread over the height of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// From zero to `top`, evenly.
    Linear {
        /// The value at the upper edge.
        top: f64,
    },
    /// Each tenfold takes the same height.
    Log {
        /// The value at the lower edge.
        bottom: f64,
        /// The value at the upper edge.
        top: f64,
    },
}

/// A labelled line across a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where, from 0 (bottom) to 1 (top).
    pub at: f64,
    /// What it says.
    pub label: String,
}

impl Scale {
    /// An even scale from zero that holds `highest` and ends on a tick.
    pub fn linear(highest: f64) -> Scale {
        let highest = if highest.is_finite() && highest > 0.0 { highest } else { 1.0 };
        let step = nice_step(highest, 3);
        Scale::Linear { top: libm::ceil(highest / step - 1e-9) * step }
    }

    /// A scale of whole tenfolds that holds `lowest` to `highest`.
    pub fn log(lowest: f64, highest: f64) -> Scale {
        let usable = lowest.is_finite() && highest.is_finite() && lowest > 0.0;
        let (lowest, highest) =
            if usable && highest >= lowest { (lowest, highest) } else { (1.0, 10.0) };
        let bottom = libm::floor(libm::log10(lowest) + 1e-9);
        let top = libm::ceil(libm::log10(highest) - 1e-9).max(bottom + 1.0);
        Scale::Log { bottom: libm::pow(10.0, bottom), top: libm::pow(10.0, top) }
    }

    /// Where `value` stands, from 0 (bottom) to 1 (top); values outside are held at the edges.
    pub fn place(self, value: f64) -> f64 {
        let at = match self {
            Scale::Linear { top } => value / top,
            Scale::Log { bottom, .. } if value <= bottom => 0.0,
            Scale::Log { bottom, top } => libm::log10(value / bottom) / libm::log10(top / bottom),
        };
        if at.is_nan() { 0.0 } else { at.clamp(0.0, 1.0) }
    }

    /// Labelled lines, about `about` of them, the edges included.
    pub fn ticks(self, about: u32) -> Vec<Tick> {
        match self {
            Scale::Linear { top } => {
                let step = nice_step(top, about);
                let count = libm::round(top / step) as u32;
                let values = (0..=count).map(|n| f64::from(n) * step);
                values.map(|v| Tick { at: self.place(v), label: short(v) }).collect()
            }
            Scale::Log { bottom, top } => {
                let decades = libm::round(libm::log10(top / bottom)) as u32;
                let every = decades.div_ceil(about.max(1)).max(1);
                let values = (0..=decades).step_by(every as usize);
                values
                    .map(|n| bottom * libm::pow(10.0, f64::from(n)))
                    .map(|v| Tick { at: self.place(v), label: short(v) })
                    .collect()
            }
        }
    }
}

/// The step of 1, 2 or 5 times a power of ten that cuts `range` into at least one and at most
/// about `pieces` parts.
pub fn nice_step(range: f64, pieces: u32) -> f64 {
    if !(range.is_finite() && range > 0.0) {
        return 1.0;
    }
    let rough = range / f64::from(pieces.max(1));
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let factor = match rough / power {
        f if f <= 1.0 + 1e-9 => 1.0,
        f if f <= 2.0 + 1e-9 => 2.0,
        f if f <= 5.0 + 1e-9 => 5.0,
        _ => 10.0,
    };
    factor * power
}

/// Ticks of a time axis of `seconds`, at most about `pieces` steps, on whole seconds and minutes.
pub fn time_ticks(seconds: f64, pieces: u32) -> Vec<Tick> {
    const STEPS: [f64; 15] =
        [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    if !(seconds.is_finite() && seconds > 0.0) {
        return Vec::new();
    }
    let rough = seconds / f64::from(pieces.max(1));
    let step =
        STEPS.into_iter().find(|s| *s >= rough).unwrap_or_else(|| nice_step(seconds, pieces));
    let count = libm::floor(seconds / step + 1e-9) as u32;
    (0..=count)
        .map(|n| f64::from(n) * step)
        .map(|s| Tick { at: s / seconds, label: clock(s) })
        .collect()
}

/// A number in two to four figures: `0`, `0.25`, `7.5`, `120`, `12.3k`, `3.4M`. A value that
/// is not a number is a dash.
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let (size, sign) = (libm::fabs(value), if value < 0.0 { "−" } else { "" });
    let text = match size {
        s if s >= 999_500_000.0 => trimmed(s / 1e9, 1) + "G",
        s if s >= 999_500.0 => trimmed(s / 1e6, 1) + "M",
        s if s >= 9_999.5 => trimmed(s / 1e3, usize::from(s < 99_950.0)) + "k",
        s if s >= 9.95 => trimmed(s, 0),
        s if s >= 0.995 => trimmed(s, 1),
        s if s >= 0.01 => trimmed(s, 2),
        0.0 => "0".to_owned(),
        s => trimmed(s, 4),
    };
    format!("{sign}{text}")
}

/// `decimals` places without idle zeros: `2.50` is `2.5`, `3.0` is `3`.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Milliseconds in the unit a person would say: `0.4 ms`, `250 ms`, `2.1 s`, `1.5 min`.
pub fn millis(value: f64) -> String {
    match value {
        v if !v.is_finite() => "–".to_owned(),
        v if v < 999.5 => format!("{} ms", short(v)),
        v if v < 59_995.0 => format!("{} s", trimmed(v / 1e3, if v < 9_995.0 { 2 } else { 1 })),
        v => format!("{} min", trimmed(v / 60e3, 1)),
    }
}

/// An instant of a run: `0.25 s`, `12.4 s`, `2:05`.
pub fn clock(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "–".to_owned(),
        s if s < 100.0 => format!("{} s", trimmed(s, 2)),
        s if s < 3600.0 => format!("{}:{:02}", s as u64 / 60, s as u64 % 60),
        s => format!("{}:{:02}:{:02}", s as u64 / 3600, s as u64 / 60 % 60, s as u64 % 60),
    }
}

/// An instant in a list of instants: always as many decimals, so that they line up.
pub fn instant(seconds: f64) -> String {
    if seconds < 100.0 { format!("{seconds:.2} s") } else { clock(seconds) }
}

/// What one pixel column of a line shows: the lowest and highest value that fall on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Where across the drawing, from 0 to 1.
    pub at: f64,
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
}

/// Folds `values`, each standing for one bin of a drawing that is `span` bins wide, into at most
/// `columns` columns, keeping the extremes so that no spike is lost. Gaps (values that are not
/// numbers) end a stroke: each stroke is drawn by itself.
pub fn strokes(values: &[f32], span: f64, columns: u32) -> Vec<Vec<Column>> {
    let (mut strokes, mut stroke) = (Vec::new(), Vec::<Column>::new());
    if span.is_nan() || span <= 0.0 || columns == 0 {
        return strokes;
    }
    let columns = f64::from(columns);
    for (n, value) in values.iter().enumerate() {
        let value = f64::from(*value);
        let at = (n as f64 + 0.5) / span;
        if !value.is_finite() {
            if !stroke.is_empty() {
                strokes.push(std::mem::take(&mut stroke));
            }
            continue;
        }
        match stroke.last_mut() {
            Some(last) if libm::floor(last.at * columns) >= libm::floor(at * columns) => {
                last.low = last.low.min(value);
                last.high = last.high.max(value);
            }
            _ => stroke.push(Column { at, low: value, high: value }),
        }
    }
    if !stroke.is_empty() {
        strokes.push(stroke);
    }
    strokes
}

/// Each list added to those before it, for a stacked chart; gaps count as zero.
pub fn stacked(lists: &[&[f32]]) -> Vec<Vec<f32>> {
    let longest = lists.iter().map(|l| l.len()).max().unwrap_or(0);
    let mut sum = vec![0.0_f32; longest];
    let mut layers = Vec::with_capacity(lists.len());
    for list in lists {
        for (sum, value) in sum.iter_mut().zip(list.iter()) {
            if value.is_finite() {
                *sum += value;
            }
        }
        layers.push(sum.clone());
    }
    layers
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn steps_are_one_two_or_five() {
        for (range, pieces, step) in
            [(10.0, 5, 2.0), (7.0, 3, 5.0), (1.0, 4, 0.5), (1200.0, 4, 500.0), (0.0, 4, 1.0)]
        {
            assert!((nice_step(range, pieces) - step).abs() < 1e-9, "{range} in {pieces}");
        }
    }

    #[wasm_bindgen_test]
    fn a_linear_scale_ends_on_a_tick_above_the_highest_value() {
        let scale = Scale::linear(183.0);
        assert_eq!(scale, Scale::Linear { top: 200.0 });
        assert!((scale.place(100.0) - 0.5).abs() < 1e-9);
        let labels: Vec<String> = scale.ticks(4).into_iter().map(|t| t.label).collect();
        assert_eq!(labels, ["0", "50", "100", "150", "200"]);
        assert_eq!(Scale::linear(f64::NAN), Scale::Linear { top: 1.0 });
    }

    #[wasm_bindgen_test]
    fn a_log_scale_gives_each_tenfold_the_same_height() {
        let scale = Scale::log(3.0, 2_100.0);
        assert_eq!(scale, Scale::Log { bottom: 1.0, top: 10_000.0 });
        assert!((scale.place(10.0) - 0.25).abs() < 1e-9);
        assert!((scale.place(0.0)).abs() < 1e-9);
        assert!((scale.place(1e9) - 1.0).abs() < 1e-9);
        let labels: Vec<String> = scale.ticks(5).into_iter().map(|t| t.label).collect();
        assert_eq!(labels, ["1", "10", "100", "1000", "10k"]);
        assert_eq!(Scale::log(f64::NAN, 5.0), Scale::Log { bottom: 1.0, top: 10.0 });
    }

    #[wasm_bindgen_test]
    fn numbers_read_as_people_say_them() {
        for (value, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (7.5, "7.5"),
            (42.0, "42"),
            (183.4, "183"),
            (12_345.0, "12.3k"),
            (3_400_000.0, "3.4M"),
            (-2.5, "−2.5"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(short(value), text);
        }
        for (value, text) in [(0.4, "0.4 ms"), (250.0, "250 ms"), (2_100.0, "2.1 s")] {
            assert_eq!(millis(value), text);
        }
        for (value, text) in [(12.4, "12.4 s"), (125.0, "2:05"), (3_725.0, "1:02:05")] {
            assert_eq!(clock(value), text);
        }
    }

    #[wasm_bindgen_test]
    fn time_ticks_fall_on_round_instants() {
        let labels: Vec<String> = time_ticks(60.0, 6).into_iter().map(|t| t.label).collect();
        assert_eq!(labels, ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]);
        assert!(time_ticks(0.0, 6).is_empty());
    }

    #[wasm_bindgen_test]
    fn folding_keeps_spikes_and_breaks_at_gaps() {
        let mut values = vec![1.0_f32; 1_000];
        values[512] = 99.0;
        let folded = strokes(&values, 1_000.0, 100);
        assert_eq!(folded.len(), 1);
        assert_eq!(folded[0].len(), 100);
        assert!(folded[0].iter().any(|c| c.high > 98.0 && c.low < 2.0));

        let gap = strokes(&[1.0, f32::NAN, 3.0], 3.0, 100);
        assert_eq!(gap.len(), 2);
        assert!((gap[1][0].at - 2.5 / 3.0).abs() < 1e-9);
        assert!(strokes(&values, 0.0, 100).is_empty());
    }

    #[wasm_bindgen_test]
    fn layers_add_up() {
        let layers = stacked(&[&[1.0, f32::NAN], &[2.0, 5.0]]);
        assert_eq!(layers, vec![vec![1.0, 0.0], vec![3.0, 5.0]]);
    }
}
