//! End-to-end tests: the built page in a real Chromium, driven as a person would.
//!
//! `make test-e2e` builds the page and runs them. To add one, write a `#[test]` in a sibling file
//! that opens a [`browser::Browser`], and add the file here.

#[allow(dead_code, reason = "words to write tests with: not each is in use at every time")]
mod browser;
mod course;
mod hands;
mod lab;
mod launch;
mod looks;
mod pace;
mod page;
mod server;
mod shots;
mod ways;
mod webdriver;
