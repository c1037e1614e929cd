//! What every handler is given: who calls, from where, and the repository that the path names.

use crate::{
    error::{ApiError, Moved},
    git::Git,
    github::Github,
    identity::Identity,
    state::{Access, Freshness, Repo, RepoKey},
};
use axum::{
    extract::{FromRequest, FromRequestParts, OriginalUri, RawPathParams, Request},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, sync::Arc};

/// Larger bodies than this are refused; GitHub's texts end at 65,536 characters.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;
/// Where GitHub Enterprise Server has its REST API.
pub(crate) const ENTERPRISE_PREFIX: &str = "/api/v3";

/// The beginnings of addresses, as the caller reaches them.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    pub(crate) web: String,
    pub(crate) api: String,
    pub(crate) git: String,
}

#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) github: Arc<Github>,
    pub(crate) login: Option<String>,
    pub(crate) urls: Urls,
    freshness: Freshness,
}

/// A repository that the caller may read.
#[derive(Clone)]
pub(crate) struct Readable {
    pub(crate) call: Call,
    pub(crate) repo: Arc<Repo>,
    pub(crate) git: Git,
    params: BTreeMap<String, String>,
}

/// A repository that the caller may write to, and that is not archived.
pub(crate) struct Writable {
    pub(crate) at: Readable,
    pub(crate) login: String,
}

/// A JSON body, refused with GitHub's words.
pub(crate) struct Input<T>(pub(crate) T);

impl Call {
    pub(crate) fn signed_in(&self) -> Result<&str, ApiError> {
        self.login.as_deref().ok_or(ApiError::SignInFirst)
    }

    /// What the caller must not read does not exist for him.
    pub(crate) fn find_repo(&self, owner: &str, name: &str) -> Result<Arc<Repo>, ApiError> {
        let key = RepoKey::new(owner, name);
        let repo = self.github.store.find(&key, self.freshness);
        repo.filter(|repo| self.may_read(repo)).ok_or(ApiError::NotFound)
    }

    /// The repository that had this name, if nobody has it now and the caller may know.
    pub(crate) fn find_moved(&self, owner: &str, name: &str) -> Option<Arc<Repo>> {
        let (store, key) = (&self.github.store, RepoKey::new(owner, name));
        if store.find(&key, Freshness::Current).is_some() {
            return None;
        }
        store.find_moved(&key).filter(|repo| self.may_read(repo))
    }

    pub(crate) fn may_read(&self, repo: &Repo) -> bool {
        repo.access_of(self.login.as_deref()) >= Access::Read
    }
}

impl Readable {
    /// A repository as the control endpoints reach it: on behalf of anybody, with all rights.
    pub(crate) fn acting(
        github: &Arc<Github>,
        key: &RepoKey,
        login: &str,
    ) -> Result<Self, ApiError> {
        let freshness = Freshness::Current;
        let repo = github.store.find(key, freshness).ok_or(ApiError::NotFound)?;
        let (login, urls) = (Some(login.to_owned()), github.urls());
        let call = Call { github: Arc::clone(github), login, urls, freshness };
        Ok(Self { call, repo, git: github.git(key), params: BTreeMap::new() })
    }

    /// A repository that was found by other means than the path.
    pub(crate) fn of(call: Call, repo: Arc<Repo>) -> Self {
        let git = call.github.git(&repo.key());
        Self { call, repo, git, params: BTreeMap::new() }
    }

    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    pub(crate) fn number(&self) -> Result<u64, ApiError> {
        self.param("number").parse().map_err(|_| ApiError::NotFound)
    }

    pub(crate) fn urls(&self) -> &Urls {
        &self.call.urls
    }

    pub(crate) fn key(&self) -> RepoKey {
        self.repo.key()
    }

    /// Changes the repository that was read; it cannot vanish but by a reset in between.
    pub(crate) fn update<T>(
        &self,
        change: impl FnOnce(&mut Repo) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.call.github.store.update(&self.key(), change)?.ok_or(ApiError::NotFound)
    }

    pub(crate) fn reread(&self) -> Result<Arc<Repo>, ApiError> {
        let store = &self.call.github.store;
        store.find(&self.key(), Freshness::Current).ok_or(ApiError::NotFound)
    }
}

impl FromRequestParts<Arc<Github>> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, github: &Arc<Github>) -> Result<Self, ApiError> {
        let login = match parts.extensions.get::<Identity>() {
            Some(Identity::Stranger) => return Err(ApiError::BadCredentials),
            Some(Identity::User { login }) => Some(login.clone()),
            Some(Identity::Anonymous) | None => None,
        };
        let freshness = parts.extensions.get().copied().unwrap_or(Freshness::Current);
        let urls = urls_of(parts, github);
        Ok(Self { github: Arc::clone(github), login, urls, freshness })
    }
}

impl FromRequestParts<Arc<Github>> for Readable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, github: &Arc<Github>) -> Result<Self, ApiError> {
        let call = Call::from_request_parts(parts, github).await?;
        let raw = RawPathParams::from_request_parts(parts, github).await;
        let raw = raw.map_err(|_| ApiError::NotFound)?;
        let params: BTreeMap<String, String> =
            raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let param = |name: &str| params.get(name).map_or("", String::as_str);
        let (owner, name) = (param("owner"), param("repo"));
        let repo = match call.find_moved(owner, name) {
            Some(repo) => return Err(moved(parts, &call, &repo)),
            None => call.find_repo(owner, name)?,
        };
        let git = github.git(&repo.key());
        Ok(Self { call, repo, git, params })
    }
}

impl FromRequestParts<Arc<Github>> for Writable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, github: &Arc<Github>) -> Result<Self, ApiError> {
        let at = Readable::from_request_parts(parts, github).await?;
        let login = at.call.signed_in()?.to_owned();
        if at.repo.access_of(Some(&login)) < Access::Write {
            return Err(ApiError::MayNot);
        }
        if at.repo.is_archived() {
            return Err(ApiError::Archived);
        }
        Ok(Self { at, login })
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Github>> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Arc<Github>) -> Result<Self, ApiError> {
        let body = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await;
        let body = body.map_err(|_| ApiError::TooLarge(BODY_BYTES_MAX))?;
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        let input = serde_json::from_slice(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => ApiError::BadInput(error.to_string()),
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => ApiError::BadJson,
        })?;
        Ok(Self(input))
    }
}

/// The same address below the number of the repository, which no rename changes.
fn moved(parts: &Parts, call: &Call, repo: &Repo) -> ApiError {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
    let path = uri.path().strip_prefix(ENTERPRISE_PREFIX).unwrap_or(uri.path());
    // What follows `/repos/{owner}/{repo}`.
    let rest = path.match_indices('/').nth(3).and_then(|(at, _)| path.get(at..)).unwrap_or("");
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}/repositories/{}{rest}{query}", call.urls.api, repo.id);
    let status = match parts.method.is_safe() {
        true => StatusCode::MOVED_PERMANENTLY,
        false => StatusCode::TEMPORARY_REDIRECT,
    };
    ApiError::Moved(Moved { url, status })
}

fn urls_of(parts: &Parts, github: &Github) -> Urls {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = host.map_or_else(|| github.urls().git, |host| format!("http://{host}"));
    let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.path());
    let prefix = if path.starts_with(ENTERPRISE_PREFIX) { ENTERPRISE_PREFIX } else { "" };
    Urls {
        web: github.public_url.clone().unwrap_or_else(|| origin.clone()),
        api: format!("{origin}{prefix}"),
        git: origin,
    }
}
