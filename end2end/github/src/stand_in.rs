use crate::{
    config::{Config, DataDir},
    control::Control,
    faults::Faults,
    git::install_update_hook,
    github::{Github, PushLocks},
    hooks::{Deliveries, deliver_all},
    pulls::Facts,
    quota::Quotas,
    requests::Requests,
    router::router,
    state::{Store, StoreError},
    wire::{Wire, WireListener},
};
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Requests that are still running are left alone for so long when the stand-in stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("could not listen on {address}; is the port taken?")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("could not prepare the directory of the stand-in")]
    Directory(#[source] io::Error),
    #[error("could not read what an earlier run left in {}", dir.display())]
    State { dir: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("could not prepare the sending of webhooks")]
    Client(#[from] reqwest::Error),
    #[cfg(feature = "conformance")]
    #[error("could not use GitHub's OpenAPI description")]
    OpenApi(#[from] crate::conformance::SpecError),
}

/// A running stand-in. Dropping it stops it.
pub struct StandIn {
    github: Arc<Github>,
    /// Removed with the stand-in when nothing shall be kept.
    _temporary: Option<TempDir>,
}

impl StandIn {
    /// Listens and answers until it is dropped or shut down.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (dir, temporary) = match config.data_dir {
            DataDir::At(dir) => (dir, None),
            DataDir::Temporary => {
                let temporary = TempDir::new().map_err(StartError::Directory)?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        // Git runs within the repositories, so their paths must not depend on where it runs.
        let dir = std::path::absolute(dir).map_err(StartError::Directory)?;
        let state_error =
            |source: StoreError| StartError::State { dir: dir.clone(), source: Box::new(source) };
        let store = Store::open(&dir).map_err(state_error)?;
        install_update_hook(&store.push_hooks_dir()).map_err(StartError::Directory)?;
        let listen_error = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let (deliveries, parcels) = Deliveries::new();
        let github = Arc::new(Github {
            store,
            requests: Requests::default(),
            faults: Faults::default(),
            deliveries,
            facts: Facts::default(),
            quotas: Quotas::default(),
            address,
            public_url: config.public_url.map(|url| url.trim_end_matches('/').to_owned()),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            push_locks: PushLocks::default(),
            #[cfg(feature = "conformance")]
            conformance: config
                .openapi
                .as_deref()
                .map(crate::conformance::Judge::load)
                .transpose()?,
        });
        let client = delivery_client()?;
        github.tasks.spawn(deliver_all(Arc::clone(&github), client, parcels));
        github.tasks.spawn(serve(Arc::clone(&github), listener));
        Ok(Self { github, _temporary: temporary })
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.github.address)
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.github.address
    }

    /// Acts on it from outside.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.github))
    }

    /// What did not hold against GitHub's OpenAPI description so far.
    #[cfg(feature = "conformance")]
    #[must_use]
    pub fn violations(&self) -> Vec<crate::conformance::Violation> {
        self.control().violations()
    }

    /// Stops and waits until everything that it started has ended.
    pub async fn shutdown(self) {
        self.github.stopping.cancel();
        self.github.tasks.close();
        if tokio::time::timeout(SHUTDOWN_GRACE, self.github.tasks.wait()).await.is_err() {
            tracing::warn!("the stand-in left requests unfinished");
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.github.stopping.cancel();
    }
}

async fn serve(github: Arc<Github>, listener: TcpListener) {
    let stopping = github.stopping.clone();
    let service = router(github).into_make_service_with_connect_info::<Wire>();
    let served = axum::serve(WireListener(listener), service)
        .with_graceful_shutdown(stopping.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the stand-in stopped listening");
    }
}

fn delivery_client() -> Result<reqwest::Client, reqwest::Error> {
    // Whoever came first has chosen, and every choice is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // A receiver that restarts would break idle connections at the worst time.
        .pool_max_idle_per_host(0)
        .build()
}
