//! What every part of the running server reaches.

use crate::{
    config::Config, executor::Executor, git::mirror::Mirrors, hosts::Hosts, jobs::Hints,
    store::Store, work_dir::WorkDir,
};
use std::{ops::Deref, sync::Arc};
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct AppState(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub store: Store,
    pub hints: Hints,
    pub hosts: Hosts,
    pub mirrors: Mirrors,
    pub executor: Executor,
    pub work_dir: WorkDir,
    /// Cancelled when the server is to stop.
    pub shutdown: CancellationToken,
}

impl AppState {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
