//! Looks at repositories, branches and pull requests on their code hosts, and writes down what
//! was seen.
//!
//! What was believed an hour ago decides nothing that cannot be taken back: whoever plans a write
//! or shows a plan looks first. [`look_and_record`] does it for many at once: one query for some
//! forty targets, one statement per table for all of them. What could not be read is an
//! [`Unseen`] of its own target, changes nothing that is stored, and never means "not there".
//!
//! A repository is looked at by its name, and known by its number: when another repository has
//! the name now, ours is looked for by its number.

use crate::{
    clock,
    code_host::{
        CodeHostError, PullInfo,
        look::{LookTarget, Looked, Part, Sight},
    },
    hosts::{Access, HostsError},
    state::AppState,
    store::{
        Conn, StoreError,
        branches::{self, SeenBranch},
        credentials,
        pulls::{self, AskedAt, MissingPull, SeenPull},
        repositories::{self, Archive, Repository, RepositoryState},
    },
};
use diesel_async::AsyncConnection;
use drover::{
    campaign::spec::query::Activity,
    changeset::{
        PullState, marker,
        missing::Missing,
        sync::{SyncFacts, next_sync},
    },
    id::{CodeHostId, PullId, RepoId},
    names::{BranchName, PullNumber},
    time::Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

/// What to look at in one repository. What is `None` is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub repo: RepoId,
    /// The branch that a pull request comes from.
    pub head: Option<BranchName>,
    /// The branch that it goes into.
    pub base: Option<BranchName>,
    pub number: Option<PullNumber>,
}

impl Target {
    /// The repository alone: its name of today, and whether it is archived.
    #[must_use]
    pub fn repository(repo: RepoId) -> Self {
        Self { repo, head: None, base: None, number: None }
    }
}

/// A target, and what was seen of it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub target: Target,
    pub sight: Result<Sight, Unseen>,
}

/// Why nothing is known of a target now.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unseen {
    #[error("Drover does not know the repository")]
    NoRepository,
    /// There is no code host or no credential to ask with.
    #[error(transparent)]
    NoAccess(Arc<HostsError>),
    #[error(transparent)]
    CodeHost(#[from] CodeHostError),
}

/// What many looks gave, in the order of their targets.
pub struct Look {
    pub seen: Vec<Seen>,
    asked_at: AskedAt,
    hosts: BTreeMap<RepoId, CodeHostId>,
    /// Rows whose name another repository has now.
    replaced: Vec<RepoId>,
}

/// Looks at all targets, writes down what was seen, and gives it in the order of the targets.
pub async fn look_and_record(
    state: &AppState,
    targets: &[Target],
) -> Result<Vec<Seen>, StoreError> {
    let look = look(state, targets).await?;
    let mut conn = state.store.conn().await?;
    conn.transaction(async |conn| look.record(conn).await).await?;
    Ok(look.seen)
}

/// Looks at all targets and leaves the writing to [`Look::record`].
pub async fn look(state: &AppState, targets: &[Target]) -> Result<Look, StoreError> {
    let mut conn = state.store.conn().await?;
    let ids: Vec<RepoId> = targets.iter().map(|target| target.repo).collect();
    let repos: BTreeMap<RepoId, Repository> =
        repositories::list(&mut conn, &ids).await?.into_iter().map(|it| (it.id, it)).collect();
    let hosts: BTreeMap<RepoId, CodeHostId> =
        repos.iter().map(|(id, repo)| (*id, repo.code_host)).collect();
    let mut accesses: BTreeMap<CodeHostId, Result<Access, Unseen>> = BTreeMap::new();
    for host in hosts.values() {
        if !accesses.contains_key(host) {
            accesses.insert(*host, open(state, &mut conn, *host).await?);
        }
    }
    let asked_at = pulls::asked_at(&mut conn).await?;
    drop(conn);
    let mut look = Look { seen: Vec::new(), asked_at, hosts, replaced: Vec::new() };
    let mut sights: BTreeMap<usize, Result<Sight, Unseen>> = BTreeMap::new();
    for (host, access) in &accesses {
        let of_host: Vec<(usize, &Target, &Repository)> = targets
            .iter()
            .enumerate()
            .filter_map(|(at, target)| Some((at, target, repos.get(&target.repo)?)))
            .filter(|(_, _, repo)| repo.code_host == *host)
            .collect();
        match access {
            Ok(access) => {
                let seen = look.ask(access, &of_host).await;
                note_refusal(state, access, &seen).await?;
                sights.extend(seen);
            }
            Err(error) => sights.extend(of_host.iter().map(|it| (it.0, Err(error.clone())))),
        }
    }
    look.seen = (0..)
        .zip(targets)
        .map(|(at, target)| {
            let sight = sights.remove(&at).unwrap_or(Err(Unseen::NoRepository));
            Seen { target: target.clone(), sight }
        })
        .collect();
    Ok(look)
}

