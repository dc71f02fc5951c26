//! Failure domains as nested boxes: regions, zones in them, hosts in those. What lies in a box
//! shares its fate; how far apart two nodes are is the smallest box that holds both.

use super::id::NodeId;
use serde::{Deserialize, Serialize};

/// What kind of box a domain is, by how deep it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// Places far apart.
    Region,
    /// Buildings with power and network of their own.
    Zone,
    /// Machines.
    Host,
}

impl Tier {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Tier::Region => "region",
            Tier::Zone => "zone",
            Tier::Host => "host",
        }
    }
}

/// How far apart two nodes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Distance {
    /// In one machine.
    SameHost,
    /// In one building.
    SameZone,
    /// Between buildings of one region.
    CrossZone,
    /// Between regions.
    CrossRegion,
    /// One of them is in no domain: somewhere on the internet.
    Outside,
}

/// Every distance, in order.
pub const DISTANCES: [Distance; 5] = [
    Distance::SameHost,
    Distance::SameZone,
    Distance::CrossZone,
    Distance::CrossRegion,
    Distance::Outside,
];

impl Distance {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Distance::SameHost => "in one host",
            Distance::SameZone => "in one zone",
            Distance::CrossZone => "between zones",
            Distance::CrossRegion => "between regions",
            Distance::Outside => "from and to outside",
        }
    }
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// What it is called.
    pub name: String,
    /// What kind.
    pub tier: Tier,
    /// The box it lies in, by its place in the list; always an earlier or later one, never itself.
    pub inside: Option<u32>,
    /// The nodes in it, those of the boxes in it included, by id.
    pub nodes: Vec<NodeId>,
}

/// All boxes of a scenario, and which of them holds each node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domains {
    /// The boxes.
    pub all: Vec<Domain>,
    /// By node: the innermost box it is in.
    pub of: Vec<Option<u32>>,
}

impl Domains {
    /// The box of that name.
    pub fn find(&self, name: &str) -> Option<&Domain> {
        self.all.iter().find(|domain| domain.name == name)
    }

    /// The boxes around a node, the innermost first.
    pub fn around(&self, node: NodeId) -> impl Iterator<Item = u32> + '_ {
        let innermost = self.of.get(node.index()).copied().flatten();
        std::iter::successors(innermost, |domain| self.all[*domain as usize].inside)
    }

    /// How far apart two nodes are. Of two in no smaller common box than a region, both may be in
    /// one zone or not: they count as being in different ones.
    pub fn distance(&self, one: NodeId, other: NodeId) -> Distance {
        let theirs: Vec<u32> = self.around(other).collect();
        if theirs.is_empty() || self.around(one).next().is_none() {
            return Distance::Outside;
        }
        let common = self.around(one).find(|domain| theirs.contains(domain));
        match common.map(|domain| self.all[domain as usize].tier) {
            Some(Tier::Host) => Distance::SameHost,
            Some(Tier::Zone) => Distance::SameZone,
            Some(Tier::Region) => Distance::CrossZone,
            None => Distance::CrossRegion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_common_box_is_the_distance() {
        let domain = |name: &str, tier, inside| Domain {
            name: name.to_owned(),
            tier,
            inside,
            nodes: Vec::new(),
        };
        let all = vec![
            domain("eu", Tier::Region, None),
            domain("eu-a", Tier::Zone, Some(0)),
            domain("eu-b", Tier::Zone, Some(0)),
            domain("rack", Tier::Host, Some(1)),
            domain("us", Tier::Region, None),
        ];
        let of = vec![Some(3), Some(3), Some(1), Some(2), Some(4), None];
        let domains = Domains { all, of };
        let from_first: Vec<Distance> =
            (1..6).map(|other| domains.distance(NodeId(0), NodeId(other))).collect();
        assert_eq!(from_first, DISTANCES);
    }
}
