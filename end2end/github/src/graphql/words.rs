//! What is wrong with a document, in GitHub's words and shapes. What GitHub's clients meet most is
//! told here; the rest is told by the engine.

use super::Unusable;
use apollo_compiler::{
    ExecutableDocument, Node, Schema,
    ast::{Definition, Document, Field, OperationType, Selection, Type},
    diagnostic::ToCliReport as _,
    executable::Operation,
    parser::{SourceMap, SourceSpan},
    request::coerce_variable_values,
    response::JsonMap,
    schema::{ExtendedType, FieldDefinition},
    validation::{DiagnosticList, Valid},
};
use serde_json::{Value, json};

/// No client reads more.
const FAULTS_MAX: usize = 50;

pub(super) fn of_syntax(errors: &DiagnosticList) -> Vec<Value> {
    let first = errors.iter().next().map(|it| {
        let at = it.error.location().and_then(|at| at.line_column(it.sources));
        let (line, column) = at.map_or((1, 1), |at| (at.line, at.column));
        let text = it.error.to_string();
        let what = text.strip_prefix("syntax error: ").unwrap_or(&text);
        json!({
            "message": format!("Parse error on \"{what}\" at [{line}, {column}]"),
            "locations": [{ "line": line, "column": column }],
        })
    });
    first.into_iter().collect()
}

/// What the engine has found beside the faults that are told here.
pub(super) fn of_others(errors: &DiagnosticList) -> Vec<Value> {
    let errors = errors.iter().take(FAULTS_MAX);
    errors
        .map(|it| {
            json!({ "message": in_githubs_words(&it.error.to_string()),
        "locations": locations(it.error.location(), it.sources) })
        })
        .collect()
}

fn in_githubs_words(text: &str) -> String {
    let variable = |before: &str, after: &str| {
        text.strip_prefix(before).and_then(|rest| rest.strip_suffix(after))
    };
    if let Some(name) = variable("unused variable: `$", "`") {
        return format!("Variable ${name} is declared by anonymous query but not used");
    }
    if let Some(name) = variable("variable `$", "` is not defined") {
        return format!("Variable ${name} is used by anonymous query but not declared");
    }
    text.to_owned()
}

pub(super) fn too_many_nodes(count: u64, max: u64) -> Value {
    json!({
        "type": "MAX_NODE_LIMIT_EXCEEDED",
        "message": format!(
            "This query requests up to {count} possible nodes which exceeds the maximum limit of \
             {max}."
        ),
    })
}

/// Reads the variables of an operation as their types want it.
pub(super) fn variables(
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    given: Option<&Value>,
) -> Result<Valid<JsonMap>, Unusable> {
    let unusable = |message: &str| Unusable(vec![json!({ "message": message })]);
    let given: JsonMap = match given.filter(|given| !given.is_null()) {
        Some(given) => serde_json::from_value(given.clone())
            .map_err(|_| unusable("Variables are invalid JSON"))?,
        None => JsonMap::new(),
    };
    coerce_variable_values(schema, operation, &given).map_err(|error| {
        let text = error.message().to_string();
        let fits = |name: &str| {
            text.contains(&format!("variable {name} "))
                || text.contains(&format!("variable '{name}'"))
        };
        let found = operation.variables.iter().find(|it| fits(&it.name));
        let Some(variable) = found.or(operation.variables.first()) else { return unusable(&text) };
        let value = given.get(variable.name.as_str());
        let is_null = value.is_none_or(apollo_compiler::response::JsonValue::is_null);
        let why = if is_null { "Expected value to not be null" } else { text.as_str() };
        let message = format!(
            "Variable ${} of type {} was provided invalid value",
            variable.name, variable.ty
        );
        Unusable(vec![json!({
            "message": message,
            "locations": locations(variable.location(), &document.sources),
            "extensions": { "value": value, "problems": [{ "path": [], "explanation": why }] },
        })])
    })
}

/// Fields and arguments that the schema has not, or that are missing.
pub(super) fn faults(schema: &Valid<Schema>, document: &Document) -> Vec<Value> {
    let mut walk =
        Walk { schema, sources: &document.sources, path: Vec::new(), faults: Vec::new() };
    for definition in &document.definitions {
        let (name, root, set) = match definition {
            Definition::OperationDefinition(it) => {
                let (word, root) = match it.operation_type {
                    OperationType::Mutation => ("mutation", "Mutation"),
                    OperationType::Query => ("query", "Query"),
                    // GitHub's schema has none, which the engine says.
                    OperationType::Subscription => continue,
                };
                let name =
                    it.name.as_ref().map_or(word.to_owned(), |name| format!("{word} {name}"));
                (name, root, &it.selection_set)
            }
            Definition::FragmentDefinition(it) => {
                (format!("fragment {}", it.name), it.type_condition.as_str(), &it.selection_set)
            }
            // Definitions of a schema are no part of a request, which the engine says.
            _ => continue,
        };
        walk.path.push(name);
        walk.selections(root, set);
        walk.path.pop();
    }
    walk.faults
}

