//! What git says about pull requests: their size, and whether they can be merged.

use crate::{
    error::ApiError,
    git::{Git, GitError, MergeMethod, MergeOrder, MergeOutcome, Signature},
    github::Github,
    json,
    state::{Freshness, Pull, PullState, Repo, RepoKey},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Both memories are emptied when they have grown to this.
const FACTS_MAX: usize = 20_000;

/// The size of a pull request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) commits: u64,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) files: u64,
}

/// Repository, base and head, between which facts hold for ever.
type Pair = (u64, String, String);

/// Repository and number.
type PullKey = (u64, u64);

/// Remembers what git had to compute.
#[derive(Default)]
pub(crate) struct Facts {
    totals: Mutex<BTreeMap<Pair, Totals>>,
    trials: Mutex<BTreeMap<PullKey, Trial>>,
}

/// The merge that GitHub tries for an open pull request.
#[derive(Clone, Debug)]
struct Trial {
    base: String,
    head: String,
    outcome: Option<MergeOutcome>,
    /// GitHub says "not known yet" to the first who asks, and so does this: always, since tests
    /// shall not depend on who is faster.
    was_asked_for: bool,
    /// The commit of the last trial that went well, which is shown until there is another.
    shown_sha: Option<String>,
}

/// What is known when somebody asks.
enum Look {
    Known(MergeOutcome),
    NotYet,
    /// Nobody has tried yet; whoever asked begins.
    Begin,
}

impl Facts {
    fn find_totals(&self, pair: &Pair) -> Option<Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).get(pair).copied()
    }

    fn keep_totals(&self, pair: Pair, totals: Totals) {
        let mut memory = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= FACTS_MAX {
            memory.clear();
        }
        memory.insert(pair, totals);
    }

    fn look(&self, key: PullKey, base: &str, head: &str) -> Look {
        let mut trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(trial) = trials.get_mut(&key).filter(|it| it.is_of(base, head)) else {
            begin(&mut trials, key, base, head).was_asked_for = true;
            return Look::Begin;
        };
        let was_asked_for = std::mem::replace(&mut trial.was_asked_for, true);
        match trial.outcome.clone().filter(|_| was_asked_for) {
            Some(outcome) => Look::Known(outcome),
            None => Look::NotYet,
        }
    }

    /// Notes that a merge is being tried, unless it was.
    fn prepare(&self, key: PullKey, base: &str, head: &str) -> Look {
        let mut trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        if trials.get(&key).is_some_and(|it| it.is_of(base, head)) {
            return Look::NotYet;
        }
        begin(&mut trials, key, base, head);
        Look::Begin
    }

    /// Keeps what a trial came to, unless another has begun since.
    fn keep_outcome(&self, key: PullKey, base: &str, head: &str, outcome: &MergeOutcome) {
        let mut trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trial) = trials.get_mut(&key).filter(|it| it.is_of(base, head)) {
            if let MergeOutcome::Built { sha } = outcome {
                trial.shown_sha = Some(sha.clone());
            }
            trial.outcome = Some(outcome.clone());
        }
    }

    fn trial_sha(&self, key: PullKey) -> Option<String> {
        let trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        trials.get(&key).and_then(|trial| trial.shown_sha.clone())
    }
}

impl Trial {
    fn is_of(&self, base: &str, head: &str) -> bool {
        self.base == base && self.head == head
    }
}

fn begin<'a>(
    trials: &'a mut BTreeMap<PullKey, Trial>,
    key: PullKey,
    base: &str,
    head: &str,
) -> &'a mut Trial {
    if trials.len() >= FACTS_MAX {
        trials.clear();
    }
    let (base, head) = (base.to_owned(), head.to_owned());
    let shown_sha = trials.remove(&key).and_then(|trial| trial.shown_sha);
    let trial = Trial { base, head, outcome: None, was_asked_for: false, shown_sha };
    trials.entry(key).or_insert(trial)
}

/// The body of a single pull request.
pub(crate) async fn show(
    github: &Arc<Github>,
    repo: &Repo,
    pull: &Pull,
    urls: &crate::call::Urls,
    viewer: Option<&str>,
) -> Result<Value, ApiError> {
    let totals = totals(github, repo, pull).await?;
    let mergeable = mergeable(github, repo, pull).await?;
    let accounts = github.store.accounts();
    let shown = json::Shown { repo, accounts: &accounts, urls, viewer };
    Ok(with_trial(github, repo, pull, json::pull(pull, shown, totals, mergeable)))
}

/// Shows the commit of the merge that was tried; a merged pull request shows its own.
pub(crate) fn with_trial(github: &Github, repo: &Repo, pull: &Pull, mut shown: Value) -> Value {
    match pull.state {
        PullState::Merged { .. } => (),
        PullState::Open | PullState::Closed { .. } => {
            shown["merge_commit_sha"] = json!(github.facts.trial_sha((repo.id, pull.number)));
        }
    }
    shown
}

