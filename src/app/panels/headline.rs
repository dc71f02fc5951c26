//! The few numbers that tell within ten seconds what is going on, and the sentence that says it.
//! Pure; [`super::metrics`] draws it.

use crate::app::views::{scale, series};
use crate::base::time::Span;
use crate::observe::metrics::Metrics;
use crate::session::Tone;

/// The stretch of time "now" means.
pub const NOW: Span = Span::secs(2);

/// The ways an intent can end: measure, word, colour token.
pub const OUTCOMES: [(&str, &str, &str); 5] = [
    ("ok", "ok", "--ok"),
    ("degraded", "degraded", "--degraded"),
    ("rejected", "rejected", "--warn"),
    ("timed_out", "timed out", "--unknown"),
    ("failed", "failed", "--bad"),
];

/// A number to show big.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// What it is.
    pub name: &'static str,
    /// The number with its unit.
    pub value: String,
    /// What to compare it with.
    pub beside: String,
    /// How it is to be taken.
    pub tone: Tone,
}

/// What is going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Headline {
    /// In a sentence or two.
    pub sentence: String,
    /// How it is to be taken.
    pub tone: Tone,
    /// In numbers.
    pub tiles: Vec<Tile>,
    /// Recent outcomes as shares of one, in the order of [`OUTCOMES`]; none before any ended.
    pub mix: Option<[f64; 5]>,
}

/// Means of the last two seconds, and what follows from them.
struct Recent {
    offered: f64,
    goodput: f64,
    attempts: f64,
    wasted: f64,
    p99: f64,
    mix: Option<[f64; 5]>,
    double_effects: u64,
}

/// What is going on at the newest instant of `metrics`.
pub fn headline(metrics: &Metrics) -> Headline {
    let mean = |name: &str| mean(metrics, name);
    let ended = OUTCOMES.map(|(measure, _, _)| mean(measure).max(0.0));
    let all: f64 = ended.iter().sum();
    let now = Recent {
        offered: mean("offered"),
        goodput: mean("goodput"),
        attempts: mean("attempts"),
        wasted: mean("wasted"),
        p99: recent(metrics, "p99").fold(f64::NAN, f64::max),
        mix: (all > 0.0).then(|| ended.map(|n| n / all)),
        double_effects: metrics.totals.double_effects,
    };
    let (sentence, tone) = say(&now);
    Headline { sentence, tone, tiles: tiles(&now), mix: now.mix }
}

fn recent<'a>(metrics: &'a Metrics, name: &str) -> impl Iterator<Item = f64> + 'a {
    let found = series(metrics, name);
    let bins = found.map_or(0, |s| (NOW.0 / s.bin.0.max(1)).max(1) as usize);
    let values =
        found.map(|s| &s.values[s.values.len().saturating_sub(bins)..]).unwrap_or_default();
    values.iter().map(|v| f64::from(*v)).filter(|v| v.is_finite())
}

fn mean(metrics: &Metrics, name: &str) -> f64 {
    let (sum, count) = recent(metrics, name).fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

fn say(now: &Recent) -> (String, Tone) {
    if now.offered <= 0.0 && now.attempts <= 0.0 {
        let quiet = "Nobody is asking for anything. Press play.".to_owned();
        return (quiet, Tone::Plain);
    }
    let good = now.mix.map_or(1.0, |mix| mix[0] + mix[1]);
    let degraded = now.mix.map_or(0.0, |mix| mix[1]);
    let (opening, tone) = match good {
        share if share < 0.5 => ("Most requests fail", Tone::Bad),
        share if share < 0.97 => ("Some requests fail", Tone::Warning),
        _ if degraded > 0.05 => {
            ("Every request is answered, some with parts missing", Tone::Warning)
        }
        _ => ("All is well", Tone::Good),
    };
    let mut sentence = format!(
        "{opening}: {} of {} per second are answered, p99 {}.",
        scale::short(now.goodput),
        scale::short(now.offered),
        scale::millis(now.p99),
    );
    let amplification = now.attempts / now.offered.max(f64::MIN_POSITIVE);
    if amplification >= 1.5 {
        sentence += &format!(" Each is tried {} times.", scale::short(amplification));
    }
    let wasted = now.wasted / now.attempts.max(f64::MIN_POSITIVE);
    if wasted >= 0.2 {
        sentence += &format!(" {} of the attempts are worked on for nobody.", percent(wasted));
    }
    (sentence, tone)
}

fn tiles(now: &Recent) -> Vec<Tile> {
    let share = now.goodput / now.offered.max(f64::MIN_POSITIVE);
    let amplification = now.attempts / now.offered.max(f64::MIN_POSITIVE);
    let wasted = now.wasted / now.attempts.max(f64::MIN_POSITIVE);
    let busy = now.offered > 0.0;
    let grade = |value: f64, warn: f64, bad: f64| match value {
        _ if !busy => Tone::Plain,
        v if v >= bad => Tone::Bad,
        v if v >= warn => Tone::Warning,
        _ => Tone::Good,
    };
    let tile = |name, value, beside, tone| Tile { name, value, beside, tone };
    vec![
        tile(
            "Goodput",
            format!("{}/s", scale::short(now.goodput)),
            format!("of {}/s offered", scale::short(now.offered)),
            grade(1.0 - share, 0.05, 0.5),
        ),
        tile("p99", scale::millis(now.p99), "of 100, one waits longer".to_owned(), Tone::Plain),
        tile(
            "Attempts",
            if busy { format!("{}×", scale::short(amplification)) } else { "–".to_owned() },
            "per intent".to_owned(),
            grade(amplification, 1.2, 2.0),
        ),
        tile(
            "Wasted work",
            if busy { percent(wasted) } else { "–".to_owned() },
            format!("{}/s for nobody", scale::short(now.wasted)),
            grade(wasted, 0.05, 0.2),
        ),
        tile(
            "Double charges",
            now.double_effects.to_string(),
            "so far".to_owned(),
            if now.double_effects > 0 { Tone::Bad } else { Tone::Good },
        ),
    ]
}

/// A share as a whole percentage; a little is not nothing.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        p if !p.is_finite() => "–".to_owned(),
        p if p > 0.0 && p < 0.5 => "<1 %".to_owned(),
        p => format!("{p:.0} %"),
    }
}
