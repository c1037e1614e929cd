//! From the `on` of a spec to the repositories and branches in which its steps run.

use crate::code_host::{CodeHost, CodeHostError, RepoInfo};
use drover::{
    campaign::spec::{Branches, CampaignSpec, On, RepoQuery, query::Activity},
    names::{BranchName, RepoName},
};
use std::collections::BTreeMap;

/// The workspaces of one execution, at most.
pub const WORKSPACES_MAX: usize = 20_000;
/// The pages that one query reads, at most.
const PAGES_MAX: u32 = 1_000;

/// Where to run, and what to tell about what was left out.
#[derive(Debug, Default)]
pub struct Resolved {
    pub places: Vec<Place>,
    pub warnings: Vec<String>,
}

/// A repository and the branch that its pull request targets.
#[derive(Clone, Debug)]
pub struct Place {
    pub repo: RepoInfo,
    pub branch: BranchName,
}

#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
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
    #[error("nothing under `on` matches a repository: {0}")]
    Nothing(String),
    #[error("`on` matches more than {WORKSPACES_MAX} repositories: narrow its queries")]
    TooMany,
    #[error(transparent)]
    CodeHost(#[from] CodeHostError),
}

/// Finds every place of a spec, each once, in the order of the names.
///
/// A repository that is named must be there: a wrong name is a mistake in the spec, and half a
/// campaign is no help. A query takes what there is.
pub async fn resolve(host: &dyn CodeHost, spec: &CampaignSpec) -> Result<Resolved, ResolveError> {
    let mut found: BTreeMap<(RepoName, BranchName), RepoInfo> = BTreeMap::new();
    let mut warnings = Vec::new();
    // Named branches stand over the default branch that a query would take.
    let mut named: BTreeMap<RepoName, Vec<BranchName>> = BTreeMap::new();
    for entry in &spec.on {
        let On::Repository { repo, branches } = entry else { continue };
        let info =
            host.find_repo(repo).await?.ok_or_else(|| ResolveError::NoRepository(repo.clone()))?;
        check_writable(&info)?;
        let wanted = match branches {
            Branches::Default => vec![info.default_branch.clone()],
            Branches::Named(branches) => branches.clone(),
        };
        named.entry(info.name.clone()).or_default().extend(wanted.iter().cloned());
        for branch in wanted {
            found.insert((info.name.clone(), branch), info.clone());
        }
    }
    for entry in &spec.on {
        let On::Query(query) = entry else { continue };
        let matching = search(host, query).await?;
        if matching.is_empty() {
            warnings.push(format!("the query `{}` matches no repository", query.text));
        }
        for info in matching {
            match check_writable(&info) {
                Err(reason) => warnings.push(format!("{reason} It was left out.")),
                Ok(()) if named.contains_key(&info.name) => {}
                Ok(()) => {
                    found.insert((info.name.clone(), info.default_branch.clone()), info);
                }
            }
            if found.len() > WORKSPACES_MAX {
                return Err(ResolveError::TooMany);
            }
        }
    }
    if found.is_empty() {
        return Err(ResolveError::Nothing(if warnings.is_empty() {
            "it is empty".to_owned()
        } else {
            warnings.join("; ")
        }));
    }
    let places = found.into_iter().map(|((_, branch), repo)| Place { repo, branch }).collect();
    Ok(Resolved { places, warnings })
}

fn check_writable(info: &RepoInfo) -> Result<(), ResolveError> {
    if info.activity == Activity::Archived {
        return Err(ResolveError::Archived(info.name.clone()));
    }
    if !info.can_push {
        return Err(ResolveError::NoPush(info.name.clone()));
    }
    Ok(())
}

async fn search(host: &dyn CodeHost, query: &RepoQuery) -> Result<Vec<RepoInfo>, CodeHostError> {
    let mut matching = Vec::new();
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page = host.search_repos(query, after.as_ref()).await?;
        matching.extend(page.repos);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(matching)
}
