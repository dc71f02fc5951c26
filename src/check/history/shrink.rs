//! Makes the proof of a violation small: the shortest beginning of the history that cannot be
//! explained, and of that only what is needed (Zeller and Hildebrandt 2002).
//!
//! What an operation gave back may only make sense beside another: a read beside the write of its
//! value. Whoever is taken away takes those along that cannot be judged without it
//! ([`Model::needs`]); else a proof could be made by forgetting a write.

use super::model::Model;
use super::operation::Operation;
use super::search::{Found, search};
use crate::base::order;
use crate::base::time::Time;

/// Operations that cannot be explained from any state of `starts`, by call, as known when the last
/// of them returned, and that instant. None if `ops` can be explained, or it takes more steps than
/// `budget` has; when those run out later, the proof may not be the smallest.
pub fn shrink<M: Model>(
    model: &M,
    starts: &[M::State],
    ops: &[Operation],
    budget: &mut u64,
) -> Option<(Vec<Operation>, Time)> {
    let fails = |ops: &[Operation], budget: &mut u64| {
        starts.iter().all(|start| search(model, start, ops, budget) == Found::Nothing)
    };
    let mut returns: Vec<Time> = ops.iter().filter_map(Operation::returned).collect();
    order::up(&mut returns);
    if !fails(ops, budget) {
        return None;
    }
    // A history that cannot be explained stays so, whatever comes later.
    let (mut low, mut high) = (0, returns.len().checked_sub(1)?);
    while low < high {
        let middle = (low + high) / 2;
        if fails(&known_at(ops, *returns.get(middle)?), budget) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let at = *returns.get(high)?;
    let mut kept = known_at(ops, at);
    let mut size = kept.len();
    while size > 0 {
        let mut any = false;
        let mut from = 0;
        while from < kept.len() {
            let rest = without(model, &kept, from, size);
            if rest.len() < kept.len() && fails(&rest, budget) {
                kept = rest;
                any = true;
            } else {
                from += size;
            }
        }
        // Single ones are tried until none can go.
        if size > 1 || !any {
            size /= 2;
        }
    }
    order::by_key(&mut kept, |op| op.call);
    Some((kept, at))
}

fn known_at(ops: &[Operation], at: Time) -> Vec<Operation> {
    ops.iter().filter(|op| op.call <= at).map(|op| op.as_known_at(at)).collect()
}

/// Without so many operations from a place on, and without those that need them.
pub fn without<M: Model>(model: &M, ops: &[Operation], from: usize, size: usize) -> Vec<Operation> {
    let end = from.saturating_add(size).min(ops.len());
    let mut gone: Vec<Operation> = ops.get(from..end).unwrap_or_default().to_vec();
    let (before, after) = (ops.get(..from), ops.get(end..));
    let both = [before.unwrap_or_default(), after.unwrap_or_default()];
    let mut kept = both.concat();
    while !gone.is_empty() {
        let needs = |op: &Operation| gone.iter().any(|other| model.needs(op, other));
        let (next, rest): (Vec<_>, Vec<_>) = kept.into_iter().partition(needs);
        (gone, kept) = (next, rest);
    }
    kept
}
