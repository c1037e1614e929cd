//! Signing in and out, and the colours.

use crate::error::ApiError;
use leptos::prelude::*;

/// Exchanges a setup or access token for a session.
#[server(prefix = "/api", endpoint = "sign_in")]
pub async fn sign_in(token: String, next: String) -> Result<(), ApiError> {
    use crate::{backend::backend, flash, routes};
    let session = backend().sign_in(token.trim()).await;
    let there = session.as_ref().map_or(routes::SIGN_IN.to_owned(), |session| {
        flash::set_cookie(&session.0);
        routes::local(&next).to_owned()
    });
    flash::go(&there, session.map(drop));
    Ok(())
}

#[server(prefix = "/api", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), ApiError> {
    use crate::{backend, flash, routes};
    let viewer = backend::viewer()?;
    flash::go(routes::SIGN_IN, backend::backend().sign_out(&viewer).await);
    Ok(())
}

/// Keeps the colours that a person chose, and goes back to where the person was.
#[server(prefix = "/api", endpoint = "set_theme")]
pub async fn set_theme(theme: crate::islands::theme::Theme) -> Result<(), ApiError> {
    crate::flash::set_cookie(&theme.cookie());
    Ok(())
}
