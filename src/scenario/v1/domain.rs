//! Where things run: failure domains, how far apart they are, and what that costs.

use super::dist::Dist;
use super::wire::named::Named;
use crate::base::time::Span;

wire! {
    /// A failure domain: what is in it shares its fate.
    pub struct Domain {
        /// The domain it lies in. None makes it a region; in a region it is a zone, in a zone a
        /// host.
        r#in: Option<String> = None;
    }
}

wire! {
    /// How long a message takes between nodes that are placed, by how far apart they are. Links
    /// that are listed have their own latency.
    //
    // Within a zone a round trip takes about half a millisecond (J. Dean, "Numbers everyone should
    // know", 2009). Zones of a region are less than 2 ms apart and mostly less than 1 (J. Hamilton,
    // "AWS innovation at scale", 2014). Between regions light needs 5 µs for a kilometre of fibre:
    // 30 ms for the 6,000 km of an ocean, and ways are a quarter longer than straight.
    pub struct Distances {
        /// In one host.
        same_host: Dist = Dist::Uniform(Span::micros(20), Span::micros(60));
        /// In one zone.
        same_zone: Dist = Dist::Uniform(Span::micros(150), Span::micros(350));
        /// Between zones of a region.
        cross_zone: Dist = Dist::Uniform(Span::micros(400), Span::micros(1_000));
        /// Between regions.
        cross_region: Dist = Dist::Uniform(Span::micros(35_000), Span::micros(45_000));
    }
}

wire! {
    /// What things cost an hour, in prices of one server of a service: 1 is what it costs.
    //
    // The proportions are those of list prices of a large cloud: a managed database costs twice the
    // machine it runs on, a balancer a quarter of one; a gigabyte costs $0.02 between zones (half
    // for each side) and between regions, $0.09 to the internet, and a machine about $0.10 an hour.
    pub struct Prices {
        /// One replica of a service.
        service: f64 = 1.0, 0 ..= 1_000_000;
        /// One replica of a store.
        store: f64 = 2.0, 0 ..= 1_000_000;
        /// Whatever else runs: balancers, routers, caches, and their like.
        other: f64 = 0.25, 0 ..= 1_000_000;
        /// Nodes that are larger or smaller than others: how many times the price.
        sizes: Named<f64> = Named::default();
        /// What a message weighs, in kilobytes.
        message_kb: f64 = 2.0, 0 ..= 1_000_000;
        /// A gigabyte between zones.
        cross_zone_gb: f64 = 0.2, 0 ..= 1_000_000;
        /// A gigabyte between regions.
        cross_region_gb: f64 = 0.2, 0 ..= 1_000_000;
        /// A gigabyte to the outside, where clients are.
        outside_gb: f64 = 0.9, 0 ..= 1_000_000;
    }
}
