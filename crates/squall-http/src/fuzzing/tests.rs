//! The seeds in `fuzz/seeds`, and whatever fuzzing has found, through the fuzzers' own functions.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// A name and what it runs.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 10] = [
    ("h1_response", super::h1_response),
    ("h1_shapes", super::h1_shapes),
    ("h1_head", super::h1_head),
    ("h2_response", super::h2_response),
    ("h2_shapes", super::h2_shapes),
    ("hpack", super::hpack),
    ("cookies", super::cookies),
    ("redirect", super::redirect),
    ("multipart", super::multipart),
    ("decompression", super::decompression),
];

#[test]
fn the_seeds_keep_the_laws() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, target) in TARGETS {
        let folder = fs::read_dir(seeds.join(name)).expect("each target has seeds");
        for file in folder.map(|entry| entry.expect("an entry").path()) {
            let seed = fs::read(&file).expect("a seed");
            // Prefixes are seeds too: whatever can break off does.
            let step = (seed.len() / 100).max(1);
            (0..seed.len()).step_by(step).for_each(|length| target(&seed[..length]));
            target(&seed);
        }
    }
}

proptest! {
    #[test]
    fn shapes_keep_the_laws(data in prop::collection::vec(any::<u8>(), 0..600)) {
        super::h1_shapes(&data);
    }

    #[test]
    fn connections_keep_the_laws(data in prop::collection::vec(any::<u8>(), 0..600)) {
        super::h2_shapes(&data);
    }
}