/// Where the head left the base: what a pull request's diff is measured from.
pub(crate) async fn fork_point(git: &Git, pull: &Pull) -> Result<String, ApiError> {
    let base = git.merge_base(&pull.base.sha, &pull.head.sha).await?;
    Ok(base.unwrap_or_else(|| pull.base.sha.clone()))
}

async fn totals(github: &Github, repo: &Repo, pull: &Pull) -> Result<Totals, ApiError> {
    let pair = (repo.id, pull.base.sha.clone(), pull.head.sha.clone());
    if let Some(totals) = github.facts.find_totals(&pair) {
        return Ok(totals);
    }
    let git = github.git(&repo.key());
    let (commits, _) = git.ahead_behind(&pull.base.sha, &pull.head.sha).await?;
    let from = fork_point(&git, pull).await?;
    let changes = git.change_counts(&from, &pull.head.sha).await?;
    let totals = Totals {
        commits,
        additions: changes.iter().map(|change| change.additions).sum(),
        deletions: changes.iter().map(|change| change.deletions).sum(),
        files: changes.len() as u64,
    };
    github.facts.keep_totals(pair, totals);
    Ok(totals)
}

/// GitHub answers "not known yet" first and computes it because somebody asked.
async fn mergeable(
    github: &Arc<Github>,
    repo: &Repo,
    pull: &Pull,
) -> Result<Option<bool>, ApiError> {
    if !pull.is_open() {
        return Ok(None);
    }
    let git = github.git(&repo.key());
    let Some(base) = git.branch_tip(&pull.base.branch).await? else { return Ok(Some(false)) };
    match github.facts.look((repo.id, pull.number), &base, &pull.head.sha) {
        Look::Known(MergeOutcome::Built { .. }) => Ok(Some(true)),
        Look::Known(MergeOutcome::Conflict) => Ok(Some(false)),
        Look::NotYet => Ok(None),
        Look::Begin => {
            spawn_trial(github, repo, pull, base);
            Ok(None)
        }
    }
}

/// Tries the merge of a pull request that is new or has moved, so that `refs/pull/N/merge` is
/// there for who fetches it.
pub(crate) async fn prepare(
    github: &Arc<Github>,
    repo: &Repo,
    pull: &Pull,
) -> Result<(), ApiError> {
    let git = github.git(&repo.key());
    if !pull.is_open() {
        return Ok(git.drop_pull_merge(pull.number).await?);
    }
    let Some(base) = git.branch_tip(&pull.base.branch).await? else { return Ok(()) };
    match github.facts.prepare((repo.id, pull.number), &base, &pull.head.sha) {
        Look::Begin => spawn_trial(github, repo, pull, base),
        Look::Known(_) | Look::NotYet => (),
    }
    Ok(())
}

fn spawn_trial(github: &Arc<Github>, repo: &Repo, pull: &Pull, base: String) {
    let (github, repo_key, number) = (Arc::clone(github), repo.key(), pull.number);
    let (key, head) = ((repo.id, number), pull.head.sha.clone());
    // The time is the pull request's, so that the same trial gives the same commit.
    let (author, at) = (pull.author.clone(), json::time(pull.created_at));
    let tasks = github.tasks.clone();
    tasks.spawn(async move {
        let git = github.git(&repo_key);
        let tried = try_merge(&git, &base, &head, &author, at).await;
        let shown = match &tried {
            Ok(outcome) => {
                github.facts.keep_outcome(key, &base, &head, outcome);
                show_trial(&github, &repo_key, number, outcome).await
            }
            Err(_) => Ok(()),
        };
        if let Err(error) = tried.map(drop).and(shown) {
            tracing::warn!(error = ?error, "could not try the merge of a pull request");
        }
    });
}

async fn show_trial(
    github: &Github,
    key: &RepoKey,
    number: u64,
    outcome: &MergeOutcome,
) -> Result<(), GitError> {
    let MergeOutcome::Built { sha } = outcome else { return Ok(()) };
    let git = github.git(key);
    git.keep_pull_merge(number, sha).await?;
    // It may have been closed while the merge was being tried.
    let repo = github.store.find(key, Freshness::Current);
    match repo.and_then(|repo| repo.pulls.get(&number).map(Pull::is_open)) {
        Some(false) => git.drop_pull_merge(number).await,
        Some(true) | None => Ok(()),
    }
}

async fn try_merge(
    git: &Git,
    base: &str,
    head: &str,
    author: &str,
    at: String,
) -> Result<MergeOutcome, GitError> {
    let by = Signature::of_user(author, at);
    let message = format!("Merge {head} into {base}");
    let (method, message) = (MergeMethod::Merge, message.as_str());
    let order = MergeOrder { method, base, head, message, author: &by, committer: &by };
    git.build_merge(&order).await
}
