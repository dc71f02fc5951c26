//! From a JSON Schema to the fields of a form, one level at a time, so that a type may contain
//! itself. Pure: the page draws what this says. A parameter added to the scenario format appears
//! in the form by itself, with its documentation as the help text.

use serde_json::{Map, Value};

/// A schema with its definitions.
#[derive(Clone, Debug)]
pub struct Schema {
    root: Value,
}

/// What a person edits a value with.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Named parts, each a field of its own.
    Group(Vec<Part>),
    /// One of several variants, the chosen one perhaps with fields.
    Choice(Vec<Variant>),
    /// A number.
    Number {
        /// No fractions.
        whole: bool,
        /// The least value allowed.
        low: Option<f64>,
        /// The greatest value allowed.
        high: Option<f64>,
    },
    /// Text of some format.
    Text(Format),
    /// On or off.
    Switch,
    /// A few values of fixed kinds, in order.
    Tuple(Vec<Value>),
    /// Any number of items of one kind, in order.
    List(Value),
    /// Any number of entries of one kind, by name.
    Table(Value),
    /// Something else: edited as JSON.
    Free,
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A length of time: `250ms`.
    Span,
    /// Events per time: `20/s`.
    Rate,
    /// A probability: `1%`.
    Chance,
    /// A name or a sentence.
    Plain,
}

/// A named part of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its key in the scenario.
    pub key: String,
    /// Its key as words.
    pub label: String,
    /// What it means.
    pub help: String,
    /// Its own schema.
    pub node: Value,
    /// What an absent value stands for; null when absence means "none".
    pub default: Value,
    /// It may be absent.
    pub optional: bool,
}

/// One of the variants of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name in the scenario; empty for "none".
    pub tag: String,
    /// Its name as words.
    pub label: String,
    /// What it means.
    pub help: String,
    /// The schema of what it holds, if it holds anything.
    pub body: Option<Value>,
}

impl Schema {
    /// Reads a schema; an unreadable one describes nothing, and every value is edited as JSON.
    pub fn read(text: &str) -> Schema {
        Schema { root: serde_json::from_str(text).unwrap_or_default() }
    }

    /// The schema of the whole document.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// The schema of what `keys` lead to, passing through tables.
    pub fn below(&self, keys: &[&str]) -> Value {
        keys.iter().fold(self.root.clone(), |node, key| {
            let node = self.resolve(&node);
            let part = node.get("properties").and_then(|p| p.get(*key));
            part.or_else(|| node.get("additionalProperties")).cloned().unwrap_or_default()
        })
    }

    /// `node` with references followed; what stands beside a reference (a description, a
    /// default) wins over what it refers to. "This or null" becomes this.
    pub fn resolve(&self, node: &Value) -> Value {
        let mut node = node.clone();
        // A reference may name a reference; a schema that goes round in circles is left as it is.
        for _ in 0..16 {
            let target = match (node.get("$ref"), not_null(&node)) {
                (Some(Value::String(name)), _) => {
                    name.strip_prefix('#').and_then(|p| self.root.pointer(p)).cloned()
                }
                (_, Some(inner)) => Some(inner.clone()),
                _ => None,
            };
            let (Some(Value::Object(mut target)), Value::Object(own)) = (target, &node) else {
                break;
            };
            for (key, value) in own {
                if key != "$ref" && key != "anyOf" {
                    target.insert(key.clone(), value.clone());
                }
            }
            node = Value::Object(target);
        }
        node
    }

    /// What the value of `node` is edited with.
    pub fn shape(&self, node: &Value) -> Shape {
        let node = self.resolve(node);
        if let Some(variants) = self.variants(&node) {
            return Shape::Choice(variants);
        }
        let number = |key: &str| node.get(key).and_then(Value::as_f64);
        match kind(&node) {
            "object" => match (node.get("properties"), node.get("additionalProperties")) {
                (None, Some(item @ Value::Object(_))) => Shape::Table(item.clone()),
                _ => Shape::Group(self.parts(&node)),
            },
            "array" => match node.get("prefixItems").and_then(Value::as_array) {
                Some(kinds) => Shape::Tuple(kinds.clone()),
                None => Shape::List(node.get("items").cloned().unwrap_or_default()),
            },
            "boolean" => Shape::Switch,
            kind @ ("integer" | "number") => Shape::Number {
                whole: kind == "integer",
                low: number("minimum"),
                high: number("maximum"),
            },
            "string" => Shape::Text(match node.get("format").and_then(Value::as_str) {
                Some("span" | "duration") => Format::Span,
                Some("rate") => Format::Rate,
                Some("chance") => Format::Chance,
                _ => Format::Plain,
            }),
            _ => Shape::Free,
        }
    }

