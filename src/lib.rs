//! netsplit: a laboratory for the hard truths of distributed systems.
//!
//! Read the modules in this order; each may use only those above it. The first five are the
//! engine, a package of its own: see `engine.rs`.
//!
//! 1. [`base`]: time, ids, named random streams, distributions, errors with paths.
//! 2. [`sim`]: the kernel. A deterministic world of processes, links, disks, clocks and faults.
//! 3. [`protocol`]: what runs on nodes: clients, balancers, services, stores, and their policies.
//! 4. [`check`]: properties judged over what happened.
//! 5. [`observe`]: what people see of a run, as plain data.
//! 6. [`scenario`]: what a run is: the wire format, its compiler, links, presets.
//! 7. [`conform`]: recorded behaviour of libraries, replayed against our models.
//! 8. [`session`]: one run being watched: play, seek, fork, commands.
//! 9. [`swarm`]: random scenarios in random trouble, and what is left of a failure.
//! 10. `app`: the page (feature `app`).

pub use netsplit_engine::{base, check, observe, protocol, sim};

pub mod conform;
pub mod scenario;
pub mod session;
pub mod swarm;

#[cfg(feature = "app")]
pub mod app;
