//! How long things take, as people write it: `"10ms"`, `{"exponential": "10ms"}`.

use super::wire::plain::LONGEST;
use super::wire::walk::Walk;
use super::wire::{Wire, tagged};
use crate::base::dist;
use crate::base::time::Span;
use serde_json::Value;

/// How long something takes. Plain text, `10ms`, always takes that long.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(transform = crate::scenario::schema::or_span))]
#[cfg_attr(feature = "cli", schemars(rename_all = "snake_case"))]
pub enum Dist {
    /// Always the same.
    Constant(Span),
    /// Anything between two bounds, evenly.
    Uniform(Span, Span),
    /// Memoryless, with this mean: short ones are common, long ones come now and then.
    Exponential(Span),
    /// A bell curve: mean, then standard deviation.
    Normal(Span, Span),
    /// A bell curve of the logarithm: a typical value and a long tail.
    LogNormal(LogNormal),
    /// A power law: rare values are very long.
    Pareto(Pareto),
    /// Measured values: pairs of a share of all values, rising from 0 to 1, and the value that
    /// this share stays below; evenly in between.
    Table(Vec<(f64, Span)>),
    /// One of several, by weight.
    Mixture(Vec<(f64, Dist)>),
}

written!(Dist);

wire! {
    /// A bell curve of the logarithm.
    pub struct LogNormal {
        /// Half of all values are below this.
        median: Span = Span::millis(10);
        /// The standard deviation of the logarithm: 0.5 is mild, 1.5 is wild.
        sigma: f64 = 0.5, 0 ..= 5;
    }
}

wire! {
    /// A power law: the chance of more than x is (scale / x) to the power of shape.
    pub struct Pareto {
        /// The least value.
        scale: Span = Span::millis(1);
        /// The tail index: the smaller, the longer the tail. At 1 and below there is no mean.
        shape: f64 = 1.5, 0 ..= 100;
    }
}

const TAGS: [&str; 8] =
    ["constant", "uniform", "exponential", "normal", "log_normal", "pareto", "table", "mixture"];

impl Dist {
    /// The distribution the engine draws from.
    pub fn compile(&self) -> dist::Dist {
        let micros = |span: Span| span.0 as f64;
        match self {
            Dist::Constant(span) => dist::Dist::constant(*span),
            Dist::Uniform(low, high) => {
                dist::Dist::Uniform { low: micros(*low), high: micros(*high) }
            }
            Dist::Exponential(mean) => dist::Dist::exponential(*mean),
            Dist::Normal(mean, deviation) => {
                dist::Dist::Normal { mean: micros(*mean), deviation: micros(*deviation) }
            }
            Dist::LogNormal(inner) => {
                dist::Dist::LogNormal { median: micros(inner.median), sigma: inner.sigma }
            }
            Dist::Pareto(inner) => {
                dist::Dist::Pareto { scale: micros(inner.scale), shape: inner.shape }
            }
            Dist::Table(points) => {
                dist::Dist::Table(points.iter().map(|&(p, v)| (p, micros(v))).collect())
            }
            Dist::Mixture(parts) => {
                dist::Dist::Mixture(parts.iter().map(|(w, d)| (*w, d.compile())).collect())
            }
        }
    }

