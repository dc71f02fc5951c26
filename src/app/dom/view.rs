//! What can be shown inside an element.

use super::{El, keep};
use leptos::prelude::{Get, Memo, RenderEffect, RwSignal, Signal, document};
use std::borrow::Cow;
use web_sys::{Node, Text};

/// Something to show.
#[derive(Default)]
pub enum View {
    /// Nothing.
    #[default]
    Nothing,
    /// A text.
    Text(Cow<'static, str>),
    /// An element, or several in a fragment.
    Node(Node),
    /// One after the other.
    Many(Vec<View>),
    /// What this says, now and whenever a signal it reads changes.
    Live(Box<dyn FnMut() -> View>),
}

/// Any thing that can be shown, as a view: for branches that show different things.
pub trait IntoView: Into<View> {
    /// The view.
    fn into_view(self) -> View {
        self.into()
    }
}

impl<T: Into<View>> IntoView for T {}

impl View {
    /// Puts it at the end of `parent`.
    pub fn append_to(self, parent: &Node) {
        match self {
            View::Nothing => {}
            View::Text(text) => append(parent, &document().create_text_node(&text)),
            View::Node(node) => append(parent, &node),
            View::Many(views) => views.into_iter().for_each(|view| view.append_to(parent)),
            View::Live(say) => append_live(parent, say),
        }
    }
}

fn append(parent: &Node, child: &Node) {
    // Refused only where a node would contain itself.
    let _ = parent.append_child(child);
}

/// The stretch between two empty texts, filled anew whenever `say` says something else.
fn append_live(parent: &Node, mut say: Box<dyn FnMut() -> View>) {
    let (first, last) = (document().create_text_node(""), document().create_text_node(""));
    append(parent, &first);
    append(parent, &last);
    let mut shown: Option<(Cow<'static, str>, Text)> = None;
    keep(RenderEffect::new(move |_| match (say(), &mut shown) {
        (View::Text(now), Some((before, node))) => {
            if now != *before {
                node.set_data(&now);
                *before = now;
            }
        }
        (now, shown) => {
            clear(&first, &last);
            *shown = fill(now, &last);
        }
    }));
}

/// Removes what stands between two siblings.
fn clear(first: &Node, last: &Node) {
    while let Some(next) = first.next_sibling().filter(|next| next != last) {
        if let Some(parent) = next.parent_node() {
            let _ = parent.remove_child(&next);
        }
    }
}

/// Puts a view before `last`; a text is given back, to be changed in place.
fn fill(view: View, last: &Text) -> Option<(Cow<'static, str>, Text)> {
    let parent = last.parent_node()?;
    if let View::Text(text) = view {
        let node = document().create_text_node(&text);
        let _ = parent.insert_before(&node, Some(last));
        return Some((text, node));
    }
    let fragment = document().create_document_fragment();
    view.append_to(&fragment);
    let _ = parent.insert_before(&fragment, Some(last));
    None
}

impl From<El> for View {
    fn from(El(element): El) -> View {
        View::Node(element.into())
    }
}

impl From<&'static str> for View {
    fn from(text: &'static str) -> View {
        View::Text(Cow::Borrowed(text))
    }
}

impl From<String> for View {
    fn from(text: String) -> View {
        View::Text(Cow::Owned(text))
    }
}

impl From<()> for View {
    fn from((): ()) -> View {
        View::Nothing
    }
}

impl<T: Into<View>> From<Option<T>> for View {
    fn from(view: Option<T>) -> View {
        view.map_or(View::Nothing, Into::into)
    }
}

impl<T: Into<View>> From<Vec<T>> for View {
    fn from(views: Vec<T>) -> View {
        views.into_iter().collect()
    }
}

impl<T: Into<View>, const N: usize> From<[T; N]> for View {
    fn from(views: [T; N]) -> View {
        views.into_iter().collect()
    }
}

impl<T: Into<View>> FromIterator<T> for View {
    fn from_iter<I: IntoIterator<Item = T>>(views: I) -> View {
        View::Many(views.into_iter().map(Into::into).collect())
    }
}

impl<F: FnMut() -> T + 'static, T: Into<View>> From<F> for View {
    fn from(mut say: F) -> View {
        View::Live(Box::new(move || say().into()))
    }
}

macro_rules! by_text {
    ($($number:ty)*) => {$(
        impl From<$number> for View {
            fn from(number: $number) -> View {
                View::from(number.to_string())
            }
        }
    )*};
}
by_text!(u32 u64 usize);

macro_rules! by_signal {
    ($($signal:ident)*) => {$(
        impl<T: Clone + Into<View> + Send + Sync + 'static> From<$signal<T>> for View {
            fn from(signal: $signal<T>) -> View {
                View::Live(Box::new(move || signal.get().into()))
            }
        }
    )*};
}
by_signal!(Memo RwSignal Signal);

macro_rules! by_parts {
    ($($part:ident)*) => {
        impl<$($part: Into<View>),*> From<($($part,)*)> for View {
            #[expect(non_snake_case, reason = "a part is named like its type")]
            fn from(($($part,)*): ($($part,)*)) -> View {
                View::Many(vec![$($part.into()),*])
            }
        }
    };
}
by_parts!(A B);
by_parts!(A B C);
by_parts!(A B C D);
by_parts!(A B C D E);
by_parts!(A B C D E G);
by_parts!(A B C D E G H);
by_parts!(A B C D E G H I);
