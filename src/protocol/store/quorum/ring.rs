//! Which replicas hold an item: those that follow each other from a place that its number hashes
//! to (the preference list of Dynamo, DeCandia et al. 2007, section 4.3).

use super::cell::mix;
use crate::base::id::NodeId;

/// Every replica, beginning with the first home of an item.
pub fn order(members: &[NodeId], item: u32) -> impl Iterator<Item = NodeId> {
    from(members, (mix(u64::from(item)) % members.len().max(1) as u64) as usize)
}

fn from(members: &[NodeId], first: usize) -> impl Iterator<Item = NodeId> {
    let count = members.len().max(1);
    (0..members.len()).map(move |n| members[(first + n) % count])
}

/// The homes of every item that there may be: one list for each replica that can be the first.
pub fn lists(members: &[NodeId], copies: u32) -> impl Iterator<Item = Vec<NodeId>> {
    (0..members.len()).map(move |first| from(members, first).take(copies as usize).collect())
}

/// The replicas that hold an item.
pub fn homes(members: &[NodeId], copies: u32, item: u32) -> Vec<NodeId> {
    order(members, item).take(copies as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_gets_its_share() {
        let members: Vec<NodeId> = (3..8).map(NodeId).collect();
        let mut shares = [0u32; 5];
        for item in 0..10_000 {
            let homes = homes(&members, 3, item);
            assert_eq!(homes.len(), 3);
            homes.iter().for_each(|node| shares[node.index() - 3] += 1);
        }
        assert!(shares.iter().all(|&n| (5_700..6_300).contains(&n)), "{shares:?}");
    }
}
