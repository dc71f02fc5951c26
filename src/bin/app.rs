//! The page's way in: show panics to people, then mount.

use netsplit::app::{shell, trouble};

fn main() {
    trouble::watch_panics();
    leptos::mount::mount_to_body(shell::mount);
    shell::clear();
}
