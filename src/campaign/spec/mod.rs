//! The text that people write, parsed once into a [`CampaignSpec`] that cannot be wrong.
//!
//! - [`limits`]: how large a spec may be
//! - [`problem`]: what is wrong with a text, and how that is shown everywhere
//! - [`query`]: the language of `repositoriesMatchingQuery`
//! - [`heads`]: which branch is pushed for which
//! - `keys`: every key there is, for the reader and for the JSON Schema
//! - `tree`: YAML as a tree in which everything knows its line and column
//! - `read`: from the tree to the spec, with `values` and `texts`
//! - `expressions`: `${{ … }}`, ours and of others
//! - `characters`: what nobody sees
//! - `suggest`: "did you mean …?"
//!
//! A text is read in two steps, because a derived `Deserialize` stops at the first thing that it
//! dislikes: YAML becomes a tree, and the tree is read by hand while problems are collected.
//! What YAML offers beyond trees of text is refused: merge keys, tags, several documents.
//! `on` and `no` are text, as YAML 1.2 says.

mod characters;
mod expressions;
pub mod heads;
mod keys;
pub mod limits;
pub mod problem;
pub mod query;
mod read;
mod suggest;
mod texts;
mod tree;
mod values;

#[cfg(test)]
mod hints;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

pub use heads::{HeadError, HeadInUse};
pub(in crate::campaign) use keys::{Key, Kind, ROOT};
pub use limits::SPEC_BYTES_MAX;
use problem::finished;
pub use problem::{SpecProblem, render_problems};
pub use query::RepoQuery;

use crate::{
    changeset::{Publication, spec::CommitSpec},
    names::{BranchName, CampaignName, NameError, RepoName},
};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// What a campaign is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignSpec {
    pub name: CampaignName,
    /// Markdown.
    pub description: String,
    /// Where to do it. A repository that several entries name is worked on once per branch; an
    /// entry that names its branches stands over a query.
    pub on: Vec<On>,
    /// What to run, in order. Empty: the campaign wants no changesets.
    pub steps: Vec<Step>,
    /// What the pull requests look like. There when there are steps.
    pub changeset_template: Option<ChangesetTemplate>,
}

/// One entry of `on`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    Repository {
        repo: RepoName,
        branches: Branches,
    },
    /// Every repository that matches, on its default branch.
    Query(RepoQuery),
}

/// The branches of a repository that pull requests target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Branches {
    /// The default branch, whichever that is.
    Default,
    /// These, at least one, none twice.
    Named(Vec<BranchName>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A script for `sh`.
    pub run: String,
    pub env: BTreeMap<EnvName, String>,
    /// The image that the step asks for.
    pub container: Option<ContainerImage>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangesetTemplate {
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// `drover/<campaign name>` unless the spec says otherwise; see [`heads`].
    pub branch: BranchName,
    /// The message is the title unless the spec says otherwise.
    pub commit: CommitSpec,
    /// `None`: a person decides in the UI.
    pub published: Option<Publication>,
}

/// Who commits when the spec does not say.
pub const AUTHOR_NAME_DEFAULT: &str = "Drover";
/// The address of that author. The domain `invalid` belongs to nobody.
pub const AUTHOR_EMAIL_DEFAULT: &str = "drover@noreply.invalid";
/// What the branch name starts with when the spec does not say.
pub const BRANCH_PREFIX_DEFAULT: &str = "drover/";

impl CampaignSpec {
    /// Parses a spec, or says everything that is wrong with it, in the order of the text.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<SpecProblem>> {
        let text = limits::text_of(bytes).map_err(|problem| vec![problem])?;
        let tree = tree::parse(text).map_err(|problem| finished(text, vec![problem]))?;
        read::read(text, &tree).map_err(|problems| finished(text, problems))
    }
}

/// The name of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvName(String);

impl EnvName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let digit_first = text.bytes().next().is_none_or(|first| first.is_ascii_digit());
        if digit_first || text.len() > limits::ENV_NAME_BYTES_MAX || !text.bytes().all(word) {
            return Err(NameError {
                text: text.to_owned(),
                expected: "the name of a variable: letters, digits and `_`, no digit first"
                    .to_owned(),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

/// A reference to a container image, such as `alpine:3` or `ghcr.io/acme/tool@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerImage(String);

impl ContainerImage {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContainerImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ContainerImage {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
        let parts_hold = text.split(['/', ':', '@']).all(|part| !part.is_empty());
        let first_holds = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        if first_holds
            && parts_hold
            && text.len() <= limits::IMAGE_BYTES_MAX
            && text.bytes().all(allowed)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError {
            text: text.to_owned(),
            expected: "a container image, such as `alpine:3` or `ghcr.io/acme/tool:1.2`".to_owned(),
        })
    }
}
