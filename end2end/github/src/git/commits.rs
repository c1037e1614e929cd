use super::{Git, GitError};
use std::collections::BTreeSet;

/// GitHub lists at most 250 commits of a comparison or a pull request.
pub(crate) const COMMITS_MAX: usize = 250;
const FIELDS: usize = 10;
const FORMAT: &str = "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B";

#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    pub(crate) message: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    /// ISO 8601, as git and GitHub write it.
    pub(crate) at: String,
}

impl Signature {
    /// A user under the address that GitHub gives to everybody.
    pub(crate) fn of_user(login: &str, at: String) -> Self {
        let email = format!("{login}@users.noreply.github.com");
        Self { name: login.to_owned(), email, at }
    }
}

impl Git {
    pub(crate) async fn commit(&self, sha: &str) -> Result<Commit, GitError> {
        let range = ["--max-count=1", "--end-of-options", sha];
        let mut found = self.log(&range).await?;
        found.pop().ok_or_else(|| GitError::Odd {
            command: format!("log {sha}"),
            answer: "no commit".to_owned(),
        })
    }

    /// The commits reachable from one tip, newest first.
    pub(crate) async fn history(
        &self,
        sha: &str,
        path: Option<&str>,
        skip: usize,
        count: usize,
    ) -> Result<Vec<Commit>, GitError> {
        let (skip, count) = (format!("--skip={skip}"), format!("--max-count={count}"));
        let mut args = vec![skip.as_str(), count.as_str(), "--end-of-options", sha];
        if let Some(path) = path {
            args.extend(["--", path]);
        }
        self.log(&args).await
    }

    /// How many commits `history` would list without its limits.
    pub(crate) async fn count_commits(
        &self,
        sha: &str,
        path: Option<&str>,
    ) -> Result<usize, GitError> {
        let mut args = vec!["rev-list", "--count", "--end-of-options", sha];
        if let Some(path) = path {
            args.extend(["--", path]);
        }
        let answer = self.line(&args).await?;
        answer.parse().map_err(|_| GitError::Odd { command: args.join(" "), answer })
    }

    /// What the head has and the base has not, oldest first.
    pub(crate) async fn commits_between(
        &self,
        base: &str,
        head: &str,
    ) -> Result<Vec<Commit>, GitError> {
        let range = format!("{base}..{head}");
        let count = format!("--max-count={COMMITS_MAX}");
        self.log(&["--reverse", "--topo-order", &count, "--end-of-options", &range]).await
    }

    /// The shas of what the new tip has and the old one has not.
    pub(crate) async fn new_commits(
        &self,
        old: &str,
        new: &str,
    ) -> Result<BTreeSet<String>, GitError> {
        let range = format!("{old}..{new}");
        let answer = self.run(&["rev-list", "--end-of-options", &range]).await?;
        Ok(String::from_utf8_lossy(&answer).lines().map(str::to_owned).collect())
    }

    pub(crate) async fn merge_base(&self, a: &str, b: &str) -> Result<Option<String>, GitError> {
        let ended = self.try_run(&["merge-base", "--end-of-options", a, b], &[], &[]).await?;
        let sha = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        Ok((ended.code == 0).then_some(sha))
    }

    /// How many commits only the head has, and how many only the base has.
    pub(crate) async fn ahead_behind(
        &self,
        base: &str,
        head: &str,
    ) -> Result<(u64, u64), GitError> {
        let range = format!("{base}...{head}");
        let args = ["rev-list", "--left-right", "--count", "--end-of-options", &range];
        let answer = self.line(&args).await?;
        let counts = answer
            .split_once('\t')
            .and_then(|(behind, ahead)| Some((ahead.parse().ok()?, behind.parse().ok()?)));
        counts.ok_or_else(|| GitError::Odd { command: args.join(" "), answer })
    }

    /// Writes a commit object for a tree.
    pub(crate) async fn write_commit(
        &self,
        tree: &str,
        parents: &[&str],
        message: &str,
        author: &Signature,
        committer: &Signature,
    ) -> Result<String, GitError> {
        let mut args = vec!["commit-tree", tree];
        for parent in parents {
            args.extend(["-p", parent]);
        }
        let environment = [
            ("GIT_AUTHOR_NAME", author.name.as_str()),
            ("GIT_AUTHOR_EMAIL", &author.email),
            ("GIT_AUTHOR_DATE", &author.at),
            ("GIT_COMMITTER_NAME", &committer.name),
            ("GIT_COMMITTER_EMAIL", &committer.email),
            ("GIT_COMMITTER_DATE", &committer.at),
        ];
        let answer = self.run_with(&args, message.as_bytes(), &environment).await?;
        Ok(String::from_utf8_lossy(&answer).trim().to_owned())
    }

    async fn log(&self, range: &[&str]) -> Result<Vec<Commit>, GitError> {
        let mut args = vec!["log", "-z", FORMAT];
        args.extend(range);
        let answer = self.run(&args).await?;
        let text = String::from_utf8_lossy(&answer);
        let mut fields: Vec<&str> = text.split('\0').collect();
        if fields.last() == Some(&"") {
            fields.pop();
        }
        fields
            .chunks(FIELDS)
            .map(|fields| {
                commit_of(fields).ok_or_else(|| GitError::Odd {
                    command: args.join(" "),
                    answer: fields.join("|"),
                })
            })
            .collect()
    }
}

fn commit_of(fields: &[&str]) -> Option<Commit> {
    let [sha, tree, parents, an, ae, at, cn, ce, ct, message] = fields else { return None };
    let signature = |name: &str, email: &str, at: &str| Signature {
        name: name.to_owned(),
        email: email.to_owned(),
        at: utc(at),
    };
    Some(Commit {
        sha: (*sha).to_owned(),
        tree: (*tree).to_owned(),
        parents: parents.split_whitespace().map(str::to_owned).collect(),
        author: signature(an, ae, at),
        committer: signature(cn, ce, ct),
        message: message.trim_end().to_owned(),
    })
}

/// GitHub tells every time in UTC.
fn utc(at: &str) -> String {
    chrono::DateTime::parse_from_rfc3339(at).map_or_else(
        |_| at.to_owned(),
        |at| at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    )
}