    fn parts(&self, node: &Value) -> Vec<Part> {
        let none = Map::new();
        let properties = node.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<&str> = node
            .get("required")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        properties
            .iter()
            .map(|(key, node)| {
                let resolved = self.resolve(node);
                Part {
                    key: key.clone(),
                    label: words(key),
                    help: description(&resolved),
                    default: resolved.get("default").cloned().unwrap_or_default(),
                    optional: !required.contains(&key.as_str()),
                    node: node.clone(),
                }
            })
            .collect()
    }

    /// The variants of an externally tagged enum; none for anything else.
    fn variants(&self, node: &Value) -> Option<Vec<Variant>> {
        if let Some(names) = node.get("enum").and_then(Value::as_array) {
            let names = names.iter().filter_map(Value::as_str);
            return Some(names.map(|tag| variant(tag, String::new(), None)).collect());
        }
        let options = node.get("oneOf").and_then(Value::as_array)?;
        let mut variants = Vec::new();
        for option in options {
            let help = description(option);
            if let Some(tag) = option.get("const").and_then(Value::as_str) {
                variants.push(variant(tag, help, None));
            } else if let Some(names) = option.get("enum").and_then(Value::as_array) {
                let names = names.iter().filter_map(Value::as_str);
                variants.extend(names.map(|tag| variant(tag, help.clone(), None)));
            } else if let Some(body) = option.get("properties").and_then(Value::as_object) {
                let (tag, body) = body.iter().next()?;
                variants.push(variant(tag, help, Some(body.clone())));
            }
            // Anything else is shorthand for one of the variants.
        }
        Some(variants)
    }

    /// The least a valid value of `node` can be: defaults where there are any, else the first
    /// variant, middling numbers and lengths of time, only the required parts.
    pub fn blank(&self, node: &Value) -> Value {
        self.blank_within(node, 8)
    }

    fn blank_within(&self, node: &Value, depth: u32) -> Value {
        let node = self.resolve(node);
        if let Some(default) = node.get("default").filter(|d| !d.is_null()) {
            return default.clone();
        }
        if depth == 0 {
            return Value::Null;
        }
        match self.shape(&node) {
            Shape::Group(parts) => {
                let needed = parts.iter().filter(|part| !part.optional);
                let entry = |p: &Part| (p.key.clone(), self.blank_within(&p.node, depth - 1));
                Value::Object(needed.map(entry).collect())
            }
            Shape::Choice(variants) => {
                variants.first().map_or(Value::Null, |first| self.chosen_blank(first))
            }
            Shape::Number { whole, low, high } => middling(whole, low, high),
            Shape::Text(Format::Span) => Value::from("1s"),
            Shape::Text(Format::Rate) => Value::from("10/s"),
            Shape::Text(Format::Chance) => Value::from("1%"),
            Shape::Text(Format::Plain) => Value::from(""),
            Shape::Switch => Value::from(false),
            Shape::Tuple(kinds) => {
                kinds.iter().map(|kind| self.blank_within(kind, depth - 1)).collect()
            }
            Shape::List(_) => Value::Array(Vec::new()),
            Shape::Table(_) => Value::Object(Map::new()),
            Shape::Free => Value::Null,
        }
    }

    /// The value that chooses `variant`, with its parts blank.
    pub fn chosen_blank(&self, variant: &Variant) -> Value {
        match &variant.body {
            None if variant.tag.is_empty() => Value::Null,
            None => Value::from(variant.tag.as_str()),
            Some(body) => {
                Value::Object(Map::from_iter([(variant.tag.clone(), self.blank_within(body, 6))]))
            }
        }
    }
}

/// A number to begin with: 100 where that is allowed, else the limit next to it.
fn middling(whole: bool, low: Option<f64>, high: Option<f64>) -> Value {
    let number = 100.0_f64.min(high.unwrap_or(100.0)).max(low.unwrap_or(0.0));
    if whole { Value::from(number as i64) } else { Value::from(number) }
}

/// Which of `variants` the value is.
pub fn chosen(variants: &[Variant], value: &Value) -> Option<usize> {
    let tag = match value {
        Value::String(tag) => tag.as_str(),
        Value::Object(map) => map.keys().next()?.as_str(),
        Value::Null => "",
        _ => return None,
    };
    variants.iter().position(|variant| variant.tag == tag)
}

/// A key as words: `max_attempts` is `Max attempts`.
pub fn words(key: &str) -> String {
    let text = key.trim_matches('_').replace(['_', '-'], " ");
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn variant(tag: &str, help: String, body: Option<Value>) -> Variant {
    Variant { tag: tag.to_owned(), label: words(tag), help, body }
}

fn description(node: &Value) -> String {
    let text = node.get("description").and_then(Value::as_str).unwrap_or_default();
    // Doc comments are wrapped by hand; a form wraps by itself.
    text.split("\n\n").map(|p| p.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

/// The type a node names, null aside.
fn kind(node: &Value) -> &str {
    match node.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|k| *k != "null").unwrap_or_default()
        }
        _ if node.get("properties").is_some() => "object",
        _ => "",
    }
}

