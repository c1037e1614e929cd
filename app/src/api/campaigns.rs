//! Writing a campaign spec.

use crate::error::ApiError;
use drover::{campaign::spec::SpecProblem, names::NamespaceName};
use leptos::prelude::*;

/// The problems of a spec that is being written.
#[server(prefix = "/api", endpoint = "validate")]
pub async fn validate(text: String) -> Result<Vec<SpecProblem>, ApiError> {
    crate::backend::backend().validate(&crate::backend::viewer()?, &text).await
}

/// Starts to execute a spec; with problems, its text is kept and the editor shows them.
#[server(prefix = "/api", endpoint = "start_preview")]
pub async fn start_preview(namespace: NamespaceName, text: String) -> Result<(), ApiError> {
    use crate::{backend, flash, pages::new_campaign};
    // Forms send every line break as CR LF.
    let text = text.replace("\r\n", "\n");
    let viewer = backend::viewer()?;
    let started = backend::backend().start_preview(&viewer, &namespace, &text).await;
    let there = new_campaign::after_start(&namespace, started.as_ref());
    flash::go(&there, started.map(drop));
    Ok(())
}
