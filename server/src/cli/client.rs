//! The JSON API, asked by the command line.

use super::{CliError, args::ServerArgs, spec_file::SpecFile};
use crate::api::wire::{Apply, ErrorBody, Moved, Problems, ROOT, SPEC_TYPE, SpecCreated};
use drover::{
    id::{CampaignSpecId, ExecutionId},
    names::{CampaignName, NamespaceName},
    view::{
        Page,
        campaign::CampaignPage,
        execution::ExecutionPage,
        execution::WorkspaceRow,
        preview::{PlanHash, PreviewPage},
    },
    viewer::Viewer,
};
use reqwest::{Method, RequestBuilder, StatusCode, header, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Of an answer that is none of Drover's, as much is shown.
const STRANGE_CHARS_MAX: usize = 200;

pub struct Client {
    http: reqwest::Client,
    url: Url,
    token: Option<SecretString>,
}

struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Client {
    pub fn new(args: &ServerArgs) -> Result<Self, CliError> {
        let fail =
            |reason: &str| CliError::Url { url: args.url.clone(), reason: reason.to_owned() };
        let url: Url = args.url.parse().map_err(|_| fail("it is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(fail("it must start with http:// or https://"));
        }
        // A redirect would carry the token to where nobody chose to send it.
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(Policy::none())
            .user_agent(concat!("drover/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| fail(&error.to_string()))?;
        Ok(Self { http, url, token: args.token.clone() })
    }

    pub async fn viewer(&self) -> Result<Viewer, CliError> {
        self.get("/viewer", None).await
    }

    /// Sends a spec to be executed.
    pub async fn create_spec(
        &self,
        spec: &SpecFile,
        namespace: Option<&NamespaceName>,
    ) -> Result<SpecCreated, CliError> {
        let query: Vec<_> =
            namespace.map(|name| ("namespace", name.as_str())).into_iter().collect();
        let request = self
            .request(Method::POST, "/specs")
            .query(&query)
            .header(header::CONTENT_TYPE, SPEC_TYPE)
            .body(spec.bytes.clone());
        let answer = self.send(request).await?;
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY
            && let Ok(Problems { problems }) = serde_json::from_slice(&answer.body)
        {
            return Err(spec.refused(problems));
        }
        self.read(&answer)
    }

    pub async fn execution(&self, id: ExecutionId) -> Result<ExecutionPage, CliError> {
        self.get(&format!("/executions/{id}"), None).await
    }

    pub async fn workspaces(
        &self,
        id: ExecutionId,
        after: &str,
    ) -> Result<Page<WorkspaceRow>, CliError> {
        self.get(&format!("/executions/{id}/workspaces"), Some(after)).await
    }

    /// The preview with the rows behind a key, the first ones without.
    pub async fn preview(
        &self,
        id: CampaignSpecId,
        after: Option<&str>,
    ) -> Result<PreviewPage, CliError> {
        self.get(&format!("/specs/{id}/preview"), after).await
    }

    pub async fn apply(&self, id: CampaignSpecId, hash: &PlanHash) -> Result<(), CliError> {
        let body = Apply { plan_hash: hash.clone() };
        let request = self.request(Method::POST, &format!("/specs/{id}/apply")).json(&body);
        let answer = self.send(request).await?;
        if answer.status == StatusCode::CONFLICT
            && let Ok(Moved { moved, newer }) = serde_json::from_slice(&answer.body)
        {
            return Err(CliError::PlanMoved { moved, newer });
        }
        self.check(&answer)
    }

    pub async fn campaign(
        &self,
        namespace: &NamespaceName,
        name: &CampaignName,
        after: Option<&str>,
    ) -> Result<CampaignPage, CliError> {
        self.get(&format!("/campaigns/{namespace}/{name}"), after).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        resource: &str,
        after: Option<&str>,
    ) -> Result<T, CliError> {
        let query: Vec<_> = after.map(|key| ("after", key)).into_iter().collect();
        let answer = self.send(self.request(Method::GET, resource).query(&query)).await?;
        self.read(&answer)
    }

    fn request(&self, method: Method, resource: &str) -> RequestBuilder {
        let base = self.url.as_str().trim_end_matches('/');
        let request = self
            .http
            .request(method, format!("{base}{ROOT}{resource}"))
            .header(header::ACCEPT, "application/json");
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, CliError> {
        let fail = |error: reqwest::Error| {
            let cause = std::iter::successors(std::error::Error::source(&error), |it| it.source());
            let message = cause.last().map_or_else(|| error.to_string(), ToString::to_string);
            CliError::Unreachable { url: self.url.to_string(), message }
        };
        let response = request.send().await.map_err(fail)?;
        let status = response.status();
        Ok(Answer { status, body: response.bytes().await.map_err(fail)?.to_vec() })
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, CliError> {
        self.check(answer)?;
        serde_json::from_slice(&answer.body).map_err(|error| self.strange(&error.to_string()))
    }

    fn check(&self, answer: &Answer) -> Result<(), CliError> {
        if answer.status.is_success() {
            return Ok(());
        }
        let detail = serde_json::from_slice(&answer.body).map(|ErrorBody { error }| error);
        match (answer.status, detail) {
            (StatusCode::UNAUTHORIZED, detail) => Err(CliError::SignedOut {
                url: self.url.to_string(),
                message: match (&self.token, detail) {
                    (None, _) => "no token was sent".to_owned(),
                    (Some(_), Ok(detail)) => detail.message,
                    (Some(_), Err(_)) => "it refuses the token".to_owned(),
                },
            }),
            (_, Ok(detail)) => Err(CliError::Refused { detail }),
            (status, Err(_)) => {
                let text = String::from_utf8_lossy(&answer.body);
                let start: String = text.chars().take(STRANGE_CHARS_MAX).collect();
                Err(self
                    .strange(&format!("status {status}: {}", super::console::printable(&start))))
            }
        }
    }

    fn strange(&self, message: &str) -> CliError {
        CliError::Answer { url: self.url.to_string(), message: message.to_owned() }
    }
}
