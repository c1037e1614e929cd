//! Webhooks: which hooks hear of an event, what they are sent, and the queue that sends it.
//!
//! A delivery is made from the state as it is when the event happens. As on GitHub, nothing is
//! sent again by itself.

mod delivery;
mod payload;

pub(crate) use delivery::{Deliveries, deliver_all};
pub use delivery::{Delivery, Outcome};
pub(crate) use payload::PullAction;

use crate::{
    error::ApiError,
    git::RefChange,
    github::Github,
    state::{Hook, Pull, Repo},
};
use delivery::Parcel;
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn tell_push(
    github: &Arc<Github>,
    repo: &Repo,
    change: &RefChange,
    pusher: &str,
) -> Result<(), ApiError> {
    if anybody_hears(repo, "push") {
        let payload = payload::push(github, repo, change, pusher).await?;
        send(github, repo, "push", &payload);
    }
    Ok(())
}

pub(crate) async fn tell_pull(
    github: &Arc<Github>,
    repo: &Repo,
    pull: &Pull,
    action: &PullAction,
    sender: &str,
) -> Result<(), ApiError> {
    if anybody_hears(repo, "pull_request") {
        let payload = payload::pull(github, repo, pull, action, sender).await?;
        send(github, repo, "pull_request", &payload);
    }
    Ok(())
}

/// Tells of something that needs nothing from git: comments and reviews.
pub(crate) fn tell(
    github: &Github,
    repo: &Repo,
    event: &'static str,
    sender: &str,
    payload: Value,
) {
    if anybody_hears(repo, event) {
        let payload = payload::with_context(github, repo, sender, payload);
        send(github, repo, event, &payload);
    }
}

/// A new hook hears of itself, whatever its events are.
pub(crate) fn ping(github: &Github, repo: &Repo, hook: &Hook, sender: &str) {
    let payload = payload::ping(github, repo, hook, sender);
    github.deliveries.queue(Parcel::new(hook, "ping", &payload));
}

fn anybody_hears(repo: &Repo, event: &str) -> bool {
    repo.hooks.values().any(|hook| hears(hook, event))
}

fn hears(hook: &Hook, event: &str) -> bool {
    hook.active && (hook.events.contains(event) || hook.events.contains("*"))
}

fn send(github: &Github, repo: &Repo, event: &'static str, payload: &Value) {
    for hook in repo.hooks.values().filter(|hook| hears(hook, event)) {
        github.deliveries.queue(Parcel::new(hook, event, payload));
    }
}
