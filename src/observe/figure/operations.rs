//! A picture of operations as SVG, the same on the page and in a file. On the page classes give it
//! colours; a file brings lines and shades.

use super::{Figure, Pen};
use crate::base::order;
use crate::base::time::Time;
use crate::observe::operations::{Bar, BarState, Operations};

/// Width of the picture in its own units, wide and narrow, of the names at its left, and of a row.
const WIDE: f64 = 720.0;
const NARROW: f64 = 320.0;
const NAMES: f64 = 96.0;
const ROW: f64 = 24.0;
/// The part of a row that a bar takes.
const BAR: f64 = 18.0;
/// Room for instants below.
const FOOT: f64 = 18.0;
/// An instant is written below only so far from the one before.
const APART: f64 = 64.0;

/// Room that a letter of what is written beside an instant takes.
const LETTER: f64 = 6.0;

/// What a file needs to be read without the page: lines and shades, no colours.
const STYLE: &str = "<style>svg{font:11px system-ui,sans-serif}\
.op{fill:currentColor;fill-opacity:.08;stroke:currentColor}.op-failed{stroke-opacity:.3}\
.op-unknown{fill:none;stroke-dasharray:4 3}.op-act{fill:currentColor;fill-opacity:1}\
.op-meanwhile{stroke:currentColor;stroke-dasharray:2 3}.op-proves{fill-opacity:.2;stroke-width:3}\
.op-rule{stroke:currentColor;stroke-opacity:.15}</style>";

impl Operations {
    /// The picture, for a page.
    pub fn figure(&self) -> Figure {
        Figure {
            title: "What clients saw".to_owned(),
            says: self.sentence.clone(),
            svg: self.draw("", WIDE),
            key: "A bar is an operation from its call to its answer: w wrote, r read. Dashed: \
                  nobody knows whether it happened. Time goes to the right, long waits are \
                  shortened.",
            rows: self.bars.iter().map(Bar::in_words).collect(),
            wide: true,
        }
    }

    /// The picture for a narrow place.
    pub fn narrow(&self) -> String {
        self.draw("", NARROW)
    }

    /// The picture as a file.
    pub fn svg_file(&self) -> String {
        self.draw(STYLE, WIDE)
    }

    fn draw(&self, style: &str, width: f64) -> String {
        let axis = Axis::new(&self.bars, width);
        let foot = self.rows.len() as f64 * ROW;
        let mut pen = Pen::new((width, foot + FOOT), &self.sentence);
        pen.0.push_str(style);
        for bar in self.bars.iter().filter(|bar| bar.state == BarState::Meanwhile) {
            pen.path("op-meanwhile", &format!("M{:.1} 0V{foot}", axis.x(bar.from)));
        }
        for (n, name) in self.rows.iter().enumerate() {
            let y = n as f64 * ROW + ROW / 2.0;
            pen.path("op-rule", &format!("M{NAMES} {y}H{width}"));
            pen.text("op-name", "end", (NAMES - 8.0, y + 4.0), name);
        }
        // Up to where each row is written on.
        let mut written = vec![f64::MIN; self.rows.len()];
        for bar in &self.bars {
            draw_bar(&mut pen, bar, &axis, written.get_mut(bar.row));
        }
        draw_instants(&mut pen, &axis, foot + FOOT - 4.0);
        pen.done()
    }
}

impl Bar {
    /// In words, with the instants.
    pub fn in_words(&self) -> String {
        let Bar { text, from, .. } = self;
        if self.id.is_none() {
            return format!("{text}, at {from}");
        }
        let until = self.until.map_or("on".to_owned(), |at| format!("to {at}"));
        let proof = if self.proves { ": part of the proof" } else { "" };
        format!("{text}, from {from} {until}{proof}")
    }
}

fn draw_bar(pen: &mut Pen, bar: &Bar, axis: &Axis, written: Option<&mut f64>) {
    let class = match bar.state {
        BarState::Act if bar.proves => "op op-act op-proves",
        BarState::Act | BarState::Meanwhile => "op op-act",
        _ if bar.proves => "op op-proves",
        BarState::Done => "op",
        BarState::Failed => "op op-failed",
        BarState::Unknown => "op op-unknown",
    };
    let (left, right) = (axis.x(bar.from), bar.until.map_or(axis.width, |at| axis.x(at)));
    let (top, width) = (bar.row as f64 * ROW + (ROW - BAR) / 2.0, (right - left).max(3.0));
    pen.put(format_args!(
        "<g><title>{}</title><rect class=\"{class}\" x=\"{left:.1}\" y=\"{top}\" \
         width=\"{width:.1}\" height=\"{BAR}\" rx=\"3\"/>",
        super::escape(&bar.text)
    ));
    if bar.id.is_some() {
        pen.text("op-sign", "start", (left + 4.0, top + 13.0), &bar.sign);
    } else if let Some(written) = written {
        // Where there is no room beside an instant its sign is left to the list.
        let long = bar.sign.chars().count() as f64 * LETTER;
        let from = if left + long > axis.width { left - long - 4.0 } else { left + 6.0 };
        if from >= *written {
            pen.text("op-sign", "start", (from, top + 13.0), &bar.sign);
            *written = from + long;
        }
        *written = written.max(left + 6.0);
    }
    pen.0.push_str("</g>");
    if let Some(at) = bar.point {
        pen.circle("op-point", (axis.x(at).max(left + 1.0).min(right - 1.0), top + BAR), 3.5);
    }
}

fn draw_instants(pen: &mut Pen, axis: &Axis, y: f64) {
    let mut free = f64::MIN;
    for &(at, x) in &axis.places {
        // The last ones would stand outside.
        if x < free || x > axis.width - APART {
            continue;
        }
        free = x + APART;
        pen.text("op-at", "start", (x, y), &at.to_string());
    }
}

/// Where instants stand: in order, each step between a least and a greatest width.
struct Axis {
    width: f64,
    places: Vec<(Time, f64)>,
}

impl Axis {
    fn new(bars: &[Bar], width: f64) -> Axis {
        let mut instants: Vec<Time> =
            bars.iter().flat_map(|bar| [Some(bar.from), bar.until]).flatten().collect();
        order::up(&mut instants);
        instants.dedup();
        let gaps = || instants.windows(2).map(|pair| pair[1].since(pair[0]).as_secs());
        let mean = gaps().sum::<f64>() / (instants.len().max(2) - 1) as f64;
        // From one part for no time at all to three for a long one.
        let parts = |gap: f64| 1.0 + 2.0 * (gap / mean.max(1e-9)).min(1.0);
        let all: f64 = gaps().map(parts).sum::<f64>().max(1.0);
        let unit = (width - NAMES - 24.0) / all;
        let mut x = NAMES;
        let mut places: Vec<(Time, f64)> =
            instants.first().map(|&at| (at, x)).into_iter().collect();
        for (gap, &at) in gaps().zip(instants.iter().skip(1)) {
            x += unit * parts(gap);
            places.push((at, x));
        }
        Axis { width, places }
    }

    /// Of an instant that is one of them, or of the one before it.
    fn x(&self, at: Time) -> f64 {
        let after = self.places.partition_point(|&(place, _)| place <= at);
        self.places.get(after.saturating_sub(1)).map_or(NAMES, |&(_, x)| x)
    }
}
