//! Read-only views of a run, for people: plain data, without a browser, a colour or a pixel.

pub mod cast;
pub mod frame;
pub mod inspect;
pub mod line;
pub mod metrics;
pub mod picture;
pub mod series;
pub mod strips;
pub mod totals;

#[cfg(test)]
mod metrics_tests;
#[cfg(test)]
pub(crate) mod worlds;
