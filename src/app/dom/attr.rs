//! A value of an attribute, a class or a property: a text, nothing, or whatever a closure says.

use super::keep;
use leptos::prelude::{Get, Memo, RenderEffect, RwSignal, Signal};
use std::borrow::Cow;

/// What an attribute is set to.
pub enum Attr {
    /// It is absent.
    Absent,
    /// A text.
    Text(Cow<'static, str>),
    /// What this says, now and whenever a signal it reads changes.
    Live(Box<dyn FnMut() -> Attr>),
}

/// What is done with the text of a value whenever it changes.
type Apply = Box<dyn FnMut(Option<&str>)>;

impl Attr {
    /// Applies the value, and again whenever it changes.
    pub(super) fn follow(self, mut apply: Apply) {
        match self {
            Attr::Absent => apply(None),
            Attr::Text(text) => apply(Some(&text)),
            Attr::Live(mut say) => {
                let mut before = None;
                keep(RenderEffect::new(move |_| {
                    let now = Some(say().text());
                    if now != before {
                        before = now;
                        apply(before.as_ref().and_then(|text| text.as_deref()));
                    }
                }));
            }
        }
    }

    fn text(self) -> Option<Cow<'static, str>> {
        match self {
            Attr::Absent => None,
            Attr::Text(text) => Some(text),
            Attr::Live(mut say) => say().text(),
        }
    }
}

impl From<&'static str> for Attr {
    fn from(text: &'static str) -> Attr {
        Attr::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Attr {
    fn from(text: String) -> Attr {
        Attr::Text(Cow::Owned(text))
    }
}

/// True is present and empty, as HTML wants it.
impl From<bool> for Attr {
    fn from(on: bool) -> Attr {
        if on { Attr::Text(Cow::Borrowed("")) } else { Attr::Absent }
    }
}

impl<T: Into<Attr>> From<Option<T>> for Attr {
    fn from(value: Option<T>) -> Attr {
        value.map_or(Attr::Absent, Into::into)
    }
}

impl<F: FnMut() -> T + 'static, T: Into<Attr>> From<F> for Attr {
    fn from(mut say: F) -> Attr {
        Attr::Live(Box::new(move || say().into()))
    }
}

macro_rules! by_text {
    ($($number:ty)*) => {$(
        impl From<$number> for Attr {
            fn from(number: $number) -> Attr {
                Attr::from(number.to_string())
            }
        }
    )*};
}
by_text!(f64 usize u32 u64 i32);

macro_rules! by_signal {
    ($($signal:ident)*) => {$(
        impl<T: Clone + Into<Attr> + Send + Sync + 'static> From<$signal<T>> for Attr {
            fn from(signal: $signal<T>) -> Attr {
                Attr::Live(Box::new(move || signal.get().into()))
            }
        }
    )*};
}
by_signal!(Memo RwSignal Signal);
