//! The native integration tests, one binary.

mod golden;

#[test]
fn draws_keep_their_bits() {
    golden::draws_keep_their_bits();
}
