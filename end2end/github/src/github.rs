//! Everything that the routes share: the state, the logs, the faults and the caches.

use crate::{
    call::Urls,
    faults::Faults,
    git::Git,
    hooks::Deliveries,
    pulls::Facts,
    quota::Quotas,
    requests::Requests,
    state::{RepoKey, Store},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Repositories whose pushes wait for one another; the map is emptied beyond this.
const LOCKS_MAX: usize = 10_000;

pub(crate) struct Github {
    pub(crate) store: Store,
    pub(crate) requests: Requests,
    pub(crate) faults: Faults,
    pub(crate) deliveries: Deliveries,
    pub(crate) facts: Facts,
    pub(crate) quotas: Quotas,
    pub(crate) address: SocketAddr,
    /// Where people's browsers find the pages, when that is not where the requests go.
    pub(crate) public_url: Option<String>,
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) push_locks: PushLocks,
    #[cfg(feature = "conformance")]
    pub(crate) conformance: Option<crate::conformance::Judge>,
}

impl Github {
    pub(crate) fn git(&self, key: &RepoKey) -> Git {
        Git::at(self.store.git_dir(key))
    }

    /// Addresses for what is not an answer to a request: payloads of webhooks.
    pub(crate) fn urls(&self) -> Urls {
        let origin = format!("http://{}", self.address);
        let web = self.public_url.clone().unwrap_or_else(|| origin.clone());
        Urls { web, api: origin.clone(), git: origin }
    }
}

/// One push at a time per repository, so that the refs that moved can be told from those of
/// another push.
#[derive(Default)]
pub(crate) struct PushLocks(Mutex<BTreeMap<RepoKey, Arc<tokio::sync::Mutex<()>>>>);

impl PushLocks {
    pub(crate) async fn lock(&self, key: &RepoKey) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if locks.len() >= LOCKS_MAX {
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            Arc::clone(locks.entry(key.clone()).or_default())
        };
        lock.lock_owned().await
    }
}