struct Walk<'a> {
    schema: &'a Valid<Schema>,
    sources: &'a SourceMap,
    path: Vec<String>,
    faults: Vec<Value>,
}

impl Walk<'_> {
    fn selections(&mut self, parent: &str, set: &[Selection]) {
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    let name = field.alias.as_ref().unwrap_or(&field.name);
                    self.path.push(name.to_string());
                    self.field(parent, field);
                    self.path.pop();
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.type_condition.as_ref().map_or(parent, |on| on.as_str());
                    self.path.push(format!("... on {on}"));
                    self.selections(on, &inline.selection_set);
                    self.path.pop();
                }
                // A fragment is looked at where it is defined.
                Selection::FragmentSpread(_) => (),
            }
        }
    }

    fn field(&mut self, parent: &str, field: &Node<Field>) {
        // A type that is not there is told by the engine.
        if !self.schema.types.contains_key(parent) {
            return;
        }
        let Ok(definition) = self.schema.type_field(parent, &field.name) else {
            let message = format!("Field '{}' doesn't exist on type '{parent}'", field.name);
            let extensions = json!({
                "code": "undefinedField", "typeName": parent, "fieldName": field.name.as_str(),
            });
            return self.fault(field.location(), &message, extensions);
        };
        self.arguments(field, definition);
        let inner = definition.ty.inner_named_type();
        let has_fields = match self.schema.types.get(inner) {
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                true
            }
            Some(
                ExtendedType::Scalar(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_),
            )
            | None => false,
        };
        if has_fields == field.selection_set.is_empty() {
            self.mismatch(field, &definition.ty);
        }
        if has_fields {
            self.selections(inner, &field.selection_set);
        }
    }

    fn arguments(&mut self, field: &Node<Field>, definition: &FieldDefinition) {
        for argument in &field.arguments {
            if definition.argument_by_name(&argument.name).is_none() {
                let message =
                    format!("Field '{}' doesn't accept argument '{}'", field.name, argument.name);
                let extensions = json!({
                    "code": "argumentNotAccepted", "name": field.name.as_str(),
                    "typeName": "Field", "argumentName": argument.name.as_str(),
                });
                self.path.push(argument.name.to_string());
                self.fault(argument.location(), &message, extensions);
                self.path.pop();
            }
        }
        let missing: Vec<&str> = definition
            .arguments
            .iter()
            .filter(|it| it.is_required() && !field.arguments.iter().any(|arg| arg.name == it.name))
            .map(|it| it.name.as_str())
            .collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            let message = format!("Field '{}' is missing required arguments: {names}", field.name);
            let extensions = json!({
                "code": "missingRequiredArguments", "className": "Field",
                "name": field.name.as_str(), "arguments": names,
            });
            self.fault(field.location(), &message, extensions);
        }
    }

    fn mismatch(&mut self, field: &Node<Field>, ty: &Type) {
        let (name, inner) = (&field.name, ty.inner_named_type());
        let message = if field.selection_set.is_empty() {
            format!(
                "Field must have selections (field '{name}' returns {inner} but has no \
                 selections. Did you mean '{name} {{ ... }}'?)"
            )
        } else {
            format!("Selections can't be made on scalars (field '{name}' returns {inner})")
        };
        let extensions = json!({
            "code": "selectionMismatch", "nodeName": format!("field '{name}'"),
            "typeName": inner.as_str(),
        });
        self.fault(field.location(), &message, extensions);
    }

    fn fault(&mut self, at: Option<SourceSpan>, message: &str, extensions: Value) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(json!({
                "path": self.path, "extensions": extensions,
                "locations": locations(at, self.sources), "message": message,
            }));
        }
    }
}

fn locations(at: Option<SourceSpan>, sources: &SourceMap) -> Value {
    let at = at.and_then(|at| at.line_column(sources));
    at.into_iter().map(|at| json!({ "line": at.line, "column": at.column })).collect()
}
