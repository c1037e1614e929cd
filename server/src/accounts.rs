//! How people and programs get in: the demo user, the setup token, access tokens.

use crate::{
    secret::token::{Token, TokenHash},
    state::AppState,
    store::{
        Conn, Store, StoreError, sessions,
        tokens::{self, NewToken, Setup},
        users,
    },
};
use drover::{
    id::{NamespaceId, UserId},
    names::NamespaceName,
    viewer::{Role, Viewer},
};
use secrecy::ExposeSecret;
use url::Url;
use uuid::Uuid;

/// Who everybody is in the demo.
const DEMO_USER: &str = "demo";
/// Who the first person is that signs in to a new server.
const FIRST_ADMIN: &str = "admin";
/// The label of the access token that a start of the demo makes anew.
const DEMO_TOKEN_LABEL: &str = "printed at the start";

/// Makes the demo user, once, and a token for the CLI, anew at each start.
pub async fn prepare_demo(store: &Store) -> Result<Token, StoreError> {
    let mut conn = store.conn().await?;
    let user = find_or_insert(&mut conn, DEMO_USER, Role::Admin).await?;
    let token = Token::new(&mut rand::rng());
    tokens::delete(&mut conn, user, DEMO_TOKEN_LABEL).await?;
    insert_token(&mut conn, user, DEMO_TOKEN_LABEL, &token).await?;
    Ok(token)
}

/// The demo user, as viewer.
pub async fn demo_viewer(store: &Store) -> Result<Viewer, StoreError> {
    let mut conn = store.conn().await?;
    let user = find_or_insert(&mut conn, DEMO_USER, Role::Admin).await?;
    users::load_viewer(&mut conn, user).await
}

/// Gives the token with which the first person signs in, as long as nobody has.
pub async fn prepare_setup(store: &Store) -> Result<Option<Token>, StoreError> {
    let mut conn = store.conn().await?;
    if users::any_user(&mut conn).await? {
        return Ok(None);
    }
    let token = Token::new(&mut rand::rng());
    tokens::set_setup_token(&mut conn, &token.hash().0).await?;
    Ok(Some(token))
}

/// Finds whose token this is; the setup token makes the first admin.
pub async fn sign_in(store: &Store, token: &Token) -> Result<Option<UserId>, StoreError> {
    let mut conn = store.conn().await?;
    let digest = token.hash().0;
    if let Some(user) = tokens::find(&mut conn, &digest).await? {
        return Ok(Some(user));
    }
    match tokens::use_setup_token(&mut conn, &digest).await? {
        Setup::Refused => Ok(None),
        Setup::Accepted => {
            let user = find_or_insert(&mut conn, FIRST_ADMIN, Role::Admin).await?;
            // From now on the same token is the admin's own, so that nobody is locked out.
            insert_token(&mut conn, user, "setup", token).await?;
            Ok(Some(user))
        }
    }
}

async fn insert_token(
    conn: &mut Conn,
    user: UserId,
    label: &str,
    token: &Token,
) -> Result<(), StoreError> {
    let digest = token.hash().0;
    let id = Uuid::new_v4();
    tokens::insert(conn, &NewToken { id, user, label, digest: &digest, expires_at: None }).await
}

async fn find_or_insert(conn: &mut Conn, name: &str, role: Role) -> Result<UserId, StoreError> {
    #[expect(clippy::expect_used, reason = "one of the two constants above")]
    let name: NamespaceName = name.parse().expect("a valid name");
    if let Some(user) = users::find_user(conn, &name).await? {
        return Ok(user);
    }
    let id = UserId(Uuid::new_v4());
    match users::insert_user(conn, id, NamespaceId(Uuid::new_v4()), &name, role).await {
        Ok(()) => Ok(id),
        // Another request was quicker.
        Err(StoreError::Conflict(_)) => {
            users::find_user(conn, &name).await?.ok_or(StoreError::NotFound { what: "user" })
        }
        Err(error) => Err(error),
    }
}

/// The digest of the cookie that a request carries, for the one who signs out.
#[derive(Clone, Copy)]
pub struct SessionDigest(pub TokenHash);

/// Browsers take the safer `__Host-` name over https only.
#[must_use]
pub fn cookie_name(public_url: &Url) -> &'static str {
    if public_url.scheme() == "https" { "__Host-drover" } else { "drover" }
}

/// Starts a session and gives the `Set-Cookie` header that carries it.
pub async fn start_session(state: &AppState, user: UserId) -> Result<String, StoreError> {
    let token = Token::new(&mut rand::rng());
    let mut conn = state.store.conn().await?;
    sessions::insert(&mut conn, &token.hash().0, user).await?;
    let name = cookie_name(&state.config.public_url);
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    Ok(format!(
        "{name}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        token.expose_secret(),
        sessions::SESSION_SECS_MAX
    ))
}
