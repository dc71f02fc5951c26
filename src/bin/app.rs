//! The page's way in: show panics to people, then mount.

use netsplit::app::shell::{self, App};
use netsplit::app::trouble;

fn main() {
    trouble::watch_panics();
    leptos::mount::mount_to_body(App);
    shell::clear();
}
