//! The engine of netsplit: a deterministic world, what runs in it, and what is seen of it.
//!
//! It is a package of its own (`src/Cargo.toml`) for one reason: an optimisation level belongs to a
//! package. The engine is compiled for speed, everything around it for size.

pub mod base;
pub mod check;
pub mod observe;
pub mod protocol;
pub mod sim;
