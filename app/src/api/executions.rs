//! The running of a spec.

use crate::error::ApiError;
use drover::{
    id::{ExecutionId, WorkspaceId},
    view::execution::LogPage,
};
use leptos::prelude::*;

#[server(prefix = "/api", endpoint = "cancel_execution")]
pub async fn cancel_execution(id: ExecutionId) -> Result<(), ApiError> {
    use crate::{backend, flash, routes};
    let viewer = backend::viewer()?;
    let cancelled = backend::backend().cancel_execution(&viewer, id).await;
    flash::go(&routes::execution(id), cancelled);
    Ok(())
}

/// The lines of a workspace's log behind `after`.
#[server(prefix = "/api", endpoint = "log")]
pub async fn log(workspace: WorkspaceId, after: i64) -> Result<LogPage, ApiError> {
    crate::backend::backend().log(&crate::backend::viewer()?, workspace, after).await
}
