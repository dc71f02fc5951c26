//! Raft: a replicated log with an elected leader.

pub mod core;
mod durable;
mod election;
mod following;
pub mod log;
pub mod membership;
pub mod message;
mod mutation;
pub mod quorum;
mod reading;
#[cfg(test)]
mod swarm;
pub mod tenure;