/// Opens a code host to look with. With a credential that is not accepted nothing is asked until
/// it works again: code hosts ban who goes on.
async fn open(
    state: &AppState,
    conn: &mut Conn,
    host: CodeHostId,
) -> Result<Result<Access, Unseen>, StoreError> {
    let access = match state.hosts.open(conn, host).await {
        Ok(access) => access,
        Err(error) => return Ok(Err(Unseen::NoAccess(Arc::new(error)))),
    };
    let refused = credentials::refused_at(conn, access.credential).await?;
    let message = "Drover waits until it works again".to_owned();
    Ok(match refused {
        Some(_) => Err(Unseen::CodeHost(CodeHostError::Unauthorized { message })),
        None => Ok(access),
    })
}

async fn note_refusal(
    state: &AppState,
    access: &Access,
    seen: &[(usize, Result<Sight, Unseen>)],
) -> Result<(), StoreError> {
    let is_refused = seen.iter().any(|(_, sight)| {
        matches!(sight, Err(Unseen::CodeHost(CodeHostError::Unauthorized { .. })))
    });
    if is_refused {
        let mut conn = state.store.conn().await?;
        credentials::mark_refused(&mut conn, access.credential).await?;
    }
    Ok(())
}

impl Look {
    async fn ask(
        &mut self,
        access: &Access,
        targets: &[(usize, &Target, &Repository)],
    ) -> Vec<(usize, Result<Sight, Unseen>)> {
        let asked: Vec<LookTarget> =
            targets.iter().map(|(_, target, repo)| named(target, repo)).collect();
        let looked = access.looker.look(&asked).await;
        let mut sights = Vec::with_capacity(targets.len());
        for ((at, target, repo), looked) in targets.iter().zip(looked) {
            let looked = match self.is_elsewhere(repo, &looked) {
                false => looked,
                true => find_again(access, target, repo).await,
            };
            sights.push((*at, looked.map_err(Unseen::CodeHost)));
        }
        sights
    }

    /// Whether the repository has to be looked for by its number: its name is that of another
    /// one, or of none that is visible.
    fn is_elsewhere(&mut self, repo: &Repository, looked: &Looked) -> bool {
        match (looked, repo.external_id) {
            (Ok(sight), Some(id)) if sight.repo.id != id => {
                self.replaced.push(repo.id);
                true
            }
            (Err(CodeHostError::NotFound { .. }), Some(_)) => true,
            (Ok(_) | Err(_), Some(_)) | (_, None) => repo.name_lost_at.is_some(),
        }
    }

    /// Writes down what was seen; gives the pull requests that are other than before.
    pub async fn record(&self, conn: &mut Conn) -> Result<Vec<PullId>, StoreError> {
        let sights: Vec<(&Target, &Sight)> =
            self.seen.iter().filter_map(|it| Some((&it.target, it.sight.as_ref().ok()?))).collect();
        repositories::lose_names(conn, &self.replaced).await?;
        for (host, states) in self.repositories(&sights) {
            repositories::record(conn, host, &states).await?;
        }
        let heads: Vec<SeenBranch> = sights.iter().filter_map(seen_branch).collect();
        branches::record_heads(conn, &heads).await?;
        let seen: Vec<SeenPull> = sights.iter().filter_map(seen_pull).collect();
        let mut changed = pulls::record_seen(conn, &seen, self.asked_at).await?;
        changed.extend(self.record_missing(conn, &sights).await?);
        Ok(changed)
    }

