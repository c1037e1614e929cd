//! GitHub's GraphQL API: documents are parsed, held against the schema and executed.
//!
//! `schema.graphql` is the part of GitHub's schema that is stood in for, so a document that asks
//! for more is refused as GitHub refuses a field that it has not. Nothing is known by its text: a
//! comment or a string that names a mutation changes nothing.
//!
//! | module | idea |
//! |---|---|
//! | `words` | what is wrong with a document, in GitHub's words |
//! | `cost` | what a document asks for at most |
//! | `thing` | an object of the answer, and how its fields are found |
//! | `query`, `mutation` | where reading and changing begin |
//! | `repository`, `pull`, `review`, `commit`, `people` | the objects |
//! | `page` | lists in pages |
//! | `refusal` | why a field has no value |

mod commit;
mod cost;
#[cfg(test)]
mod held;
mod mutation;
mod page;
mod people;
mod pull;
mod query;
mod refusal;
mod repository;
mod review;
mod thing;
mod words;

use crate::{
    call::{Call, Input},
    error::ApiError,
};
use apollo_compiler::{
    ExecutableDocument, Schema, ast::OperationType, executable::Operation, parser::Parser,
    resolvers::Execution, response::JsonMap, validation::Valid,
};
use axum::Json;
use cost::Cost;
use refusal::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use thing::{Asked, Source, Thing};
use tokio::runtime::Handle;

const SCHEMA: &str = include_str!("schema.graphql");
/// Deeper and longer documents are refused by the parser.
const DEPTH_MAX: usize = 200;
const TOKENS_MAX: usize = 200_000;

#[derive(Deserialize)]
pub(crate) struct Request {
    query: Option<String>,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Value>,
}

/// Errors of a document that was not executed.
struct Unusable(Vec<Value>);

pub(crate) async fn answer(
    call: Call,
    Input(request): Input<Request>,
) -> Result<Json<Value>, ApiError> {
    let login = call.signed_in()?.to_owned();
    let query = request.query.as_deref().filter(|query| !query.trim().is_empty());
    let query = query.ok_or(ApiError::NoQuery)?;
    let executed = match prepare(query, &request) {
        Ok(prepared) => in_a_thread(prepared, call, login).await,
        Err(unusable) => Err(unusable),
    };
    Ok(Json(executed.unwrap_or_else(|Unusable(errors)| json!({ "errors": errors }))))
}

/// The engine's future stays in one thread, which handlers do not.
async fn in_a_thread(prepared: Prepared, call: Call, login: String) -> Result<Value, Unusable> {
    let runtime = Handle::current();
    let task = move || runtime.block_on(prepared.execute(call, login));
    let executed = tokio::task::spawn_blocking(task).await;
    executed.unwrap_or_else(|error| Err(Unusable(vec![json!({ "message": error.to_string() })])))
}

/// A document that can be executed.
struct Prepared {
    document: Valid<ExecutableDocument>,
    name: Option<String>,
    variables: Valid<JsonMap>,
    cost: Cost,
}

fn schema() -> &'static Valid<Schema> {
    static SCHEMA_READ: OnceLock<Valid<Schema>> = OnceLock::new();
    SCHEMA_READ.get_or_init(|| {
        Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap_or_else(|invalid| {
            // A test reads it, so this is never met outside of it.
            tracing::error!(errors = %invalid.errors, "the stand-in's schema is unusable");
            Valid::assume_valid(invalid.partial)
        })
    })
}

fn prepare(query: &str, request: &Request) -> Result<Prepared, Unusable> {
    let mut parser = Parser::new().recursion_limit(DEPTH_MAX).token_limit(TOKENS_MAX);
    let parsed = parser.parse_ast(query, "query");
    let parsed = parsed.map_err(|invalid| Unusable(words::of_syntax(&invalid.errors)))?;
    let faults = words::faults(schema(), &parsed);
    if !faults.is_empty() {
        return Err(Unusable(faults));
    }
    let document = parsed.to_executable_validate(schema());
    let document = document.map_err(|invalid| Unusable(words::of_others(&invalid.errors)))?;
    let name = request.operation_name.clone().filter(|name| !name.is_empty());
    let operation = find(&document, name.as_deref())?;
    let variables = words::variables(schema(), &document, operation, request.variables.as_ref())?;
    let cost = Cost::of(&document, operation, &variables);
    if cost.nodes > cost::NODES_MAX {
        return Err(Unusable(vec![words::too_many_nodes(cost.nodes, cost::NODES_MAX)]));
    }
    Ok(Prepared { document, name, variables, cost })
}

fn find<'a>(
    document: &'a Valid<ExecutableDocument>,
    name: Option<&str>,
) -> Result<&'a Operation, Unusable> {
    let found = document.operations.get(name);
    found.map(AsRef::as_ref).map_err(|_| {
        let message = match name {
            Some(name) => format!("No operation named \"{name}\""),
            None => "An operation name is required".to_owned(),
        };
        Unusable(vec![json!({ "message": message })])
    })
}

impl Prepared {
    async fn execute(self, call: Call, login: String) -> Result<Value, Unusable> {
        let operation = find(&self.document, self.name.as_deref())?;
        let (kind, source) = match operation.operation_type {
            OperationType::Mutation => ("Mutation", Source::Mutation),
            OperationType::Query | OperationType::Subscription => ("Query", Source::Query),
        };
        let asked = Asked { call, login, cost: self.cost.points(), nodes: self.cost.nodes };
        let root = Thing::new(&Arc::new(asked), kind, Value::Null, source);
        let execution = Execution::new(schema(), &self.document)
            .operation(operation)
            .coerced_variable_values(&self.variables)
            .enable_schema_introspection(true);
        let unusable = |message: String| Unusable(vec![json!({ "message": message })]);
        let response = execution.execute_async(&root).await;
        let response = response.map_err(|error| unusable(error.message().to_string()))?;
        let response = serde_json::to_value(response).map_err(|it| unusable(it.to_string()))?;
        Ok(in_githubs_shape(response))
    }
}

/// GitHub puts `data` first and a `type` beside each message.
fn in_githubs_shape(mut response: Value) -> Value {
    let mut errors = Vec::new();
    for error in response["errors"].as_array().into_iter().flatten() {
        let text = error["message"].as_str().unwrap_or_default();
        let (kind, message) = Refusal::parts(text).unwrap_or(("INTERNAL", text));
        errors.push(json!({
            "type": kind, "path": error["path"], "locations": error["locations"],
            "message": message,
        }));
    }
    let mut answer = json!({ "data": response["data"].take() });
    if !errors.is_empty() {
        answer["errors"] = json!(errors);
    }
    answer
}
