//! What can go wrong with the database, by what the caller can do about it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::deadpool::PoolError;
use drover::id::JobId;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no such {what}")]
    NotFound { what: &'static str },
    /// A promise of the schema would have been broken.
    #[error(transparent)]
    Conflict(Constraint),
    /// The job is not held any more: its lease ran out, and others may work on it.
    #[error("the lease of job {job} is lost")]
    LeaseLost { job: JobId },
    /// Worth another try: the connection is gone, or none was free in time.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database refused a query")]
    Query(#[source] DieselError),
}

/// A promise that the schema keeps, as a person reads its breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Constraint {
    #[error("a user or an organisation has this name already")]
    NamespaceName,
    #[error("the namespace has a campaign of this name already")]
    CampaignName,
    #[error("this code host is known already")]
    CodeHost,
    #[error("the execution has a workspace for this repository and branch already")]
    Workspace,
    #[error("the spec wants two changesets on one branch of a repository")]
    ChangesetSpecBranch,
    #[error("the spec tracks one pull request twice")]
    ChangesetSpecNumber,
    #[error("another changeset has taken this branch")]
    LiveBranch,
    #[error("the changeset has a write whose outcome is not known yet")]
    UnresolvedEffect,
}

impl Constraint {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "namespaces_name_key" => Self::NamespaceName,
            "campaigns_name_key" => Self::CampaignName,
            "code_hosts_api_url_key" => Self::CodeHost,
            "workspaces_repository_key" => Self::Workspace,
            "changeset_specs_branch_key" => Self::ChangesetSpecBranch,
            "changeset_specs_number_key" => Self::ChangesetSpecNumber,
            "changesets_live_branch_key" => Self::LiveBranch,
            "effects_unresolved_key" => Self::UnresolvedEffect,
            _ => return None,
        })
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &error else {
            return Self::Query(error);
        };
        if matches!(kind, DatabaseErrorKind::ClosedConnection) {
            return Self::Unavailable(error.into());
        }
        match info.constraint_name().and_then(Constraint::from_name) {
            Some(constraint) => Self::Conflict(constraint),
            None => Self::Query(error),
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Turns the absence of a row into an error.
pub(crate) trait Found<T> {
    fn found(self, what: &'static str) -> Result<T, StoreError>;
}

impl<T> Found<T> for Result<T, DieselError> {
    fn found(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| match error {
            DieselError::NotFound => StoreError::NotFound { what },
            other => other.into(),
        })
    }
}
