//! Read-only views of a run, for people: plain data, without a browser, a colour or a pixel.

pub mod account;
pub mod cast;
pub mod copies;
pub mod cost;
pub mod course;
mod deeds;
pub mod event;
pub mod explain;
pub mod figure;
pub mod frame;
mod gauges;
pub mod held;
pub mod inspect;
pub mod lanes;
pub mod ledger;
pub mod line;
pub mod log;
pub mod metrics;
pub mod operations;
pub mod picture;
pub mod proof;
pub mod replicas;
pub mod scene;
pub mod series;
pub mod shards;
pub mod strips;
mod topic;
pub mod totals;
pub mod watch;

#[cfg(test)]
mod metrics_tests;
#[cfg(test)]
mod story_tests;
