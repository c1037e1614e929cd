//! What can go wrong on the command line: what happened, to what, and what to do.

use super::console::printable;
use crate::api::wire::{ErrorCode, ErrorDetail};
use drover::{campaign::spec::SpecProblem, id::CampaignSpecId, view::preview::MovedRow};
use std::{io, path::PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("cannot read the spec {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`-f -` reads the spec from stdin, and stdin is a terminal")]
    Terminal,
    #[error("the spec {name} is larger than {max} bytes")]
    TooLarge { name: String, max: usize },
    /// Rendered for people, each problem with its line of the text.
    #[error("{}", rendered.trim_end())]
    Spec { problems: Vec<SpecProblem>, rendered: String },
    #[error("`{url}` is not the address of a Drover server: {reason}")]
    Url { url: String, reason: String },
    #[error("cannot reach Drover at {url}: {message}")]
    Unreachable { url: String, message: String },
    #[error("Drover at {url} does not know you: {message}")]
    SignedOut { url: String, message: String },
    #[error("{}", printable(&detail.message))]
    Refused { detail: ErrorDetail },
    #[error("{url} does not answer as Drover does: {message}")]
    Answer { url: String, message: String },
    #[error("the execution failed: {}", printable(reason))]
    Execution { reason: String },
    #[error("there is nothing to apply: {}", printable(reason))]
    NotReady { reason: String },
    #[error("the plan has changed since it was shown: {}", moved_list(moved))]
    PlanMoved { moved: Vec<MovedRow> },
    #[error("a newer spec of this campaign was applied: {by}")]
    Superseded { by: CampaignSpecId },
    #[error("{count} changesets of {campaign} need you")]
    NeedsYou { campaign: String, count: u32 },
    #[error("{what} took longer than a day")]
    TooLong { what: String },
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    #[error("cannot write the result as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "is the name right? `-f -` reads from stdin"
            }
            Self::Terminal => "pipe it in, as in `drover preview -f - < spec.yaml`",
            Self::TooLarge { .. } => "is it a spec at all?",
            Self::Url { .. } => "set DROVER_URL or --url, as in `http://127.0.0.1:8080`",
            Self::Unreachable { .. } => {
                "start it with `drover serve` or `drover demo`, or set DROVER_URL to another"
            }
            Self::SignedOut { .. } => "set DROVER_TOKEN to an access token of yours",
            Self::Refused { detail } => return detail.hint.as_deref().map(printable),
            Self::Answer { .. } => "is DROVER_URL right, and is the server as new as this program?",
            Self::PlanMoved { .. } => {
                "nothing was applied; look at the new preview and apply again"
            }
            Self::Superseded { .. } => "preview the spec anew to go back to it",
            Self::NeedsYou { .. } => "`drover status` and the campaign's page say what to do",
            Self::TooLong { .. } => "it goes on at the server; `drover status` shows how far it is",
            Self::File { .. }
            | Self::Spec { .. }
            | Self::Execution { .. }
            | Self::NotReady { .. }
            | Self::Output(_)
            | Self::Json(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// The same as the API would put it, for `--json`.
    #[must_use]
    pub fn detail(&self) -> ErrorDetail {
        let code = match self {
            Self::Refused { detail } => return detail.clone(),
            Self::SignedOut { .. } => ErrorCode::Unauthorized,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::Spec { .. } | Self::Execution { .. } => ErrorCode::Unprocessable,
            Self::NotReady { .. }
            | Self::PlanMoved { .. }
            | Self::Superseded { .. }
            | Self::NeedsYou { .. } => ErrorCode::Conflict,
            Self::File { .. } | Self::Terminal | Self::Url { .. } => ErrorCode::BadRequest,
            Self::Unreachable { .. }
            | Self::Answer { .. }
            | Self::TooLong { .. }
            | Self::Output(_)
            | Self::Json(_) => ErrorCode::Internal,
        };
        ErrorDetail { code, message: self.to_string(), hint: self.hint() }
    }
}

fn moved_list(moved: &[MovedRow]) -> String {
    let row = |row: &MovedRow| {
        format!("{} was {}, is {}", row.repo, printable(&row.was), printable(&row.is))
    };
    moved.iter().map(row).collect::<Vec<_>>().join("; ")
}
