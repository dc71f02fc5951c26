//! What holds data.
//!
//! To add one: a file here with its settings and state, and a variant in `protocol::Role`.

pub mod ledger;
