//! What can go wrong on the command line: what happened, to what, and what to do.

use super::console::{printable, printable_lines};
use crate::api::wire::{ErrorCode, ErrorDetail};
use drover::{
    campaign::spec::SpecProblem,
    id::CampaignSpecId,
    names::RepoName,
    view::preview::{MovedRow, NewerApply},
};
use std::{io, path::PathBuf};

/// Of the further lines of a reason.
const INDENT: usize = 2;

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
    #[error("{}", printable_lines(&detail.message, INDENT))]
    Refused { detail: ErrorDetail },
    #[error("{url} does not answer as Drover does: {message}")]
    Answer { url: String, message: String },
    #[error("the execution failed: {}", printable_lines(reason, INDENT))]
    Execution { reason: String },
    #[error("there is nothing to apply: {}", printable_lines(reason, INDENT))]
    NotReady { reason: String },
    #[error("the plan has changed since it was shown: {}", moved_list(moved, newer.as_ref()))]
    PlanMoved { moved: Vec<MovedRow>, newer: Option<NewerApply> },
    #[error("a newer spec of this campaign was applied: {by}")]
    Superseded { by: CampaignSpecId },
    #[error("{}, so nothing was applied", no_result(repos))]
    NotAllowed { repos: Vec<RepoName> },
    #[error("{}", no_result(repos))]
    NoResult { repos: Vec<RepoName> },
    #[error("{}", needs_you(*count, campaign, repos))]
    NeedsYou { campaign: String, count: u32, repos: Vec<RepoName> },
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
            Self::Refused { detail } => {
                return detail.hint.as_deref().map(|hint| printable_lines(hint, INDENT));
            }
            Self::Answer { .. } => "is DROVER_URL right, and is the server as new as this program?",
            Self::PlanMoved { .. } => {
                "nothing was applied; look at the new preview and apply again"
            }
            Self::Superseded { .. } => "preview the spec anew to go back to it",
            Self::NotAllowed { .. } => {
                "mend the causes, or apply the others with `--allow-failed`; where there is no \
                 result, pull requests stay as they are"
            }
            Self::NoResult { .. } => {
                "the reasons stand above, the logs on the page of the execution; pull requests \
                 stay as they are there"
            }
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
            | Self::NotAllowed { .. }
            | Self::NoResult { .. }
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

/// The repositories that a sentence names, at most.
const NAMED_MAX: usize = 5;

fn no_result(repos: &[RepoName]) -> String {
    let mut names: Vec<String> = repos.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    if repos.len() > NAMED_MAX {
        names.push(format!("{} more", repos.len() - NAMED_MAX));
    }
    let names = names.join(", ");
    match repos.len() {
        1 => format!("{names} has no result"),
        count => format!("{count} repositories have no result ({names})"),
    }
}

fn needs_you(count: u32, campaign: &str, repos: &[RepoName]) -> String {
    let needs = match count {
        1 => format!("1 changeset of {campaign} needs you"),
        count => format!("{count} changesets of {campaign} need you"),
    };
    if repos.is_empty() { needs } else { format!("{needs}, and {}", no_result(repos)) }
}

fn moved_list(moved: &[MovedRow], newer: Option<&NewerApply>) -> String {
    let newer = newer.map(|newer| format!("{} has applied another spec meanwhile", newer.by));
    let row = |row: &MovedRow| {
        format!("{} was {}, is {}", row.repo, printable(&row.was), printable(&row.is))
    };
    newer.into_iter().chain(moved.iter().map(row)).collect::<Vec<_>>().join("; ")
}
