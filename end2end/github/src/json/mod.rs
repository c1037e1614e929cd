//! GitHub's JSON bodies, made from what git and the state say.
//!
//! Each function gives the whole object that GitHub's schemas and octocrab's typed models ask
//! for, in one shape for lists and single reads: more than a list has on GitHub, never less.

mod account;
mod commit;
mod hook;
mod issue;
mod pull;
mod repo;

pub(crate) use account::{organisation, organisation_simple, private_user, public_user, user};
pub(crate) use commit::{branch_commit, commit, commit_detail, file_change, git_commit};
pub(crate) use hook::hook;
pub(crate) use issue::{comment, issue, label, review};
pub(crate) use pull::{Shown, association, pull, pull_simple};
pub(crate) use repo::{git_ref, repo, repo_found};

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What must not stand in a path as it is; slashes may.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

pub(crate) fn in_path(text: &str) -> String {
    utf8_percent_encode(text, IN_PATH).to_string()
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
