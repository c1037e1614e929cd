//! From the `on` of a spec to the repositories and branches in which its steps run.
//!
//! What cannot be worked on is a row with its reason, and stops no other: a repository that is
//! archived, unknown or out of reach, and a query that is answered in part. Nothing is known then
//! about what the spec wants there, which is another thing than that it wants nothing.

use crate::{
    code_host::{CodeHost, CodeHostError, RepoInfo},
    store::workspaces::{Asked, Unusable},
};
use drover::{
    campaign::{
        outcome::Resolution,
        spec::{Branches, CampaignSpec, On, RepoQuery, query::Activity},
    },
    id::WorkspaceId,
    names::{BranchName, RepoName},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The workspaces of one execution, at most.
pub const WORKSPACES_MAX: usize = 20_000;
/// The pages that one query reads, at most.
const PAGES_MAX: u32 = 1_000;
/// The repositories in a row of which a code host says nothing before it is asked no more.
const SILENCES_MAX: u32 = 5;

/// Where to run, and what to tell about where not.
#[derive(Debug)]
pub struct Resolved {
    pub places: Vec<Place>,
    pub unusable: Vec<Unusable>,
    pub resolution: Resolution,
    pub warnings: Vec<String>,
}

/// A repository and the branch that its pull request targets.
#[derive(Clone, Debug)]
pub struct Place {
    pub repo: RepoInfo,
    pub branch: BranchName,
}

/// What to do about a code host that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Give up: everything is asked again later.
    AskAgain,
    /// Go on with what is known: it has been asked often enough.
    GoOn,
}

#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("nothing under `on` matches a repository: {0}")]
    Nothing(String),
    #[error("`on` matches more than {WORKSPACES_MAX} repositories: narrow its queries")]
    TooMany,
    #[error(transparent)]
    CodeHost(#[from] CodeHostError),
}

/// Why nothing can be run in a repository.
#[derive(Clone, Debug, thiserror::Error)]
enum Unfit {
    #[error(
        "there is no repository `{0}` that Drover's token can read: \
         correct its name under `on`, or give the token access to it"
    )]
    NoRepository(RepoName),
    #[error("`{0}` is archived, so nothing can be pushed to it: take it out of `on`")]
    Archived(RepoName),
    #[error(
        "Drover's token can read `{0}` and may not push to it: \
         give the token write access, or take the repository out of `on`"
    )]
    NoPush(RepoName),
    #[error("the code host's answer about `{0}` cannot be read")]
    Unread(RepoName),
    #[error("{0}")]
    NoAnswer(String),
}

/// Finds every place of a spec, each once, in the order of the names.
pub async fn resolve(
    host: &dyn CodeHost,
    spec: &CampaignSpec,
    patience: Patience,
) -> Result<Resolved, ResolveError> {
    let mut finds = Finds::new(patience);
    for entry in &spec.on {
        if let On::Repository { repo, branches } = entry {
            finds.find_named(host, repo, branches).await?;
        }
    }
    // Named branches stand over the default branch that a query would take.
    for entry in &spec.on {
        if let On::Query(query) = entry {
            finds.find_matching(host, query).await?;
        }
    }
    finds.into_resolved()
}

/// What was found so far.
struct Finds {
    patience: Patience,
    places: BTreeMap<(RepoName, BranchName), RepoInfo>,
    /// Without a branch where it is the default one and could not be read.
    unusable: BTreeMap<(RepoName, Option<BranchName>), (Asked, Unfit)>,
    /// Those that the spec names, by the names that they have today.
    named: BTreeSet<RepoName>,
    warnings: Vec<String>,
    /// Why there may be more repositories than were found.
    unanswered: Vec<String>,
    /// How often in a row the code host said nothing.
    silences: u32,
}

impl Finds {
    fn new(patience: Patience) -> Self {
        Self {
            patience,
            places: BTreeMap::new(),
            unusable: BTreeMap::new(),
            named: BTreeSet::new(),
            warnings: Vec::new(),
            unanswered: Vec::new(),
            silences: 0,
        }
    }

    async fn find_named(
        &mut self,
        host: &dyn CodeHost,
        name: &RepoName,
        branches: &Branches,
    ) -> Result<(), ResolveError> {
        let found = self.answer(host.find_repo(name).await)?;
        let (name, default, found) = match found {
            Ok(Some(info)) => {
                (info.name.clone(), Some(info.default_branch.clone()), check_writable(info))
            }
            Ok(None) => (name.clone(), None, Err(Unfit::NoRepository(name.clone()))),
            Err(reason) => (name.clone(), None, Err(Unfit::NoAnswer(reason))),
        };
        let wanted: Vec<Option<BranchName>> = match branches {
            Branches::Default => vec![default],
            Branches::Named(branches) => branches.iter().cloned().map(Some).collect(),
        };
        for branch in wanted {
            self.add(Asked::Named, &name, branch, found.clone())?;
        }
        self.named.insert(name);
        Ok(())
    }

