use super::{Git, GitError, objects::ObjectKind};
use std::collections::BTreeMap;

/// Full ref names and the commits they point to.
pub(crate) type Refs = BTreeMap<String, String>;

/// What git writes for "no commit" when a ref is made or deleted.
pub(crate) const ZERO_SHA: &str = "0000000000000000000000000000000000000000";
const BRANCH_LEN_MAX: usize = 244;

/// One ref that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefChange {
    pub(crate) name: String,
    pub(crate) moved: RefMove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefMove {
    Created { sha: String },
    Updated { from: String, to: String },
    Deleted { from: String },
}

impl RefChange {
    /// Lists what differs between two readings.
    pub(crate) fn between(before: &Refs, after: &Refs) -> Vec<Self> {
        let mut changes = Vec::new();
        for (name, sha) in after {
            let moved = match before.get(name) {
                None => RefMove::Created { sha: sha.clone() },
                Some(from) if from != sha => {
                    RefMove::Updated { from: from.clone(), to: sha.clone() }
                }
                Some(_) => continue,
            };
            changes.push(Self { name: name.clone(), moved });
        }
        for (name, from) in before {
            if !after.contains_key(name) {
                let moved = RefMove::Deleted { from: from.clone() };
                changes.push(Self { name: name.clone(), moved });
            }
        }
        changes
    }

    pub(crate) fn branch(&self) -> Option<&str> {
        self.name.strip_prefix("refs/heads/")
    }

    pub(crate) fn before(&self) -> &str {
        match &self.moved {
            RefMove::Created { .. } => ZERO_SHA,
            RefMove::Updated { from, .. } | RefMove::Deleted { from } => from,
        }
    }

    pub(crate) fn after(&self) -> &str {
        match &self.moved {
            RefMove::Created { sha: to } | RefMove::Updated { to, .. } => to,
            RefMove::Deleted { .. } => ZERO_SHA,
        }
    }
}

impl Git {
    /// All refs below a prefix such as `refs/heads/`; an empty prefix means all.
    pub(crate) async fn refs(&self, prefix: &str) -> Result<Refs, GitError> {
        let format = "--format=%(objectname) %(refname)";
        let answer = match prefix {
            "" => self.run(&["for-each-ref", format]).await?,
            _ => self.run(&["for-each-ref", format, "--", prefix]).await?,
        };
        let text = String::from_utf8_lossy(&answer);
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        Ok(lines.map(|(sha, name)| (name.to_owned(), sha.to_owned())).collect())
    }

    /// Makes a branch the one that a clone begins with.
    pub(crate) async fn set_head(&self, branch: &str) -> Result<(), GitError> {
        let name = format!("refs/heads/{branch}");
        self.run(&["symbolic-ref", "--", "HEAD", &name]).await.map(drop)
    }

    /// All refs with what they point to, which need not be a commit.
    pub(crate) async fn typed_refs(&self) -> Result<Vec<(String, String, ObjectKind)>, GitError> {
        let format = "--format=%(objecttype) %(objectname) %(refname)";
        let answer = self.run(&["for-each-ref", format]).await?;
        let read = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let kind = ObjectKind::of(words.next()?)?;
            let sha = words.next()?.to_owned();
            Some((words.next()?.to_owned(), sha, kind))
        };
        Ok(String::from_utf8_lossy(&answer).lines().filter_map(read).collect())
    }

    pub(crate) async fn branch_tip(&self, branch: &str) -> Result<Option<String>, GitError> {
        self.find_ref(&format!("refs/heads/{branch}")).await
    }

    pub(crate) async fn find_ref(&self, name: &str) -> Result<Option<String>, GitError> {
        let args = ["show-ref", "--verify", "--hash", "--", name];
        let ended = self.try_run(&args, &[], &[]).await?;
        if ended.code != 0 {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&ended.stdout).trim().to_owned()))
    }

    /// The commit that a branch, tag or (shortened) sha means.
    pub(crate) async fn find_commit(&self, text: &str) -> Result<Option<String>, GitError> {
        let spec = format!("{text}^{{commit}}");
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", &spec];
        let ended = self.try_run(&args, &[], &[]).await?;
        let sha = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        Ok((ended.code == 0 && is_sha(&sha)).then_some(sha))
    }

    /// Moves a ref if it still is where the caller saw it.
    pub(crate) async fn move_ref(&self, change: &RefChange) -> Result<RefMoved, GitError> {
        let (before, after) = (change.before(), change.after());
        let args = ["update-ref", "--no-deref", "--", &change.name, after, before];
        let deletion = ["update-ref", "--no-deref", "-d", "--", &change.name, before];
        let ended = match change.moved {
            RefMove::Deleted { .. } => self.try_run(&deletion, &[], &[]).await?,
            RefMove::Created { .. } | RefMove::Updated { .. } => {
                self.try_run(&args, &[], &[]).await?
            }
        };
        Ok(if ended.code == 0 { RefMoved::Done } else { RefMoved::Refused { why: ended.stderr } })
    }

    /// Keeps the head of a pull request alive when its branch is gone, as GitHub does.
    pub(crate) async fn keep_pull_head(&self, number: u64, sha: &str) -> Result<(), GitError> {
        let name = format!("refs/pull/{number}/head");
        self.run(&["update-ref", "--", &name, sha]).await.map(drop)
    }

    /// Shows the merge that was tried for an open pull request.
    pub(crate) async fn keep_pull_merge(&self, number: u64, sha: &str) -> Result<(), GitError> {
        let name = format!("refs/pull/{number}/merge");
        self.run(&["update-ref", "--", &name, sha]).await.map(drop)
    }

    /// A pull request that is no longer open has no merge to try.
    pub(crate) async fn drop_pull_merge(&self, number: u64) -> Result<(), GitError> {
        let name = format!("refs/pull/{number}/merge");
        self.run(&["update-ref", "-d", "--", &name]).await.map(drop)
    }

    pub(crate) async fn is_ancestor(&self, old: &str, new: &str) -> Result<bool, GitError> {
        let args = ["merge-base", "--is-ancestor", "--end-of-options", old, new];
        Ok(self.try_run(&args, &[], &[]).await?.code == 0)
    }
}

/// Whether a ref moved, or was somewhere else already.
pub(crate) enum RefMoved {
    Done,
    Refused { why: String },
}

pub(crate) fn is_sha(text: &str) -> bool {
    text.len() == ZERO_SHA.len() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The rules of `git check-ref-format --branch`.
pub(crate) fn is_branch_name(text: &str) -> bool {
    let parts_are_good = text
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"));
    text.len() <= BRANCH_LEN_MAX
        && parts_are_good
        && !text.starts_with('-')
        && !text.ends_with('.')
        && !text.contains("..")
        && !text.contains("@{")
        && text != "@"
        && !text.chars().any(|c| c.is_control() || " ~^:?*[\\".contains(c))
}

#[cfg(test)]
mod tests {
    use super::is_branch_name;

    #[test]
    fn a_branch_name_cannot_become_an_option_or_a_revision() {
        for name in [
            "", "-f", "a..b", "a b", "a~1", "a^", "x:y", ".a", "a/.b", "a/", "/a", "a.lock", "@",
            "a@{1}", "a\n",
        ] {
            assert!(!is_branch_name(name), "{name:?}");
        }
        for name in ["main", "drover/upgrade-tokio", "feature_1.2", "ä"] {
            assert!(is_branch_name(name), "{name:?}");
        }
    }
}