    fn depth(&self) -> u32 {
        match self {
            Dist::Mixture(parts) => 1 + parts.iter().map(|(_, d)| d.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Points a table may have.
pub const TABLE_POINTS: usize = 1_000;
/// Parts a mixture may have.
pub const MIXTURE_PARTS: usize = 16;

impl Wire for Dist {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Dist> {
        if json.is_string() {
            return Span::read(json, walk).map(Dist::Constant);
        }
        let (tag, inner) = walk.variant(json, &TAGS)?;
        Some(match tag {
            "constant" => Dist::Constant(walk.within(tag, inner)?),
            "exponential" => Dist::Exponential(walk.within(tag, inner)?),
            "log_normal" => Dist::LogNormal(walk.within(tag, inner)?),
            "pareto" => Dist::Pareto(walk.within(tag, inner)?),
            "table" => Dist::Table(walk.within(tag, inner)?),
            "mixture" => Dist::Mixture(walk.within(tag, inner)?),
            _ => {
                let (a, b) = walk.within(tag, inner)?;
                if tag == "uniform" { Dist::Uniform(a, b) } else { Dist::Normal(a, b) }
            }
        })
    }

    fn write(&self) -> Value {
        let (tag, inner) = match self {
            Dist::Constant(span) => ("constant", span.write()),
            Dist::Uniform(low, high) => ("uniform", (*low, *high).write()),
            Dist::Exponential(mean) => ("exponential", mean.write()),
            Dist::Normal(mean, deviation) => ("normal", (*mean, *deviation).write()),
            Dist::LogNormal(inner) => ("log_normal", inner.write()),
            Dist::Pareto(inner) => ("pareto", inner.write()),
            Dist::Table(points) => ("table", points.write()),
            Dist::Mixture(parts) => ("mixture", parts.write()),
        };
        tagged(tag, inner)
    }

    fn examine(&self, walk: &mut Walk<'_>) {
        match self {
            Dist::Constant(span) => walk.part("constant", span),
            Dist::Exponential(mean) => walk.part("exponential", mean),
            Dist::Uniform(low, high) => {
                walk.part("uniform", &(*low, *high));
                if low > high {
                    let message = format!("from {low} to {high} there is nothing");
                    walk.error_in("uniform", message, "write the lower bound first".to_owned());
                }
            }
            Dist::Normal(mean, deviation) => walk.part("normal", &(*mean, *deviation)),
            Dist::LogNormal(inner) => walk.part("log_normal", inner),
            Dist::Pareto(inner) => {
                walk.part("pareto", inner);
                if inner.shape <= 0.0 {
                    let message = format!("a shape of {} has no meaning", inner.shape);
                    walk.error_in("pareto.shape", message, "choose more than 0".to_owned());
                }
            }
            Dist::Table(points) => table(points, walk),
            Dist::Mixture(parts) => mixture(self, parts, walk),
        }
    }
}

fn table(points: &[(f64, Span)], walk: &mut Walk<'_>) {
    let error = |walk: &mut Walk<'_>, message: String, remedy: &str| {
        walk.error_in("table", message, remedy.to_owned());
    };
    if points.is_empty() || points.len() > TABLE_POINTS {
        let message = format!("a table of {} points", points.len());
        error(walk, message, "give from 1 to 1000 points");
    }
    if points.iter().any(|&(p, _)| !(0.0..=1.0).contains(&p)) {
        error(walk, "a share is below 0 or above 1".to_owned(), "shares go from 0 to 1");
    }
    let rises = |w: &[(f64, Span)]| w[0].0 <= w[1].0 && w[0].1 <= w[1].1;
    if !points.windows(2).all(rises) {
        let message = "shares or values fall somewhere".to_owned();
        error(walk, message, "sort the points by share; values rise with them");
    }
    if let Some((_, value)) = points.iter().find(|(_, v)| *v > LONGEST) {
        walk.part("table", value);
    }
}

fn mixture(whole: &Dist, parts: &[(f64, Dist)], walk: &mut Walk<'_>) {
    let weights = parts.iter().map(|(weight, _)| *weight);
    let bad = weights.clone().any(|w| !w.is_finite() || w < 0.0) || weights.sum::<f64>() <= 0.0;
    if bad || parts.len() > MIXTURE_PARTS || whole.depth() > 3 {
        walk.error_in(
            "mixture",
            format!("{} parts cannot be mixed", parts.len()),
            "give at most 16 parts, weights of zero or more (not all zero), 3 levels deep"
                .to_owned(),
        );
        return;
    }
    for (_, part) in parts {
        walk.part("mixture", part);
    }
}
