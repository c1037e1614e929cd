//! The language of specs as a JSON Schema, so that editors complete and check while one types.
//!
//! It is made of the table that the parser reads by, so the two cannot part. It is a little
//! stricter: it wants texts where the parser also takes numbers as they are written.

use super::spec::{Key, Kind, ROOT};
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of a campaign spec.
#[must_use]
pub fn schema() -> Value {
    let mut schema = object(ROOT);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Drover campaign spec");
    schema["description"] = json!("What a campaign of Drover is to do, in YAML.");
    schema["dependentRequired"] = json!({
        "steps": ["changesetTemplate", "on"],
        "changesetTemplate": ["steps"],
        "on": ["steps"],
    });
    schema
}

fn object(keys: &[Key]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> =
        keys.iter().filter(|key| key.is_required()).map(|key| key.name).collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if keys.iter().any(|key| matches!(key.kind, Kind::Query)) {
        object["oneOf"] =
            json!([{ "required": ["repository"] }, { "required": ["repositoriesMatchingQuery"] }]);
    }
    object
}

fn property(key: &Key) -> Value {
    let mut property = value(&key.kind);
    property["description"] = json!(key.about);
    property
}

fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Version => json!({ "const": 1 }),
        Kind::Name => json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" }),
        Kind::Line { chars_max } => {
            json!({ "type": "string", "minLength": 1, "maxLength": chars_max })
        }
        Kind::Text | Kind::Body => json!({ "type": "string" }),
        Kind::Script | Kind::Query | Kind::Image => json!({ "type": "string", "minLength": 1 }),
        Kind::Repository => json!({ "type": "string", "pattern": "^[^/]+/[^/]+$" }),
        Kind::Branch => json!({ "type": "string", "pattern": "^[^\\s~^:?*\\[\\\\]+$" }),
        Kind::Published => json!({ "enum": [true, false, "draft"] }),
        Kind::Env => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
            "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
        }),
        Kind::Map(keys) => object(keys),
        Kind::List { of, items_max } => {
            json!({ "type": "array", "items": value(of), "maxItems": items_max })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{SAMPLE, spec::CampaignSpec};

    fn is_valid(text: &str) -> bool {
        let yaml_1_2 = serde_saphyr::options! { strict_booleans: true };
        let spec: Value = serde_saphyr::from_str_with_options(text, yaml_1_2).unwrap();
        jsonschema::validator_for(&schema()).unwrap().is_valid(&spec)
    }

    const FULL: &str = "version: 1\nname: x\ndescription: d\non:\n- repository: a/b\n  branch: x\n\
                        - repository: a/c\n  branches: [x]\n- repositoriesMatchingQuery: '*'\n\
                        steps:\n- run: x\n  env: {A: b, B: 1}\n  container: alpine:3\n\
                        changesetTemplate:\n  title: t\n  body: b\n  branch: b\n  commit:\n    \
                        message: m\n    author: {name: n, email: e@f}\n  published: draft\n";

    #[test]
    fn specs_that_parse_are_valid() {
        for text in [SAMPLE, FULL, "name: x\n"] {
            assert!(CampaignSpec::parse(text.as_bytes()).is_ok(), "{text}");
            assert!(is_valid(text), "{text}");
        }
    }

    #[test]
    fn specs_that_do_not_parse_are_not_valid() {
        let without = |line: &str| FULL.replace(line, "");
        for text in [
            without("name: x\n"),
            without("  title: t\n"),
            without("- run: x\n  env: {A: b, B: 1}\n  container: alpine:3\n")
                .replace("steps:\n", ""),
            format!("{FULL}stpes: x\n"),
            FULL.replace("version: 1", "version: 2"),
            FULL.replace("name: x", "name: has space"),
            FULL.replace("a/b", "b"),
            FULL.replace("published: draft", "published: maybe"),
            FULL.replace("{A: b", "{1: b"),
            FULL.replace("{name: n,", "{nam: n,"),
            "name: x\nsteps: [{run: x}]".to_owned(),
        ] {
            assert!(CampaignSpec::parse(text.as_bytes()).is_err(), "{text}");
            assert!(!is_valid(&text), "{text}");
        }
    }

    /// Every place of the schema where keys stand, as (path, key).
    fn keys_of(schema: &Value, path: &str, found: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            found.push(format!("{path}{name}"));
            assert!(property["description"].as_str().is_some_and(|it| it.ends_with('.')), "{name}");
            keys_of(property, &format!("{path}{name}."), found);
            keys_of(&property["items"], &format!("{path}{name}[]."), found);
        }
    }

    #[test]
    fn the_parser_and_the_schema_know_the_same_keys() {
        let mut keys = Vec::new();
        keys_of(&schema(), "", &mut keys);
        assert_eq!(keys.len(), 22, "{keys:?}");
        for key in keys {
            let name = key.rsplit('.').next().unwrap();
            assert!(FULL.contains(&format!("{name}:")), "{key} is not in the full spec");
            let text = FULL.replace(&format!("{name}:"), &format!("{name}x:"));
            let problems = CampaignSpec::parse(text.as_bytes()).unwrap_err();
            assert!(problems.iter().any(|it| it.message.contains("unknown key")), "{key}: {text}");
        }
    }
}
