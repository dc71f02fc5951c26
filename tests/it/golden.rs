//! Bits that must be the same on every machine and in every browser. The native tests and the
//! tests in a browser call the same functions, so a difference between targets shows at once.

use netsplit::base::dist::{Dist, Zipf};
use netsplit::base::random::Stream;
use netsplit::scenario::presets;
use netsplit::session::Session;
use std::fmt::Write;

/// Sums of 10,000 draws of each distribution, bit for bit, and the last word of the stream.
pub fn draws_keep_their_bits() {
    let dists = [
        Dist::Uniform { low: 500.0, high: 1_500.0 },
        Dist::Exponential { mean: 1_000.0 },
        Dist::Normal { mean: 1_000.0, deviation: 300.0 },
        Dist::LogNormal { median: 1_000.0, sigma: 0.5 },
        Dist::Pareto { scale: 500.0, shape: 2.5 },
    ];
    let mut stream = Stream::new(42, "golden", 7);
    let mut got: Vec<u64> = dists
        .iter()
        .map(|dist| (0..10_000).map(|_| dist.draw(&mut stream)).sum::<f64>().to_bits())
        .collect();
    let zipf = Zipf::new(1_000, 1.1);
    got.push((0..10_000).map(|_| u64::from(zipf.sample(&mut stream))).sum());
    got.push(u64::from(stream.bits()));
    assert_eq!(got, GOLDEN, "draws moved: every recorded run and link would replay differently");
}

const GOLDEN: [u64; 7] = [
    0x4163_10ff_19e7_3f1d,
    0x4163_7ad7_d83d_110d,
    0x4163_0b32_07a9_41e9,
    0x4165_b54a_c268_3047,
    0x415f_ebbd_8e0f_9b42,
    970_907,
    1_707_402_211,
];

const DIGESTS: &str = include_str!("../golden/digests.txt");

/// The digest of every preset at its end. `UPDATE=1 cargo test digests` writes them anew.
pub fn presets_keep_their_digests() {
    let mut got = String::new();
    for preset in presets::all() {
        let session = Session::start(preset.scenario.clone());
        let mut session = session.unwrap_or_else(|problems| panic!("{}: {problems}", preset.id));
        session.seek(session.end());
        _ = writeln!(got, "{} {:016x}", preset.id, session.digest());
    }
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/digests.txt");
        std::fs::write(path, &got).unwrap_or_else(|error| panic!("{path}: {error}"));
        return;
    }
    assert_eq!(got, DIGESTS, "presets run differently: recorded links would too");
}
