//! Reviews of a pull request, and what they come to.

use super::{
    commit::GitThing,
    page::{Paged, page},
    people,
    pull::PullAt,
    refusal::Refusal,
    repository::RepositoryAt,
    thing::{Args, Asked, Reply, Source, Thing},
};
use crate::{
    json::{self, time},
    state::{Access, Pull, Repo, Review, Verdict},
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

const REVIEWS: Paged = Paged {
    field: "reviews",
    connection: "PullRequestReviewConnection",
    edge: "PullRequestReviewEdge",
};
const REQUESTS: Paged = Paged {
    field: "reviewRequests",
    connection: "ReviewRequestConnection",
    edge: "ReviewRequestEdge",
};
const THREADS: Paged = Paged {
    field: "reviewThreads",
    connection: "PullRequestReviewThreadConnection",
    edge: "PullRequestReviewThreadEdge",
};

#[derive(Clone)]
pub(super) struct ReviewAt {
    repo: Arc<Repo>,
    number: u64,
    author: String,
    /// The commit that was looked at.
    sha: String,
}

pub(super) fn resolve(
    asked: &Arc<Asked>,
    (repo, pull): (&Arc<Repo>, &Pull),
    field: &str,
    args: &Args<'_>,
) -> Result<Option<Reply>, Refusal> {
    let show = |review: &&Review| ReviewAt::thing(asked, (repo, pull), review);
    Ok(Some(match field {
        "reviewDecision" => Reply::Leaf(json!(decision(repo, pull))),
        "reviews" => {
            let states: Option<Vec<String>> = args.read("states")?;
            let author = args.text("author");
            let mut found: Vec<&Review> = pull.reviews.iter().collect();
            found.retain(|review| {
                states.as_ref().is_none_or(|it| it.iter().any(|it| it == word(review.verdict)))
                    && author.is_none_or(|author| author.eq_ignore_ascii_case(&review.author))
            });
            page(asked, &REVIEWS, args, &found, show)?
        }
        "latestReviews" => page(asked, &REVIEWS, args, &latest(pull, |_| true), show)?,
        "latestOpinionatedReviews" => {
            let writers_only: Option<bool> = args.read("writersOnly")?;
            let mut found = latest(pull, is_opinion);
            found.retain(|review| writers_only != Some(true) || may_decide(repo, review));
            page(asked, &REVIEWS, args, &found, show)?
        }
        "reviewRequests" => {
            let none: [Thing; 0] = [];
            page(asked, &REQUESTS, args, &none, Thing::clone)?
        }
        "reviewThreads" => {
            let none: [Thing; 0] = [];
            page(asked, &THREADS, args, &none, Thing::clone)?
        }
        _ => return Ok(None),
    }))
}

/// The last review of each person, in the order in which they were given.
fn latest(pull: &Pull, counts: impl Fn(&Review) -> bool) -> Vec<&Review> {
    let by_author: BTreeMap<&str, &Review> = pull
        .reviews
        .iter()
        .filter(|review| counts(review))
        .map(|review| (review.author.as_str(), review))
        .collect();
    let mut found: Vec<&Review> = by_author.into_values().collect();
    found.sort_by_key(|review| review.id);
    found
}

fn is_opinion(review: &Review) -> bool {
    match review.verdict {
        Verdict::Approved | Verdict::ChangesRequested => true,
        Verdict::Commented => false,
    }
}

/// Only who may write decides.
fn may_decide(repo: &Repo, review: &Review) -> bool {
    repo.access_of(Some(&review.author)) >= Access::Write
}

fn decision(repo: &Repo, pull: &Pull) -> Option<&'static str> {
    let mut opinions = latest(pull, is_opinion);
    opinions.retain(|review| may_decide(repo, review));
    let is_required = repo.blocked_branches.contains_key(&pull.base.branch);
    if opinions.iter().any(|review| review.verdict == Verdict::ChangesRequested) {
        Some("CHANGES_REQUESTED")
    } else if !opinions.is_empty() {
        Some("APPROVED")
    } else {
        is_required.then_some("REVIEW_REQUIRED")
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => "APPROVED",
        Verdict::ChangesRequested => "CHANGES_REQUESTED",
        Verdict::Commented => "COMMENTED",
    }
}

impl ReviewAt {
    fn thing(asked: &Arc<Asked>, (repo, pull): (&Arc<Repo>, &Pull), review: &Review) -> Thing {
        let path =
            format!("/{}/pull/{}#pullrequestreview-{}", repo.full_name(), pull.number, review.id);
        let at = time(review.submitted_at);
        let facts = json!({
            "id": format!("PRR_{}_{}", repo.id, review.id), "databaseId": review.id,
            "fullDatabaseId": review.id.to_string(), "body": review.body,
            "state": word(review.verdict),
            "authorAssociation": json::association(repo, &review.author),
            "createdAt": at, "submittedAt": at, "updatedAt": at, "publishedAt": at,
            "url": format!("{}{path}", asked.call.urls.web), "resourcePath": path,
        });
        let it = Self {
            repo: Arc::clone(repo),
            number: pull.number,
            author: review.author.clone(),
            sha: review.sha.clone(),
        };
        Thing::new(asked, "PullRequestReview", facts, Source::Review(it))
    }

    pub(super) async fn resolve(
        &self,
        asked: &Arc<Asked>,
        field: &str,
    ) -> Result<Option<Reply>, Refusal> {
        let Self { repo, number, author, sha } = self;
        Ok(Some(match field {
            "author" => Reply::maybe(people::actor(asked, author)),
            "commit" => Reply::maybe(GitThing::commit(asked, repo, sha).await?),
            "pullRequest" => Reply::maybe(PullAt::thing(asked, repo, *number)),
            "repository" => Reply::one(RepositoryAt::thing(asked, repo)),
            _ => return Ok(None),
        }))
    }
}
