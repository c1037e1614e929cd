//! From what went wrong inside to what a person is told.

use crate::{hosts::HostsError, store::StoreError};
use drover_app::error::ApiError;
use uuid::Uuid;

/// Logs a failure that the person can do nothing about, and gives the reference to it.
pub fn internal(error: &(dyn std::error::Error + 'static)) -> ApiError {
    let reference = Uuid::new_v4().simple().to_string()[..12].to_owned();
    tracing::error!(reference, error = %chain(error), "a request failed");
    ApiError::Internal { reference }
}

/// An error with all its causes.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Errors of the store as answers.
pub trait Answer<T> {
    fn answer(self) -> Result<T, ApiError>;
}

impl<T> Answer<T> for Result<T, StoreError> {
    fn answer(self) -> Result<T, ApiError> {
        self.map_err(|error| match error {
            StoreError::NotFound { what } => ApiError::NotFound { what: format!("such {what}") },
            StoreError::Conflict(constraint) => {
                ApiError::Refused { message: format!("This was not done: {constraint}.") }
            }
            error @ (StoreError::Unavailable(_)
            | StoreError::Query(_)
            | StoreError::LeaseLost { .. }) => internal(&error),
        })
    }
}

impl<T> Answer<T> for Result<T, HostsError> {
    fn answer(self) -> Result<T, ApiError> {
        self.map_err(|error| match error {
            HostsError::Store(error) => internal(&error),
            error @ (HostsError::NoCodeHost | HostsError::NoCredential { .. }) => {
                ApiError::Refused { message: error.to_string() }
            }
            error @ (HostsError::Sealed { .. } | HostsError::Address { .. }) => internal(&error),
        })
    }
}
