use super::time;
use crate::{
    call::Urls,
    state::{Hook, HookConfig, Repo},
};
use serde_json::{Value, json};

/// A webhook; its secret is never told.
pub(crate) fn hook(hook: &Hook, repo: &Repo, urls: &Urls) -> Value {
    let url = format!("{}/repos/{}/hooks/{}", urls.api, repo.full_name(), hook.id);
    let HookConfig { url: target, content_type, insecure_ssl, secret } = &hook.config;
    let mut config =
        json!({ "url": target, "content_type": content_type, "insecure_ssl": insecure_ssl });
    if secret.is_some() {
        config["secret"] = json!("********");
    }
    json!({
        "type": "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": hook.events,
        "config": config,
        "created_at": time(hook.created_at),
        "updated_at": time(hook.updated_at),
        "url": url,
        "test_url": format!("{url}/test"),
        "ping_url": format!("{url}/pings"),
        "deliveries_url": format!("{url}/deliveries"),
        "last_response": { "code": null, "status": "unused", "message": null },
    })
}
