//! Accepting a plan.

use crate::error::ApiError;
use drover::{
    id::CampaignSpecId,
    names::{CampaignName, NamespaceName},
    view::preview::PlanHash,
};
use leptos::prelude::*;

/// Applies the plan that the viewer saw, or goes back to the preview with what moved since.
#[server(prefix = "/api", endpoint = "apply")]
pub async fn apply(
    id: CampaignSpecId,
    hash: PlanHash,
    namespace: NamespaceName,
    campaign: CampaignName,
) -> Result<(), ApiError> {
    use crate::{backend, flash, routes};
    let viewer = backend::viewer()?;
    match backend::backend().apply(&viewer, id, &hash).await {
        Ok(()) => flash::go(&routes::campaign(&namespace, &campaign), Ok(())),
        // The preview itself shows the rows that moved.
        Err(ApiError::PlanMoved { .. }) => flash::go(&routes::preview_since(id, &hash), Ok(())),
        Err(error) => flash::go(&routes::preview(id), Err(error)),
    }
    Ok(())
}
