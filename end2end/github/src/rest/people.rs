use crate::{
    call::Call,
    clock::now,
    error::ApiError,
    json,
    quota::{Quota, Resource},
    rest::page::Page,
    state::{Account, AccountKind},
};
use axum::{Json, extract::Path, response::Response};
use serde_json::{Value, json};

pub(super) async fn me(call: Call) -> Result<Json<Value>, ApiError> {
    let login = call.signed_in()?;
    let accounts = call.github.store.accounts();
    let account = accounts.find(login).ok_or(ApiError::BadCredentials)?;
    Ok(Json(json::private_user(account, &call.urls, repos_of(&call, login))))
}

pub(super) async fn user(call: Call, Path(login): Path<String>) -> Result<Json<Value>, ApiError> {
    let accounts = call.github.store.accounts();
    let account = accounts.find(&login).ok_or(ApiError::NotFound)?;
    Ok(Json(json::public_user(account, &call.urls, repos_of(&call, &login))))
}

pub(super) async fn organisation(
    call: Call,
    Path(login): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let accounts = call.github.store.accounts();
    let account = accounts.find(&login).filter(|it| it.kind == AccountKind::Organisation);
    let account = account.ok_or(ApiError::NotFound)?;
    Ok(Json(json::organisation(account, &call.urls, repos_of(&call, &login))))
}

/// The organisations in which the caller was given access to a repository.
pub(super) async fn my_organisations(call: Call, page: Page) -> Result<Response, ApiError> {
    let login = call.signed_in()?.to_lowercase();
    let accounts = call.github.store.accounts();
    let repos = call.github.store.list();
    let is_member = |account: &Account| {
        let mut theirs = repos.iter().filter(|it| it.owner == account.login);
        theirs.any(|repo| repo.grants.contains_key(&login))
    };
    let organisations: Vec<&Account> = accounts
        .iter()
        .filter(|account| account.kind == AccountKind::Organisation && is_member(account))
        .collect();
    Ok(page.of(&call.urls, &organisations, |it| json::organisation_simple(it, &call.urls)))
}

pub(super) async fn rate_limit(call: Call) -> Json<Value> {
    let who = call.login.as_deref().unwrap_or_default();
    let of = |resource| shown(call.github.quotas.look(who, resource, now()));
    Json(json!({
        "resources": {
            "core": of(Resource::Core),
            "search": of(Resource::Search),
            "code_search": of(Resource::CodeSearch),
            "graphql": of(Resource::Graphql),
        },
        "rate": of(Resource::Core),
    }))
}

fn shown(quota: Quota) -> Value {
    json!({
        "limit": quota.limit,
        "used": quota.used,
        "remaining": quota.remaining(),
        "reset": quota.reset_at.timestamp(),
    })
}

fn repos_of(call: &Call, login: &str) -> usize {
    let repos = call.github.store.list();
    repos.iter().filter(|it| it.owner.eq_ignore_ascii_case(login) && !it.is_private()).count()
}
