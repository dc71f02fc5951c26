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

#[test]
fn parts_carry_words_help_and_defaults() {
    let parts = parts();
    let keys: Vec<&str> = parts.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(keys, ["workers", "queue", "backoff", "timeout", "loss"]);
    assert_eq!((parts[0].label.as_str(), parts[0].help.as_str()), ("Workers", "How many work."));
    assert!(!parts[0].optional && parts[1].optional);
    assert_eq!(parts[2].help, "Wait between.");
    assert_eq!(parts[3].default, json!("1s"));
}

#[test]
fn each_kind_of_value_gets_its_field() {
    let (schema, parts) = (schema(), parts());
    let shape = |n: usize| schema.shape(&parts[n].node);
    assert_eq!(shape(0), Shape::Number { whole: true, low: Some(1.0), high: Some(512.0) });
    assert!(matches!(shape(1), Shape::Group(inner) if inner.len() == 1));
    assert_eq!(shape(3), Shape::Text(Format::Span));
    assert_eq!(shape(4), Shape::Text(Format::Chance));
}

#[test]
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
    assert_eq!(schema.chosen_blank(&variants[1]), json!({ "fixed": "100ms" }));
    // The optional part that contains the type itself is left out, so this ends.
    assert_eq!(schema.chosen_blank(&variants[2]), json!({ "exponential": { "base": "100ms" } }));
}

#[test]
fn blanks_are_the_least_that_is_valid() {
    let schema = schema();
    assert_eq!(schema.blank(&schema.below(&["nodes", "api"])), json!({ "workers": 1 }));
}

#[test]
fn paths_find_values_and_their_problems() {
    let path = Path::default().key("api").key("steps").index(1).key("at");
    assert_eq!(path.to_string(), "api.steps[1].at");
    let document = json!({ "api": { "steps": [{}, { "at": "5s" }] } });
    assert_eq!(path.find(&document), Some(&json!("5s")));
    assert_eq!(path.key("more").find(&document), None);

    let mut found = crate::base::diagnostics::Diagnostics::default();
    found.error("nodes.api.steps[1].at", "`x` is not a duration", "write `5s`");
    assert!(path.problem("nodes", &found.problems).is_some());
    assert!(Path::default().key("api").key("ste").problem("nodes", &found.problems).is_none());
    assert!(Path::default().key("api").key("steps").problem("nodes", &found.problems).is_some());
}

#[test]
fn an_unreadable_schema_describes_nothing() {
    let schema = Schema::read("not JSON");
    assert_eq!(schema.shape(schema.root()), Shape::Free);
    let circle = Schema::read(r##"{ "$ref": "#" }"##);
    assert_eq!(circle.shape(circle.root()), Shape::Free);
}
