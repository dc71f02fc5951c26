//! From the table of prices to the price of each node and gigabyte.

use super::run::Run;
use crate::base::domain::{DISTANCES, Distance};
use crate::observe::cost::Prices;
use crate::observe::frame::Kind;

/// What things cost in a run.
pub fn prices(run: &Run) -> Prices {
    let table = &run.scenario.prices;
    let node = |node: &crate::scenario::compile::PlannedNode| {
        let kind = run.course.cast.members[node.id.index()].kind;
        let price = match kind {
            Kind::Clients => 0.0,
            Kind::Service => table.service,
            Kind::Store => table.store,
            _ => table.other,
        };
        let size = table.sizes.get(&node.name).or_else(|| table.sizes.get(&node.group));
        price * size.copied().unwrap_or(1.0)
    };
    Prices {
        nodes: run.plan.nodes.iter().map(node).collect(),
        message: table.message_kb / 1e6,
        gigabyte: DISTANCES.map(|distance| match distance {
            Distance::SameHost | Distance::SameZone => 0.0,
            Distance::CrossZone => table.cross_zone_gb,
            Distance::CrossRegion => table.cross_region_gb,
            Distance::Outside => table.outside_gb,
        }),
    }
}
