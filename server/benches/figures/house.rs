//! A whole Drover with its stand-in, in this process, and a client to it.

use anyhow::Context;
use drover::view::{campaign::CampaignPage, execution::ExecutionPage, preview::PreviewPage};
use drover_server::{
    api::wire::{Apply, SpecCreated},
    cli::args::PlaceArgs,
    config::Config,
    hosts::Setting,
    serve,
    store::code_hosts::WriteLimits,
};
use github_stand_in::{Config as StandInConfig, StandIn};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How often the client looks whether something is done: seldom, for a look costs the server
/// time that is measured.
const LOOK: Duration = Duration::from_millis(250);
/// Nothing that is measured takes longer.
const WAIT_MAX: Duration = Duration::from_secs(300);

pub(crate) struct House {
    pub(crate) stand_in: StandIn,
    client: reqwest::Client,
    url: String,
    token: String,
    stop: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
    _dir: tempfile::TempDir,
}

impl House {
    /// Starts both; the stand-in is empty.
    pub(crate) async fn start(token: &'static str) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let stand_in = StandIn::start(StandInConfig::default()).await?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let data_dir = dir.path().to_owned();
        let config = Config::demo(&PlaceArgs { listen, port, data_dir })?;
        let setting = Setting {
            api_url: stand_in.url(),
            git_url: stand_in.url(),
            web_url: stand_in.url(),
            limits: WriteLimits { per_minute: 100_000, per_hour: 1_000_000, gap_millis: 0 },
            token: SecretString::from(token),
            address: drover_server::hosts::Address::Fixed,
        };
        let (told, started) = oneshot::channel();
        let stop = CancellationToken::new();
        let until = stop.clone();
        let server = tokio::task::spawn(async move {
            serve::run(config, Some(setting), until, |started| {
                let token = started.demo_token.as_ref();
                let token = token.map(|it| it.expose_secret().to_owned()).unwrap_or_default();
                // The one who waits is gone only when the measurement has failed.
                let _ = told.send(token);
            })
            .await
        });
        let token = started.await.context("the server did not start")?;
        let url = format!("http://127.0.0.1:{port}/api/v1");
        let client = reqwest::Client::new();
        Ok(Self { stand_in, client, url, token, stop, server, _dir: dir })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.server.await??;
        self.stand_in.shutdown().await;
        Ok(())
    }

    /// Executes a spec to its end.
    pub(crate) async fn preview(&self, text: &str) -> anyhow::Result<PreviewPage> {
        let created: SpecCreated = self
            .client
            .post(format!("{}/specs", self.url))
            .bearer_auth(&self.token)
            .body(text.to_owned())
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let execution = format!("executions/{}", created.execution);
        self.wait(&execution, |page: &ExecutionPage| page.state.is_over()).await?;
        self.get(&format!("specs/{}/preview", created.id)).await
    }

    /// Applies a plan; gives how long the request took.
    pub(crate) async fn apply(&self, preview: &PreviewPage) -> anyhow::Result<Duration> {
        let drover::view::preview::Standing::Ready { hash } = &preview.standing else {
            anyhow::bail!("the plan is not ready: {:?}", preview.standing)
        };
        let begun = Instant::now();
        self.client
            .post(format!("{}/specs/{}/apply", self.url, preview.spec))
            .bearer_auth(&self.token)
            .json(&Apply { plan_hash: hash.clone() })
            .send()
            .await?
            .error_for_status()?;
        Ok(begun.elapsed())
    }

    /// Waits until so many pull requests of a campaign are open.
    pub(crate) async fn wait_for_open(
        &self,
        preview: &PreviewPage,
        open: u32,
    ) -> anyhow::Result<()> {
        let path = format!("campaigns/{}/{}", preview.namespace, preview.campaign);
        self.wait(&path, |page: &CampaignPage| page.campaign.counts.open >= open).await
    }

    async fn wait<T: DeserializeOwned>(
        &self,
        path: &str,
        done: impl Fn(&T) -> bool,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !done(&self.get(path).await?) {
            anyhow::ensure!(begun.elapsed() < WAIT_MAX, "{path} is not done after {WAIT_MAX:?}");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.client.get(format!("{}/{path}", self.url)).bearer_auth(&self.token);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}
