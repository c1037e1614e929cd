use super::page::Page;
use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    hooks::ping,
    json,
    state::{Access, Hook, HookConfig},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// GitHub's own limit.
const HOOKS_MAX: usize = 20;

#[derive(Deserialize)]
pub(super) struct NewHook {
    config: Option<Config>,
    events: Option<BTreeSet<String>>,
    active: Option<bool>,
}

#[derive(Deserialize)]
struct Config {
    url: Option<String>,
    content_type: Option<String>,
    secret: Option<String>,
    insecure_ssl: Option<Value>,
}

/// Hooks are shown to those only who may change them.
pub(super) async fn list(at: Readable, page: Page) -> Result<Response, ApiError> {
    refuse_readers(&at)?;
    let hooks: Vec<&Hook> = at.repo.hooks.values().collect();
    Ok(page.of(at.urls(), &hooks, |hook| json::hook(hook, &at.repo, at.urls())))
}

pub(super) async fn get(at: Readable) -> Result<Json<Value>, ApiError> {
    refuse_readers(&at)?;
    let hook = at.repo.hooks.get(&at.number()?).ok_or(ApiError::NotFound)?;
    Ok(Json(json::hook(hook, &at.repo, at.urls())))
}

pub(super) async fn create(
    Writable { at, login }: Writable,
    Input(wish): Input<NewHook>,
) -> Result<Response, ApiError> {
    let config = read_config(wish.config)?;
    let events = wish.events.unwrap_or_else(|| BTreeSet::from(["push".to_owned()]));
    let hook = at.update(|repo| {
        let known = |hook: &Hook| hook.config.url == config.url && hook.events == events;
        if repo.hooks.values().any(known) {
            return Err(ApiError::custom("Hook", "Hook already exists on this repository"));
        }
        if repo.hooks.len() >= HOOKS_MAX {
            let text = format!("The \"push\" event cannot have more than {HOOKS_MAX} hooks");
            return Err(ApiError::custom("Hook", text));
        }
        let (id, at) = (repo.next_item_id(), now());
        let active = wish.active.unwrap_or(true);
        let hook = Hook { id, events, active, config, created_at: at, updated_at: at };
        repo.hooks.insert(id, hook.clone());
        Ok(hook)
    })?;
    ping(&at.call.github, &*at.reread()?, &hook, &login);
    Ok((StatusCode::CREATED, Json(json::hook(&hook, &at.repo, at.urls()))).into_response())
}

pub(super) async fn delete(Writable { at, .. }: Writable) -> Result<StatusCode, ApiError> {
    let number = at.number()?;
    at.update(|repo| repo.hooks.remove(&number).map(drop).ok_or(ApiError::NotFound))?;
    Ok(StatusCode::NO_CONTENT)
}

fn refuse_readers(at: &Readable) -> Result<(), ApiError> {
    if at.repo.access_of(at.call.login.as_deref()) < Access::Write {
        return Err(ApiError::NotFound);
    }
    Ok(())
}

fn read_config(config: Option<Config>) -> Result<HookConfig, ApiError> {
    let config = config.ok_or_else(|| ApiError::missing("Hook", "config"))?;
    let target = config.url.ok_or_else(|| ApiError::missing("Hook", "url"))?;
    if !target.starts_with("http://") && !target.starts_with("https://") {
        return Err(ApiError::custom("Hook", "url is not a valid URL"));
    }
    let content_type = config.content_type.unwrap_or_else(|| "form".to_owned());
    if content_type != "form" && content_type != "json" {
        return Err(ApiError::custom("Hook", "content_type is not json or form"));
    }
    // A number or a text: both are in use.
    let insecure_ssl = match config.insecure_ssl {
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            "0".to_owned()
        }
    };
    Ok(HookConfig { url: target, content_type, insecure_ssl, secret: config.secret })
}
