//! A person or a program that uses a server over HTTP.

use super::{eventually, spec::Spec};
use drover::{
    id::{CampaignSpecId, ChangesetId, ExecutionId},
    view::{
        campaign::CampaignPage,
        changeset::{ChangesetChoice, ChangesetRow},
        execution::{ExecutionPage, WorkspaceState},
        preview::{PreviewPage, Standing},
    },
};
use drover_server::api::wire::{Apply, ROOT, SpecCreated};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) struct Client {
    url: String,
    token: String,
    http: reqwest::Client,
}

/// A status, and what came with it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.text.contains(part), "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Client {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { url: url.to_owned(), token: token.to_owned(), http }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A request that carries no token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.token)
    }

    pub(crate) async fn send(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        Answer { status, text: response.text().await.unwrap() }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        Self::send(self.request(Method::GET, &format!("{ROOT}{path}"))).await.is(200).json()
    }

    pub(crate) async fn post_spec(&self, text: impl Into<reqwest::Body>) -> Answer {
        Self::send(self.request(Method::POST, &format!("{ROOT}/specs")).body(text)).await
    }

    /// Starts a preview and does not wait for its steps.
    pub(crate) async fn start(&self, spec: &Spec) -> SpecCreated {
        self.post_spec(spec.text()).await.is(201).json()
    }

    pub(crate) async fn executed(&self, id: ExecutionId) -> ExecutionPage {
        eventually("the end of the steps", async || {
            let page: ExecutionPage = self.get(&format!("/executions/{id}")).await;
            page.state.is_over().then_some(page)
        })
        .await
    }

    /// Executes a spec and gives what came of it.
    pub(crate) async fn execute(&self, spec: &Spec) -> ExecutionPage {
        let created = self.start(spec).await;
        self.executed(created.execution).await
    }

    /// Executes a spec whose steps all end well, and gives its plan.
    pub(crate) async fn preview(&self, spec: &Spec) -> PreviewPage {
        let created = self.start(spec).await;
        let page = self.executed(created.execution).await;
        for row in &page.workspaces.rows {
            if let WorkspaceState::Failed { reason, .. } = &row.state {
                panic!("{}: {reason}", row.repo);
            }
        }
        self.plan(created.id).await
    }

    /// The preview of a spec, once its plan is made.
    pub(crate) async fn plan(&self, id: CampaignSpecId) -> PreviewPage {
        eventually("a plan", async || {
            let page: PreviewPage = self.get(&format!("/specs/{id}/preview")).await;
            (page.standing != Standing::Executing).then_some(page)
        })
        .await
    }

    /// Executes a spec, whatever comes of its steps, and gives its plan.
    pub(crate) async fn preview_anyhow(&self, spec: &Spec) -> PreviewPage {
        let created = self.start(spec).await;
        self.executed(created.execution).await;
        self.plan(created.id).await
    }

    pub(crate) async fn try_apply(&self, preview: &PreviewPage) -> Answer {
        let Standing::Ready { hash } = &preview.standing else {
            panic!("there is nothing to apply: {:?}", preview.standing)
        };
        let path = format!("{ROOT}/specs/{}/apply", preview.spec);
        let body = Apply { plan_hash: hash.clone() };
        Self::send(self.request(Method::POST, &path).json(&body)).await
    }

    pub(crate) async fn apply(&self, preview: &PreviewPage) {
        self.try_apply(preview).await.is(202);
    }

    pub(crate) async fn campaign(&self, name: &str) -> CampaignPage {
        let viewer: Value = self.get("/viewer").await;
        let me = viewer["name"].as_str().unwrap_or_default();
        self.get(&format!("/campaigns/{me}/{name}")).await
    }

    /// Waits until nothing is to be done any more, except by a person.
    pub(crate) async fn settled(&self, name: &str) -> CampaignPage {
        eventually("a campaign at rest", async || {
            let page = self.campaign(name).await;
            let is_settled = page.applying.is_none() && page.campaign.counts.processing == 0;
            is_settled.then_some(page)
        })
        .await
    }

    /// How a changeset stands, as its page says in its forms.
    pub(crate) async fn shown(&self, id: ChangesetId) -> String {
        let page =
            Self::send(self.request(Method::GET, &format!("/changesets/{id}"))).await.is(200);
        let field = page.text.split("name=\"shown\" value=\"").nth(1);
        let value = field.and_then(|rest| rest.split('"').next());
        let value = value.unwrap_or_else(|| panic!("no form says how it stands: {}", page.text));
        value.replace("&quot;", "\"")
    }

    /// Sends a form of a changeset's page.
    pub(crate) async fn choose(&self, id: ChangesetId, choice: ChangesetChoice) {
        let shown = self.shown(id).await;
        self.choose_about(id, choice, &shown).await;
    }

    /// Sends a form of a page that was shown before.
    pub(crate) async fn choose_about(&self, id: ChangesetId, choice: ChangesetChoice, shown: &str) {
        let choice = serde_json::to_value(choice).unwrap();
        let choice = choice.as_str().unwrap().to_owned();
        let form = [("id", id.to_string()), ("choice", choice), ("shown", shown.to_owned())];
        let request = self.request(Method::POST, "/api/choose").form(&form);
        Self::send(request.header("accept", "text/html")).await.is(302);
    }
}

/// The changeset of a repository.
#[track_caller]
pub(crate) fn row<'a>(page: &'a CampaignPage, repo: &str) -> &'a ChangesetRow {
    let found = page.changesets.rows.iter().find(|row| row.repo.to_string() == repo);
    found.unwrap_or_else(|| panic!("there is no changeset of {repo}: {:#?}", page.changesets.rows))
}
