//! The page: everything that knows a browser (feature `app`).
//!
//! Read [`state`] first. The run is advanced by [`driver`], shown by `stage`, explained by `panels`,
//! and named by the address bar.

pub mod driver;
pub mod panels;
pub mod stage;
pub mod state;
pub mod views;
pub mod widgets;
