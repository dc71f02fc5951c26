//! The native integration tests, one binary.

mod conform;
mod golden;
mod links;
mod script;
mod session;
mod tidy;

#[test]
fn draws_keep_their_bits() {
    golden::draws_keep_their_bits();
}

#[test]
fn every_recorded_case_agrees() {
    conform::every_recorded_case_agrees();
}

#[test]
fn a_false_record_is_noticed() {
    conform::a_false_record_is_noticed();
}

#[test]
fn what_is_not_understood_fails_and_says_where() {
    conform::what_is_not_understood_fails_and_says_where();
}

#[test]
fn no_file_is_too_strange() {
    conform::no_file_is_too_strange();
}