/// The other side of "this or null".
fn not_null(node: &Value) -> Option<&Value> {
    let options = node.get("anyOf")?.as_array()?;
    let is_null = |n: &&Value| n.get("type").and_then(Value::as_str) == Some("null");
    match options.as_slice() {
        [inner, null] if is_null(&null) => Some(inner),
        [null, inner] if is_null(&null) => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::read(
            r##"{
          "type": "object",
          "properties": {
            "nodes": { "type": "object", "additionalProperties": { "$ref": "#/$defs/Node" } }
          },
          "$defs": {
            "Span": { "type": "string", "format": "span" },
            "Node": {
              "type": "object",
              "required": ["workers"],
              "properties": {
                "workers": { "type": "integer", "minimum": 1, "maximum": 512, "description": "How many\nwork." },
                "queue": { "anyOf": [{ "$ref": "#/$defs/Queue" }, { "type": "null" }], "description": "Waits." },
                "backoff": { "$ref": "#/$defs/Backoff", "default": "none", "description": "Wait between." },
                "timeout": { "$ref": "#/$defs/Span", "default": "1s" },
                "loss": { "type": ["string", "null"], "format": "chance" }
              }
            },
            "Queue": { "type": "object", "required": ["limit"],
                       "properties": { "limit": { "type": "integer" } } },
            "Backoff": {
              "description": "How long to wait.",
              "oneOf": [
                { "type": "string", "const": "none", "description": "At once." },
                { "type": "object", "description": "Always the same.", "required": ["fixed"],
                  "properties": { "fixed": { "$ref": "#/$defs/Span" } } },
                { "type": "object", "required": ["exponential"], "properties": { "exponential": {
                  "type": "object", "required": ["base"],
                  "properties": { "base": { "$ref": "#/$defs/Span" }, "next": { "$ref": "#/$defs/Backoff" } } } } }
              ]
            }
          }
        }"##,
        )
    }

    fn parts() -> Vec<Part> {
        let schema = schema();
        match schema.shape(&schema.below(&["nodes", "api"])) {
            Shape::Group(parts) => parts,
            other => panic!("a node is a group, not {other:?}"),
        }
    }

    #[wasm_bindgen_test]
    fn parts_carry_words_help_and_defaults() {
        let parts = parts();
        let keys: Vec<&str> = parts.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, ["workers", "queue", "backoff", "timeout", "loss"]);
        assert_eq!(
            (parts[0].label.as_str(), parts[0].help.as_str()),
            ("Workers", "How many work.")
        );
        assert!(!parts[0].optional && parts[1].optional);
        assert_eq!(parts[2].help, "Wait between.");
        assert_eq!(parts[3].default, json!("1s"));
    }

    #[wasm_bindgen_test]
    fn each_kind_of_value_gets_its_field() {
        let (schema, parts) = (schema(), parts());
        let shape = |n: usize| schema.shape(&parts[n].node);
        assert_eq!(shape(0), Shape::Number { whole: true, low: Some(1.0), high: Some(512.0) });
        assert!(matches!(shape(1), Shape::Group(inner) if inner.len() == 1));
        assert_eq!(shape(3), Shape::Text(Format::Span));
        assert_eq!(shape(4), Shape::Text(Format::Chance));
    }

    #[wasm_bindgen_test]
    fn a_choice_knows_its_variants_and_what_they_start_with() {
        let (schema, parts) = (schema(), parts());
        let Shape::Choice(variants) = schema.shape(&parts[2].node) else {
            panic!("a tagged enum is a choice");
        };
        let tags: Vec<&str> = variants.iter().map(|v| v.tag.as_str()).collect();
        assert_eq!(tags, ["none", "fixed", "exponential"]);
        assert_eq!(variants[1].help, "Always the same.");
        assert_eq!(chosen(&variants, &json!("none")), Some(0));
        assert_eq!(chosen(&variants, &json!({ "fixed": "1s" })), Some(1));
        assert_eq!(chosen(&variants, &json!({ "other": 1 })), None);
        assert_eq!(schema.chosen_blank(&variants[0]), json!("none"));
        assert_eq!(schema.chosen_blank(&variants[1]), json!({ "fixed": "1s" }));
        // The optional part that contains the type itself is left out, so this ends.
        assert_eq!(schema.chosen_blank(&variants[2]), json!({ "exponential": { "base": "1s" } }));
    }

    #[wasm_bindgen_test]
    fn blanks_are_the_least_that_is_valid() {
        let schema = schema();
        assert_eq!(schema.blank(&schema.below(&["nodes", "api"])), json!({ "workers": 100 }));
    }

    #[wasm_bindgen_test]
    fn an_unreadable_schema_describes_nothing() {
        let schema = Schema::read("not JSON");
        assert_eq!(schema.shape(schema.root()), Shape::Free);
        let circle = Schema::read(r##"{ "$ref": "#" }"##);
        assert_eq!(circle.shape(circle.root()), Shape::Free);
    }
}
