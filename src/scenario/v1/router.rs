//! The router, as people write it: which shard has which key, and how transfers are done.

use super::breaker::Breaker;
use super::calling::{Caller, Pick, Reads};
use super::dist::Dist;
use super::policy::{Budget, Hedge, Limit, Limiter, Retry, Shed, Wraps};
use super::station::{Order, Station};
use super::store::Disk;
use crate::base::time::Span;
use crate::base::unit::Chance;

station! {
    /// Sends each request to the shard that has its key, and transfers between shards.
    pub struct Router {
        /// The shards: names of stores. Each has a part of the keys. With one that has no leader,
        /// transfers are refused, and keys do not move: another map begins the run again.
        shards: Vec<String> = Vec::new();
        /// How many of them, from the first, have keys; none is all. Changed later, keys move.
        active: Option<u32> = None, 1 ..= 64;
        /// Which key is where. Changed later, keys move. What a shard remembers of idempotency keys
        /// stays: a request done before a move and repeated after it is done twice.
        placement: Placement = Placement::Hash(Hash::default());
        /// How many keys move at once.
        moves: u32 = 8, 1 ..= 1_000;
        /// How transfers between accounts on different shards are done.
        transfers: Transfers = Transfers::TwoPhaseCommit;
        /// How long it waits for a shard in transfers and moves.
        patience: Span = Span::secs(1);
        /// How long it waits before it tries again what it must do in transfers and moves.
        again: Span = Span::millis(200);
        /// How often it tries a step of a saga before it gives up.
        tries: u32 = 10, 1 ..= 1_000_000;
        /// How it calls shards. Keys of clients are passed on; with `idempotency`, steps of sagas
        /// carry one too.
        calls: ShardCalls = ShardCalls::default();
        /// Its disk: the map, decisions, and sagas under way.
        disk: Disk = Disk::default();
    }
}

caller! {
    /// How a router calls its shards.
    pub struct ShardCalls {}
}

wire! {
    /// Which key is where.
    pub enum Placement {
        /// Neighbours stay together.
        Range(Range) = "range";
        /// The remainder of a hash: even, and nearly all move when a shard comes or goes.
        Hash(Hash) = "hash";
        /// The next shard on a ring: few move when a shard comes or goes.
        Consistent(Consistent) = "consistent";
    }
}

wire! {
    /// Neighbours stay together.
    pub struct Range {
        /// The first key of each shard but the first; none makes ranges of equal length.
        splits: Vec<u32> = Vec::new();
    }
}

wire! {
    /// The remainder of a hash.
    pub struct Hash {}
}

wire! {
    /// The next shard on a ring of hashes.
    pub struct Consistent {
        /// How often each shard stands on the ring: more is more even.
        points: u32 = 100, 1 ..= 1_000;
        /// How much more than the mean a shard may have; none is without a bound.
        bound: Option<Chance> = None;
    }
}

wire! {
    /// How transfers between accounts on different shards are done.
    pub enum Transfers {
        /// One side, then the other, and nothing is written down.
        Unprotected;
        /// All or nothing: both sides are locked until it is decided.
        TwoPhaseCommit;
        /// One side, then the other, and back if that fails.
        Saga;
    }
}
