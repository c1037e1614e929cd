//! Takes jobs back from servers that are gone: those whose leases ran out.

use crate::store::{Store, StoreError, jobs};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often leases are looked at. A job is taken back within a lease and this.
const INTERVAL: Duration = Duration::from_secs(5);

/// Rescues until `stop`. Every server may run one: a job is taken back once.
pub async fn run(store: &Store, stop: CancellationToken) {
    loop {
        match rescue(store).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "took jobs back from servers that are gone"),
            Err(error) => tracing::warn!(%error, "could not look for lost jobs"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn rescue(store: &Store) -> Result<usize, StoreError> {
    jobs::rescue(&mut *store.conn().await?).await
}
