//! One request: limits, redirects, conditional reads, and what is counted.

use super::{
    address::ApiAddress,
    answer::{Answer, Effect},
    limits::{Limits, Quota},
};
use crate::code_host::CodeHostError;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, header},
};
use drover::time::Timestamp;
use octocrab::{Octocrab, service::middleware::retry::RetryConfig};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    error::Error,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::debug;

const REDIRECTS_MAX: u32 = 3;
/// The largest answer that is read: a page of 100 repositories has some 700 kB.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Answers that are kept to be asked for conditionally; larger ones are read anew.
const KEPT_MAX: usize = 512;
const KEPT_BYTES_MAX: usize = 64 << 10;

/// How long to wait for GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    /// For the whole answer.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(30) }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the token is empty or holds characters that no token has")]
    Token,
    #[error("cannot set up the client for GitHub: {0}")]
    Client(String),
}

/// The requests that were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub reads: u64,
    pub writes: u64,
    /// The reads that cost nothing, because nothing had changed.
    pub not_modified: u64,
}

#[derive(Default)]
struct Counters {
    reads: AtomicU64,
    writes: AtomicU64,
    not_modified: AtomicU64,
}

pub(super) struct Client {
    octocrab: Octocrab,
    pub(super) address: ApiAddress,
    timeouts: Timeouts,
    clock: fn() -> Timestamp,
    limits: Limits,
    kept: Mutex<BTreeMap<String, Kept>>,
    counters: Counters,
    /// GitHub did not understand a look by GraphQL: an old Enterprise Server.
    pub(super) looks_by_rest: AtomicBool,
}

/// An answer that GitHub may confirm with "not modified".
#[derive(Clone)]
struct Kept {
    etag: String,
    headers: HeaderMap,
    body: Bytes,
}

struct Call<'a> {
    method: Method,
    path: String,
    body: Option<&'a Value>,
    effect: Effect,
    quota: Quota,
    /// The thing that is asked for, as people call it.
    what: &'a str,
}

