use super::{Control, ControlError};
use crate::{
    call::Readable,
    clock::now,
    error::ApiError,
    fixtures::language_of,
    git::{ImportCommit, ImportFile, RefChange, RefMove, RefMoved, Signature, is_branch_name},
    pushes,
    rest::{self, Merge, NewPull, PullEdit, WantedState},
    state::{
        Access, AccountKind, Freshness, Merging, Pull, PullState, Repo, RepoKey, Visibility,
        is_account_name, is_repo_name,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A repository to be made, with one commit that has these files.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewRepo {
    pub owner: String,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub private: bool,
    #[serde(default)]
    pub topics: Vec<String>,
    /// `main` when absent.
    #[serde(default)]
    pub default_branch: Option<String>,
    pub files: Vec<FileContent>,
    /// The date of the commit; now when absent.
    #[serde(default)]
    pub committed_at: Option<String>,
}

/// A file as it shall be; without content it shall be gone.
#[derive(Clone, Debug, Deserialize)]
pub struct FileContent {
    pub path: String,
    pub content: Option<String>,
}

impl FileContent {
    #[must_use]
    pub fn new(path: &str, content: &str) -> Self {
        Self { path: path.to_owned(), content: Some(content.to_owned()) }
    }

    fn is_script(&self) -> bool {
        self.content.as_ref().is_some_and(|content| content.starts_with("#!"))
    }
}

/// A commit that somebody pushes.
#[derive(Clone, Debug, Deserialize)]
pub struct NewCommit {
    /// `owner/name`
    pub repo: String,
    /// Made from the default branch when it is not there.
    pub branch: String,
    pub by: String,
    pub message: String,
    pub files: Vec<FileContent>,
}

/// A pull request in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullSummary {
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub author: String,
    pub head: String,
    pub head_sha: String,
    pub base: String,
    /// `open`, `closed` or `merged`.
    pub state: &'static str,
    pub draft: bool,
    pub labels: BTreeSet<String>,
    pub comments: usize,
}

impl Control {
    /// Makes a repository; its owner becomes an organisation when nobody has the name.
    pub async fn create_repo(&self, wish: NewRepo) -> Result<(), ControlError> {
        let NewRepo { owner, name, .. } = &wish;
        for (text, kind, is_valid) in [
            (owner, "login", is_account_name(owner)),
            (name, "name of a repository", is_repo_name(name)),
        ] {
            if !is_valid {
                return Err(ControlError::Name { text: text.clone(), kind });
            }
        }
        let key = RepoKey::new(owner, name);
        let repo = format!("{owner}/{name}");
        if self.github.store.find(&key, Freshness::Current).is_some() {
            return Err(ControlError::RepoExists { repo });
        }
        let branch = wish.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let at = wish.committed_at.clone().unwrap_or_else(|| crate::json::time(now()));
        let by = Signature::of_user(owner, at);
        let git = self.github.git(&key);
        git.init(&branch).await?;
        let files = import_files(&wish.files)?;
        let message = "Begin";
        git.import(&ImportCommit { branch: &branch, from: None, message, by: &by, files }).await?;
        let id = self.github.store.update_accounts(|accounts| {
            accounts.insert(owner, AccountKind::Organisation, now());
            accounts.next_repo_id()
        })?;
        self.github.store.insert(new_repo(id, branch, wish))?;
        Ok(())
    }

    /// Gives a user access to a repository, or takes it.
    pub fn grant(&self, repo: &str, login: &str, access: Access) -> Result<(), ControlError> {
        self.change(repo, |repo| {
            repo.grants.insert(login.to_lowercase(), access);
        })
    }

    pub fn archive(&self, repo: &str) -> Result<(), ControlError> {
        self.change(repo, |repo| repo.archive(now()))
    }

    pub fn unarchive(&self, repo: &str) -> Result<(), ControlError> {
        self.change(repo, Repo::unarchive)
    }

    /// Lets nothing be merged into a branch, for a reason that GitHub would give.
    pub fn block_branch(&self, repo: &str, branch: &str, reason: &str) -> Result<(), ControlError> {
        self.change(repo, |repo| {
            repo.blocked_branches.insert(branch.to_owned(), reason.to_owned());
        })
    }

    pub fn unblock_branch(&self, repo: &str, branch: &str) -> Result<(), ControlError> {
        self.change(repo, |repo| {
            repo.blocked_branches.remove(branch);
        })
    }

    /// Pushes a commit as somebody, and returns its sha.
    pub async fn commit(&self, wish: &NewCommit) -> Result<String, ControlError> {
        let at = self.at(&wish.repo, &wish.by)?;
        if !is_branch_name(&wish.branch) {
            let text = wish.branch.clone();
            return Err(ControlError::Name { text, kind: "name of a branch" });
        }
        let _turn = self.github.push_locks.lock(&at.key()).await;
        let before = at.git.refs("refs/heads/").await?;
        let default = format!("refs/heads/{}", at.repo.default_branch);
        let from = before.get(&format!("refs/heads/{}", wish.branch)).or(before.get(&default));
        let by = Signature::of_user(&wish.by, crate::json::time(now()));
        let commit = ImportCommit {
            branch: &wish.branch,
            from: from.map(String::as_str),
            message: &wish.message,
            by: &by,
            files: import_files(&wish.files)?,
        };
        at.git.import(&commit).await?;
        let after = at.git.refs("refs/heads/").await?;
        let changes = RefChange::between(&before, &after);
        pushes::record(&self.github, &at.key(), &changes, &wish.by).await?;
        let sha = changes.first().map(|change| change.after().to_owned());
        sha.ok_or_else(|| ControlError::Refused("nothing was committed".to_owned()))
    }

    pub async fn delete_branch(
        &self,
        repo: &str,
        branch: &str,
        by: &str,
    ) -> Result<(), ControlError> {
        let at = self.at(repo, by)?;
        let tip = at.git.branch_tip(branch).await?;
        let missing =
            || ControlError::NoBranch { repo: repo.to_owned(), branch: branch.to_owned() };
        let moved = RefMove::Deleted { from: tip.ok_or_else(missing)? };
        let change = RefChange { name: format!("refs/heads/{branch}"), moved };
        let _turn = self.github.push_locks.lock(&at.key()).await;
        match at.git.move_ref(&change).await? {
            RefMoved::Done => Ok(pushes::record(&self.github, &at.key(), &[change], by).await?),
            RefMoved::Refused { why } => Err(ControlError::Refused(why)),
        }
    }

    /// The commit that a branch is at.
    pub async fn branch_tip(
        &self,
        repo: &str,
        branch: &str,
    ) -> Result<Option<String>, ControlError> {
        Ok(self.at(repo, "ghost")?.git.branch_tip(branch).await?)
    }

    pub async fn open_pull(
        &self,
        repo: &str,
        by: &str,
        title: &str,
        head: &str,
        base: &str,
    ) -> Result<u64, ControlError> {
        let text = |text: &str| Some(text.to_owned());
        let wish = NewPull {
            title: text(title),
            body: None,
            head: text(head),
            base: text(base),
            draft: false,
        };
        Ok(rest::create_pull(&self.at(repo, by)?, by, wish).await?)
    }

    pub async fn close_pull(&self, repo: &str, number: u64, by: &str) -> Result<(), ControlError> {
        let wish = PullEdit { state: Some(WantedState::Closed), ..PullEdit::default() };
        Ok(rest::edit_pull(&self.at(repo, by)?, number, by, wish).await?)
    }

    pub async fn reopen_pull(&self, repo: &str, number: u64, by: &str) -> Result<(), ControlError> {
        let wish = PullEdit { state: Some(WantedState::Open), ..PullEdit::default() };
        Ok(rest::edit_pull(&self.at(repo, by)?, number, by, wish).await?)
    }

    /// Merges with a merge commit, and returns it.
    pub async fn merge_pull(
        &self,
        repo: &str,
        number: u64,
        by: &str,
    ) -> Result<String, ControlError> {
        Ok(rest::merge(&self.at(repo, by)?, number, by, &Merge::default()).await?)
    }

    /// All pull requests of a repository by number.
    pub fn pulls(&self, repo: &str) -> Result<Vec<PullSummary>, ControlError> {
        Ok(self.at(repo, "ghost")?.repo.pulls.values().map(summary).collect())
    }

    pub(super) fn at(&self, repo: &str, login: &str) -> Result<Readable, ControlError> {
        let missing = || ControlError::NoRepo { repo: repo.to_owned() };
        let (owner, name) = repo.split_once('/').ok_or_else(missing)?;
        Readable::acting(&self.github, &RepoKey::new(owner, name), login).map_err(|_| missing())
    }

    pub(super) fn change(
        &self,
        repo: &str,
        change: impl FnOnce(&mut Repo),
    ) -> Result<(), ControlError> {
        let at = self.at(repo, "ghost")?;
        Ok(at.update(|repo| {
            change(repo);
            Ok::<_, ApiError>(())
        })?)
    }
}

fn new_repo(id: u64, default_branch: String, wish: NewRepo) -> Repo {
    let NewRepo { owner, name, description, private, topics, files, committed_at, .. } = wish;
    let committed_at = committed_at.and_then(|at| at.parse().ok()).unwrap_or_else(now);
    Repo {
        id,
        owner,
        name,
        description,
        visibility: if private { Visibility::Private } else { Visibility::Public },
        archived_at: None,
        default_branch,
        topics: topics.into_iter().map(|topic| topic.to_lowercase()).collect(),
        languages: languages(&files),
        created_at: committed_at,
        updated_at: committed_at,
        pushed_at: committed_at,
        grants: BTreeMap::new(),
        blocked_branches: BTreeMap::new(),
        protections: BTreeMap::new(),
        merging: Merging::default(),
        last_number: 0,
        last_item: 0,
        pulls: BTreeMap::new(),
        hooks: BTreeMap::new(),
    }
}

fn languages(files: &[FileContent]) -> BTreeMap<String, u64> {
    let mut languages = BTreeMap::new();
    for FileContent { path, content } in files {
        if let (Some(language), Some(content)) = (language_of(path), content) {
            *languages.entry(language.to_owned()).or_default() += content.len() as u64;
        }
    }
    languages
}

fn import_files(files: &[FileContent]) -> Result<Vec<ImportFile<'_>>, ControlError> {
    files
        .iter()
        .map(|file| {
            let FileContent { path, content } = file;
            let is_valid = !path.starts_with(['/', '"'])
                && !path.chars().any(char::is_control)
                && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"));
            if !is_valid {
                return Err(ControlError::Name { text: path.clone(), kind: "path of a file" });
            }
            let mode = if file.is_script() { "100755" } else { "100644" };
            Ok(match content {
                Some(content) => ImportFile::Write { path, mode, content: content.as_bytes() },
                None => ImportFile::Delete { path },
            })
        })
        .collect()
}

fn summary(pull: &Pull) -> PullSummary {
    PullSummary {
        number: pull.number,
        title: pull.title.clone(),
        body: pull.body.clone(),
        author: pull.author.clone(),
        head: pull.head.branch.clone(),
        head_sha: pull.head.sha.clone(),
        base: pull.base.branch.clone(),
        state: match pull.state {
            PullState::Open => "open",
            PullState::Closed { .. } => "closed",
            PullState::Merged { .. } => "merged",
        },
        draft: pull.is_draft(),
        labels: pull.labels.clone(),
        comments: pull.comments.len(),
    }
}
