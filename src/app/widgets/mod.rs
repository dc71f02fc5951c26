//! The small parts every panel is made of: native elements with a consistent look, a label, and
//! keyboard and touch behaviour. They know nothing of a run.
//!
//! To add one: a file here, a `mod` line below, its rules in `style/controls.css`.

pub mod button;
pub mod clipboard;
pub mod dialog;
pub mod explain;
pub mod field;
pub mod quantity;
pub mod tabs;
pub mod toggle;
