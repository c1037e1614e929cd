//! Who is asking: by the session cookie of a browser or the access token of a program.
//!
//! The viewer travels in the extensions of the request. A request without one goes on: the
//! doors behind it answer what signed-out people may have.

use crate::{
    accounts::{self, SessionDigest},
    config::Mode,
    secret::token::Token,
    state::AppState,
    store::{StoreError, sessions, tokens, users},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use drover::viewer::Viewer;

pub(super) async fn identify(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    if is_asset(request.uri()) {
        return next.run(request).await;
    }
    match find(&state, request.headers()).await {
        Ok(Some((viewer, session))) => {
            request.extensions_mut().insert(viewer);
            if let Some(session) = session {
                request.extensions_mut().insert(session);
            }
            next.run(request).await
        }
        Ok(None) if state.config.mode == Mode::Demo && is_page(request.headers()) => {
            enter_demo(&state, request, next).await
        }
        Ok(None) => next.run(request).await,
        Err(error) => unavailable(&error),
    }
}

fn is_asset(uri: &Uri) -> bool {
    uri.path().starts_with("/pkg/")
}

/// Whether a browser asks for a page, as opposed to a program that asks for data.
fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

async fn find(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<(Viewer, Option<SessionDigest>)>, StoreError> {
    let bearer = bearer(headers);
    let cookie = cookie(headers, accounts::cookie_name(&state.config.public_url));
    if bearer.is_none() && cookie.is_none() {
        return Ok(None);
    }
    let mut conn = state.store.conn().await?;
    if let Some(token) = bearer {
        let owner = tokens::find(&mut conn, &token.hash().0).await?;
        return Ok(match owner {
            Some(user) => Some((users::load_viewer(&mut conn, user).await?, None)),
            None => None,
        });
    }
    let Some(token) = cookie else { return Ok(None) };
    let digest = token.hash();
    Ok(match sessions::find(&mut conn, &digest.0).await? {
        Some(user) => {
            Some((users::load_viewer(&mut conn, user).await?, Some(SessionDigest(digest))))
        }
        None => None,
    })
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    known.then(|| Token::parse(token.trim()).ok()).flatten()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<Token> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then(|| Token::parse(value).ok()).flatten())
}

async fn enter_demo(state: &AppState, mut request: Request, next: Next) -> Response {
    let entered = async {
        let viewer = accounts::demo_viewer(&state.store).await?;
        let cookie = accounts::start_session(state, viewer.id).await?;
        Ok::<_, StoreError>((viewer, cookie))
    };
    let (viewer, cookie) = match entered.await {
        Ok(entered) => entered,
        Err(error) => return unavailable(&error),
    };
    request.extensions_mut().insert(viewer);
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

fn unavailable(error: &StoreError) -> Response {
    tracing::error!(%error, "who is asking could not be found out");
    let text = "Drover cannot reach its database. Try again in a moment.\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}
