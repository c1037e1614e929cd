//! A commit becomes a branch, guarded by a lease.

use super::{
    error::{DeclinedBy, GitError},
    mirror::{Mirror, commit_sha},
};
use drover::{
    changeset::push_target::PushTarget,
    names::{BranchName, CommitSha},
};

/// What the branch must be on the code host for the push to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Absent,
    At(CommitSha),
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum PushOutcome {
    Pushed,
    /// The branch has this commit: a push of ours whose answer was lost, or nothing to do.
    AlreadyThere,
    /// Somebody moved or deleted the branch. Nothing was changed.
    LeaseLost {
        at: Option<CommitSha>,
    },
    /// Git keeps branches as files in folders, so `a` and `a/b` cannot be there at once.
    Blocked {
        by: BranchName,
    },
}

impl Mirror {
    /// Pushes a commit of this mirror to a branch, if that is what is expected.
    ///
    /// Deleting cannot come of it: a [`CommitSha`] is never empty. Nor can a branch be moved that
    /// pull requests go into: a [`PushTarget`] is none.
    pub async fn push(
        &self,
        commit: &CommitSha,
        target: &PushTarget,
        expected: &Expected,
    ) -> Result<PushOutcome, GitError> {
        let branch = target.branch();
        let lease = match expected {
            Expected::Absent => format!("--force-with-lease=refs/heads/{branch}:"),
            Expected::At(at) => format!("--force-with-lease=refs/heads/{branch}:{at}"),
        };
        let refspec = format!("{commit}:refs/heads/{branch}");
        let push = |negotiate: &str, no_lazy_fetch: &str| {
            self.network("push")
                .env("GIT_NO_LAZY_FETCH", no_lazy_fetch)
                .setting("push.negotiate", negotiate)
                .args(["--porcelain", "--no-progress", "--no-verify", "--no-signed", &lease])
                .args(["--end-of-options", "origin", &refspec])
                .output()
        };
        let mut output = push("false", "1").await?;
        // A push that went through may have warned of it too.
        if !output.success && is_short_of_objects(&output.stderr) {
            // No branch of the code host points to a commit that the mirror has: git would send
            // the whole history, without the contents that a blobless mirror lacks. Asking for
            // common commits costs a request, so only now.
            output = push("true", "0").await?;
        }
        let report = String::from_utf8_lossy(&output.stdout);
        match verdict(&report) {
            Some(Verdict::Pushed) => Ok(PushOutcome::Pushed),
            Some(Verdict::UpToDate) => Ok(PushOutcome::AlreadyThere),
            Some(Verdict::Stale) => self.lost_lease(commit, branch).await,
            Some(Verdict::Declined(reason)) => {
                if let Some(by) = self.find_blocker(branch).await? {
                    return Ok(PushOutcome::Blocked { by });
                }
                let detail = format!("{reason} {}", output.stderr);
                let by = DeclinedBy::of(&detail);
                Err(GitError::Declined { by, detail: detail.trim_end().to_owned() })
            }
            None => Err(GitError::classify("push", output.stderr)),
        }
    }

    /// The commit of a branch on the code host now.
    pub async fn remote_head(&self, branch: &BranchName) -> Result<Option<CommitSha>, GitError> {
        let name = format!("refs/heads/{branch}");
        let answer = self.network("ls-remote").args(["origin", "HEAD", &name]).run_word().await?;
        // The name is a pattern that also matches `x/refs/heads/…`.
        let line = answer.lines().find_map(|line| {
            line.split_once('\t').and_then(|(id, found)| (found == name).then_some(id))
        });
        if line.is_none() && answer.is_empty() {
            self.shows_branches().await?;
        }
        line.map(|id| commit_sha("ls-remote", id)).transpose()
    }

    /// To git, a page for people where a repository was expected is one without any branch: so
    /// "nothing there" is believed only of a repository that shows something.
    async fn shows_branches(&self) -> Result<(), GitError> {
        if !self.network("ls-remote").args(["--heads", "origin"]).run_word().await?.is_empty() {
            return Ok(());
        }
        let repo = self.remote.repo();
        let detail = format!("{repo} shows no branch: it is empty, or no repository is there");
        Err(GitError::NotFound { detail })
    }

