//! What can go wrong with git, classified by what helps.

use super::{patch::DiffError, reading::fault::TreeFault};
use std::{fmt, io, time::Duration};

#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("the repository, branch or commit was not found: {detail}")]
    NotFound { detail: String },
    /// Renamed or transferred: the code host tells its new name over its API.
    #[error("the repository has moved: {detail}")]
    Moved { detail: String },
    #[error("the code host refused the credential: {detail}")]
    AuthFailed { detail: String },
    #[error("the credential may not do this: {detail}")]
    Forbidden { detail: String },
    /// Worth another try later.
    #[error("the code host could not be reached: {detail}")]
    Unavailable { detail: String },
    /// No retry helps.
    #[error("{by} declined the push: {detail}")]
    Declined { by: DeclinedBy, detail: String },
    #[error("the repository holds something that is refused: {detail}")]
    Hostile { detail: String },
    #[error(transparent)]
    Diff(#[from] DiffError),
    #[error(transparent)]
    Tree(#[from] TreeFault),
    #[error("the diff does not fit its base commit: {detail}")]
    DoesNotApply { detail: String },
    /// The commit that git made of a diff holds something else than the diff says.
    #[error("the diff changes something else than it says, at `{path}`")]
    Mismatch { path: String },
    #[error("{what} of a commit cannot hold {character:?}")]
    BadIdentity { what: &'static str, character: char },
    #[error("{what} of a commit cannot be empty")]
    EmptyIdentity { what: &'static str },
    #[error("`git {command}` did not finish within {} s and was stopped", after.as_secs())]
    TimedOut { command: &'static str, after: Duration },
    #[error("`git {command}` wrote more than {max} bytes and was stopped")]
    OutputTooLarge { command: &'static str, max: usize },
    /// Cured by cloning again, which [`super::mirror::Mirror`] does by itself once.
    #[error("the mirror is damaged: {detail}")]
    Corrupt { detail: String },
    #[error("`git {command}` failed: {detail}")]
    Failed { command: &'static str, detail: String },
    #[error("`git {command}` answered something that is not understood: {answer}")]
    Answer { command: &'static str, answer: String },
    #[error("git could not be started: install it, or name it in the configuration")]
    NotInstalled(#[source] io::Error),
    #[error("{what}")]
    Disk {
        what: String,
        #[source]
        source: io::Error,
    },
}

/// Who did not take a push that git itself would have taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclinedBy {
    /// A protected branch, or a ruleset.
    Rule,
    Hook,
    CodeHost,
}

impl DeclinedBy {
    /// Tells from the words of a refusal, git's and the code host's.
    pub(super) fn of(words: &str) -> Self {
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        if says(&["protected branch", "GH006", "GH013", "rule violations"]) {
            Self::Rule
        } else if says(&["hook declined"]) {
            Self::Hook
        } else {
            Self::CodeHost
        }
    }
}

impl fmt::Display for DeclinedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rule => "a rule of the code host that protects the branch",
            Self::Hook => "a hook of the code host",
            Self::CodeHost => "the code host",
        })
    }
}

impl GitError {
    pub(crate) fn disk(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Disk { what, source }
    }

    /// Classifies what git wrote to its standard error before it failed.
    pub(super) fn classify(command: &'static str, detail: String) -> Self {
        let found = RULES.iter().find(|(_, texts)| texts.iter().any(|it| detail.contains(it)));
        match found.map(|(kind, _)| kind) {
            Some(Kind::Moved) => Self::Moved { detail },
            Some(Kind::Corrupt) => Self::Corrupt { detail },
            Some(Kind::Hostile) => Self::Hostile { detail },
            Some(Kind::AuthFailed) => Self::AuthFailed { detail },
            Some(Kind::Forbidden) => Self::Forbidden { detail },
            Some(Kind::NotFound) => Self::NotFound { detail },
            Some(Kind::Unavailable) => Self::Unavailable { detail },
            Some(Kind::DoesNotApply) => Self::DoesNotApply { detail },
            None => Self::Failed { command, detail },
        }
    }
}

enum Kind {
    Moved,
    Corrupt,
    Hostile,
    AuthFailed,
    Forbidden,
    NotFound,
    Unavailable,
    DoesNotApply,
}

/// Git's own words in the C locale and those of common code hosts; the first match counts.
const RULES: [(Kind, &[&str]); 8] = [
    (
        Kind::Moved,
        &[
            "returned error: 301",
            "returned error: 302",
            "returned error: 307",
            "returned error: 308",
        ],
    ),
    (
        Kind::AuthFailed,
        &["Authentication failed", "could not read Username", "returned error: 401"],
    ),
    (
        Kind::Forbidden,
        &["returned error: 403", "Write access to repository not granted", "Permission to "],
    ),
    (
        Kind::NotFound,
        &[
            "couldn't find remote ref",
            "returned error: 404",
            "Repository not found",
            // A page for people where git's own answer was expected.
            "is this a git repository?",
            "no DAV locking support",
            "does not appear to be a git repository",
            "' not found",
            "not our ref",
        ],
    ),
    (
        Kind::Unavailable,
        &[
            "Could not resolve host",
            "Failed to connect",
            "Couldn't connect",
            "Connection refused",
            "Connection reset",
            "Connection timed out",
            "Operation timed out",
            "Operation too slow",
            "Empty reply from server",
            "returned error: 429",
            "returned error: 5",
            "RPC failed",
            "early EOF",
            "hung up unexpectedly",
            "unexpected disconnect",
            "TLS connect",
            "expected flush",
        ],
    ),
    (
        Kind::Hostile,
        &["invalid path '", "fsck error", "error in object", "hasDot", "contains '.git'"],
    ),
    (
        Kind::DoesNotApply,
        &[
            "patch does not apply",
            "patch failed",
            "does not exist in index",
            "already exists in index",
            "beyond a symbolic link",
            "does not match index",
            "corrupt patch",
            "cannot apply binary patch",
            "corrupt binary patch",
        ],
    ),
    (
        Kind::Corrupt,
        &[
            "not a git repository",
            "is corrupt",
            "is empty",
            "bad config",
            "bad object",
            "bad tree",
            "index file",
            "differ in contents",
            "inflate",
            "packfile",
            "unable to read tree",
            "loose object",
            "invalid sha1 pointer",
            "pack has ",
            "bad signature",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_declined_a_push_is_told_apart() {
        for (words, by) in [
            ("[remote rejected] (protected branch hook declined)", DeclinedBy::Rule),
            ("error: GH013: Repository rule violations found", DeclinedBy::Rule),
            ("[remote rejected] (pre-receive hook declined)", DeclinedBy::Hook),
            ("[remote rejected] (shallow update not allowed)", DeclinedBy::CodeHost),
        ] {
            assert_eq!(DeclinedBy::of(words), by, "{words}");
        }
    }

    #[test]
    fn words_of_git_are_classified() {
        for (stderr, is_right) in [
            (
                "fatal: Authentication failed for 'https://x/'",
                (|it| matches!(it, GitError::AuthFailed { .. })) as fn(&GitError) -> bool,
            ),
            ("fatal: could not read Username for 'http://x': terminal prompts disabled", |it| {
                matches!(it, GitError::AuthFailed { .. })
            }),
            ("The requested URL returned error: 403", |it| {
                matches!(it, GitError::Forbidden { .. })
            }),
            ("fatal: couldn't find remote ref refs/heads/x", |it| {
                matches!(it, GitError::NotFound { .. })
            }),
            ("fatal: repository 'http://x/a/b.git/' not found", |it| {
                matches!(it, GitError::NotFound { .. })
            }),
            ("fatal: unable to access 'http://x/': The requested URL returned error: 301", |it| {
                matches!(it, GitError::Moved { .. })
            }),
            ("fatal: http://x/a/b.git/info/refs not valid: is this a git repository?", |it| {
                matches!(it, GitError::NotFound { .. })
            }),
            ("The requested URL returned error: 502", |it| {
                matches!(it, GitError::Unavailable { .. })
            }),
            ("Failed to connect to x port 1: Connection refused", |it| {
                matches!(it, GitError::Unavailable { .. })
            }),
            ("error: invalid path '.git/config'", |it| matches!(it, GitError::Hostile { .. })),
            ("error: a: patch does not apply", |it| matches!(it, GitError::DoesNotApply { .. })),
            ("fatal: not a git repository: '/x'", |it| matches!(it, GitError::Corrupt { .. })),
            ("fatal: something new", |it| matches!(it, GitError::Failed { .. })),
        ] {
            let error = GitError::classify("fetch", stderr.to_owned());
            assert!(is_right(&error), "{stderr}: {error:?}");
        }
    }
}
