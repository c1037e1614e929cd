//! An object of the answer: what is known of it at once, and what has to be looked up.

use super::{
    commit::GitThing,
    mutation,
    page::Slice,
    pull::PullAt,
    query,
    refusal::{Refusal, Refused},
    repository::{BranchAt, RepositoryAt},
    review::ReviewAt,
};
use crate::call::Call;
use apollo_compiler::{
    resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo},
    response::{JsonMap, JsonValue},
};
use futures::{StreamExt as _, future::BoxFuture, stream};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// One request: who asks, and what it costs.
pub(super) struct Asked {
    pub(super) call: Call,
    pub(super) login: String,
    pub(super) cost: u64,
    pub(super) nodes: u64,
}

#[derive(Clone)]
pub(super) struct Thing {
    pub(super) asked: Arc<Asked>,
    kind: &'static str,
    facts: Map<String, Value>,
    source: Source,
}

/// Where the fields come from that are no facts.
#[derive(Clone)]
pub(super) enum Source {
    Query,
    Mutation,
    /// Nothing has to be looked up.
    Known(BTreeMap<&'static str, Reply>),
    Page(Slice),
    Repository(RepositoryAt),
    Branch(BranchAt),
    Pull(PullAt),
    Review(ReviewAt),
    Git(GitThing),
}

/// What a field is.
#[derive(Clone)]
pub(super) enum Reply {
    Leaf(Value),
    One(Option<Box<Thing>>),
    Many(Vec<Result<Thing, Refusal>>),
}

/// The arguments of a field, which the schema has checked.
pub(super) struct Args<'a>(&'a JsonMap);

impl Thing {
    pub(super) fn new(
        asked: &Arc<Asked>,
        kind: &'static str,
        facts: Value,
        source: Source,
    ) -> Self {
        let facts = match facts {
            Value::Object(facts) => facts,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        Self { asked: Arc::clone(asked), kind, facts, source }
    }

    /// One of which everything is known.
    pub(super) fn known(
        asked: &Arc<Asked>,
        kind: &'static str,
        facts: Value,
        children: impl IntoIterator<Item = (&'static str, Reply)>,
    ) -> Self {
        Self::new(asked, kind, facts, Source::Known(children.into_iter().collect()))
    }

    async fn look_up(&self, field: &str, args: Args<'_>) -> Result<Option<Reply>, Refusal> {
        let asked = &self.asked;
        match &self.source {
            Source::Query => query::resolve(asked, field, &args).await,
            Source::Mutation => mutation::resolve(asked, field, &args).await,
            Source::Known(children) => Ok(children.get(field).cloned()),
            Source::Page(slice) => Ok(slice.resolve(asked, field)),
            Source::Repository(it) => it.resolve(asked, field, &args).await,
            Source::Branch(it) => it.resolve(asked, field, &args).await,
            Source::Pull(it) => it.resolve(asked, field, &args).await,
            Source::Review(it) => it.resolve(asked, field).await,
            Source::Git(it) => it.resolve(asked, field, &args).await,
        }
    }
}

impl AsyncObjectValue for Thing {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        Box::pin(async move {
            if let Some(fact) = self.facts.get(info.field_name()) {
                return Ok(AsyncResolvedValue::leaf(fact.clone()));
            }
            match self.look_up(info.field_name(), Args(info.arguments())).await {
                Ok(Some(reply)) => Ok(reply.into_value()),
                Ok(None) => Err(self.unknown_field_error(info)),
                Err(refusal) => Err(refusal.into()),
            }
        })
    }
}

impl Reply {
    pub(super) fn one(thing: Thing) -> Self {
        Self::One(Some(Box::new(thing)))
    }

    pub(super) fn maybe(thing: Option<Thing>) -> Self {
        Self::One(thing.map(Box::new))
    }

    pub(super) fn many(things: impl IntoIterator<Item = Thing>) -> Self {
        Self::Many(things.into_iter().map(Ok).collect())
    }

    fn into_value<'a>(self) -> AsyncResolvedValue<'a> {
        match self {
            Self::Leaf(value) => AsyncResolvedValue::leaf(value),
            Self::One(None) => AsyncResolvedValue::null(),
            Self::One(Some(thing)) => AsyncResolvedValue::object(*thing),
            Self::Many(things) => {
                let items = things.into_iter().map(|thing| match thing {
                    Ok(thing) => Ok(AsyncResolvedValue::object(thing)),
                    Err(refusal) => Ok(AsyncResolvedValue::object(Refused::from(refusal))),
                });
                AsyncResolvedValue::List(stream::iter(items).boxed())
            }
        }
    }
}

impl Args<'_> {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(JsonValue::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(JsonValue::as_i64)
    }

    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let unreadable = |error: serde_json::Error| {
            Refusal::unprocessable(format!("the argument `{name}` cannot be read: {error}"))
        };
        let value = serde_json::to_value(value).map_err(unreadable)?;
        serde_json::from_value(value).map(Some).map_err(unreadable)
    }

    pub(super) fn input<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.read("input")?.ok_or_else(|| Refusal::unprocessable("the input is missing"))
    }
}
