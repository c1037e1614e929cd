//! Git on the bare repositories, by the git program: refs, commits, trees, diffs and merges.
//!
//! Every call passes an argument vector, its own empty configuration, a time limit and an output
//! limit. Nothing here knows pull requests or HTTP.

mod command;
mod commits;
mod decline;
mod diff;
mod import;
mod merge;
mod objects;
mod refs;
mod trees;

pub(crate) use command::{Git, GitError, clean_environment};
pub(crate) use commits::{Commit, Signature};
pub(crate) use decline::{blocked_name, install_update_hook, name_rules};
pub(crate) use diff::{FileChange, FileStatus};
pub(crate) use import::{ImportCommit, ImportFile};
pub(crate) use merge::{MergeMethod, MergeOrder, MergeOutcome};
pub(crate) use objects::{NewEntry, ObjectKind, Tag, TreeLine};
pub(crate) use refs::{RefChange, RefMove, RefMoved, is_branch_name, is_sha};
pub(crate) use trees::{EntryKind, TreeEntry};
