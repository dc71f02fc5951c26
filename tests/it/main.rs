//! The native integration tests, one binary.

mod golden;
mod tidy;

#[test]
fn draws_keep_their_bits() {
    golden::draws_keep_their_bits();
}
