use crate::{error::ApiError, git::GitError, state::StoreError};

/// Why the stand-in did not do what it was told from outside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    #[error("`{text}` is no {kind}")]
    Name { text: String, kind: &'static str },
    #[error("there is no repository `{repo}`")]
    NoRepo { repo: String },
    #[error("there is a repository `{repo}` already")]
    RepoExists { repo: String },
    #[error("there is no branch `{branch}` in `{repo}`")]
    NoBranch { repo: String, branch: String },
    #[error("there is no user or organisation `{login}`")]
    NoAccount { login: String },
    #[error("GitHub would refuse: {0}")]
    Refused(String),
    #[error("the stand-in itself failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<ApiError> for ControlError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Git(error) => error.into(),
            ApiError::Store(error) => error.into(),
            ApiError::Invalid(error) => {
                Self::Refused(error.message.unwrap_or_else(|| error.code.to_owned()))
            }
            other @ (ApiError::BadCredentials
            | ApiError::SignInFirst
            | ApiError::NotFound
            | ApiError::BranchNotFound
            | ApiError::Missing(_)
            | ApiError::Moved(_)
            | ApiError::MayNot
            | ApiError::Archived
            | ApiError::BadJson
            | ApiError::NoQuery
            | ApiError::BadInput(_)
            | ApiError::Unprocessable(_)
            | ApiError::NotMergeable(_)
            | ApiError::Conflict(_)
            | ApiError::TooLarge(_)) => Self::Refused(other.to_string()),
        }
    }
}

impl From<GitError> for ControlError {
    fn from(error: GitError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Box::new(error))
    }
}