    fn repositories(
        &self,
        sights: &[(&Target, &Sight)],
    ) -> BTreeMap<CodeHostId, Vec<RepositoryState>> {
        let mut states: BTreeMap<CodeHostId, Vec<RepositoryState>> = BTreeMap::new();
        for (target, sight) in sights {
            let Some(host) = self.hosts.get(&target.repo) else { continue };
            let archive = match sight.repo.activity {
                Activity::Archived => Archive::Archived,
                Activity::Active => Archive::Active,
            };
            states.entry(*host).or_default().push(RepositoryState {
                repo: target.repo,
                id: sight.repo.id,
                name: sight.repo.name.clone(),
                default_branch: sight.repo.default_branch.clone(),
                archive,
            });
        }
        states
    }

    async fn record_missing(
        &self,
        conn: &mut Conn,
        sights: &[(&Target, &Sight)],
    ) -> Result<Vec<PullId>, StoreError> {
        let absent = |(target, sight): &(&Target, &Sight)| {
            let number = target.number.filter(|_| matches!(sight.pull, Part::Absent))?;
            Some((target.repo, number))
        };
        let absent: Vec<(RepoId, PullNumber)> = sights.iter().filter_map(absent).collect();
        if absent.is_empty() {
            return Ok(Vec::new());
        }
        let now = clock::now();
        let known = pulls::list_missing(conn, &absent).await?;
        let (mut all, mut changed) = (Vec::with_capacity(known.len()), Vec::new());
        for (id, before, misses) in known {
            let missing = Missing::again(misses, now);
            let (state, next_sync_at) = (missing.state(before, now), missing.next_read(now));
            if state != before {
                changed.push(id);
            }
            all.push(MissingPull { id, state, missing, next_sync_at });
        }
        pulls::record_missing(conn, &all).await?;
        Ok(changed)
    }
}

fn named(target: &Target, repo: &Repository) -> LookTarget {
    let Target { repo: _, head, base, number } = target.clone();
    LookTarget { repo: repo.name.clone(), head, base, number }
}

/// Looks for a repository by its number.
async fn find_again(access: &Access, target: &Target, repo: &Repository) -> Looked {
    let what = format!("repository `{}`", repo.name);
    let gone = || CodeHostError::NotFound { what: what.clone() };
    let id = repo.external_id.ok_or_else(gone)?;
    let found = access.api.find_repo_by_id(id).await?.ok_or_else(gone)?;
    let again = LookTarget { repo: found.name, ..named(target, repo) };
    match access.looker.look(&[again]).await.pop() {
        Some(Ok(sight)) if sight.repo.id == id => Ok(sight),
        Some(Err(error)) => Err(error),
        Some(Ok(_)) | None => Err(gone()),
    }
}

fn seen_branch((target, sight): &(&Target, &Sight)) -> Option<SeenBranch> {
    let head = match &sight.head {
        Part::Found(tip) => Some(tip.commit.clone()),
        Part::Absent => None,
        Part::NotAsked | Part::Unknown(_) => return None,
    };
    Some(SeenBranch { repo: target.repo, name: target.head.clone()?, head })
}

fn seen_pull((target, sight): &(&Target, &Sight)) -> Option<SeenPull> {
    let info = sight.pull.found()?;
    let mut seen = stored(target.repo, info, None);
    // A pull request learns of a push a little later than the branch has it.
    if let (Some(head), Some(tip)) = (&target.head, sight.head.found())
        && *head == seen.branch
        && follows_its_branch(seen.pull.state)
    {
        seen.pull.head = tip.commit.clone();
    }
    Some(seen)
}

fn follows_its_branch(state: PullState) -> bool {
    match state {
        PullState::Draft | PullState::Open => true,
        PullState::Closed | PullState::Merged | PullState::Deleted | PullState::ReadOnly => false,
    }
}

/// A pull request as it is stored: without our mark, and with the time to read it again.
#[must_use]
pub fn stored(repo: RepoId, info: &PullInfo, written_at: Option<Timestamp>) -> SeenPull {
    let now = clock::now();
    let mut pull = info.pull.clone();
    pull.body = marker::unmark(&pull.body);
    let facts =
        SyncFacts { state: pull.state, updated_at: info.updated_at, written_at, synced_at: now };
    SeenPull {
        repo,
        branch: info.head_branch.clone(),
        url: info.url.to_string(),
        next_sync_at: next_sync(&facts, now),
        pull,
    }
}
