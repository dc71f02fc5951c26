//! A chart without eyes: its sentence, its table, its numbers as CSV. Pure.

use super::{Data, Unit, scale};
use crate::base::order;

/// What a line did, in a sentence: `p99 rose from 40 ms to 2.1 s at 12.4 s, now 80 ms.`
pub fn sentence(name: &str, values: &[f32], bin_seconds: f64, unit: Unit) -> String {
    let name = words(name);
    let known: Vec<(usize, f64)> = values
        .iter()
        .enumerate()
        .map(|(n, v)| (n, f64::from(*v)))
        .filter(|(_, v)| v.is_finite())
        .collect();
    let (Some((_, now)), Some(usual)) = (known.last().copied(), usual(&known)) else {
        return format!("{name}: nothing measured yet.");
    };
    let far = |v: f64| libm::fabs(v - usual);
    let Some((at, peak)) = known.iter().copied().max_by(|a, b| far(a.1).total_cmp(&far(b.1)))
    else {
        return String::new();
    };
    let when = scale::clock(at as f64 * bin_seconds);
    let now_said = match values.last() {
        Some(last) if last.is_finite() => unit.say(now),
        _ => "nothing".to_owned(),
    };
    let (usual_said, peak_said) = (unit.say(usual), unit.say(peak));
    let tolerance = libm::fabs(usual) * 0.5 + f64::EPSILON;
    if far(peak) <= tolerance || peak_said == usual_said {
        return format!("{name} stayed near {usual_said}, now {now_said}.");
    }
    let verb = if peak > usual { "rose" } else { "fell" };
    let after = if peak_said == now_said && at + 1 >= values.len() {
        String::new()
    } else {
        format!(", now {now_said}")
    };
    format!("{name} {verb} from {usual_said} to {peak_said} at {when}{after}.")
}

/// What breakers are doing and how often they opened.
pub fn strips(data: &Data) -> String {
    let opened = |values: &[f32]| {
        values
            .windows(2)
            .filter(|w| w[0].total_cmp(&1.0).is_ne() && w[1].total_cmp(&1.0).is_eq())
            .count()
    };
    let openings: usize = data.lines.iter().map(|l| opened(&l.values)).sum();
    let now = |state: f32| {
        data.lines
            .iter()
            .filter(|l| l.values.last().is_some_and(|v| v.total_cmp(&state).is_eq()))
            .count()
    };
    let times = if openings == 1 { "once".to_owned() } else { format!("{openings} times") };
    let all = data.lines.len();
    match (openings, now(1.0), now(2.0)) {
        (0, 0, 0) => format!("All {all} stayed closed."),
        (_, 0, 0) => format!("Opened {times}, all {all} closed now."),
        (_, open, half) => {
            format!("Opened {times}; of {all}, {open} open and {half} half-open now.")
        }
    }
}

/// A name at the start of a sentence; one with digits, such as p99, stays as it is.
fn words(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) if !name.contains(|c: char| c.is_ascii_digit()) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => name.to_owned(),
    }
}

/// The middle of the first tenth of the values, which is what a run looks like before trouble.
fn usual(known: &[(usize, f64)]) -> Option<f64> {
    let mut early: Vec<f64> = known.iter().take((known.len() / 10).max(5)).map(|k| k.1).collect();
    order::by(&mut early, f64::total_cmp);
    early.get(early.len() / 2).copied()
}

/// A table of at most `rows` rows: the end of each stretch of time, and of each line the highest
/// value in that stretch.
pub fn table(data: &Data, rows: usize) -> Vec<(f64, Vec<f64>)> {
    let length = data.lines.iter().map(|l| l.values.len()).max().unwrap_or(0);
    let stretch = length.div_ceil(rows.max(1)).max(1);
    (0..length)
        .step_by(stretch)
        .map(|from| {
            let to = (from + stretch).min(length);
            let highest = |values: &[f32]| {
                let part = values.get(from..to.min(values.len())).unwrap_or_default();
                part.iter().copied().map(f64::from).fold(f64::NAN, f64::max)
            };
            let seconds = to as f64 * data.bin.as_secs();
            (seconds, data.lines.iter().map(|l| highest(&l.values)).collect())
        })
        .collect()
}

/// Every value: a column of seconds, a column per line, an empty cell for a gap.
pub fn csv(data: &Data) -> String {
    let mut text = String::from("seconds");
    for line in &data.lines {
        text.push(',');
        text.push_str(&quoted(&line.name));
    }
    text.push('\n');
    let length = data.lines.iter().map(|l| l.values.len()).max().unwrap_or(0);
    for n in 0..length {
        text.push_str(&format!("{}", (n as f64) * data.bin.as_secs()));
        for line in &data.lines {
            text.push(',');
            if let Some(value) = line.values.get(n).filter(|v| v.is_finite()) {
                text.push_str(&value.to_string());
            }
        }
        text.push('\n');
    }
    text
}

fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::super::{Line, Stroke};
    use super::*;
    use crate::base::time::Span;

    #[wasm_bindgen_test]
    fn a_sentence_says_what_changed_and_when() {
        let mut values = vec![40.0_f32; 100];
        values[62] = 2_100.0;
        assert_eq!(
            sentence("p99", &values, 0.2, Unit::Millis),
            "p99 rose from 40 ms to 2.1 s at 12.4 s, now 40 ms."
        );
        values.push(f32::NAN);
        assert_eq!(
            sentence("p99", &values, 0.2, Unit::Millis),
            "p99 rose from 40 ms to 2.1 s at 12.4 s, now nothing."
        );
        values.pop();
        values[62] = 42.0;
        assert_eq!(
            sentence("p99", &values, 0.2, Unit::Millis),
            "p99 stayed near 40 ms, now 40 ms."
        );
        values.truncate(60);
        values.push(0.0);
        assert_eq!(
            sentence("Goodput", &values, 1.0, Unit::PerSecond),
            "Goodput fell from 40/s to 0/s at 60 s."
        );
        assert!(sentence("p99", &[f32::NAN], 0.2, Unit::Millis).contains("nothing measured"));
    }

    fn data() -> Data {
        let line = |name: &'static str, values: Vec<f32>| Line {
            name: name.to_owned(),
            colour: "--ok",
            stroke: Stroke::Thin,
            values,
        };
        let lines = vec![
            line("goodput, all", vec![1.0, f32::NAN, 3.0, 9.0, 5.0]),
            line("offered", vec![2.0; 4]),
        ];
        Data { bin: Span::millis(500), lines }
    }

    #[wasm_bindgen_test]
    fn a_table_keeps_the_highest_of_each_stretch() {
        let rows = table(&data(), 3);
        assert_eq!(rows.len(), 3);
        assert!((rows[0].0 - 1.0).abs() < 1e-9 && (rows[0].1[0] - 1.0).abs() < 1e-9);
        assert!((rows[1].1[0] - 9.0).abs() < 1e-9);
        assert!(rows[2].1[1].is_nan());
    }

    #[wasm_bindgen_test]
    fn csv_has_every_value_and_empty_gaps() {
        let text = csv(&data());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "seconds,\"goodput, all\",offered");
        assert_eq!((lines[1], lines[2], lines[5]), ("0,1,2", "0.5,,2", "2,5,"));
    }
}
