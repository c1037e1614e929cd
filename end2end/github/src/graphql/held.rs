//! Holds the schema against GitHub's own, which npm brings: whatever is here is there, and is the
//! same there.

use super::schema;
use apollo_compiler::{
    Node,
    ast::{FieldDefinition, InputValueDefinition},
    schema::{Component, ExtendedType},
};
use serde_json::Value;
use std::path::{Path, PathBuf};

const IN_NODE_MODULES: &str = "node_modules/@octokit/graphql-schema/schema.json";

/// What an introspection of GitHub says.
struct Theirs(Value);

impl Theirs {
    fn load() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found: Option<PathBuf> =
            here.ancestors().map(|dir| dir.join(IN_NODE_MODULES)).find(|path| path.is_file());
        let path = found.expect("`npm install` brings it (@octokit/graphql-schema 15)");
        let text = std::fs::read(path).unwrap();
        let mut all: Value = serde_json::from_slice(&text).unwrap();
        let types = all.pointer_mut("/__schema/types").expect("types").take();
        Self(types)
    }

    fn find<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
        list.as_array()?.iter().find(|it| it["name"] == name)
    }
}

/// A type as the schema language writes it.
fn written(ty: &Value) -> String {
    match ty["kind"].as_str().unwrap_or_default() {
        "NON_NULL" => format!("{}!", written(&ty["ofType"])),
        "LIST" => format!("[{}]", written(&ty["ofType"])),
        _ => ty["name"].as_str().unwrap_or_default().to_owned(),
    }
}

/// A value without what may be written in one way or another.
fn plain(value: &str) -> String {
    value.chars().filter(|it| it.is_alphanumeric() || ":_[]\"".contains(*it)).collect()
}

fn inputs(
    at: &str,
    ours: &[&Node<InputValueDefinition>],
    theirs: &Value,
    faults: &mut Vec<String>,
) {
    for input in ours {
        let Some(known) = Theirs::find(theirs, &input.name) else {
            faults.push(format!("GitHub has no {at}.{}", input.name));
            continue;
        };
        let (ty, default) = (input.ty.to_string(), input.default_value.as_ref());
        if ty != written(&known["type"]) {
            faults.push(format!("{at}.{} is {} there", input.name, written(&known["type"])));
        }
        let default = default.map(|it| plain(&it.to_string()));
        let there = known["defaultValue"].as_str().map(plain);
        if default != there {
            faults.push(format!("{at}.{} has the default {there:?} there", input.name));
        }
    }
    for known in theirs.as_array().into_iter().flatten() {
        let is_required = known["type"]["kind"] == "NON_NULL" && known["defaultValue"].is_null();
        if is_required && !ours.iter().any(|it| known["name"] == it.name.as_str()) {
            faults.push(format!("{at} must have {} there", known["name"]));
        }
    }
}

fn fields<'a>(
    name: &str,
    ours: impl Iterator<Item = &'a Component<FieldDefinition>>,
    theirs: &Value,
    faults: &mut Vec<String>,
) {
    for field in ours {
        let at = format!("{name}.{}", field.name);
        let Some(known) = Theirs::find(&theirs["fields"], &field.name) else {
            faults.push(format!("GitHub has no {at}"));
            continue;
        };
        if field.ty.to_string() != written(&known["type"]) {
            faults.push(format!("{at} is {} there", written(&known["type"])));
        }
        let arguments: Vec<_> = field.arguments.iter().collect();
        inputs(&at, &arguments, &known["args"], faults);
    }
}

#[test]
fn what_the_schema_has_github_has() {
    let theirs = Theirs::load();
    let mut faults = Vec::new();
    for (name, ours) in schema().types.iter().filter(|(_, ours)| !ours.is_built_in()) {
        let Some(known) = Theirs::find(&theirs.0, name) else {
            faults.push(format!("GitHub has no {name}"));
            continue;
        };
        let names = |list: &Value, name: &str| Theirs::find(list, name).is_some();
        match ours {
            ExtendedType::Scalar(_) => (),
            ExtendedType::Object(it) => {
                fields(name, it.fields.values(), known, &mut faults);
                let unknown = it.implements_interfaces.iter();
                let unknown = unknown.filter(|it| !names(&known["interfaces"], it.as_str()));
                faults.extend(unknown.map(|it| format!("{name} is no {it} there")));
            }
            ExtendedType::Interface(it) => {
                fields(name, it.fields.values(), known, &mut faults);
            }
            ExtendedType::Union(it) => {
                let unknown = it.members.iter();
                let unknown = unknown.filter(|it| !names(&known["possibleTypes"], it.as_str()));
                faults.extend(unknown.map(|it| format!("{name} is never {it} there")));
            }
            ExtendedType::Enum(it) => {
                let unknown = it.values.keys().filter(|it| !names(&known["enumValues"], it));
                faults.extend(unknown.map(|it| format!("{name} is never {it} there")));
            }
            ExtendedType::InputObject(it) => {
                let ours: Vec<_> = it.fields.values().map(|it| &it.node).collect();
                inputs(name, &ours, &known["inputFields"], &mut faults);
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_schema_is_one() {
    apollo_compiler::Schema::parse_and_validate(super::SCHEMA, "schema.graphql")
        .map_err(|invalid| invalid.errors.to_string())
        .unwrap();
}
