//! Raft: a replicated log with an elected leader. The core is a value ([`member`]); a node gives it
//! inputs and does what it wants done ([`node`]).

mod durable;
mod election;
mod following;
pub mod log;
pub mod member;
pub mod membership;
pub mod message;
mod mutation;
pub mod node;
pub mod quorum;
mod reading;
#[cfg(test)]
mod swarm;
pub mod tenure;
