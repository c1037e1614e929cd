use super::time;
use crate::{
    call::Urls,
    state::{Account, AccountKind, Accounts},
};
use serde_json::{Value, json};

/// The short form that stands in other objects. A login without an account is shown as GitHub
/// shows people who have left: as its ghost.
pub(crate) fn user(accounts: &Accounts, urls: &Urls, login: &str) -> Value {
    match accounts.find(login) {
        Some(account) => of_account(account, urls),
        None => of_parts(0, "ghost", AccountKind::User, urls),
    }
}

pub(crate) fn public_user(account: &Account, urls: &Urls, repos: usize) -> Value {
    let mut value = of_account(account, urls);
    let at = time(account.created_at);
    let more = json!({
        "name": account.login, "company": null, "blog": "", "location": null, "email": null,
        "hireable": null, "bio": null, "public_repos": repos, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": at, "updated_at": at,
    });
    merge(&mut value, more);
    value
}

pub(crate) fn private_user(account: &Account, urls: &Urls, repos: usize) -> Value {
    let mut value = public_user(account, urls, repos);
    let more = json!({
        "private_gists": 0, "total_private_repos": 0, "owned_private_repos": 0, "disk_usage": 0,
        "collaborators": 0, "two_factor_authentication": true,
    });
    merge(&mut value, more);
    value
}

pub(crate) fn organisation_simple(account: &Account, urls: &Urls) -> Value {
    let Urls { web, api, .. } = urls;
    let Account { id, login, .. } = account;
    let url = format!("{api}/orgs/{login}");
    json!({
        "login": login, "id": id, "node_id": format!("O_{id}"), "url": url,
        "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events"),
        "hooks_url": format!("{url}/hooks"), "issues_url": format!("{url}/issues"),
        "members_url": format!("{url}/members{{/member}}"),
        "public_members_url": format!("{url}/public_members{{/member}}"),
        "avatar_url": format!("{web}/_avatar/{login}"), "description": null,
    })
}

pub(crate) fn organisation(account: &Account, urls: &Urls, repos: usize) -> Value {
    let mut value = organisation_simple(account, urls);
    let at = time(account.created_at);
    let more = json!({
        "has_organization_projects": true, "has_repository_projects": true,
        "public_repos": repos, "public_gists": 0, "followers": 0, "following": 0,
        "html_url": format!("{}/{}", urls.web, account.login), "type": "Organization",
        "created_at": at, "updated_at": at, "archived_at": null,
    });
    merge(&mut value, more);
    value
}

fn of_account(account: &Account, urls: &Urls) -> Value {
    of_parts(account.id, &account.login, account.kind, urls)
}

fn of_parts(id: u64, login: &str, kind: AccountKind, urls: &Urls) -> Value {
    let Urls { web, api, .. } = urls;
    let (letter, kind) = match kind {
        AccountKind::User => ("U", "User"),
        AccountKind::Organisation => ("O", "Organization"),
    };
    let url = format!("{api}/users/{login}");
    json!({
        "login": login, "id": id, "node_id": format!("{letter}_{id}"),
        "avatar_url": format!("{web}/_avatar/{login}"), "gravatar_id": "", "url": url,
        "html_url": format!("{web}/{login}"), "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following{{/other_user}}"),
        "gists_url": format!("{url}/gists{{/gist_id}}"),
        "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"), "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"),
        "type": kind, "user_view_type": "public", "site_admin": false,
    })
}

fn merge(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}
