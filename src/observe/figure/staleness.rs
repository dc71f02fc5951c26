//! The chance that a read misses the newest change of its item, by how long ago that change was
//! acknowledged when the read began: the staleness curve.

use super::{Figure, Pen, percent};
use crate::check::visibility::{MANY, Stretch, Visibility};

/// Size of the picture, and the plot in it: left, top, right, bottom.
const SIZE: (f64, f64) = (440.0, 196.0);
const PLOT: (f64, f64, f64, f64) = (48.0, 14.0, 434.0, 156.0);
/// A whisker holds the true chance 19 times of 20.
const Z: f64 = 1.96;

/// Fewer reads tell too little to be drawn.
const ENOUGH: u64 = 20;

/// The curve; none as long as no read was stale.
pub(super) fn figure(visibility: &Visibility) -> Option<Figure> {
    let stretches: Vec<Stretch> = visibility.stretches().collect();
    let (reads, stale) = stretches.iter().fold((0, 0), |(r, s), x| (r + x.reads, s + x.stale));
    if stale == 0 {
        return None;
    }
    let share = percent(stale, reads);
    let says = format!("{stale} of {reads} reads missed the newest acknowledged change ({share}).");
    let mut rows: Vec<String> = stretches.iter().map(row).collect();
    let many = |n: usize| if n == MANY { " or more" } else { "" };
    rows.extend((1..).zip(&visibility.missed()[1..]).filter(|(_, reads)| **reads > 0).map(
        |(n, reads)| {
            format!("{reads} missed {n}{} change{}", many(n), if n > 1 { "s" } else { "" })
        },
    ));
    Some(Figure {
        title: "Staleness by time since the change".to_owned(),
        svg: draw(&stretches, &says),
        wide: false,
        says,
        key: "Each dot: of the reads that began so long after the newest change of their item was \
              acknowledged, the share that missed it. The line through it holds the true share 19 \
              times of 20.",
        rows,
    })
}

fn row(stretch: &Stretch) -> String {
    let Stretch { from, until, reads, stale } = stretch;
    let when = until.map_or(format!("{from} and more"), |until| format!("{from} to {until}"));
    format!("{when} after: {stale} of {reads} reads missed it ({})", percent(*stale, *reads))
}

fn draw(stretches: &[Stretch], says: &str) -> String {
    let (left, top, right, bottom) = PLOT;
    let stretches: Vec<&Stretch> = stretches.iter().filter(|s| s.reads >= ENOUGH).collect();
    let ranges: Vec<(f64, f64, f64)> = stretches.iter().map(|s| wilson(s.stale, s.reads)).collect();
    let highest = ranges.iter().map(|(_, share, _)| *share).fold(0.0, f64::max);
    let ceiling = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0].into_iter().find(|c| *c >= highest * 1.1);
    let ceiling = ceiling.unwrap_or(1.0);
    let y = |share: f64| bottom - (share / ceiling).min(1.0) * (bottom - top);
    let width = (right - left) / stretches.len().max(1) as f64;
    let x = |n: usize| left + (n as f64 + 0.5) * width;
    let mut pen = Pen::new(SIZE, says);
    for part in [0.0, 0.5, 1.0] {
        let at = y(part * ceiling);
        pen.path("fig-rule", &format!("M{left} {at:.1}H{right}"));
        let share = percent((part * ceiling * 1e6) as u64, 1_000_000);
        pen.text("fig-soft", "end", (left - 6.0, at + 4.0), &share);
    }
    let (mut curve, mut whiskers) = (String::new(), String::new());
    for (n, (low, share, high)) in ranges.iter().enumerate() {
        let step = if n == 0 { 'M' } else { 'L' };
        curve += &format!("{step}{:.1} {:.1}", x(n), y(*share));
        whiskers += &format!("M{:.1} {:.1}V{:.1}", x(n), y(*low), y(*high));
    }
    pen.path("fig-whisker", &whiskers);
    pen.path("fig-curve", &curve);
    for (n, stretch) in stretches.iter().enumerate() {
        pen.circle("fig-dot", (x(n), y(ranges[n].1)), 3.0);
        // Where there are many, every other is named, the last one among them.
        if stretches.len() <= 9 || (stretches.len() - n) % 2 == 1 {
            let until = stretch.until.map_or("later".to_owned(), |until| until.to_string());
            pen.text("fig-soft", "middle", (x(n), bottom + 16.0), &until);
        }
    }
    let foot = ((left + right) / 2.0, bottom + 34.0);
    pen.text("fig-soft", "middle", foot, "began within so long after the change");
    pen.done()
}

/// A share with the interval of Wilson (1927) around it.
fn wilson(part: u64, whole: u64) -> (f64, f64, f64) {
    let (n, share) = (whole.max(1) as f64, part as f64 / whole.max(1) as f64);
    let z2 = Z * Z / n;
    let middle = share + z2 / 2.0;
    let reach = Z * libm::sqrt(share * (1.0 - share) / n + z2 / (4.0 * n));
    let at = |value: f64| (value / (1.0 + z2)).clamp(0.0, 1.0);
    (at(middle - reach), share, at(middle + reach))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    #[test]
    fn a_curve_says_what_was_missed_and_when() {
        assert!(figure(&Visibility::default()).is_none());
        let mut visibility = Visibility::default();
        for n in 0..40 {
            visibility.count(Span::millis(3), u32::from(n < 4) * 2);
            visibility.count(Span::secs(70), 0);
        }
        let figure = figure(&visibility).expect("there were reads");
        assert_eq!(figure.says, "4 of 80 reads missed the newest acknowledged change (5.0 %).");
        assert_eq!(
            figure.rows,
            [
                "2ms to 5ms after: 4 of 40 reads missed it (10 %)",
                "50s and more after: 0 of 40 reads missed it (0 %)",
                "4 missed 2 changes",
            ]
        );
        assert_eq!(figure.svg.matches("<circle").count(), 2);
    }

    /// Wilson's interval as published for 10 of 100.
    #[test]
    fn an_interval_is_that_of_wilson() {
        let (low, share, high) = wilson(10, 100);
        assert!((low - 0.0552).abs() < 1e-4 && (high - 0.1744).abs() < 1e-4, "{low} {high}");
        assert!((share - 0.1).abs() < 1e-12);
        assert!(wilson(0, 0).1.abs() < 1e-12);
    }
}
