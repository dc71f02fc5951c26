//! The few numbers that tell within ten seconds what is going on, and the sentence that says it.
//! Pure; [`super::metrics`] draws it.

use crate::app::views::scale;
use crate::base::time::{Span, Time};
use crate::observe::line::Tone;
use crate::observe::metrics::Metrics;
use crate::observe::totals::Totals;

/// The stretch of time "now" means.
pub const NOW: Span = Span::secs(2);

/// The ways an intent can end: name in the style sheet, word, colour token.
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

/// The last two seconds per second, and what follows from them.
struct Recent {
    offered: f64,
    goodput: f64,
    amplification: f64,
    wasted: f64,
    wasted_share: f64,
    p99: f64,
    mix: Option<[f64; 5]>,
    double_effects: u64,
    leaders: u32,
}

/// What is going on at the newest instant of `metrics`.
pub fn headline(metrics: &Metrics) -> Headline {
    let bin = metrics.series.first().map_or(NOW, |s| s.bin).0.max(1);
    let from = Time(metrics.now.0.saturating_sub(NOW.0) / bin * bin);
    let recent = metrics.between(from, metrics.now);
    let leads = metrics.series.iter().filter(|s| s.name.starts_with("leaders "));
    let leaders = leads.filter_map(|s| s.values.last()).fold(0.0, |most, n| n.max(most)) as u32;
    let span = metrics.now.since(from);
    let mut head = head(&recent, span, metrics.totals.double_effects, leaders);
    if metrics.now == Time::ZERO {
        head.sentence = "Nothing has happened yet. Press play.".to_owned();
    }
    head
}

/// What is going on if this was counted in so much time.
fn head(recent: &Totals, span: Span, double_effects: u64, leaders: u32) -> Headline {
    let per_second = |count: u64| count as f64 / span.as_secs().max(1e-6);
    let share = |part: u64, of: u64| if of > 0 { part as f64 / of as f64 } else { 0.0 };
    let ended = [recent.ok, recent.degraded, recent.rejected, recent.timed_out, recent.failed];
    let now = Recent {
        offered: per_second(recent.offered),
        goodput: per_second(recent.good()),
        amplification: share(recent.attempts, recent.offered),
        wasted: per_second(recent.wasted),
        wasted_share: share(recent.wasted, recent.worked).min(1.0),
        p99: recent.p99,
        mix: (recent.ended() > 0).then(|| ended.map(|n| share(n, recent.ended()))),
        double_effects,
        leaders,
    };
    let (sentence, tone) = say(&now);
    Headline { sentence, tone, tiles: tiles(&now), mix: now.mix }
}

fn say(now: &Recent) -> (String, Tone) {
    let Some(mix) = now.mix else {
        return match now.offered {
            o if o > 0.0 => ("Requests are under way; none has ended yet.".to_owned(), Tone::Plain),
            _ => ("Nobody is asking for anything.".to_owned(), Tone::Plain),
        };
    };
    let (opening, tone) = match mix[0] + mix[1] {
        share if share < 0.5 => ("Most requests fail", Tone::Bad),
        share if share < 0.97 => ("Some requests fail", Tone::Warning),
        _ if now.amplification >= 1.5 && now.goodput < 0.6 * now.offered => {
            ("Nobody has given up yet, but many try again", Tone::Warning)
        }
        // Whoever waits has not ended: what did end says nothing of them.
        _ if now.goodput < 0.5 * now.offered => ("Most still wait", Tone::Warning),
        _ if mix[1] > 0.05 => ("All are answered, some with parts missing", Tone::Warning),
        // Those who ask cannot see it, the picture can.
        _ if now.double_effects > 0 || now.leaders > 1 => {
            ("All seems well to those who ask", Tone::Warning)
        }
        _ => ("All is well", Tone::Good),
    };
    let (goodput, offered) = (scale::short(now.goodput), scale::short(now.offered));
    let mut sentence = format!("{opening}: {goodput} of {offered} per second are answered");
    if now.p99.is_finite() {
        sentence += &format!(", p99 {}", scale::millis(now.p99));
    }
    sentence.push('.');
    if now.amplification >= 1.5 {
        sentence += &format!(" Each is tried {} times.", scale::short(now.amplification));
    }
    if now.wasted_share >= 0.2 {
        sentence += &format!(" {} of the work is for nobody.", percent(now.wasted_share));
    }
    if now.double_effects > 0 {
        sentence += &format!(" Double charges so far: {}.", now.double_effects);
    }
    if now.leaders > 1 {
        sentence += &format!(" {} replicas of one store lead at once.", now.leaders);
    }
    (sentence, tone)
}

