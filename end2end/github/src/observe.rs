//! What happens around every request: who calls is found out, faults strike, the exchange is
//! counted and written down, and GitHub's own headers are set.

use crate::{
    call::ENTERPRISE_PREFIX,
    clock::now,
    error::message_body,
    faults::{Fault, HANG},
    github::Github,
    identity::Identity,
    quota::{Admission, Quota, Resource},
    requests::{Class, Exchange},
    state::Freshness,
    unique::request_id,
    wire::Wire,
};
use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// Larger answers get no `ETag`.
const ETAG_BYTES_MAX: usize = 64 << 20;

/// What a fault lets a request come to.
enum Met {
    Passed(Response),
    Answered(Response),
    Cut(Response),
}

/// The layer. What it does goes on when the caller goes away, as it does on GitHub: half of an
/// effect would be no state that GitHub can be in.
pub(crate) async fn observe(
    State(github): State<Arc<Github>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let task = github.tasks.spawn(exchange(Arc::clone(&github), wire, request, next));
    task.await.unwrap_or_else(|_| failure(500))
}

async fn exchange(github: Arc<Github>, wire: Wire, mut request: Request, next: Next) -> Response {
    let identity = Identity::of(request.headers(), &github.store.accounts());
    let who = identity.login().unwrap_or_default().to_owned();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let path = uri.path().strip_prefix(ENTERPRISE_PREFIX).unwrap_or(uri.path()).to_owned();
    let class = Class::of(&method, &path);
    let resource = Resource::of(class, &path);
    let fault = github.faults.take(method.as_str(), &path);
    let place = github.requests.begin(Exchange {
        class,
        method: method.to_string(),
        path,
        query: uri.query().unwrap_or_default().to_owned(),
        status: None,
        login: identity.login().map(str::to_owned),
        fault: fault.as_ref().map(|fault| format!("{fault:?}")),
        at: now(),
    });
    request.extensions_mut().insert(identity);
    let refused = resource.and_then(|resource| limited(&github, &who, class, resource));
    let met = match (refused, fault) {
        (Some(refused), _) => Met::Answered(refused),
        (None, Some(fault)) => meet(&github, fault, request, next).await,
        (None, None) => Met::Passed(next.run(request).await),
    };
    let (Met::Passed(response) | Met::Answered(response) | Met::Cut(response)) = &met;
    github.requests.end(place, response.status().as_u16());
    let quota = resource.map(|resource| match response.status() {
        StatusCode::NOT_MODIFIED => github.quotas.look(&who, resource, now()),
        _ => github.quotas.count(&who, resource, now()),
    });
    match met {
        Met::Passed(mut response) => {
            set_headers(response.headers_mut(), quota);
            response
        }
        Met::Answered(response) => response,
        Met::Cut(response) => {
            wire.cut();
            response
        }
    }
}

/// The refusal of a request that is beyond a limit which is held.
fn limited(github: &Github, who: &str, class: Class, resource: Resource) -> Option<Response> {
    match github.quotas.admit(who, class, resource, now()) {
        Admission::Granted => None,
        Admission::UsedUp(quota) => Some(used_up(quota)),
        Admission::TooFast { retry_after_secs } => {
            Some(secondary_limit(StatusCode::FORBIDDEN.as_u16(), Some(retry_after_secs)))
        }
    }
}

async fn meet(github: &Github, fault: Fault, mut request: Request, next: Next) -> Met {
    match fault {
        Fault::Status { status } => Met::Answered(failure(status)),
        Fault::StatusAfter { status } => {
            drop(next.run(request).await);
            Met::Answered(failure(status))
        }
        Fault::Delay { millis } => {
            wait(github, Duration::from_millis(millis)).await;
            Met::Passed(next.run(request).await)
        }
        Fault::Hang => {
            wait(github, HANG).await;
            Met::Cut(failure(504))
        }
        Fault::HangAfter => {
            let answer = next.run(request).await;
            wait(github, HANG).await;
            Met::Cut(answer)
        }
        Fault::SecondaryLimit { status, retry_after_secs } => {
            Met::Answered(secondary_limit(status, retry_after_secs))
        }
        Fault::PrimaryLimit { reset_after_secs } => Met::Answered(primary_limit(reset_after_secs)),
        Fault::CutBefore => Met::Cut(failure(502)),
        Fault::CutAfter => Met::Cut(next.run(request).await),
        Fault::StaleRead => {
            request.extensions_mut().insert(Freshness::Stale);
            Met::Passed(next.run(request).await)
        }
    }
}

/// A stand-in that stops waits for nothing.
async fn wait(github: &Github, time: Duration) {
    tokio::select! {
        () = tokio::time::sleep(time) => (),
        () = github.stopping.cancelled() => (),
    }
}

fn failure(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(message_body(status, "Server Error"))).into_response()
}

fn secondary_limit(status: u16, retry_after_secs: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let text = "You have exceeded a secondary rate limit. Please wait a few minutes before you \
                try again.";
    let mut response = (status, Json(message_body(status, text))).into_response();
    if let Some(secs) = retry_after_secs {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

fn primary_limit(reset_after_secs: u64) -> Response {
    let after = chrono::TimeDelta::seconds(i64::try_from(reset_after_secs).unwrap_or(3_600));
    let resource = Resource::Core;
    used_up(Quota { resource, limit: 5_000, used: 5_000, reset_at: now() + after })
}

/// GraphQL refuses with a status of 200, as it does everything.
fn used_up(quota: Quota) -> Response {
    let text = "API rate limit exceeded.";
    let mut response = match quota.resource {
        Resource::Graphql => {
            let error = json!({ "type": "RATE_LIMITED", "message": text });
            Json(json!({ "errors": [error] })).into_response()
        }
        Resource::Core | Resource::Search | Resource::CodeSearch => {
            let status = StatusCode::FORBIDDEN;
            (status, Json(message_body(status, text))).into_response()
        }
    };
    set_headers(response.headers_mut(), Some(quota));
    response
}

fn set_headers(headers: &mut HeaderMap, quota: Option<Quota>) {
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        headers.insert(HeaderName::from_static("x-github-request-id"), id);
    }
    let Some(quota) = quota else { return };
    let reset = u64::try_from(quota.reset_at.timestamp()).unwrap_or(0);
    for (name, value) in [
        ("x-ratelimit-limit", quota.limit),
        ("x-ratelimit-remaining", quota.remaining()),
        ("x-ratelimit-used", quota.used),
        ("x-ratelimit-reset", reset),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    let resource = HeaderValue::from_static(quota.resource.word());
    headers.insert(HeaderName::from_static("x-ratelimit-resource"), resource);
}

/// Gives every JSON answer to a read an `ETag`, and answers 304 to who has it already.
pub(crate) async fn etag(request: Request, next: Next) -> Response {
    let is_read = request.method().is_safe();
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_read || !is_json || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, ETAG_BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = format!("W/\"{}\"", hex::encode(Sha256::digest(&body)));
    let is_known = known.is_some_and(|known| {
        known.to_str().is_ok_and(|tags| tags.split(',').any(|it| is_same(it.trim(), &tag)))
    });
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

fn is_same(known: &str, tag: &str) -> bool {
    known == "*" || known.trim_start_matches("W/") == tag.trim_start_matches("W/")
}
