//! Policies: what callers and servers do about calls that are slow, refused or lost.
//!
//! Each is a pure state machine that owns its own state and nothing else. Time comes in as an
//! argument, chance as a [`Stream`](crate::base::random::Stream); nothing here sends, waits or
//! knows of nodes. The caller (`protocol::client`), the services and the balancer own them, and
//! `conform` replays them against the recorded behaviour of the libraries they are named after.
//!
//! To add one: a file here with its settings (serde, a `Default` people can start from), its
//! state and unit tests of its formulas, and a `mod` line below. A further kind of breaker or
//! budget is a variant in that folder instead.

pub mod adaptive_rate;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod concurrency;
pub mod hedge;
pub mod idempotency;
pub mod limiter;
pub mod outlier;
pub mod retry;
pub mod shed;
pub mod timeout;
mod window;