fn tiles(now: &Recent) -> Vec<Tile> {
    let busy = now.offered > 0.0;
    let grade = |value: f64, warn: f64, bad: f64| match value {
        _ if !busy => Tone::Plain,
        v if v >= bad => Tone::Bad,
        v if v >= warn => Tone::Warning,
        _ => Tone::Good,
    };
    let known = |text: String| if busy { text } else { "–".to_owned() };
    let failing = now.mix.map_or(0.0, |mix| 1.0 - mix[0] - mix[1]);
    let tile = |name, value, beside, tone| Tile { name, value, beside, tone };
    vec![
        tile(
            "Goodput",
            format!("{}/s", scale::short(now.goodput)),
            format!("of {}/s offered", scale::short(now.offered)),
            grade(failing, 0.03, 0.5),
        ),
        tile("p99", scale::millis(now.p99), "of 100, one waits longer".to_owned(), Tone::Plain),
        tile(
            "Attempts",
            known(format!("{}×", scale::short(now.amplification))),
            "per intent".to_owned(),
            grade(now.amplification, 1.2, 2.0),
        ),
        tile(
            "Wasted work",
            known(percent(now.wasted_share)),
            format!("{}/s for nobody", scale::short(now.wasted)),
            grade(now.wasted_share, 0.05, 0.2),
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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn said(recent: Totals) -> Headline {
        head(&recent, Span::secs(2), 0, 0)
    }

    #[wasm_bindgen_test]
    fn a_storm_is_told_from_calm() {
        let calm = Totals {
            offered: 400,
            ok: 398,
            timed_out: 2,
            attempts: 404,
            worked: 400,
            p99: 42.0,
            ..Totals::default()
        };
        let calm = said(calm);
        assert_eq!(calm.tone, Tone::Good);
        assert_eq!(calm.sentence, "All is well: 199 of 200 per second are answered, p99 42 ms.");

        let storm = Totals {
            offered: 400,
            ok: 60,
            timed_out: 300,
            rejected: 40,
            attempts: 1_400,
            worked: 500,
            wasted: 400,
            p99: 2_100.0,
            ..Totals::default()
        };
        let storm = said(storm);
        assert_eq!(storm.tone, Tone::Bad);
        assert_eq!(
            storm.sentence,
            "Most requests fail: 30 of 200 per second are answered, p99 2.1 s. \
             Each is tried 3.5 times. 80 % of the work is for nobody."
        );
        assert_eq!(storm.mix, Some([0.15, 0.0, 0.1, 0.75, 0.0]));
    }

    #[wasm_bindgen_test]
    fn who_waits_is_not_well() {
        let waiting = said(Totals { offered: 844, ok: 1, attempts: 844, ..Totals::default() });
        assert_eq!(waiting.tone, Tone::Warning);
        assert!(waiting.sentence.starts_with("Most still wait: 0.5 of 422"), "{waiting:?}");
    }

    #[wasm_bindgen_test]
    fn what_was_done_twice_is_told() {
        let calm = Totals { offered: 400, ok: 400, attempts: 400, ..Totals::default() };
        let told = head(&calm, Span::secs(2), 15, 1);
        assert_eq!(told.tone, Tone::Warning);
        assert!(told.sentence.ends_with("Double charges so far: 15."), "{}", told.sentence);
    }

    #[wasm_bindgen_test]
    fn two_that_lead_are_named_when_nobody_complains() {
        let calm = Totals { offered: 400, ok: 400, attempts: 400, ..Totals::default() };
        let told = head(&calm, Span::secs(2), 0, 2);
        assert_eq!(told.tone, Tone::Warning);
        assert!(told.sentence.ends_with("2 replicas of one store lead at once."));
        assert_eq!(head(&calm, Span::secs(2), 0, 1).tone, Tone::Good);
    }

    #[wasm_bindgen_test]
    fn those_who_still_try_are_not_well() {
        let wave = Totals { offered: 400, ok: 130, attempts: 1_050, ..Totals::default() };
        let wave = said(wave);
        assert_eq!(wave.tone, Tone::Warning);
        assert!(wave.sentence.starts_with("Nobody has given up yet"), "{}", wave.sentence);
    }

    #[wasm_bindgen_test]
    fn before_the_start_nothing_is_claimed() {
        let start = said(Totals::default());
        assert_eq!((start.tone, start.mix), (Tone::Plain, None));
        assert!(start.sentence.contains("Nobody"));
    }

    #[wasm_bindgen_test]
    fn a_little_is_not_nothing() {
        assert_eq!(
            (percent(0.001), percent(0.0), percent(0.5)),
            ("<1 %".into(), "0 %".into(), "50 %".into())
        );
    }
}
