//! Users and organisations.

use super::{
    refusal::Refusal,
    thing::{Asked, Thing},
};
use crate::{
    json::time,
    state::{Account, AccountKind},
};
use serde_json::json;
use std::sync::Arc;

/// Whoever has the login; people without an account are shown as nobody.
pub(super) fn actor(asked: &Arc<Asked>, login: &str) -> Option<Thing> {
    let accounts = asked.call.github.store.accounts();
    accounts.find(login).map(|account| of_account(asked, account))
}

pub(super) fn user(asked: &Arc<Asked>, login: &str) -> Thing {
    actor(asked, login).unwrap_or_else(|| ghost(asked))
}

pub(super) fn find(asked: &Arc<Asked>, login: &str, kind: AccountKind) -> Result<Thing, Refusal> {
    let accounts = asked.call.github.store.accounts();
    let account = accounts.find(login).filter(|account| account.kind == kind);
    let word = match kind {
        AccountKind::User => "User",
        AccountKind::Organisation => "Organization",
    };
    Ok(of_account(asked, account.ok_or_else(|| Refusal::no_account(word, login))?))
}

pub(super) fn by_id(asked: &Arc<Asked>, id: Option<u64>) -> Option<Thing> {
    let accounts = asked.call.github.store.accounts();
    let account = accounts.iter().find(|account| Some(account.id) == id)?;
    Some(of_account(asked, account))
}

fn of_account(asked: &Arc<Asked>, account: &Account) -> Thing {
    let Account { id, login, kind, created_at } = account;
    let (letter, kind) = match kind {
        AccountKind::User => ("U", "User"),
        AccountKind::Organisation => ("O", "Organization"),
    };
    let web = &asked.call.urls.web;
    let facts = json!({
        "id": format!("{letter}_{id}"), "databaseId": id, "login": login, "name": login,
        "email": "", "avatarUrl": format!("{web}/_avatar/{login}"),
        "url": format!("{web}/{login}"), "resourcePath": format!("/{login}"),
        "isViewer": login.eq_ignore_ascii_case(&asked.login), "createdAt": time(*created_at),
    });
    Thing::known(asked, kind, facts, [])
}

fn ghost(asked: &Arc<Asked>) -> Thing {
    let web = &asked.call.urls.web;
    let facts = json!({
        "id": "U_0", "databaseId": 0, "login": "ghost", "name": "ghost", "email": "",
        "avatarUrl": format!("{web}/_avatar/ghost"), "url": format!("{web}/ghost"),
        "resourcePath": "/ghost", "isViewer": false, "createdAt": "2008-01-01T00:00:00Z",
    });
    Thing::known(asked, "User", facts, [])
}
