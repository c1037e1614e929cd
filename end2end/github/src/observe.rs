//! What happens around every request: who calls is found out, faults strike, the exchange is
//! counted and written down, and GitHub's own headers are set.

use crate::{
    call::ENTERPRISE_PREFIX,
    clock::now,
    error::message_body,
    faults::{Fault, HANG},
    github::Github,
    identity::Identity,
    quota::Quota,
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
    let fault = github.faults.take(method.as_str(), &path);
    let place = github.requests.begin(Exchange {
        class: Class::of(&method, &path),
        method: method.to_string(),
        path,
        query: uri.query().unwrap_or_default().to_owned(),
        status: None,
        login: identity.login().map(str::to_owned),
        fault: fault.as_ref().map(|fault| format!("{fault:?}")),
        at: now(),
    });
    request.extensions_mut().insert(identity);
    let met = match fault {
        Some(fault) => meet(&github, fault, request, next).await,
        None => Met::Passed(next.run(request).await),
    };
    let (Met::Passed(response) | Met::Answered(response) | Met::Cut(response)) = &met;
    github.requests.end(place, response.status().as_u16());
    let quota = match response.status() {
        StatusCode::NOT_MODIFIED => github.quotas.look(&who, now()),
        _ => github.quotas.count(&who, now()),
    };
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
    let status = StatusCode::FORBIDDEN;
    let text = "API rate limit exceeded.";
    let mut response = (status, Json(message_body(status, text))).into_response();
    let after = chrono::TimeDelta::seconds(i64::try_from(reset_after_secs).unwrap_or(3_600));
    let quota = Quota { limit: 5_000, used: 5_000, reset_at: now() + after };
    set_headers(response.headers_mut(), quota);
    response
}

fn set_headers(headers: &mut HeaderMap, quota: Quota) {
    let reset = u64::try_from(quota.reset_at.timestamp()).unwrap_or(0);
    for (name, value) in [
        ("x-ratelimit-limit", quota.limit),
        ("x-ratelimit-remaining", quota.remaining()),
        ("x-ratelimit-used", quota.used),
        ("x-ratelimit-reset", reset),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    let core = HeaderValue::from_static("core");
    headers.insert(HeaderName::from_static("x-ratelimit-resource"), core);
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        headers.insert(HeaderName::from_static("x-github-request-id"), id);
    }
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
