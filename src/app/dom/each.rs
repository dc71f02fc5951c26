//! Lists that keep what they can, and things shown on a condition.

use super::keep;
use super::view::View;
use leptos::prelude::{Get, Memo, Owner, RenderEffect, document, untrack};
use std::hash::{DefaultHasher, Hash, Hasher};
use web_sys::{Node, Text};

/// A row for each item of a list. When the list changes, the rows of known keys stay as they are.
pub fn each<T: 'static, L: IntoIterator<Item = T>, K: Hash, V: Into<View>>(
    items: impl Fn() -> L + 'static,
    key: impl Fn(&T) -> K + 'static,
    row: impl Fn(T) -> V + Clone + 'static,
) -> View {
    let wanted = move || {
        let wish = |item: T| {
            let (key, row) = (hash(&key(&item)), row.clone());
            Wish { key, make: Box::new(move || row(item).into()) }
        };
        items().into_iter().map(wish).collect()
    };
    list(Box::new(wanted))
}

/// Something shown while a condition holds.
pub fn show<V: Into<View>>(
    when: impl Fn() -> bool + Send + Sync + 'static,
    what: impl Fn() -> V + 'static,
) -> View {
    let on = Memo::new(move |_| when());
    View::from(move || on.get().then(|| untrack(&what)))
}

fn hash(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// A row that should be there.
struct Wish {
    key: u64,
    make: Box<dyn FnOnce() -> View>,
}

/// A row that is there: what stands between two empty texts, and the owner of its effects.
struct Row {
    key: u64,
    first: Text,
    last: Text,
    _owner: Owner,
}

fn list(wanted: Box<dyn Fn() -> Vec<Wish>>) -> View {
    let fragment = document().create_document_fragment();
    let end = document().create_text_node("");
    let _ = fragment.append_child(&end);
    let owner = Owner::current().unwrap_or_default();
    let mut rows: Vec<Row> = Vec::new();
    keep(RenderEffect::new(move |_| {
        let wishes = wanted();
        let mut old: Vec<Option<Row>> = std::mem::take(&mut rows).into_iter().map(Some).collect();
        for wish in wishes {
            let kept = old.iter_mut().find(|r| r.as_ref().is_some_and(|r| r.key == wish.key));
            rows.push(kept.and_then(Option::take).unwrap_or_else(|| Row::new(wish, &owner)));
        }
        old.into_iter().flatten().for_each(|row| row.nodes().for_each(take_out));
        arrange(&rows, &end);
    }));
    View::Node(fragment.into())
}

/// Puts the rows in order before `end`; those that already are in place are not touched.
fn arrange(rows: &[Row], end: &Text) {
    let Some(parent) = end.parent_node() else { return };
    let mut next: Node = end.clone().into();
    for row in rows.iter().rev() {
        if row.last.next_sibling().as_ref() != Some(&next) {
            for node in row.nodes().collect::<Vec<_>>() {
                let _ = parent.insert_before(&node, Some(&next));
            }
        }
        next = row.first.clone().into();
    }
}

fn take_out(node: Node) {
    if let Some(parent) = node.parent_node() {
        let _ = parent.remove_child(&node);
    }
}

impl Row {
    fn new(wish: Wish, among: &Owner) -> Row {
        let owner = among.child();
        let home = document().create_document_fragment();
        let (first, last) = (document().create_text_node(""), document().create_text_node(""));
        let _ = home.append_child(&first);
        owner.with(|| untrack(wish.make).append_to(&home));
        let _ = home.append_child(&last);
        Row { key: wish.key, first, last, _owner: owner }
    }

    /// All its nodes, in order. The next one is looked up before one is given out.
    fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        let last: Node = self.last.clone().into();
        let mut next = Some(Node::from(self.first.clone()));
        std::iter::from_fn(move || {
            let node = next.take()?;
            if node != last {
                next = node.next_sibling();
            }
            Some(node)
        })
    }
}
