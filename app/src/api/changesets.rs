//! What people choose for a changeset.

use crate::error::ApiError;
use drover::{id::ChangesetId, view::changeset::ChangesetChoice};
use leptos::prelude::*;

#[server(prefix = "/api", endpoint = "choose")]
pub async fn choose(id: ChangesetId, choice: ChangesetChoice) -> Result<(), ApiError> {
    use crate::{backend, flash, routes};
    let viewer = backend::viewer()?;
    let chosen = backend::backend().choose(&viewer, id, choice).await;
    flash::go(&routes::changeset(id), chosen);
    Ok(())
}
