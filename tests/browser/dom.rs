//! Elements follow signals, lists keep their rows, and nothing outlives its owner.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::tick;
use netsplit::app::dom::each::each;
use netsplit::app::dom::{El, html};
use wasm_bindgen_test::wasm_bindgen_test;

fn owner() -> Owner {
    // An empty page: it starts what runs the effects.
    leptos::mount::mount_to_body(|| ());
    Owner::new()
}

fn text(element: &El) -> String {
    element.node().text_content().unwrap_or_default()
}

#[wasm_bindgen_test]
async fn attributes_and_texts_follow_signals() {
    let owner = owner();
    let (count, element) = owner.with(|| {
        let count = RwSignal::new(1_u32);
        let few = move || count.get() < 3;
        let word = move || if few() { "few" } else { "many" };
        let element = html("p")
            .class("kept")
            .class(word)
            .class_when("small", few)
            .attr("title", move || few().then_some("hint"))
            .child("there are ")
            .child(move || count.get())
            .child(move || (!few()).then(|| html("b").child("!")));
        (count, element)
    });
    let node = element.node().clone();
    assert_eq!(text(&element), "there are 1");
    assert_eq!(node.class_name(), "kept few small");
    assert_eq!(node.get_attribute("title").as_deref(), Some("hint"));
    count.set(3);
    tick().await;
    assert_eq!(text(&element), "there are 3!");
    assert_eq!(node.class_name(), "kept many");
    assert_eq!(node.get_attribute("title"), None);
    drop(owner);
}

#[wasm_bindgen_test]
async fn rows_of_known_keys_stay_and_are_put_in_order() {
    let owner = owner();
    let (items, list) = owner.with(|| {
        let items = RwSignal::new(vec![1_u32, 2, 3]);
        let row = |n: u32| html("li").child(n);
        (items, html("ul").child(each(move || items.get(), |n| *n, row)))
    });
    let first = list.node().query_selector("li").ok().flatten();
    assert_eq!(text(&list), "123");
    items.set(vec![3, 4, 1]);
    tick().await;
    assert_eq!(text(&list), "341");
    let rows = list.node().query_selector_all("li").expect("a legal selector");
    assert_eq!(rows.get(2), first.map(Into::into), "the row of 1 is the same element");
    items.set(Vec::new());
    tick().await;
    assert_eq!(text(&list), "");
    drop(owner);
}

#[wasm_bindgen_test]
fn a_listener_ends_with_its_owner() {
    let owner = owner();
    let pressed = RwSignal::new(0);
    let button = owner.with(|| html("button").on(ev::click, move |_| pressed.update(|n| *n += 1)));
    let press = || button.node().dispatch_event(&event("click")).expect("an event of the page");
    press();
    assert_eq!(pressed.get_untracked(), 1);
    drop(owner);
    press();
    assert_eq!(pressed.get_untracked(), 1);
}

fn event(name: &str) -> web_sys::Event {
    web_sys::Event::new(name).expect("any name will do")
}
