//! Named things in the order in which they were written.

use super::Wire;
use super::walk::Walk;
use serde_json::Value;

/// Named things in the order in which they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    /// The thing called `name`.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, thing)| thing)
    }

    /// Names and things.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, thing)| (name.as_str(), thing))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// True when there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Wire> Wire for Named<T> {
    fn read(json: &Value, walk: &mut Walk<'_>) -> Option<Named<T>> {
        let Value::Object(map) = json else {
            return walk.expected("names with what they stand for", json);
        };
        let read = |(name, json): (&String, &Value)| Some((name.clone(), walk.within(name, json)?));
        Some(Named(map.iter().filter_map(read).collect()))
    }
    fn write(&self) -> Value {
        Value::Object(self.iter().map(|(name, thing)| (name.to_owned(), thing.write())).collect())
    }
    fn full(&self) -> Value {
        Value::Object(self.iter().map(|(name, thing)| (name.to_owned(), thing.full())).collect())
    }
    fn examine(&self, walk: &mut Walk<'_>) {
        for (name, thing) in self.iter() {
            walk.part(name, thing);
        }
    }
}

impl<T: Wire> serde::Serialize for Named<T> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.write().serialize(s)
    }
}
