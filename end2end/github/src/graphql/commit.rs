//! What git has: commits, directories and files.

use super::{
    page::{Paged, bounds, cut, page},
    people, pull,
    refusal::Refusal,
    repository::{RepositoryAt, git},
    thing::{Args, Asked, Reply, Source, Thing},
};
use crate::{
    git::{Commit, EntryKind, Signature, TreeEntry},
    state::Repo,
};
use serde_json::json;
use std::sync::Arc;

const PARENTS: Paged =
    Paged { field: "parents", connection: "CommitConnection", edge: "CommitEdge" };
const HISTORY: Paged =
    Paged { field: "history", connection: "CommitHistoryConnection", edge: "CommitEdge" };
/// GitHub sends no more of a file than this.
const TEXT_BYTES_MAX: u64 = 512_000;

#[derive(Clone)]
pub(super) enum GitThing {
    Commit {
        repo: Arc<Repo>,
        commit: Commit,
    },
    Tree {
        repo: Arc<Repo>,
        entry: TreeEntry,
    },
    Blob {
        repo: Arc<Repo>,
        entry: TreeEntry,
    },
    /// A line of a directory, which names an object.
    Entry {
        repo: Arc<Repo>,
        entry: TreeEntry,
    },
}

impl GitThing {
    /// The commit that a sha, a branch or a tag means.
    pub(super) async fn commit(
        asked: &Arc<Asked>,
        repo: &Arc<Repo>,
        text: &str,
    ) -> Result<Option<Thing>, Refusal> {
        let git = git(asked, repo);
        let Some(sha) = git.find_commit(text).await? else { return Ok(None) };
        Ok(Some(Self::of(asked, repo, git.commit(&sha).await?)))
    }

    /// What git's `branch`, `sha`, `branch:` or `branch:path/to/file` means.
    pub(super) async fn find(
        asked: &Arc<Asked>,
        repo: &Arc<Repo>,
        expression: &str,
    ) -> Result<Option<Thing>, Refusal> {
        let Some((revision, path)) = expression.split_once(':') else {
            return Self::commit(asked, repo, expression).await;
        };
        let git = git(asked, repo);
        let Some(sha) = git.find_commit(revision).await? else { return Ok(None) };
        let entry = git.entry(&sha, path.trim_end_matches('/')).await?;
        Ok(entry.and_then(|entry| Self::object(asked, repo, entry)))
    }

    pub(super) fn of(asked: &Arc<Asked>, repo: &Arc<Repo>, commit: Commit) -> Thing {
        let web = format!("{}/{}", asked.call.urls.web, repo.full_name());
        let path = format!("/{}/commit/{}", repo.full_name(), commit.sha);
        let url = format!("{web}/commit/{}", commit.sha);
        let (headline, body) = commit.message.split_once('\n').unwrap_or((&commit.message, ""));
        let facts = json!({
            "id": format!("C_{}_{}", repo.id, commit.sha), "oid": commit.sha,
            "abbreviatedOid": commit.sha.get(..7), "message": commit.message,
            "messageHeadline": headline, "messageBody": body.trim_start_matches('\n'),
            "authoredDate": commit.author.at, "committedDate": commit.committer.at,
            "url": url, "commitUrl": url, "resourcePath": path,
        });
        let source = Source::Git(Self::Commit { repo: Arc::clone(repo), commit });
        Thing::new(asked, "Commit", facts, source)
    }

    fn object(asked: &Arc<Asked>, repo: &Arc<Repo>, entry: TreeEntry) -> Option<Thing> {
        let TreeEntry { kind, sha, size, path } = &entry;
        let web = format!("{}/{}", asked.call.urls.web, repo.full_name());
        let word = match kind {
            EntryKind::Directory => "tree",
            EntryKind::File | EntryKind::Symlink => "blob",
            // The commit is another repository's.
            EntryKind::Submodule => return None,
        };
        let facts = json!({
            "id": format!("GO_{}_{sha}", repo.id), "oid": sha, "abbreviatedOid": sha.get(..7),
            "commitUrl": format!("{web}/{word}/{sha}/{path}"), "byteSize": size,
            "isTruncated": *size > TEXT_BYTES_MAX,
        });
        let repo = Arc::clone(repo);
        Some(match word {
            "tree" => Thing::new(asked, "Tree", facts, Source::Git(Self::Tree { repo, entry })),
            _ => Thing::new(asked, "Blob", facts, Source::Git(Self::Blob { repo, entry })),
        })
    }

