use jsonschema::{
    Draft, Registry, Resource, ValidationError, Validator, error::ValidationErrorKind,
};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

const SPEC_URI: &str = "urn:github:openapi";
const REFUSAL: &str = "refusal";
const PROBLEMS_PER_BODY_MAX: usize = 5;
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Parameters whose values may have slashes, against what OpenAPI says of paths.
const SLASHED: [&str; 4] = ["{ref}", "{path}", "{branch}", "{basehead}"];

/// Statuses that GitHub gives and its description does not list, with the reason.
const UNDOCUMENTED: [(&str, &str, u16, &str); 6] = [
    ("*", "*", 401, "a bad token is refused before any operation is looked at"),
    ("*", "*", 404, "what may not be read is hidden, whatever the operation"),
    ("*", "*", 403, "an archived repository refuses every write"),
    ("*", "*", 301, "a repository that was renamed answers so to every read"),
    ("*", "*", 307, "a repository that was renamed answers so to every write"),
    ("*", "*", 400, "a body that is no JSON is refused before any operation is looked at"),
];

/// Query parameters that GitHub passes over, with the reason why somebody sends them.
const PASSED_OVER: [(&str, &str, &str); 2] = [
    (COMPARE, "base", "octocrab repeats both ends of a comparison"),
    (COMPARE, "head", "octocrab repeats both ends of a comparison"),
];
const COMPARE: &str = "/repos/{owner}/{repo}/compare/{basehead}";

#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    #[error("could not read {}; `npm install` brings it (@octokit/openapi 23)", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is no OpenAPI description", path.display())]
    Format { path: PathBuf, source: serde_json::Error },
    #[error("the schemas of {} do not refer to one another: {reason}", path.display())]
    Schemas { path: PathBuf, reason: String },
}

/// One request and its answer.
pub(super) struct Exchange<'a> {
    pub(super) method: &'a str,
    /// Without the prefix of GitHub Enterprise Server.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) status: u16,
    pub(super) sent: Option<Value>,
    pub(super) received: Option<Value>,
}

pub(super) struct Spec {
    operations: Vec<Operation>,
    registry: Registry<'static>,
    /// By the pointer of the schema; made when first needed, since most never are.
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

struct Operation {
    method: &'static str,
    /// As the description writes it, with its placeholders.
    template: String,
    segments: Vec<String>,
    query_parameters: Vec<String>,
    /// The pointer to the schema of the request's body.
    body: Option<String>,
    /// Pointers to the schemas of the answers' bodies; none for an answer without one.
    answers: BTreeMap<u16, Option<String>>,
}

/// Reading the description takes half a second; a test process does it once.
static LOADED: Mutex<BTreeMap<PathBuf, Arc<Spec>>> = Mutex::new(BTreeMap::new());

impl Spec {
    pub(super) fn load(path: &Path) -> Result<Arc<Self>, SpecError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spec) = loaded.get(path) {
            return Ok(Arc::clone(spec));
        }
        let text = std::fs::read(path)
            .map_err(|source| SpecError::Read { path: path.to_owned(), source })?;
        let mut document: Value = serde_json::from_slice(&text)
            .map_err(|source| SpecError::Format { path: path.to_owned(), source })?;
        let operations = operations(&document);
        allow_null(&mut document);
        let schemas = |error: &dyn std::fmt::Display| SpecError::Schemas {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let resource = Draft::Draft4.create_resource(document);
        let registry = registry(resource).map_err(|error| schemas(&error))?;
        let spec = Arc::new(Self { operations, registry, validators: Mutex::default() });
        loaded.insert(path.to_owned(), Arc::clone(&spec));
        Ok(spec)
    }

    /// What of an exchange GitHub's description does not allow.
    pub(super) fn problems(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let Exchange { method, path, query, status, sent, received } = exchange;
        let Some(operation) = self.find(method, path) else {
            let is_refusal = *status == 404 || *status == 401;
            return if is_refusal {
                Vec::new()
            } else {
                vec!["GitHub has no such operation".into()]
            };
        };
        let mut problems = Vec::new();
        if *status < 300 {
            problems.extend(operation.unknown_parameters(query));
            if let (Some(schema), Some(sent)) = (&operation.body, sent) {
                problems.extend(self.hold("request", schema, sent));
            }
        }
        match operation.answers.get(status) {
            Some(Some(schema)) => match received {
                Some(body) => {
                    let what = if *status < 400 { "answer" } else { REFUSAL };
                    problems.extend(self.hold(what, schema, body));
                }
                None => problems.push("the answer is no JSON".to_owned()),
            },
            Some(None) => (),
            None if is_allowed(operation, *status) => (),
            None => problems.push(format!("GitHub's description has no answer {status}")),
        }
        problems
    }

    /// The operation with the fewest placeholders among those that fit, and with the most
    /// segments among those: a name with slashes takes what no other segment does.
    fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let fitting = self
            .operations
            .iter()
            .filter(|it| it.method.eq_ignore_ascii_case(method) && fits(&it.segments, path));
        fitting.min_by_key(|it| {
            let placeholders = it.segments.iter().filter(|part| part.starts_with('{')).count();
            (placeholders, std::cmp::Reverse(it.segments.len()))
        })
    }

    fn hold(&self, what: &str, pointer: &str, body: &Value) -> Vec<String> {
        let validator = match self.validator(pointer) {
            Ok(validator) => validator,
            Err(reason) => return vec![format!("the schema at {pointer} is unusable: {reason}")],
        };
        // A refusal fits each of the errors that the description lets an operation choose from.
        let is_one_too_many = |error: &ValidationError<'_>| {
            what == REFUSAL
                && matches!(error.kind(), ValidationErrorKind::OneOfMultipleValid { .. })
        };
        let errors = validator.iter_errors(body).filter(|error| !is_one_too_many(error));
        let errors = errors.take(PROBLEMS_PER_BODY_MAX);
        errors.map(|error| format!("{what} at {}: {error}", error.instance_path())).collect()
    }

    fn validator(&self, pointer: &str) -> Result<Arc<Validator>, String> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = validators.get(pointer) {
            return Ok(Arc::clone(validator));
        }
        let schema = json!({ "$ref": format!("{SPEC_URI}#{pointer}") });
        let validator = jsonschema::options()
            .with_draft(Draft::Draft4)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| error.to_string())?;
        let validator = Arc::new(validator);
        validators.insert(pointer.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}

