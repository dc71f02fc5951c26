//! The page: everything that knows a browser (feature `app`).
//!
//! Read [`state`] first. The run is advanced by [`driver`], shown by [`stage`], explained by
//! [`panels`], named by [`address`]; [`shell`] puts them together.

pub mod actions;
pub mod address;
pub mod driver;
pub mod embed;
pub mod icon;
pub mod keys;
pub mod panels;
pub mod shell;
pub mod stage;
pub mod state;
pub mod trouble;
pub mod views;
pub mod widgets;
