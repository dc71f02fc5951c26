//! The kernel: a deterministic world of processes that exchange messages over links that lose,
//! delay and duplicate them, on nodes that crash, pause and slow down.
//!
//! It is generic over a [`process::Process`] and ignorant of every protocol. Read [`process`] for
//! what a protocol sees, then [`world`] for what happens in which order.

pub mod clock;
pub mod disk;
pub mod fault;
pub mod network;
pub mod process;
pub mod queue;
pub mod trace;
mod trouble;
pub mod world;

#[cfg(test)]
mod echo;