fn registry(document: Resource) -> Result<Registry<'static>, Box<dyn std::error::Error>> {
    Ok(Registry::new().add(SPEC_URI, document)?.prepare()?)
}

impl Operation {
    fn passes_over(&self, name: &str) -> bool {
        PASSED_OVER.iter().any(|(template, known, _)| *template == self.template && *known == name)
    }

    fn unknown_parameters(&self, query: &str) -> Vec<String> {
        let names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        names
            .filter(|name| !self.query_parameters.iter().any(|known| known == name))
            .filter(|name| !self.passes_over(name))
            .map(|name| format!("GitHub has no query parameter `{name}` here"))
            .collect()
    }
}

fn is_allowed(operation: &Operation, status: u16) -> bool {
    UNDOCUMENTED.iter().any(|(method, template, allowed, _)| {
        (*method == "*" || *method == operation.method)
            && (*template == "*" || *template == operation.template)
            && *allowed == status
    })
}

fn fits(segments: &[String], path: &str) -> bool {
    let given: Vec<&str> = path.split('/').collect();
    let takes_rest = segments.last().is_some_and(|last| SLASHED.contains(&last.as_str()));
    let long_enough = given.len() == segments.len() || takes_rest && given.len() > segments.len();
    long_enough
        && segments.iter().zip(given).all(|(part, given)| part.starts_with('{') || part == given)
}

fn operations(document: &Value) -> Vec<Operation> {
    let empty = Map::new();
    let paths = document["paths"].as_object().unwrap_or(&empty);
    let mut operations = Vec::new();
    for (template, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let pointer = format!("/paths/{}/{method}", escape(template));
                operations.push(read_operation(document, template, method, operation, &pointer));
            }
        }
    }
    operations
}

fn read_operation(
    document: &Value,
    template: &str,
    method: &'static str,
    operation: &Value,
    pointer: &str,
) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let query_parameters = parameters
        .map(|parameter| follow(document, parameter, String::new()).0)
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
        .collect();
    let at = format!("{pointer}/requestBody");
    let body = json_schema(&operation["requestBody"], &at);
    let empty = Map::new();
    let mut answers = BTreeMap::new();
    for (status, answer) in operation["responses"].as_object().unwrap_or(&empty) {
        let (answer, at) = follow(document, answer, format!("{pointer}/responses/{status}"));
        if let Ok(status) = status.parse() {
            answers.insert(status, json_schema(answer, &at));
        }
    }
    let segments = template.split('/').map(str::to_owned).collect();
    let template = template.to_owned();
    Operation { method, template, segments, query_parameters, body, answers }
}

/// Where a reference leads to, and the pointer of that place.
fn follow<'a>(document: &'a Value, value: &'a Value, at: String) -> (&'a Value, String) {
    let target = value["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
    match target.and_then(|target| Some((document.pointer(target)?, target.to_owned()))) {
        Some(found) => found,
        None => (value, at),
    }
}

fn json_schema(holder: &Value, at: &str) -> Option<String> {
    holder["content"]["application/json"].get("schema")?;
    Some(format!("{at}/content/application~1json/schema"))
}

fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1").replace('{', "%7B").replace('}', "%7D")
}

/// OpenAPI 3.0 writes `nullable: true` where JSON Schema writes "or null".
fn allow_null(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(allow_null);
            if map.get("nullable") == Some(&Value::Bool(true)) {
                map.remove("nullable");
                let schema = std::mem::take(map);
                map.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_a_template_and_some_parameters_take_slashes() {
        let check = |template: &str, path, expected| {
            let segments: Vec<String> = template.split('/').map(str::to_owned).collect();
            assert_eq!(fits(&segments, path), expected, "{template} {path}");
        };
        check("/repos/{owner}/{repo}", "/repos/a/b", true);
        check("/repos/{owner}/{repo}", "/repos/a/b/c", false);
        check("/repos/{owner}/{repo}/git/ref/{ref}", "/repos/a/b/git/ref/heads/x/y", true);
    }

    #[test]
    fn what_github_would_not_send_or_take_is_found() {
        let spec = Spec::load(&super::super::find_description()).unwrap();
        let check = |path, query, received, expected: &str| {
            let (method, status, sent) = ("GET", 200, None);
            let problems = spec.problems(&Exchange { method, path, query, status, sent, received });
            assert!(problems.iter().any(|it| it.contains(expected)), "{problems:?}");
        };
        check("/repos/a/b", "", Some(json!({})), "\"archive_url\" is a required property");
        check("/repos/a/b/languages", "", Some(json!({ "C": "1" })), "is not of type");
        check("/repos/a/b/languages", "", None, "the answer is no JSON");
        check("/repos/a/b", "page=1", Some(json!({})), "no query parameter `page`");
        check("/nowhere", "", Some(json!({})), "no such operation");
    }

    #[test]
    fn nullable_becomes_or_null() {
        let mut schema = json!({ "a": { "type": "string", "nullable": true } });
        allow_null(&mut schema);
        assert_eq!(schema, json!({ "a": { "anyOf": [{ "type": "string" }, { "type": "null" }] } }));
    }
}
