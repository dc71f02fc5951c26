//! What everything else stands on: time, ids, chance, errors for people.
//! Knows nothing of simulation.

pub mod diagnostics;
pub mod dist;
pub mod domain;
pub mod histogram;
pub mod id;
pub mod lists;
pub mod order;
pub mod random;
#[cfg(feature = "schema")]
mod schema;
pub mod slab;
pub mod time;
pub mod unit;
