//! Accounts, repositories and branches.

use super::{
    answer::Answer,
    client::Client,
    model::{RefJson, RepoJson, UserJson},
};
use crate::code_host::{Account, CodeHostError, RepoInfo, RepoPage, SearchCursor};
use drover::campaign::spec::{RepoQuery, query::RepoFacts};
use drover::names::{BranchName, CommitSha, HostRepoId, RepoName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tracing::warn;

/// GitHub's largest page.
const PER_PAGE: u32 = 100;
/// What a branch keeps of itself in a path.
const BRANCH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) async fn whoami(client: &Client) -> Result<Account, CodeHostError> {
    let answer = client.get("/user", "user of this token").await?;
    let UserJson { login } = answer.json()?;
    let scopes = answer.header("x-oauth-scopes").map(|text| {
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    });
    Ok(Account { name: login, scopes })
}

pub(super) async fn find(
    client: &Client,
    name: &RepoName,
) -> Result<Option<RepoInfo>, CodeHostError> {
    match client.get(&format!("/repos/{name}"), &format!("repository `{name}`")).await {
        Ok(answer) => Ok(Some(answer.json::<RepoJson>()?.into_info(&client.address)?)),
        Err(CodeHostError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn find_by_id(
    client: &Client,
    id: HostRepoId,
) -> Result<Option<RepoInfo>, CodeHostError> {
    let HostRepoId(number) = id;
    match client.get(&format!("/repositories/{number}"), &format!("repository {number}")).await {
        Ok(answer) => Ok(Some(answer.json::<RepoJson>()?.into_info(&client.address)?)),
        Err(CodeHostError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A branch in a path.
pub(super) fn in_path(branch: &BranchName) -> String {
    utf8_percent_encode(branch.as_str(), BRANCH).to_string()
}

pub(super) async fn branch_head(
    client: &Client,
    repo: &RepoName,
    branch: &BranchName,
) -> Result<Option<CommitSha>, CodeHostError> {
    let path = in_path(branch);
    let what = format!("branch `{branch}` of `{repo}`");
    match client.get(&format!("/repos/{repo}/git/ref/heads/{path}"), &what).await {
        Ok(answer) => Ok(Some(answer.json::<RefJson>()?.object.sha)),
        // GitHub answers 409 for every branch of a repository without commits.
        Err(CodeHostError::NotFound { .. } | CodeHostError::Rejected { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The listings that GitHub has; which one holds an owner's repositories depends on the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    Organisation,
    /// Public ones only.
    User,
    /// The token's own user, private ones too.
    Own,
    /// Whatever the token sees.
    All,
}

impl Listing {
    const ALL: [Self; 4] = [Self::Organisation, Self::User, Self::Own, Self::All];

    fn key(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::User => "user",
            Self::Own => "own",
            Self::All => "all",
        }
    }

    fn resource(self, owner: &str, page: u32) -> String {
        let path = match self {
            Self::Organisation => format!("/orgs/{owner}/repos?type=all&"),
            Self::User => format!("/users/{owner}/repos?type=owner&"),
            Self::Own => "/user/repos?affiliation=owner&".to_owned(),
            Self::All => "/user/repos?".to_owned(),
        };
        format!("{path}sort=full_name&per_page={PER_PAGE}&page={page}")
    }
}

/// Where a page is: of which of the query's owners, in which of the listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    owner: usize,
    /// `None`: not known yet, start with this owner.
    listing: Option<Listing>,
    page: u32,
}

impl Place {
    fn start_of(owner: usize) -> Self {
        Self { owner, listing: None, page: 1 }
    }

    fn cursor(self) -> SearchCursor {
        let listing = self.listing.map_or("start", Listing::key);
        SearchCursor(format!("{} {listing} {}", self.owner, self.page))
    }

    fn parse(cursor: &SearchCursor) -> Option<Self> {
        let mut parts = cursor.0.split(' ');
        let owner = parts.next()?.parse().ok()?;
        let key = parts.next()?;
        let listing = Listing::ALL.into_iter().find(|listing| listing.key() == key);
        let page = parts.next()?.parse().ok()?;
        (listing.is_some() || key == "start").then_some(Self { owner, listing, page })
    }
}

pub(super) async fn search(
    client: &Client,
    query: &RepoQuery,
    after: Option<&SearchCursor>,
) -> Result<RepoPage, CodeHostError> {
    let owners = query.organisations();
    let place = after.and_then(Place::parse).unwrap_or(Place::start_of(0));
    let (listing, answer) = match (place.listing, owners.get(place.owner)) {
        (None, None) => (Listing::All, list(client, Listing::All, "", place.page).await?),
        (None, Some(owner)) => first_of_owner(client, owner).await?,
        (Some(listing), owner) => {
            let owner = owner.copied().unwrap_or_default();
            (listing, list(client, listing, owner, place.page).await?)
        }
    };
    let next = match answer.next_page() {
        Some(page) => Some(Place { listing: Some(listing), page, ..place }),
        None => Some(Place::start_of(place.owner + 1)).filter(|next| next.owner < owners.len()),
    };
    let rows: Vec<Value> = answer.json()?;
    let (mut repos, mut unread) = (Vec::new(), Vec::new());
    for row in rows {
        match read_row(client, row) {
            Ok(repo) if query.matches(&facts(&repo)) => repos.push(repo),
            Ok(_) => {}
            Err(name) => unread.push(name),
        }
    }
    Ok(RepoPage { repos, unread, next: next.map(Place::cursor) })
}

fn facts(repo: &RepoInfo) -> RepoFacts<'_> {
    RepoFacts {
        name: &repo.name,
        language: repo.language.as_deref(),
        topics: &repo.topics,
        activity: repo.activity,
    }
}

async fn first_of_owner(client: &Client, owner: &str) -> Result<(Listing, Answer), CodeHostError> {
    match list(client, Listing::Organisation, owner, 1).await {
        Err(CodeHostError::NotFound { .. }) => {}
        listed => return Ok((Listing::Organisation, listed?)),
    }
    let own = whoami(client).await?.name.eq_ignore_ascii_case(owner);
    let listing = if own { Listing::Own } else { Listing::User };
    Ok((listing, list(client, listing, owner, 1).await?))
}

async fn list(
    client: &Client,
    listing: Listing,
    owner: &str,
    page: u32,
) -> Result<Answer, CodeHostError> {
    let what = format!("user or organisation `{owner}`");
    // Whatever cannot own a repository is not put into a path.
    if !owner.is_empty() && format!("{owner}/x").parse::<RepoName>().is_err() {
        return Err(CodeHostError::NotFound { what });
    }
    client.get(&listing.resource(owner, page), &what).await
}

/// One row that cannot be read, such as a name that only GitHub allows, hides no other; it is
/// told by its name.
fn read_row(client: &Client, row: Value) -> Result<RepoInfo, String> {
    let name = row.get("full_name").and_then(Value::as_str).unwrap_or("(no name)").to_owned();
    let read = serde_json::from_value::<RepoJson>(row)
        .map_err(|error| error.to_string())
        .and_then(|repo| repo.into_info(&client.address).map_err(|error| error.to_string()));
    read.map_err(|error| {
        warn!(name, %error, "a repository in a list cannot be read");
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_where_it_came_from() {
        let listings = Listing::ALL.into_iter().map(Some).chain([None]);
        for place in listings.map(|listing| Place { owner: 3, listing, page: 7 }) {
            assert_eq!(Place::parse(&place.cursor()), Some(place));
        }
        for text in ["", "0", "0 all", "0 other 1", "x all 1", "0 all -1"] {
            assert_eq!(Place::parse(&SearchCursor(text.to_owned())), None, "{text:?}");
        }
    }

    #[test]
    fn branches_are_paths_without_surprises() {
        for (branch, path) in [
            ("drover/x-1_2.3", "drover/x-1_2.3"),
            ("a#b", "a%23b"),
            ("a%2e", "a%252e"),
            ("ä", "%C3%A4"),
            ("a&b=c", "a%26b%3Dc"),
        ] {
            assert_eq!(utf8_percent_encode(branch, BRANCH).to_string(), path);
        }
    }
}
