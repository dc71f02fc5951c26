//! Elements of the page: made at once, kept up to date by effects.
//!
//! Leptos gives the page its signals, memos, effects and owners. Its `view!` would make a type of
//! its own for every element and every closure in it, and the code of each: over half of the page
//! by measure (see the README's design notes). Here every element is one [`El`], every value an
//! [`Attr`], everything that can be shown a [`View`].
//!
//! Effects and listeners belong to the owner they were made under and end with it.

pub mod attr;
pub mod each;
pub mod view;

use attr::Attr;
use leptos::html::ElementType;
use leptos::prelude::{NodeRef, RenderEffect, StoredValue, document};
use leptos::tachys::html::event::EventDescriptor;
use leptos::tachys::html::node_ref::NodeRefContainer;
use view::View;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlInputElement};

const SVG: &str = "http://www.w3.org/2000/svg";

/// An element of the page.
#[derive(Clone, Debug)]
pub struct El(Element);

/// A new HTML element.
pub fn html(tag: &str) -> El {
    El(document().create_element(tag).expect("tags are written out and legal"))
}

/// A new SVG element.
pub fn svg(tag: &str) -> El {
    El(document().create_element_ns(Some(SVG), tag).expect("tags are written out and legal"))
}

impl El {
    /// The element itself.
    pub fn node(&self) -> &Element {
        &self.0
    }

    /// Sets an attribute; absent while the value is.
    pub fn attr(self, name: &'static str, value: impl Into<Attr>) -> El {
        set_attr(&self.0, name, value.into());
        self
    }

    /// Sets classes, besides those of [`El::class_when`].
    pub fn class(self, value: impl Into<Attr>) -> El {
        set_class(&self.0, value.into());
        self
    }

    /// Sets a class while `on`.
    pub fn class_when(self, name: &'static str, on: impl Into<Attr>) -> El {
        set_class_when(&self.0, name, on.into());
        self
    }

    /// Sets the text in a field, whatever a person has typed since.
    pub fn value(self, value: impl Into<Attr>) -> El {
        set_value(&self.0, value.into());
        self
    }

    /// Checks or clears a box, whatever a person has done since.
    pub fn checked(self, on: impl Into<Attr>) -> El {
        set_checked(&self.0, on.into());
        self
    }

    /// Calls `handle` at every event of a kind.
    pub fn on<E: EventDescriptor>(
        self,
        event: E,
        mut handle: impl FnMut(E::EventType) + 'static,
    ) -> El
    where
        E::EventType: JsCast,
    {
        listen(
            &self.0,
            &event.name(),
            Box::new(move |event: Event| handle(event.unchecked_into())),
        );
        self
    }

    /// Lets others find this element.
    pub fn found_by<E>(self, name: NodeRef<E>) -> El
    where
        E: ElementType,
        E::Output: JsCast + Clone + 'static,
    {
        NodeRefContainer::load(name, &self.0);
        self
    }

    /// Adds something at the end.
    pub fn child(self, child: impl Into<View>) -> El {
        child.into().append_to(&self.0);
        self
    }
}

/// Keeps an effect for as long as its owner.
fn keep(effect: RenderEffect<()>) {
    StoredValue::new_local(effect);
}

/// A listener, taken away with its owner: an element that is removed may still send events.
struct Listener {
    element: Element,
    name: String,
    handle: Closure<dyn FnMut(Event)>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let handle = self.handle.as_ref().unchecked_ref();
        // Never refused: that it may be gone already is no error.
        let _ = self.element.remove_event_listener_with_callback(&self.name, handle);
    }
}

fn listen(element: &Element, name: &str, handle: Box<dyn FnMut(Event)>) {
    let handle = Closure::wrap(handle);
    // Refused only for a handler that is none.
    let _ = element.add_event_listener_with_callback(name, handle.as_ref().unchecked_ref());
    StoredValue::new_local(Listener { element: element.clone(), name: name.to_owned(), handle });
}

fn set_attr(element: &Element, name: &'static str, value: Attr) {
    let element = element.clone();
    value.follow(Box::new(move |text| {
        // Names are written out and legal, so it cannot be refused.
        let _ = match text {
            Some(text) => element.set_attribute(name, text),
            None => element.remove_attribute(name),
        };
    }));
}

fn set_class(element: &Element, value: Attr) {
    let classes = element.class_list();
    let mut before = String::new();
    value.follow(Box::new(move |text| {
        let text = text.unwrap_or_default();
        for gone in before.split_ascii_whitespace() {
            let _ = classes.remove_1(gone);
        }
        for new in text.split_ascii_whitespace() {
            let _ = classes.add_1(new);
        }
        text.clone_into(&mut before);
    }));
}

fn set_class_when(element: &Element, name: &'static str, on: Attr) {
    let classes = element.class_list();
    on.follow(Box::new(move |on| {
        let _ = classes.toggle_with_force(name, on.is_some());
    }));
}

fn set_checked(element: &Element, on: Attr) {
    let element = element.clone().unchecked_into::<HtmlInputElement>();
    on.follow(Box::new(move |on| element.set_checked(on.is_some())));
}

/// Inputs, text areas and selections all have the property.
fn set_value(element: &Element, value: Attr) {
    let element = JsValue::from(element);
    value.follow(Box::new(move |text| {
        let text = JsValue::from_str(text.unwrap_or_default());
        let _ = js_sys::Reflect::set(&element, &JsValue::from_str("value"), &text);
    }));
}
