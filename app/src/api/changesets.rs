//! What people choose for a changeset.

use crate::error::ApiError;
use drover::{changeset::choice::Shown, id::ChangesetId, view::changeset::ChangesetChoice};
use leptos::prelude::*;

/// `shown`: how the changeset stood on the page, as JSON.
#[server(prefix = "/api", endpoint = "choose")]
pub async fn choose(
    id: ChangesetId,
    choice: ChangesetChoice,
    shown: String,
) -> Result<(), ApiError> {
    use crate::{backend, flash, routes};
    let viewer = backend::viewer()?;
    let chosen = match Shown::parse(&shown) {
        Some(shown) => backend::backend().choose(&viewer, id, choice, &shown).await,
        None => Err(ApiError::Refused {
            message: "The form does not say what it is about. Open the changeset's page again, \
                      then choose."
                .to_owned(),
        }),
    };
    flash::go(&routes::changeset(id), chosen);
    Ok(())
}
