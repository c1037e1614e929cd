use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How a repository's pull requests are merged, by its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Merging {
    /// The methods that are allowed.
    pub(crate) methods: BTreeSet<Method>,
    pub(crate) merged_heads: MergedHeads,
    pub(crate) merge_title: MergeTitle,
    pub(crate) merge_message: MergeMessage,
    pub(crate) squash_title: SquashTitle,
    pub(crate) squash_message: SquashMessage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    #[default]
    Merge,
    Squash,
    Rebase,
}

/// What becomes of a branch whose pull request was merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MergedHeads {
    #[default]
    Kept,
    Deleted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum MergeTitle {
    #[default]
    MergeMessage,
    PrTitle,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum MergeMessage {
    #[default]
    PrTitle,
    PrBody,
    Blank,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SquashTitle {
    #[default]
    CommitOrPrTitle,
    PrTitle,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SquashMessage {
    #[default]
    CommitMessages,
    PrBody,
    Blank,
}

impl Default for Merging {
    fn default() -> Self {
        Self {
            methods: BTreeSet::from([Method::Merge, Method::Squash, Method::Rebase]),
            merged_heads: MergedHeads::default(),
            merge_title: MergeTitle::default(),
            merge_message: MergeMessage::default(),
            squash_title: SquashTitle::default(),
            squash_message: SquashMessage::default(),
        }
    }
}
