use crate::{clock::now, faults::DeliveryFault, github::Github, state::Hook, unique::delivery_id};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::Value;
use sha2::Sha256;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc;

/// GitHub waits so long for an answer, and never sends again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const QUEUE_MAX: usize = 10_000;
/// The oldest are forgotten beyond this.
const RECORDS_MAX: usize = 5_000;

/// One attempt to tell a hook of an event.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub id: String,
    pub hook_id: u64,
    pub event: String,
    pub action: Option<String>,
    pub url: String,
    pub payload: Value,
    pub outcome: Outcome,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Outcome {
    Answered {
        status: u16,
    },
    Failed {
        reason: String,
    },
    /// A fault kept it from being sent.
    Lost,
}

/// What waits to be sent.
#[derive(Clone)]
pub(crate) struct Parcel {
    id: String,
    hook_id: u64,
    event: &'static str,
    action: Option<String>,
    url: String,
    form: bool,
    secret: Option<String>,
    payload: Value,
}

impl Parcel {
    pub(crate) fn new(hook: &Hook, event: &'static str, payload: &Value) -> Self {
        Self {
            id: delivery_id(),
            hook_id: hook.id,
            event,
            action: payload["action"].as_str().map(str::to_owned),
            url: hook.config.url.clone(),
            form: hook.config.content_type == "form",
            secret: hook.config.secret.clone(),
            payload: payload.clone(),
        }
    }
}

pub(crate) struct Deliveries {
    queue: mpsc::Sender<Parcel>,
    records: Mutex<VecDeque<Delivery>>,
}

impl Deliveries {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Parcel>) {
        let (queue, parcels) = mpsc::channel(QUEUE_MAX);
        (Self { queue, records: Mutex::default() }, parcels)
    }

    pub(crate) fn list(&self) -> Vec<Delivery> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A delivery that finds the queue full is lost, as one may be on GitHub.
    pub(super) fn queue(&self, parcel: Parcel) {
        if let Err(error) = self.queue.try_send(parcel) {
            tracing::warn!("a webhook's delivery was dropped: {error}");
        }
    }

    fn record(&self, parcel: &Parcel, outcome: Outcome) {
        let Parcel { id, hook_id, event, action, url, payload, .. } = parcel.clone();
        let event = event.to_owned();
        let delivery = Delivery { id, hook_id, event, action, url, payload, outcome, at: now() };
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= RECORDS_MAX {
            records.pop_front();
        }
        records.push_back(delivery);
    }
}

/// Sends what is queued, one after the other, until the stand-in stops.
pub(crate) async fn deliver_all(
    github: Arc<Github>,
    client: reqwest::Client,
    mut parcels: mpsc::Receiver<Parcel>,
) {
    let mut held: Option<Parcel> = None;
    while let Some(parcel) = next(&github, &mut parcels).await {
        match github.faults.take_for_delivery(parcel.event) {
            Some(DeliveryFault::Lost) => github.deliveries.record(&parcel, Outcome::Lost),
            Some(DeliveryFault::Reordered) if held.is_none() => {
                held = Some(parcel);
                continue;
            }
            Some(DeliveryFault::Doubled) => {
                send(&github, &client, &parcel).await;
                send(&github, &client, &parcel).await;
            }
            Some(DeliveryFault::Reordered) | None => send(&github, &client, &parcel).await,
        }
        if let Some(held) = held.take() {
            send(&github, &client, &held).await;
        }
    }
}

async fn next(github: &Github, parcels: &mut mpsc::Receiver<Parcel>) -> Option<Parcel> {
    tokio::select! {
        () = github.stopping.cancelled() => None,
        parcel = parcels.recv() => parcel,
    }
}

async fn send(github: &Github, client: &reqwest::Client, parcel: &Parcel) {
    let attempt = request(client, parcel).send();
    let outcome = tokio::select! {
        () = github.stopping.cancelled() => Outcome::Lost,
        answer = attempt => match answer {
            Ok(answer) => Outcome::Answered { status: answer.status().as_u16() },
            Err(error) => Outcome::Failed { reason: error.to_string() },
        },
    };
    github.deliveries.record(parcel, outcome);
}

fn request(client: &reqwest::Client, parcel: &Parcel) -> reqwest::RequestBuilder {
    let text = parcel.payload.to_string();
    let (content_type, body) = if parcel.form {
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &text)
            .finish();
        ("application/x-www-form-urlencoded", form)
    } else {
        ("application/json", text)
    };
    let mut request = client
        .post(&parcel.url)
        .timeout(ANSWER_TIMEOUT)
        .header("content-type", content_type)
        .header("user-agent", "GitHub-Hookshot/0000000")
        .header("x-github-event", parcel.event)
        .header("x-github-delivery", &parcel.id)
        .header("x-github-hook-id", parcel.hook_id)
        .header("x-github-hook-installation-target-type", "repository");
    if let Some(secret) = &parcel.secret {
        request = request.header("x-hub-signature-256", signature(secret, body.as_bytes()));
    }
    request.body(body)
}

/// `sha256=` and the HMAC of the raw body.
fn signature(secret: &str, body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
        }
        // HMAC takes keys of every length; were it not so, the receiver would refuse this one.
        Err(_) => "sha256=".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn a_signature_is_the_one_that_githubs_documentation_shows() {
        assert_eq!(
            signature("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