    async fn lost_lease(
        &self,
        commit: &CommitSha,
        branch: &BranchName,
    ) -> Result<PushOutcome, GitError> {
        let Some(at) = self.remote_head(branch).await? else {
            let blocker = self.find_blocker(branch).await?;
            return Ok(match blocker {
                Some(by) => PushOutcome::Blocked { by },
                None => PushOutcome::LeaseLost { at: None },
            });
        };
        Ok(if at == *commit {
            PushOutcome::AlreadyThere
        } else {
            PushOutcome::LeaseLost { at: Some(at) }
        })
    }

    /// A branch of the code host whose name is a folder of this one's, or lies below it. Read and
    /// not guessed from git's words, which differ from host to host.
    async fn find_blocker(&self, branch: &BranchName) -> Result<Option<BranchName>, GitError> {
        let name = branch.as_str();
        let folders: Vec<&str> = name.match_indices('/').map(|(at, _)| &name[..at]).collect();
        let below = format!("{name}/");
        let patterns = folders.iter().map(|it| format!("refs/heads/{it}"));
        let patterns: Vec<String> = patterns.chain([format!("refs/heads/{below}*")]).collect();
        let listing = self.network("ls-remote").args(["--refs", "origin"]).args(&patterns);
        let answer = listing.run_word().await?;
        // The names are patterns that also match `x/refs/heads/…`.
        let names = answer.lines().filter_map(|line| line.split_once("\trefs/heads/"));
        let blocker =
            names.map(|(_, it)| it).find(|it| folders.contains(it) || it.starts_with(&below));
        Ok(blocker.and_then(|it| it.parse().ok()))
    }
}

fn is_short_of_objects(stderr: &str) -> bool {
    ["lazy fetching disabled", "unable to read", "pack-objects died", "could not fetch"]
        .iter()
        .any(|text| stderr.contains(text))
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Pushed,
    UpToDate,
    Stale,
    Declined(String),
}

/// Reads the one line `<flag>\t<from>:<to>\t<summary> (<reason>)` of `git push --porcelain`.
fn verdict(report: &str) -> Option<Verdict> {
    let line = report.lines().find(|line| line.matches('\t').count() == 2)?;
    let (flag, rest) = line.split_once('\t')?;
    let (_, summary) = rest.split_once('\t')?;
    match flag {
        "*" | "+" | " " => Some(Verdict::Pushed),
        "=" => Some(Verdict::UpToDate),
        // The second: somebody was quicker between the lease and the update.
        "!" if summary.contains("(stale info)")
            || summary.contains("cannot lock ref")
            || summary.contains("failed to update ref")
            || summary.contains("reference already exists") =>
        {
            Some(Verdict::Stale)
        }
        "!" if summary.starts_with("[remote rejected]") || summary.starts_with("[rejected]") => {
            Some(Verdict::Declined(summary.to_owned()))
        }
        // `[remote failure]`, `[no match]`: no answer of the code host.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_git_are_read() {
        let declined = |text: &str| Some(Verdict::Declined(text.to_owned()));
        for (report, expected) in [
            ("To x\n*\ta:refs/heads/b\t[new branch]\nDone\n", Some(Verdict::Pushed)),
            ("To x\n+\ta:refs/heads/b\t1...2 (forced update)\nDone\n", Some(Verdict::Pushed)),
            ("To x\n \ta:refs/heads/b\t1..2\nDone\n", Some(Verdict::Pushed)),
            ("To x\n=\ta:refs/heads/b\t[up to date]\nDone\n", Some(Verdict::UpToDate)),
            ("To x\n!\ta:refs/heads/b\t[rejected] (stale info)\n", Some(Verdict::Stale)),
            ("!\ta:refs/heads/b\t[remote rejected] (cannot lock ref 'x')\n", Some(Verdict::Stale)),
            (
                "!\ta:refs/heads/b\t[remote rejected] (protected branch)\n",
                declined("[remote rejected] (protected branch)"),
            ),
            ("!\ta:refs/heads/b\t[remote failure] (no report)\n", None),
            ("", None),
        ] {
            assert_eq!(verdict(report), expected, "{report}");
        }
    }
}
