//! One file per route: loads its data, puts components together.
//!
//! Pages are rendered on the server and nowhere else, whole, before the first byte is sent: so
//! they work without JavaScript, answer with the right status, and need no serialised data.

pub mod campaign;
pub mod changeset;
pub mod execution;
pub mod failure;
pub mod home;
pub mod new_campaign;
pub mod preview;
pub mod preview_diff;
pub mod sign_in;

use crate::error::ApiError;
use failure::Failure;
use leptos::{either::Either, prelude::*};
use leptos_router::hooks::{use_params_map, use_query_map};
use std::{future::Future, str::FromStr};

/// Loads and shows, or says why not, with the status that fits.
fn loaded<T, F, V>(load: F, show: impl FnOnce(T) -> V + Send + 'static) -> impl IntoView
where
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
    V: IntoView + 'static,
    T: 'static,
{
    Suspend::new(async move {
        match load.await {
            Ok(data) => Either::Left(show(data)),
            Err(error) => Either::Right(view! { <Failure error/> }),
        }
    })
}

/// A part of the path. What does not parse names nothing.
fn param<T: FromStr>(name: &str, what: &str) -> Result<T, ApiError> {
    let text = use_params_map().read_untracked().get(name).unwrap_or_default();
    text.parse().map_err(|_| ApiError::NotFound { what: format!("{what} `{text}`") })
}

/// A value of the query. An empty one is none: forms send what was left empty.
fn query(name: &str) -> Option<String> {
    use_query_map().read_untracked().get(name).filter(|value| !value.trim().is_empty())
}
