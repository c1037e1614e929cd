//! What git says about pull requests: their size, and whether they can be merged.

use crate::{
    error::ApiError,
    git::{Git, Mergeability},
    github::Github,
    json,
    state::{Pull, Repo, RepoKey},
};
use serde_json::Value;
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

/// Base and head, between which facts hold for ever.
type Pair = (RepoKey, String, String);

/// Remembers what git had to compute.
#[derive(Default)]
pub(crate) struct Facts {
    totals: Mutex<BTreeMap<Pair, Totals>>,
    mergeability: Mutex<BTreeMap<Pair, Mergeability>>,
}

impl Facts {
    fn find_totals(&self, pair: &Pair) -> Option<Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).get(pair).copied()
    }

    fn keep_totals(&self, pair: Pair, totals: Totals) {
        keep(&self.totals, pair, totals);
    }

    fn find_mergeability(&self, pair: &Pair) -> Option<Mergeability> {
        self.mergeability.lock().unwrap_or_else(PoisonError::into_inner).get(pair).copied()
    }
}

fn keep<T>(memory: &Mutex<BTreeMap<Pair, T>>, pair: Pair, fact: T) {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() >= FACTS_MAX {
        memory.clear();
    }
    memory.insert(pair, fact);
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
    Ok(json::pull(pull, shown, totals, mergeable))
}

/// Where the head left the base: what a pull request's diff is measured from.
pub(crate) async fn fork_point(git: &Git, pull: &Pull) -> Result<String, ApiError> {
    let base = git.merge_base(&pull.base.sha, &pull.head.sha).await?;
    Ok(base.unwrap_or_else(|| pull.base.sha.clone()))
}

async fn totals(github: &Github, repo: &Repo, pull: &Pull) -> Result<Totals, ApiError> {
    let pair = (repo.key(), pull.base.sha.clone(), pull.head.sha.clone());
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
    let pair = (repo.key(), base, pull.head.sha.clone());
    match github.facts.find_mergeability(&pair) {
        Some(known) => Ok(Some(known == Mergeability::Clean)),
        None => {
            let worker = Arc::clone(github);
            github.tasks.spawn(async move { compute_mergeability(&worker, git, pair).await });
            Ok(None)
        }
    }
}

async fn compute_mergeability(github: &Github, git: Git, pair: Pair) {
    match git.mergeability(&pair.1, &pair.2).await {
        Ok(mergeability) => keep(&github.facts.mergeability, pair, mergeability),
        Err(error) => tracing::warn!(error = ?error, "could not compute whether a pull merges"),
    }
}