    async fn find_matching(
        &mut self,
        host: &dyn CodeHost,
        query: &RepoQuery,
    ) -> Result<(), ResolveError> {
        let (mut matched, mut after) = (0, None);
        for _ in 0..PAGES_MAX {
            let page = match self.answer(host.search_repos(query, after.as_ref()).await)? {
                Ok(page) => page,
                Err(reason) => {
                    self.note_unanswered(query, &reason);
                    return Ok(());
                }
            };
            matched += page.repos.len();
            for info in page.repos {
                let (name, branch) = (info.name.clone(), info.default_branch.clone());
                self.add_matched(&name, Some(branch), check_writable(info))?;
            }
            for name in page.unread {
                match name.parse::<RepoName>() {
                    Ok(name) => self.add_matched(&name, None, Err(Unfit::Unread(name.clone())))?,
                    // Drover can have nothing in a repository whose name it cannot say.
                    Err(error) => self.warnings.push(format!("a repository was left out: {error}")),
                }
            }
            after = page.next;
            if after.is_none() {
                if matched == 0 {
                    let text = &query.text;
                    self.warnings.push(format!("the query `{text}` matches no repository"));
                }
                return Ok(());
            }
        }
        self.note_unanswered(query, &format!("it goes on after {PAGES_MAX} pages: narrow it"));
        Ok(())
    }

    /// Decides whether a failure to read is one repository's or query's own: then it is a reason.
    fn answer<T>(
        &mut self,
        answer: Result<T, CodeHostError>,
    ) -> Result<Result<T, String>, ResolveError> {
        let error = match answer {
            Ok(answer) => {
                self.silences = 0;
                return Ok(Ok(answer));
            }
            Err(error) => error,
        };
        match (&error, self.patience) {
            // These are about the token, and so about every repository.
            (CodeHostError::Unauthorized { .. } | CodeHostError::RateLimited { .. }, _) => {
                Err(error.into())
            }
            (
                CodeHostError::Unavailable { .. } | CodeHostError::UnknownOutcome { .. },
                Patience::AskAgain,
            ) => Err(error.into()),
            (
                CodeHostError::Unavailable { .. } | CodeHostError::UnknownOutcome { .. },
                Patience::GoOn,
            ) => {
                self.silences += 1;
                if self.silences > SILENCES_MAX {
                    Err(error.into())
                } else {
                    Ok(Err(error.to_string()))
                }
            }
            (
                CodeHostError::NotFound { .. }
                | CodeHostError::Forbidden { .. }
                | CodeHostError::Rejected { .. },
                _,
            ) => Ok(Err(error.to_string())),
        }
    }

    fn note_unanswered(&mut self, query: &RepoQuery, reason: &str) {
        let text = format!("the query `{}` was not answered in full: {reason}", query.text);
        self.warnings.push(format!("{text}; what else it may match stays as it is"));
        self.unanswered.push(text);
    }

    fn add_matched(
        &mut self,
        name: &RepoName,
        branch: Option<BranchName>,
        found: Result<RepoInfo, Unfit>,
    ) -> Result<(), ResolveError> {
        if self.named.contains(name) {
            return Ok(());
        }
        self.add(Asked::Matched, name, branch, found)
    }

    fn add(
        &mut self,
        asked: Asked,
        name: &RepoName,
        branch: Option<BranchName>,
        found: Result<RepoInfo, Unfit>,
    ) -> Result<(), ResolveError> {
        match (found, branch) {
            (Ok(info), Some(branch)) => {
                self.places.insert((name.clone(), branch), info);
            }
            (Ok(_), None) => {
                let unfit = Unfit::NoAnswer("its default branch is not known".to_owned());
                self.unusable.insert((name.clone(), None), (asked, unfit));
            }
            (Err(unfit), branch) => {
                self.unusable.insert((name.clone(), branch), (asked, unfit));
            }
        }
        let count = self.places.len() + self.unusable.len();
        if count > WORKSPACES_MAX { Err(ResolveError::TooMany) } else { Ok(()) }
    }

    fn into_resolved(self) -> Result<Resolved, ResolveError> {
        let Self { places, unusable, warnings, unanswered, .. } = self;
        if places.is_empty() && unusable.is_empty() {
            return Err(ResolveError::Nothing(if warnings.is_empty() {
                "it is empty".to_owned()
            } else {
                warnings.join("; ")
            }));
        }
        let places = places.into_iter().map(|((_, branch), repo)| Place { repo, branch }).collect();
        let unusable = unusable.into_iter().map(|((name, branch), (asked, unfit))| Unusable {
            id: WorkspaceId(Uuid::new_v4()),
            name,
            branch,
            asked,
            reason: unfit.to_string(),
        });
        let resolution = if unanswered.is_empty() {
            Resolution::Complete
        } else {
            Resolution::Partial { reason: unanswered.join("; ") }
        };
        Ok(Resolved { places, unusable: unusable.collect(), resolution, warnings })
    }
}

fn check_writable(info: RepoInfo) -> Result<RepoInfo, Unfit> {
    if info.activity == Activity::Archived {
        return Err(Unfit::Archived(info.name));
    }
    if !info.can_push {
        return Err(Unfit::NoPush(info.name));
    }
    Ok(info)
}