    fn line(asked: &Arc<Asked>, repo: &Arc<Repo>, entry: &TreeEntry) -> Thing {
        let (kind, mode) = match entry.kind {
            EntryKind::File => ("blob", 0o100_644),
            EntryKind::Symlink => ("blob", 0o120_000),
            EntryKind::Directory => ("tree", 0o040_000),
            EntryKind::Submodule => ("commit", 0o160_000),
        };
        let facts = json!({
            "name": entry.path.rsplit('/').next(), "path": entry.path, "oid": entry.sha,
            "size": entry.size, "type": kind, "mode": mode,
        });
        let source = Self::Entry { repo: Arc::clone(repo), entry: entry.clone() };
        Thing::new(asked, "TreeEntry", facts, Source::Git(source))
    }

    pub(super) async fn resolve(
        &self,
        asked: &Arc<Asked>,
        field: &str,
        args: &Args<'_>,
    ) -> Result<Option<Reply>, Refusal> {
        let (Self::Commit { repo, .. }
        | Self::Tree { repo, .. }
        | Self::Blob { repo, .. }
        | Self::Entry { repo, .. }) = self;
        match (self, field) {
            (_, "repository") => Ok(Some(Reply::one(RepositoryAt::thing(asked, repo)))),
            (Self::Commit { commit, .. }, _) => {
                commit_field(asked, repo, commit, field, args).await
            }
            (Self::Tree { entry, .. }, "entries") => {
                let entries = git(asked, repo).entries(entry).await?;
                let lines = entries.iter().map(|entry| Self::line(asked, repo, entry));
                Ok(Some(Reply::many(lines)))
            }
            (Self::Blob { entry, .. }, "text" | "isBinary") => {
                let bytes = git(asked, repo).blob(&entry.sha).await?;
                let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
                Ok(Some(Reply::Leaf(match field {
                    "text" => json!(text.filter(|_| entry.size <= TEXT_BYTES_MAX)),
                    _ => json!(text.is_none()),
                })))
            }
            (Self::Entry { entry, .. }, "object") => {
                Ok(Some(Reply::maybe(Self::object(asked, repo, entry.clone()))))
            }
            (Self::Tree { .. } | Self::Blob { .. } | Self::Entry { .. }, _) => Ok(None),
        }
    }
}

async fn commit_field(
    asked: &Arc<Asked>,
    repo: &Arc<Repo>,
    commit: &Commit,
    field: &str,
    args: &Args<'_>,
) -> Result<Option<Reply>, Refusal> {
    let git = git(asked, repo);
    Ok(Some(match field {
        "author" => Reply::one(git_actor(asked, &commit.author)),
        "committer" => Reply::one(git_actor(asked, &commit.committer)),
        "tree" => {
            let entry = git.entry(&commit.sha, "").await?;
            Reply::maybe(entry.and_then(|entry| GitThing::object(asked, repo, entry)))
        }
        "parents" => {
            let mut parents = Vec::with_capacity(commit.parents.len());
            for sha in &commit.parents {
                parents.push(git.commit(sha).await?);
            }
            page(asked, &PARENTS, args, &parents, |it| GitThing::of(asked, repo, it.clone()))?
        }
        "history" => {
            let path = args.text("path");
            let total = git.count_commits(&commit.sha, path).await?;
            let (begin, end) = bounds(&HISTORY, args, total)?;
            let commits = git.history(&commit.sha, path, begin, end - begin).await?;
            let shown = commits.into_iter().map(|it| GitThing::of(asked, repo, it)).collect();
            cut(asked, &HISTORY, json!({ "totalCount": total }), shown, (begin, total))
        }
        "associatedPullRequests" => {
            pull::list(asked, repo, args, |pull| pull.head.sha == commit.sha)?
        }
        // Nobody has reported anything about a commit.
        "status" | "statusCheckRollup" => Reply::One(None),
        _ => return Ok(None),
    }))
}

fn git_actor(asked: &Arc<Asked>, signature: &Signature) -> Thing {
    let Signature { name, email, at } = signature;
    let login = email.split_once('@').map_or("", |(login, _)| login);
    let facts = json!({
        "name": name, "email": email, "date": at,
        "avatarUrl": format!("{}/_avatar/{name}", asked.call.urls.web),
    });
    let user = ("user", Reply::maybe(people::actor(asked, login)));
    Thing::known(asked, "GitActor", facts, [user])
}