impl Client {
    pub(super) fn new(
        address: ApiAddress,
        token: SecretString,
        timeouts: Timeouts,
        clock: fn() -> Timestamp,
    ) -> Result<Self, SetupError> {
        let text = token.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SetupError::Token);
        }
        let octocrab = octocrab(&address, token, timeouts)
            .map_err(|error| SetupError::Client(chain(&error)))?;
        Ok(Self {
            octocrab,
            address,
            timeouts,
            clock,
            limits: Limits::default(),
            kept: Mutex::default(),
            counters: Counters::default(),
            looks_by_rest: AtomicBool::new(false),
        })
    }

    pub(super) fn counts(&self) -> Counts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            reads: load(&self.counters.reads),
            writes: load(&self.counters.writes),
            not_modified: load(&self.counters.not_modified),
        }
    }

    /// Reads a REST resource such as `/user`, conditionally where the last answer is known.
    pub(super) async fn get(&self, resource: &str, what: &str) -> Result<Answer, CodeHostError> {
        self.send(&Call {
            method: Method::GET,
            path: self.address.rest(resource),
            body: None,
            effect: Effect::Read,
            quota: Quota::Rest,
            what,
        })
        .await
    }

    pub(super) async fn write(
        &self,
        method: Method,
        resource: &str,
        body: &Value,
        what: &str,
    ) -> Result<Answer, CodeHostError> {
        self.send(&Call {
            method,
            path: self.address.rest(resource),
            body: Some(body),
            effect: Effect::Write,
            quota: Quota::Rest,
            what,
        })
        .await
    }

    pub(super) async fn graphql(
        &self,
        body: &Value,
        effect: Effect,
        what: &str,
    ) -> Result<Answer, CodeHostError> {
        self.send(&Call {
            method: Method::POST,
            path: self.address.graphql().to_owned(),
            body: Some(body),
            effect,
            quota: Quota::GraphQl,
            what,
        })
        .await
    }

    /// GraphQL refuses with status 200, so its limit is found in the answer only.
    pub(super) fn graphql_limit(&self, answer: &Answer) -> CodeHostError {
        self.limits.refused(Quota::GraphQl, &answer.headers, (self.clock)())
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, CodeHostError> {
        let mut path = call.path.clone();
        for _ in 0..=REDIRECTS_MAX {
            self.limits.check(call.quota, (self.clock)())?;
            let answer = self.send_once(call, &path).await?;
            // A renamed repository. These statuses keep the method, and nothing was done yet.
            if !matches!(answer.status, 301 | 307 | 308) {
                return answer.check(call.what, call.quota, &self.limits, (self.clock)());
            }
            let location = answer.header("location").unwrap_or_default();
            path =
                self.address.follow(&path, location).ok_or_else(|| CodeHostError::Unavailable {
                    message: format!("{} has moved to another host, which is not asked", call.what),
                })?;
        }
        Err(CodeHostError::Unavailable {
            message: format!("{} is behind more than {REDIRECTS_MAX} redirects", call.what),
        })
    }

    async fn send_once(&self, call: &Call<'_>, path: &str) -> Result<Answer, CodeHostError> {
        let kept = self.kept(call, path);
        self.count(call.effect);
        let started = Instant::now();
        let exchange = self.exchange(call, path, kept.as_ref());
        let answer = match tokio::time::timeout(self.timeouts.answer, exchange).await {
            Ok(answer) => answer?,
            Err(_) => return Err(call.effect.lost(&timeout_message(self.timeouts.answer))),
        };
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        debug!(method = %call.method, path, status = answer.status, elapsed_ms, "asked GitHub");
        match kept {
            Some(kept) if answer.status == 304 => {
                self.counters.not_modified.fetch_add(1, Ordering::Relaxed);
                Ok(confirmed(kept, answer))
            }
            _ => {
                self.keep(call, path, &answer);
                Ok(answer)
            }
        }
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        path: &str,
        kept: Option<&Kept>,
    ) -> Result<Answer, CodeHostError> {
        let lost = |error: &(dyn Error + 'static)| match never_sent(error) {
            true => CodeHostError::Unavailable { message: chain(error) },
            false => call.effect.lost(&chain(error)),
        };
        // A path without a host: octocrab gives the token to those alone.
        let mut request = Request::builder().method(call.method.clone()).uri(path);
        if let Some(kept) = kept {
            request = request.header(header::IF_NONE_MATCH, &kept.etag);
        }
        let request =
            self.octocrab.build_request(request, call.body).map_err(|error| lost(&error))?;
        let response = self.octocrab.execute(request).await.map_err(|error| lost(&error))?;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX)
            .await
            .map_err(|error| call.effect.lost(&chain(&error)))?;
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Ok(Answer { status, headers, body, effect: call.effect })
    }

    fn count(&self, effect: Effect) {
        let counter = match effect {
            Effect::Read => &self.counters.reads,
            Effect::Write => &self.counters.writes,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn kept(&self, call: &Call<'_>, path: &str) -> Option<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (call.method == Method::GET).then(|| kept.get(path).cloned()).flatten()
    }

    fn keep(&self, call: &Call<'_>, path: &str, answer: &Answer) {
        if call.method != Method::GET {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(path);
        let Some(etag) = answer.header("etag").filter(|_| answer.status == 200) else { return };
        if answer.body.len() > KEPT_BYTES_MAX {
            return;
        }
        // Any will do: what is asked for often comes back soon.
        if kept.len() >= KEPT_MAX {
            kept.pop_first();
        }
        let (headers, body) = (answer.headers.clone(), answer.body.clone());
        kept.insert(path.to_owned(), Kept { etag: etag.to_owned(), headers, body });
    }
}

fn octocrab(
    address: &ApiAddress,
    token: SecretString,
    timeouts: Timeouts,
) -> octocrab::Result<Octocrab> {
    // The base has no path, so that REST and GraphQL of an Enterprise Server fit one client.
    Octocrab::builder()
        .base_uri(address.origin())?
        .add_retry_config(RetryConfig::None)
        .set_connect_timeout(Some(timeouts.connect))
        .set_read_timeout(Some(timeouts.answer))
        .set_write_timeout(Some(timeouts.answer))
        .add_header(header::ACCEPT, "application/vnd.github+json".to_owned())
        .add_header(
            header::HeaderName::from_static("x-github-api-version"),
            "2022-11-28".to_owned(),
        )
        .build()?
        .user_access_token(token)
}

/// The kept answer with the fresh limits.
fn confirmed(kept: Kept, fresh: Answer) -> Answer {
    let Kept { etag: _, mut headers, body } = kept;
    headers.extend(fresh.headers);
    Answer { status: 200, headers, body, effect: fresh.effect }
}

/// Whether there was nobody to send the request to.
fn never_sent(error: &(dyn Error + 'static)) -> bool {
    sources(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn timeout_message(timeout: Duration) -> String {
    format!("no whole answer within {} s", timeout.as_secs_f32())
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in sources(error) {
        let text = error.to_string();
        // Some errors of the transport repeat their source.
        if !texts.iter().any(|before| before.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
